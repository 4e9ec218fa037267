"""The stop: when Twilio refuses us ourselves, the queue waits, people are told, and one message now and then tries the door.

It ends by itself when a message gets through: nobody has to remember to start it again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete
from sqlalchemy.orm import Session

from bot.cases import open_case
from bot.database import insert_new
from bot.models import Stop
from bot.turn import Purpose

SENDING = "sending"
TRY_AGAIN = (timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=5), timedelta(minutes=15))
GOES_ANYWAY: tuple[Purpose, ...] = ("safety", "staff")  # somebody at risk, and whoever is to be told of it
log = structlog.get_logger(__name__)


def standing(session: Session) -> Stop | None:
    """The stop that stands, if any."""
    return session.get(Stop, SENDING)


def is_shut(stop: Stop | None, now: datetime) -> bool:
    """Is the queue stopped, and nobody's turn to try the door?"""
    return stop is not None and now < stop.until


def note_try(stop: Stop | None, now: datetime) -> None:
    """Somebody tries the door: the next one waits, longer each time."""
    if stop is not None and now >= stop.until:
        stop.until = now + TRY_AGAIN[min(stop.tries, len(TRY_AGAIN) - 1)]
        stop.tries += 1


def stop_sending(session: Session, code: int | None, now: datetime, *, by_callback: bool) -> datetime:
    """Stop the queue and open a case for the office; until when it is stopped. A stop that stands already stays as it is."""
    new = {"since": now, "until": now + TRY_AGAIN[0], "error_code": code, "by_callback": by_callback, "tries": 1}
    if insert_new(session, Stop, name=SENDING, **new):  # of many that fail at once, one stops the queue
        open_case(session, None, "sending_stopped", now, (str(code or "no code"),))
        log.error("outbox.stopped", error=code)
    stop = standing(session)
    return stop.until if stop is not None else now + TRY_AGAIN[0]


def got_through(session: Session, tried_at: datetime | None, *, by_callback: bool) -> None:
    """A message was taken, or is known to have gone: a stop that stood when it was tried ends.

    One that came by callback ends by callback alone: Twilio takes messages and fails them later. News of what was sent
    before the stop, read only now, says nothing of the road as it is.
    """
    if tried_at is None:
        return
    ends = delete(Stop).where(Stop.name == SENDING, Stop.since < tried_at)
    if not by_callback:
        ends = ends.where(Stop.by_callback.is_(False))
    if session.execute(ends.returning(Stop.name)).first() is not None:
        log.info("outbox.started_again")
