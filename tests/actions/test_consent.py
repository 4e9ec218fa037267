"""Opting out, coming back, and whose number it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import pytest

from actions import consent
from actions.safety import on_hold
from bot.effects import (
    Ask,
    Disown,
    Grant,
    MoveNumber,
    OpenCase,
    Pause,
    Restore,
    Resume,
    Withdraw,
    say,
    say_safety,
)
from bot.turn import CONSENTABLE, Consentable, ConsentState, Heard, Pending, Phone
from tests.builders import NOW, a_message, a_person, a_stranger_turn, a_turn, an_enrolment, consents, heard

ALL_OFF = consents("withdrawn", "withdrawn", "withdrawn")
ALL_PAUSED = consents("paused", "paused", "paused")
BOTH = frozenset[Consentable]({"service", "checkin"})
START = (Heard("opt_in", "exact"),)
PAUSE_QUESTION = Ask("opt_out", say("consent.pause_question"), {"yes": "opt_out", "no": "opt_out_no"})
ASK_CHECKIN = Ask("opt_in_checkin", say("consent.ask_checkin"), {"yes": "opt_in_checkin", "no": "opt_in_not_checkin"})
ASK_SERVICE = Ask("opt_in", say("consent.ask_service"), {"yes": "opt_in_service", "no": "deny"})
ASK_BACK = Ask("opt_in", say("consent.ask_back"), {"yes": "opt_in", "no": "deny"})
UNDO = Restore(("service", "checkin"), "chat")
ASK_MARKETING = Ask("opt_in_marketing", say("consent.ask_marketing"), {"yes": "opt_in_marketing", "no": "deny"})
NEW = Phone("+447700900555", "07700 900555", "free")
STOPPED = [Withdraw(CONSENTABLE, "chat"), say_safety("consent.opted_out")]


def test_opting_out_stops_everything_and_confirms_once() -> None:
    assert consent.opt_out(a_turn("STOP")) == STOPPED


def test_a_stranger_may_opt_out_too() -> None:
    assert consent.opt_out(a_stranger_turn("STOP")) == STOPPED


def test_a_second_stop_within_a_day_is_met_with_silence() -> None:
    lately = NOW - timedelta(hours=23, minutes=59)
    assert consent.opt_out(a_turn("STOP", consent=ALL_OFF, withdrawn_at=lately)) == [Withdraw(CONSENTABLE, "chat")]


def test_a_second_stop_after_a_day_is_confirmed_again() -> None:
    assert consent.opt_out(a_turn("STOP", consent=ALL_OFF, withdrawn_at=NOW - timedelta(hours=24))) == STOPPED


def test_a_stop_is_never_met_with_silence_while_anything_is_still_on() -> None:
    one_left = consents("withdrawn", "withdrawn", "given")
    assert consent.opt_out(a_turn("STOP", consent=one_left, withdrawn_at=NOW - timedelta(hours=1))) == STOPPED


def test_opting_out_for_another_person_stops_this_number_and_says_so() -> None:
    turn = a_turn("stop texting my mum", heard=(heard("opt_out", "for_other"),))
    assert consent.opt_out(turn) == [Withdraw(CONSENTABLE, "chat"), say_safety("consent.opted_out_for_other")]
    again = replace(turn, consent=ALL_OFF, withdrawn_at=NOW - timedelta(hours=1))
    assert consent.opt_out(again) == [Withdraw(CONSENTABLE, "chat"), say_safety("consent.opted_out_for_other")]


def test_a_doubtful_opting_out_pauses_first_and_asks_second() -> None:
    assert consent.opt_out_unsure(a_turn("enough")) == [Pause(), PAUSE_QUESTION]
    assert consent.opt_out_unsure(a_turn("enough", consent=ALL_PAUSED)) == [PAUSE_QUESTION]
    re_opened = consents("given", "given", "paused")
    assert consent.opt_out_unsure(a_turn("enough", consent=re_opened)) == [Pause(), PAUSE_QUESTION]


def test_whoever_has_opted_out_is_not_asked_whether_they_want_to() -> None:
    turn = a_turn("enough", consent=ALL_OFF, withdrawn_at=NOW - timedelta(minutes=5))
    assert consent.opt_out_unsure(turn) == [Withdraw(CONSENTABLE, "chat")]


def test_no_ends_the_pause() -> None:
    expected = [Resume(), say("consent.not_paused")]
    assert consent.opt_out_no(a_turn("no", consent=ALL_PAUSED)) == expected


def test_no_does_not_undo_a_stop_that_came_in_between() -> None:
    assert consent.opt_out_no(a_turn("no", consent=ALL_OFF)) == [say("consent.stays_off")]


def test_a_no_that_came_before_the_pause_ends_nothing() -> None:
    assert consent.opt_out_no(a_turn("no", consent=ALL_PAUSED, overtaken=True)) == [PAUSE_QUESTION]
    assert consent.opt_out_no(a_turn("START", overtaken=True)) == [say("consent.not_paused")]


@pytest.mark.parametrize(
    ("on", "stays"),
    [
        (consents(), "service_checkin"),
        (consents(checkin="refused"), "service"),
        (consents(service="refused"), "checkin"),
        (consents("withdrawn", "never_asked"), "none"),
    ],
)
def test_stopping_jobs_reads_back_what_the_ledger_says_stays_on(on: dict[Consentable, ConsentState], stays: str) -> None:
    expected = [Withdraw(("marketing",), "chat"), say("consent.marketing_off"), say(f"consent.{stays}_still_on")]
    assert consent.opt_out_marketing(a_turn("no more jobs", consent=on)) == expected


@pytest.mark.parametrize(
    ("on", "stays"),
    [
        (consents(), "service_marketing"),
        (consents(marketing="refused"), "service"),
        (consents(service="refused"), "marketing"),
        (consents("withdrawn", "withdrawn", "withdrawn"), "none"),
    ],
)
def test_stopping_check_ins_reads_back_what_stays_on(on: dict[Consentable, ConsentState], stays: str) -> None:
    expected = [Withdraw(("checkin",), "chat"), say("consent.checkin_off"), say(f"consent.{stays}_still_on")]
    assert consent.opt_out_checkin(a_turn("stop the check ins", consent=on)) == expected


def test_jobs_and_check_ins_stopped_in_one_message_have_one_answer() -> None:
    turn = a_turn("only lessons", heard=(heard("opt_out_marketing"), heard("opt_out_checkin")))
    expected = [
        Withdraw(("marketing", "checkin"), "chat"),
        say("consent.marketing_checkin_off"),
        say("consent.service_still_on"),
    ]
    assert consent.opt_out_marketing(turn) == consent.opt_out_checkin(turn) == expected


def test_a_yes_after_leaving_the_group_gives_lessons_and_nothing_more() -> None:
    expected = [Grant(("service",), "chat"), say("consent.after_leaving_yes")]
    assert consent.opt_in_after_leaving(a_turn("yes", consent=ALL_OFF)) == expected
    assert consent.opt_in_after_leaving(a_stranger_turn("yes")) == [say("consent.start_not_on_list")]


def test_a_no_after_leaving_the_group_leaves_all_as_it_is() -> None:
    assert consent.stay_out(a_turn("no", consent=ALL_OFF)) == [say("consent.after_leaving_no")]


def test_a_part_stopped_during_a_pause_leaves_the_question_open() -> None:
    jobs = consent.opt_out_marketing(a_turn("no more jobs", consent=ALL_PAUSED))
    assert jobs == [Withdraw(("marketing",), "chat"), say("consent.marketing_off"), PAUSE_QUESTION]
    checkin = consent.opt_out_checkin(a_turn("stop check ins", consent=ALL_PAUSED))
    assert checkin == [Withdraw(("checkin",), "chat"), say("consent.checkin_off"), PAUSE_QUESTION]


def test_start_gives_back_lessons_and_check_ins_and_asks_about_marketing() -> None:
    expected = [UNDO, say("consent.started"), say("consent.checkin_rest"), ASK_MARKETING]
    assert consent.opt_in(a_turn("START", heard=START, consent=ALL_OFF, restorable=BOTH)) == expected
    by_twilio = a_turn(message=a_message("START", answered_by_twilio="START"), consent=ALL_OFF, restorable=BOTH)
    assert consent.opt_in(by_twilio) == expected


def test_start_says_that_check_ins_stay_off_where_they_were_stopped_by_name() -> None:
    turn = a_turn("START", heard=START, consent=ALL_OFF, restorable=frozenset({"service"}))
    assert consent.opt_in(turn) == [UNDO, say("consent.started"), say("consent.none_rest"), ASK_CHECKIN]


def test_start_ends_a_pause_and_asks_about_nothing_that_the_pause_only_held() -> None:
    turn = a_turn("START", heard=START, consent=ALL_PAUSED, restorable=frozenset(CONSENTABLE))
    assert consent.opt_in(turn) == [UNDO, say("consent.started"), say("consent.checkin_marketing_rest")]
    off = replace(turn, consent=consents("paused", "paused", "withdrawn"))
    assert consent.opt_in(off) == [UNDO, say("consent.started"), say("consent.checkin_rest"), ASK_MARKETING]


def test_start_asks_first_where_what_was_withdrawn_had_never_been_given() -> None:
    assert consent.opt_in(a_turn("START", heard=START, consent=ALL_OFF)) == [UNDO, ASK_SERVICE]
    assert consent.opt_in(a_turn("START", heard=START, consent=ALL_PAUSED)) == [UNDO, ASK_SERVICE]
    checkin = a_turn("START", heard=START, consent=ALL_OFF, restorable=frozenset({"checkin"}))
    assert consent.opt_in(checkin) == [UNDO, ASK_SERVICE]


def test_a_strangers_start_undoes_their_stop_and_opens_nothing() -> None:
    turn = a_stranger_turn("START", heard=START, consent=ALL_OFF)
    assert consent.opt_in(turn) == [UNDO, say("consent.start_not_on_list")]


def test_under_a_hold_start_undoes_a_stop_and_a_person_answers() -> None:
    turn = a_turn("START", heard=START, consent=ALL_OFF, on_hold=True, restorable=frozenset(CONSENTABLE))
    assert consent.opt_in(turn) == [UNDO, *on_hold(turn)]
    assert consent.opt_in(a_turn("START", heard=START, on_hold=True)) == on_hold(a_turn(on_hold=True))


def test_start_changes_nothing_where_all_is_on() -> None:
    assert consent.opt_in(a_turn("START")) == [say("consent.already_on"), say("consent.checkin_marketing_rest")]


@pytest.mark.parametrize(
    ("on", "rest", "question"),
    [
        (consents(marketing="never_asked"), "checkin", ASK_MARKETING),
        (consents(checkin="withdrawn"), "marketing", ASK_CHECKIN),
        (consents(checkin="refused", marketing="withdrawn"), "none", ASK_CHECKIN),
    ],
)
def test_start_says_what_is_off_and_asks_about_one_thing(
    on: dict[Consentable, ConsentState], rest: str, question: Ask
) -> None:
    assert consent.opt_in(a_turn("START", consent=on)) == [say("consent.already_on"), say(f"consent.{rest}_rest"), question]


@pytest.mark.parametrize("service", ["never_asked", "refused"])
def test_start_asks_first_where_consent_was_never_given(service: ConsentState) -> None:
    turn = a_turn("START", consent=consents(service, service, service))
    assert consent.opt_in(turn) == [ASK_SERVICE]


def test_what_only_the_model_hears_is_asked_about_and_re_opens_nothing() -> None:
    stopped = a_turn("dont turn them back on", consent=ALL_OFF, restorable=BOTH)
    assert consent.opt_in(stopped) == [ASK_BACK]
    assert consent.opt_in(replace(stopped, restorable=frozenset())) == [ASK_SERVICE]
    assert consent.opt_in(replace(stopped, consent=ALL_PAUSED)) == [PAUSE_QUESTION]
    assert consent.opt_in(replace(stopped, on_hold=True)) == on_hold(a_turn(on_hold=True))
    assert consent.opt_in(a_stranger_turn("back", consent=ALL_OFF)) == [say("consent.start_not_on_list")]


def test_a_yes_to_that_question_restores_as_start_does_and_a_yes_to_another_does_not() -> None:
    turn = a_turn("yes", consent=ALL_OFF, restorable=BOTH, answer="yes")
    asked = replace(turn, pending=Pending("opt_in", {"yes": "opt_in", "no": "deny"}, NOW))
    assert consent.opt_in(asked) == [UNDO, say("consent.started"), say("consent.checkin_rest"), ASK_MARKETING]
    assert consent.opt_in(replace(turn, pending=Pending("menu", {"yes": "greet"}, NOW))) == [ASK_BACK]


@pytest.mark.parametrize("service", ["withdrawn", "paused"])
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("on_hold", [True, False])
@pytest.mark.parametrize("back", [(), ("service",), ("service", "checkin"), CONSENTABLE])
def test_nothing_opens_by_the_model_alone_whatever_else_is_so(
    service: ConsentState, known: bool, on_hold: bool, back: tuple[Consentable, ...]
) -> None:
    build = a_turn if known else a_stranger_turn
    turn = build("back", consent=consents(service, service, service), on_hold=on_hold, restorable=frozenset(back))
    assert not [one for one in consent.opt_in(turn) if isinstance(one, Restore | Resume | Grant)]


def test_a_yes_grants_what_was_asked_and_nothing_else() -> None:
    assert consent.opt_in_service(a_turn("yes")) == [Grant(("service", "checkin"), "chat"), say("consent.opted_in")]
    assert consent.opt_in_marketing(a_turn("yes")) == [Grant(("marketing",), "chat"), say("consent.marketing_on")]
    assert consent.opt_in_checkin(a_turn("yes")) == [Grant(("checkin",), "chat"), say("consent.checkin_on")]


def test_after_check_ins_jobs_have_a_question_of_their_own_whatever_was_answered() -> None:
    turn = a_turn("yes", consent=consents(checkin="withdrawn", marketing="withdrawn"))
    assert consent.opt_in_checkin(turn) == [Grant(("checkin",), "chat"), say("consent.checkin_on"), ASK_MARKETING]
    assert consent.opt_in_not_checkin(turn) == [say("smalltalk.nothing_changed"), ASK_MARKETING]
    assert consent.opt_in_not_checkin(a_turn("no")) == [say("smalltalk.nothing_changed")]
    assert consent.opt_in_checkin(a_stranger_turn("yes")) == [say("consent.start_not_on_list")]
    assert consent.opt_in_not_checkin(a_stranger_turn("no")) == [say("smalltalk.nothing_changed")]


def test_a_stranger_can_turn_nothing_on() -> None:
    expected = [say("consent.start_not_on_list")]
    turn = a_stranger_turn("START")
    assert consent.opt_in(turn) == consent.opt_in_service(turn) == consent.opt_in_marketing(turn) == expected


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
    assert consent.wrong_number(again) == expected[:1]


def test_a_learner_who_opted_out_an_hour_ago_can_still_say_that_the_number_is_wrong() -> None:
    turn = a_turn("wrong number", consent=ALL_OFF, withdrawn_at=NOW - timedelta(hours=1))
    assert Disown() in consent.wrong_number(turn)


def test_a_stranger_with_a_new_phone_is_sent_back_to_the_old_one_or_to_the_office() -> None:
    expected = [OpenCase("change_number"), say("consent.number_unknown")]
    assert consent.change_number(a_stranger_turn("its sana, new phone")) == expected


def test_a_learner_who_names_no_number_is_asked_for_it() -> None:
    expected = [Ask("which_number", say("consent.number_which"), {"phone": "change_number"})]
    assert consent.change_number(a_turn("got a new sim")) == expected
    assert consent.change_number(a_turn(phone=replace(NEW, value="+441254693999"))) == expected


def test_a_learner_who_names_a_number_is_asked_once_before_anything_moves() -> None:
    question = say("consent.number_question", number="07700 900555")
    options = {"yes": "change_number_yes", "no": "deny"}
    assert consent.change_number(a_turn(phone=NEW)) == [Ask("change_number", question, options, about=NEW.value)]


@pytest.mark.parametrize(("whose", "text"), [("free", "consent.number_waits"), ("met", "consent.number_done")])
def test_a_yes_moves_the_number_and_the_office_hears_of_it(whose: Literal["free", "met"], text: str) -> None:
    turn = a_turn("yes", phone_asked=replace(NEW, whose=whose))
    expected = [MoveNumber(NEW.value), OpenCase("change_number"), say(text, number="07700 900555")]
    assert consent.change_number_yes(turn) == expected


def test_a_number_that_is_another_persons_is_for_the_office_and_nothing_is_said_of_it() -> None:
    taken = replace(NEW, whose="taken")
    expected = [OpenCase("change_number"), say("consent.number_office")]
    assert consent.change_number(a_turn(phone=taken)) == expected
    assert consent.change_number_yes(a_turn("yes", phone_asked=taken)) == expected


def test_a_number_that_is_theirs_already_changes_nothing() -> None:
    theirs = replace(NEW, whose="theirs")
    expected = [say("consent.number_same")]
    assert consent.change_number(a_turn(phone=theirs)) == expected
    assert consent.change_number_yes(a_turn("yes", phone_asked=theirs)) == expected


def test_staff_change_their_number_at_the_office_only() -> None:
    for person, places in ((a_person(roles=frozenset({"trainer"})), (an_enrolment(),)), (a_person(), ())):
        turn = a_turn("NEW NUMBER 07700 900555", person=person, enrolments=places, phone=NEW)
        assert consent.change_number(turn) == [OpenCase("change_number"), say("office.passed_on")]
    assert consent.change_number_yes(a_turn("yes")) == [OpenCase("change_number"), say("office.passed_on")]
