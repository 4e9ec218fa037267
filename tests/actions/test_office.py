"""The way to people."""

from __future__ import annotations

from actions import office
from bot.effects import OpenCase, say
from tests.builders import a_stranger_turn, a_turn


def test_a_question_for_the_office_is_passed_on() -> None:
    assert office.ask_admin(a_turn("wheres my certificate")) == [OpenCase("ask_admin"), say("office.passed_on")]
    assert office.ask_admin(a_stranger_turn("how much is it")) == [say("office.not_on_list")]


def test_anybody_may_ask_for_a_person() -> None:
    assert office.request_human(a_turn("person")) == [OpenCase("request_human"), say("office.human")]
    assert office.request_human(a_stranger_turn("person")) == [OpenCase("request_human"), say("office.human_stranger")]


def test_a_complaint_is_taken_from_anybody() -> None:
    assert office.complaint(a_turn("not happy")) == [OpenCase("complaint"), say("office.complaint")]
    assert office.complaint(a_stranger_turn("not happy")) == [OpenCase("complaint"), say("office.passed_on_stranger")]
