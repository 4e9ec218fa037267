"""Takes the next message that may go: due, first in line, allowed by the gate a moment ago, and leased to one worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, or_, select, union_all, update
from sqlalchemy.orm import Session, aliased

from bot import facts, gate, pacing
from bot.cases import open_case
from bot.database import Database
from bot.models import Base, ContactPoint, Inbound, LessonRow, Outbound, Pace, PersonRow, Stop
from bot.models.base import Utc
from bot.outbox import stopping
from bot.outbox.rows import PRIORITY
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
    # No answer waits behind a notice. Written as a difference: SQLite must look by recipient, and not by priority.
    first = and_(other.id < Outbound.id, other.priority - Outbound.priority <= 0)
    before = exists().where(same, other.state == "queued", its_turn, first)
    unread = exists().where(Inbound.person_id == Outbound.person_id, Inbound.state == "received")  # it may be a STOP (D03)
    welcome = or_(Outbound.purpose.in_(gate.ANSWERS), ~unread)
    return (Outbound.state == "queued", Outbound.due_at <= now, ~in_hand, or_(Outbound.priority == 0, ~before), welcome)


def _next(*only: ColumnElement[bool]) -> Select[Any]:
    """The first few of each priority, weightiest first: so an index gives them in order, however long the queue is."""
    columns = (Outbound.id, Outbound.person_id, Outbound.contact_point_id, Outbound.priority, Outbound.due_at)
    each = [
        select(*columns)
        .where(Outbound.priority == priority, *_may_go(), *only)
        .order_by(Outbound.due_at, Outbound.id)
        .limit(CANDIDATES)
        .subquery()
        for priority in sorted(set(PRIORITY.values()))
    ]
    found = union_all(*[select(one) for one in each]).subquery()
    columns_found = select(found.c.id, found.c.person_id, found.c.contact_point_id)
    return columns_found.order_by(found.c.priority, found.c.due_at, found.c.id).limit(CANDIDATES)


# Built once: they are asked many times a second.
DUE = _next()
DUE_WHILE_STOPPED = _next(Outbound.purpose.in_(stopping.GOES_ANYWAY))
DUE_WITHOUT_TOKEN = _next(Outbound.purpose == "safety")
STILL_DUE = select(Outbound).where(Outbound.id.in_(bindparam("ids", expanding=True)), *_may_go())
STILL_DUE = STILL_DUE.order_by(Outbound.priority, Outbound.due_at, Outbound.id).with_for_update(
    of=Outbound, skip_locked=True
)


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
class Claimed:
    """What was leased in one commit. `again_at`: something is due that waits for our one sender's pace alone, until then."""

    sendings: tuple[Sending, ...] = ()
    again_at: datetime | None = None


@dataclass(slots=True)
class _Round:
    """One look at what is due: the bucket that all messages take a token of, and what became of the messages so far."""

    session: Session
    terms: Terms
    now: datetime
    sender: Pace
    stop: Stop | None
    leased: list[Sending] = field(default_factory=list)
    refused: bool = False

    @property
    def free_at(self) -> datetime:
        """When our one sender has a token left; now or before if there is one."""
        return pacing.free_at(pacing.SENDER, self.sender.full_until, self.now)


def claim(db: Database, terms: Terms, now: datetime) -> Sending | None:
    """Lease the next message that may go now, or None. What the gate refuses says why, for now or for good."""
    return next(iter(claim_some(db, terms, now, 1).sendings), None)


def claim_some(db: Database, terms: Terms, now: datetime, most: int) -> Claimed:
    """Lease the next messages that may go now, `most` of them in one commit, each to somebody else.

    Whoever asks has as many senders free: a lease begins with the claim. While sending is stopped, one tries the door.
    """
    while True:
        with db.write() as session:
            sender = facts.pace(session, facts.SENDER, now)  # first: two workers do not look at the same messages
            round_ = _Round(session, terms, now, sender, stopping.standing(session))
            with session.no_autoflush:  # nobody's facts depend on what became of somebody else's message
                _look(round_, most if round_.stop is None else min(most, 1))
            if round_.leased or not round_.refused:
                return Claimed(tuple(round_.leased), round_.free_at if round_.free_at > now else None)
        # what waited behind the refused ones may go


