"""Has Twilio forget what it need not know any longer: our messages and theirs, once ours are safe (L26).

Twilio keeps texts and files until it is told not to. Each row says in `tidy_at` when its copy may go; None means that there
is nothing to do. Whoever takes a row first puts that off by an hour, which is also when a failure is tried again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, or_, select, update

from bot.database import Database
from bot.models import Inbound, Outbound
from bot.status import AMBIGUOUS
from bot.whatsapp import Records

BATCH = 50  # of each kind at a time, one after the other: there is no hurry, and answers use the same road
AGAIN_IN = timedelta(hours=1)
KEEP_FILES = timedelta(days=6, hours=12)  # after they came: gone within seven days, even if half a day is lost on the way
HAS_FILES = ("picture", "document", "video", "voice", "sticker", "contact")
log = structlog.get_logger(__name__)
Table = type[Inbound] | type[Outbound]


@dataclass(frozen=True, slots=True)
class Copy:
    """Twilio's copy of one message, taken by this worker. `tidy_at` is what the row says until we are done with it."""

    table: Table
    row_id: int
    sid: str
    tidy_at: datetime
    waits: bool = False  # it has not been answered: only the text goes, of which ours is masked
    has_files: bool = False
    keep_files_until: datetime | None = None


def tidy(db: Database, records: Records, now: datetime) -> int:
    """Delete Twilio's copies of which the time has come by `now`; of how many that is done, for good or for the present.

    No transaction is open while Twilio is asked. What is not through with its delivery is tried again in an hour. Raises
    ProviderAway: what was taken is tried again in an hour too, and the rest at the next call.
    """
    done = 0
    for table in (Inbound, Outbound):
        for row_id in _due(db, table, now):
            copy = _take(db, table, row_id, now)
            if copy is not None:
                done += _tidy(db, records, copy, now)
    return done


def _due(db: Database, table: Table, now: datetime) -> list[int]:
    """What still waits for its turn has a masked detail that Twilio shows in full: it goes first."""
    order = (table.state == "received").desc()
    with db.read() as session:
        due = select(table.id).where(*_may_go(table, now)).order_by(order, table.tidy_at, table.id)
        return list(session.scalars(due.limit(BATCH)))


def _may_go(table: Table, now: datetime) -> tuple[ColumnElement[bool], ...]:
    due = (table.tidy_at <= now, table.sid.is_not(None))
    if table is Outbound:  # whoever looks for an unknown one needs the record
        return (*due, or_(Outbound.state != "unknown", Outbound.reason == AMBIGUOUS))
    return due


def _take(db: Database, table: Table, row_id: int, now: datetime) -> Copy | None:
    """Put it off by an hour, unless another worker was faster: the database decides."""
    mine = update(table).where(table.id == row_id, *_may_go(table, now)).values(tidy_at=now + AGAIN_IN)
    with db.write() as session:
        row = session.scalar(mine.returning(table))
        if row is None or row.sid is None:
            return None
        if isinstance(row, Outbound):
            return Copy(Outbound, row.id, row.sid, now + AGAIN_IN, has_files=row.media is not None)
        files = row.kind in HAS_FILES
        until = row.received_at + KEEP_FILES if row.details.get("media") else None
        return Copy(Inbound, row.id, row.sid, now + AGAIN_IN, row.state == "received", files, until)


def _tidy(db: Database, records: Records, copy: Copy, now: datetime) -> bool:
    """True where it is done. Raises ProviderAway."""
    later = copy.keep_files_until if copy.keep_files_until is not None and copy.keep_files_until > now else None
    if copy.waits or later is not None:
        gone = records.redact(copy.sid)
    else:
        if copy.has_files:
            records.delete_media(copy.sid)
        gone = records.delete(copy.sid)
    if gone:
        _note(db, copy, None if copy.waits else later)
    else:
        log.info("tidying.not_yet", table=copy.table.__tablename__, row=copy.row_id)
    return gone


def _note(db: Database, copy: Copy, tidy_at: datetime | None) -> None:
    """Nothing more to do, or not before then. Whatever was put down in the meantime stands."""
    with db.write() as session:
        here = (copy.table.id == copy.row_id, copy.table.tidy_at == copy.tidy_at)
        session.execute(update(copy.table).where(*here).values(tidy_at=tidy_at))
