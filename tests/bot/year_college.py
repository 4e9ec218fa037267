"""The college of the year's test: courses that end where calendars are hard, their lessons, and two hundred learners.

What is kept here is the test's own picture of it; the rules ask this, and never the service.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from bot.database import Database
from bot.models import (
    ConsentEvent,
    ContactPoint,
    Course,
    EnrolmentRow,
    LessonRow,
    PersonRow,
    StaffRole,
    TemplateRow,
)
from tests.bot.rooms import TERMS

LONDON = ZoneInfo("Europe/London")
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
CLOCKS_CHANGE = (date(2026, 10, 25), date(2027, 3, 28))  # the lessons of these days take place, whatever else happens
STARTS = datetime(2026, 9, 1, 7, tzinfo=UTC)
PURPOSES = ("service", "checkin", "marketing")
ROOMS = ("Room 4", "Room 6", "the Old Mill", "12 Church Street")
# Code, first and last day, day of the week (0 is Monday) and London time of its lessons, hour before too.
COURSES = (
    ("OVER", date(2026, 5, 4), date(2026, 8, 31), 0, time(10), False),  # six months on there is no 31st
    ("BACK", date(2026, 8, 2), date(2026, 10, 25), 6, time(10), False),  # its last lesson is on the day of 25 hours
    ("LATE", date(2026, 9, 7), date(2026, 12, 31), 3, time(20, 30), False),  # the day before is after hours
    ("DAWN", date(2026, 9, 7), date(2026, 11, 30), 1, time(7, 30), True),  # and before them
    ("LEAP", date(2026, 11, 2), date(2027, 2, 28), 2, time(14), True),
    ("FORE", date(2027, 1, 3), date(2027, 3, 28), 6, time(10), False),  # on the day of 23 hours
    ("LONG", date(2026, 9, 14), date(2027, 1, 31), 4, time(18), False),
    ("NEXT", date(2027, 5, 3), date(2027, 8, 31), 0, time(9), False),
)


@dataclass(eq=False, slots=True)
class Lesson:
    """A lesson as it stands, and when it was changed."""

    code: str
    course: str
    starts_at: datetime
    ends_at: datetime
    place: str
    added_at: datetime
    version: int = 1
    moves: int = 0  # changes of its time alone
    cancelled: bool = False
    changed: list[datetime] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class News:
    """One change of a lesson that was given out: its version then, and whether the lesson was within twelve hours."""

    lesson: Lesson
    kind: str
    at: datetime
    version: int
    urgent: bool
    best_before: datetime
    urgent_from: datetime


@dataclass(eq=False, slots=True)
class Learner:
    """Somebody, what they said and wish. Of each purpose: yes, no, or maybe where the test need not know."""

    id: int
    code: str
    phone: str
    courses: tuple[str, ...]
    says: dict[str, str]
    answers: bool
    before: dict[str, str] = field(default_factory=dict)  # how it stood when they said STOP
    blocked: bool = False
    known_blocked: bool = False
    wrote_at: datetime | None = None
    wish: str = ""
    quiet_until: datetime | None = None
    turns: list[tuple[datetime, bool]] = field(default_factory=list)  # since when it is plain that they are to be reminded

    def note(self, now: datetime) -> None:
        """Something about them changed: is it plain from now on that they want each lesson's day before, and get it?"""
        plain = self.says["service"] == "yes" and not (self.wish or self.quiet_until or self.blocked)
        self.turns.append((now, plain))

    def is_plain(self, since: datetime, until: datetime) -> bool:
        """Was it so all this time, with no change in it?"""
        before = [plain for at, plain in self.turns if at <= since]
        return before[-1:] == [True] and not any(since < at < until for at, _ in self.turns)


@dataclass(slots=True)
class College:
    """Everybody and everything, by code and by id."""

    ends: dict[str, date]
    hour_before: set[str]
    lessons: dict[str, Lesson]
    learners: dict[int, Learner]
    lesson_codes: dict[int, str] = field(default_factory=dict)  # by the row's id
    news: dict[int, News] = field(default_factory=dict)  # by the notice's id


