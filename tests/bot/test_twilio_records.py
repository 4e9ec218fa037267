"""Twilio's own records through its own library: against the simulator over real HTTP, and against a Twilio that is ill."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.turn import Media
from bot.whatsapp import Incoming, Letter, Outcome, ProviderAway, SentRecord, StatusUpdate, TwilioRecords, TwilioSender
from simulator.values import Pace
from tests.payloads.servers import Server, a_closed_port, running
from tests.simulator.world import ACCOUNT, AMINA, SENDER, STALL_S, World

OTHER, SCOPED = "+447700900200", "GB.7361940258136047"
SLOW = Pace(sent=60, stall=STALL_S)
MISSING = "SM" + "0" * 32
TEMPLATE = {
    "friendly_name": "reminder",
    "language": "en",
    "variables": {"1": "Sam", "2": "10:00"},
    "types": {"twilio/text": {"body": "Hello {{1}}, your lesson is at {{2}}. Reply STOP to opt out."}},
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.close()


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[World]:
    """Nothing is delivered in it: every message stays queued."""
    made = World(tmp_path, SLOW)
    yield made
    made.close()


@pytest.fixture
def twilio() -> Iterator[Server]:
    with running() as server:
        yield server


def records(url: str) -> TwilioRecords:
    return TwilioRecords(ACCOUNT.sid, ACCOUNT.token, SENDER, url, timeout_s=STALL_S / 2)


def of(world: World) -> TwilioRecords:
    return TwilioRecords(ACCOUNT.sid, ACCOUNT.token, SENDER, world.served.url + "/", timeout_s=5)


def sender(world: World, timeout_s: float = 5) -> TwilioSender:
    return TwilioSender(ACCOUNT.sid, ACCOUNT.token, SENDER, world.served.url, timeout_s)


def template(world: World) -> str:
    made = world.http.post("/v1/Content", json=TEMPLATE, auth=(ACCOUNT.sid, ACCOUNT.token)).json()
    return str(made["sid"])


# What we sent to somebody.


def test_what_we_sent_to_one_person_is_found_oldest_first_with_how_it_stands(slow: World) -> None:
    first, second = slow.send("one"), slow.send("two")
    slow.send("to somebody else", to=OTHER)
    slow.say("from them")
    assert of(slow).sent_to(AMINA, slow.moment) == (
        SentRecord(first.sid, "one", "queued", None, slow.moment),
        SentRecord(second.sid, "two", "queued", None, slow.moment),
    )


def test_a_delivered_message_has_the_moment_of_its_sending(world: World) -> None:
    world.say()
    world.send("hi")
    world.until(lambda: "read" in world.service.statuses)
    (one,) = of(world).sent_to(AMINA, world.moment)
    assert (one.status, one.sent_at, one.created_at.tzinfo) == ("read", world.moment, UTC)


def test_a_failed_message_has_its_code(world: World) -> None:
    world.send("the window is shut")
    world.until(lambda: "undelivered" in world.service.statuses)
    (one,) = of(world).sent_to(AMINA, world.moment)
    assert (one.status, one.error_code) == ("undelivered", 63016)


def test_what_is_older_than_was_asked_for_is_not_found_but_clocks_may_differ_by_half_a_minute(slow: World) -> None:
    start = slow.moment
    for seconds in (0, 29, 30, 31, 60, 90):
        slow.moment = start + timedelta(seconds=seconds)
        slow.send(f"after {seconds}")
    found = of(slow).sent_to(AMINA, start + timedelta(seconds=60))
    assert [one.body for one in found] == ["after 30", "after 31", "after 60", "after 90"]


def test_somebody_without_a_number_is_found_by_their_id(slow: World) -> None:
    made = slow.send("hi", to=SCOPED)
    assert [one.sid for one in of(slow).sent_to(SCOPED, slow.moment)] == [made.sid]


def test_a_template_is_found_by_its_text_filled_in(slow: World) -> None:
    letter = Letter(AMINA, "", slow.callback, template(slow), {"1": "Amina", "2": "9:30"})
    sid = sender(slow).send(letter).sid
    (one,) = of(slow).sent_to(AMINA, slow.moment)
    assert (one.sid, one.body) == (sid, "Hello Amina, your lesson is at 9:30. Reply STOP to opt out.")


def test_where_nothing_was_sent_nothing_is_found(world: World) -> None:
    assert of(world).sent_to(AMINA, world.moment) == ()


@pytest.mark.parametrize("lost", [{"status": "timeout"}, {"status": "garbled"}, {"status": 500}, {"status": 503}])
@pytest.mark.parametrize("taken", [True, False])
def test_after_an_answer_was_lost_the_record_says_whether_it_was_taken(
    slow: World, lost: dict[str, Any], taken: bool
) -> None:
    slow.ask("fail", {**lost, "taken": taken})
    outcome = sender(slow, STALL_S / 2).send(Letter(AMINA, "lost?", slow.callback))
    assert outcome.result == "unknown"
    assert [one.body for one in of(slow).sent_to(AMINA, slow.moment)] == (["lost?"] if taken else [])
    time.sleep(STALL_S)  # a stalled answer must be over before the server is stopped


def test_what_was_lost_may_have_failed_afterwards(world: World) -> None:
    world.ask("fail", {"status": "garbled", "ends": "undelivered", "ends_code": 63018})
    assert sender(world).send(Letter(AMINA, "lost", world.callback)) == Outcome("unknown")
    world.until(lambda: "undelivered" in world.service.statuses)
    (one,) = of(world).sent_to(AMINA, world.moment)
    assert (one.status, one.error_code) == ("undelivered", 63018)


# How one message stands.


def test_the_news_of_a_message_is_its_status_and_its_code(world: World) -> None:
    sid = world.send("the window is shut").sid
    world.until(lambda: "undelivered" in world.service.statuses)
    assert of(world).news_of(sid) == StatusUpdate(sid, "undelivered", 63016)
    world.say()
    sid = world.send("hi").sid
    world.until(lambda: "read" in world.service.statuses)
    assert of(world).news_of(sid) == StatusUpdate(sid, "read")


def test_there_is_no_news_of_a_message_that_twilio_does_not_have(world: World) -> None:
    assert of(world).news_of(MISSING) is None


# What people wrote to us.


def test_what_people_wrote_comes_oldest_first_as_the_webhook_would_have_brought_it(world: World) -> None:
    start = world.moment
    world.say("before the outage")
    world.moment = start + timedelta(hours=1)
    world.say("one", AMINA)
    world.send("ours")
    world.moment += timedelta(seconds=1)
    world.say("two", SCOPED)
    found = list(of(world).inbound_since(start + timedelta(minutes=30)))
    sids = [call.form["MessageSid"] for call in world.service.calls if "Body" in call.form]
    assert found == [
        (Incoming(sids[1], AMINA, "", "text", "one"), start + timedelta(hours=1)),
        (Incoming(sids[2], "", SCOPED, "text", "two"), start + timedelta(hours=1, seconds=1)),
    ]


def test_clocks_may_differ_by_half_a_minute(world: World) -> None:
    start = world.moment
    for seconds in (0, 29, 30, 60):
        world.moment = start + timedelta(seconds=seconds)
        world.say(f"after {seconds}")
    found = of(world).inbound_since(start + timedelta(seconds=60))
    assert [incoming.text for incoming, _ in found] == ["after 30", "after 60"]


def test_half_a_minute_may_lie_on_the_day_before(world: World) -> None:
    world.moment = datetime(2026, 11, 24, 23, 59, 45, tzinfo=UTC)
    world.say("just before midnight")
    found = of(world).inbound_since(datetime(2026, 11, 25, tzinfo=UTC))
    assert [incoming.text for incoming, _ in found] == ["just before midnight"]


def test_every_page_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.whatsapp.records.PAGE", 2)
    for number in range(7):
        world.moment += timedelta(seconds=1)
        world.say(f"number {number}")
    found = of(world).inbound_since(world.moment - timedelta(minutes=1))
    assert [incoming.text for incoming, _ in found] == [f"number {number}" for number in range(7)]


@pytest.mark.parametrize(
    ("kind", "heard", "content_type"),
    [("picture", "picture", "image/jpeg"), ("voice", "voice", "audio/ogg"), ("sticker", "sticker", "image/webp")],
)
def test_a_file_comes_with_its_address_and_the_type_its_sender_claims(
    world: World, kind: str, heard: str, content_type: str
) -> None:
    world.say("", kind=kind)
    posted = world.service.calls[0].form
    ((incoming, _),) = of(world).inbound_since(world.moment)
    assert incoming.kind == heard
    assert incoming.media == (Media(posted["MediaUrl0"], content_type),)


def test_a_file_has_its_caption(world: World) -> None:
    world.say("my work", kind="picture")
    ((incoming, _),) = of(world).inbound_since(world.moment)
    assert (incoming.kind, incoming.text) == ("picture", "my work")


@pytest.mark.parametrize("kind", ["location", "unsupported", "empty"])
def test_what_holds_no_words_is_empty(world: World, kind: str) -> None:
    world.say("", kind=kind)
    ((incoming, _),) = of(world).inbound_since(world.moment)
    assert (incoming.kind, incoming.text) == ("empty", "")


def test_a_tap_comes_as_the_words_on_the_button(world: World) -> None:
    world.say("", kind="button", choice="Yes", choice_id="yes")
    ((incoming, _),) = of(world).inbound_since(world.moment)
    assert (incoming.kind, incoming.text) == ("text", "Yes")


def test_a_record_that_no_webhook_could_be_is_passed_over(twilio: Server) -> None:
    twilio.answers(200, a_page(a_record(), a_record(**{"from": "+447700900100"}), a_record(**{"from": None})))
    assert [incoming.phone for incoming, _ in records(twilio.url).inbound_since(NOON)] == [AMINA]


def test_only_what_came_in_counts(twilio: Server) -> None:
    twilio.answers(200, a_page(a_record(direction="outbound-api"), a_record(direction="outbound-reply")))
    assert list(records(twilio.url).inbound_since(NOON)) == []


# What Twilio is to forget (L26).


def test_a_record_is_deleted_and_deleting_it_again_is_as_good(world: World) -> None:
    world.say()
    sid = world.service.calls[0].form["MessageSid"]
    assert of(world).delete(sid)
    assert of(world).news_of(sid) is None
    assert of(world).delete(sid)


def test_a_text_is_blanked_and_the_record_stays(world: World) -> None:
    world.say()
    sid = world.send("private").sid
    world.until(lambda: "read" in world.service.statuses)
    assert of(world).redact(sid)
    assert [(one.sid, one.body) for one in of(world).sent_to(AMINA, world.moment)] == [(sid, "")]
    assert of(world).redact(MISSING)


def test_what_is_still_on_its_way_cannot_be_deleted_or_blanked_yet(slow: World) -> None:
    sid = slow.send("hi").sid
    assert not of(slow).delete(sid)
    assert not of(slow).redact(sid)
    assert of(slow).news_of(sid) == StatusUpdate(sid, "queued")


def test_the_files_of_a_message_are_deleted_and_counted_once(world: World) -> None:
    world.say("my work", kind="picture")
    sid = world.service.calls[0].form["MessageSid"]
    assert of(world).delete_media(sid) == 1
    assert of(world).delete_media(sid) == 0
    ((incoming, _),) = of(world).inbound_since(world.moment)
    assert (incoming.kind, incoming.media) == ("text", ())


def test_a_message_without_files_and_one_that_is_not_there_have_none_to_delete(world: World) -> None:
    world.say()
    assert of(world).delete_media(world.service.calls[0].form["MessageSid"]) == 0
    assert of(world).delete_media(MISSING) == 0


# A Twilio that is ill, or will not have us.

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
CALLS: list[Callable[[TwilioRecords], object]] = [
    lambda made: made.sent_to(AMINA, NOON),
    lambda made: made.news_of(MISSING),
    lambda made: list(made.inbound_since(NOON)),
    lambda made: made.delete(MISSING),
    lambda made: made.redact(MISSING),
    lambda made: made.delete_media(MISSING),
]
NAMES = ["sent_to", "news_of", "inbound_since", "delete", "redact", "delete_media"]


def a_record(**other: object) -> dict[str, object]:
    usual = {
        "sid": MISSING,
        "from": f"whatsapp:{AMINA}",
        "to": SENDER,
        "body": "hello",
        "num_media": "0",
        "status": "received",
    }
    return usual | {"direction": "inbound", "date_created": "Tue, 24 Nov 2026 12:00:00 +0000"} | other


def a_page(*messages: dict[str, object]) -> dict[str, object]:
    return {"messages": messages, "next_page_uri": None, "page": 0, "page_size": 50}


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (401, {"code": 20003, "message": f"no {AMINA}", "status": 401}, 20003),
        (429, {"code": 20429, "message": f"no {AMINA}", "status": 429}, 20429),
        (500, {"code": 20500, "message": f"no {AMINA}", "status": 500}, 20500),
        (503, f"<html>{AMINA}</html>", 503),
        (404, f"<html>{AMINA}</html>", 404),  # of something between us and Twilio: it knows of no message
        (404, {"code": 20001, "message": f"no {AMINA}", "status": 404}, 20001),
        (400, {"code": 20001, "message": f"no {AMINA}", "status": 400}, 20001),
    ],
)
def test_a_refusal_says_its_code_and_no_words(
    twilio: Server, call: Callable[[TwilioRecords], object], status: int, body: object, code: int
) -> None:
    twilio.answers(status, body)
    with pytest.raises(ProviderAway) as caught:
        call(records(twilio.url))
    assert (caught.value.status, caught.value.code) == (status, code)
    assert AMINA not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
def test_an_answer_that_never_comes_is_not_waited_for_for_ever(
    twilio: Server, call: Callable[[TwilioRecords], object]
) -> None:
    twilio.hangs = True
    with pytest.raises(ProviderAway):
        call(records(twilio.url))


@pytest.mark.parametrize("call", CALLS, ids=NAMES)
def test_where_nobody_listens_twilio_is_away(call: Callable[[TwilioRecords], object]) -> None:
    with pytest.raises(ProviderAway):
        call(records(a_closed_port()))


@pytest.mark.parametrize("call", [CALLS[place] for place in (0, 1, 2, 5)], ids=[NAMES[place] for place in (0, 1, 2, 5)])
@pytest.mark.parametrize("page", ["<html>OK</html>", "", "null", "[]", "3", "{}", '{"messages": 3}', '{"messages": [{}]}'])
def test_a_success_that_makes_no_sense_is_no_answer(
    twilio: Server, call: Callable[[TwilioRecords], object], page: str
) -> None:
    twilio.answers(200, page)
    with pytest.raises(ProviderAway):
        call(records(twilio.url))


def test_a_file_that_cannot_go_yet_is_to_be_asked_for_again(twilio: Server) -> None:
    class Busy(Server):
        def __call__(self, environ: dict[str, object], start_response: object) -> object:
            if environ["REQUEST_METHOD"] == "DELETE":
                self.answers(409, {"code": 20009, "message": "Not yet", "status": 409})
            return super().__call__(environ, start_response)

    twilio.__class__ = Busy
    twilio.answers(200, {"media_list": [{"sid": "ME" + "1" * 32}], "next_page_uri": None})
    with pytest.raises(ProviderAway) as caught:
        records(twilio.url).delete_media(MISSING)
    assert caught.value.status == 409


def test_the_simulator_can_be_ill_for_everything_but_sending(world: World) -> None:
    world.ask("fail", {"on": "records", "status": 503, "count": 2})
    with pytest.raises(ProviderAway) as caught:
        of(world).sent_to(AMINA, world.moment)
    assert caught.value.code == 20503
    assert world.send("hi").sid
    with pytest.raises(ProviderAway):
        of(world).delete(MISSING)
    assert of(world).delete(MISSING)


def test_the_real_records_are_waited_for_ten_seconds_at_most() -> None:
    assert TwilioRecords(ACCOUNT.sid, ACCOUNT.token, SENDER, "http://127.0.0.1:1")._client.http_client.timeout == 10.0


def test_pages_beyond_the_first_may_fail_too(twilio: Server) -> None:
    twilio.answers(200, a_page(a_record()) | {"next_page_uri": "/2010-04-01/nowhere"})
    first = twilio.body

    class Tired(Server):
        def __call__(self, environ: dict[str, object], start_response: object) -> object:
            if environ["PATH_INFO"] == "/2010-04-01/nowhere":
                self.answers(503, "{}")
            return super().__call__(environ, start_response)

    twilio.__class__ = Tired
    with pytest.raises(ProviderAway) as caught:
        records(twilio.url).inbound_since(NOON)
    assert caught.value.status == 503
    assert json.loads(first)["messages"]
