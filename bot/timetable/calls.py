"""The call sheet of a notice: who was to hear of it and did not, so that a person can tell them (P13, D01).

Whoever is under a safeguarding hold is not on it, for nobody but the safeguarding lead may know of that (D18); the lead has
a case of theirs already. Whom newer news of the lesson concerned is on the sheet of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.cases import open_case
from bot.database import Database
from bot.models import Audit, ContactPoint, EnrolmentRow, LessonRow, Notice, Outbound, PersonRow
from bot.status import WENT
from bot.timetable import permits
from bot.timetable.change import LessonError

CASE = "call_sheet"
WAIT = timedelta(minutes=10)  # for what is under way; then somebody has to phone, if it is urgent
NO_PHONE = "no_phone"
NOT_CALLED = ("SUPERSEDED", "SAFEGUARDING_HOLD", "ERASED")
UNDER_WAY = ("queued", "sending", "accepted", "unknown")
WHY: Mapping[str, str] = {
    NO_PHONE: "we have no phone of theirs",
    "OPTED_OUT": "they opted out of our messages",
    "NO_CONSENT": "they have not agreed to messages",
    "PAST_6_MONTHS": "their course ended six months ago",
    "BLOCKED_BY_USER": "WhatsApp does not reach their phone",
    "WRONG_NUMBER": "the number we have is not theirs",
    "STALE": "it could not be sent in time",
    "WINDOW_CLOSED_NO_TEMPLATE": "WhatsApp has not approved the template",
    "failed": "it could not be delivered",
    "unknown": "nobody knows whether it was sent",
    "queued": "it has not been sent yet",
    "sending": "it has not been sent yet",
}


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody to phone, and why. `phone` is empty for whoever may not see numbers."""

    learner: str
    name: str
    phone: str
    reason: str
    why: str


def call_sheet(db: Database, notice_id: int, by: str, now: datetime) -> list[Call]:
    """Who was not told, by code, for an admin or a trainer of the course; numbers for admins alone. One line of audit.

    Raises LessonError, NoSuchStaff, NotAllowed.
    """
    with db.write() as session:
        notice = session.get(Notice, notice_id)
        if notice is None:
            raise LessonError("there is no notice with this number")
        lesson = session.get_one(LessonRow, notice.lesson_id)
        role = permits.require(session, by, lesson.course_id)
        session.add(Audit(at=now, by=by, act="notice.calls", details={"notice": notice.id}))
        untold = _untold(session, notice, lesson)
        people = session.scalars(select(PersonRow).where(PersonRow.id.in_(untold)))
        return [
            _call(session, person, untold[person.id], numbers=role == "admin")
            for person in sorted(people, key=lambda one: (one.name, one.id))
        ]


def call_sheets(db: Database, now: datetime) -> int:
    """Open a case for each notice that did not reach somebody, once that is known; how many (aware UTC).

    That is when nothing of it is under way; where it is urgent, after ten minutes at the latest.
    """
    with db.read() as session:
        waiting = session.scalars(select(Notice.id).where(Notice.called_at.is_(None)).order_by(Notice.id)).all()
    return sum(_look_at(db, notice_id, now) for notice_id in waiting)


def _look_at(db: Database, notice_id: int, now: datetime) -> bool:
    with db.read() as session:
        notice = session.get_one(Notice, notice_id)
        if not _is_ready(session, notice, now):
            return False
    with db.write() as session:
        notice = session.scalars(select(Notice).where(Notice.id == notice_id).with_for_update(key_share=True)).one()
        if notice.called_at is not None:
            return False
        notice.called_at = now
        lesson = session.get_one(LessonRow, notice.lesson_id)
        if not _untold(session, notice, lesson):
            return False
        open_case(session, None, CASE, now, (str(notice.id), lesson.code), urgent=notice.urgent)
        return True


def _is_ready(session: Session, notice: Notice, now: datetime) -> bool:
    """Is it known who was not told? Urgent news that reached somebody late is worth a call that was not needed."""
    under_way = [state for state, tried in _of(session, notice) if state in UNDER_WAY and not _silent(state, tried, now)]
    if not under_way:
        return True
    return notice.urgent and now >= notice.at + WAIT and bool(_untold(session, notice))


def _of(session: Session, notice: Notice) -> list[tuple[str, datetime | None]]:
    waiting = select(Outbound.state, Outbound.tried_at).where(Outbound.notice_id == notice.id)
    return [(state, tried) for state, tried in session.execute(waiting)]


def _silent(state: str, tried_at: datetime | None, now: datetime) -> bool:
    """Twilio took it and says no more of it, or nobody finds out: what can be known of it is."""
    return state in ("accepted", "unknown") and tried_at is not None and tried_at <= now - WAIT


def _untold(session: Session, notice: Notice, lesson: LessonRow | None = None) -> dict[int, str]:
    """Whom no message of it went to, and why: a reason of the gate, or the state of the last try."""
    lesson = lesson or session.get_one(LessonRow, notice.lesson_id)
    rows = select(Outbound.person_id, Outbound.state, Outbound.reason).where(Outbound.notice_id == notice.id)
    why: dict[int, str] = {}
    told: set[int] = set()
    for person, state, reason in session.execute(rows.order_by(Outbound.id)):
        why[person] = reason if state == "withheld" and reason else state
        if state in WENT:
            told.add(person)
    without = dict.fromkeys(_without_phone(session, notice, lesson, why), NO_PHONE)
    return {one: reason for one, reason in (why | without).items() if one not in told and reason not in NOT_CALLED}


def _without_phone(session: Session, notice: Notice, lesson: LessonRow, planned: Iterable[int]) -> set[int]:
    """Learners of the time for whom there was no phone to write to, and is none yet: nothing was planned for them."""
    enrolled = (EnrolmentRow.course_id == lesson.course_id, EnrolmentRow.created_at <= notice.at)
    has_one = select(ContactPoint.person_id).where(ContactPoint.kind == "phone", ContactPoint.disowned_at.is_(None))
    found = session.scalars(select(EnrolmentRow.person_id).where(*enrolled, EnrolmentRow.person_id.not_in(has_one)))
    held = set(session.scalars(select(PersonRow.id).where(PersonRow.held_at.is_not(None))))
    return set(found) - set(planned) - held


def _call(session: Session, person: PersonRow, reason: str, *, numbers: bool) -> Call:
    phones = select(ContactPoint.value).where(ContactPoint.person_id == person.id, ContactPoint.kind == "phone")
    usable = phones.where(ContactPoint.disowned_at.is_(None)).order_by(ContactPoint.id.desc()).limit(1)
    phone = session.scalar(usable) if numbers else None
    return Call(person.learner_code or "", person.name, phone or "", reason, WHY.get(reason, "it was not sent"))
