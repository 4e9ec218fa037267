"""What may happen to a lesson: each change is checked here, before anything is written or anybody is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.models import Course, LessonRow
from bot.templates import clean
from bot.timetable.adverts import LINKS, wrong_link, wrong_place, wrong_title, wrong_words
from bot.timetable.locks import learners_of, lock_people
from bot.turn import LONGEST_DELAY, NoticeKind, Order

IS_OFF = "this lesson is cancelled already. If it is on after all: lesson restore CODE --as YOURS"


class LessonError(Exception):
    """This cannot be done to this lesson; says why, in words for whoever asked."""


@dataclass(frozen=True, slots=True)
class Slot:
    """When a lesson is (aware UTC), what it is and where."""

    starts_at: datetime
    ends_at: datetime
    title: str
    place: str = ""
    link: str = ""

    @classmethod
    def of(cls, lesson: LessonRow) -> Self:
        """As the lesson stands."""
        return cls(lesson.starts_at, lesson.ends_at, lesson.title, lesson.place, lesson.link)


@dataclass(frozen=True, slots=True)
class News:
    """What happens to a lesson: how it stood, how it stands from then on, and the words of a problem.

    Without `everybody` only those hear of it who were told of the lesson as it stood: a reminder will tell the others.
    """

    kind: NoticeKind
    was: Slot
    slot: Slot
    words: str = ""
    everybody: bool = True


@dataclass(frozen=True, slots=True)
class NewLesson:
    """A lesson that is not on any list yet, of the course with this code."""

    code: str
    course: str
    slot: Slot


def has_code(column: InstrumentedAttribute[str], code: str) -> ColumnElement[bool]:
    """Is it the code that was typed, in whichever case?"""
    typed = code.strip()
    return or_(column == typed, func.upper(column) == typed.upper())


def find(  # noqa: PLR0913 (which, as it stood when, and for what)
    session: Session, code: str, now: datetime, version: int | None = None, *, lock: bool = False, off: bool = False
) -> LessonRow:
    """The lesson with this code, while it can still be changed. Raises LessonError where it cannot.

    With `off` it is one that is cancelled, and to be on again. With `version` it must stand as it did then. Locked, it lets
    rows be written that only point at it (a retry of a message of it), so that nobody who holds a message waits for us
    while we wait for them.
    """
    wanted = select(LessonRow).where(has_code(LessonRow.code, code)).execution_options(populate_existing=True)
    one = wanted.order_by(LessonRow.code != code.strip()).limit(1)
    lesson = session.scalar(one)
    if lock and lesson is not None:
        lock_people(session, learners_of(session, LessonRow.id == lesson.id))  # people first, as everybody does
        lesson = session.scalar(one.with_for_update(key_share=True))
    if lesson is None:
        raise LessonError("there is no lesson with this code")
    _look_at(lesson, now, version, off=off)
    return lesson


def _look_at(lesson: LessonRow, now: datetime, version: int | None, *, off: bool) -> None:
    if lesson.cancelled_at is not None and not off:
        raise LessonError(IS_OFF)
    if lesson.cancelled_at is None and off:
        raise LessonError("this lesson is not cancelled")
    if lesson.ends_at <= now:
        raise LessonError("this lesson is over")
    if version is not None and lesson.version != version:
        raise LessonError("this lesson was changed a moment ago: look at it again")


def find_course(session: Session, code: str) -> Course:
    """The course with this code, in whichever case. Raises LessonError."""
    wanted = select(Course).where(has_code(Course.code, code)).order_by(Course.code != code.strip())
    course = session.scalar(wanted.limit(1))
    if course is None:
        raise LessonError("there is no course with this code")
    return course


def add(session: Session, new: NewLesson, now: datetime) -> LessonRow:
    """A lesson more, planned for by the next round. Raises LessonError; never commits."""
    course = find_course(session, new.course)
    if not new.code.strip():
        raise LessonError("a lesson needs a code")
    there = session.scalars(select(LessonRow).where(has_code(LessonRow.code, new.code))).first()
    if there is not None:
        raise LessonError("there is a lesson with this code already" if there.cancelled_at is None else IS_OFF)
    slot = replace(new.slot, title=_fine(new.slot.title, wrong_title))
    slot = replace(slot, place=_fine(slot.place, wrong_place), link=_fine(slot.link, wrong_link))
    _in_time(slot, now)
    lesson = LessonRow(code=new.code.strip(), course_id=course.id, starts_at=slot.starts_at, ends_at=slot.ends_at)
    lesson.title, lesson.place, lesson.link = slot.title, slot.place, slot.link
    session.add(lesson)
    session.flush()  # a code that somebody else took a moment ago is found out here
    return lesson


def move(lesson: LessonRow, starts_at: datetime, ends_at: datetime, now: datetime, *, everybody: bool = False) -> News:
    """The lesson at another time (aware). Raises LessonError for one in the past, and where nothing changes."""
    was = Slot.of(lesson)
    slot = replace(was, starts_at=starts_at, ends_at=ends_at)
    _in_time(slot, now)
    if slot == was:
        raise LessonError("that is when the lesson is already")
    return News("moved", was, slot, everybody=everybody)


def delay(lesson: LessonRow, minutes: int, now: datetime) -> News:
    """The lesson so many minutes later, at both ends. Raises LessonError."""
    if not 1 <= minutes <= LONGEST_DELAY:
        raise LessonError(f"a delay is 1 to {LONGEST_DELAY} minutes: what is later than that is a move")
    was, later = Slot.of(lesson), timedelta(minutes=minutes)
    slot = replace(was, starts_at=was.starts_at + later, ends_at=was.ends_at + later)
    if slot.starts_at <= now:
        raise LessonError("that time has passed. Send a longer delay")
    return News("late", was, slot)


def cancel(lesson: LessonRow) -> News:
    """The lesson is off."""
    return News("cancelled", Slot.of(lesson), Slot.of(lesson))


def restore(lesson: LessonRow, now: datetime) -> News:
    """A lesson that was cancelled is on after all. Raises LessonError where it would have begun."""
    slot = Slot.of(lesson)
    if slot.starts_at <= now:
        raise LessonError("this lesson would have begun by now: add another one")
    return News("restored", slot, slot)


def place(lesson: LessonRow, room: str | None, link: str | None) -> News:
    """The lesson elsewhere; None: as it was, and an empty one: none from now on. Raises LessonError."""
    was = Slot.of(lesson)
    slot = was if room is None else replace(was, place=_fine(room, wrong_place))  # what stays as it was is not asked about
    slot = slot if link is None else replace(slot, link=_fine(link, wrong_link))
    if slot == was:
        raise LessonError("that is where the lesson is already")
    return News("place", was, slot)


def problem(lesson: LessonRow, words: str) -> News:
    """Trouble with a lesson that stays as it is, in a trainer's or the office's own words. Raises LessonError."""
    return News("problem", Slot.of(lesson), Slot.of(lesson), _fine(words, wrong_words))


def ordered(lesson: LessonRow, order: Order, now: datetime) -> News:
    """What a trainer orders from their own phone. Raises LessonError."""
    match order.kind:
        case "late":
            return delay(lesson, order.minutes, now)
        case "cancelled":
            return cancel(lesson)
        case "place":
            linked = order.words.strip().lower().startswith(LINKS)
            if not order.words.strip():
                raise LessonError("say where the lesson is from now on")
            return place(lesson, None if linked else order.words, order.words if linked else None)
        case "problem":
            return problem(lesson, order.words)
        case "moved":
            raise LessonError("a lesson is moved to another day by the office")
        case "restored":
            raise LessonError("a lesson that was cancelled is restored by the office")


def _in_time(slot: Slot, now: datetime) -> None:
    if slot.starts_at.tzinfo is None or slot.ends_at.tzinfo is None:
        raise LessonError("a time needs its zone")
    if slot.ends_at <= slot.starts_at:
        raise LessonError("a lesson ends after it starts")
    if slot.starts_at <= now:
        raise LessonError("that time is in the past")


def _fine(text: str, trouble: Callable[[str], str]) -> str:
    """The text as a message can hold it. Raises LessonError."""
    bare = clean(text)
    if why := trouble(bare):
        raise LessonError(why)
    return bare
