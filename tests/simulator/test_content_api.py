"""The Content endpoints make templates, hand them in, and send them filled in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList

from tests.simulator.world import AMINA, SENDER, World

TEXT = {"twilio/text": {"body": "Hi {{1}}, your lesson moves to {{2}} this week."}}
BUTTONS = {
    "twilio/quick-reply": {
        "body": "Shall we send reminders to you, {{1}}, from now on?",
        "actions": [{"title": "Yes", "id": "optin:{{1}}"}, {"title": "No", "id": "no"}],
    }
}
LIST = {
    "twilio/list-picker": {
        "body": "Which task is it?",
        "button": "Tasks",
        "items": [{"item": "Logo", "id": "t1", "description": "Task 1"}, {"item": "Price list", "id": "t2"}],
    }
}
SAMPLES = {"1": "Amina", "2": "Room 4"}


def make(world: World, types: dict[str, Any], language: str = "en") -> str:
    """A Content resource, made as the library makes one (it sends every other type as null)."""
    asked = {"friendly_name": "a template", "language": language, "variables": SAMPLES, "types": None}
    wanted = ContentList.ContentCreateRequest(asked)
    wanted.types = _AsJson(types)  # type: ignore[assignment]  # the library's own classes drop the dashes of the names
    return str(world.twilio.content.v1.contents.create(wanted).sid)


class _AsJson:
    def __init__(self, types: dict[str, Any]) -> None:
        self.types = types

    def to_dict(self) -> dict[str, Any]:
        return {"twilio/card": None, **self.types}


def hand_in(world: World, sid: str, category: str = "UTILITY", name: str = "lesson_moved") -> dict[str, Any]:
    wanted = ApprovalCreateList.ContentApprovalRequest({"name": name, "category": category})
    first = world.twilio.content.v1.contents(sid).approval_create.create(wanted)
    assert first.status == "received"
    return dict(world.twilio.content.v1.contents(sid).approval_fetch().fetch().whatsapp)


def send(world: World, sid: str, **more: Any) -> Any:
    return world.send(**({"body": None, "content_sid": sid} | more))


def texts(world: World) -> list[str]:
    return [one["text"] for one in world.phone()]


def test_what_was_made_can_be_looked_up_listed_and_deleted(world: World) -> None:
    first, second = make(world, TEXT), make(world, BUTTONS)
    contents = world.twilio.content.v1.contents
    found = contents(first).fetch()
    assert (found.friendly_name, found.language, found.variables, found.types) == ("a template", "en", SAMPLES, TEXT)
    assert [one.sid for one in contents.list(page_size=1)] == [first, second]
    assert contents(first).delete() is True
    assert [one.sid for one in contents.list()] == [second]
    with pytest.raises(TwilioRestException) as raised:
        contents(first).fetch()
    assert raised.value.status == 404


def test_a_sound_template_is_approved_and_reaches_a_phone_outside_the_window(world: World) -> None:
    sid = make(world, TEXT)
    approval = hand_in(world, sid)
    assert (approval["name"], approval["category"], approval["status"]) == ("lesson_moved", "UTILITY", "approved")
    listed = world.twilio.content.v1.content_and_approvals.list()
    assert [(one.sid, one.approval_requests["status"]) for one in listed] == [(sid, "approved")]
    send(world, sid, content_variables=json.dumps({"1": "Zofia"}))
    world.until(lambda: texts(world) == ["Hi Zofia, your lesson moves to Room 4 this week."])  # the sample stands in for 2


MALFORMED = [
    "{{1}} is your room",
    "Your room is {{1}}",
    "Go to {{1}} {{2}} now please all",
    "In {{2}} see you",
    "Hi {{1}} x",
]


@pytest.mark.parametrize("body", MALFORMED)
def test_whatsapp_rejects_a_malformed_template(shared: World, body: str) -> None:
    approval = hand_in(shared, make(shared, {"twilio/text": {"body": body}}))
    assert (approval["status"], bool(approval["rejection_reason"])) == ("rejected", True)


def test_a_rejected_template_passes_no_closed_window(world: World) -> None:
    sid = make(world, {"twilio/text": {"body": MALFORMED[0]}})
    hand_in(world, sid)
    send(world, sid)
    world.until(lambda: "undelivered" in world.service.statuses)
    assert world.service.calls[-1].form["ErrorCode"] == "63016"
    assert texts(world) == []


def test_a_template_is_handed_in_once(shared: World) -> None:
    sid = make(shared, TEXT)
    hand_in(shared, sid)
    with pytest.raises(TwilioRestException) as raised:
        hand_in(shared, sid)
    assert raised.value.code == 92009


def test_a_category_whatsapp_does_not_know_is_refused(shared: World) -> None:
    with pytest.raises(TwilioRestException) as raised:
        hand_in(shared, make(shared, TEXT), category="FRIENDLY")
    assert raised.value.status == 400


def test_buttons_show_in_the_open_window_without_approval_and_can_be_tapped(world: World) -> None:
    world.say()
    sent = send(world, make(world, BUTTONS))
    world.until(lambda: len(world.phone()) == 2)
    buttons = world.phone()[-1]["buttons"]
    assert [(one["title"], one["id"]) for one in buttons] == [("Yes", "optin:Amina"), ("No", "no")]
    world.until(lambda: world.service.statuses[-1:] == ["read"])
    world.say(kind="button", choice="Yes", choice_id="optin:Amina", quoted=sent.sid)
    form = world.service.calls[-1].form
    named = (form["ButtonText"], form["ButtonPayload"], form["OriginalRepliedMessageSid"])
    assert named == ("Yes", "optin:Amina", sent.sid)


def test_a_list_shows_its_lines_and_cannot_be_approved(world: World) -> None:
    world.say()
    sid = make(world, LIST)
    send(world, sid)
    world.until(lambda: len(world.phone()) == 2)
    shown = world.phone()[-1]
    assert (shown["items_label"], [one["title"] for one in shown["items"]]) == ("Tasks", ["Logo", "Price list"])
    assert hand_in(world, sid)["status"] == "rejected"


@pytest.mark.parametrize("variables", ["no json", "[]", '{"1": ""}', '{"1": null}'])
def test_variables_that_make_no_sense_are_refused(shared: World, variables: str) -> None:
    sid = make(shared, TEXT)
    with pytest.raises(TwilioRestException) as raised:
        shared.twilio.messages.create(to=f"whatsapp:{AMINA}", from_=SENDER, content_sid=sid, content_variables=variables)
    assert raised.value.code == 21656


@pytest.mark.parametrize(("value", "code"), [("two\nlines", "63013"), ("a" * 1100, "63021")])
def test_whatsapp_refuses_line_breaks_in_a_variable_and_long_templates_later(world: World, value: str, code: str) -> None:
    world.say()
    sid = make(world, TEXT)
    hand_in(world, sid)
    send(world, sid, content_variables=json.dumps({"1": value}))
    world.until(lambda: "undelivered" in world.service.statuses)
    assert world.service.calls[-1].form["ErrorCode"] == code


WRONG: list[dict[str, Any]] = [
    {},
    {"twilio/hologram": {"body": "x"}},
    {"twilio/text": {"body": ""}},
    {"twilio/quick-reply": {"body": "x", "actions": []}},
    {"twilio/quick-reply": {"body": "x", "actions": [{"title": "t" * 21}]}},
    {"twilio/list-picker": {"body": "x", "items": [{"item": "i"}] * 11}},
]


@pytest.mark.parametrize("types", WRONG)
def test_content_that_makes_no_sense_is_refused(shared: World, types: dict[str, Any]) -> None:
    with pytest.raises(TwilioRestException) as raised:
        make(shared, types)
    assert (raised.value.status, raised.value.code) == (400, 20001)
