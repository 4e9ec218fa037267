"""Tells learners what has changed about their lesson, and says beforehand whom it reaches (P13)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot import facts, gate, outbox
from bot.models import Audit, LessonRow, Notice, Outbound, Pace
from bot.reminders import day_before
from bot.terms import Terms
from bot.timetable import change, rewrite, whom
from bot.timetable.change import News
from bot.timetable.sayings import Saying, saying
from bot.timetable.whom import Learner
from bot.turn import Order

AT_LEAST = timedelta(minutes=15)  # for which news of today is worth sending
GOES_LATER = ("QUIET_HOURS", "FREQUENCY_CAP", "REACH_LIMIT", "PAIR_LIMIT")  # held back, and sent in time


@dataclass(frozen=True, slots=True)
class Reach:
    """How many of the learners concerned would get it, and how many would not."""

    reached: int
    unreached: int


@dataclass(frozen=True, slots=True)
class Told:
    """The notice that was given out, by its number, and how many learners it concerns."""

    notice_id: int
    concerned: int


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a change is written: the caller's transaction, the terms of sending, whose code signs it, and when (UTC)."""

    session: Session
    terms: Terms
    by: str
    now: datetime


def reach(session: Session, terms: Terms, order: Order, now: datetime) -> Reach:
    """How many this order would reach, if it were carried out at `now` (aware UTC). Raises LessonError. Changes nothing."""
    lesson = change.find(session, order.lesson, now, order.version)
    return reach_of(Desk(session, terms, "", now), lesson, change.ordered(lesson, order, now))


def announce(session: Session, terms: Terms, order: Order, by: str, now: datetime) -> Told:
    """Carry the order out, in the caller's commit, and owe the news to everybody concerned. `by` is a staff code.

    Raises LessonError where it cannot be done, or where the lesson has changed since `order.version`.
    """
    lesson = change.find(session, order.lesson, now, order.version, lock=True)
    return tell(Desk(session, terms, by, now), lesson, change.ordered(lesson, order, now))


def reach_of(desk: Desk, lesson: LessonRow, news: News) -> Reach:
    """How many this news would reach now, as the gate sees each of them. Changes nothing."""
    learners = whom.concerned(desk.session, desk.terms.hours, lesson, news, desk.now)
    said = {one.person.id: saying(news, lesson.title) for one in learners}
    reached = sum(_would_go(desk, draft) for draft in _drafts(desk, lesson, news, learners, said, notice_id=0))
    return Reach(reached, len(learners) - reached)


def tell(desk: Desk, lesson: LessonRow, news: News) -> Told:
    """Change the lesson and owe the news, in the caller's commit; one line of audit. Never commits.

    The lesson is locked, and all concerned were before it was (`change.find`).
    """
    session, now = desk.session, desk.now
    unread: rewrite.Unread = {}
    sooner: dict[int, datetime] = {}
    if news.kind != "problem":  # which changes nothing
        sooner = rewrite.urgent_sooner(session, lesson, now)
        unread = rewrite.carry_out(session, desk.terms, lesson, news, now)
    learners = whom.concerned(session, desk.terms.hours, lesson, news, now, unread)
    number, owed = written(desk, lesson, news, learners, unread)
    drafts = [_not_later(one, sooner) for one in owed]
    outbox.add_all(session, drafts, now)  # the gate is asked when they are sent: asking it here as well takes too long
    if news.kind not in ("problem", "cancelled") and day_before(news.slot.starts_at, desk.terms.hours) <= now:
        rewrite.instead_of_reminders(session, lesson, drafts, now)
    details = {"lesson": lesson.code, "notice": number, "version": lesson.version}
    session.add(Audit(at=now, by=desk.by, act=f"lesson_{news.kind}", details=details))
    return Told(number, len(learners))


def written(
    desk: Desk, lesson: LessonRow, news: News, learners: Sequence[Learner], unread: Mapping[int, str]
) -> tuple[int, list[outbox.Draft]]:
    """A notice more, by its number, and what each of these learners is to read of it; owed by the caller."""
    notice = Notice(lesson_id=lesson.id, kind=news.kind, by=desk.by, at=desk.now, urgent=_urgent(news, desk.now))
    notice.phoneless = [one.person.id for one in learners if one.point is None]
    desk.session.add(notice)
    desk.session.flush()  # its number goes into the messages
    said = {one.person.id: saying(news, news.slot.title, unread.get(one.person.id)) for one in learners}
    return notice.id, list(_drafts(desk, lesson, news, learners, said, notice_id=notice.id))


def best_before(news: News, now: datetime) -> datetime:
    """Until when the news is worth reading: a delay till the lesson starts, all else till it is over (P27).

    A lesson that is cancelled: till it would have started, or ended if it was on. At least a quarter of an hour.
    """
    match news.kind:
        case "late":
            end = news.slot.starts_at
        case "cancelled":
            end = news.was.starts_at if now < news.was.starts_at else news.was.ends_at
        case _:
            end = news.slot.ends_at
    return max(end, now + AT_LEAST)


def _urgent(news: News, now: datetime) -> bool:
    """Does the lesson start within twelve hours, as it was or as it will be, or is it on?"""
    return _urgent_from(news, now) <= now


def _urgent_from(news: News, now: datetime) -> datetime:
    """A time that is over presses nobody: a lesson that did not take place is put on another day."""
    counts = [one.starts_at for one in (news.was, news.slot) if one.ends_at > now]
    return min(counts, default=news.slot.starts_at) - rewrite.URGENT_WITHIN


def _not_later(draft: outbox.Draft, sooner: Mapping[int, datetime]) -> outbox.Draft:
    """Urgent no later than the news that it takes the place of."""
    before = sooner.get(draft.person_id)
    if before is None or draft.urgent_from is None:
        return draft
    return replace(draft, urgent_from=min(draft.urgent_from, before))


def _drafts(  # noqa: PLR0913 (of what, to whom, in which words)
    desk: Desk, lesson: LessonRow, news: News, learners: Iterable[Learner], said: dict[int, Saying], *, notice_id: int
) -> Iterator[outbox.Draft]:
    urgent, until = _urgent(news, desk.now), best_before(news, desk.now)
    for person, point in ((one.person, one.point) for one in learners):
        if point is None:
            continue  # the call sheet finds them
        says = said[person.id]
        template = desk.terms.templates.find(says.template, person.language)
        yield outbox.Draft(
            key=f"notice:{notice_id}:{person.id}",
            person_id=person.id,
            contact_point_id=point.id,
            purpose="service",
            use=template.use,
            urgent=urgent,
            urgent_from=_urgent_from(news, desk.now),
            body=template.fill(says.variables),
            template=says.template,
            variables=says.variables,
            due_at=desk.now,
            best_before=until,
            plan="notice",
            lesson_id=lesson.id,
            lesson_version=lesson.version,
            notice_id=notice_id,
        )


def _would_go(desk: Desk, draft: outbox.Draft) -> bool:
    """What the gate would say of it now, or once its time has come. The row it is asked about is in no database."""
    values = asdict(draft) | {"media": None, "notice_id": None}
    row = Outbound(**values, created_at=desk.now, priority=0)
    free = Pace(name=facts.recipient(row), full_until=desk.now)
    decision = gate.may_send(facts.load(desk.session, row, free, desk.terms, desk.now))
    return decision.allowed or (decision.until is not None and decision.reason in GOES_LATER)
