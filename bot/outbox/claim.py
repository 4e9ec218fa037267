"""Takes the next message that may go: due, first in line, allowed by the gate a moment ago, and leased to one worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, case, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from bot import facts, gate, pacing
from bot.cases import open_case
from bot.database import Database
from bot.models import ContactPoint, Inbound, Outbound, Pace, PersonRow
from bot.models.base import Utc
from bot.outbox import stopping
from bot.outbox.settle import settled
from bot.status import ERASED
from bot.terms import Terms

LEASE = timedelta(seconds=60)  # longer than any call to Twilio takes: after it, the outcome is unknown
CANDIDATES = 20


def _may_go() -> tuple[ColumnElement[bool], ...]:
    """Due, and nothing as weighty to this recipient is under way or before it: what is tried again keeps its place."""
    other, now = aliased(Outbound), bindparam("now", type_=Utc())
    same = other.contact_point_id == Outbound.contact_point_id
    in_hand = exists().where(same, other.state == "sending", other.leased_until > now)
    its_turn = or_(other.due_at <= now, and_(other.attempts > 0, other.reason.is_(None)))  # with a reason: held back
    first = and_(other.id < Outbound.id, other.priority <= Outbound.priority)  # no answer waits behind a notice
    before = exists().where(same, other.state == "queued", its_turn, first)
    unread = exists().where(Inbound.person_id == Outbound.person_id, Inbound.state == "received")  # it may be a STOP (D03)
    welcome = or_(Outbound.purpose.in_(gate.ANSWERS), ~unread)
    return (Outbound.state == "queued", Outbound.due_at <= now, ~in_hand, or_(Outbound.priority == 0, ~before), welcome)


# Built once: they are asked many times a second.
DUE = select(Outbound.id, Outbound.person_id).where(*_may_go()).order_by(Outbound.priority, Outbound.due_at, Outbound.id)
DUE_WHILE_STOPPED = DUE.where(Outbound.purpose.in_(stopping.GOES_ANYWAY))
STILL_DUE = select(Outbound).where(Outbound.id == bindparam("id"), *_may_go()).with_for_update(of=Outbound)


@dataclass(frozen=True, slots=True)
class Sending:
    """A message leased to this worker, allowed by the gate a moment ago. By `content_sid` where the window is shut."""

    outbound_id: int
    to: str
    body: str
    content_sid: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    media_url: str = ""


@dataclass(frozen=True, slots=True)
class Paces:
    """The two buckets that a message takes a token of, both locked: our sender's, and its recipient's."""

    sender: Pace
    pair: Pace


def claim(db: Database, terms: Terms, now: datetime) -> Sending | None:
    """Lease the next message that may go now, or None. What the gate refuses says why, for now or for good."""
    look_again = True
    while look_again:
        with db.write() as session:
            look_again = False
            stop = stopping.standing(session)
            due = DUE_WHILE_STOPPED if stopping.is_shut(stop, now) else DUE
            for outbound_id, person_id in session.execute(due.limit(CANDIDATES), {"now": now}).all():
                row = _locked_due(session, outbound_id, person_id, now)
                if row is None:
                    continue
                paces = Paces(facts.pace(session, facts.SENDER, now), facts.pace(session, facts.recipient(row), now))
                if not _sender_is_free(row, paces, now):
                    continue
                if _let_through(session, row, paces.pair, terms, now):
                    stopping.note_try(stop, now)
                    _take_tokens(paces, now)
                    return _lease(session, row, terms, now)
                look_again = True  # what waited behind the refused one may go
    return None


def mark_unknown(db: Database, now: datetime) -> int:
    """Rows whose sender died between asking Twilio and writing it down. Never sent again blindly; how many there were."""
    with db.write() as session:
        lost = update(Outbound).where(Outbound.state == "sending", Outbound.leased_until <= now)
        state = case((Outbound.reason == ERASED, "failed"), else_="unknown")  # nobody asks about who was erased meanwhile
        return len(session.scalars(lost.values(state=state, leased_until=None).returning(Outbound.id)).all())


def _locked_due(session: Session, outbound_id: int, person_id: int, now: datetime) -> Outbound | None:
    """The row with its person locked, if it still may be sent: another worker may have been faster."""
    lock = select(PersonRow.id).where(PersonRow.id == person_id).with_for_update(skip_locked=True)
    if session.scalar(lock) is None:
        return None
    return session.scalar(STILL_DUE, {"id": outbound_id, "now": now})


def _sender_is_free(row: Outbound, paces: Paces, now: datetime) -> bool:
    """Has our one sender a token left? Safety replies are exempt; the row of the bucket is locked till the commit."""
    free = pacing.free_at(pacing.SENDER, paces.sender.full_until, now)
    if free <= now or row.purpose == "safety":
        return True
    row.due_at = free
    return False


def _let_through(session: Session, row: Outbound, pair: Pace, terms: Terms, now: datetime) -> bool:
    """What the gate says of it, written down: sent, held back for a time, or withheld for good."""
    known = facts.load(session, row, pair, terms, now)
    decision = gate.may_send(known)
    row.reason = decision.reason
    if decision.reason == "PAST_6_MONTHS" and None in known.course_ends:
        open_case(session, row.person_id, "course_without_end", now)  # P03: an admin must give the course its end
    if decision.allowed:
        return True
    if decision.until is not None:
        row.due_at = decision.until
        return False
    row.state = "withheld"
    settled(session, row, now)
    return False


def _take_tokens(paces: Paces, now: datetime) -> None:
    for pace, bucket in ((paces.sender, pacing.SENDER), (paces.pair, pacing.RECIPIENT)):
        pace.full_until = pacing.take(bucket, pace.full_until, now)


def _lease(session: Session, row: Outbound, terms: Terms, now: datetime) -> Sending:
    point = session.get_one(ContactPoint, row.contact_point_id)
    row.state, row.leased_until, row.tried_at = "sending", now + LEASE, now
    row.attempts += 1
    template = None if facts.window_open(point, now) else facts.approved(session, row, terms)
    row.by_template = template is not None
    if template is None:
        return Sending(row.id, point.value, row.body, media_url=row.media or "")
    row.body = template.body  # what they will read, and what a look-up at Twilio will find
    return Sending(row.id, point.value, "", template.content_sid, template.variables)
