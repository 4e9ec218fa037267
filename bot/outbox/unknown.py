"""Sends whose outcome nobody knows: looked for at Twilio, sent once more if they are not there, or shown to a person.

A status callback settles most of them before this does (design 3). What is for somebody at risk is looked for once, early,
and sent once more in any doubt: "call 999" twice hurts nobody, and silence may.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from rapidfuzz import fuzz
from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from bot.database import Database
from bot.models import CaseMessage, ContactPoint, OfficeCase, Outbound
from bot.outbox.claim import LEASE
from bot.outbox.record import advance
from bot.outbox.settle import UNDELIVERED, settled, tell_office
from bot.outbox.trouble import chain_length, send_again
from bot.status import AMBIGUOUS, NOT_FOUND
from bot.terms import Terms
from bot.whatsapp import ProviderAway, Records, SentRecord, StatusUpdate

CANDIDATES = 20
LOOK_UPS = (timedelta(minutes=2), timedelta(minutes=10))  # after Twilio was asked to send it
LOOK_UPS_AT_RISK = (timedelta(seconds=20),)
LOOK_LEASE = timedelta(seconds=60)  # longer than a look-up takes; and how long one waits that Twilio did not answer
UNKNOWN_FOR = timedelta(minutes=15)  # longer than the look-ups take while Twilio answers them
BEFORE = timedelta(seconds=30)  # Records adds as much, because clocks differ: a minute in all
AFTER = LEASE + timedelta(minutes=1)
ALIKE = 80  # of 100: so much of one text in another is no accident
SAFETY = "safety"
_asked_at = func.coalesce(Outbound.tried_at, Outbound.due_at)  # rows of the first release do not say when they were tried
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Search:
    """A message to look for, leased to this worker. `look_ups` is how often it was looked for before."""

    outbound_id: int
    contact_point_id: int
    to: str
    body: str
    sid: str | None
    asked_at: datetime
    look_ups: int
    at_risk: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What Twilio holds: the news of the one message that is ours for certain, or something that may be ours."""

    news: StatusUpdate | None = None
    unsure: bool = False


def reconcile(db: Database, terms: Terms, records: Records, now: datetime) -> int:
    """Look for what is due to be looked for; how many were settled, in one way or another.

    No transaction is open while Twilio is asked, and no two workers look for the same one. Raises ProviderAway: that was no
    look-up, and is repeated in a minute. Only what is for somebody at risk is sent again without an answer.
    """
    done = 0
    for outbound_id in _due(db, now):
        search = _take(db, outbound_id, now)
        if search is not None:
            done += _conclude(db, terms, search, _look(db, records, search), now)
    return done


def tell_of_unknown(db: Database, now: datetime) -> int:
    """Answers whose fate is unknown for so long that nobody can have looked for them: a person must. How many there were."""
    told = exists().where(CaseMessage.inbound_id == Outbound.inbound_id, OfficeCase.id == CaseMessage.case_id)
    silent = select(Outbound).where(
        Outbound.state == "unknown",
        Outbound.inbound_id.is_not(None),
        _asked_at <= now - UNKNOWN_FOR,
        ~told.where(OfficeCase.kind == UNDELIVERED),
    )
    with db.write() as session:
        rows = session.scalars(silent.limit(CANDIDATES)).all()
        for row in rows:
            tell_office(session, row, now)
        return len(rows)


def waits(purpose: str) -> tuple[timedelta, ...]:
    """When a message of this purpose is looked for, counted from when Twilio was asked to send it."""
    return LOOK_UPS_AT_RISK if purpose == SAFETY else LOOK_UPS


