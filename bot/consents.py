"""What staff record of a learner's consent when told by phone, by email, in person or by a learner leaving the group."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import consent, outbox
from bot.consent import Standing
from bot.database import Database
from bot.importing.phones import to_e164
from bot.models import Audit, ConsentEvent, ContactPoint, PersonRow, StaffRole
from bot.queries import standing_of
from bot.turn import Consentable

Source = Literal["phone", "email", "in_person", "letter", "left_group"]
SOURCES: tuple[Source, ...] = ("phone", "email", "in_person", "letter", "left_group")


class NoSuchPerson(Exception):
    """Nobody has this learner code or phone."""


class NoSuchStaff(Exception):
    """No member of staff has this code."""


class NotAllowed(Exception):
    """The role of this member of staff does not record consent, or this is no way to give it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What staff were told: by whom (a learner code or a phone), of which purposes, how, and whose code signs it."""

    person: str
    purposes: tuple[Consentable, ...]
    source: Source
    by: str


@dataclass(frozen=True, slots=True)
class TrailLine:
    """One line of a person's ledger: when it took effect and when it was recorded, both aware UTC."""

    at: datetime
    purpose: str
    action: str
    source: str
    wording: str
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Trail:
    """All that a person ever said, oldest first, and where each purpose stands now."""

    lines: tuple[TrailLine, ...]
    standing: dict[Consentable, Standing]


def person_by(session: Session, learner_code_or_phone: str) -> PersonRow:
    """The person with this code, or this phone in any usual spelling. Raises NoSuchPerson; a disowned phone is nobody's."""
    wanted = learner_code_or_phone.strip()
    person = session.scalar(select(PersonRow).where(PersonRow.learner_code == wanted))
    if person is None:
        person = session.scalar(
            select(PersonRow)
            .join(ContactPoint)
            .where(ContactPoint.value == _phone(wanted), ContactPoint.disowned_at.is_(None))
        )
    if person is None:
        raise NoSuchPerson("nobody has this learner code or phone")
    return person


def give(db: Database, told: Told, now: datetime) -> tuple[Consentable, ...]:
    """Record a yes; the purposes that were not given already. Raises NoSuchPerson, NoSuchStaff, NotAllowed."""
    if told.source == "left_group":
        raise NotAllowed("leaving the group is not a way to agree to anything")
    return _record(db, told, now, "give")


def withdraw(db: Database, told: Told, now: datetime) -> tuple[Consentable, ...]:
    """Record a no and cancel what was planned, in one commit (D03); the purposes that were not withdrawn already.

    Raises NoSuchPerson, NoSuchStaff, NotAllowed.
    """
    return _record(db, told, now, "withdraw")


def trail(session: Session, person: PersonRow) -> Trail:
    """The whole ledger of a person."""
    ledger = select(ConsentEvent).where(ConsentEvent.person_id == person.id).order_by(ConsentEvent.at, ConsentEvent.id)
    rows = session.scalars(ledger).all()
    lines = [TrailLine(r.at, r.purpose, r.action, r.source, r.wording, r.recorded_by, r.recorded_at) for r in rows]
    events = (consent.Event(row.purpose, row.action, row.at, row.id) for row in rows)
    return Trail(tuple(lines), consent.standing(events))


def _signed(session: Session, told: Told) -> PersonRow:
    """The person, locked so that no turn of theirs runs meanwhile, once it is sure that this member of staff may."""
    role = session.scalar(select(StaffRole.role).where(StaffRole.code == told.by))
    if role is None:
        raise NoSuchStaff("no member of staff has this code")
    if role != "admin":
        raise NotAllowed(f"the role {role} does not record consent; an admin does")
    person = person_by(session, told.person)
    return session.scalars(select(PersonRow).where(PersonRow.id == person.id).with_for_update()).one()


def _record(db: Database, told: Told, now: datetime, action: Literal["give", "withdraw"]) -> tuple[Consentable, ...]:
    with db.write() as session:
        person = _signed(session, told)
        if action == "withdraw":
            outbox.cancel_planned(session, person.id, told.purposes, "OPTED_OUT")
        standing = standing_of(session, person.id)
        purposes = tuple(p for p in dict.fromkeys(told.purposes) if standing[p].state != consent.STATES[action])
        if purposes:
            _write(session, _Entry(person.id, replace(told, purposes=purposes), action, now))
        return purposes


@dataclass(frozen=True, slots=True)
class _Entry:
    """What goes into the ledger, a line for each purpose, and into the audit."""

    person_id: int
    told: Told
    action: str
    at: datetime


def _write(session: Session, entry: _Entry) -> None:
    told = entry.told
    for purpose in told.purposes:
        session.add(
            ConsentEvent(
                person_id=entry.person_id,
                purpose=purpose,
                action=entry.action,
                at=entry.at,
                source=told.source,
                recorded_by=told.by,
                recorded_at=entry.at,
            )
        )
    details = {"purposes": list(told.purposes), "source": told.source}
    session.add(Audit(at=entry.at, by=told.by, act=f"consent_{entry.action}", person_id=entry.person_id, details=details))


def _phone(text: str) -> str:
    try:
        return to_e164(text)
    except ValueError:
        raise NoSuchPerson("nobody has this learner code or phone") from None
