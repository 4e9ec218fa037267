"""Whom an opportunity is for, and what the gate says of each: asked for many at once as it is asked when one is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from bot import goodbyes
from bot.consent import standing
from bot.facts import sent_lately, window_open
from bot.gate import Decision, Facts, Reason, may_send
from bot.hours import LONDON
from bot.models import ConsentEvent, ContactPoint, Course, EnrolmentRow, Interest, Opportunity, Outbound, PersonRow
from bot.queries import events_of
from bot.terms import Terms
from bot.turn import Consentable, ConsentState

FOR_NOW: tuple[Reason | None, ...] = (  # only a matter of time: they will get it
    None,
    "QUIET_HOURS",
    "FREQUENCY_CAP",
    "WINDOW_CLOSED_NO_TEMPLATE",
    "REACH_LIMIT",
    "PAIR_LIMIT",
)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
HELD = "SAFEGUARDING_HOLD"
NO_PHONE = "NO_PHONE"  # we know no phone of theirs at all: there is nowhere a message could be owed to


@dataclass(frozen=True, slots=True)
class Reader:
    """One of the audience: where they would read it, and why they will not (None: they will)."""

    person_id: int
    name: str
    language: str
    agreed: bool  # to marketing, by the whole ledger
    point_id: int | None
    window_open: bool
    reason: str | None
    free_at: datetime | None  # when the frequency cap lets them have it, before best-before; None: at once


def audience(one: Opportunity, now: datetime) -> Select[int]:
    """The ids of the learners it is for and who have no message of it yet, best engaged first.

    That is: who wrote to us last, and where nobody did, who has been enrolled longest.
    """
    wrote = _of_person(func.max(ContactPoint.last_inbound_at), ContactPoint.person_id)
    since = _of_person(func.min(EnrolmentRow.created_at), EnrolmentRow.person_id)
    has_it = select(Outbound.person_id).where(Outbound.opportunity_id == one.id)
    mine = select(EnrolmentRow.person_id).join(Course).where(*_enrolments(one, now))
    theirs = select(PersonRow.id).where(PersonRow.id.in_(mine), PersonRow.id.not_in(has_it))
    if one.interests:  # who chose one of these themselves; nothing is guessed of who chose nothing
        theirs = theirs.where(PersonRow.id.in_(select(Interest.person_id).where(Interest.topic.in_(one.interests))))
    return theirs.order_by(wrote.desc().nulls_last(), since, PersonRow.id)


def who_said_yes_once(found: Select[int]) -> Select[int]:
    """Those of them who ever agreed to marketing: the ledger's exact word is asked of these few alone."""
    gave = (ConsentEvent.purpose == "marketing", ConsentEvent.action == "give")
    return found.where(exists().where(ConsentEvent.person_id == PersonRow.id, *gave))


def ask(session: Session, one: Opportunity, people: Sequence[int], terms: Terms, now: datetime) -> list[Reader]:
    """What the gate says of each of these people at `now` (aware UTC), in their order; a few questions for a thousand.

    Out of hours it is asked as at the next opening.
    """
    columns = select(PersonRow.id, PersonRow.name, PersonRow.language, PersonRow.held_at)
    persons = {row.id: row for row in session.execute(columns.where(PersonRow.id.in_(people)))}
    ends, points, said = _course_ends(session, people), _points(session, people), events_of(session, people)
    parted, sent = goodbyes.said(session, people), sent_lately(session, people, now)
    found = []
    for who in people:
        row, point = persons[who], points.get(who)
        agreed = {purpose: each.state for purpose, each in standing(said[who]).items()}
        known = _Facts(point, agreed, tuple(ends[who]), tuple(sent[who]), row.held_at is not None, who in parted)
        is_open, point_id = (window_open(point, now), point.id) if point else (False, None)
        word = _word(known, one, terms, now)
        found.append(Reader(who, row.name, row.language, agreed["marketing"] == "given", point_id, is_open, *word))
    return found


@dataclass(frozen=True, slots=True)
class _Facts:
    """What `bot.facts` would load of one person."""

    point: ContactPoint | None
    agreed: Mapping[Consentable, ConsentState]
    course_ends: tuple[date | None, ...]
    sent: tuple[datetime, ...]
    on_hold: bool
    said_goodbye: bool


def _word(known: _Facts, one: Opportunity, terms: Terms, now: datetime) -> tuple[str | None, datetime | None]:
    """Why they will not get it, and until when the frequency cap holds it back from those who will.

    The reason is the gate's where it is for good, or will not end by itself: who paused may come back, and has not yet. A
    hold counts only where nothing else applies: else the counts of before and after would tell of it (D18).
    """
    decision = _decision(known, one, terms, now)
    if decision.reason not in FOR_NOW:
        return decision.reason, None
    if known.point is None:
        return NO_PHONE, None
    if known.on_hold:
        return HELD, None
    return None, decision.until if decision.reason == "FREQUENCY_CAP" else None


def _decision(known: _Facts, one: Opportunity, terms: Terms, now: datetime) -> Decision:
    """The gate's, for whoever is on hold as for anybody else."""
    point = known.point
    facts = Facts(
        purpose="marketing",
        use="opportunity",
        now=now,
        window_open=False,
        wrong_number=point is not None and point.disowned_at is not None,
        best_before=one.best_before,
        consent=known.agreed,
        course_ends=known.course_ends,
        said_goodbye=known.said_goodbye,
        unreachable=point is not None and point.unreachable_at is not None,
        hours=terms.hours,
        sent=known.sent,
        has_template=True,
    )
    decision = may_send(facts)
    if decision.reason == "QUIET_HOURS" and decision.until:
        return may_send(replace(facts, now=decision.until))
    return decision


def _enrolments(one: Opportunity, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """The places on courses by which somebody belongs to the audience: every option of it narrows the same place."""
    today = now.astimezone(LONDON).date()
    by_status = {
        "current": (or_(Course.ends_on.is_(None), Course.ends_on >= today),),
        "finished": (Course.ends_on < today,),
    }
    courses = (Course.code.in_(one.courses),) if one.courses else ()
    cohorts = (Course.cohort.in_(one.cohorts),) if one.cohorts else ()
    return (*by_status.get(one.status, ()), *courses, *cohorts)


def _of_person(value: Any, owner: Any) -> Any:
    return select(value).where(owner == PersonRow.id).correlate(PersonRow).scalar_subquery()


def _course_ends(session: Session, people: Sequence[int]) -> defaultdict[int, list[date | None]]:
    mine = select(EnrolmentRow.person_id, Course.ends_on).join(Course).where(EnrolmentRow.person_id.in_(people))
    found: defaultdict[int, list[date | None]] = defaultdict(list)
    for who, ends_on in session.execute(mine):
        found[who].append(ends_on)
    return found


def _points(session: Session, people: Sequence[int]) -> dict[int, ContactPoint]:
    """The phone of each: one that may be written to before one that may not, then the one they last wrote from."""
    phones = select(ContactPoint).where(ContactPoint.person_id.in_(people), ContactPoint.kind == "phone")
    return {one.person_id: one for one in sorted(session.scalars(phones), key=_worth)}


def _worth(point: ContactPoint) -> tuple[bool, bool, datetime, int]:
    usable = (point.disowned_at is None, point.unreachable_at is None)
    return (*usable, point.last_inbound_at or NEVER, point.id)
