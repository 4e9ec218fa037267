"""One round of planning: finds who is due, asks the ledger and the templates, and owes each message in a short commit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from bot import outbox
from bot.database import Database
from bot.planning.kinds import FIRST_MESSAGE, INVITATION, REMINDER, Kind, Links
from bot.planning.who import Candidate, page, who_agreed
from bot.template_store import ready_sid
from bot.templates import BadVariables, Templates

BATCH = 200  # people in one commit: SQLite has one writer, and no answer waits long for a plan
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
    decides again when it is sent. A first message is planned once in a life. An invitation that was withheld leaves its one
    reminder, so that whoever opts in again is still asked; nobody is asked more than twice.
    """
    desk = _Desk(db, templates, links, now)
    return Planned(_run(desk, FIRST_MESSAGE), _run(desk, INVITATION), _run(desk, REMINDER))


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
    """Those who can be reached, have agreed, and whose language has a template that WhatsApp has approved."""
    reachable = [one for one in found if one.point_id is not None]
    agreed = who_agreed(session, [one.person_id for one in reachable])
    ready = {
        language
        for language in {one.language for one in reachable}
        if ready_sid(session, desk.templates.find(kind.template, language))
    }
    once = {one.place: one for one in reversed(reachable)}  # a person on two courses: the one that began first
    return [one for one in once.values() if one.person_id in agreed and one.language in ready]


def _owe(desk: _Desk, kind: Kind, due: Iterable[Candidate]) -> int:
    drafts = {one: draft for one in due if (draft := _draft(desk, kind, one))}
    with desk.db.write() as session:
        taken = kind.take(session, sorted(drafts, key=lambda one: one.place), desk.now)
        for one in taken:
            outbox.add(session, drafts[one], desk.now)
    return len(taken)


def _draft(desk: _Desk, kind: Kind, one: Candidate) -> outbox.Draft | None:
    if one.point_id is None:
        return None
    variables = kind.variables(one, desk.links)
    try:
        body = desk.templates.find(kind.template, one.language).fill(variables)
    except BadVariables:  # a name that no template takes: the others do not wait until the office has put it right
        log.error("planning.not_fillable", template=kind.template, person=one.person_id)
        return None
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
