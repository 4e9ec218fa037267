"""When a learner is reminded of a lesson: the day before, an hour before, and only as they want it (P12). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from bot.hours import DAY, LONDON

Reminder = Literal["day_before", "hour_before"]
AHEAD = timedelta(days=2)  # so long before it goes a reminder is there to be seen, moved and cancelled
HOUR = timedelta(hours=1)
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


def horizon(now: datetime) -> datetime:
    """Lessons that start until then have reminders planned: the day before at the latest comes within two days."""
    return now + AHEAD + DAY


def day_before(starts_at: datetime) -> datetime:
    """The same time on London's clocks on the day before (aware UTC): 23 or 25 hours earlier when they change (P12)."""
    local = starts_at.astimezone(LONDON)
    return datetime.combine(local.date() - DAY, local.time().replace(fold=0), LONDON).astimezone(UTC)


def hour_before(starts_at: datetime) -> datetime:
    """Sixty minutes before, whatever the clocks do."""
    return starts_at - HOUR


def moments(starts_at: datetime, wish: Wish, now: datetime, *, of_course: bool) -> Iterator[tuple[Reminder, datetime]]:
    """Each reminder that the learner is to have of a lesson, and when it is due. Times are aware UTC.

    `of_course`: their course reminds an hour before, too. Who comes late to it is reminded at once of a lesson that is more
    than two hours away; what else is past is left out.
    """
    for one in CHOSEN.get(wish.choice, CHOSEN["both"] if of_course else CHOSEN["day"]):
        at = day_before(starts_at) if one == "day_before" else hour_before(starts_at)
        if at < now and one == "day_before" and starts_at - now > TOO_LATE:
            at = now
        if now <= at < starts_at and (wish.quiet_until is None or at >= wish.quiet_until):
            yield one, at
