"""Reads rows into the frozen values that decisions are made from. Only looks; never writes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, selectinload

from bot import checkins, consent, history
from bot.batches import by_thousands
from bot.gate import in_company
from bot.hours import LONDON, Hours, hours_for, opening
from bot.models import (
    Alert,
    ConsentEvent,
    ContactPoint,
    Course,
    CourseTrainer,
    EnrolmentRow,
    Inbound,
    LessonRow,
    OfficeCase,
    Outbound,
    PersonRow,
)
from bot.names import first_name
from bot.turn import (
    CONSENTABLE,
    Coming,
    Consentable,
    Enrolment,
    Heard,
    Kind,
    Lesson,
    Media,
    Message,
    Pending,
    Person,
    Plan,
    Purpose,
    ReminderChoice,
    Turn,
)

LESSONS_SHOWN = 3  # of each course, and as many that were cancelled
COMING_SHOWN = 5
OUTAGE_TOLD = timedelta(minutes=15)
HOLD_TOLD = timedelta(minutes=10)


def load_turn(session: Session, row: Inbound, heard: tuple[Heard, ...], now: datetime) -> Turn:
    """Everything the handlers may know about a stored message. `parse` and `answer` are filled in by who asked for them."""
    person = session.get_one(PersonRow, row.person_id)
    point = session.get_one(ContactPoint, row.contact_point_id)
    disowned = point.disowned_at is not None
    courses = [] if disowned else _enrolled(session, person.id)
    taught = [] if disowned else _taught(session, person.id)
    standing = standing_of(session, person.id)
    asked = None if disowned else checkins.waiting(session, person.id, now)
    return Turn(
        message=_message(row),
        person=_person(person, known=not disowned and bool(courses or person.staff_roles), disowned=disowned),
        now=now,
        heard=heard,
        enrolments=tuple(_enrolment(course) for course in courses),
        in_company=in_company("marketing", (course.ends_on for course in courses), now.astimezone(LONDON).date()),
        lessons=_lessons(session, [*courses, *taught], now),
        quoted=None if disowned else _quoted(session, row),
        pending=_open(_pending(person), asked, now),
        consent={purpose: one.state for purpose, one in standing.items()},
        restorable=frozenset(consent.restorable(standing, CONSENTABLE)),
        withdrawn_at=history.said_stop(session, person.id) if standing["service"].state == "withdrawn" else None,
        misses=person.misses,
        warned_at=person.warned_at,
        open_cases=frozenset(_open_cases(session, person.id, now)),
        on_hold=person.held_at is not None,
        watched=person.watched,
        alerted=person.held_at is not None and _alerted(session, person.id),
        held_lately=person.held_at is not None and _held_lately(session, person.id, now),
        overtaken=history.overtaken(session, row),
        number_moved=not disowned and history.number_moved(session, point),
        left_group=not disowned and history.left_group(session, person, standing["service"]),
        checked_in=asked is not None,
        agreed=() if disowned else history.agreed(session, person.id, standing),
        reminders=cast(ReminderChoice, person.reminders),
        quiet_until=person.quiet_until,
    )


def with_coming(session: Session, turn: Turn, hours: Hours) -> Turn:
    """The turn with what is planned for them, where they ask for it: one question, and none for any other message."""
    if turn.wish is None or turn.wish.kind != "what_will_you_send" or not turn.person.known:
        return turn
    return replace(turn, coming=_coming(session, turn, hours))


def _coming(session: Session, turn: Turn, hours: Hours) -> tuple[Coming, ...]:
    """What is planned and may go by what they agreed to, at the hour when it may; nothing that speaks of an older lesson."""
    agreed = [purpose for purpose, state in turn.consent.items() if state == "given"]
    theirs = (Outbound.person_id == turn.person.id, Outbound.state == "queued", Outbound.plan != "")
    live = or_(Outbound.lesson_id.is_(None), Outbound.lesson_version.is_(None), Outbound.lesson_version == LessonRow.version)
    in_time = or_(Outbound.best_before.is_(None), Outbound.best_before > turn.now)
    found = select(Outbound, LessonRow.title, Course.name).outerjoin(LessonRow, LessonRow.id == Outbound.lesson_id)
    named = found.outerjoin(Course, Course.id == LessonRow.course_id).where(*theirs, live, in_time)
    soonest = named.where(Outbound.purpose.in_(agreed)).order_by(Outbound.due_at, Outbound.id).limit(COMING_SHOWN)
    comes = (_comes(row, title or course or "", hours, turn.now) for row, title, course in session.execute(soonest))
    return tuple(sorted(comes, key=lambda one: one.due_at))


def _comes(row: Outbound, about: str, hours: Hours, now: datetime) -> Coming:
    due = max(row.due_at, now)
    at = due if row.urgent else opening(hours_for(cast(Purpose, row.purpose), hours), due)
    if row.urgent_from is not None:
        at = min(at, max(due, row.urgent_from))
    return Coming(cast(Plan, row.plan), at, about)


def standing_of(session: Session, person_id: int) -> dict[Consentable, consent.Standing]:
    """The person's consent to each purpose, from the whole ledger."""
    return consent.standing(events_of(session, [person_id])[person_id])


def events_of(session: Session, people: Iterable[int]) -> defaultdict[int, list[consent.Event]]:
    """The whole ledger of each of them, as consent is read from it; a few questions, however many they are."""
    row = ConsentEvent
    columns = select(row.person_id, row.purpose, row.action, row.at, row.id, row.inbound_id)
    found: defaultdict[int, list[consent.Event]] = defaultdict(list)
    for some in by_thousands(people):
        for who, purpose, action, at, order, inbound in session.execute(columns.where(row.person_id.in_(some))):
            found[who].append(consent.Event(purpose, action, at, order, inbound))
    return found


