"""The one way to the time: the edges ask here, everybody else is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from bot.hours import LONDON


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def london_day_starts(day: date) -> datetime:
    """The first moment of `day` in London, in UTC: from when a declaration signed that day counts."""
    return datetime.combine(day, time.min, LONDON).astimezone(UTC)