def made(chance: random.Random, learners: int) -> College:
    """The college on the first day, in the test's own picture."""
    lessons = {one.code: one for code, *rest in COURSES for one in _lessons(code, *rest[:4])}
    college = College(
        ends={code: ends for code, _, ends, *_ in COURSES},
        hour_before={code for code, *_, hour in COURSES if hour},
        lessons=lessons,
        learners={},
    )
    codes = [code for code, *_ in COURSES]
    for number in range(1, learners + 1):
        on = chance.sample(codes, chance.choice((1, 1, 1, 2)))
        yes = chance.random()
        says = {p: "yes" if yes < share else "no" for p, share in zip(PURPOSES, (0.9, 0.8, 0.5), strict=True)}
        one = Learner(number, f"L{number:03}", f"+4477009{number:05}", tuple(on), says, answers=chance.random() < 0.5)
        one.note(STARTS)
        college.learners[number] = one
    return college


def _lessons(code: str, first: date, last: date, weekday: int, at: time) -> list[Lesson]:
    day = first + DAY * ((weekday - first.weekday()) % 7)
    found = []
    while day <= last:
        starts_at = datetime.combine(day, at, LONDON).astimezone(UTC)
        if starts_at > STARTS:
            found.append(Lesson(f"{code}-{day}", code, starts_at, starts_at + 2 * HOUR, ROOMS[0], STARTS))
        day += 7 * DAY
    return found


def stored(db: Database, college: College) -> None:
    """The same college in the database, as an import would leave it."""
    with db.write() as session:
        for place, (code, starts_on, ends_on, *_, hour) in enumerate(COURSES, 1):
            session.add(
                Course(
                    id=place,
                    code=code,
                    name=f"Course {code}",
                    cohort=f"C{place}",
                    starts_on=starts_on,
                    ends_on=ends_on,
                    hour_before=hour,
                )
            )
        session.flush()
        ids = {code: place for place, (code, *_) in enumerate(COURSES, 1)}
        for number, one in enumerate(college.lessons.values(), 1):
            college.lesson_codes[number] = one.code
            when = {"starts_at": one.starts_at, "ends_at": one.ends_at}
            session.add(
                LessonRow(id=number, code=one.code, course_id=ids[one.course], title="Pricing", place=one.place, **when)
            )
        for learner in college.learners.values():
            _store(session, learner, ids)
        for code in ("A1", "A2"):
            admin = PersonRow(name=code, created_at=STARTS)
            session.add(admin)
            session.flush()
            session.add(StaffRole(code=code, person_id=admin.id, role="admin", email=f"{code}@example.org"))
        for template in TERMS.templates:
            named = {"name": template.name, "language": template.language, "version": template.version}
            kept = {"content_sid": f"HX{template.name}", "status": "approved", "category": template.category}
            session.add(TemplateRow(**named, **kept, checked_at=STARTS))


def _store(session: object, learner: Learner, courses: dict[str, int]) -> None:
    execute = session.execute  # type: ignore[attr-defined]
    about = {"id": learner.id, "name": f"Sam{learner.id} Lee", "learner_code": learner.code, "created_at": STARTS}
    execute(insert(PersonRow).values(**about))
    execute(insert(ContactPoint).values(id=learner.id, person_id=learner.id, kind="phone", value=learner.phone))
    for code in learner.courses:
        execute(insert(EnrolmentRow).values(person_id=learner.id, course_id=courses[code], created_at=STARTS))
    for purpose, says in learner.says.items():
        said = {"action": "give" if says == "yes" else "refuse", "at": STARTS - 9 * DAY, "recorded_at": STARTS - 9 * DAY}
        execute(insert(ConsentEvent).values(person_id=learner.id, purpose=purpose, source="declaration", **said))


def told(at: datetime) -> str:
    """A moment as learners read it: `Mon 30 Nov, 10:00`."""
    there = at.astimezone(LONDON)
    return f"{there:%a} {there.day} {there:%b}, {there:%H:%M}"
