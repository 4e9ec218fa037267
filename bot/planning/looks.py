"""When planning has to look at somebody again, because something may become due by time alone.

Everything else that may make something due marks them in its own commit (bot/marks.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Executable, or_, select
from sqlalchemy.orm import Session

from bot.clock import london_day_starts
from bot.hours import DAY, LONDON
from bot.models import ConsentEvent, Course, EnrolmentRow, Invitation, Outbound
from bot.planning import who
from bot.status import IN_VAIN, RESTORED, WENT


class Try(NamedTuple):
    """A message that was planned for somebody, as far as it has come."""

    key: str
    state: str
    reason: str | None
    sent_at: datetime | None
    again: bool  # sent again by the outbox, and so no try of ours


@dataclass(slots=True)
class Known:
    """What is planned for one learner who may be written to: the tries of their first message, and each open course.

    `groups` are the courses that go on and have a group, with the state of the invitation to it ("": none yet).
    """

    first: list[Try] = field(default_factory=list)
    invited: list[Try] = field(default_factory=list)
    groups: dict[int, str] = field(default_factory=dict)
    left: bool = False

    @property
    def greeted(self) -> bool:
        """Did their first message go?"""
        return any(row.state in WENT for row in self.first)


def next_look(person: int, one: Known, now: datetime) -> datetime | None:
    """When to look at them again for the first message and the invitation (aware UTC); None: never.

    They have agreed, and a phone reaches them: for anybody else nothing comes of time alone.
    """
    if not one.greeted:
        return _next_day(now) if _hope(one.first) else None
    moments = () if one.left else tuple(_of_groups(person, one, now))
    return min(moments, default=None)


def _of_groups(person: int, one: Known, now: datetime) -> Iterator[datetime]:
    for course, state in one.groups.items():
        tries = [row for row in one.invited if _is_of(row.key, f"{who.INVITE_KEY}{person}:{course}")]
        went = [row.sent_at for row in tries if row.state in WENT and row.sent_at is not None]
        if state == "invited" and went:
            due = min(went) + who.REMIND_AFTER
            yield due if due > now else _next_ten(now)
        elif not state or (state == "invited" and _hope(tries)):
            yield _next_ten(now)


def _hope(tries: Sequence[Try]) -> bool:
    """May one of these still go, or be tried again on another day?"""
    if any(row.state not in IN_VAIN for row in tries):
        return True
    return sum(not row.again for row in tries) < who.MOST_TRIES and all(row.reason != RESTORED for row in tries)


def _is_of(key: str, plan: str) -> bool:
    return key == plan or key.startswith((f"{plan}:", f"{plan}~"))


def _next_day(now: datetime) -> datetime:
    return london_day_starts(now.astimezone(LONDON).date() + DAY)


def _next_ten(now: datetime) -> datetime:
    """The next time at which invitations are planned, by London's clocks."""
    today = now.astimezone(LONDON).date()
    days = (datetime.combine(day, who.INVITED_FROM, LONDON) for day in (today, today + DAY))
    return next(at.astimezone(now.tzinfo) for at in days if at > now)


def known(session: Session, people: Sequence[int], now: datetime) -> Mapping[int, Known]:
    """What is planned for each of these learners who is on a course, or was until lately (P03); the others are not in it."""
    found: defaultdict[int, Known] = defaultdict(Known)
    today = now.astimezone(LONDON).date()
    in_company = or_(Course.ends_on.is_(None), Course.ends_on >= who.in_company_since(today))
    courses = select(EnrolmentRow.person_id, Course.id, Course.group_link, Course.ends_on).join(Course).where(in_company)
    for person, course, link, ends_on in session.execute(courses.where(EnrolmentRow.person_id.in_(people))):
        goes_on = ends_on is None or ends_on >= today
        found[person].groups |= {course: ""} if link and goes_on else {}
    _add_invitations(session, found)
    for person, template, *row in session.execute(_tries(found)):
        (found[person].first if template == who.FIRST else found[person].invited).append(Try(*row))
    return found


def _add_invitations(session: Session, found: Mapping[int, Known]) -> None:
    states = select(Invitation.person_id, Invitation.course_id, Invitation.state)
    for person, course, state in session.execute(states.where(Invitation.person_id.in_(list(found)))):
        if course in found[person].groups:
            found[person].groups[course] = state
    left = select(ConsentEvent.person_id).where(ConsentEvent.source == "left_group", ConsentEvent.person_id.in_(list(found)))
    for person in session.scalars(left):
        found[person].left = True


def _tries(people: Iterable[int]) -> Executable:
    row = Outbound
    columns = (row.person_id, row.template, row.key, row.state, row.reason, row.sent_at, row.retry_of.is_not(None))
    return select(*columns).where(row.person_id.in_(list(people)), row.template.in_((who.FIRST, who.GROUP)))
