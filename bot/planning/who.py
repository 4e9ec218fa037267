"""Who of some people is due for a plan: one question for each kind of plan, and the ledger's exact word.

What reached nobody (withheld or failed) is planned again on a later day, a few times at most: an opting-out, a hold or a
phone that changes must not end for good what was never said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, exists, func, literal, or_, select
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from bot.clock import london_day_starts
from bot.consent import standing
from bot.gate import last_day
from bot.hours import DAY, LONDON
from bot.models import ConsentEvent, ContactPoint, Course, EnrolmentRow, Invitation, Outbound, PersonRow
from bot.queries import events_of
from bot.status import IN_VAIN, RESTORED, WENT
from bot.turn import Consentable

FIRST_KEY, INVITE_KEY = "first:", "invite:"
FIRST, GROUP = "first_message", "group_invitation"  # the templates
MOST_TRIES = 5  # of one plan that reaches nobody: by then a person has to look
INVITED_FROM = time(10)  # by London's clocks, on the day after the first message at the earliest
REMIND_AFTER = timedelta(days=7)
NOT_GIVEN = ("refuse", "withdraw", "pause")
NEVER_TRIED: ColumnElement[int] = literal(0)
HALF_A_YEAR = timedelta(days=190)  # no six calendar months are longer


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody to whom a plan may apply, the phone to reach them at, the course it is about, and how often it was tried.

    `place` is theirs in the question that found them: a person's id, or an enrolment's.
    """

    place: int
    person_id: int
    name: str
    language: str
    point_id: int
    course_id: int
    code: str
    course: str
    cohort: str
    tries: int


def not_greeted(now: datetime, people: Sequence[int]) -> Select[Any]:
    """Learners to whom no first message went, and for whom none waits (F01): also after a course, before any check-in."""
    mine = select(Outbound.state).where(Outbound.key == FIRST_KEY + as_type(PersonRow.id, String))
    # A subquery on purpose: for one key after another the index is asked, however many messages there are.
    first = mine.correlate(PersonRow).scalar_subquery()
    found = _learners(PersonRow.id, people, in_company_since(_today(now)))
    hopeful = found.where(func.coalesce(first, IN_VAIN[0]).in_(IN_VAIN))
    theirs = (Outbound.person_id == PersonRow.id, Outbound.template == FIRST)
    return _again(hopeful, theirs, london_day_starts(now.astimezone(LONDON).date()))


def not_invited(now: datetime, people: Sequence[int]) -> Select[Any]:
    """Learners whose cohort has a group, greeted on a day before today, neither invited nor given the link (P06)."""
    asked = exists().where(Invitation.person_id == EnrolmentRow.person_id, Invitation.course_id == EnrolmentRow.course_id)
    theirs = (Outbound.person_id == PersonRow.id, Outbound.template == FIRST, Outbound.state.in_(WENT))
    greeted = exists().where(*theirs, Outbound.sent_at < _day_of_invitations(now))
    waiting = _learners(EnrolmentRow.id, people, _today(now)).where(Course.group_link != "", ~asked)
    return _who_may_agree(waiting).where(greeted, ~_left())


def invited_in_vain(now: datetime, people: Sequence[int]) -> Select[Any]:
    """Learners whose invitation reached nobody, and who have not answered it by asking for the link (P06)."""
    return _again(_invited(now, people), _invitation(), _day_of_invitations(now)).where(~_left())


def not_answered(now: datetime, people: Sequence[int]) -> Select[Any]:
    """Learners whose invitation went a week ago, and who have said neither yes nor no (P07)."""
    went = exists().where(*_invitation(), Outbound.state.in_(WENT), Outbound.sent_at <= now - REMIND_AFTER)
    return _who_may_agree(_invited(now, people)).where(went, ~_left())


def candidates(session: Session, found: Select[Any], now: datetime) -> list[Candidate]:
    """Them, each place once: of a person on two courses it is about the one that began first, of those that go on."""
    place, over = found.selected_columns[0], case((Course.ends_on < _today(now), 1), else_=0)
    rows = session.execute(found.order_by(place, over, Course.starts_on, Course.id))
    once: dict[int, Candidate] = {}
    for one in rows:
        once.setdefault(one[0], Candidate(*one))
    return list(once.values())


def agreed(session: Session, people: Sequence[int]) -> dict[int, frozenset[Consentable]]:
    """What each of these people has agreed to, by their whole ledger."""
    return {
        person: frozenset(purpose for purpose, one in standing(events).items() if one.state == "given")
        for person, events in events_of(session, people).items()
    }


def willing(session: Session, people: Sequence[int], agreed: Mapping[int, frozenset[Consentable]]) -> list[int]:
    """Those who agreed to service messages, whom a phone reaches, and for whom no hold keeps our messages back (D07)."""
    ours = [one for one in people if "service" in agreed.get(one, ())]
    there = select(PersonRow.id).where(PersonRow.id.in_(ours), PersonRow.held_at.is_(None), phone().is_not(None))
    return sorted(session.scalars(there))


