"""The Messages and Media endpoints answer Twilio's library as Twilio does."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException

from simulator.files import sign_link
from simulator.values import new_sid
from tests.simulator.world import ACCOUNT, AMINA, SENDER, World


def test_a_created_message_comes_back_as_it_was_asked_for(world: World) -> None:
    made = world.send("Grüße 🎓")
    found = world.twilio.messages(made.sid).fetch()
    assert (made.status, made.direction, made.date_sent) == ("queued", "outbound-api", None)
    assert (found.body, found.to, found.from_, found.date_created) == ("Grüße 🎓", f"whatsapp:{AMINA}", SENDER, world.moment)


def test_a_create_call_takes_150_ms(world: World) -> None:
    world.send()
    assert world.waited == [0.15]


@pytest.mark.parametrize("account", [ACCOUNT.sid, "AC" + "0" * 32])
def test_a_wrong_token_or_account_is_refused_in_twilios_words(shared: World, account: str) -> None:
    password = "wrong" if account == ACCOUNT.sid else ACCOUNT.token
    answer = shared.http.get(f"/2010-04-01/Accounts/{account}/Messages.json", auth=(ACCOUNT.sid, password))
    more_info = "https://www.twilio.com/docs/errors/20003"
    assert answer.status_code == 401
    assert answer.json() == {"code": 20003, "message": "Authenticate", "more_info": more_info, "status": 401}


def test_the_library_sees_a_wrong_token_as_its_own_error(shared: World) -> None:
    with pytest.raises(TwilioRestException) as raised:
        shared.client("wrong").messages(new_sid("SM")).fetch()
    assert (raised.value.status, raised.value.code) == (401, 20003)


REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"from_": "whatsapp:+447700900001"}, 63007),
    ({"from_": None}, 21603),
    ({"from_": None, "messaging_service_sid": "MG" + "0" * 32}, 21701),
    ({"to": "whatsapp:07700900100"}, 21211),
    ({"to": AMINA}, 21211),
    ({"to": "whatsapp:GB."}, 21211),
    ({"body": None}, 21619),
    ({"body": "x" * 1601}, 21617),
    ({"media_url": ["https://example.org/1.png", "https://example.org/2.png"]}, 21623),
    ({"media_url": ["no address"]}, 21620),
    ({"content_sid": "HX" + "0" * 32}, 20001),
    ({"body": None, "content_sid": "HX" + "0" * 32}, 21655),
    ({"body": None, "content_sid": "nonsense"}, 21655),
    ({"status_callback": "/whatsapp/status/1"}, 21609),
]


@pytest.mark.parametrize(("wrong", "code"), REFUSED)
def test_what_twilio_refuses_is_refused_with_its_code(shared: World, wrong: dict[str, Any], code: int) -> None:
    asked = {"body": "hi", "from_": SENDER, "to": f"whatsapp:{AMINA}"} | wrong
    with pytest.raises(TwilioRestException) as raised:
        shared.twilio.messages.create(**{name: value for name, value in asked.items() if value is not None})
    assert (raised.value.status, raised.value.code) == (400, code)
    assert shared.twilio.messages.list() == []


def test_sixteen_hundred_code_points_are_taken(world: World) -> None:
    assert world.send("🎓" * 1600).status == "queued"


def test_the_list_is_filtered_by_people_and_time(world: World) -> None:
    world.say("one")
    world.send("two")
    world.until(lambda: world.service.statuses == ["sent", "delivered", "read"])
    world.moment += timedelta(days=1)
    world.send("three", to="GB.7361940258136047")
    today, tomorrow = date(2026, 11, 24), date(2026, 11, 25)

    def found(**wanted: Any) -> list[str]:
        return [message.body for message in world.twilio.messages.list(**wanted)]

    assert found() == ["three", "two", "one"]
    assert found(to=SENDER) == ["one"]
    assert found(from_=SENDER, to=f"whatsapp:{AMINA}") == ["two"]
    assert found(date_sent=today) == ["two", "one"]
    assert found(date_sent_after=world.moment) == ["three"]
    assert found(date_sent_before=world.moment - timedelta(hours=1)) == ["two", "one"]
    assert found(date_sent_after=tomorrow, date_sent_before=tomorrow) == []


def test_dates_may_also_be_given_as_days(world: World) -> None:
    world.send("today")
    path = f"/2010-04-01/Accounts/{ACCOUNT.sid}/Messages.json"

    def count(query: str) -> int:
        return len(world.http.get(f"{path}?{query}", auth=(ACCOUNT.sid, ACCOUNT.token)).json()["messages"])

    asked = (
        "DateSent=2026-11-24",
        "DateSent>=2026-11-24",
        "DateSent<=2026-11-24",
        "DateSent>=2026-11-25",
        "DateSent<=2026-11-23",
    )
    assert [count(query) for query in asked] == [1, 1, 1, 0, 0]


def test_the_library_walks_through_the_pages(world: World) -> None:
    for number in range(5):
        world.say(str(number))
    assert [message.body for message in world.twilio.messages.list(to=SENDER, page_size=2)] == ["4", "3", "2", "1", "0"]


def test_a_redacted_message_is_blank_at_twilio_and_stays_on_the_phone(world: World) -> None:
    sid = world.say("my secret")["sid"]
    assert world.twilio.messages(sid).update(body="").body == ""
    assert world.twilio.messages(sid).fetch().body == ""
    assert [one["text"] for one in world.phone()] == ["my secret"]


def test_a_deleted_message_is_gone_at_twilio_and_stays_on_the_phone(world: World) -> None:
    sid = world.say("my secret")["sid"]
    assert world.twilio.messages(sid).delete() is True
    with pytest.raises(TwilioRestException) as raised:
        world.twilio.messages(sid).fetch()
    assert (raised.value.status, raised.value.code) == (404, 20404)
    assert [one["text"] for one in world.phone()] == ["my secret"]


def picture(world: World) -> tuple[str, httpx.URL]:
    world.say("look", kind="picture")
    form = world.service.calls[-1].form
    return form["MessageSid"], httpx.URL(form["MediaUrl0"])


def test_a_file_is_had_in_two_hops_the_second_without_a_password(world: World) -> None:
    _, url = picture(world)
    with_password = (ACCOUNT.sid, ACCOUNT.token)
    first = world.http.get(url, auth=with_password)
    second = world.http.get(first.headers["Location"])
    assert world.http.get(url).status_code == 401
    assert first.status_code == 307
    assert (second.status_code, second.headers["Content-Type"], second.content[:3]) == (200, "image/jpeg", b"\xff\xd8\xff")
    assert world.http.get(first.headers["Location"], auth=with_password).status_code == 400  # a leaked password is noticed
    assert world.http.get(first.headers["Location"] + "x").status_code == 403


def test_the_address_of_a_file_dies_soon(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, url = picture(world)
    with monkeypatch.context() as earlier:
        earlier.setattr("time.time", lambda: 1_000_000_000.0)
        token = sign_link(ACCOUNT, url.path.rsplit("/", 1)[1])
    assert world.http.get(f"/mms/{token}").status_code == 403


def test_a_deleted_file_is_gone_at_twilio_and_stays_on_the_phone(world: World) -> None:
    sid, url = picture(world)
    listed = world.twilio.messages(sid).media.list()
    assert [(one.parent_sid, one.content_type) for one in listed] == [(sid, "image/jpeg")]
    assert world.twilio.messages(sid).media(listed[0].sid).delete() is True
    assert world.twilio.messages(sid).media.list() == []
    assert world.twilio.messages(sid).fetch().num_media == "0"
    assert world.http.get(url, auth=(ACCOUNT.sid, ACCOUNT.token)).status_code == 404
    assert world.http.get("/" + world.phone()[0]["file"]["url"]).headers["Content-Type"] == "image/jpeg"


def test_a_file_belongs_to_its_own_message(world: World) -> None:
    sid, url = picture(world)
    other = str(url).replace(sid, new_sid("MM"))
    assert world.http.get(other, auth=(ACCOUNT.sid, ACCOUNT.token)).status_code == 404
