"""When a learner is reminded of a lesson: the day before, an hour before, and only as they want it (P12). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal

from bot.hours import DAY, GROUP_HOURS, LONDON, Hours, opening

Reminder = Literal["day_before", "hour_before"]
AHEAD = timedelta(days=2)  # so long before it goes a reminder is there to be seen, moved and cancelled
HOUR = timedelta(hours=1)
IN_TIME = timedelta(minutes=30)  # before the lesson: what can only come later than that helps nobody to be there
BACK = 14  # days: no group hours are closed for so long
TOO_LATE = 2 * HOUR  # before the lesson: the day before was missed, and the hour before is near
CHOSEN: dict[str, tuple[Reminder, ...]] = {
    "both": ("day_before", "hour_before"),
    "day": ("day_before",),
    "hour": ("hour_before",),
    "none": (),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """How a learner wants to be reminded: their own choice ("": as the course has it), and nothing before a moment (UTC)."""

    choice: str = ""
    quiet_until: datetime | None = None


def horizon(now: datetime, hours: Hours = GROUP_HOURS) -> datetime:
    """Lessons that start until then have reminders planned: the day before at the latest comes within two days.

    Days on which nothing may go are not counted: what would be due on them goes before them.
    """
    today, days, left = now.astimezone(LONDON).date(), 0, (AHEAD + DAY).days
    while left and days < BACK:
        days += 1
        left -= _is_open_on(today + days * DAY, hours)
    return now + days * DAY


def day_before(starts_at: datetime, hours: Hours = GROUP_HOURS) -> datetime:
    """The same time on London's clocks on the day before (aware UTC): 23 or 25 hours earlier when they change (P12).

    Where nothing may go from then until the lesson, it is the day before that.
    """
    local = starts_at.astimezone(LONDON)
    found = (_at(local.date() - days * DAY, local.time()) for days in range(1, BACK))
    return next((at for at in found if _in_time(at, starts_at, hours)), _at(local.date() - DAY, local.time()))


def hour_before(starts_at: datetime, hours: Hours = GROUP_HOURS) -> datetime:
    """Sixty minutes before, whatever the clocks do (aware UTC).

    Where nothing may go from then until the lesson, it is an hour before the hours last close before it.
    """
    at = starts_at - HOUR
    if _in_time(at, starts_at, hours):
        return at
    today = at.astimezone(LONDON).date()
    evenings = (max(_at(day, hours.opens), _at(day, hours.closes) - HOUR) for day in _back_from(today))
    return next((one for one in evenings if one <= at and opening(hours, one) == one), at)


def moments(
    starts_at: datetime, wish: Wish, now: datetime, *, of_course: bool, hours: Hours = GROUP_HOURS
) -> Iterator[tuple[Reminder, datetime]]:
    """Each reminder that the learner is to have of a lesson, and when it is due. Times are aware UTC.

    `of_course`: their course reminds an hour before, too. Who comes late to it is reminded at once of a lesson that is more
    than two hours away, and who wanted quiet as soon as that is over; what else is past is left out. Of two that would come
    within an hour there is one: the day before, but where it comes late.
    """
    wanted = CHOSEN.get(wish.choice, CHOSEN["both"] if of_course else CHOSEN["day"])
    first = max(now, wish.quiet_until or now)
    day, hour = day_before(starts_at, hours), hour_before(starts_at, hours)
    if "day_before" in wanted and hour <= day + HOUR:
        wanted = CHOSEN["day"]
    both = "hour_before" in wanted and hour >= first
    if day < first and starts_at - first > TOO_LATE:
        day = first
    if "day_before" in wanted and day >= first and not (both and opening(hours, day) + HOUR > hour):
        yield "day_before", day
    if both:
        yield "hour_before", hour


def _in_time(at: datetime, starts_at: datetime, hours: Hours) -> bool:
    """Does what is due then go in time for a lesson that starts at `starts_at`?"""
    return opening(hours, at) + IN_TIME <= starts_at


def _is_open_on(day: date, hours: Hours) -> bool:
    return opening(hours, _at(day, hours.opens)).astimezone(LONDON).date() == day


def _back_from(day: date) -> Iterator[date]:
    return (day - days * DAY for days in range(BACK))


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at.replace(fold=0), LONDON).astimezone(UTC)
