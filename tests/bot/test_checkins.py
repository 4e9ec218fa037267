"""Whole dialogues after a course: four check-ins, answered or not, a goodbye, and then silence (P03, P17, P19, F19, F20)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, update

from bot import checkins
from bot.chores import MINUTES
from bot.database import Database
from bot.models import CaseMessage, CheckIn, Course, Inbound, LessonRow, OfficeCase, Outbound
from bot.planning import plan
from bot.turn import Parse
from bot.worker import Chore
from tests.bot.rooms import AMINA, TERMS, Clock, Stage, a_learner, an_incoming, english, greeted, only, receive, rows
from tests.bot.test_planning import LINKS, db

__all__ = ["db"]  # the fixture: every template is approved
LONDON = ZoneInfo("Europe/London")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ENDS = date(2026, 1, 31)
DAYS = [date(2026, 2, 14), date(2026, 3, 28), date(2026, 5, 23), date(2026, 7, 18)]  # 2, 8, 16 and 24 weeks on
BYE = date(2026, 7, 25)
ASKS = "Hi Amina, Enterprise4all here. You finished your course: Start Your Business."
GOODBYE = "Hi Amina, Enterprise4all here. It is nearly six months since your course"


def at(day: date, hour: int = 11) -> datetime:
    """A full hour on London's clocks."""
    return datetime.combine(day, time(hour), LONDON).astimezone(UTC)


@pytest.fixture
def stage(db: Database) -> Stage:
    """Amina has finished her course a moment ago, and agreed to everything."""
    now = at(ENDS + DAY)
    a_learner(db, AMINA, now=now - 60 * DAY)
    greeted(db, AMINA, now - 60 * DAY)
    with db.write() as session:
        session.execute(delete(LessonRow))
        session.execute(update(Course).values(ends_on=ENDS))
    return Stage(db, Clock(now))


def lives(stage: Stage, until: datetime) -> list[str]:
    """The worker's days up to this moment; what Amina reads in them, which is a template filled in."""
    began = stage.clock()
    planning = Chore("planning", MINUTES, lambda now: plan(stage.db, TERMS, LINKS, now))
    while stage.clock() < until:
        stage.clock.now = min(stage.clock() + DAY, until)
        replace(stage.worker, chores=(planning,)).once()
    went = rows(stage.db, Outbound, Outbound.state == "accepted", Outbound.sent_at > began)
    return [row.body for row in sorted(went, key=lambda row: row.sent_at or began)]


def taps(stage: Stage, title: str, button: str, week: int | None = None) -> list[str]:
    """A button of the check-in of that week; None: Twilio does not say of which message."""
    said = len(stage.whatsapp.to(AMINA))
    ours = rows(stage.db, Outbound, Outbound.key.endswith(f":{week}"), Outbound.plan == "check_in")
    quoted = str(ours[0].sid) if ours else ""
    receive(stage.db, an_incoming(AMINA, title, kind="button", button=button, quoted_sid=quoted), stage.clock())
    stage.works()
    return stage.whatsapp.to(AMINA)[said:]


def outcomes(stage: Stage) -> list[tuple[int, str]]:
    return [(row.week, row.outcome) for row in rows(stage.db, CheckIn)]


def hears(stage: Stage, text: str, intent: str) -> list[str]:
    stage.nlu.intents[text] = Parse(intent, 0.95, ((intent, 0.95),))
    return stage.hears_and_works(AMINA, text)


