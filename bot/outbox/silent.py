"""Asks Twilio after messages of which it never spoke again: their callbacks came while we were away, and come but once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, select, update

from bot.database import Database
from bot.models import Outbound
from bot.outbox.record import advance
from bot.terms import Terms
from bot.whatsapp import Records

MOST_AT_ONCE = 50
SILENT_FOR = timedelta(hours=1)
ASK_EVERY = timedelta(hours=1)
ASK_UNTIL = timedelta(days=2)
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Silent:
    outbound_id: int
    sid: str


def ask_after_silent(db: Database, terms: Terms, records: Records, now: datetime) -> int:
    """Ask after messages accepted over an hour ago without a word since: each at most once an hour, for two days.

    How many moved on. No transaction is open while Twilio is asked, and two workers ask after different ones. Raises
    ProviderAway.
    """
    moved = 0
    for _ in range(MOST_AT_ONCE):
        silent = _take(db, now)
        if silent is None:
            break
        news = records.news_of(silent.sid)
        if news is None:
            log.warning("outbox.unheard_of", outbound=silent.outbound_id)
            continue
        with db.write() as session:
            advance(session, terms, silent.outbound_id, news, now)
            moved += session.get_one(Outbound, silent.outbound_id).state != "accepted"
    return moved


def _take(db: Database, now: datetime) -> _Silent | None:
    """The next one to ask after; its lease keeps everybody from asking again for an hour."""
    silent = (
        Outbound.state == "accepted",
        Outbound.sid.is_not(None),
        Outbound.tidy_at.is_not(None),  # else Twilio's record is gone by our own wish
        Outbound.sent_at.between(now - ASK_UNTIL, now - SILENT_FOR),
        or_(Outbound.leased_until.is_(None), Outbound.leased_until <= now),
    )
    first = select(Outbound.id).where(*silent).order_by(Outbound.id).limit(1).with_for_update(skip_locked=True)
    asked = update(Outbound).where(Outbound.id == first.scalar_subquery(), *silent).values(leased_until=now + ASK_EVERY)
    with db.write() as session:
        row = session.execute(asked.returning(Outbound.id, Outbound.sid)).one_or_none()
        return _Silent(row.id, row.sid) if row is not None else None
