"""The call sheet of a notice: who was to hear of it and did not, so that a person can tell them (P13, D01).

Whoever is under a safeguarding hold is not on it, for nobody but the safeguarding lead may know of that (D18); the lead has
a case of theirs already. Whom newer news of the lesson concerned is on the sheet of that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.batches import by_thousands
from bot.cases import open_case
from bot.database import Database
from bot.models import Audit, ContactPoint, EnrolmentRow, LessonRow, Notice, Outbound, PersonRow
from bot.queries import standing_of
from bot.status import WENT
from bot.timetable import permits
from bot.timetable.change import LessonError
from bot.turn import TAKEN_BACK

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
    "accepted": "nobody knows whether it reached their phone",
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


@dataclass(frozen=True, slots=True)
class Sheet:
    """Whom to phone; how many messages are on the way, and when to look again for them; the number of newer news."""

    calls: list[Call]
    on_the_way: int = 0
    look_again: datetime | None = None
    newer: int | None = None


def call_sheet(db: Database, notice_id: int, by: str, now: datetime) -> Sheet:
    """Who was not told, by name, for an admin or a trainer of the course; numbers for admins alone. One line of audit.

    Whose message may still go is not on it before it is time to phone, as `call_sheets` has it.
    Raises LessonError, NoSuchStaff, NotAllowed.
    """
    with db.write() as session:
        notice = session.get(Notice, notice_id)
        if notice is None:
            raise LessonError("there is no notice with this number")
        lesson = session.get_one(LessonRow, notice.lesson_id)
        role = permits.require(session, by, lesson.course_id)
        session.add(Audit(at=now, by=by, act="notice.calls", details={"notice": notice.id}))
        untold, waits = _untold(session, notice), _to_come(session, notice, now)
        if waits and not _is_ready(session, notice, now):
            untold = {one: why for one, why in untold.items() if one not in waits}
        people = session.scalars(select(PersonRow).where(PersonRow.id.in_(untold)))
        calls = [
            _call(session, person, untold[person.id], numbers=role == "admin")
            for person in sorted(people, key=lambda one: (one.name, one.id))
        ]
        return Sheet(calls, len(waits), max(waits.values()) + WAIT if waits else None, _newer(session, notice))


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
        if not _untold(session, notice):
            return False
        open_case(session, None, CASE, now, (str(notice.id), lesson.code), urgent=notice.urgent)
        return True


def _is_ready(session: Session, notice: Notice, now: datetime) -> bool:
    """Is it known who was not told? Urgent news that reached somebody late is worth a call that was not needed."""
    under_way = [state for state, tried in _of(session, notice) if state in UNDER_WAY and not _silent(state, tried, now)]
    if not under_way:
        return True
    urgent_since = notice.at if notice.urgent else _became_urgent(session, notice)
    return urgent_since is not None and now >= urgent_since + WAIT and bool(_untold(session, notice))


def _became_urgent(session: Session, notice: Notice) -> datetime | None:
    """When what waits of it became urgent, or will."""
    return session.scalar(select(func.min(Outbound.urgent_from)).where(Outbound.notice_id == notice.id))


def _to_come(session: Session, notice: Notice, now: datetime) -> dict[int, datetime]:
    """Whose message is under way, and may go by what they agreed to: when we try it, at the earliest now."""
    columns = (Outbound.person_id, Outbound.state, Outbound.tried_at, Outbound.due_at)
    under_way = select(*columns).where(Outbound.notice_id == notice.id, Outbound.state.in_(UNDER_WAY))
    found = {
        person: max(due, now) for person, state, tried, due in session.execute(under_way) if not _silent(state, tried, now)
    }
    return {person: at for person, at in found.items() if not _why_not(session, person)}


def _why_not(session: Session, person_id: int) -> str:
    """Why what waits for them will not go, as far as that is their own choice; the gate says the same a little later."""
    service = standing_of(session, person_id)["service"].state
    return "" if service == "given" else "OPTED_OUT" if service in TAKEN_BACK else "NO_CONSENT"


def _newer(session: Session, notice: Notice) -> int | None:
    """The last news of the lesson, if it is another and says how it stands."""
    later = (Notice.lesson_id == notice.lesson_id, Notice.id > notice.id, Notice.kind != "problem")
    return session.scalar(select(func.max(Notice.id)).where(*later))


def _of(session: Session, notice: Notice) -> list[tuple[str, datetime | None]]:
    waiting = select(Outbound.state, Outbound.tried_at).where(Outbound.notice_id == notice.id)
    return [(state, tried) for state, tried in session.execute(waiting)]


def _silent(state: str, tried_at: datetime | None, now: datetime) -> bool:
    """Twilio took it and says no more of it, or nobody finds out: what can be known of it is."""
    return state in ("accepted", "unknown") and tried_at is not None and tried_at <= now - WAIT


def _untold(session: Session, notice: Notice) -> dict[int, str]:
    """Whom no message of it went to, and why: a reason of the gate, or the state of the last try."""
    rows = select(Outbound.person_id, Outbound.state, Outbound.reason).where(Outbound.notice_id == notice.id)
    why: dict[int, str] = {}
    told: set[int] = set()
    for person, state, reason in session.execute(rows.order_by(Outbound.id)):
        why[person] = reason if state == "withheld" and reason else state
        if state == "queued":
            why[person] = _why_not(session, person) or state
        if state in WENT:
            told.add(person)
    without = dict.fromkeys(set(notice.phoneless) - set(why), NO_PHONE)  # nothing was planned for them
    untold = {one: reason for one, reason in (why | without).items() if one not in told and reason not in NOT_CALLED}
    return {one: untold[one] for one in _still_learners(session, untold)}


def _still_learners(session: Session, people: Iterable[int]) -> list[int]:
    """Those of them who were not erased since, and whom no hold is on."""
    enrolled = PersonRow.id.in_(select(EnrolmentRow.person_id))
    wanted = select(PersonRow.id).where(enrolled, PersonRow.held_at.is_(None))
    return [one for some in by_thousands(people) for one in session.scalars(wanted.where(PersonRow.id.in_(some)))]


def _call(session: Session, person: PersonRow, reason: str, *, numbers: bool) -> Call:
    phones = select(ContactPoint.value).where(ContactPoint.person_id == person.id, ContactPoint.kind == "phone")
    usable = phones.where(ContactPoint.disowned_at.is_(None)).order_by(ContactPoint.id.desc()).limit(1)
    phone = session.scalar(usable) if numbers else None
    return Call(person.learner_code or "", person.name, phone or "", reason, WHY.get(reason, "it was not sent"))