def test_four_check_ins_come_on_their_days_are_answered_in_every_way_and_then_goodbye_and_silence(stage: Stage) -> None:
    assert lives(stage, at(DAYS[0], 10)) == []
    (asked,) = lives(stage, at(DAYS[0]))
    assert asked.startswith(ASKS)
    assert stage.hears_and_works(AMINA, "1") == [english("checkins.good_news")]

    assert lives(stage, at(DAYS[1], 10)) == []
    assert [one.startswith(ASKS) for one in lives(stage, at(DAYS[1]))] == [True]
    assert taps(stage, "OK", "doing_ok") == [english("checkins.ok")]

    assert [one.startswith(ASKS) for one in lives(stage, at(DAYS[2]))] == [True]
    assert hears(stage, "going really badly tbh", "checkin_negative") == [english("checkins.call_or_here")]
    case = only(stage.db, OfficeCase)
    assert (case.kind, case.urgent, case.restricted, case.state) == ("checkin_negative", False, False, "open")
    assert stage.hears_and_works(AMINA, "Call me please") == [english("checkins.call")]
    assert [row.text for row in _of_case(stage, case)] == ["going really badly tbh", "Call me please"]

    assert [one.startswith(ASKS) for one in lives(stage, at(DAYS[3]))] == [True]
    assert hears(stage, "first order today!!", "checkin_positive") == [english("checkins.good_news")]
    assert outcomes(stage) == [(2, "well"), (8, "ok"), (16, "struggling"), (24, "well")]

    assert lives(stage, at(BYE, 10)) == []
    (bye,) = lives(stage, at(BYE))
    assert bye.startswith(GOODBYE)
    letters = len(stage.whatsapp.letters)
    assert lives(stage, at(BYE + 200 * DAY)) == []
    assert len(stage.whatsapp.letters) == letters
    assert len(rows(stage.db, OfficeCase)) == 1


def test_two_silences_stop_the_rest_but_not_the_goodbye(stage: Stage) -> None:
    assert [one.startswith(ASKS) for one in lives(stage, at(DAYS[3] + DAY))] == [True, True]
    states = [(row.state, row.reason) for row in rows(stage.db, Outbound, Outbound.plan == "check_in")]
    assert states == [("accepted", None), ("accepted", None), ("withheld", "NO_RESPONSE"), ("withheld", "NO_RESPONSE")]
    assert [one.startswith(GOODBYE) for one in lives(stage, at(BYE + 30 * DAY))] == [True]


def test_any_word_of_theirs_is_heard_and_no_silence_though_it_is_no_outcome(stage: Stage) -> None:
    lives(stage, at(DAYS[1]))
    hears(stage, "when is my next lesson", "course_info")
    assert [one.startswith(ASKS) for one in lives(stage, at(DAYS[2]))] == [True]
    assert [outcome for _, outcome in outcomes(stage)] == ["", "", ""]


def test_whoever_writes_after_two_silences_is_asked_again(stage: Stage) -> None:
    lives(stage, at(DAYS[2] + DAY))
    hears(stage, "sorry was away", "thanks")
    assert [one.startswith(ASKS) for one in lives(stage, at(DAYS[3]))] == [True]


