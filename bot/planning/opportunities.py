"""Lets approved opportunities go: each day as many as our reach has room for, best engaged first, until best-before.

Only who agreed to opportunities gets a message, queued as long as there is room and withheld with its reason when the time
is over; how many of the others there were, and why, stays in the audit (P18).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.orm import Session

from bot.batches import BATCH
from bot.cases import open_case
from bot.database import Database
from bot.hours import hours_for, opening
from bot.models import Audit, Opportunity
from bot.names import first_name
from bot.opportunities.audience import HELD, Reader, ask, audience, who_said_yes_once
from bot.opportunities.lists import ENDED
from bot.opportunities.preview import survey
from bot.opportunities.reach import room, template_is_ready
from bot.opportunities.values import SOMEBODY, TEMPLATE, text_of, variables_of
from bot.outbox import Draft
from bot.outbox.rows import add_all
from bot.planning.drafts import NOT_FILLABLE
from bot.templates import BadVariables, Template
from bot.terms import Terms

MOST = 2000  # messages in one round: the rest follows in the next, a minute later
LEASE = timedelta(minutes=5)  # so long one worker has it; a crash costs no more
LOOK_AGAIN = timedelta(hours=1)  # for room that has become free, and for newcomers
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Release:
    """What one round of one opportunity works with."""

    db: Database
    terms: Terms
    one: Opportunity
    now: datetime


def release(db: Database, terms: Terms, now: datetime) -> int:
    """Owe what is due of every approved opportunity by `now` (aware UTC); how many messages that was (P18).

    Costs one indexed question where none is due. Keys make it harmless to run twice, by two workers or after a crash.
    """
    with db.read() as session:
        due = session.scalars(select(Opportunity).where(Opportunity.plan_at <= now).order_by(Opportunity.id)).all()
        session.expunge_all()
    return sum(_round(_Release(db, terms, one, now)) for one in due if _taken(db, one, now))


def ahead(session: Session, terms: Terms, now: datetime, until: datetime) -> Iterator[Draft]:
    """What of every approved opportunity is not owed yet and would be by `until` (aware UTC): it only looks (preview).

    Due at the first opening for all who will get it: the daily reach holds them back then as it does, best engaged first.
    Nothing of one that the template of today does not take: the office hears of that when its time comes.
    """
    for one in session.scalars(select(Opportunity).where(Opportunity.plan_at <= until).order_by(Opportunity.id)):
        opens = opening(hours_for("marketing", terms.hours), max(now, one.release_at or now))
        if _fault(one, terms) is not None:
            continue
        people = session.scalars(who_said_yes_once(audience(one, opens))).all()
        for start in range(0, len(people), BATCH):
            for reader in ask(session, one, people[start : start + BATCH], terms, opens):
                goes = reader.reason in (None, HELD)  # nobody reads a hold off this (D18)
                at = (reader.free_at or opens) if goes else one.best_before  # then it is written down who never got it
                if reader.agreed and at <= until:
                    yield from _drafts(one, (reader,), terms, at)


def _taken(db: Database, one: Opportunity, now: datetime) -> bool:
    """Nobody else looks at it for a while. False where another worker was faster, or it was called back."""
    same = update(Opportunity).where(Opportunity.id == one.id, Opportunity.plan_at == one.plan_at)
    with db.write() as session:
        return session.scalar(same.values(plan_at=now + LEASE).returning(Opportunity.id)) is not None


def _round(work: _Release) -> int:
    one, now = work.one, work.now
    if now >= one.best_before:
        return _end(work)
    opens = opening(hours_for("marketing", work.terms.hours), now)
    if opens > now:
        _look_at(work, min(opens, one.best_before))
        return 0
    if not _can_be_filled(work):
        _look_at(work, now + LOOK_AGAIN)
        return 0
    owed, all_seen = _tranche(work)
    _look_at(work, min(now + LOOK_AGAIN, one.best_before) if all_seen else now)
    log.info("planning.opportunity_released", opportunity=one.id, owed=owed)
    return owed


def _tranche(work: _Release) -> tuple[int, bool]:
    """As many as there is room for today; who wrote within the last day needs none. False: there was more for one round.

    Whom the frequency cap leaves out for now has their turn in a later round.
    """
    with work.db.read() as session:
        ready = template_is_ready(session, work.terms.templates, TEMPLATE)
        left = room(session, work.terms, work.now) if ready else 0
    owed = 0
    for readers in _pages(work):
        if owed >= MOST:
            return owed, False
        going = []
        for reader in readers:
            if reader.reason is None and reader.free_at is None and (reader.window_open or left > 0):
                left -= not reader.window_open
                going.append(reader)
        owed += _owe(work, going)
        if not left and not any(reader.window_open for reader in readers):
            break  # whoever wrote within the last day came first
    return owed, True


def _end(work: _Release) -> int:
    """Its time is over: who had agreed and never got it has a row that says so, and the audit has the counts of the rest."""
    listed = 0
    for readers in _pages(work):
        if listed >= MOST:
            _look_at(work, work.now)
            return 0
        by_reason: defaultdict[str, list[Reader]] = defaultdict(list)
        for reader in readers:
            if reader.agreed:
                by_reason[reader.reason or "STALE"].append(reader)
        for reason, some in by_reason.items():
            listed += _owe(work, some, withheld=reason)
    _close(work, survey(work.db, work.terms, work.one, work.now).will_not)
    return 0


def _close(work: _Release, will_not: object) -> None:
    over = update(Opportunity).where(*_stands(work.one)).values(ended_at=work.now, plan_at=None)
    with work.db.write() as session:
        if session.scalar(over.returning(Opportunity.id)) is not None:
            details = {"opportunity": work.one.code, "will_not": will_not}
            session.add(Audit(at=work.now, by="worker", act=ENDED, details=details))


def _pages(work: _Release) -> Iterator[list[Reader]]:
    """Who once agreed and has no message of it yet, best engaged first, with the gate's word on each."""
    with work.db.read() as session:
        people = session.scalars(_hopeful(work)).all()
    for start in range(0, len(people), BATCH):
        with work.db.read() as session:
            readers = ask(session, work.one, people[start : start + BATCH], work.terms, work.now)
        yield readers


