"""Whose courses are over or will be, and what they were ever owed after one: read for bot.planning.company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.checkins import asked_by
from bot.clock import london_day_starts
from bot.gate import SUPERSEDED
from bot.goodbyes import last_courses, parted_from
from bot.models import Course, EnrolmentRow, LessonRow, Outbound, PersonRow
from bot.outbox import OF_THE_PERSON
from bot.planning.who import FIRST, agreed, phone, willing
from bot.status import MAY_HAVE_GONE

PLANS = ("check_in", "goodbye")
Place = tuple[int, int | None]  # a course, and the week of a check-in; no week: the goodbye


@dataclass(frozen=True, slots=True)
class Companion:
    """Somebody all of whose courses have an end, with the course that ends last: from it everything is reckoned (P03)."""

    person_id: int
    name: str
    language: str
    point_id: int | None  # the phone that reaches them, if one does
    course_id: int
    code: str
    course: str
    ends_on: date
    greeted: bool  # their first message went or may have gone: nothing comes before it (F01)


@dataclass(frozen=True, slots=True)
class Endless:
    """A course (its code) without an end that somebody is on, and how long it goes on at least (aware UTC)."""

    person_id: int
    code: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that somebody was owed after a course, as it stands."""

    outbound_id: int
    place: Place
    state: str
    reason: str | None
    best_before: datetime | None
    first: bool  # it is not one that was sent again

    def kept_back(self, now: datetime) -> bool:
        """Did an opting-out, a hold or a phone keep it back, and is it worth reading yet? (`now`: aware UTC)"""
        fresh = self.best_before is not None and self.best_before > now
        return fresh and self.state == "withheld" and self.reason in OF_THE_PERSON

    @property
    def superseded(self) -> bool:
        """True where it waits for nothing but a new day."""
        return self.state == "withheld" and self.reason == SUPERSEDED


def of(session: Session, people: Sequence[int]) -> Iterator[Companion]:
    """Those of `people` (ids) with a last course. Where one has no end yet nothing can come after it (P03)."""
    courses = last_courses(session, people)
    first = (Outbound.template == FIRST, Outbound.state.in_(MAY_HAVE_GONE))
    greeted = set(session.scalars(select(Outbound.person_id).where(Outbound.person_id.in_(courses), *first)))
    about = select(PersonRow.id, PersonRow.name, PersonRow.language, phone()).where(PersonRow.id.in_(courses))
    for person_id, name, language, point_id in session.execute(about):
        last = courses[person_id]
        course = (last.id, last.code, last.name, last.ends_on)
        yield Companion(person_id, name, language, point_id, *course, greeted=person_id in greeted)


def back(session: Session, messages: Mapping[int, list[Kept]], now: datetime) -> frozenset[int]:
    """The messages (ids), of these by person, that were kept back, and whose people may be written to again by now."""
    people = [one for one, has in messages.items() if any(row.kept_back(now) for row in has)]
    if not people:
        return frozenset()
    said = agreed(session, people)
    rows = [(one, row) for one in willing(session, people, said) for row in messages[one] if row.kept_back(now)]
    return frozenset(row.outbound_id for one, row in rows if ("service" if row.place[1] is None else "checkin") in said[one])


def without_end(session: Session, people: Sequence[int]) -> list[Endless]:
    """The courses of `people` (ids) that have no end: each goes on until it has begun and its last known lesson is over."""
    last = select(func.max(LessonRow.ends_at)).where(LessonRow.course_id == Course.id, LessonRow.cancelled_at.is_(None))
    columns = (EnrolmentRow.person_id, Course.code, Course.starts_on, last.correlate(Course).scalar_subquery())
    mine = select(*columns).join(Course).where(EnrolmentRow.person_id.in_(people), Course.ends_on.is_(None))
    rows = session.execute(mine.order_by(Course.code)).all()
    return [Endless(who, code, max(london_day_starts(day), over or london_day_starts(day))) for who, code, day, over in rows]


def kept(session: Session, people: Sequence[int]) -> Mapping[int, list[Kept]]:
    """Every check-in and goodbye of each of `people`, whatever became of it."""
    columns = (Outbound.person_id, Outbound.id, Outbound.key, Outbound.state, Outbound.reason, Outbound.best_before)
    theirs = (Outbound.person_id.in_(people), Outbound.plan.in_(PLANS))
    rows = session.execute(select(*columns, Outbound.retry_of).where(*theirs)).all()
    found: defaultdict[int, list[Kept]] = defaultdict(list)
    for person_id, outbound_id, key, state, reason, best_before, retry_of in rows:
        asked = asked_by(key)
        place = (asked[1], asked[2]) if asked else (parted_from(key) or 0, None)
        found[person_id].append(Kept(outbound_id, place, state, reason, best_before, retry_of is None))
    return found
