"""Erases a learner (D19, L06): what stays is the hash of their numbers, blank rows, and what is under legal hold.

Rows of messages stay, empty, because their ids keep a message from being fetched from Twilio a second time and let
Twilio's own copies be removed. A case at the safeguarding lead's is under legal hold: it keeps its messages and says
whose they are, until the lead decides (section 4 of the requirements).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from bot import ledger
from bot.blanks import BLANK_INBOUND, BLANK_OUTBOUND, BLANK_PERSON, BLANK_POINT, GOES
from bot.consents import NotAllowed, locked, person_by, require
from bot.database import Database
from bot.ledger import Entry
from bot.models import (
    Alert,
    Audit,
    Base,
    CaseMessage,
    ConsentEvent,
    ContactPoint,
    Inbound,
    OfficeCase,
    Outbound,
    PersonRow,
    StaffRole,
)
from bot.status import ERASED
from bot.suppression import Keyed
from bot.turn import CONSENTABLE

NOBODY = "erased"  # what stands where their number was, and how they came to say no to everything
EVERYTHING = ("reply", "safety", "service", "checkin", "marketing")  # what a learner is sent; alerts to staff go on
# It goes on to staff who are learners too, and says nothing of anybody but the number of a case.
_ALERT_UNDER_WAY = and_(
    Outbound.purpose == "staff", Outbound.inbound_id.is_(None), Outbound.state.in_(("queued", "sending", "unknown"))
)


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
class _Whole:
    """Whose rows go: the person's, and the bare persons' as whom they wrote before we knew whose their numbers are.

    Of a `stranger` who wrote from other numbers too, only the messages at `points` are this person's.
    """

    person_id: int
    people: tuple[int, ...]
    points: tuple[int, ...]
    strangers: tuple[int, ...]

    def messages(self, table: type[Inbound] | type[Outbound]) -> ColumnElement[bool]:
        """Every message of theirs, and to them."""
        at_theirs = and_(table.contact_point_id.in_(self.points), table.person_id.in_(self.strangers))
        return or_(table.person_id.in_(self.people), at_theirs)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is under legal hold: restricted cases, the messages in them, and what we said to those."""

    cases: tuple[int, ...]
    inbound: tuple[int, ...]
    outbound: tuple[int, ...]


def preview(db: Database, person: str, by: str) -> Plan:
    """What an erasure would do. Raises NoSuchPerson, NoSuchStaff, NotAllowed."""
    with db.read() as session:
        found = _signed(session, Wish(person, by))
        return _plan(session, found, _whole(session, found))


def erase(db: Database, keyed: Keyed, wish: Wish, now: datetime) -> Plan:
    """Erase a learner in one commit, and keep of their numbers that they said no to everything from now on.

    Staff who are learners too stay staff. Raises NoSuchPerson, NoSuchStaff, NotAllowed.
    """
    with db.write() as session:
        person = locked(session, _signed(session, wish))
        who = _whole(session, person)
        plan, kept = _plan(session, person, who), _kept(session, who)
        ledger.shut(session, who.points, keyed, now)
        _cancel(session, who, kept, now)
        _say_no_or_forget(session, who, kept, keyed, Entry(person.id, CONSENTABLE, "withdraw", NOBODY, now, now, wish.by))
        for _, table, column in GOES:
            session.execute(delete(table).where(column.in_(who.people)))
        _erase_cases(session, who, kept)
        _blank_messages(session, who, kept, now)
        _blank_person(session, person, who, kept, now)
        details = {"goes": plan.goes, "under_legal_hold": len(kept.cases)}
        session.add(Audit(at=now, by=wish.by, act="erase", person_id=None, details=details))
        return plan


def _signed(session: Session, wish: Wish) -> PersonRow:
    require(session, wish.by, ("admin",), "erase anybody; an admin does")
    person = person_by(session, wish.person)
    if person.staff_roles and person.learner_code is None:
        raise NotAllowed("this is a member of staff and no learner")
    return person


def _whole(session: Session, person: PersonRow) -> _Whole:
    points = tuple(point.id for point in person.contact_points)
    bare = (PersonRow.learner_code.is_(None), PersonRow.id.not_in(select(StaffRole.person_id)), PersonRow.id != person.id)
    wrote = or_(*(PersonRow.id.in_(_at(table, points)) for table in (Inbound, Outbound)))
    strangers = tuple(session.scalars(select(PersonRow.id).where(*bare, wrote)))
    elsewhere = set(session.scalars(select(ContactPoint.person_id).where(ContactPoint.person_id.in_(strangers))))
    gone = (one for one in strangers if one not in elsewhere)
    return _Whole(person.id, (person.id, *gone), points, strangers)


def _at(table: type[Inbound] | type[Outbound], points: tuple[int, ...]) -> Select[int]:
    return select(table.person_id).where(table.contact_point_id.in_(points))


def _plan(session: Session, person: PersonRow, who: _Whole) -> Plan:
    kept = _kept(session, who)
    goes = {what: _count(session, table, column.in_(who.people)) for what, table, column in GOES}
    goes["messages from them"] = _count(session, Inbound, who.messages(Inbound), Inbound.id.not_in(kept.inbound))
    goes["messages to them"] = _count(session, Outbound, who.messages(Outbound), Outbound.id.not_in(kept.outbound))
    goes["cases"] = _count(session, OfficeCase, *_cases(who, kept))
    goes["lines of consent"] = 0 if kept.cases else _count(session, ConsentEvent, ConsentEvent.person_id.in_(who.people))
    stays = ["that their numbers said no to everything, as hashes"]
    if kept.cases:
        stays.append(f"under legal hold, with their name and consent: {len(kept.cases)} cases of the safeguarding lead")
    if person.staff_roles:
        stays.append("their name and number as a member of staff")
    return Plan(goes, tuple(stays))


