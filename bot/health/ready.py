"""Can it do its work: what `/readyz` says, each part by itself, so that whoever is called knows where to look first."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.database import Database
from bot.gate import ANSWERS
from bot.models import Heartbeat, Inbound, Outbound
from bot.outbox import stopping
from bot.schema import revision

BEAT_LASTS = timedelta(seconds=20)
TOO_OLD = timedelta(minutes=5)  # a message that waits longer than this means that nobody takes turns
TRIED_AGAIN_WITHIN = timedelta(hours=1)  # longer than any back-off while Twilio does not answer
ONE_RECIPIENTS = 63018
TRIED_OFTEN = 5  # the pauses between so many tries are six minutes together (bot.outbox.record)
NEEDED = ("database", "schema", "model", "worker", "queues", "sending")
Found = dict[str, object]


def readiness(db: Database, now: datetime, *, expected: str | None, model: bool) -> tuple[bool, Found]:
    """Is everything as it should be, and how each part is. `expected` is the schema that this program was made for.

    What could not be asked is False: without its database nothing is known to be well.
    """
    found: Found = dict.fromkeys(NEEDED, False) | {"model": model, "ages_s": {}}
    try:
        with db.read() as session:
            at = revision(session.connection())
            found |= {"database": True, "schema": at == expected}
            found |= _at_work(session, now) if at == expected else {"schema_at": at, "schema_expected": expected}
    except SQLAlchemyError:
        found["database"] = False
    return all(found[part] for part in NEEDED), found


def ages(session: Session, now: datetime) -> dict[str, float]:
    """For how many seconds the oldest message in, and the oldest out, have waited. What is due later does not wait."""
    waiting = session.scalar(select(func.min(Inbound.received_at)).where(Inbound.state == "received"))
    due = session.scalar(select(func.min(Outbound.due_at)).where(Outbound.state == "queued", Outbound.due_at <= now))
    since = {"inbound": waiting, "outbound": min((at for at in (due, _unheard(session, now)) if at), default=None)}
    return {queue: round((now - at).total_seconds(), 1) if at else 0.0 for queue, at in since.items()}


def _at_work(session: Session, now: datetime) -> Found:
    beat = session.scalar(select(Heartbeat.at).where(Heartbeat.name == "worker"))
    waits = ages(session, now)
    stop = stopping.standing(session)
    return {
        "worker": beat is not None and abs(now - beat) < BEAT_LASTS,
        "queues": all(age <= TOO_OLD.total_seconds() for age in waits.values()) and not _in_vain(session, now),
        "ages_s": waits,
        "sending": stop is None,
        **({"stopped": {"error_code": stop.error_code, "since": stop.since.isoformat()}} if stop else {}),
    }


def _unheard(session: Session, now: datetime) -> datetime | None:
    """Since when the oldest answer has been tried in vain: each try puts off when it is due."""
    answers = Outbound.purpose.in_(ANSWERS)
    return session.scalar(select(func.min(Outbound.created_at)).where(*_tried(now), Outbound.attempts > 0, answers))


def _in_vain(session: Session, now: datetime) -> bool:
    """Has anything been tried so often that minutes have passed? What we write first may have been planned days before."""
    often = select(Outbound.id).where(*_tried(now), Outbound.attempts >= TRIED_OFTEN)
    return session.scalar(often.limit(1)) is not None


def _tried(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Waiting to be tried again; what the gate holds back has a reason, and one recipient's limit is no trouble of ours."""
    ours = or_(Outbound.error_code.is_(None), Outbound.error_code != ONE_RECIPIENTS)
    return (Outbound.state == "queued", Outbound.due_at <= now + TRIED_AGAIN_WITHIN, Outbound.reason.is_(None), ours)
