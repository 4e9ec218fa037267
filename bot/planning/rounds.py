"""One round of planning: finds who is due, asks the ledger and the templates, and owes each message in a short commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot import outbox
from bot.cases import open_case
from bot.database import Database
from bot.hours import DAY
from bot.models import OfficeCase, PersonRow
from bot.planning.kinds import FIRST_MESSAGE, FIRST_NAME, INVITATION, INVITED_AGAIN, REMINDER, Kind, Links
from bot.planning.who import Candidate, page, who_agreed
from bot.template_store import ready_sid
from bot.templates import BadVariables, Templates

BATCH = 200  # people in one commit: SQLite has one writer, and no answer waits long for a plan
NOT_FILLABLE = "template_not_fillable"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Planned:
    """How many of each were planned. True where it was anything."""

    first_messages: int = 0
    invitations: int = 0
    reminders: int = 0

    def __bool__(self) -> bool:
        return bool(self.first_messages or self.invitations or self.reminders)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What one round works with."""

    db: Database
    templates: Templates
    links: Links
    now: datetime


def plan(db: Database, templates: Templates, links: Links, now: datetime) -> Planned:
    """Plan everything of which the time has come by `now` (aware UTC); how much that was (F01, P05 to P07).

    Every plan has a key of its own, so that planning twice, by two workers or after a crash, changes nothing; the gate
    decides again when it is sent. A first message goes once in a life, an invitation once and once more as its reminder;
    what reached nobody is planned again on a later day, a few times at most.
    """
    desk = _Desk(db, templates, links, now)
    invited = _run(desk, INVITED_AGAIN) + _run(desk, INVITATION)
    return Planned(_run(desk, FIRST_MESSAGE), invited, _run(desk, REMINDER))


def _run(desk: _Desk, kind: Kind) -> int:
    """Every batch of one kind. Where nothing is due it only looks, and keeps no writer waiting."""
    with desk.db.read() as session:
        if not any(ready_sid(session, one) for one in desk.templates if one.name == kind.template):
            return 0  # nobody is planned for a text that WhatsApp has yet to approve
    planned, after = 0, 0
    while True:
        with desk.db.read() as session:
            rows = session.execute(page(kind.due(desk.now), after, BATCH)).all()
            due = _eligible(session, desk, kind, [Candidate(*row) for row in rows])
        if due:
            planned += _owe(desk, kind, due)
        if len(rows) < BATCH:
            return planned
        after = rows[-1][0]


def _eligible(session: Session, desk: _Desk, kind: Kind, found: list[Candidate]) -> list[Candidate]:
    """Those who have agreed, and whose language has a template that WhatsApp has approved."""
    agreed = who_agreed(session, [one.person_id for one in found])
    ready = {
        language
        for language in {one.language for one in found}
        if ready_sid(session, desk.templates.find(kind.template, language))
    }
    once = {one.place: one for one in reversed(found)}  # a person on two courses: the one that began first
    return [one for one in once.values() if one.person_id in agreed and one.language in ready]


def _owe(desk: _Desk, kind: Kind, due: Iterable[Candidate]) -> int:
    drafts: dict[Candidate, outbox.Draft] = {}
    faults: dict[tuple[int | None, tuple[str, ...]], None] = {}  # in order, each once however many learners it keeps waiting
    for one in due:
        try:
            drafts[one] = _draft(desk, kind, one)
        except BadVariables as error:  # the others do not wait until the office has put it right
            faults[_fault(one, error)] = None
    for person_id, flags in faults:
        _tell_office(desk, person_id, flags)
    if not drafts:
        return 0
    with desk.db.write() as session:
        taken = kind.take(session, sorted(drafts, key=lambda one: one.place), desk.now)
        for one in taken:
            outbox.add(session, drafts[one], desk.now)
    return len(taken)


def _fault(one: Candidate, error: BadVariables) -> tuple[int | None, tuple[str, ...]]:
    """Whom the case is about, and its flags: the learner where it is their name that no template takes, else the course."""
    what = (error.template, error.variable)
    return (one.person_id, what) if error.variable == FIRST_NAME else (None, (*what, one.code))


def _tell_office(desk: _Desk, person_id: int | None, flags: tuple[str, ...]) -> None:
    """Open a case, unless there is one or there was until lately: whoever closed it has a day to put it right."""
    lately = or_(OfficeCase.state == "open", OfficeCase.closed_at > desk.now - DAY)
    same = select(OfficeCase.flags).where(OfficeCase.kind == NOT_FILLABLE, OfficeCase.person_id == person_id, lately)
    with desk.db.read() as session:
        if any(person_id is not None or told == list(flags) for told in session.scalars(same)):
            return
    with desk.db.write() as session:
        session.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update())
        case_id = open_case(session, person_id, NOT_FILLABLE, desk.now, flags)
    log.error("planning.not_fillable", template=flags[0], variable=flags[1], case=case_id)


def _draft(desk: _Desk, kind: Kind, one: Candidate) -> outbox.Draft:
    """What one learner is to read. Raises BadVariables."""
    variables = kind.variables(one, desk.links)
    body = desk.templates.find(kind.template, one.language).fill(variables)
    return outbox.Draft(
        key=kind.key(one),
        person_id=one.person_id,
        contact_point_id=one.point_id,
        purpose="service",
        use=kind.use,
        body=body,
        due_at=desk.now,
        template=kind.template,
        variables=variables,
        ask=kind.ask,
        best_before=desk.now + kind.lasts,
    )
