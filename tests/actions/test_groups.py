"""Cohort groups: asked of the office, never done by the assistant."""

from __future__ import annotations

from actions import groups
from bot.effects import OpenCase, say
from tests.builders import a_stranger_turn, a_turn


def test_a_group_link_is_asked_of_the_office() -> None:
    assert groups.request_group_link(a_turn()) == [OpenCase("request_group_link"), say("groups.link")]


def test_removal_from_a_group_is_asked_of_the_office_and_touches_no_consent() -> None:
    assert groups.group_removal(a_turn()) == [OpenCase("group_removal"), say("groups.removal")]


def test_a_stranger_gets_no_link_and_is_in_no_group() -> None:
    expected = [say("office.not_on_list")]
    assert groups.request_group_link(a_stranger_turn()) == groups.group_removal(a_stranger_turn()) == expected
