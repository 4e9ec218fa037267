"""Writes down what Twilio says of a message, at once and later: states only move forward, whatever the order of the news."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from bot import status
from bot.database import Database, insert_new
from bot.models import Outbound, OutboundEvent, PersonRow
from bot.outbox import stopping
from bot.outbox.rows import REPLY_LASTS
from bot.outbox.settle import settled
from bot.outbox.trouble import after_failure
from bot.terms import Terms
from bot.turn import PENDING_LASTS
from bot.whatsapp import Outcome, StatusUpdate, remedy

BACK_OFF = (timedelta(seconds=2), timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
TIDY_AFTER = timedelta(hours=24)  # no word that it was read: by then nothing more is to come (L26)
ARRIVED = ("sent", "delivered", "read")
TAKEN_FOR_LOST = (status.SENT_AGAIN, status.NOT_FOUND)


def record(db: Database, terms: Terms, outbound_id: int, outcome: Outcome, now: datetime) -> None:
    """Write down what came of asking Twilio. A callback that was faster keeps what it said."""
    with db.write() as session:
        _lock_person(session, Outbound.id == outbound_id)
        row = session.scalars(select(Outbound).where(Outbound.id == outbound_id).with_for_update()).one()
        row.leased_until = None
        row.sid = row.sid or outcome.sid or None
        row.error_code = outcome.error_code or row.error_code
        match outcome.result if row.reason != status.ERASED else "gone":
            case "gone":  # who it was for was erased meanwhile: nothing is sent again, and nobody is asked about them
                row.state = status.furthest(row.state, "accepted" if outcome.result == "accepted" else "failed")
            case "accepted":
                _accepted(session, row, now)
            case "retry":
                _not_taken(session, row, outcome, now)
            case "unknown" | "refused":
                _move(session, row, "failed" if outcome.result == "refused" else "unknown", terms, now)
        settled(session, row, now)


def advance(session: Session, terms: Terms, outbound_id: int | None, news: StatusUpdate, now: datetime) -> bool:
    """Take Twilio's news of one message: each word once, and only forward. False where we know no such message."""
    ours = Outbound.sid == news.sid if outbound_id is None else Outbound.id == outbound_id
    _lock_person(session, ours)
    row = session.scalar(select(Outbound).where(ours).with_for_update())
    if row is None or not row.attempts or (row.sid is not None and row.sid != news.sid):
        return False  # one that we never sent has its number from before a restore: the news is of another
    if not insert_new(session, OutboundEvent, outbound_id=row.id, status=news.status, at=now, error_code=news.error_code):
        return True
    if row.state == "failed" and row.sid is None and row.reason in TAKEN_FOR_LOST:
        row.state = "unknown"  # that it failed was our guess, and here it is
    was_unknown = row.state == "unknown"
    if row.sid is None:  # a look-up may have taken it for another with the same words: the callback names its own
        mistaken = update(Outbound).where(Outbound.sid == news.sid, Outbound.id != row.id)
        session.execute(mistaken.values(sid=None))
    row.sid, row.sent_at = row.sid or news.sid, row.sent_at or now
    row.error_code = news.error_code or row.error_code
    _move(session, row, status.FROM_TWILIO.get(news.status, row.state), terms, now, by_callback=True)
    if was_unknown and row.state in status.WENT:
        _found(session, row, now)
    if row.state in ARRIVED:
        _arrived(session, row, now)
    settled(session, row, now)
    return True


def _lock_person(session: Session, ours: ColumnElement[bool]) -> None:
    """The person before the message, as everybody does who needs both: else two may wait for each other."""
    of_message = select(Outbound.person_id).where(ours).scalar_subquery()
    session.execute(select(PersonRow.id).where(PersonRow.id == of_message).with_for_update())


def _accepted(session: Session, row: Outbound, now: datetime) -> None:
    row.state = status.furthest(row.state, "accepted")
    row.sent_at, row.tidy_at = row.sent_at or now, row.tidy_at or now + TIDY_AFTER
    stopping.got_through(session, row.tried_at, by_callback=False)
    if row.ask is not None:
        _put_question(session, row, now)


def _put_question(session: Session, row: Outbound, now: datetime) -> None:
    """What they write next may answer it; unless they are being asked something else already, which counts more."""
    person = session.get_one(PersonRow, row.person_id, populate_existing=True)
    waiting = person.pending and now < datetime.fromisoformat(person.pending["asked_at"]) + PENDING_LASTS
    if not waiting:
        person.pending = {**(row.ask or {}), "asked_at": now.isoformat(), "inbound_id": row.inbound_id}


def _not_taken(session: Session, row: Outbound, outcome: Outcome, now: datetime) -> None:
    """Twilio surely has it not: it keeps its place, and is tried again as long as it may still be welcome."""
    if row.state != "sending":
        return
    what = remedy(outcome.error_code)
    waits = what.waits or BACK_OFF
    again = now + max(waits[min(row.attempts, len(waits)) - 1], outcome.retry_after or timedelta(0))
    if outcome.error_code is not None and what.kind == "stop":
        again = max(again, stopping.stop_sending(session, outcome.error_code, now, by_callback=False))
    if again >= (row.best_before or row.created_at + REPLY_LASTS):
        row.state, row.reason = "failed", status.RETRIES_SPENT
        return
    row.state, row.due_at = "queued", again


def _move(  # noqa: PLR0913 (each is a fact of one piece of news)
    session: Session, row: Outbound, new: str, terms: Terms, now: datetime, *, by_callback: bool = False
) -> None:
    """The furthest state stands. A failure that is news has what the error table says it must have."""
    before, row.state = row.state, status.furthest(row.state, new)
    if row.state == "failed" and before != "failed":
        row.tidy_at = now
        after_failure(session, row, terms, now, by_callback=by_callback)


def _found(session: Session, row: Outbound, now: datetime) -> None:
    """Twilio took it after all: all that follows when it says so at once follows now."""
    row.reason = None
    _accepted(session, row, now)
    _not_again(session, row)


def _arrived(session: Session, row: Outbound, now: datetime) -> None:
    """It went out after all: what was to be sent in its place is not, and the road is open."""
    stopping.got_through(session, row.tried_at, by_callback=True)
    _not_again(session, row)
    if row.state == "read":
        row.tidy_at = now


def _not_again(session: Session, row: Outbound) -> None:
    again = update(Outbound).where(Outbound.retry_of == row.id, Outbound.state == "queued")
    session.execute(again.values(state="withheld", reason=status.ARRIVED_AFTER_ALL))
