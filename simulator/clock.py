"""The clock of the demo, moved on: one small file that the service and the simulator both go by (bot.clock)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, NaiveDatetime, ValidationError

from bot import clock
from bot.hours import LONDON
from simulator.asked import lines
from simulator.values import BadRequest, Json

FURTHEST = timedelta(days=400)  # at a time: a year and the six months after a course are a few steps
_one_at_a_time = threading.Lock()


class Moving(BaseModel):
    """`POST /simulator/clock`; see README.md."""

    model_config = ConfigDict(extra="forbid")

    forward_minutes: int | None = Field(default=None, ge=1)
    to: AwareDatetime | NaiveDatetime | None = None  # London's, where it names no zone


def shown() -> Json:
    """The time as everybody in the demo takes it, in UTC and as it reads on London's walls, and how far ahead it is."""
    now = clock.now()
    local = now.astimezone(LONDON)
    return {
        "now": now.isoformat(timespec="seconds"),
        "london": f"{local:%a} {local.day} {local:%b %Y, %H:%M}",
        "ahead_seconds": round(clock.ahead().total_seconds()),
    }


def move(file: Path, given: Mapping[str, object]) -> None:
    """Move the clock on as asked, for all who follow `file`. Raises BadRequest: it goes forward only, 400 days at a time."""
    with _one_at_a_time:
        forward = _asked(given, clock.now())
        if forward <= timedelta(0):
            raise BadRequest("to: the clock only goes forward")
        if forward > FURTHEST:
            raise BadRequest(f"the clock goes forward {FURTHEST.days} days at a time, and no more")
        _write(file, clock.ahead() + forward)


def _asked(given: Mapping[str, object], now: datetime) -> timedelta:
    try:
        asked = Moving.model_validate(given)
    except ValidationError as error:
        raise BadRequest(lines(error)) from None
    if (asked.forward_minutes is None) == (asked.to is None):
        raise BadRequest("say either forward_minutes or to")
    if asked.to is None:
        return timedelta(minutes=min(asked.forward_minutes or 0, 10**9))
    local = asked.to if asked.to.tzinfo else asked.to.replace(tzinfo=LONDON)
    return local.astimezone(UTC) - now


def _write(file: Path, ahead: timedelta) -> None:
    """By a rename, so that nobody reads half a number."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.write_text(f"{ahead.total_seconds():.3f}\n", encoding="ascii")
    new.replace(file)