def _waiting(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Unknown, not given up, in nobody's hands, and its next look-up is due."""
    times = [
        and_(whose, Outbound.look_ups == nth, _asked_at <= now - wait)
        for whose, plan in ((Outbound.purpose == SAFETY, LOOK_UPS_AT_RISK), (Outbound.purpose != SAFETY, LOOK_UPS))
        for nth, wait in enumerate(plan)
    ]
    free = or_(Outbound.leased_until.is_(None), Outbound.leased_until <= now)
    return (Outbound.state == "unknown", Outbound.reason.is_(None), free, or_(*times))


def _due(db: Database, now: datetime) -> list[int]:
    """Whoever is at risk first, then the oldest."""
    order = ((Outbound.purpose == SAFETY).desc(), _asked_at, Outbound.id)
    with db.read() as session:
        found = session.scalars(select(Outbound.id).where(*_waiting(now)).order_by(*order).limit(CANDIDATES))
        return list(found)


def _take(db: Database, outbound_id: int, now: datetime) -> Search | None:
    """Lease it for a look-up, unless a callback or another worker was faster: the database decides."""
    mine = update(Outbound).where(Outbound.id == outbound_id, *_waiting(now)).values(leased_until=now + LOOK_LEASE)
    with db.write() as session:
        row = session.scalar(mine.returning(Outbound))
        if row is None:
            return None
        point = session.get_one(ContactPoint, row.contact_point_id)
        at = row.tried_at or row.due_at
        return Search(row.id, point.id, point.value, row.body, row.sid, at, row.look_ups, row.purpose == SAFETY)


def _look(db: Database, records: Records, search: Search) -> Found:
    """What Twilio holds of it. Raises ProviderAway, but not where somebody may be at risk: that one goes again."""
    try:
        if search.sid is not None:
            news = records.news_of(search.sid)
            return Found(news, unsure=True)  # Twilio had it for certain: what it still cannot say is for a person
        sent = records.sent_to(search.to, search.asked_at - BEFORE)
    except ProviderAway:
        if not search.at_risk:
            raise
        return Found()
    return _judge(db, search, [one for one in sent if one.created_at <= search.asked_at + AFTER])


def _judge(db: Database, search: Search, sent: list[SentRecord]) -> Found:
    """One with these words that is no other row's is this one. Of more, or of one almost like it, nobody can tell."""
    with db.read() as session:
        taken = set(session.scalars(select(Outbound.sid).where(Outbound.sid.in_([one.sid for one in sent]))))
        twins = _twins(session, search)
    free = [one for one in sent if one.sid not in taken]
    exact = [one for one in free if _words(one.body) == _words(search.body)]
    if len(exact) == 1 and not twins:
        return Found(StatusUpdate(exact[0].sid, exact[0].status, exact[0].error_code))
    return Found(unsure=bool(exact) or any(_alike(one.body, search.body) for one in free))


def _twins(session: Session, search: Search) -> bool:
    """Is another message with the same words to the same recipient just as unknown? A record could be of either."""
    near = _asked_at.between(search.asked_at - AFTER, search.asked_at + AFTER)
    mine = (Outbound.contact_point_id == search.contact_point_id, Outbound.body == search.body)
    lost = (Outbound.state.in_(("sending", "unknown")), Outbound.sid.is_(None), Outbound.id != search.outbound_id)
    return session.scalar(select(Outbound.id).where(*mine, *lost, near).limit(1)) is not None


def _words(text: str) -> str:
    """Twilio may trim a text and change the blanks in it."""
    return " ".join(text.split())


def _alike(theirs: str, ours: str) -> bool:
    """A text almost like ours; or none at all, which may be any text that was blanked."""
    return not theirs or fuzz.ratio(theirs, ours, processor=_words) >= ALIKE


def _conclude(db: Database, terms: Terms, search: Search, found: Found, now: datetime) -> bool:
    """Write down what came of a look-up: True where that settled the message."""
    with db.write() as session:
        mine = (Outbound.id == search.outbound_id, Outbound.state == "unknown", Outbound.look_ups == search.look_ups)
        row = session.scalar(select(Outbound).where(*mine).with_for_update())
        if row is None:  # a callback was faster
            return False
        row.look_ups, row.leased_until = row.look_ups + 1, None
        if found.news is not None:
            advance(session, terms, row.id, found.news, now)
        if row.state == "unknown" and row.look_ups >= len(waits(row.purpose)):
            _give_up(session, row, found, now)
        how = row.reason or row.state
        log.info("outbox.looked_up", outbound=row.id, look_ups=row.look_ups, found=found.news is not None, now=how)
        return row.state != "unknown" or row.reason is not None


def _give_up(session: Session, row: Outbound, found: Found, now: datetime) -> None:
    """The last look-up is over: once more, if nothing is there and nobody did so before; else a person must look."""
    if found.unsure and row.purpose != SAFETY:
        _ambiguous(session, row, now)
    elif chain_length(session, row):
        row.state, row.reason = "failed", NOT_FOUND
        tell_office(session, row, now)
        settled(session, row, now)
    elif send_again(session, row, now):
        row.state = "failed"
        settled(session, row, now)
    else:
        _ambiguous(session, row, now)


def _ambiguous(session: Session, row: Outbound, now: datetime) -> None:
    """It may have arrived, or it is too late: never sent again, and a person is told."""
    row.reason = AMBIGUOUS
    tell_office(session, row, now)