@cache
def in_company_since(today: date) -> date:
    """The earliest end of a course after which we may still write today: six calendar months, however long (P03)."""
    ends_on = today - HALF_A_YEAR
    while last_day(ends_on) < today:
        ends_on += DAY
    return ends_on


def _today(now: datetime) -> date:
    return now.astimezone(LONDON).date()


def _learners(place: Any, people: Sequence[int], since: date) -> Select[Any]:
    """Those of `people` on a course that had not ended before `since`: their place, the person, the course."""
    goes_on = or_(Course.ends_on.is_(None), Course.ends_on >= since)
    about = (place.label("place"), PersonRow.id.label("person_id"), Course.id.label("course_id"))
    theirs = (goes_on, EnrolmentRow.person_id.in_(people))
    return select(*about).select_from(EnrolmentRow).join(PersonRow).join(Course).where(*theirs)


def _invited(now: datetime, people: Sequence[int]) -> Select[Any]:
    """Learners who are invited to a group, and have not answered."""
    same = (Invitation.person_id == EnrolmentRow.person_id) & (Invitation.course_id == EnrolmentRow.course_id)
    return (
        _learners(EnrolmentRow.id, people, _today(now))
        .join(Invitation, same)
        .where(Invitation.state == "invited", Course.group_link != "")
    )


def _invitation() -> tuple[ColumnElement[bool], ...]:
    """The rows of somebody's invitation to the group of one course, each try of it and each time it was sent again."""
    key = INVITE_KEY + as_type(PersonRow.id, String) + ":" + as_type(Course.id, String)
    of_course = or_(Outbound.key == key, Outbound.key.startswith(key + ":"), Outbound.key.startswith(key + "~"))
    return (Outbound.person_id == PersonRow.id, Outbound.template == GROUP, of_course)


def _day_of_invitations(now: datetime) -> datetime:
    """When the day began on which we invite: before ten in London that is still yesterday."""
    local = now.astimezone(LONDON)
    return london_day_starts(local.date() if local.time() >= INVITED_FROM else local.date() - DAY)


def _again(found: Select[Any], rows: tuple[ColumnElement[bool], ...], today: datetime) -> Select[Any]:
    """Those of whose `rows` none may have gone, waits or is of today, and who were not tried too often."""
    in_hand = or_(Outbound.state.not_in(IN_VAIN), Outbound.reason == RESTORED, Outbound.created_at >= today)
    own = select(func.count()).select_from(Outbound).where(*rows, Outbound.retry_of.is_(None))
    tries = own.correlate(PersonRow, Course).scalar_subquery()
    return _who_may_agree(found, tries).where(~exists().where(*rows, in_hand), tries < MOST_TRIES)


def _who_may_agree(found: Select[Any], tries: ColumnElement[int] = NEVER_TRIED) -> Select[Any]:
    """What a plan needs of those who can be reached, whose last word on service messages is no `no`, with no hold (D07).

    The ledger is asked for the few that were found: the database must not ask it for everybody first.
    """
    few = found.cte("few").prefix_with("MATERIALIZED")
    last_word = select(ConsentEvent.action).where(ConsentEvent.person_id == PersonRow.id, ConsentEvent.purpose == "service")
    said = last_word.order_by(ConsentEvent.at.desc(), ConsentEvent.id.desc()).limit(1).correlate(PersonRow).scalar_subquery()
    reached_at = phone()
    person = (PersonRow.id, PersonRow.name, PersonRow.language, reached_at)
    course = (Course.id, Course.code, Course.name, Course.cohort)
    whole = select(few.c.place, *person, *course, tries.label("tries")).select_from(few)
    joined = whole.join(PersonRow, PersonRow.id == few.c.person_id).join(Course, Course.id == few.c.course_id)
    return joined.where(PersonRow.held_at.is_(None), said.not_in(NOT_GIVEN), reached_at.is_not(None))


def _left() -> ColumnElement[bool]:
    """They were in a group and left it, as staff recorded (P09): they know the way, and are not asked in again."""
    return exists().where(ConsentEvent.person_id == PersonRow.id, ConsentEvent.source == "left_group")


def phone() -> ColumnElement[Any]:
    """The phone they last wrote from, else the newest; never one that is not theirs or that nothing reaches."""
    mine = select(ContactPoint.id).where(ContactPoint.person_id == PersonRow.id, ContactPoint.kind == "phone")
    usable = mine.where(ContactPoint.disowned_at.is_(None), ContactPoint.unreachable_at.is_(None))
    newest = usable.order_by(ContactPoint.last_inbound_at.desc().nulls_last(), ContactPoint.id.desc()).limit(1)
    return newest.correlate(PersonRow).scalar_subquery()