def _hopeful(work: _Release) -> Select[int]:
    return who_said_yes_once(audience(work.one, work.now))


def _owe(work: _Release, readers: Iterable[Reader], *, withheld: str = "") -> int:
    """One commit, unless it was called back a moment ago."""
    drafts = list(_drafts(work.one, readers, work.terms, work.now))
    if not drafts:
        return 0
    with work.db.write() as session:
        return add_all(session, drafts, work.now, withheld=withheld) if _still_stands(session, work.one) else 0


def _still_stands(session: Session, one: Opportunity) -> bool:
    """Is it neither called back nor over? Locked until the commit, so that a recall finds all that was owed."""
    mine = select(Opportunity.id).where(*_stands(one)).with_for_update(key_share=True)
    return session.scalar(mine) is not None


def _stands(one: Opportunity) -> tuple[ColumnElement[bool], ...]:
    return (Opportunity.id == one.id, Opportunity.recalled_at.is_(None), Opportunity.ended_at.is_(None))


def _look_at(work: _Release, again: datetime) -> None:
    with work.db.write() as session:
        session.execute(update(Opportunity).where(*_stands(work.one)).values(plan_at=again))


def _drafts(one: Opportunity, readers: Iterable[Reader], terms: Terms, now: datetime) -> Iterator[Draft]:
    """What each of them reads; nothing for who has no phone."""
    for reader in readers:
        if reader.point_id is None:
            continue
        template = terms.templates.find(TEMPLATE, reader.language)
        variables, body = _filled(one, reader, template)
        yield Draft(
            key=f"opportunity:{one.id}:{reader.person_id}",
            person_id=reader.person_id,
            contact_point_id=reader.point_id,
            purpose="marketing",
            use="opportunity",
            body=body,
            due_at=now,
            template=template.name,
            variables=variables,
            best_before=one.best_before,
            plan="opportunity",
            opportunity_id=one.id,
        )


def _filled(one: Opportunity, reader: Reader, template: Template) -> tuple[dict[str, str], str]:
    """The values and the text. A name that no template takes (empty, far too long) keeps nobody from it."""
    variables = dict(variables_of(one, first_name(reader.name)))
    try:
        return variables, template.fill(variables)
    except BadVariables:
        variables = dict(variables_of(one, SOMEBODY))
        return variables, template.fill(variables)


def _can_be_filled(work: _Release) -> bool:
    """Does the template of today still take it? Else the office hears of it, once."""
    error = _fault(work.one, work.terms)
    if error is not None:
        with work.db.write() as session:
            open_case(session, None, NOT_FILLABLE, work.now, (TEMPLATE, error.variable, work.one.code))
    return error is None


def _fault(one: Opportunity, terms: Terms) -> BadVariables | None:
    try:
        text_of(one, terms, SOMEBODY)
    except BadVariables as error:
        return error
    return None
