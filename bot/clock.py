"""The one way to the time: the edges ask here, everybody else is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import structlog

from bot.hours import LONDON

FURTHEST = timedelta(days=36_500)  # ahead: beyond it a date is a slip of the pen, and ours would run out of years
STANDS_STILL = timedelta(0)
log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Followed:
    """A file that says by how many seconds the clock of the demo is ahead; read again only when it was written again."""

    path: Path
    stamp: tuple[int, int] | None = None
    ahead: timedelta = STANDS_STILL

    def read(self) -> timedelta:
        """By how much we are ahead now. No file: not at all."""
        stamp = _stamp(self.path)
        if stamp != self.stamp:
            self.ahead, self.stamp = self._as_written() if stamp else STANDS_STILL, stamp
        return self.ahead

    def _as_written(self) -> timedelta:
        """What the file says; what cannot be read changes nothing, and the log says so once: a demo need not end for it."""
        try:
            ahead = timedelta(seconds=float(self.path.read_text(encoding="ascii")))
        except (OSError, ValueError, OverflowError) as error:
            log.warning("clock.unreadable", error=type(error).__name__)
            return self.ahead
        if STANDS_STILL <= ahead <= FURTHEST:
            return ahead
        log.warning("clock.unreadable", error="out of range")
        return self.ahead


_followed: _Followed | None = None


def follow(path: Path | None) -> None:
    """From now on be ahead by as many seconds as this file says, in the demo only; None: tell the real time again.

    The file is the simulator's to write (by rename, so that nobody reads half of it). No file yet is the real time.
    """
    global _followed  # noqa: PLW0603 (a process has one clock, as it has one environment)
    _followed = _Followed(path) if path else None


def ahead() -> timedelta:
    """By how much this clock is ahead of the real time: nothing, but in a demo whose clock was moved on."""
    return _followed.read() if _followed else STANDS_STILL


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC) + ahead()


def london_day_starts(day: date) -> datetime:
    """The first moment of `day` in London, in UTC: from when a declaration signed that day counts."""
    return datetime.combine(day, time.min, LONDON).astimezone(UTC)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What is different whenever the file was replaced; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
