"""What staff record of a learner's consent when told by phone, by email, in person or by a learner leaving the group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import ledger, outbox, wordings
from bot.acts import NoSuchStaff
from bot.clock import london_day_starts
from bot.database import Database
from bot.ledger import Entry
from bot.models import Audit, ContactPoint, PersonRow, StaffRole
from bot.phones import to_e164
from bot.queries import standing_of
from bot.suppression import Keyed
from bot.turn import Consentable, ConsentState

Source = Literal["phone", "email", "in_person", "letter", "left_group"]
SOURCES: tuple[Source, ...] = ("phone", "email", "in_person", "letter", "left_group")
INSTANT = timedelta(microseconds=1)  # the database keeps no shorter time


class NoSuchPerson(Exception):
    """Nobody has this learner code or phone."""


class NotAllowed(Exception):
    """The role of this member of staff does not do this, or this is no way to do it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What staff were told: by whom (a learner code or a phone), of which purposes, how, and whose code signs it.

    `on` is the day in London on which it was said, None for this moment; `wording` the version of what was read out.
    """

    person: str
    purposes: tuple[Consentable, ...]
    source: Source
    by: str
    on: date | None = None
    wording: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What went into the ledger, and where every purpose stands after it."""

    purposes: tuple[Consentable, ...]
    now: dict[Consentable, ConsentState]


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


def require(session: Session, code: str, roles: tuple[str, ...], what: str) -> None:
    """Only these roles do this. Raises NoSuchStaff and NotAllowed."""
    role = session.scalar(select(StaffRole.role).where(StaffRole.code == code))
    if role is None:
        raise NoSuchStaff("no member of staff has this code")
    if role not in roles:
        raise NotAllowed(f"the role {role} does not {what}")


def locked(session: Session, person: PersonRow) -> PersonRow:
    """The person, so that no turn of theirs runs meanwhile."""
    return session.scalars(select(PersonRow).where(PersonRow.id == person.id).with_for_update()).one()


def give(db: Database, keyed: Keyed, told: Told, now: datetime) -> Recorded:
    """Record a yes to the purposes that were not given already. Raises NoSuchPerson, NoSuchStaff, NotAllowed.

    A yes of a day counts from its first moment, as a declaration does: a no of that same day stands (D03).
    """
    if told.source == "left_group":
        raise NotAllowed("leaving the group is not a way to agree to anything")
    return _record(db, keyed, told, ("give", _first(told, now), now))


def withdraw(db: Database, keyed: Keyed, told: Told, now: datetime) -> Recorded:
    """Record a no, and cancel what was planned, in one commit (D03, P10).

    It is written down where they had said so before, too: a paper signed in between must re-open nothing.
    A no of a day counts from its last moment, or from now: a yes of that same day is taken back.
    Raises NoSuchPerson, NoSuchStaff, NotAllowed.
    """
    return _record(db, keyed, told, ("withdraw", _last(told, now), now))


def _first(told: Told, now: datetime) -> datetime:
    return now if told.on is None else _not_in_future(london_day_starts(told.on), now)


def _last(told: Told, now: datetime) -> datetime:
    if told.on is None:
        return now
    _not_in_future(london_day_starts(told.on), now)
    return min(now, london_day_starts(told.on + timedelta(days=1)) - INSTANT)


def _not_in_future(at: datetime, now: datetime) -> datetime:
    if at > now:
        raise NotAllowed("that day is in the future")
    return at


Said = tuple[Literal["give", "withdraw"], datetime, datetime]  # what, from when, recorded when


def _record(db: Database, keyed: Keyed, told: Told, said: Said) -> Recorded:
    action, at, now = said
    with db.write() as session:
        require(session, told.by, ("admin",), "record consent; an admin does")
        _require_words(session, told)
        person = locked(session, person_by(session, told.person))
        ledger.replay(session, [person.id], keyed, now)
        before = standing_of(session, person.id)
        new = [p for p in told.purposes if action == "withdraw" or before[p].state != "given"]
        purposes = tuple(dict.fromkeys(new))
        if not purposes:
            session.add(_given_again(person.id, told, now))
        entry = Entry(person.id, purposes, action, told.source, at, now, told.by, told.wording)
        ledger.record(session, entry, keyed)
        after = {purpose: one.state for purpose, one in standing_of(session, person.id).items()}
        off = tuple(p for p in told.purposes if after[p] == "withdrawn")
        outbox.cancel_planned(session, person.id, off, "OPTED_OUT")
        return Recorded(purposes, after)


def _given_again(person_id: int, told: Told, now: datetime) -> Audit:
    """They agreed to what they agree to: the ledger has nothing new, and what staff did is known all the same (D18)."""
    details = {"purposes": list(told.purposes), "source": told.source, "wording": told.wording}
    return Audit(at=now, by=told.by, act="consent_give_again", person_id=person_id, details=details)


def _require_words(session: Session, told: Told) -> None:
    """Whoever says which words were read out names words that we can show (P11)."""
    there = wordings.on_file(session, [told.wording]) if told.wording else {}
    missing = [purpose for purpose in told.purposes if told.wording and (told.wording, purpose) not in there]
    if missing:
        raise NotAllowed(f"the words of version {told.wording} for {', '.join(missing)} are not on file")


def _phone(text: str) -> str:
    try:
        return to_e164(text)
    except ValueError:
        raise NoSuchPerson("nobody has this learner code or phone") from None
