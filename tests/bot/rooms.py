"""Rooms for the tests of the message path: rows of made-up people, a mind that needs no Rasa, and fakes that record."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import pytest
from sqlalchemy import ColumnElement, inspect, select
from sqlalchemy.orm import Session

from actions import HANDLERS
from bot import inbox, outbox
from bot.apply import Staffroom
from bot.conversation import Handler, Mind, Room
from bot.database import Database
from bot.gate import ANSWERS
from bot.mail import Mail
from bot.models import Base, ConsentEvent, ContactPoint, Course, EnrolmentRow, LessonRow, Outbound, PersonRow, StaffRole
from bot.people import point_of
from bot.queries import standing_of
from bot.settings import Contact
from bot.template_files import load_templates
from bot.terms import Terms
from bot.texts import FOLDER, Texts, load_texts
from bot.turn import CONSENTABLE, ConsentState, NluAway, Parse, Purpose
from bot.whatsapp import Incoming, Letter, Outcome, ProviderAway, SentRecord, StatusUpdate
from bot.worker import Post, Worker
from tests.bot.ledgers import KEYED
from tests.words import lexicon

Row = TypeVar("Row", bound=Base)

AMINA, BILAL, CARLA = "+447700900101", "+447700900102", "+447700900103"
FARAH = Contact("Farah Malik", "farah@example.org", "+447700900990")
OWEN = Contact("Owen Price", "owen@example.org", "+447700900991")
SECOND = timedelta(seconds=1)
SEVERAL_WRITERS = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one at a time
TERMS = Terms(load_templates(), KEYED)


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is told how long has passed."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def wait(self, how_long: timedelta) -> datetime:
        """So much time passes; the new moment."""
        self.now += how_long
        return self.now


@dataclass(slots=True)
class StubNlu:
    """Hears what it was told to hear, else thanks; `away` is Rasa being down."""

    intents: dict[str, Parse] = field(default_factory=dict)
    away: bool = False
    answer: Callable[[str], Parse] | None = None
    asked: list[str] = field(default_factory=list)

    def parse(self, text: str) -> Parse:
        self.asked.append(text)
        if self.answer:
            return self.answer(text)
        if self.away:
            raise NluAway
        return self.intents.get(text, Parse("thanks", 0.95, (("thanks", 0.95),)))


@dataclass(frozen=True, slots=True)
class SmallLimits:
    """Round limits, so that a test can be read without a file beside it."""

    accept: float = 0.6
    opt_out_sure: float = 0.8
    opt_out_unsure: float = 0.4
    safeguarding: float = 0.3


@dataclass(slots=True)
class Recorder:
    """A fake WhatsApp: keeps every letter in order and answers as `answer` says, which is yes unless told otherwise."""

    letters: list[Letter] = field(default_factory=list)
    answer: Callable[[Letter], Outcome] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, letter: Letter) -> Outcome:
        with self.lock:
            self.letters.append(letter)
            number = len(self.letters)
        return self.answer(letter) if self.answer else Outcome("accepted", f"SM{number:032x}")

    def to(self, phone: str) -> list[str]:
        """What was said to one address, in order."""
        return [letter.body for letter in self.letters if letter.to == phone]


@dataclass(slots=True)
class Archive:
    """Fake records of Twilio's: what it holds of ours by recipient, and of theirs. `asked` keeps every call and whom about.

    `away` is Twilio not answering at all, `unfinished` are messages whose delivery is not over yet.
    """

    sent: list[tuple[str, SentRecord]] = field(default_factory=list)
    inbound: list[tuple[Incoming, datetime]] = field(default_factory=list)
    unfinished: set[str] = field(default_factory=set)
    away: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    meanwhile: Callable[[], object] | None = None

    def sent_to(self, address: str, since: datetime) -> tuple[SentRecord, ...]:
        self._ask("sent_to", address)
        return tuple(one for to, one in self.sent if to == address and one.created_at >= since - SECOND * 30)

    def news_of(self, sid: str) -> StatusUpdate | None:
        self._ask("news_of", sid)
        return next((StatusUpdate(sid, one.status, one.error_code) for _, one in self.sent if one.sid == sid), None)

    def inbound_since(self, since: datetime) -> Iterator[tuple[Incoming, datetime]]:
        self._ask("inbound_since", since.isoformat())
        yield from sorted((one for one in self.inbound if one[1] >= since), key=lambda one: one[1])

    def delete(self, sid: str) -> bool:
        self._ask("delete", sid)
        return sid not in self.unfinished

    def redact(self, sid: str) -> bool:
        self._ask("redact", sid)
        return sid not in self.unfinished

    def delete_media(self, sid: str) -> int:
        self._ask("delete_media", sid)
        return 1

    def _ask(self, what: str, whom: str) -> None:
        self.asked.append((what, whom))
        if self.meanwhile:
            self.meanwhile()
        if self.away:
            raise ProviderAway(503, 20503)


@dataclass(slots=True)
class Mailbox:
    """A fake mail server; `up` is whether it takes what it is given."""

    up: bool = True
    mails: list[Mail] = field(default_factory=list)

    def send(self, mail: Mail) -> bool:
        if self.up:
            self.mails.append(mail)
        return self.up


@dataclass(slots=True)
class Stage:
    """One worker with its room, its fakes and its clock, on a database of the test's own."""

    db: Database
    clock: Clock
    nlu: StubNlu = field(default_factory=StubNlu)
    whatsapp: Recorder = field(default_factory=Recorder)
    mail: Mailbox = field(default_factory=Mailbox)
    contacts: tuple[Contact, ...] = (FARAH, OWEN)
    handlers: Mapping[str, Handler] = field(default_factory=lambda: HANDLERS)

    @property
    def room(self) -> Room:
        mind = Mind(self.handlers, self.nlu.parse, SmallLimits(), lexicon())
        return Room(self.db, mind, texts(), Staffroom(self.contacts, has_mail=True), TERMS)

    @property
    def worker(self) -> Worker:
        return Worker(self.room, Post(self.whatsapp, self.mail, "https://e4a.example.org"), self.clock)

    def handling(self, **handlers: Handler) -> None:
        """From now on these handlers stand in for those of the same names."""
        self.handlers = {**self.handlers, **handlers}

    def hears(self, phone: str, *messages: str) -> None:
        """Messages from one phone are stored, as the webhook does it."""
        for text in messages:
            receive(self.db, an_incoming(phone, text), self.clock())

    def works(self) -> None:
        """The worker does everything that is due at this moment."""
        self.worker.once()

    def hears_and_works(self, phone: str, *messages: str) -> list[str]:
        """What one phone is told from here on, when it writes this."""
        said = len(self.whatsapp.to(phone))
        self.hears(phone, *messages)
        self.works()
        return self.whatsapp.to(phone)[said:]


