"""Writes lessons: only what the list itself changed since the last one, so that a lesson moved by a person stays moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.importing.known import columns_by, rows_by
from bot.importing.numbers import Desk
from bot.importing.rows import LessonLine
from bot.importing.values import Outcome, outcome
from bot.models import Course, LessonRow
from bot.models.base import Json
from bot.timetable import leaving, notices, rewrite
from bot.timetable.change import News, Slot

SLOT = ("starts_at", "ends_at", "title", "place", "link")  # what a list says of a lesson beside its course


def write_lessons(desk: Desk, rows: Sequence[LessonLine], courses: Mapping[str, Course]) -> Iterator[Outcome]:
    """The lessons of courses that are there. One that changed is announced to whoever knows it as it was (P12)."""
    there = {lesson.code: lesson for lesson in rows_by(desk.session, select(LessonRow), LessonRow.code, _codes(rows))}
    names = {course.id: code for code, course in courses.items()}
    for row in rows:
        says, lesson = _listing(row), there.get(row.code)
        if lesson is None:
            values = row.model_dump(exclude={"course"}) | {"course_id": courses[row.course].id, "listed": says}
            desk.session.add(LessonRow(**values))
            yield outcome(new=True, changed=False)
            continue
        last = lesson.listed or _standing(lesson, names.get(lesson.course_id, ""))
        differing = {name for name, value in says.items() if last.get(name) != value}
        changed = bool(differing) and _follow(desk, lesson, row, differing, courses)
        if lesson.listed != says:
            lesson.listed = says
        yield outcome(new=False, changed=changed)


def to_follow(session: Session, rows: Sequence[LessonLine]) -> list[int]:
    """Which lessons (ids) the list may change: all of their learners are to be locked before one of them is."""
    says = {row.code: _listing(row) for row in rows}
    columns = (LessonRow.id, LessonRow.code, LessonRow.listed)
    found = columns_by(session, columns, LessonRow.code, says)
    return [lesson for lesson, code, listed in found if listed != says[code]]


def _codes(rows: Sequence[LessonLine]) -> Iterator[str]:
    yield from (row.code for row in rows)


def _listing(row: LessonLine) -> Json:
    """What the list says, as it is remembered."""
    return _plain(row, row.course)


def _standing(lesson: LessonRow, course: str) -> Json:
    """How a lesson stands of which no list is remembered: one added by hand, or imported before lists were."""
    return _plain(lesson, course)


def _plain(one: LessonLine | LessonRow, course: str) -> Json:
    values: dict[str, Any] = {name: getattr(one, name) for name in SLOT}
    times = {name: values[name].isoformat() for name in ("starts_at", "ends_at")}
    return {"course": course, **values, **times}


def _follow(desk: Desk, lesson: LessonRow, row: LessonLine, differing: set[str], courses: Mapping[str, Course]) -> bool:
    """Do to the lesson what the list changed; True if that changed anything. One that is cancelled stays so."""
    desk.session.refresh(lesson, with_for_update={"key_share": True})
    if lesson.cancelled_at is not None:
        return False
    teller, was = notices.Desk(desk.session, desk.terms, desk.by, desk.now), Slot.of(lesson)
    slot, course = _slot(was, row, differing), courses[row.course].id
    if "course" in differing and lesson.course_id != course:
        _give_to(teller, lesson, course, slot)
        return True
    if slot == was:
        return False
    news = _news(desk, was, slot)
    if news is None:
        rewrite.correct(desk.session, desk.terms, lesson, slot, desk.now, told=False)
    else:
        notices.tell(teller, lesson, news)
    return True


def _slot(was: Slot, row: LessonLine, differing: set[str]) -> Slot:
    """The lesson with what the list changed. Its times are one thing: a new start comes with its end.

    Where the list changed the end alone, it is another length, of a lesson that a person may have moved.
    """
    slot = replace(was, **{name: getattr(row, name) for name in ("title", "place", "link") if name in differing})
    if "starts_at" in differing:
        return replace(slot, starts_at=row.starts_at, ends_at=row.ends_at)
    if "ends_at" in differing:
        return replace(slot, ends_at=was.starts_at + (row.ends_at - row.starts_at))
    return slot


def _give_to(teller: notices.Desk, lesson: LessonRow, course_id: int, slot: Slot) -> None:
    """It is another course's: planning reminds that one, and who counts on it as it was hears that it is not theirs."""
    was, learners = Slot.of(lesson), leaving.who_counts_on(teller, lesson, course_id)
    lesson.course_id = course_id
    rewrite.forget(teller.session, lesson)
    if slot != was:
        rewrite.correct(teller.session, teller.terms, lesson, slot, teller.now, told=False)
    leaving.tell_it_is_not_theirs(teller, lesson, was, learners)


def _news(desk: Desk, was: Slot, slot: Slot) -> News | None:
    """What is announced: another time or place of a lesson that is still to come, or that did not take place when it was.

    Else the list only sets right what was.
    """
    if slot.starts_at <= desk.now:
        return None
    elsewhere = (slot.place, slot.link) != (was.place, was.link)
    if (slot.starts_at, slot.ends_at) != (was.starts_at, was.ends_at):
        return News("moved", was, slot, everybody=elsewhere)
    return News("place", was, slot) if elsewhere else None
