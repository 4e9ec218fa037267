"""Erases a learner (D19, L06): what stays is the hash of their numbers, blank rows, and what is under legal hold.

Rows of messages stay, empty, because their ids keep a message from being fetched from Twilio a second time and let
Twilio's own copies be removed. A case at the safeguarding lead's is under legal hold: it keeps its messages and says
whose they are, until the lead decides (section 4 of the requirements).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot import ledger, outbox
from bot.consents import NotAllowed, locked, person_by, require
from bot.database import Database
from bot.ledger import Entry
from bot.models import (
    Alert,
    Audit,
    Base,
    CaseMessage,
    ConsentEvent,
    EnrolmentRow,
    Inbound,
    Invitation,
    NumberChange,
    OfficeCase,
    Outbound,
    PersonRow,
)
from bot.models.base import Json
from bot.suppression import Keyed
from bot.turn import CONSENTABLE

ERASED = "erased"
REASON = "ERASED"
EVERYTHING = ("reply", "safety", "service", "checkin", "marketing")  # what a learner is sent; alerts to staff go on
GOES: tuple[tuple[str, type[Base], InstrumentedAttribute[int]], ...] = (
    ("places on courses", EnrolmentRow, EnrolmentRow.person_id),
    ("invitations to groups", Invitation, Invitation.person_id),
    ("changes of number", NumberChange, NumberChange.person_id),
)
BLANK_PERSON: Json = {"name": "", "learner_code": None, "language": "en", "pending": None, "misses": 0, "warned_at": None}
BLANK_PERSON |= {"held_at": None, "watched": False, "left_group_asked_at": None}
BLANK_POINT: Json = {"last_inbound_at": None, "window_shut_at": None, "unreachable_at": None, "unreachable_code": None}
BLANK_INBOUND: Json = {"text": "", "details": {}, "lease": None, "leased_until": None}
BLANK_OUTBOUND: Json = {"body": "", "variables": None, "media": None, "ask": None, "body_if_told": None}


@dataclass(frozen=True, slots=True)
class Wish:
    """Whom to erase, by learner code or phone, and who of the staff does it."""

    person: str
    by: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What goes, counted, and what stays and why. It names nobody."""

    goes: dict[str, int]
    stays: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is under legal hold: restricted cases, the messages in them, and what we said to those."""

    cases: tuple[int, ...]
    inbound: tuple[int, ...]
    outbound: tuple[int, ...]


def preview(db: Database, person: str, by: str) -> Plan:
    """What an erasure would do. Raises NoSuchPerson, NoSuchStaff, NotAllowed."""
    with db.read() as session:
        return _plan(session, _signed(session, Wish(person, by)))


def erase(db: Database, keyed: Keyed, wish: Wish, now: datetime) -> Plan:
    """Erase a learner in one commit, and keep of their numbers that they said no to everything from now on.

    Staff who are learners too stay staff. Raises NoSuchPerson, NoSuchStaff, NotAllowed.
    """
    with db.write() as session:
        person = locked(session, _signed(session, wish))
        plan, kept = _plan(session, person), _kept(session, person.id)
        ledger.shut(session, [point.id for point in person.contact_points], keyed, now)
        _cancel(session, person.id)
        _say_no_or_forget(
            session, person.id, kept, keyed, Entry(person.id, CONSENTABLE, "withdraw", ERASED, now, now, wish.by)
        )
        for _, table, column in GOES:
            session.execute(delete(table).where(column == person.id))
        _erase_cases(session, person.id, kept)
        _blank_messages(session, person.id, kept, now)
        _blank_person(session, person, kept, now)
        details = {"goes": plan.goes, "under_legal_hold": len(kept.cases)}
        session.add(Audit(at=now, by=wish.by, act="erase", person_id=None, details=details))
        return plan


def _signed(session: Session, wish: Wish) -> PersonRow:
    require(session, wish.by, ("admin",), "erase anybody; an admin does")
    person = person_by(session, wish.person)
    if person.staff_roles and person.learner_code is None:
        raise NotAllowed("this is a member of staff and no learner")
    return person


def _plan(session: Session, person: PersonRow) -> Plan:
    kept = _kept(session, person.id)
    goes = {what: _count(session, table, column == person.id) for what, table, column in GOES}
    goes["messages from them"] = _count(session, Inbound, *_others(Inbound, person.id, kept.inbound))
    goes["messages to them"] = _count(session, Outbound, *_others(Outbound, person.id, kept.outbound))
    goes["cases"] = _count(session, OfficeCase, *_others(OfficeCase, person.id, kept.cases))
    goes["lines of consent"] = 0 if kept.cases else _count(session, ConsentEvent, ConsentEvent.person_id == person.id)
    stays = ["that their numbers said no to everything, as hashes"]
    if kept.cases:
        stays.append(f"under legal hold, with their name and consent: {len(kept.cases)} cases of the safeguarding lead")
    if person.staff_roles:
        stays.append("their name and number as a member of staff")
    return Plan(goes, tuple(stays))


def _kept(session: Session, person_id: int) -> _Kept:
    cases = session.scalars(select(OfficeCase.id).where(OfficeCase.person_id == person_id, OfficeCase.restricted)).all()
    held = select(CaseMessage.inbound_id).join(OfficeCase).where(OfficeCase.restricted)
    inbound = session.scalars(select(Inbound.id).where(Inbound.person_id == person_id, Inbound.id.in_(held))).all()
    said = or_(Outbound.alert_case_id.in_(cases), Outbound.inbound_id.in_(inbound))
    outbound = session.scalars(select(Outbound.id).where(Outbound.person_id == person_id, said)).all()
    return _Kept(tuple(cases), tuple(inbound), tuple(outbound))


def _others(
    table: type[Inbound] | type[Outbound] | type[OfficeCase], person_id: int, kept: Iterable[int]
) -> tuple[ColumnElement[bool], ...]:
    return (table.person_id == person_id, table.id.not_in(tuple(kept)))


def _cancel(session: Session, person_id: int) -> None:
    """Nothing more goes to them: not what waits, and not again what may have gone."""
    outbox.cancel_planned(session, person_id, EVERYTHING, REASON)
    lost = update(Outbound).where(Outbound.person_id == person_id, Outbound.state == "unknown")
    session.execute(lost.values(state="failed", reason=REASON))


def _say_no_or_forget(session: Session, person_id: int, kept: _Kept, keyed: Keyed, no: Entry) -> None:
    """Under legal hold the ledger stays, and ends with a no. Otherwise the hashes are all that is left of it."""
    if kept.cases:
        ledger.record(session, no, keyed)
        return
    session.execute(delete(ConsentEvent).where(ConsentEvent.person_id == person_id))


def _erase_cases(session: Session, person_id: int, kept: _Kept) -> None:
    gone = session.scalars(select(OfficeCase.id).where(*_others(OfficeCase, person_id, kept.cases))).all()
    session.execute(delete(CaseMessage).where(CaseMessage.case_id.in_(gone)))
    session.execute(delete(Alert).where(Alert.case_id.in_(gone)))
    session.execute(update(Outbound).where(Outbound.alert_case_id.in_(gone)).values(alert_case_id=None))
    session.execute(delete(OfficeCase).where(OfficeCase.id.in_(gone)))


def _blank_messages(session: Session, person_id: int, kept: _Kept, now: datetime) -> None:
    """Every word, theirs and ours, also where it was passed on to somebody else. Twilio's own copies go next (L26)."""
    theirs = _others(Inbound, person_id, kept.inbound)
    passed_on = Outbound.inbound_id.in_(select(Inbound.id).where(*theirs))
    ours = or_(Outbound.person_id == person_id, passed_on)
    session.execute(update(Outbound).where(ours, Outbound.id.not_in(kept.outbound)).values(BLANK_OUTBOUND))
    session.execute(update(Inbound).where(*theirs).values(BLANK_INBOUND))
    session.execute(update(Inbound).where(*theirs, Inbound.state == "received").values(state="done", tidy_at=now))
    for table in (Inbound, Outbound):
        copies = update(table).where(table.person_id == person_id, table.tidy_at > now)
        session.execute(copies.values(tidy_at=now))


def _blank_person(session: Session, person: PersonRow, kept: _Kept, now: datetime) -> None:
    """Somebody whom nobody knows, at numbers that are none. What staff did for them stays in the audit, of nobody."""
    if kept.cases:
        return
    if person.staff_roles:
        person.learner_code, person.pending = None, None
        return
    for name, value in BLANK_PERSON.items():
        setattr(person, name, value)
    for point in person.contact_points:
        point.value, point.disowned_at = f"{ERASED}:{point.id}", point.disowned_at or now
        for name, value in BLANK_POINT.items():
            setattr(point, name, value)
    session.execute(update(Audit).where(Audit.person_id == person.id).values(person_id=None))


def _count(session: Session, table: type[Base], *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
