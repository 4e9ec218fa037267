"""Who may be due for a plan: one question for each kind of plan, whoever the learners are, and the ledger's exact word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, String, exists, or_, select
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from bot.clock import london_day_starts
from bot.consent import Event, standing
from bot.hours import DAY, LONDON
from bot.models import ConsentEvent, ContactPoint, Course, EnrolmentRow, Invitation, Outbound, PersonRow

FIRST_KEY = "first:"
INVITED_FROM = time(10)  # by London's clocks, on the day after the first message at the earliest
REMIND_AFTER = timedelta(days=7)
WENT = ("accepted", "sent", "delivered", "read")
NOT_GIVEN = ("refuse", "withdraw", "pause")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody to whom a plan may apply, the phone to reach them at, and the course it is about.

    `place` is theirs in the question that found them: a person's id, or an enrolment's. No phone: they can't be reached.
    """

    place: int
    person_id: int
    name: str
    language: str
    point_id: int | None
    course_id: int
    course: str
    cohort: str


def not_greeted(now: datetime) -> Select[Any]:
    """Learners who never had a first message (F01)."""
    mine = select(Outbound.id).where(Outbound.key == FIRST_KEY + as_type(PersonRow.id, String))
    # A subquery on purpose: for one key after another the index is asked, however many messages there are.
    first = mine.correlate(PersonRow).scalar_subquery()
    return _who_may_agree(_learners(PersonRow.id, now).where(first.is_(None)))


def not_invited(now: datetime) -> Select[Any]:
    """Learners whose cohort has a group, greeted on a day before today, neither invited nor given the link (P06)."""
    local = now.astimezone(LONDON)
    day = local.date() if local.time() >= INVITED_FROM else local.date() - DAY
    asked = exists().where(Invitation.person_id == EnrolmentRow.person_id, Invitation.course_id == EnrolmentRow.course_id)
    theirs = (Outbound.person_id == PersonRow.id, Outbound.template == "first_message", Outbound.state.in_(WENT))
    greeted = exists().where(*theirs, Outbound.sent_at < london_day_starts(day))
    waiting = _learners(EnrolmentRow.id, now).where(Course.group_link != "", ~asked)
    return _who_may_agree(waiting).where(greeted, ~_left())


def not_answered(now: datetime) -> Select[Any]:
    """Learners invited a week ago who have said neither yes nor no (P07)."""
    same = (Invitation.person_id == EnrolmentRow.person_id) & (Invitation.course_id == EnrolmentRow.course_id)
    due = (Invitation.state == "invited", Invitation.at <= now - REMIND_AFTER, Course.group_link != "")
    waiting = _learners(EnrolmentRow.id, now).join(Invitation, same).where(*due)
    return _who_may_agree(waiting).where(~_left())


def page(who: Select[Any], after: int, size: int) -> Select[Any]:
    """At most `size` of them whose place comes after this one. For one place, the course that began first comes first."""
    place = who.selected_columns[0]
    return who.where(place > after).order_by(place, Course.starts_on, Course.id).limit(size)


def who_agreed(session: Session, people: Sequence[int]) -> set[int]:
    """Those of `people` who have agreed to service messages, by the whole ledger."""
    ledger: dict[int, list[Event]] = {}
    theirs = (ConsentEvent.person_id.in_(people), ConsentEvent.purpose == "service")
    for row in session.scalars(select(ConsentEvent).where(*theirs)):
        ledger.setdefault(row.person_id, []).append(Event(row.purpose, row.action, row.at, row.id))
    return {person for person, events in ledger.items() if standing(events)["service"].state == "given"}


def _learners(place: Any, now: datetime) -> Select[Any]:
    """Learners on a course that has not ended: their place, the person, the course."""
    goes_on = or_(Course.ends_on.is_(None), Course.ends_on >= now.astimezone(LONDON).date())
    about = (place.label("place"), PersonRow.id.label("person_id"), Course.id.label("course_id"))
    return select(*about).select_from(EnrolmentRow).join(PersonRow).join(Course).where(goes_on)


def _who_may_agree(found: Select[Any]) -> Select[Any]:
    """What a plan needs of those whose last word on service messages is no `no`, and who are not on hold (D07).

    The ledger is asked for the few that were found: the database must not ask it for everybody first.
    """
    few = found.cte("few").prefix_with("MATERIALIZED")
    last_word = select(ConsentEvent.action).where(ConsentEvent.person_id == PersonRow.id, ConsentEvent.purpose == "service")
    said = last_word.order_by(ConsentEvent.at.desc(), ConsentEvent.id.desc()).limit(1).correlate(PersonRow).scalar_subquery()
    person = (PersonRow.id, PersonRow.name, PersonRow.language, _phone())
    whole = select(few.c.place, *person, Course.id, Course.name, Course.cohort).select_from(few)
    joined = whole.join(PersonRow, PersonRow.id == few.c.person_id).join(Course, Course.id == few.c.course_id)
    return joined.where(PersonRow.held_at.is_(None), said.not_in(NOT_GIVEN))


def _left() -> ColumnElement[bool]:
    """They were in a group and left it, as staff recorded (P09): they know the way, and are not asked in again."""
    return exists().where(ConsentEvent.person_id == PersonRow.id, ConsentEvent.source == "left_group")


def _phone() -> ColumnElement[Any]:
    """The phone they last wrote from, else the newest; never one that is not theirs or that nothing reaches."""
    mine = select(ContactPoint.id).where(ContactPoint.person_id == PersonRow.id, ContactPoint.kind == "phone")
    usable = mine.where(ContactPoint.disowned_at.is_(None), ContactPoint.unreachable_at.is_(None))
    newest = usable.order_by(ContactPoint.last_inbound_at.desc().nulls_last(), ContactPoint.id.desc()).limit(1)
    return newest.correlate(PersonRow).scalar_subquery()
