"""When we may write first: group hours in London, and narrower ones for opportunities (P27). Pure.

Which days are bank holidays is for `bot.calendar` to say: `app.py` hands it in with the settings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.turn import Purpose

LONDON = ZoneInfo("Europe/London")
DAY = timedelta(days=1)
SATURDAY, SUNDAY = 5, 6
QUIET_DAYS = ("sundays", "bank holidays")  # what the setting may name


def no_holiday(_day: date) -> bool:
    """A calendar without bank holidays."""
    return False


@dataclass(frozen=True, slots=True)
class Hours:
    """From `opens` to just before `closes` by the clock on London's walls, on the days that are not closed.

    `weekdays_only` are working days: Monday to Friday, and no bank holiday. `quiet` are of QUIET_DAYS.
    """

    opens: time
    closes: time
    weekdays_only: bool = False
    quiet: frozenset[str] = frozenset()
    is_holiday: Callable[[date], bool] = no_holiday


GROUP_HOURS = Hours(time(8), time(20))
MARKETING_HOURS = Hours(time(9), time(18), weekdays_only=True)  # requirements section 8.1: the default until E4A decides


def read_hours(text: str, quiet: str = "", is_holiday: Callable[[date], bool] = no_holiday) -> Hours:
    """`08:00-20:00` as hours, closed on the days that `sundays, bank holidays` names. Raises ValueError on anything else."""
    opens, closes = (time.fromisoformat(part) for part in text.split("-"))
    return Hours(opens, closes, quiet=read_quiet_days(quiet), is_holiday=is_holiday)


def read_quiet_days(text: str) -> frozenset[str]:
    """A list with commas of QUIET_DAYS; nothing closes no day. Raises ValueError on any other word."""
    days = frozenset(" ".join(word.split()) for word in text.lower().split(",") if word.strip())
    if days - set(QUIET_DAYS):
        raise ValueError(f"must be a list with commas of: {', '.join(QUIET_DAYS)}")
    return days


def hours_for(purpose: Purpose, group: Hours) -> Hours:
    """The hours in which a message of this purpose may go: opportunities only where both kinds are open.

    Opportunities keep working days, so a bank holiday is closed to them whatever the setting says (requirements 8.1).
    """
    if purpose != "marketing":
        return group
    opens, closes = max(group.opens, MARKETING_HOURS.opens), min(group.closes, MARKETING_HOURS.closes)
    both = opens < closes
    from_to = (opens, closes) if both else (group.opens, group.closes)
    return replace(group, opens=from_to[0], closes=from_to[1], weekdays_only=True)


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
    if (hours.weekdays_only and day.weekday() >= SATURDAY) or ("sundays" in hours.quiet and day.weekday() == SUNDAY):
        return False
    keeps_holidays = hours.weekdays_only or "bank holidays" in hours.quiet
    return not (keeps_holidays and hours.is_holiday(day))


def _opens(hours: Hours, day: date) -> datetime:
    return datetime.combine(day, hours.opens, LONDON).astimezone(UTC)
