"""Makes what is planned for people: those due for a kind of plan, as drafts, and what no template takes as faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot import outbox
from bot.cases import open_case
from bot.database import Database
from bot.hours import DAY
from bot.models import OfficeCase, PersonRow
from bot.planning import who
from bot.planning.kinds import FIRST_NAME, KINDS, Kind, Links
from bot.planning.looks import Known
from bot.planning.who import Candidate
from bot.template_store import ready_sid
from bot.templates import BadVariables
from bot.terms import Terms

NOT_FILLABLE = "template_not_fillable"
Fault = tuple[int | None, tuple[str, ...]]  # whom the case is about (None: the service), and its flags
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What one round works with. `ready`: whether the template of a name and language is approved, asked once a round."""

    terms: Terms
    links: Links
    now: datetime
    ready: dict[tuple[str, str], bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """The drafts of one kind by whom they are for, and why there is none for others, each fault once."""

    drafts: dict[Candidate, outbox.Draft]
    faults: tuple[Fault, ...] = ()


def all_made(session: Session, desk: Desk, known: Mapping[int, Known], at: datetime) -> Iterator[tuple[Kind, Made]]:
    """What is due of every kind at this moment, for people who have agreed and can be reached. Only looks."""
    for kind in KINDS:
        if people := [person for person, one in known.items() if kind.may(one)]:
            yield kind, _made(session, desk, kind, people, at)


def _made(session: Session, desk: Desk, kind: Kind, people: Sequence[int], at: datetime) -> Made:
    """What is due at this moment of one kind.

    Nobody is planned for a text that WhatsApp has yet to approve in their language.
    """
    drafts: dict[Candidate, outbox.Draft] = {}
    faults: dict[Fault, None] = {}  # in order, each once however many learners it keeps waiting
    for one in who.candidates(session, kind.due(at, people), at):
        if not _is_ready(session, desk, kind.template, one.language):
            continue
        try:
            drafts[one] = _draft(desk, kind, one, at)
        except BadVariables as error:  # the others do not wait until the office has put it right
            faults[_fault(one, error)] = None
    return Made(drafts, tuple(faults))


def tell_office(
    db: Database, person_id: int | None, flags: tuple[str, ...], now: datetime, *, kind: str = NOT_FILLABLE
) -> None:
    """Open a case, unless there is one or there was until lately: whoever closed it has a day to put it right."""
    lately = or_(OfficeCase.state == "open", OfficeCase.closed_at > now - DAY)
    same = select(OfficeCase.flags).where(OfficeCase.kind == kind, OfficeCase.person_id == person_id, lately)
    with db.read() as session:
        if any(person_id is not None or told == list(flags) for told in session.scalars(same)):
            return
    with db.write() as session:
        session.execute(select(PersonRow.id).where(PersonRow.id == person_id).with_for_update())
        case_id = open_case(session, person_id, kind, now, flags)
    if kind == NOT_FILLABLE:
        log.error("planning.not_fillable", template=flags[0], variable=flags[1], case=case_id)
    else:
        log.error("planning.cannot_plan", because=kind, case=case_id)


def _is_ready(session: Session, desk: Desk, template: str, language: str) -> bool:
    key = (template, language)
    if key not in desk.ready:
        desk.ready[key] = ready_sid(session, desk.terms.templates.find(template, language)) is not None
    return desk.ready[key]


def _fault(one: Candidate, error: BadVariables) -> Fault:
    """The learner where it is their name that no template takes, else the course."""
    what = (error.template, error.variable)
    return (one.person_id, what) if error.variable == FIRST_NAME else (None, (*what, one.code))


def _draft(desk: Desk, kind: Kind, one: Candidate, at: datetime) -> outbox.Draft:
    """What one learner is to read. Raises BadVariables."""
    variables = kind.variables(one, desk.links)
    body = desk.terms.templates.find(kind.template, one.language).fill(variables)
    return outbox.Draft(
        key=kind.key(one),
        person_id=one.person_id,
        contact_point_id=one.point_id,
        purpose="service",
        use=kind.use,
        plan=kind.plan,
        body=body,
        due_at=at,
        template=kind.template,
        variables=variables,
        ask=kind.ask,
        best_before=at + kind.lasts,
    )
