"""Asking for jobs, and saying what one would like to hear about."""

from __future__ import annotations

import pytest

from actions import opportunities
from actions.consent import WHETHER_MARKETING
from actions.opportunities import WHICH
from bot.effects import ChooseInterests, OpenCase, say
from bot.turn import ConsentState
from tests.builders import a_person, a_stranger_turn, a_turn, consents

PASSED_ON = [OpenCase("ask_opportunities"), say("office.passed_on")]


def test_a_question_about_jobs_goes_to_the_office_and_who_agreed_is_asked_what_they_want_to_hear_about() -> None:
    assert opportunities.ask_opportunities(a_turn("any jobs going")) == [*PASSED_ON, WHICH]


@pytest.mark.parametrize("state", ["never_asked", "refused", "withdrawn"])
def test_who_did_not_agree_is_asked_whether_they_want_such_messages_at_all(state: ConsentState) -> None:
    turn = a_turn("any jobs going", consent=consents(marketing=state))
    assert opportunities.ask_opportunities(turn) == [*PASSED_ON, WHETHER_MARKETING]


@pytest.mark.parametrize("state", ["withdrawn", "paused"])
def test_who_opted_out_of_everything_is_answered_and_asked_nothing(state: ConsentState) -> None:
    turn = a_turn("any jobs going", consent=consents(state, state, state))
    assert opportunities.ask_opportunities(turn) == PASSED_ON


def test_who_is_no_learner_or_no_more_in_our_company_is_answered_and_asked_nothing() -> None:
    trainer = a_turn(person=a_person(roles=frozenset({"trainer"})), enrolments=(), in_company=False)
    assert opportunities.ask_opportunities(a_turn(in_company=False)) == PASSED_ON
    assert opportunities.ask_opportunities(trainer) == PASSED_ON
    assert opportunities.ask_opportunities(a_stranger_turn()) == [say("office.not_on_list")]


@pytest.mark.parametrize(
    ("answer", "topics", "key"),
    [
        ("1", ("jobs",), "jobs"),
        ("2", ("clients",), "clients"),
        ("3", ("grants",), "grants"),
        ("4", ("courses",), "courses"),
        ("5", ("jobs", "clients", "grants", "courses"), "all"),
    ],
)
def test_a_number_chooses_what_they_hear_about(answer: str, topics: tuple[str, ...], key: str) -> None:
    turn = a_turn(answer, answer=answer)
    assert opportunities.choose_interests(turn) == [ChooseInterests(topics), say(f"opportunities.{key}_chosen")]  # type: ignore[arg-type]


def test_a_choice_is_no_yes_to_marketing() -> None:
    refused = a_turn("1", answer="1", consent=consents(marketing="refused"))
    stopped = a_turn("1", answer="1", consent=consents("withdrawn", "withdrawn", "withdrawn"))
    assert opportunities.choose_interests(refused) == [WHETHER_MARKETING]
    assert opportunities.choose_interests(stopped) == [say("consent.stays_off")]


def test_what_is_none_of_the_numbers_is_asked_again() -> None:
    assert opportunities.choose_interests(a_turn("perhaps")) == [WHICH]
