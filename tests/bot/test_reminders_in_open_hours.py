"""A reminder of a lesson is due when it can go: what closed hours would hold until it begins goes before them (P12, P27)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from bot import outbox
from bot.calendar import is_bank_holiday
from bot.database import Database
from bot.hours import GROUP_HOURS, LONDON, QUIET_DAYS, Hours, opening
from bot.models import LessonRow, Outbound, PersonRow
from bot.planning.lessons import plan_lessons
from bot.reminders import IN_TIME, Wish, day_before, horizon, hour_before, moments
from bot.timetable import change
from bot.timetable.notices import Desk
from bot.timetable.notices import tell as announce
from tests.bot.rooms import TERMS, a_learner, only, rows

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
NO_SUNDAYS = replace(GROUP_HOURS, quiet=frozenset({"sundays"}))
NO_HOLIDAYS = replace(GROUP_HOURS, quiet=frozenset(QUIET_DAYS), is_holiday=is_bank_holiday)


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON).astimezone(UTC)


@pytest.mark.parametrize(
    ("hours", "lesson", "due"),
    [
        (GROUP_HOURS, "2026-11-25T10:00", "2026-11-25T09:00"),
        (GROUP_HOURS, "2026-11-25T09:00", "2026-11-25T08:00"),
        (GROUP_HOURS, "2026-11-25T08:00", "2026-11-24T19:00"),  # due at seven, held until it begins
        (GROUP_HOURS, "2026-11-25T08:29", "2026-11-24T19:00"),
        (GROUP_HOURS, "2026-11-25T08:30", "2026-11-25T07:30"),  # held until eight, and in time
        (GROUP_HOURS, "2026-11-25T20:59", "2026-11-25T19:59"),
        (GROUP_HOURS, "2026-11-25T21:00", "2026-11-25T19:00"),
        (GROUP_HOURS, "2026-11-25T00:30", "2026-11-24T19:00"),
        (GROUP_HOURS, "2027-03-28T08:00", "2027-03-27T19:00"),  # the clocks go forward in between
        (NO_SUNDAYS, "2026-11-29T10:00", "2026-11-28T19:00"),
        (NO_SUNDAYS, "2026-11-30T08:00", "2026-11-28T19:00"),
        (NO_HOLIDAYS, "2027-03-30T08:00", "2027-03-27T19:00"),  # Easter: only Saturday is open
        (Hours(time(12), time(12, 30)), "2026-11-25T10:00", "2026-11-24T12:00"),
    ],
)
def test_an_hour_before_that_is_closed_is_the_last_evening_that_is_open(hours: Hours, lesson: str, due: str) -> None:
    assert hour_before(london(lesson), hours) == london(due)


@pytest.mark.parametrize(
    ("hours", "lesson", "due"),
    [
        (GROUP_HOURS, "2026-11-25T08:00", "2026-11-24T08:00"),
        (GROUP_HOURS, "2026-11-25T06:00", "2026-11-24T06:00"),  # held until eight, which is in time
        (NO_SUNDAYS, "2026-11-30T10:00", "2026-11-29T10:00"),  # held until Monday at eight
        (NO_SUNDAYS, "2026-11-30T08:00", "2026-11-28T08:00"),
        (NO_HOLIDAYS, "2027-03-30T08:00", "2027-03-27T08:00"),
    ],
)
def test_a_day_before_that_would_be_held_until_the_lesson_is_a_day_that_is_open(hours: Hours, lesson: str, due: str) -> None:
    assert day_before(london(lesson), hours) == london(due)


def test_of_two_reminders_at_one_time_there_is_one() -> None:
    lesson = london("2026-11-29T19:00")  # a Sunday, and Sundays are closed: both would come on Saturday at seven
    now = lesson - 3 * DAY
    found = list(moments(lesson, Wish("both"), now, of_course=False, hours=NO_SUNDAYS))
    assert found == [("day_before", london("2026-11-28T19:00"))]
    assert [plan for plan, _ in moments(lesson, Wish("hour"), now, of_course=False, hours=NO_SUNDAYS)] == ["hour_before"]


MINUTES = st.integers(0, 4 * 365 * 24 * 60)


@given(MINUTES, st.sampled_from([GROUP_HOURS, NO_SUNDAYS, NO_HOLIDAYS]))
def test_whenever_a_lesson_is_its_reminders_can_go_in_time_and_are_planned_before(minutes: int, hours: Hours) -> None:
    starts_at = datetime(2026, 1, 1, tzinfo=UTC) + minutes * MINUTE
    for due in (day_before(starts_at, hours), hour_before(starts_at, hours)):
        goes = opening(hours, due)
        assert due <= goes <= starts_at - IN_TIME
        assert horizon(due - HOUR, hours) >= starts_at


def test_closed_days_are_not_counted_as_days_ahead() -> None:
    now = london("2027-12-24T10:00")  # Christmas on a Saturday, a Sunday, and two days in lieu
    assert horizon(now) == now + 3 * DAY
    assert horizon(now, NO_HOLIDAYS) > now + 6 * DAY
    assert is_bank_holiday(date(2027, 12, 28))


# As rows, and to the phone


def the_lesson_is(db: Database, starts_at: datetime) -> None:
    with db.write() as session:
        session.execute(update(LessonRow).values(starts_at=starts_at, ends_at=starts_at + 2 * HOUR, planned_at=None))


def test_a_lesson_at_eight_is_reminded_of_an_hour_before_closing(db: Database, now: datetime) -> None:
    a_learner(db, now=now)  # Tuesday at ten
    with db.write() as session:
        session.execute(update(PersonRow).values(reminders="hour"))
    the_lesson_is(db, london("2026-11-25T08:00"))
    plan_lessons(db, TERMS, now)
    evening = london("2026-11-24T19:00")
    assert only(db, Outbound).due_at == evening
    assert outbox.claim(db, TERMS, evening - MINUTE) is None
    assert outbox.claim(db, TERMS, evening) is not None


def test_a_lesson_that_is_moved_to_eight_is_reminded_of_on_the_evening_before_too(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    with db.write() as session:
        session.execute(update(PersonRow).values(reminders="both"))
    the_lesson_is(db, london("2026-11-27T10:00"))
    plan_lessons(db, TERMS, now)
    with db.write() as session:
        lesson = change.find(session, "L2", now, lock=True)
        start = london("2026-11-27T08:00")
        announce(Desk(session, TERMS, "cli", now), lesson, change.move(lesson, start, start + 2 * HOUR, now))
    due = {row.plan: row.due_at for row in rows(db, Outbound, Outbound.use == "lesson_reminder")}
    assert due == {"day_before": london("2026-11-26T08:00"), "hour_before": london("2026-11-26T19:00")}
