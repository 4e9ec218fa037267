"""Whom a change of a lesson concerns, and by which phone each of them is reached."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from bot.batches import by_thousands
from bot.hours import Hours
from bot.models import ContactPoint, EnrolmentRow, LessonRow, Outbound, PersonRow
from bot.reminders import day_before
from bot.status import MAY_HAVE_GONE
from bot.timetable.change import News
from bot.timetable.rewrite import MOMENTS

NO_DAY_BEFORE = ("none", "hour")  # their own choice: no reminder will tell them in time


@dataclass(frozen=True, slots=True)
class Learner:
    """Somebody concerned, and the phone to reach them by; None where there is none."""

    person: PersonRow
    point: ContactPoint | None


def concerned(  # noqa: PLR0913, PLR0917 (of what, when, and who cannot know)
    session: Session, hours: Hours, lesson: LessonRow, news: News, now: datetime, unread: Collection[int] = ()
) -> list[Learner]:
    """Who is to hear of it: everybody enrolled; of a lesson moved in good time those who know it as it was, and no more.

    Those were told of it, or not long ago were about to be (`unread`), or want no reminder that would tell them.
    """
    people = session.scalars(select(PersonRow).where(PersonRow.id.in_(_enrolled(lesson))).order_by(PersonRow.id)).all()
    if not news.everybody and not _soon(news, hours, now):
        told = _told(session, lesson).union(unread)
        people = [one for one in people if one.id in told or _unreminded(one, news, hours)]
    return _with_phones(session, people)


def _soon(news: News, hours: Hours, now: datetime) -> bool:
    """Has the day before come, of the old time or the new? Then everybody may count on what they know."""
    return day_before(min(news.was.starts_at, news.slot.starts_at), hours) <= now


def _told(session: Session, lesson: LessonRow) -> set[int]:
    """Who was sent a reminder or news of it, or has news waiting."""
    may_know = or_(Outbound.state.in_(MAY_HAVE_GONE), (Outbound.plan == "notice") & (Outbound.state == "queued"))
    of_lesson = (Outbound.lesson_id == lesson.id, Outbound.plan.in_(("notice", *MOMENTS)))
    return set(session.scalars(select(Outbound.person_id).where(*of_lesson, may_know)))


def _unreminded(person: PersonRow, news: News, hours: Hours) -> bool:
    quiet = person.quiet_until is not None and person.quiet_until > day_before(news.slot.starts_at, hours)
    return quiet or person.reminders in NO_DAY_BEFORE


def _with_phones(session: Session, people: Sequence[PersonRow]) -> list[Learner]:
    """The phone they last wrote from, else the newest; one that nothing reaches only where there is no other."""
    best: dict[int, ContactPoint] = {}
    theirs = select(ContactPoint).where(ContactPoint.kind == "phone", ContactPoint.disowned_at.is_(None))
    in_order = theirs.order_by(
        ContactPoint.unreachable_at.is_not(None), ContactPoint.last_inbound_at.desc().nulls_last(), ContactPoint.id.desc()
    )
    for some in by_thousands(person.id for person in people):
        for point in session.scalars(in_order.where(ContactPoint.person_id.in_(some))):
            best.setdefault(point.person_id, point)
    return [Learner(person, best.get(person.id)) for person in people]


def _enrolled(lesson: LessonRow) -> Select[int]:
    return select(EnrolmentRow.person_id).where(EnrolmentRow.course_id == lesson.course_id)
