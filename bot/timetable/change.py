"""What may happen to a lesson: each change is checked here, before anything is written or anybody is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models import Course, LessonRow
from bot.template_lint import WORDS
from bot.templates import LONGEST_VALUE, clean
from bot.timetable.words import SHORT
from bot.turn import NoticeKind, Order

MOST_MINUTES = 240  # of a delay; what is later than that is a move
LONGEST_WORDS = 200
LINKS = ("https://", "http://")


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


def find(session: Session, code: str, now: datetime, version: int | None = None, *, lock: bool = False) -> LessonRow:
    """The lesson with this code, while it can still be changed. Raises LessonError where it cannot.

    With `version` it must stand as it did then. Locked, it lets rows be written that only point at it (a retry of a
    message of it), so that nobody who holds a message waits for us while we wait for them.
    """
    wanted = select(LessonRow).where(LessonRow.code == code.strip()).execution_options(populate_existing=True)
    lesson = session.scalar(wanted.with_for_update(key_share=True) if lock else wanted)
    if lesson is None:
        raise LessonError("there is no lesson with this code")
    if lesson.cancelled_at is not None:
        raise LessonError("this lesson is cancelled already")
    if lesson.ends_at <= now:
        raise LessonError("this lesson is over")
    if version is not None and lesson.version != version:
        raise LessonError("this lesson was changed a moment ago: look at it again")
    return lesson


def add(session: Session, new: NewLesson, now: datetime) -> LessonRow:
    """A lesson more, planned for by the next round. Raises LessonError; never commits."""
    course = session.scalar(select(Course.id).where(Course.code == new.course.strip()))
    if course is None:
        raise LessonError("there is no course with this code")
    if not new.code.strip():
        raise LessonError("a lesson needs a code")
    if session.scalar(select(LessonRow.id).where(LessonRow.code == new.code.strip())) is not None:
        raise LessonError("there is a lesson with this code already")
    slot = _placed(replace(new.slot, title=clean(new.slot.title)))
    if not slot.title:
        raise LessonError("a lesson needs a title")
    _in_time(slot, now)
    lesson = LessonRow(code=new.code.strip(), course_id=course, starts_at=slot.starts_at, ends_at=slot.ends_at)
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
    if not 1 <= minutes <= MOST_MINUTES:
        raise LessonError(f"a delay is 1 to {MOST_MINUTES} minutes: what is later than that is a move")
    was, later = Slot.of(lesson), timedelta(minutes=minutes)
    slot = replace(was, starts_at=was.starts_at + later, ends_at=was.ends_at + later)
    if slot.starts_at <= now:
        raise LessonError("it would have begun by now all the same: say a longer delay, counted from its start")
    return News("late", was, slot)


def cancel(lesson: LessonRow) -> News:
    """The lesson is off."""
    return News("cancelled", Slot.of(lesson), Slot.of(lesson))


def place(lesson: LessonRow, room: str | None, link: str | None) -> News:
    """The lesson elsewhere; None: as it was, and an empty one: none from now on. Raises LessonError."""
    was = Slot.of(lesson)
    slot = _placed(replace(was, place=was.place if room is None else room, link=was.link if link is None else link))
    if slot == was:
        raise LessonError("that is where the lesson is already")
    return News("place", was, slot)


def problem(lesson: LessonRow, words: str) -> News:
    """Trouble with a lesson that stays as it is, in a trainer's or the office's own words. Raises LessonError."""
    bare = clean(words)
    if not any(char.isalnum() for char in bare):
        raise LessonError("say in a few words what the trouble is")
    return News("problem", Slot.of(lesson), Slot.of(lesson), _harmless(bare, LONGEST_WORDS, "the words"))


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


def _in_time(slot: Slot, now: datetime) -> None:
    if slot.starts_at.tzinfo is None or slot.ends_at.tzinfo is None:
        raise LessonError("a time needs its zone")
    if slot.ends_at <= slot.starts_at:
        raise LessonError("a lesson ends after it starts")
    if slot.starts_at <= now:
        raise LessonError("that time is in the past")


def _placed(slot: Slot) -> Slot:
    """Place and link as a message can hold them. Raises LessonError."""
    room, link = _harmless(clean(slot.place), SHORT, "the place"), clean(slot.link)
    if link and (not link.lower().startswith(LINKS) or " " in link or len(link) > LONGEST_VALUE - SHORT):
        raise LessonError(f"a link begins with https:// and has no spaces, and at most {LONGEST_VALUE - SHORT} characters")
    return replace(slot, place=room, link=link)


def _harmless(text: str, longest: int, what: str) -> str:
    """The text, where no service message becomes an advert by it, or asks for a secret (P18, L12, L18)."""
    if len(text) > longest:
        raise LessonError(f"{what}: at most {longest} characters")
    for words in WORDS.values():
        found = words.promotional.search(text) or words.secret.search(text)
        if found:
            raise LessonError(f"{what}: a lesson message must not say '{found[0]}'")
    return text
