"""Plans the reminders of lessons, as rows in bulk: for a lesson everybody who learns on it, for a person what they lack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, select, tuple_, update
from sqlalchemy.orm import Session

from bot import outbox
from bot.database import Database
from bot.models import Course, EnrolmentRow, LessonRow, PersonRow
from bot.planning import comebacks, who
from bot.planning.drafts import Fault, tell_office
from bot.reminders import Wish, horizon, moments
from bot.templates import BadVariables
from bot.terms import Terms
from bot.timetable.words import reminder_variables

TEMPLATE = "lesson_reminder"
LESSONS, LEARNERS = 100, 150  # looked at in one commit: SQLite has one writer, and no answer waits long for a plan


class Lesson(NamedTuple):
    """A lesson as its reminders are planned from."""

    id: int
    version: int
    code: str
    title: str
    starts_at: datetime
    place: str
    link: str
    hour_before: bool


class Learner(NamedTuple):
    """Somebody enrolled whom a phone reaches, for one lesson."""

    lesson_id: int
    person_id: int
    language: str
    point_id: int
    choice: str
    quiet_until: datetime | None


class Place(NamedTuple):
    """Whom a round has come to: it goes on after this learner of this lesson. `left` are lessons to be planned again."""

    lesson_id: int = 0
    person_id: int = 0
    left: frozenset[int] = frozenset()


@dataclass(slots=True)
class Words:
    """Each lesson's words, put together once for each language; faults are those that no template takes.

    `owed` is how many rows were new, or go after all.
    """

    terms: Terms
    bodies: dict[tuple[int, str], tuple[str, dict[str, str]] | None] = field(default_factory=dict)
    faults: dict[Fault, None] = field(default_factory=dict)
    owed: int = 0

    def of(self, lesson: Lesson, language: str) -> tuple[str, dict[str, str]] | None:
        """The whole text and its variables; None where it cannot be said."""
        key = (lesson.id, language)
        if key not in self.bodies:
            self.bodies[key] = self._put(lesson, language)
        return self.bodies[key]

    def _put(self, lesson: Lesson, language: str) -> tuple[str, dict[str, str]] | None:
        variables = reminder_variables(lesson.title, lesson.starts_at, lesson.place, lesson.link)
        try:
            return self.terms.templates.find(TEMPLATE, language).fill(variables), variables
        except BadVariables as error:
            self.faults[None, (error.template, error.variable, lesson.code)] = None
            return None


def plan_lessons(db: Database, terms: Terms, now: datetime) -> int:
    """Owe the reminders of every lesson of the next days that was not planned as it is now; how many go (P12).

    For everybody enrolled whom a phone reaches: the gate asks them when it is sent. In short commits; wherever it is
    killed, it is done again, and keys see to it that nothing is there twice.
    """
    with db.read() as session:  # where there is nothing to do no writer waits for us
        ids = sorted(session.scalars(select(LessonRow.id).where(*_to_plan(terms, now))))
    planned = 0
    for start in range(0, len(ids), LESSONS):
        some = ids[start : start + LESSONS]
        place: Place | None = Place()
        while place is not None:
            words = Words(terms)
            with db.write() as session:
                place = _step(session, words, some, place, now)
            planned += words.owed
            for fault in words.faults:
                tell_office(db, *fault, now)
    return planned


def _to_plan(terms: Terms, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Lessons yet to be planned that start within the horizon."""
    coming = (LessonRow.starts_at > now, LessonRow.starts_at <= horizon(now, terms.hours))
    return (LessonRow.planned_at.is_(None), LessonRow.cancelled_at.is_(None), *coming)


def lacking(session: Session, words: Words, people: Sequence[int], now: datetime) -> list[outbox.Draft]:
    """What the lessons within the horizon lack for these people: who came late to a course, or is back from whatever."""
    return comebacks.lacking(session, of_people(session, words, people, now))


def of_people(session: Session, words: Words, people: Sequence[int], now: datetime) -> list[outbox.Draft]:
    """Every reminder of lessons within the horizon that these people would be owed if they came now."""
    mine = select(EnrolmentRow.course_id).where(EnrolmentRow.person_id.in_(people))
    near = LessonRow.starts_at <= horizon(now, words.terms.hours)
    coming = (LessonRow.starts_at > now, near, LessonRow.cancelled_at.is_(None))
    those = found(session, LessonRow.course_id.in_(mine), *coming)
    if not those:
        return []
    return list(drafts(words, those, learners(session, those, PersonRow.id.in_(people)), now))


