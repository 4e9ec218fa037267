"""Carries a change of a lesson out on the messages that wait: nobody reads the old after the new (P12, ADR 11).

A reminder that waits says what is true now, at its new time. One whose moment is past is replaced by the notice. One that
went is not repeated, but where the lesson moved so far that the new day before is more than a day away: then the key under
which it went is freed (it takes the lesson's old version on), and planning reminds again. What reached nobody frees its key
as soon as there is a new moment ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.orm import Session

from bot import outbox
from bot.database import wake_workers
from bot.gate import SUPERSEDED
from bot.hours import DAY, Hours
from bot.models import LessonRow, Notice, Outbound, PersonRow
from bot.reminders import day_before, hour_before
from bot.status import ERASED, MAY_HAVE_GONE
from bot.templates import Templates
from bot.terms import Terms
from bot.timetable.change import News, Slot
from bot.timetable.words import reminder_variables
from bot.turn import Plan

URGENT_WITHIN = timedelta(hours=12)  # before the lesson starts: such news passes group hours and caps (P13, P27)
REMINDER, PROBLEM = "lesson_reminder", "lesson_problem"  # the templates
MOMENTS: Mapping[Plan, Callable[[datetime, Hours], datetime]] = {"day_before": day_before, "hour_before": hour_before}
MAY_COME_BACK = ("OPTED_OUT", "NOT_WANTED")  # cancelled, and revived if they change their mind in time
Unread = dict[int, str]  # who has not read older news of it, or its reminder -> the time that they know of


def carry_out(session: Session, terms: Terms, lesson: LessonRow, news: News, now: datetime) -> Unread:
    """Change the lesson, which is locked as all concerned are, and whatever waits to be said of it. Never commits.

    Gives back for whom something that waited is not said any more, with the time of the lesson that they know of.
    """
    problems = Outbound.template == PROBLEM  # of a lesson that goes on all the same
    unread = _withhold_notices(session, lesson, *(() if news.kind == "cancelled" else (~problems,)))
    if news.kind == "cancelled":
        lesson.cancelled_at, lesson.planned_at = now, now
        lesson.version += 1
        _withhold(session, lesson)
        return unread
    if news.kind == "restored":
        _on_again(session, terms, lesson, now)
        return unread
    return correct(session, terms, lesson, news.slot, now, told=True) | unread


def correct(  # noqa: PLR0913 (what, and how)
    session: Session, terms: Terms, lesson: LessonRow, slot: Slot, now: datetime, *, told: bool
) -> Unread:
    """The lesson is as `slot` says, and so is what waits of it. `told`: a notice replaces what is due already."""
    was = Slot.of(lesson)
    lesson.starts_at, lesson.ends_at, lesson.title = slot.starts_at, slot.ends_at, slot.title
    lesson.place, lesson.link, lesson.planned_at = slot.place, slot.link, None
    lesson.version += 1
    session.flush()
    if told or replace(was, title=slot.title) == slot:  # else what was said of it is not true any more, and does not go
        _carry_over(session, terms.templates, lesson)
    unread: Unread = {}
    for plan, moment in MOMENTS.items():
        due_at = moment(slot.starts_at, terms.hours)
        if told and due_at <= now:
            unread |= dict.fromkeys(_withhold(session, lesson, Outbound.plan == plan), "")
        else:
            when = {} if slot.starts_at == was.starts_at else {"due_at": due_at}
            _rewrite(session, terms.templates, lesson, plan, when)
        if slot.starts_at != was.starts_at and due_at > now:
            _free_keys(session, lesson, plan, went_too=due_at > now + DAY)
    wake_workers(session)
    return unread


def urgent_sooner(session: Session, lesson: LessonRow, now: datetime) -> dict[int, datetime]:
    """Who has news of it waiting, and when that becomes urgent: the time that they know of may be the sooner one."""
    waits = (Outbound.lesson_id == lesson.id, Outbound.plan == "notice", Outbound.state == "queued")
    soonest = select(Outbound.person_id, func.min(Outbound.urgent_from)).where(*waits, Outbound.urgent_from > now)
    return {person: at for person, at in session.execute(soonest.group_by(Outbound.person_id)) if at}


def forget(session: Session, lesson: LessonRow) -> None:
    """The lesson is another course's from now on: what waits of it is for nobody any more. Never commits."""
    lesson.version += 1
    lesson.planned_at = None
    session.flush()
    _withhold_notices(session, lesson)
    _withhold(session, lesson)
    of_it = Outbound.notice_id.in_(select(Notice.id).where(Notice.lesson_id == lesson.id))  # also that it left a course
    session.execute(update(Outbound).where(of_it, Outbound.state == "queued").values(state="withheld", reason=SUPERSEDED))
    for plan in MOMENTS:
        _free_keys(session, lesson, plan, went_too=True)  # should it come back, they know that it had left


def _on_again(session: Session, terms: Terms, lesson: LessonRow, now: datetime) -> None:
    """It is on after all: planning reminds of it again, where a reminder is still to come."""
    lesson.cancelled_at, lesson.planned_at = None, None
    lesson.version += 1
    session.flush()
    for plan, moment in MOMENTS.items():
        due_at = moment(lesson.starts_at, terms.hours)
        if due_at > now:
            _free_keys(session, lesson, plan, went_too=due_at > now + DAY)
    wake_workers(session)


