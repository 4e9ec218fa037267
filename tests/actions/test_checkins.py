"""How somebody is doing: outcomes where we asked, a well done at any time, and a person where it goes badly (P17, P19)."""

from __future__ import annotations

import pytest

from actions import HANDLERS, checkins, learning
from bot.effects import OpenCase, RecordCheckIn, say
from tests.builders import a_stranger_turn, a_turn

CHOSEN = ("checkin_well", "checkin_ok", "checkin_struggling", "checkin_call", "checkin_here")


def test_going_well_is_counted_and_celebrated_and_passed_on_to_nobody() -> None:
    assert checkins.well(a_turn("1")) == [RecordCheckIn("well"), say("checkins.good_news")]


def test_ok_is_counted_and_offers_help() -> None:
    assert checkins.ok(a_turn("2")) == [RecordCheckIn("ok"), say("checkins.ok")]


def test_whoever_needs_help_has_a_case_at_once_and_is_asked_how_to_be_reached() -> None:
    recorded, case, asked = checkins.struggling(a_turn("3"))
    assert (recorded, case) == (RecordCheckIn("struggling"), OpenCase("checkin_negative"))
    assert asked == checkins.CALL_OR_HERE
    assert set(checkins.CALL_OR_HERE.options.values()) <= set(HANDLERS)


def test_how_they_want_to_be_reached_goes_into_the_case() -> None:
    assert checkins.call(a_turn("call")) == [OpenCase("checkin_negative"), say("checkins.call")]
    assert checkins.here(a_turn("here")) == [OpenCase("checkin_negative"), say("checkins.here")]


def test_words_are_an_outcome_only_while_a_check_in_waits() -> None:
    asked = a_turn("first order today!!", checked_in=True)
    assert learning.checkin_positive(asked) == [RecordCheckIn("well"), say("checkins.good_news")]
    assert learning.checkin_positive(a_turn("first order today!!")) == [say("checkins.good_news")]
    asked = a_turn("no customers at all", checked_in=True)
    assert learning.checkin_negative(asked) == checkins.struggling(asked)
    passed_on = [OpenCase("checkin_negative"), say("checkins.bad_news")]
    assert learning.checkin_negative(a_turn("no customers at all")) == passed_on


@pytest.mark.parametrize("name", [*CHOSEN, "checkin_positive", "checkin_negative"])
def test_a_stranger_is_counted_nowhere(name: str) -> None:
    assert HANDLERS[name](a_stranger_turn("1", checked_in=True)) == [say("office.not_on_list")]