def unchanged(session: Session, owed: Iterable[outbox.Draft]) -> list[outbox.Draft]:
    """Those of whose lesson nothing has changed since, nor is changing now; locked against a change until the commit."""
    by_lesson = {one.lesson_id: one.lesson_version for one in owed}
    if not by_lesson:
        return []
    rows = select(LessonRow.id, LessonRow.version).where(LessonRow.id.in_(list(by_lesson)), LessonRow.cancelled_at.is_(None))
    locked = session.execute(rows.with_for_update(read=True, skip_locked=True)).all()
    same = {lesson for lesson, version in locked if by_lesson[lesson] == version}
    return [one for one in owed if one.lesson_id in same]


def learners(
    session: Session, lessons: Iterable[Lesson], *which: ColumnElement[bool], most: int | None = None
) -> list[Learner]:
    """Everybody whom a phone reaches, of each of these lessons, in the order of lessons and people."""
    point = who.phone()
    wish = (PersonRow.reminders, PersonRow.quiet_until)
    columns = select(LessonRow.id, PersonRow.id, PersonRow.language, point, *wish).select_from(LessonRow)
    joined = columns.join(EnrolmentRow, EnrolmentRow.course_id == LessonRow.course_id).join(
        PersonRow, PersonRow.id == EnrolmentRow.person_id
    )
    those = joined.where(LessonRow.id.in_([one.id for one in lessons]), *which)
    rows = session.execute(those.order_by(LessonRow.id, PersonRow.id).limit(most))
    return [Learner(*row) for row in rows]


def drafts(words: Words, lessons: Iterable[Lesson], those: Iterable[Learner], now: datetime) -> Iterator[outbox.Draft]:
    """What each of these learners is to have of their lesson."""
    by_id, hours = {one.id: one for one in lessons}, words.terms.hours
    for one in those:
        lesson = by_id[one.lesson_id]
        said = words.of(lesson, one.language) if one.point_id is not None else None
        if said is None:
            continue
        wish = Wish(one.choice, one.quiet_until)
        due = dict(moments(lesson.starts_at, wish, now, of_course=lesson.hour_before, hours=hours))
        for plan, due_at in due.items():
            yield outbox.Draft(
                key=f"{plan}:{lesson.id}:{one.person_id}",
                person_id=one.person_id,
                contact_point_id=one.point_id,
                purpose="service",
                use="lesson_reminder",
                plan=plan,
                body=said[0],
                variables=said[1],
                template=TEMPLATE,
                due_at=due_at,
                best_before=due.get("hour_before", lesson.starts_at) if plan == "day_before" else lesson.starts_at,
                lesson_id=lesson.id,
                lesson_version=lesson.version,
            )


def found(session: Session, *which: ColumnElement[bool]) -> list[Lesson]:
    """These lessons, as reminders are planned from them, in the order of their ids."""
    return [Lesson(*row) for row in session.execute(_lessons(*which))]


def _step(session: Session, words: Words, some: Sequence[int], place: Place, now: datetime) -> Place | None:
    """One commit of these lessons (ids, in order): after whom to go on, None once all were seen.

    A lesson of whose learners somebody else holds one stays to be planned: the next round finds what it lacks.
    """
    locked = _lessons(*_to_plan(words.terms, now), LessonRow.id.in_([one for one in some if one >= place.lesson_id]))
    locked = locked.with_for_update(of=LessonRow, key_share=True, skip_locked=True)
    those = [Lesson(*row) for row in session.execute(locked)]
    page = learners(session, those, tuple_(LessonRow.id, PersonRow.id) > (place.lesson_id, place.person_id), most=LEARNERS)
    full = len(page) == LEARNERS
    free = _not_held_up(session, {one.person_id for one in page})
    wanted = list(drafts(words, those, [one for one in page if one.person_id in free], now))
    words.owed = outbox.add_all(session, wanted, now)
    if words.owed < len(wanted):
        words.owed += comebacks.put_right(session, wanted)
    later = {one.lesson_id for one in page if one.person_id not in free} | place.left
    whole = [one.id for one in those if one.id not in later and (not full or one.id < page[-1].lesson_id)]
    session.execute(update(LessonRow).where(LessonRow.id.in_(whole)).values(planned_at=now))
    return Place(page[-1].lesson_id, page[-1].person_id, frozenset(later)) if full else None


def _not_held_up(session: Session, people: set[int]) -> set[int]:
    """Those whom nobody else has locked: an import may for a while, and must never wait for us who wait for it."""
    free = select(PersonRow.id).where(PersonRow.id.in_(people)).with_for_update(read=True, key_share=True, skip_locked=True)
    return set(session.scalars(free))


def _lessons(*which: ColumnElement[bool]) -> Any:
    row = LessonRow
    columns = (row.id, row.version, row.code, row.title, row.starts_at, row.place, row.link, Course.hour_before)
    return select(*columns).join(Course, Course.id == row.course_id).where(*which).order_by(row.id)
