"""Going wrong on demand, in every way the service must live with: taken or not, answered or not, failed later or not."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from tests.simulator.world import ACCOUNT, AMINA, SENDER, STALL_S, World

MESSAGES = f"/2010-04-01/Accounts/{ACCOUNT.sid}/Messages.json"


def create(world: World) -> httpx.Response:
    form = {"From": SENDER, "To": f"whatsapp:{AMINA}", "Body": "hi", "StatusCallback": world.callback}
    return world.http.post(MESSAGES, data=form, auth=(ACCOUNT.sid, ACCOUNT.token))


def taken(world: World) -> list[str]:
    return [one.body for one in world.twilio.messages.list(to=f"whatsapp:{AMINA}")]


def test_a_refusal_may_be_of_a_message_that_was_taken(world: World) -> None:
    world.say()
    world.ask("fail", {"status": 500, "taken": True})
    assert (create(world).status_code, create(world).status_code) == (500, 201)
    world.until(lambda: world.service.statuses.count("read") == 2)


def test_an_answer_may_be_no_json_though_the_message_was_taken(world: World) -> None:
    world.say()
    world.ask("fail", {"status": "garbled"})
    with pytest.raises(json.JSONDecodeError):
        world.send("hi")
    world.until(lambda: "read" in world.service.statuses)


@pytest.mark.parametrize("status", ["timeout", "garbled", 503])
def test_an_answer_may_be_lost_of_a_message_that_was_never_taken(world: World, status: object) -> None:
    world.ask("fail", {"status": status, "taken": False})
    answer = create(world)
    assert answer.status_code == (201 if status == "garbled" else 503)
    assert (STALL_S in world.waited) == (status == "timeout")
    assert taken(world) == []


@pytest.mark.parametrize("status", ["timeout", "garbled", 503])
def test_what_was_taken_though_the_answer_was_lost_may_fail_afterwards(world: World, status: object) -> None:
    world.say()
    world.ask("fail", {"status": status, "taken": True, "ends": "undelivered", "ends_code": 63018})
    create(world)
    world.until(lambda: world.service.statuses == ["undelivered"])
    assert world.service.calls[-1].form["ErrorCode"] == "63018"
    assert [one["text"] for one in world.phone()] == ["hello"]


def test_a_refusal_says_how_long_to_wait_if_it_is_told_to(world: World) -> None:
    world.ask("fail", {"status": 429, "retry_after": 7})
    world.ask("fail", {"status": 429})
    assert [create(world).headers.get("Retry-After") for _ in range(3)] == ["7", None, None]


def test_everything_but_creating_may_go_wrong_apart_from_it(world: World) -> None:
    assert world.ask("fail", {"on": "records", "status": 503, "count": 3})["waiting"] == 3
    assert world.ask("fail", {"on": "create", "status": 429})["waiting"] == 1
    assert create(world).status_code == 429
    sid = world.send().sid
    with pytest.raises(TwilioException):
        world.twilio.messages.list()
    for call in (world.twilio.messages(sid).fetch, world.twilio.messages(sid).media.list):
        with pytest.raises(TwilioException):
            call()
    assert world.twilio.messages(sid).fetch().sid == sid


@pytest.mark.parametrize("status", ["timeout", "garbled"])
def test_a_record_may_be_late_or_garbled(world: World, status: str) -> None:
    sid = world.send().sid
    world.ask("fail", {"on": "records", "status": status})
    with pytest.raises((TwilioRestException, json.JSONDecodeError)):
        world.twilio.messages(sid).fetch()
    assert (STALL_S in world.waited) == (status == "timeout")


def test_a_wrong_password_uses_up_no_fault(world: World) -> None:
    world.ask("fail", {"on": "records", "status": 503})
    with pytest.raises(TwilioException) as wrong:
        world.client("another").messages.list()
    assert wrong.value.args[1].status_code == 401
    with pytest.raises(TwilioException) as made:
        world.twilio.messages.list()
    assert made.value.args[1].status_code == 503


def test_faults_of_both_kinds_can_be_taken_back(world: World) -> None:
    world.ask("fail", {"status": 429})
    world.ask("fail", {"on": "records", "status": 429})
    world.http.delete("/simulator/fail")
    assert create(world).status_code == 201
    assert taken(world) == ["hi"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "failed", "code": 63003, "taken": False},
        {"status": "failed", "code": 63003, "ends": "failed", "ends_code": 63003},
        {"status": "timeout", "taken": False, "ends": "failed", "ends_code": 63003},
        {"status": "timeout", "ends": "failed"},
        {"status": 429, "ends": "failed", "ends_code": 63003},
        {"status": "lost"},
        {"status": 429, "retry_after": -1},
        {"status": 429, "on": "everything"},
        {"status": "failed", "code": 63003, "on": "records"},
        {"status": 503, "taken": True, "on": "records"},
        {"status": "timeout", "ends": "failed", "ends_code": 63003, "on": "records"},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_and_changes_nothing(shared: World, wrong: dict[str, Any]) -> None:
    assert shared.ask("fail", wrong)["http"] == 400
    assert create(shared).status_code == 201
