"""Messages that arrived: stored before anything is decided, then leased one at a time for each person (design 3)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session, aliased

from bot import marks
from bot.database import Database, insert_new, wake_workers
from bot.models import ContactPoint, Inbound, PersonRow
from bot.models.base import Utc
from bot.people import point_of
from bot.safety import Lexicon, mask, screen
from bot.whatsapp import Incoming

LEASE = timedelta(seconds=15)
KEEPS_COPY = timedelta(days=2)  # whoever restores yesterday's backup still finds today's STOP at Twilio
DOES_NOT_WAIT = ("opt_out", "safeguarding_disclosure", "wrong_number", "opt_out_marketing", "opt_out_checkin", "opt_in")
CANDIDATES = 10  # how many people to try before giving up this pass: other workers may hold the first ones


def _may_be_taken() -> tuple[ColumnElement[bool], ...]:
    """Waiting, and nothing of the same person is in hand; what is urgent need not wait for what came before it."""
    other, now = aliased(Inbound), bindparam("now", type_=Utc())
    waiting = and_(other.person_id == Inbound.person_id, other.state == "received", other.id != Inbound.id)
    free = or_(Inbound.leased_until.is_(None), Inbound.leased_until <= now)
    in_hand = exists().where(waiting, other.leased_until > now)
    before = exists().where(waiting, other.id < Inbound.id)
    return (Inbound.state == "received", Inbound.retry_at <= now, free, ~in_hand, or_(Inbound.urgent, ~before))


# Built once: they are asked many times a second.
TAKEABLE = select(Inbound.id, Inbound.person_id).where(*_may_be_taken()).order_by(Inbound.urgent.desc(), Inbound.id)
STILL_TAKEABLE = select(Inbound).where(Inbound.id == bindparam("id"), *_may_be_taken())


class Conflict(Exception):
    """The lease ran out and somebody else has the message: whatever was decided here must not be written."""


@dataclass(frozen=True, slots=True)
class Screened:
    """What may be stored of a message: its text with details masked, their kinds, and whether it must overtake."""

    text: str
    masked: tuple[str, ...]
    urgent: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """A message leased to this worker until `until`; `attempt` counts from 1."""

    inbound_id: int
    lease: str
    attempt: int
    received_at: datetime


def look_over(incoming: Incoming, lexicon: Lexicon) -> Screened:
    """A message as it may be stored: details masked, and whether the safety rules hear something that cannot wait."""
    masked = mask(incoming.text)
    heard = any(one.intent in DOES_NOT_WAIT for one in screen(masked.text, lexicon))
    return Screened(masked.text, masked.kinds, bool(incoming.answered_by_twilio) or heard)


def record(
    session: Session, incoming: Incoming, screened: Screened, now: datetime, received_at: datetime | None = None
) -> bool:
    """Store a message. False if it was here before: then nothing changes.

    `received_at` is when Twilio got one that reached us late (never after `now`); the window counts from then.
    """
    came = min(received_at or now, now)
    point = point_of(session, incoming.phone, incoming.scoped_id, now)
    new = insert_new(
        session,
        Inbound,
        sid=incoming.sid,
        person_id=point.person_id,
        contact_point_id=point.id,
        kind=incoming.kind,
        text=screened.text,
        details=_details(incoming, screened.masked),
        received_at=came,
        retry_at=now,
        urgent=screened.urgent,
        tidy_at=now if screened.masked else None,  # Twilio's copy still shows what was masked (L26)
    )
    if not new:
        return False
    point.last_inbound_at = max(came, point.last_inbound_at or came)
    if point.unreachable_at is not None and came >= point.unreachable_at:
        point.unreachable_at = point.unreachable_code = None  # whoever writes can be written to
        marks.look_at(session, [point.person_id], now)
    wake_workers(session)
    return True


def claim(db: Database, now: datetime) -> Claim | None:
    """Lease the next message to take, or None. One person's are taken in order; what is urgent overtakes.

    A message whose number became somebody else's while it was being stored is theirs from here on.
    """
    with db.write() as session:
        for inbound_id, person_id in session.execute(TAKEABLE.limit(CANDIDATES), {"now": now}).all():
            row = _takeable(session, inbound_id, person_id, now)
            if row is not None and (whose := _whose(session, row)) != person_id:
                row.person_id = whose
                session.flush()
                row = _takeable(session, inbound_id, whose, now)
            if row is not None:
                return _lease(row, now)
    return None


def held(session: Session, claimed: Claim, now: datetime) -> Inbound:
    """The claimed row, with its person locked. Raises Conflict if the lease is no longer ours, or the person not theirs."""
    row = session.get_one(Inbound, claimed.inbound_id)
    person_id = row.person_id
    session.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update())
    session.refresh(row)
    if not row.person_id == person_id == _whose(session, row):  # theirs who have the number now is not the lock we hold
        raise Conflict(f"inbound {row.id} is another person's by now")
    if row.state != "received" or row.lease != claimed.lease or row.leased_until is None or row.leased_until <= now:
        raise Conflict(f"inbound {row.id} is no longer leased here")
    return row


def postpone(db: Database, claimed: Claim, now: datetime, wait: timedelta, counts: bool) -> None:
    """Give the message back until `now + wait`. `counts` is False where it was not the message's fault (Rasa away)."""
    with db.write() as session:
        row = session.get_one(Inbound, claimed.inbound_id)
        if row.lease != claimed.lease:
            return
        row.lease, row.leased_until, row.retry_at = None, None, now + wait
        row.attempts -= 0 if counts else 1


def finish(row: Inbound, state: str, now: datetime) -> None:
    """The message needs nothing more, and Twilio's copy of it may go: at once where it still shows what we masked (L26)."""
    row.state, row.taken_at, row.lease, row.leased_until = state, now, None, None
    row.tidy_at = now if row.details.get("masked") else now + KEEPS_COPY


def _takeable(session: Session, inbound_id: int, person_id: int, now: datetime) -> Inbound | None:
    """The row, with its person locked; None where somebody else has the person, or had the row."""
    lock = select(PersonRow.id).where(PersonRow.id == person_id).with_for_update(skip_locked=True)
    return session.scalar(STILL_TAKEABLE, {"id": inbound_id, "now": now}) if session.scalar(lock) is not None else None


def _whose(session: Session, row: Inbound) -> int:
    """Whose message it is: of whoever has its number now, or had it until it was found wrong (D10, D11)."""
    columns = select(ContactPoint.person_id, ContactPoint.disowned_at).where(ContactPoint.id == row.contact_point_id)
    holder, disowned_at = session.execute(columns).one()
    before = disowned_at is not None and row.received_at <= disowned_at
    return row.person_id if before else int(holder)


def _lease(row: Inbound, now: datetime) -> Claim:
    row.lease, row.leased_until = secrets.token_hex(8), now + LEASE
    row.attempts += 1
    return Claim(row.id, row.lease, row.attempts, row.received_at)


def _details(incoming: Incoming, masked: tuple[str, ...]) -> dict[str, object]:
    kept = {
        "media": [[one.url, one.content_type] for one in incoming.media],
        "button": incoming.button,
        "quoted_sid": incoming.quoted_sid,
        "forwarded": incoming.forwarded,
        "masked": list(masked),
        "answered_by_twilio": incoming.answered_by_twilio,
    }
    return {name: value for name, value in kept.items() if value}
