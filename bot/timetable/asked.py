"""Puts a trainer's order into the turn: which lessons it may mean, whom it would reach, what stands in its way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from bot.hours import LONDON
from bot.models import Course, CourseTrainer, LessonRow, StaffRole
from bot.order_words import WEEKDAYS
from bot.orders import ReadOrder, read_minutes, read_order
from bot.terms import Terms
from bot.timetable import change
from bot.timetable.change import LessonError
from bot.timetable.notices import announce, reach
from bot.turn import Lesson, Order, Turn
from bot.turn.orders import unpack

MAY_ORDER = frozenset({"trainer", "admin"})
SOON = timedelta(hours=36)  # an order that names no day is about the next lesson, if it is as near as that
MOST = 4  # lessons to choose from: three are shown, and the fourth says that there are more
LOOKED_AT = 60  # lessons to come, of all their courses
NOON, EVENING = 12, 18  # o'clock in London
ASKS_MINUTES = "order_minutes"  # the question that a number of minutes answers
CONFIRMS = ("order_yes", "order_1", "order_2", "order_3")  # answers that an order is needed for


def with_orders(session: Session, turn: Turn, terms: Terms, now: datetime) -> Turn:
    """The turn with what a trainer or an administrator orders, or confirms, about lessons of theirs (aware UTC).

    `orders` holds one for each lesson that it may mean, or one that names no lesson where none fits; `lessons` those
    lessons, or else the next one. What the safety rules hear comes first, and nobody under a hold orders anything.
    """
    if not turn.person.roles & MAY_ORDER or turn.heard or turn.on_hold or turn.message.answered_by_twilio:
        return turn
    wish = _wish(turn)
    if wish is not None:
        return _with_wish(session, turn, wish, terms, now)
    minutes = _minutes(turn)
    if minutes is not None:
        return _with_minutes(session, turn, minutes, terms, now)
    pending = turn.pending
    if pending is not None and pending.about and pending.options.get(turn.answer) in CONFIRMS:
        return _with_asked(session, turn, pending.options[turn.answer], terms, now)
    return turn


def carry_out(session: Session, terms: Terms, order: Order, person_id: int, now: datetime) -> None:
    """The order of this member of staff, in the caller's commit. Raises LessonError where the lesson has changed since."""
    announce(session, terms, order, _signs(session, order, person_id), now)


def _wish(turn: Turn) -> ReadOrder | None:
    """What the message orders in its writer's own typed words: nothing that was forwarded, tapped or sent with a file."""
    return read_order(turn.message.text) if _is_typed(turn) else None


def _is_typed(turn: Turn) -> bool:
    message = turn.message
    return message.kind == "text" and not (message.media or message.button or message.forwarded)


def _minutes(turn: Turn) -> int | None:
    """How late, where that is what we asked and they answer it."""
    pending = turn.pending
    if pending is None or pending.question != ASKS_MINUTES or not pending.open_at(turn.now) or not _is_typed(turn):
        return None
    return read_minutes(turn.message.text) if turn.message.received_at >= pending.asked_at else None


def _with_minutes(session: Session, turn: Turn, minutes: int, terms: Terms, now: datetime) -> Turn:
    """The delay that we asked about, of the lessons that it may mean as they stand now."""
    orders: list[Order] = []
    lessons: list[Lesson] = []
    for order in unpack(turn.pending.about) if turn.pending else ():
        there = [one for one in _lessons(session, turn, order.lesson.upper(), now) if one.code == order.lesson]
        lessons += there
        orders += [replace(order, minutes=minutes, version=one.version) for one in there]
    if len(orders) == 1:
        orders = [_counted(session, orders[0], lessons[0], terms, now)]
    return replace(turn, orders=tuple(orders or [Order("late", "", 0, minutes)]), lessons=tuple(lessons), answer="")


def _with_wish(session: Session, turn: Turn, wish: ReadOrder, terms: Terms, now: datetime) -> Turn:
    lessons = _lessons(session, turn, wish.code, now)
    meant = _meant(lessons, wish, turn.message.received_at)  # their "tonight" is that of the day on which they wrote
    if not meant and turn.enrolments:
        return turn  # they are a learner too, and this is no lesson that they teach
    order = Order(wish.kind, "", 0, wish.minutes, wish.words)
    if not meant:
        return replace(turn, orders=(order,), lessons=tuple(_open(lessons)[:1]), answer="")
    orders = tuple(replace(order, lesson=one.code, version=one.version) for one in meant)
    if len(orders) == 1:
        orders = (_counted(session, orders[0], meant[0], terms, now),)
    return replace(turn, orders=orders, lessons=tuple(meant), answer="")


def _with_asked(session: Session, turn: Turn, answer: str, terms: Terms, now: datetime) -> Turn:
    """The order that our question was about, as it was asked, beside the lesson as it stands now."""
    asked = unpack(turn.pending.about) if turn.pending else ()
    place = int(answer[-1]) - 1 if answer[-1].isdigit() else 0
    if place >= len(asked):
        return turn
    order = asked[place]
    lessons = [one for one in _lessons(session, turn, order.lesson.upper(), now) if one.code == order.lesson]
    if not lessons:
        return turn
    if answer == CONFIRMS[0] and order.version == lessons[0].version:  # their YES is to the numbers that they read
        order = _checked(session, order, now)
    else:
        order = _counted(session, order, lessons[0], terms, now)
    return replace(turn, orders=(order,), lessons=(lessons[0],))