@cache
def texts() -> Texts:
    """The real texts, read once."""
    return load_texts(FOLDER)


def english(key: str, **values: str) -> str:
    """A text as an English speaker reads it."""
    return texts().render("en", key, values)


_numbers = itertools.count(1)


def an_incoming(phone: str = AMINA, text: str = "thanks", **given: object) -> Incoming:
    """A text message with a SID of its own."""
    message = Incoming(f"SM{next(_numbers):032d}", phone, "", "text", text)
    return replace(message, **given)  # type: ignore[arg-type]


def receive(db: Database, incoming: Incoming, now: datetime) -> bool:
    """What the webhook does with a message: mask, screen, store. False if it was there already."""
    with db.write() as session:
        return inbox.record(session, incoming, inbox.look_over(incoming, lexicon()), now)


def a_learner(db: Database, phone: str = AMINA, *, now: datetime, consent: str = "give", name: str = "Amina Khan") -> int:
    """A learner on a course with one lesson to come, every consent given and the window open; the person's id."""
    with db.write() as session:
        point = point_of(session, phone, "", now)
        point.last_inbound_at = now
        person = session.get_one(PersonRow, point.person_id)
        person.name, person.learner_code = name, f"L{phone[1:]}"
        session.add(EnrolmentRow(person_id=point.person_id, course_id=_course(session, now), created_at=now))
        for purpose in CONSENTABLE:
            _consent(session, point.person_id, purpose, consent, now - timedelta(days=30))
        return point.person_id