def _message(row: Inbound) -> Message:
    details = row.details
    return Message(
        sid=row.sid,
        kind=cast(Kind, row.kind),
        text=row.text,
        received_at=row.received_at,
        media=tuple(Media(url, claimed) for url, claimed in details.get("media", ())),
        button=details.get("button", ""),
        quoted_sid=details.get("quoted_sid", ""),
        forwarded=details.get("forwarded", False),
        masked=tuple(details.get("masked", ())),
        answered_by_twilio=details.get("answered_by_twilio", ""),
    )


def _person(row: PersonRow, *, known: bool, disowned: bool) -> Person:
    if disowned:
        return Person(row.id)
    roles = frozenset(one.role for one in row.staff_roles)
    return Person(row.id, known, first_name(row.name), row.language, roles)


def _pending(row: PersonRow) -> Pending | None:
    if row.pending is None:
        return None
    asked_at, about = datetime.fromisoformat(row.pending["asked_at"]), row.pending.get("about", "")
    return Pending(row.pending["question"], row.pending["options"], asked_at, about=about)


def _open(pending: Pending | None, asked: Pending | None, now: datetime) -> Pending | None:
    """The question that may be answered: a check-in waits for longer than others, and steps back while one of them is.

    A question asked later keeps its place when its time is over: "3" to its list is no cry for help.
    """
    if asked is None or pending is None:
        return pending or asked
    later = pending.question != asked.question and pending.asked_at >= asked.asked_at
    return pending if later or pending.open_at(now) else asked


def _enrolled(session: Session, person_id: int) -> list[Course]:
    of_person = select(EnrolmentRow.course_id).where(EnrolmentRow.person_id == person_id)
    return list(session.scalars(_courses().where(Course.id.in_(of_person))))


def _taught(session: Session, person_id: int) -> list[Course]:
    of_person = select(CourseTrainer.course_id).where(CourseTrainer.person_id == person_id)
    return list(session.scalars(_courses().where(Course.id.in_(of_person))))


def _courses() -> Select[Course]:
    with_trainers = selectinload(Course.trainers).selectinload(CourseTrainer.person)
    return select(Course).options(with_trainers).order_by(Course.starts_on, Course.code)


def _enrolment(course: Course) -> Enrolment:
    leads = first_name(course.trainers[0].person.name) if course.trainers else ""
    place = (course.name, course.cohort, course.starts_on, course.ends_on)
    return Enrolment(course.code, *place, leads, course.group_link, course.hour_before)


def _lessons(session: Session, courses: Sequence[Course], now: datetime) -> tuple[Lesson, ...]:
    """The next few lessons of each course, soonest first; a cancelled one stays until its time has passed."""
    names = {course.id: course.name for course in courses}
    if not names:
        return ()
    each = (LessonRow.course_id, LessonRow.cancelled_at.is_(None))
    place = func.row_number().over(partition_by=each, order_by=(LessonRow.starts_at, LessonRow.code)).label("place")
    coming = select(LessonRow.id, place).where(LessonRow.course_id.in_(names), LessonRow.ends_at > now).subquery()
    first = select(LessonRow).join(coming, coming.c.id == LessonRow.id).where(coming.c.place <= LESSONS_SHOWN)
    rows = session.scalars(first.order_by(LessonRow.starts_at, LessonRow.code))
    return tuple(_lesson(row, names[row.course_id]) for row in rows)


def _quoted(session: Session, row: Inbound) -> Lesson | None:
    """The lesson that they answer about, by the message of ours to which they reply."""
    sid = row.details.get("quoted_sid", "")
    if not sid:
        return None
    ours = (Outbound.sid == sid, Outbound.person_id == row.person_id)
    found = session.scalar(select(LessonRow).join(Outbound, Outbound.lesson_id == LessonRow.id).where(*ours))
    return _lesson(found, found.course.name) if found else None


def _lesson(row: LessonRow, course: str) -> Lesson:
    when_and_where = (row.title, row.starts_at, row.ends_at, row.place, row.link)
    return Lesson(row.code, course, *when_and_where, row.cancelled_at is not None, row.version)


def _held_lately(session: Session, person_id: int, now: datetime) -> bool:
    ours = (Outbound.person_id == person_id, Outbound.purpose == "safety", Outbound.created_at > now - HOLD_TOLD)
    return session.scalar(select(Outbound.id).where(*ours).limit(1)) is not None


def _alerted(session: Session, person_id: int) -> bool:
    here = (OfficeCase.person_id == person_id, OfficeCase.restricted, OfficeCase.state == "open", Alert.state == "sent")
    return (
        session.scalar(select(Alert.id).join(OfficeCase, OfficeCase.id == Alert.case_id).where(*here).limit(1)) is not None
    )


def _open_cases(session: Session, person_id: int, now: datetime) -> Iterable[str]:
    """Kinds of open case. One outage of Rasa is told once; a case left over from an older one must not silence the next."""
    this_outage = or_(OfficeCase.kind != "nlu_away", OfficeCase.opened_at > now - OUTAGE_TOLD)
    here = (OfficeCase.person_id == person_id, OfficeCase.state == "open", this_outage)
    return session.scalars(select(OfficeCase.kind).where(*here))
