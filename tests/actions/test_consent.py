"""Opting out, coming back, and whose number it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from actions import consent
from actions.safety import on_hold
from bot.effects import Ask, Disown, Grant, OpenCase, Pause, Restore, Resume, Withdraw, say, say_safety
from bot.turn import CONSENTABLE, ConsentState
from tests.builders import NOW, a_stranger_turn, a_turn, consents, heard

ALL_OFF = consents("withdrawn", "withdrawn", "withdrawn")
ALL_PAUSED = consents("paused", "paused", "paused")
ASK_MARKETING = Ask("opt_in_marketing", say("consent.ask_marketing"), {"yes": "opt_in_marketing", "no": "deny"})
STOPPED = [Withdraw(CONSENTABLE, "chat"), say_safety("consent.opted_out")]


def test_opting_out_stops_everything_and_confirms_once() -> None:
    assert consent.opt_out(a_turn("STOP")) == STOPPED


def test_a_stranger_may_opt_out_too() -> None:
    assert consent.opt_out(a_stranger_turn("STOP")) == STOPPED


def test_a_second_stop_within_a_day_is_met_with_silence() -> None:
    lately = NOW - timedelta(hours=23, minutes=59)
    assert consent.opt_out(a_turn("STOP", consent=ALL_OFF, withdrawn_at=lately)) == []


def test_a_second_stop_after_a_day_is_confirmed_again() -> None:
    assert consent.opt_out(a_turn("STOP", consent=ALL_OFF, withdrawn_at=NOW - timedelta(hours=24))) == STOPPED


def test_a_stop_is_never_met_with_silence_while_anything_is_still_on() -> None:
    one_left = consents("withdrawn", "withdrawn", "given")
    assert consent.opt_out(a_turn("STOP", consent=one_left, withdrawn_at=NOW - timedelta(hours=1))) == STOPPED


def test_opting_out_for_another_person_stops_this_number_and_says_so() -> None:
    turn = a_turn("stop texting my mum", heard=(heard("opt_out", "for_other"),))
    assert consent.opt_out(turn) == [Withdraw(CONSENTABLE, "chat"), say_safety("consent.opted_out_for_other")]
    again = replace(turn, consent=ALL_OFF, withdrawn_at=NOW - timedelta(hours=1))
    assert consent.opt_out(again) == [say_safety("consent.opted_out_for_other")]


def test_a_doubtful_opting_out_pauses_first_and_asks_second() -> None:
    question = Ask("opt_out", say("consent.pause_question"), {"yes": "opt_out", "no": "opt_out_no"})
    assert consent.opt_out_unsure(a_turn("enough")) == [Pause(), question]
    assert consent.opt_out_unsure(a_turn("enough", consent=ALL_PAUSED)) == [question]
    re_opened = consents("given", "given", "paused")
    assert consent.opt_out_unsure(a_turn("enough", consent=re_opened)) == [Pause(), question]


def test_whoever_has_opted_out_is_not_asked_whether_they_want_to() -> None:
    turn = a_turn("enough", consent=ALL_OFF, withdrawn_at=NOW - timedelta(minutes=5))
    assert consent.opt_out_unsure(turn) == []


def test_no_ends_the_pause() -> None:
    expected = [Resume(), say("consent.not_paused")]
    assert consent.opt_out_no(a_turn("no", consent=ALL_PAUSED)) == expected


def test_no_does_not_undo_a_stop_that_came_in_between() -> None:
    assert consent.opt_out_no(a_turn("no", consent=ALL_OFF)) == [say("consent.stays_off")]


def test_only_jobs_and_opportunities_can_be_stopped() -> None:
    assert consent.opt_out_marketing(a_turn("no more jobs")) == [
        Withdraw(("marketing",), "chat"),
        say("consent.marketing_off"),
    ]


@pytest.mark.parametrize("service", ["refused", "withdrawn", "paused", "never_asked"])
def test_no_reminders_are_promised_to_whoever_gets_none(service: ConsentState) -> None:
    turn = a_turn("no more jobs", consent=consents(service=service))
    assert consent.opt_out_marketing(turn) == [Withdraw(("marketing",), "chat"), say("consent.marketing_off_only")]


def test_start_gives_back_lessons_and_check_ins_and_asks_about_marketing() -> None:
    expected = [Restore(("service", "checkin"), "chat"), say("consent.started"), ASK_MARKETING]
    assert consent.opt_in(a_turn("START", consent=ALL_OFF, restorable=frozenset({"service", "checkin"}))) == expected


def test_start_ends_a_pause_and_asks_about_nothing_that_the_pause_only_held() -> None:
    turn = a_turn("START", consent=ALL_PAUSED, restorable=frozenset(CONSENTABLE))
    assert consent.opt_in(turn) == [Restore(("service", "checkin"), "chat"), say("consent.started")]
    off = a_turn("START", consent=consents("paused", "paused", "withdrawn"), restorable=frozenset(CONSENTABLE))
    assert consent.opt_in(off) == [Restore(("service", "checkin"), "chat"), say("consent.started"), ASK_MARKETING]


def test_start_asks_first_where_what_was_withdrawn_had_never_been_given() -> None:
    question = Ask("opt_in", say("consent.ask_service"), {"yes": "opt_in_service", "no": "deny"})
    undo = Restore(("service", "checkin"), "chat")
    assert consent.opt_in(a_turn("START", consent=ALL_OFF)) == [undo, question]
    assert consent.opt_in(a_turn("START", consent=ALL_PAUSED)) == [undo, question]


def test_a_strangers_start_undoes_their_stop_and_opens_nothing() -> None:
    turn = a_stranger_turn("START", consent=ALL_OFF)
    assert consent.opt_in(turn) == [Restore(("service", "checkin"), "chat"), say("consent.start_not_on_list")]


def test_under_a_hold_start_undoes_a_stop_and_a_person_answers() -> None:
    turn = a_turn("START", consent=ALL_OFF, on_hold=True, restorable=frozenset(CONSENTABLE))
    assert consent.opt_in(turn) == [Restore(("service", "checkin"), "chat"), *on_hold(turn)]
    assert consent.opt_in(a_turn("START", on_hold=True)) == on_hold(a_turn(on_hold=True))


def test_start_changes_nothing_where_all_is_on() -> None:
    assert consent.opt_in(a_turn("START")) == [say("consent.already_on")]


def test_start_offers_marketing_where_only_that_is_off() -> None:
    turn = a_turn("START", consent=consents(marketing="never_asked"))
    assert consent.opt_in(turn) == [say("consent.already_on"), ASK_MARKETING]


@pytest.mark.parametrize("service", ["never_asked", "refused"])
def test_start_asks_first_where_consent_was_never_given(service: ConsentState) -> None:
    turn = a_turn("START", consent=consents(service, service, service))
    assert consent.opt_in(turn) == [Ask("opt_in", say("consent.ask_service"), {"yes": "opt_in_service", "no": "deny"})]


def test_a_yes_grants_what_was_asked_and_nothing_else() -> None:
    assert consent.opt_in_service(a_turn("yes")) == [Grant(("service", "checkin"), "chat"), say("consent.opted_in")]
    assert consent.opt_in_marketing(a_turn("yes")) == [Grant(("marketing",), "chat"), say("consent.marketing_on")]


def test_a_stranger_can_turn_nothing_on() -> None:
    expected = [say("consent.start_not_on_list")]
    turn = a_stranger_turn("START")
    assert consent.opt_in(turn) == consent.opt_in_service(turn) == consent.opt_in_marketing(turn) == expected


def test_do_not_stop_changes_nothing_and_says_that_reminders_are_on() -> None:
    turn = a_turn("dont stop them", heard=(heard("reminder_preferences"),))
    assert consent.reminder_preferences(turn) == [say("consent.reminders_on")]


def test_do_not_stop_tells_the_truth_where_reminders_are_off() -> None:
    keep = (heard("reminder_preferences"),)
    refused = a_turn("dont stop them", heard=keep, consent=consents(service="refused"))
    assert consent.reminder_preferences(refused) == [say("consent.reminders_off")]
    stopped = a_turn("dont stop them", heard=keep, consent=ALL_OFF)
    assert consent.reminder_preferences(stopped) == [say("consent.stays_off")]


def test_do_not_stop_ends_a_pause() -> None:
    turn = a_turn("no dont stop them", heard=(heard("reminder_preferences"),), consent=ALL_PAUSED)
    assert consent.reminder_preferences(turn) == [Resume(), say("consent.not_paused")]


def test_another_time_for_reminders_goes_to_the_office() -> None:
    expected = [OpenCase("reminder_preferences"), say("office.passed_on")]
    assert consent.reminder_preferences(a_turn("can they come earlier")) == expected


def test_a_stranger_has_no_reminders_to_keep() -> None:
    turn = a_stranger_turn("dont stop them", heard=(heard("reminder_preferences"),))
    assert consent.reminder_preferences(turn) == [say("office.not_on_list")]


def test_a_wrong_number_is_silenced_forgotten_and_reported() -> None:
    assert consent.wrong_number(a_turn("wrong number")) == [
        Withdraw(CONSENTABLE, "wrong_number"),
        Disown(),
        OpenCase("wrong_number"),
        say_safety("consent.wrong_number"),
    ]


def test_a_wrong_number_that_is_a_strangers_is_only_silenced_and_told_once_a_day() -> None:
    expected = [Withdraw(CONSENTABLE, "wrong_number"), say_safety("consent.wrong_number")]
    assert consent.wrong_number(a_stranger_turn("wrong number")) == expected
    again = a_stranger_turn("wrong number", consent=ALL_OFF, withdrawn_at=NOW - timedelta(hours=1))
    assert consent.wrong_number(again) == []


def test_a_learner_who_opted_out_an_hour_ago_can_still_say_that_the_number_is_wrong() -> None:
    turn = a_turn("wrong number", consent=ALL_OFF, withdrawn_at=NOW - timedelta(hours=1))
    assert Disown() in consent.wrong_number(turn)


def test_a_new_number_is_for_the_office_to_check() -> None:
    assert consent.change_number(a_turn("got a new sim")) == [OpenCase("change_number"), say("office.passed_on")]
    expected = [OpenCase("change_number"), say("office.passed_on_stranger")]
    assert consent.change_number(a_stranger_turn("its sana, new phone")) == expected