def greeted(db: Database, phone: str, at: datetime) -> None:
    """The first message went to this phone then, and was delivered (aware UTC)."""
    with db.write() as session:
        point = point_of(session, phone, "", at)
        key, plan = f"first:{point.person_id}", "first_message"
        row = Outbound(key=key, person_id=point.person_id, contact_point_id=point.id, purpose="service", priority=3)
        row.body = "Hi Amina."
        row.use, row.plan, row.template, row.state = "course_update", plan, plan, "delivered"
        row.created_at = row.due_at = row.tried_at = row.sent_at = at
        session.add(row)


def another_phone(db: Database, phone: str, other: str, now: datetime) -> None:
    """The person behind `phone` also writes from another one; the window to it is open."""
    with db.write() as session:
        person_id = point_of(session, phone, "", now).person_id
        session.add(ContactPoint(person_id=person_id, kind="phone", value=other, last_inbound_at=now))


def a_member_of_staff(db: Database, code: str, role: str, *, now: datetime, phone: str = "", email: str = "") -> None:
    """Somebody with a staff code; with a phone, the window to it is open."""
    with db.write() as session:
        if phone:
            point = point_of(session, phone, "", now)
            point.last_inbound_at, person_id = now, point.person_id
        else:
            person = PersonRow(name=code, created_at=now)
            session.add(person)
            session.flush()
            person_id = person.id
        session.add(StaffRole(code=code, person_id=person_id, role=role, email=email))


def owe(db: Database, phone: str, now: datetime, *, key: str = "k1", purpose: Purpose = "service", **given: Any) -> int:
    """A message that we owe to a phone from `now` on; its id."""
    with db.write() as session:
        point = point_of(session, phone, "", now)
        use = "" if purpose in ANSWERS else "course_update"
        draft = outbox.Draft(key, point.person_id, point.id, purpose, f"Body of {key}.", now, use=use)  # type: ignore[arg-type]
        return outbox.add(session, replace(draft, **given), now)


def rows(db: Database, table: type[Row], *conditions: ColumnElement[bool]) -> Sequence[Row]:
    """Every row of a table for which the conditions hold, oldest first."""
    with db.read() as session:
        found = session.scalars(select(table).where(*conditions).order_by(*inspect(table).primary_key)).all()
        session.expunge_all()
        return found


def only(db: Database, table: type[Row], *conditions: ColumnElement[bool]) -> Row:
    """The one row for which the conditions hold."""
    (row,) = rows(db, table, *conditions)
    return row


def states(db: Database, *conditions: ColumnElement[bool]) -> list[tuple[str, str | None]]:
    """State and reason of every outbound message, oldest first."""
    return [(row.state, row.reason) for row in rows(db, Outbound, *conditions)]


def consent_of(db: Database, phone: str) -> list[ConsentState]:
    """Where service, check-ins and marketing stand for the person behind a phone."""
    point = only(db, ContactPoint, ContactPoint.value == phone)
    with db.read() as session:
        return [one.state for one in standing_of(session, point.person_id).values()]


def _course(session: Session, now: datetime) -> int:
    found = session.scalar(select(Course.id).where(Course.code == "SYB12"))
    if found is not None:
        return found
    ends_on = now.date() + timedelta(days=90)
    course = Course(code="SYB12", name="Start Your Business", cohort="Cohort 12", starts_on=now.date(), ends_on=ends_on)
    session.add(course)
    session.flush()
    start = now + timedelta(days=7)
    end = start + timedelta(hours=2)
    session.add(LessonRow(code="L2", course_id=course.id, title="Pricing", starts_at=start, ends_at=end, place="Room 4"))
    return course.id


def _consent(session: Session, person_id: int, purpose: str, action: str, at: datetime) -> None:
    given = ConsentEvent(person_id=person_id, purpose=purpose, action=action, at=at, recorded_at=at, source="declaration")
    session.add(given)
