"""Whose courses are over or will be, and which check-ins and goodbyes they were ever owed: read for bot.planning.company."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.checkins import asked_by
from bot.models import Course, EnrolmentRow, Outbound, PersonRow
from bot.planning.who import phone

GOODBYE = re.compile(r"goodbye:\d+:(\d+)")  # its key: the person and the course
PLANS = ("check_in", "goodbye")
SUPERSEDED = "SUPERSEDED"  # the gate's reason, here for a course whose end has moved
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


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that somebody was owed after a course, as it stands."""

    outbound_id: int
    place: Place
    state: str
    reason: str | None
    best_before: datetime | None
    first: bool  # it is not one that was sent again

    @property
    def superseded(self) -> bool:
        """True where it waits for nothing but a new day."""
        return self.state == "withheld" and self.reason == SUPERSEDED


def of(session: Session, people: Sequence[int]) -> Iterator[Companion]:
    """Those of `people` (ids) with a last course. Where one has no end yet nothing can come after it (P03)."""
    courses = _courses(session, people)
    about = select(PersonRow.id, PersonRow.name, PersonRow.language, phone()).where(PersonRow.id.in_(courses))
    for person_id, name, language, point_id in session.execute(about):
        ends_on, course_id, code, course = courses[person_id]
        yield Companion(person_id, name, language, point_id, course_id, code, course, ends_on)


def kept(session: Session, people: Sequence[int]) -> Mapping[int, list[Kept]]:
    """Every check-in and goodbye of each of `people`, whatever became of it."""
    columns = (Outbound.person_id, Outbound.id, Outbound.key, Outbound.state, Outbound.reason, Outbound.best_before)
    theirs = (Outbound.person_id.in_(people), Outbound.plan.in_(PLANS))
    rows = session.execute(select(*columns, Outbound.retry_of).where(*theirs)).all()
    found: defaultdict[int, list[Kept]] = defaultdict(list)
    for person_id, outbound_id, key, state, reason, best_before, retry_of in rows:
        asked, parted = asked_by(key), GOODBYE.match(key)
        place = (asked[1], asked[2]) if asked else (int(parted[1]) if parted else 0, None)
        found[person_id].append(Kept(outbound_id, place, state, reason, best_before, retry_of is None))
    return found


def _courses(session: Session, people: Sequence[int]) -> dict[int, tuple[date, int, str, str]]:
    """The end, id, code and name of the course that ends last, for whom every course has an end."""
    theirs = select(EnrolmentRow.person_id, Course.ends_on, Course.id, Course.code, Course.name).join(Course)
    found: dict[int, tuple[date, int, str, str]] = {}
    endless = set[int]()
    rows = session.execute(theirs.where(EnrolmentRow.person_id.in_(people)))
    for person_id, ends_on, course_id, code, name in rows:
        if ends_on is None:
            endless.add(person_id)
        else:
            last = (ends_on, course_id, code, name)
            found[person_id] = max(found.get(person_id, last), last)
    return {person_id: last for person_id, last in found.items() if person_id not in endless}