def test_nothing_comes_to_whoever_said_stop(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    stage.hears_and_works(AMINA, "STOP")
    assert lives(stage, at(BYE + 30 * DAY)) == []
    reasons = {row.reason for row in rows(stage.db, Outbound, Outbound.state == "withheld")}
    assert reasons == {"OPTED_OUT"}


def test_a_machine_that_was_off_catches_up_with_nothing_stale(stage: Stage) -> None:
    lives(stage, at(DAYS[0] - 3 * DAY))
    stage.clock.now = at(DAYS[0] + 10 * DAY)  # nothing ran for thirteen days
    assert lives(stage, at(DAYS[0] + 11 * DAY)) == []
    assert rows(stage.db, Outbound, Outbound.plan != "first_message") == []


def test_a_number_answers_days_later_and_after_other_words(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    hears(stage, "when is my next lesson", "course_info")
    stage.clock.wait(3 * DAY)
    assert stage.hears_and_works(AMINA, "3") == [english("checkins.call_or_here")]
    assert outcomes(stage) == [(2, "struggling")]


def test_after_two_weeks_a_number_is_no_answer_any_more(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    stage.clock.wait(checkins.WAITS)
    assert stage.hears_and_works(AMINA, "3") != [english("checkins.call_or_here")]
    assert outcomes(stage) == [(2, "")]


def test_a_button_is_taken_however_late_and_the_last_word_counts(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    stage.hears_and_works(AMINA, "1")
    stage.clock.wait(20 * DAY)
    assert taps(stage, "I need help", "need_help", week=2) == [english("checkins.call_or_here")]
    assert outcomes(stage) == [(2, "struggling")]


def test_a_button_of_an_older_check_in_is_an_answer_to_that_one(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    hears(stage, "sorry, busy", "thanks")
    lives(stage, at(DAYS[1]))
    taps(stage, "I need help", "need_help", week=2)
    assert outcomes(stage) == [(2, "struggling"), (8, "")]
    taps(stage, "Doing well", "doing_well", week=8)
    assert outcomes(stage) == [(2, "struggling"), (8, "well")]


def test_a_button_of_which_nobody_knows_the_message_answers_the_last_one_for_two_weeks(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    stage.clock.wait(checkins.WAITS - HOUR)
    assert taps(stage, "OK", "doing_ok") == [english("checkins.ok")]
    stage.clock.wait(HOUR)
    assert taps(stage, "I need help", "need_help") == [english("checkins.call_or_here")]  # heard, whatever it answers
    assert outcomes(stage) == [(2, "ok")]


def test_words_that_answer_another_message_of_ours_count_for_the_check_in_that_waits(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    hears(stage, "thanks then", "thanks")
    reply = rows(stage.db, Outbound, Outbound.purpose == "reply")[-1]
    receive(stage.db, an_incoming(AMINA, "1", quoted_sid=str(reply.sid)), stage.clock())
    stage.works()
    assert outcomes(stage) == [(2, "well")]


def test_ok_at_once_is_the_second_choice(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    assert stage.hears_and_works(AMINA, "OK") == [english("checkins.ok")]
    assert outcomes(stage) == [(2, "ok")]


def test_ok_after_other_words_is_no_outcome(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    hears(stage, "when is my next lesson", "course_info")
    hears(stage, "ok", "affirm")
    assert outcomes(stage) == [(2, "")]


def test_a_menu_that_was_opened_since_has_its_own_numbers(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    stage.hears_and_works(AMINA, "HELP")
    stage.hears_and_works(AMINA, "3")
    assert outcomes(stage) == [(2, "")]


@pytest.mark.parametrize("waits", [HOUR, DAY + HOUR])
def test_a_late_number_of_a_later_menu_is_no_cry_for_help(stage: Stage, waits: timedelta) -> None:
    lives(stage, at(DAYS[0]))
    hears(stage, "any jobs going", "ask_opportunities")
    stage.clock.wait(waits)
    assert stage.hears_and_works(AMINA, "3") != [english("checkins.call_or_here")]
    assert outcomes(stage) == [(2, "")]


def test_what_is_planned_and_has_not_gone_is_not_what_they_answer(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    stage.hears_and_works(AMINA, "1")
    lives(stage, at(DAYS[1] - DAY))  # the next one is in the outbox
    assert taps(stage, "I need help", "need_help", week=2) == [english("checkins.call_or_here")]
    assert outcomes(stage) == [(2, "struggling"), (8, "")]


def test_a_disclosure_in_answer_to_a_check_in_is_nothing_but_a_disclosure(stage: Stage) -> None:
    lives(stage, at(DAYS[0]))
    stage.hears(AMINA, "I want to kill myself")
    stage.works()
    assert outcomes(stage) == [(2, "")]
    assert [row.kind for row in rows(stage.db, OfficeCase)] == ["safeguarding_disclosure"]
    assert lives(stage, at(BYE + 30 * DAY)) == []
    reasons = {row.reason for row in rows(stage.db, Outbound, Outbound.plan != "", Outbound.state == "withheld")}
    assert reasons == {"SAFEGUARDING_HOLD"}


def test_good_news_that_nobody_asked_for_is_celebrated_and_recorded_nowhere(stage: Stage) -> None:
    assert hears(stage, "got my first customer", "checkin_positive") == [english("checkins.good_news")]
    assert (rows(stage.db, CheckIn), rows(stage.db, OfficeCase)) == ([], [])


def _of_case(stage: Stage, case: OfficeCase) -> list[Inbound]:
    joined = rows(stage.db, CaseMessage, CaseMessage.case_id == case.id)
    return [only(stage.db, Inbound, Inbound.id == one.inbound_id) for one in joined]
