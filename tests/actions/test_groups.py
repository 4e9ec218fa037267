"""Cohort groups: the link of their own course for the asking, a choice, and never done by the assistant."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from actions import groups
from bot.effects import DeclineInvitation, Invite, OpenCase, say
from tests.builders import NOW, a_person, a_stranger_turn, a_turn, an_enrolment

RULES = "https://e4a.example.org/rules/1"
LINK, OTHER_LINK = "https://chat.whatsapp.com/DemoCohort12", "https://chat.whatsapp.com/DemoCohort7"
TODAY = NOW.date()


def test_a_learner_gets_the_link_of_their_own_group_at_once_and_is_told_that_it_is_a_choice() -> None:
    assert groups.request_group_link(a_turn("put me in the chat", rules_url=RULES)) == [
        Invite(("SYB12",)),
        say("groups.link", group="Cohort 12", link=LINK),
        say("groups.choice", rules=RULES),
    ]


def test_a_learner_of_two_courses_gets_the_links_there_are() -> None:
    places = (
        an_enrolment(),
        an_enrolment("NAILS7", name="Nails", cohort="", group_link=OTHER_LINK),
        an_enrolment("X", group_link=""),
    )
    assert groups.request_group_link(a_turn(enrolments=places)) == [
        Invite(("SYB12", "NAILS7")),
        say("groups.link", group="Cohort 12", link=LINK),
        say("groups.link", group="Nails", link=OTHER_LINK),
        say("groups.choice", rules=""),
    ]


def test_where_there_is_no_link_the_office_is_asked() -> None:
    turn = a_turn(enrolments=(an_enrolment(group_link=""),))
    assert groups.request_group_link(turn) == [OpenCase("request_group_link"), say("groups.no_link")]


@pytest.mark.parametrize(
    ("ends_on", "gets_it"), [(TODAY, True), (None, True), (TODAY - timedelta(days=1), False), (date(2026, 2, 1), False)]
)
def test_no_link_is_given_once_the_course_is_over(ends_on: date | None, gets_it: bool) -> None:
    effects = groups.request_group_link(a_turn(enrolments=(an_enrolment(ends_on=ends_on),)))
    assert (Invite(("SYB12",)) in effects) == gets_it
    if not gets_it:
        assert effects == [OpenCase("request_group_link"), say("groups.course_over")]


def test_a_stranger_gets_no_link_and_is_in_no_group() -> None:
    assert groups.request_group_link(a_stranger_turn()) == [say("groups.not_a_learner")]
    assert groups.group_removal(a_stranger_turn()) == [say("office.not_on_list")]


def test_staff_who_learn_nowhere_ask_the_office() -> None:
    trainer = a_turn(person=a_person(roles=frozenset({"trainer"})), enrolments=())
    assert groups.request_group_link(trainer) == [OpenCase("request_group_link"), say("office.passed_on")]


def test_a_no_to_the_invitation_is_kept_and_changes_nothing_else() -> None:
    assert groups.invitation_declined(a_turn("no thanks")) == [DeclineInvitation(), say("groups.declined")]


def test_removal_from_a_group_is_asked_of_the_office_and_touches_no_consent() -> None:
    assert groups.group_removal(a_turn()) == [OpenCase("group_removal"), say("groups.removal")]


@pytest.mark.parametrize(("hour", "gets_it"), [(22, True), (23, False)])
def test_the_last_day_of_a_course_ends_at_londons_midnight(hour: int, gets_it: bool) -> None:
    summer = datetime(2026, 7, 1, hour, 30, tzinfo=UTC)
    effects = groups.request_group_link(a_turn(now=summer, enrolments=(an_enrolment(ends_on=summer.date()),)))
    assert (Invite(("SYB12",)) in effects) == gets_it
