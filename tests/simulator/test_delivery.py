"""What becomes of a message after it was taken: statuses, the 24-hour window, and failing on demand."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from simulator.people import external_id
from simulator.values import Pace
from tests.simulator.world import ACCOUNT, AMINA, PNG, QUICK, SENDER, STALL_S, World


def last(world: World) -> dict[str, str]:
    return world.service.calls[-1].form


def ended(world: World, status: str) -> dict[str, str]:
    """The callback with this status, once it is there."""
    world.until(lambda: status in world.service.statuses)
    return last(world)


def test_each_status_is_reported_once_and_in_order_by_a_signed_callback(world: World) -> None:
    world.say()
    sid = world.send().sid
    read = ended(world, "read")
    calls = world.service.calls[1:]
    assert world.service.statuses == ["sent", "delivered", "read"]
    assert [(call.path, call.signed) for call in calls] == [("/whatsapp/status/7", True)] * 3  # the #fragment is not sent
    assert read == {
        "AccountSid": ACCOUNT.sid,
        "ApiVersion": "2010-04-01",
        "ChannelInstallSid": read["ChannelInstallSid"],
        "ChannelPrefix": "whatsapp",
        "ChannelToAddress": "+44770090XXXX",
        "EventType": "READ",
        "ExternalUserId": f"whatsapp:{external_id(AMINA)}",
        "From": SENDER,
        "MessageSid": sid,
        "MessageStatus": "read",
        "SmsSid": sid,
        "SmsStatus": "read",
        "StructuredMessage": "false",
        "To": f"whatsapp:{AMINA}",
    }
    assert "ExternalUserId" not in calls[0].form
    assert world.twilio.messages(sid).fetch().status == "read"


def test_free_text_outside_the_window_is_taken_and_fails_later_with_63016(world: World) -> None:
    world.say()
    world.moment += timedelta(hours=24)
    made = world.send("too late")
    failed = ended(world, "undelivered")
    assert made.status == "queued"
    assert (failed["ErrorCode"], failed["EventType"]) == ("63016", "UNDELIVERED")
    assert "outside the allowed window" in failed["ChannelStatusMessage"]
    assert [one["text"] for one in world.phone()] == ["hello"]
    assert world.twilio.messages(made.sid).fetch().error_code == 63016


def test_free_text_is_delivered_until_the_window_closes(world: World) -> None:
    world.say()
    world.moment += timedelta(hours=24) - timedelta(seconds=1)
    world.send("just in time")
    ended(world, "read")
    assert [one["text"] for one in world.phone()] == ["hello", "just in time"]


def test_the_window_of_one_phone_opens_no_other(world: World) -> None:
    world.say(sender="+447700900101")
    world.send("hi")
    assert ended(world, "undelivered")["ErrorCode"] == "63016"


def test_a_business_scoped_id_reaches_the_phone_it_belongs_to(world: World) -> None:
    world.say()
    world.send("by id", to=external_id(AMINA))
    assert ended(world, "read")["To"] == f"whatsapp:{external_id(AMINA)}"
    assert [one["text"] for one in world.phone()] == ["hello", "by id"]


def test_a_stranger_without_a_number_can_be_answered(world: World) -> None:
    world.say(sender="GB.7361940258136047")
    world.send("hello stranger", to="GB.7361940258136047")
    assert ended(world, "read")["ChannelToAddress"] == "GB.7361940258136047"
    assert [one["text"] for one in world.phone("GB.7361940258136047")] == ["hello", "hello stranger"]


def test_a_picture_is_fetched_and_shown(world: World) -> None:
    world.say()
    world.send("look", media_url=[f"{world.service.served.url}/media/token"])
    ended(world, "read")
    shown = world.phone()[-1]
    answer = world.http.get("/" + shown["file"]["url"])
    assert (shown["text"], answer.headers["Content-Type"], answer.content) == ("look", "image/png", PNG)


def test_a_picture_that_cannot_be_fetched_fails_with_63019(world: World) -> None:
    world.say()
    world.send("look", media_url=[f"{world.served.url}/nothing-here"])
    assert ended(world, "undelivered")["ErrorCode"] == "63019"


def test_an_open_phone_reads_at_once_and_once_only(world: World) -> None:
    slow = World(world.folder / "slow", Pace(call=0, sent=0, delivered=0, read=3600))
    try:
        slow.say()
        slow.send()
        slow.until(lambda: slow.service.statuses == ["sent", "delivered"])
        slow.http.get("/simulator/messages", params={"phone": AMINA})
        assert slow.service.statuses == ["sent", "delivered"]
        for _ in range(3):  # however often somebody looks
            slow.here.delivery.open_phone(AMINA)
        slow.http.get("/simulator/messages", params={"phone": AMINA, "open": "1"})
        slow.until(lambda: "read" in slow.service.statuses)
        slow.here.later.close()  # whatever was still to be reported is reported now
        assert slow.service.statuses == ["sent", "delivered", "read"]
    finally:
        slow.close()


def test_a_callback_nobody_answers_harms_nothing(world: World) -> None:
    world.say()
    world.send("first", status_callback="http://127.0.0.1:9/nobody")
    world.send("second", status_callback=None)
    world.send("third")
    ended(world, "read")
    world.until(lambda: [one["status"] for one in world.phone()] == ["received", "read", "read", "read"])


def test_a_restart_takes_up_what_was_not_finished(world: World) -> None:
    before = World(world.folder / "before", Pace(call=0, sent=3600))
    try:
        before.say()
        before.send("still to come")
        assert before.service.statuses == []
        again = before.build(QUICK)
        before.until(lambda: before.service.statuses == ["sent", "delivered", "read"])
        again.close()
        assert [one["text"] for one in before.phone()] == ["hello", "still to come"]
    finally:
        before.close()


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (500, 20500), (400, 21610)])
def test_a_create_call_can_be_made_to_fail(world: World, status: int, code: int) -> None:
    world.ask("fail", {"count": 1, "status": status, "code": code})
    with pytest.raises(TwilioRestException) as raised:
        world.send("refused")
    assert (raised.value.status, raised.value.code) == (status, code)
    world.send("taken")
    assert [one.body for one in world.twilio.messages.list()] == ["taken"]


def test_a_call_can_time_out_although_the_message_was_taken(world: World) -> None:
    world.say()
    world.ask("fail", {"status": "timeout"})
    with pytest.raises(requests.exceptions.ReadTimeout):
        world.client(ACCOUNT.token, timeout=0.1).messages.create(body="lost?", from_=SENDER, to=f"whatsapp:{AMINA}")
    world.until(lambda: "lost?" in [one["text"] for one in world.phone()])
    assert [one.body for one in world.twilio.messages.list(to=f"whatsapp:{AMINA}", date_sent_after=world.moment)] == [
        "lost?"
    ]
    time.sleep(STALL_S)  # the stalled answer must be over before the server is stopped


@pytest.mark.parametrize("status", ["failed", "undelivered"])
def test_a_message_can_be_made_to_fail_after_it_was_taken(world: World, status: str) -> None:
    world.say()
    world.ask("fail", {"count": 1, "status": status, "code": 63003})
    world.send("no such phone")
    assert ended(world, status)["ErrorCode"] == "63003"
    assert [one["text"] for one in world.phone()] == ["hello"]


def test_faults_can_be_taken_back(world: World) -> None:
    assert world.ask("fail", {"count": 3, "status": 429})["waiting"] == 3
    assert world.http.delete("/simulator/fail").json() == {"waiting": 0}
    assert world.send().status == "queued"


@pytest.mark.parametrize(
    "wrong", [{}, {"status": 200}, {"status": "failed"}, {"status": 429, "count": 0}, {"status": 429, "why": "x"}]
)
def test_a_fault_that_makes_no_sense_is_refused(shared: World, wrong: dict[str, Any]) -> None:
    assert shared.ask("fail", wrong)["http"] == 400
