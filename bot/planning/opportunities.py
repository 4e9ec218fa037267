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

from bot.cases import open_case
from bot.database import Database
from bot.hours import hours_for, opening
from bot.models import Audit, Opportunity
from bot.opportunities.audience import Reader, ask, audience, who_said_yes_once
from bot.opportunities.lists import ENDED
from bot.opportunities.preview import survey
from bot.opportunities.reach import room, template_is_ready
from bot.opportunities.values import SOMEBODY, TEMPLATE, text_of, variables_of
from bot.outbox import Draft
from bot.outbox.rows import add_all
from bot.templates import BadVariables
from bot.terms import Terms

BATCH = 200  # people in one commit, as everywhere in planning
MOST = 2000  # messages in one round: the rest follows in the next, a minute later
LEASE = timedelta(minutes=5)  # so long one worker has it; a crash costs no more
LOOK_AGAIN = timedelta(hours=1)  # for room that has become free, and for newcomers
NOT_FILLABLE = "template_not_fillable"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Desk:
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
    return sum(_round(_Desk(db, terms, one, now)) for one in due if _taken(db, one, now))


def _taken(db: Database, one: Opportunity, now: datetime) -> bool:
    """Nobody else looks at it for a while. False where another worker was faster, or it was called back."""
    same = update(Opportunity).where(Opportunity.id == one.id, Opportunity.plan_at == one.plan_at)
    with db.write() as session:
        return session.scalar(same.values(plan_at=now + LEASE).returning(Opportunity.id)) is not None


def _round(desk: _Desk) -> int:
    one, now = desk.one, desk.now
    if now >= one.best_before:
        return _end(desk)
    opens = opening(hours_for("marketing", desk.terms.hours), now)
    if opens > now:
        _look_at(desk, min(opens, one.best_before))
        return 0
    if not _can_be_filled(desk):
        _look_at(desk, now + LOOK_AGAIN)
        return 0
    owed, all_seen = _tranche(desk)
    _look_at(desk, min(now + LOOK_AGAIN, one.best_before) if all_seen else now)
    log.info("planning.opportunity_released", opportunity=one.id, owed=owed)
    return owed


def _tranche(desk: _Desk) -> tuple[int, bool]:
    """As many as there is room for today; who wrote within the last day needs none. False: there was more for one round."""
    with desk.db.read() as session:
        ready = template_is_ready(session, desk.terms.templates, TEMPLATE)
        left = room(session, desk.terms, desk.now) if ready else 0
    owed = 0
    for readers in _pages(desk):
        if owed >= MOST:
            return owed, False
        going = []
        for reader in readers:
            if reader.reason is None and (reader.window_open or left > 0):
                left -= not reader.window_open
                going.append(reader)
        owed += _owe(desk, going)
        if not left and not any(reader.window_open for reader in readers):
            break  # whoever wrote within the last day came first
    return owed, True


def _end(desk: _Desk) -> int:
    """Its time is over: who had agreed and never got it has a row that says so, and the audit has the counts of the rest."""
    listed = 0
    for readers in _pages(desk):
        if listed >= MOST:
            _look_at(desk, desk.now)
            return 0
        by_reason: defaultdict[str, list[Reader]] = defaultdict(list)
        for reader in readers:
            if reader.agreed:
                by_reason[reader.reason or "STALE"].append(reader)
        for reason, some in by_reason.items():
            listed += _owe(desk, some, withheld=reason)
    _close(desk, survey(desk.db, desk.terms, desk.one, desk.now).will_not)
    return 0


def _close(desk: _Desk, will_not: object) -> None:
    over = update(Opportunity).where(*_stands(desk.one)).values(ended_at=desk.now, plan_at=None)
    with desk.db.write() as session:
        if session.scalar(over.returning(Opportunity.id)) is not None:
            details = {"opportunity": desk.one.code, "will_not": will_not}
            session.add(Audit(at=desk.now, by="worker", act=ENDED, details=details))


def _pages(desk: _Desk) -> Iterator[list[Reader]]:
    """Who once agreed and has no message of it yet, best engaged first, with the gate's word on each."""
    with desk.db.read() as session:
        people = session.scalars(_hopeful(desk)).all()
    for start in range(0, len(people), BATCH):
        with desk.db.read() as session:
            readers = ask(session, desk.one, people[start : start + BATCH], desk.terms, desk.now)
        yield readers


def _hopeful(desk: _Desk) -> Select[int]:
    return who_said_yes_once(audience(desk.one, desk.now))


def _owe(desk: _Desk, readers: Iterable[Reader], *, withheld: str = "") -> int:
    """One commit, unless it was called back a moment ago."""
    drafts = [_draft(desk, reader, reader.point_id) for reader in readers if reader.point_id is not None]
    if not drafts:
        return 0
    with desk.db.write() as session:
        return add_all(session, drafts, desk.now, withheld=withheld) if _still_stands(session, desk.one) else 0


def _still_stands(session: Session, one: Opportunity) -> bool:
    """Is it neither called back nor over? Locked until the commit, so that a recall finds all that was owed."""
    mine = select(Opportunity.id).where(*_stands(one)).with_for_update(key_share=True)
    return session.scalar(mine) is not None


def _stands(one: Opportunity) -> tuple[ColumnElement[bool], ...]:
    return (Opportunity.id == one.id, Opportunity.recalled_at.is_(None), Opportunity.ended_at.is_(None))


def _look_at(desk: _Desk, again: datetime) -> None:
    with desk.db.write() as session:
        session.execute(update(Opportunity).where(*_stands(desk.one)).values(plan_at=again))


def _draft(desk: _Desk, reader: Reader, point_id: int) -> Draft:
    template = desk.terms.templates.find(TEMPLATE, reader.language)
    variables, body = _filled(desk, reader)
    return Draft(
        key=f"opportunity:{desk.one.id}:{reader.person_id}",
        person_id=reader.person_id,
        contact_point_id=point_id,
        purpose="marketing",
        use="opportunity",
        body=body,
        due_at=desk.now,
        template=template.name,
        variables=variables,
        best_before=desk.one.best_before,
        plan="opportunity",
        opportunity_id=desk.one.id,
    )


def _filled(desk: _Desk, reader: Reader) -> tuple[dict[str, str], str]:
    """The values and the text. A name that no template takes (empty, far too long) keeps nobody from it."""
    template = desk.terms.templates.find(TEMPLATE, reader.language)
    variables = dict(variables_of(desk.one, reader.name.partition(" ")[0]))
    try:
        return variables, template.fill(variables)
    except BadVariables:
        variables = dict(variables_of(desk.one, SOMEBODY))
        return variables, template.fill(variables)


def _can_be_filled(desk: _Desk) -> bool:
    """Does the template of today still take it? Else the office hears of it, once."""
    try:
        text_of(desk.one, desk.terms, SOMEBODY)
    except BadVariables as error:
        with desk.db.write() as session:
            open_case(session, None, NOT_FILLABLE, desk.now, (TEMPLATE, error.variable, desk.one.code))
        return False
    return True