def _kept(session: Session, who: _Whole) -> _Kept:
    theirs = (OfficeCase.person_id.in_(who.people), OfficeCase.restricted)
    cases = session.scalars(select(OfficeCase.id).where(*theirs)).all()
    held = select(CaseMessage.inbound_id).join(OfficeCase).where(OfficeCase.restricted)
    inbound = session.scalars(select(Inbound.id).where(who.messages(Inbound), Inbound.id.in_(held))).all()
    said = or_(Outbound.alert_case_id.in_(cases), Outbound.inbound_id.in_(inbound))
    outbound = session.scalars(select(Outbound.id).where(who.messages(Outbound), said)).all()
    return _Kept(tuple(cases), tuple(inbound), tuple(outbound))


def _cases(who: _Whole, kept: _Kept) -> tuple[ColumnElement[bool], ...]:
    return (OfficeCase.person_id.in_(who.people), OfficeCase.id.not_in(kept.cases))


def _cancel(session: Session, who: _Whole, kept: _Kept, now: datetime) -> None:
    """Nothing more goes to them: not what waits, and not again what is under way, may have gone, or did and may fail.

    Nor what passes on to others the words that are blank from now on. Whoever hears of such a row later does nothing
    but write down its state (bot.outbox).
    """
    words = select(Inbound.id).where(who.messages(Inbound), Inbound.id.not_in(kept.inbound))
    to_them = and_(who.messages(Outbound), Outbound.purpose.in_(EVERYTHING))
    theirs = update(Outbound).where(or_(to_them, Outbound.inbound_id.in_(words)))
    session.execute(theirs.where(Outbound.state == "queued").values(state="withheld", reason=ERASED))
    session.execute(theirs.where(Outbound.state == "unknown").values(state="failed", reason=ERASED, tidy_at=now))
    session.execute(theirs.where(Outbound.state == "sending").values(reason=ERASED, tidy_at=now))
    taken_for_lost = and_(Outbound.state == "failed", Outbound.sid.is_(None))
    may_fail = or_(Outbound.state.in_(("accepted", "sent")), taken_for_lost)
    session.execute(theirs.where(may_fail).values(reason=ERASED))


def _say_no_or_forget(session: Session, who: _Whole, kept: _Kept, keyed: Keyed, no: Entry) -> None:
    """Under legal hold the ledger stays, and ends with a no. Otherwise the hashes are all that is left of it."""
    if kept.cases:
        ledger.record(session, no, keyed)
        return
    session.execute(delete(ConsentEvent).where(ConsentEvent.person_id.in_(who.people)))


def _erase_cases(session: Session, who: _Whole, kept: _Kept) -> None:
    gone = session.scalars(select(OfficeCase.id).where(*_cases(who, kept))).all()
    session.execute(delete(CaseMessage).where(CaseMessage.case_id.in_(gone)))
    session.execute(delete(Alert).where(Alert.case_id.in_(gone)))
    session.execute(update(Outbound).where(Outbound.alert_case_id.in_(gone)).values(alert_case_id=None))
    session.execute(delete(OfficeCase).where(OfficeCase.id.in_(gone)))


def _blank_messages(session: Session, who: _Whole, kept: _Kept, now: datetime) -> None:
    """Every word, theirs and ours, also where it was passed on to somebody else. Twilio's own copies go next (L26)."""
    theirs = (who.messages(Inbound), Inbound.id.not_in(kept.inbound))
    passed_on = Outbound.inbound_id.in_(select(Inbound.id).where(*theirs))
    ours = and_(or_(who.messages(Outbound), passed_on), ~_ALERT_UNDER_WAY, Outbound.id.not_in(kept.outbound))
    session.execute(update(Outbound).where(ours).values(BLANK_OUTBOUND))
    session.execute(update(Inbound).where(*theirs).values(BLANK_INBOUND))
    session.execute(update(Inbound).where(*theirs, Inbound.state == "received").values(state="done", tidy_at=now))
    for table in (Inbound, Outbound):
        session.execute(update(table).where(who.messages(table), table.tidy_at > now).values(tidy_at=now))


def _blank_person(session: Session, person: PersonRow, who: _Whole, kept: _Kept, now: datetime) -> None:
    """Somebody whom nobody knows, at numbers that are none. What staff did for them stays in the audit, of nobody."""
    if kept.cases:
        return
    strangers = PersonRow.id.in_(who.people), PersonRow.id != person.id
    session.execute(update(PersonRow).where(*strangers).values(BLANK_PERSON))
    session.execute(
        update(Audit).where(Audit.person_id.in_(who.people), Audit.person_id != person.id).values(person_id=None)
    )
    if person.staff_roles:
        person.learner_code, person.pending = None, None
        return
    for name, value in BLANK_PERSON.items():
        setattr(person, name, value)
    for point in person.contact_points:
        point.value, point.disowned_at = f"{NOBODY}:{point.id}", point.disowned_at or now
        for name, value in BLANK_POINT.items():
            setattr(point, name, value)
    session.execute(update(Audit).where(Audit.person_id == person.id).values(person_id=None))


def _count(session: Session, table: type[Base], *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0
