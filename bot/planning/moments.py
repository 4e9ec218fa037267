"""When we write to somebody after a course: the days of the check-ins and of the goodbye (P03, P19, F20). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache

from bot.clock import london_day_starts
from bot.gate import last_day
from bot.hours import DAY, LONDON

AT = time(10, 30)  # by London's clocks
LASTS = timedelta(days=3)  # of a check-in: a question that comes late is asked again in the next one
LAST_WEEK = timedelta(days=6)  # the goodbye goes on its first day: holidays leave a day on which we write


@dataclass(frozen=True, slots=True)
class Moment:
    """One message after a course: the check-in of a week, or the goodbye (`week` None). Times are aware UTC."""

    week: int | None
    due_at: datetime
    best_before: datetime


@cache
def check_in_days(ends_on: date, weeks: tuple[int, ...]) -> tuple[tuple[int, date], ...]:
    """The week and London's day of each check-in after a course that ends then, soonest first (P03, P19).

    However many weeks, none is so late that it could come after the goodbye, which says that it is the last.
    """
    latest = goodbye_day(ends_on) - LASTS
    days: dict[date, int] = {}
    for week in sorted(set(weeks)):
        days.setdefault(min(ends_on + timedelta(weeks=week), latest), week)
    return tuple((week, day) for day, week in days.items())


def goodbye_day(ends_on: date) -> date:
    """London's day of the goodbye: the first of the last week in which we may write (P03, F20)."""
    return last_day(ends_on) - LAST_WEEK


@cache
def moments(ends_on: date, weeks: tuple[int, ...]) -> tuple[Moment, ...]:
    """Every message after a course that ends then, soonest first. Reckoned once, however many learn on it."""
    bye = _at(goodbye_day(ends_on))
    asked = [Moment(week, _at(day), min(_at(day) + LASTS, bye)) for week, day in check_in_days(ends_on, weeks)]
    return (*asked, Moment(None, bye, london_day_starts(last_day(ends_on) + DAY)))


def _at(day: date) -> datetime:
    return datetime.combine(day, AT, LONDON).astimezone(UTC)