def instead_of_reminders(session: Session, lesson: LessonRow, notices: Iterable[outbox.Draft], now: datetime) -> None:
    """The day before is past: these notices are the reminder, so that planning adds none a minute later."""
    key = f"day_before:{lesson.id}"
    taken = (replace(one, key=f"{key}:{one.person_id}", plan="day_before", notice_id=None) for one in notices)
    outbox.add_all(session, taken, now)
    _withhold(session, lesson, Outbound.plan == "day_before")


def _withhold_notices(session: Session, lesson: LessonRow, *only: ColumnElement[bool]) -> Unread:
    """Older news that still waits is not said any more; the new one says it all to those whom it was for."""
    waiting = (*_news(lesson), *only)
    old = session.execute(select(Outbound.person_id, Outbound.variables).where(*waiting).order_by(Outbound.id.desc()))
    unread = {person: _known_time(variables or {}) for person, variables in old}  # of several, the oldest counts
    session.execute(update(Outbound).where(*waiting).values(state="withheld", reason=SUPERSEDED))
    return unread


def _carry_over(session: Session, templates: Templates, lesson: LessonRow) -> None:
    """News that waits and stays true goes on as news of the lesson as it is now; a problem names its time of now."""
    session.execute(update(Outbound).where(*_news(lesson)).values(lesson_version=lesson.version))
    troubles = select(Outbound, PersonRow.language).join(PersonRow, PersonRow.id == Outbound.person_id)
    for row, language in session.execute(troubles.where(*_news(lesson), Outbound.template == PROBLEM)):
        now = reminder_variables(lesson.title, lesson.starts_at, lesson.place, lesson.link)
        row.variables = (row.variables or {}) | {"lesson": now["lesson"], "starts_at": now["starts_at"]}
        row.body = templates.find(PROBLEM, language).fill(row.variables)
        row.best_before, row.urgent_from = lesson.ends_at, lesson.starts_at - URGENT_WITHIN


def _news(lesson: LessonRow) -> tuple[ColumnElement[bool], ...]:
    """News of the lesson that waits."""
    return (Outbound.lesson_id == lesson.id, Outbound.plan == "notice", Outbound.state == "queued")


def _known_time(variables: Mapping[str, str]) -> str:
    return variables.get("planned_for") or variables.get("starts_at", "")


def _withhold(session: Session, lesson: LessonRow, *only: ColumnElement[bool]) -> set[int]:
    """Reminders that wait, or may come back, are not sent any more; whose were about to be."""
    queued = (*_waiting(lesson), Outbound.state == "queued", *only)
    people = set(session.scalars(select(Outbound.person_id).where(*queued)))
    session.execute(update(Outbound).where(*_waiting(lesson), *only).values(state="withheld", reason=SUPERSEDED))
    return people


def _rewrite(session: Session, templates: Templates, lesson: LessonRow, plan: Plan, when: Mapping[str, datetime]) -> None:
    """One statement for each language: what waits says what is true now. Held back, it is asked about at its new time."""
    waiting = (*_waiting(lesson), Outbound.plan == plan)
    variables = reminder_variables(lesson.title, lesson.starts_at, lesson.place, lesson.link)
    languages = session.scalars(
        select(PersonRow.language).distinct().join(Outbound, Outbound.person_id == PersonRow.id).where(*waiting)
    ).all()
    says = {"variables": variables, "lesson_version": lesson.version, "best_before": lesson.starts_at, **when}
    if when:
        says["reason"] = case((Outbound.state == "queued", None), else_=Outbound.reason)
    for language in languages:
        theirs = Outbound.person_id.in_(select(PersonRow.id).where(PersonRow.language == language))
        body = templates.find(REMINDER, language).fill(variables)
        session.execute(
            update(Outbound).where(*waiting, theirs).values(**says, body=body, template=REMINDER),
            execution_options={"synchronize_session": False},
        )


def _free_keys(session: Session, lesson: LessonRow, plan: Plan, *, went_too: bool) -> None:
    """Planning may remind those again for whom nothing waits: of whom nothing went, or whatever did (`went_too`)."""
    of_lesson = (Outbound.lesson_id == lesson.id, Outbound.plan == plan, _stands())
    waits = select(Outbound.person_id).where(*_waiting(lesson), Outbound.plan == plan)
    went = select(Outbound.person_id).where(*of_lesson, Outbound.state.in_(MAY_HAVE_GONE))
    free = [*of_lesson, Outbound.person_id.not_in(waits), func.coalesce(Outbound.reason, "") != ERASED]
    if not went_too:
        free.append(Outbound.person_id.not_in(went))
    ended = update(Outbound).where(*free).values(key=Outbound.key + f":v{lesson.version - 1}")
    session.execute(ended, execution_options={"synchronize_session": False})


def _waiting(lesson: LessonRow) -> tuple[ColumnElement[bool], ...]:
    """Reminders of the lesson that wait, or that an opting-out or a wish cancelled and that may come back.

    Not a retry of one that was of an older time (its key was freed): the gate refuses it, and nothing may make it true.
    """
    may_go = (Outbound.state == "queued") | ((Outbound.state == "withheld") & Outbound.reason.in_(MAY_COME_BACK))
    return (Outbound.lesson_id == lesson.id, Outbound.plan.in_(tuple(MOMENTS)), may_go, _stands())


def _stands() -> ColumnElement[bool]:
    """Is its key the plain one, that planning uses?"""
    return Outbound.key.not_like("%:v%")