def _checked(session: Session, order: Order, now: datetime) -> Order:
    """The order, or what stands in its way by now: time has passed, or somebody has done it."""
    try:
        change.ordered(change.find(session, order.lesson, now, order.version), order, now)
    except LessonError as error:
        return replace(order, trouble=str(error))
    return order


def _counted(session: Session, order: Order, lesson: Lesson, terms: Terms, now: datetime) -> Order:
    """The order with how many it reaches as the lesson stands now, or with what stands in its way."""
    try:
        whom = reach(session, terms, replace(order, version=lesson.version), now)
    except LessonError as error:
        return replace(order, trouble=str(error))
    return replace(order, reached=whom.reached, unreached=whom.unreached)


def _lessons(session: Session, turn: Turn, code: str, now: datetime) -> list[Lesson]:
    """Lessons to come or under way, soonest first: of what they teach, and for an administrator of what is named."""
    wanted: list[ColumnElement[bool]] = [LessonRow.ends_at > now]
    if code:
        wanted.append(or_(func.upper(Course.code) == code, func.upper(LessonRow.code) == code))
    if not (code and "admin" in turn.person.roles):
        taught = select(CourseTrainer.course_id).where(CourseTrainer.person_id == turn.person.id)
        wanted.append(LessonRow.course_id.in_(taught))
    rows = select(LessonRow, Course.code).join(Course).where(*wanted)
    found = session.execute(rows.order_by(LessonRow.starts_at, LessonRow.code).limit(LOOKED_AT))
    return [_lesson(row, course) for row, course in found]


def _lesson(row: LessonRow, course: str) -> Lesson:
    off = row.cancelled_at is not None
    return Lesson(row.code, course, row.title, row.starts_at, row.ends_at, row.place, row.link, off, row.version)


def _open(lessons: Sequence[Lesson]) -> list[Lesson]:
    return [one for one in lessons if not one.cancelled]


def _meant(lessons: Sequence[Lesson], wish: ReadOrder, said_at: datetime) -> list[Lesson]:
    """The lessons that the order may be about. One that is off already only where it is the only one."""
    fits = [one for one in lessons if _in_part(one, wish)]
    if wish.day in ("", "next"):
        return _next(_open(fits) or fits, wish, said_at)
    days = {one: one.starts_at.astimezone(LONDON).date() for one in fits}
    today = said_at.astimezone(LONDON).date()
    if wish.day in WEEKDAYS:
        named = [one for one, day in days.items() if day.weekday() == WEEKDAYS.index(wish.day)]
        wanted = min((days[one] for one in named if days[one] < today + timedelta(days=8)), default=None)
    else:
        wanted = today + timedelta(days=int(wish.day == "tomorrow"))
    there = [one for one, day in days.items() if day == wanted]
    return (_open(there) or there[:1])[:MOST]


def _next(fits: Sequence[Lesson], wish: ReadOrder, said_at: datetime) -> list[Lesson]:
    """The lesson that is on or comes next, and the first of any other course on that day."""
    if wish.day == "next":
        near = [one for one in fits if one.starts_at > said_at]
    else:
        near = [one for one in fits if one.starts_at <= said_at + SOON] or (list(fits) if wish.code else [])
    if wish.kind == "late":  # what has begun by then cannot start later, unless there is nothing else
        near = [one for one in near if one.starts_at + timedelta(minutes=wish.minutes) > said_at] or near
    of_course: dict[str, Lesson] = {}
    for one in near:
        if one.starts_at.astimezone(LONDON).date() == near[0].starts_at.astimezone(LONDON).date():
            of_course.setdefault(one.course, one)
    return list(of_course.values())[:MOST]


def _in_part(lesson: Lesson, wish: ReadOrder) -> bool:
    """Is the lesson in the part of the day that was named? What begins before and ends in the evening is "tonight"."""
    starts, ends = lesson.starts_at.astimezone(LONDON).hour, lesson.ends_at.astimezone(LONDON)
    if wish.part == "morning":
        return starts < NOON
    if wish.part == "afternoon":
        return NOON <= starts < EVENING
    return wish.part == "" or ends.hour >= EVENING or ends.date() > lesson.starts_at.astimezone(LONDON).date()


def _signs(session: Session, order: Order, person_id: int) -> str:
    """The staff code that signs: their trainer's for a course they teach, else an administrator's. Raises LessonError."""
    of_lesson = select(LessonRow.course_id).where(LessonRow.code == order.lesson).scalar_subquery()
    teaches = (CourseTrainer.person_id == person_id, CourseTrainer.course_id == of_lesson)
    may = ("trainer", "admin") if session.scalar(select(CourseTrainer.person_id).where(*teaches)) else ("admin",)
    roles = select(StaffRole.code).where(StaffRole.person_id == person_id, StaffRole.role.in_(may))
    code = session.scalar(roles.order_by(StaffRole.role.desc(), StaffRole.id))
    if code is None:
        raise LessonError("this is no lesson of theirs")
    return code