def mark_unknown(db: Database, now: datetime) -> int:
    """Rows whose sender died between asking Twilio and writing it down. Never sent again blindly; how many there were."""
    with db.write() as session:
        lost = update(Outbound).where(Outbound.state == "sending", Outbound.leased_until <= now)
        state = case((Outbound.reason == ERASED, "failed"), else_="unknown")  # nobody asks about who was erased meanwhile
        return len(session.scalars(lost.values(state=state, leased_until=None).returning(Outbound.id)).all())


def _look(round_: _Round, most: int) -> None:
    """Lease up to `most` of what is due, one for each person and each number."""
    waiting = _candidates(round_)
    while waiting and len(round_.leased) < most:
        some, waiting = waiting[: most - len(round_.leased)], waiting[most - len(round_.leased) :]
        rows = _locked_due(round_, some)
        at_hand = _at_hand(round_.session, rows)
        pairs = _pairs(round_, rows)
        for row in rows:
            _take(round_, row, pairs[facts.recipient(row)])
        del at_hand


def _candidates(round_: _Round) -> list[tuple[int, int]]:
    """Message and person of the first few that may go, of each person and each number the first."""
    due = DUE_WITHOUT_TOKEN if round_.free_at > round_.now else DUE
    if stopping.is_shut(round_.stop, round_.now):
        due = DUE_WHILE_STOPPED
    found: list[tuple[int, int]] = []
    people, points = set[int](), set[int]()
    for outbound_id, person_id, point_id in round_.session.execute(due, {"now": round_.now}):
        if person_id not in people and point_id not in points:
            found.append((outbound_id, person_id))
        people.add(person_id)
        points.add(point_id)
    return found


def _locked_due(round_: _Round, some: list[tuple[int, int]]) -> list[Outbound]:
    """The messages with their people locked, where they still may be sent: another worker may have been faster."""
    people = [person_id for _, person_id in some]
    lock = select(PersonRow.id).where(PersonRow.id.in_(people)).order_by(PersonRow.id).with_for_update(skip_locked=True)
    locked = set(round_.session.scalars(lock))
    ids = [outbound_id for outbound_id, person_id in some if person_id in locked]
    return list(round_.session.scalars(STILL_DUE, {"ids": ids, "now": round_.now})) if ids else []


def _at_hand(session: Session, rows: Sequence[Outbound]) -> list[Base]:
    """What the facts of each will ask for by its number, loaded at once; kept by the caller, else the session forgets it."""
    wanted: tuple[tuple[type[PersonRow | ContactPoint | LessonRow], set[int | None]], ...] = (
        (PersonRow, {row.person_id for row in rows}),
        (ContactPoint, {row.contact_point_id for row in rows}),
        (LessonRow, {row.lesson_id for row in rows}),
    )
    found: list[Base] = []
    for table, ids in wanted:
        if some := sorted(one for one in ids if one is not None):
            found += session.scalars(select(table).where(table.id.in_(some)))
    return found


def _pairs(round_: _Round, rows: Sequence[Outbound]) -> dict[str, Pace]:
    """The bucket of each recipient. A new one is full, and stored with its first message: their person is locked."""
    names = sorted({facts.recipient(row) for row in rows})
    locked = select(Pace).where(Pace.name.in_(names)).order_by(Pace.name).with_for_update()
    found = {pace.name: pace for pace in round_.session.scalars(locked)}
    return {name: found.get(name) or Pace(name=name, full_until=round_.now) for name in names}


def _take(round_: _Round, row: Outbound, pair: Pace) -> None:
    """Lease one message, if our sender has a token left and the gate lets it through. Safety replies need no token."""
    if round_.free_at > round_.now and row.purpose != "safety":
        return
    if not _let_through(round_.session, row, pair, round_.terms, round_.now):
        round_.refused = True
        return
    stopping.note_try(round_.stop, round_.now)
    for pace, bucket in ((round_.sender, pacing.SENDER), (pair, pacing.RECIPIENT)):
        pace.full_until = pacing.take(bucket, pace.full_until, round_.now)
    round_.session.add(pair)
    round_.leased.append(_lease(round_.session, row, round_.terms, round_.now))


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
