"""Builders for the tests of opportunities: admins, many learners in a few lines, an opportunity on its way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from bot import opportunities, outbox
from bot.database import Database
from bot.models import ConsentEvent, ContactPoint, Course, EnrolmentRow, Interest, Opportunity, Outbound, PersonRow
from bot.opportunities import Written
from bot.people import point_of
from bot.terms import Terms
from bot.turn import CONSENTABLE
from bot.whatsapp import Outcome
from tests.bot.rooms import TERMS, a_member_of_staff, only
from tests.bot.templates import ready

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
WHAT = "a stall at the Christmas market in Blackburn, Sat 12 Dec"
MORE = "https://www.example.org/christmas-market"
EVERYTHING = dict.fromkeys(CONSENTABLE, "give")


def staff(db: Database, now: datetime) -> None:
    """Two admins, a trainer, and one of each other role."""
    for code, role in (("A1", "admin"), ("A2", "admin"), ("T1", "trainer"), ("S1", "safeguarding"), ("R1", "read-only")):
        a_member_of_staff(db, code, role, now=now, email=f"{code.lower()}@example.org")


def a_course(db: Database, code: str, now: datetime, *, ends_in: timedelta = 90 * DAY, cohort: str = "Cohort 12") -> None:
    """A course that began half a year before it ends."""
    ends_on = now.date() + ends_in
    with db.write() as session:
        session.add(Course(code=code, name=code, cohort=cohort, starts_on=ends_on - 180 * DAY, ends_on=ends_on))


def phone(number: int) -> str:
    """The made-up phone of learner `number`."""
    return f"+4477009{number:05}"


def learners(db: Database, now: datetime, *numbers: int, course: str = "SYB12", **given: Any) -> list[int]:
    """Learners on a course who agreed to all (or as `consent` says), last heard of `wrote_ago` (None: never); their ids."""
    consent, ago = given.get("consent", EVERYTHING), given.get("wrote_ago", 3 * DAY)
    found = []
    with db.write() as session:
        course_id = session.scalars(select(Course.id).where(Course.code == course)).one()
        for number in numbers:
            point = point_of(session, phone(number), "", now)
            point.last_inbound_at = None if ago is None else now - ago
            person = session.get_one(PersonRow, point.person_id)
            person.name, person.learner_code = given.get("name", f"Learner{number} Khan"), f"L{number}"
            since = now - given.get("enrolled_ago", 30 * DAY)
            session.add(EnrolmentRow(person_id=person.id, course_id=course_id, created_at=since))
            signed = {"at": now - 30 * DAY, "recorded_at": now - 30 * DAY, "source": "declaration"}
            session.add_all(ConsentEvent(person_id=person.id, purpose=p, action=a, **signed) for p, a in consent.items())
            session.add_all(Interest(person_id=person.id, topic=topic) for topic in given.get("interests", ()))
            found.append(person.id)
    return found


def an_offer(now: datetime, code: str = "MARKET", **given: Any) -> Written:
    """A stall at a market, for everybody, for a week, by A1."""
    return replace(Written(code, WHAT, MORE, "A1", now + 7 * DAY), **given)


def on_its_way(db: Database, now: datetime, code: str = "MARKET", **given: Any) -> datetime:
    """It is written, approved by A2, and its template by WhatsApp; when it begins to go."""
    opportunities.add(db, TERMS, an_offer(now, code, **given), now)
    with db.write() as session:
        if not session.scalar(select(Opportunity.id).where(Opportunity.code != code).limit(1)):
            ready(session, "opportunity", now)
    return approved(db, code, now).release_at


def approved(db: Database, code: str, now: datetime, by: str = "A2") -> opportunities.Approval:
    """Somebody read it as it stands, and approves it."""
    return opportunities.approve(db, code, by, now, seen=opportunities.mark_of(opportunities.read(db, code)))


def had_news(db: Database, now: datetime, numbers: Iterable[int], days: int) -> None:
    """One message on each of the last days, today among them."""
    with db.write() as session:
        for number in numbers:
            point = session.scalars(select(ContactPoint).where(ContactPoint.value == phone(number))).one()
            for day in range(days):
                to = {"person_id": point.person_id, "contact_point_id": point.id, "key": f"news {number} {day}"}
                at = now - day * DAY
                went = {"due_at": at, "created_at": at, "tried_at": at, "sent_at": at, "state": "accepted", "attempts": 1}
                session.add(Outbound(purpose="service", use="course_update", priority=3, body="news", **to, **went))


def silent(db: Database, since: datetime) -> None:
    """Nobody has written to us after `since`."""
    with db.write() as session:
        session.execute(update(ContactPoint).values(last_inbound_at=since))


def sent(db: Database, at: datetime, terms: Terms = TERMS) -> list[str]:
    """The phones to which something goes at this moment, in order; Twilio takes it all."""
    found = []
    while (one := outbox.claim(db, terms, at)) is not None:
        outbox.record(db, terms, one.outbound_id, Outcome("accepted", f"SMf{one.outbound_id:031d}"), at)
        found.append(one.to)
        at += timedelta(milliseconds=20)
    return found


def the_offer(db: Database, code: str = "MARKET") -> Opportunity:
    """Its row as it stands."""
    return only(db, Opportunity, Opportunity.code == code)
