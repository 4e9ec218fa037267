"""Who was told goodbye: after it nothing comes of our own accord, until a new course begins (P03, F20)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models import Course, EnrolmentRow, Outbound
from bot.status import MAY_HAVE_GONE

KEY = re.compile(r"goodbye:\d+:(\d+)(?:~\d+)*")  # the person and the course; also where it was sent again
PLAN = "goodbye"


class LastCourse(NamedTuple):
    """The course of somebody's that ends last: from it everything after a course is reckoned."""

    ends_on: date
    id: int
    code: str
    name: str


def key_of(person_id: int, course_id: int) -> str:
    """The key of the goodbye after a course."""
    return f"{PLAN}:{person_id}:{course_id}"


def parted_from(key: str) -> int | None:
    """After which course (id) a message with this key says goodbye."""
    found = KEY.fullmatch(key)
    return int(found[1]) if found else None


def said(session: Session, people: Collection[int]) -> frozenset[int]:
    """Those of `people` (ids) to whom the goodbye of the course that ends last went, or may have gone."""
    went = (Outbound.person_id.in_(people), Outbound.plan == PLAN, Outbound.state.in_(MAY_HAVE_GONE))
    told: defaultdict[int, set[int | None]] = defaultdict(set)
    for person_id, key in session.execute(select(Outbound.person_id, Outbound.key).where(*went)):
        told[person_id].add(parted_from(key))
    last = last_courses(session, told) if told else {}
    return frozenset(person_id for person_id, course in last.items() if course.id in told[person_id])


def last_courses(session: Session, people: Collection[int]) -> dict[int, LastCourse]:
    """The course that ends last, of those of `people` (ids) all of whose courses have an end."""
    theirs = select(EnrolmentRow.person_id, Course.ends_on, Course.id, Course.code, Course.name).join(Course)
    found: dict[int, LastCourse] = {}
    endless = set[int]()
    for person_id, ends_on, course_id, code, name in session.execute(theirs.where(EnrolmentRow.person_id.in_(people))):
        if ends_on is None:
            endless.add(person_id)
        else:
            last = LastCourse(ends_on, course_id, code, name)
            found[person_id] = max(found.get(person_id, last), last)
    return {person_id: last for person_id, last in found.items() if person_id not in endless}
