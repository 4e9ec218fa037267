"""When we may write first: group hours in London, and narrower ones for opportunities (P27). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.turn import Purpose

LONDON = ZoneInfo("Europe/London")
DAY = timedelta(days=1)
SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Hours:
    """From `opens` to just before `closes`, each day or on weekdays, by the clock on London's walls."""

    opens: time
    closes: time
    weekdays_only: bool = False


GROUP_HOURS = Hours(time(8), time(20))
MARKETING_HOURS = Hours(time(9), time(18), weekdays_only=True)  # requirements section 8.1: the default until E4A decides


def read_hours(text: str) -> Hours:
    """`08:00-20:00` as hours. Raises ValueError on anything else."""
    opens, closes = (time.fromisoformat(part) for part in text.split("-"))
    return Hours(opens, closes)


def hours_for(purpose: Purpose, group: Hours) -> Hours:
    """The hours in which a message of this purpose may go: opportunities only where both kinds are open."""
    if purpose != "marketing":
        return group
    opens, closes = max(group.opens, MARKETING_HOURS.opens), min(group.closes, MARKETING_HOURS.closes)
    both = opens < closes
    return Hours(opens if both else group.opens, closes if both else group.closes, weekdays_only=True)


def opening(hours: Hours, at: datetime) -> datetime:
    """`at` where the hours are open then, else the moment they next open (aware UTC)."""
    local = at.astimezone(LONDON)
    today = _opens(hours, local.date())
    if today <= at and local.time() < hours.closes and _works(hours, local.date()):
        return at
    day = local.date() if at < today else local.date() + DAY
    while not _works(hours, day):
        day += DAY
    return _opens(hours, day)


def opening_on(hours: Hours, day: date) -> datetime:
    """The first opening on this day of London's calendar or after it (aware UTC)."""
    return opening(hours, datetime.combine(day, time.min, LONDON).astimezone(UTC))


def _works(hours: Hours, day: date) -> bool:
    return not hours.weekdays_only or day.weekday() < SATURDAY


def _opens(hours: Hours, day: date) -> datetime:
    return datetime.combine(day, hours.opens, LONDON).astimezone(UTC)
