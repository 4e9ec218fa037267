"""Several real workers plan and send at once, and any of them is killed: each message goes once, or is shown as unknown.

Which are killed and when is always the same; another way: `KILL_SEED=7 pytest tests/bot/test_many_workers.py`.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert

from bot import clock, outbox
from bot.database import Database, open_database
from bot.models import (
    ConsentEvent,
    ContactPoint,
    Course,
    EnrolmentRow,
    LessonRow,
    Outbound,
    PersonRow,
    StaffRole,
    TemplateRow,
)
from bot.outbox.claim import LEASE
from bot.timetable import change, notices
from bot.worker import SENDERS
from tests.bot.processes import Outside, Workers, eventually
from tests.bot.rooms import SECOND, TERMS, rows

COURSES, ON_EACH = 3, 80
LEARNERS = COURSES * ON_EACH
KILLS = (1, 90, 220, 400)  # after so many messages one is killed, and another started
AT_ANY_HOUR = {"GROUP_HOURS": "00:00-23:59", "REACH_LIMIT": "10000"}
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.mark.processes
def test_either_of_two_workers_may_be_killed_and_each_message_goes_once_or_is_shown_as_unknown(
    db: Database, database_url: str
) -> None:
    a_day_with_kills(db, database_url, 2)


@pytest.mark.processes
def test_any_of_four_workers_may_be_killed_and_each_message_goes_once_or_is_shown_as_unknown(
    fresh_postgres_url: str,
) -> None:
    db = open_database(fresh_postgres_url)
    a_day_with_kills(db, fresh_postgres_url, 4)
    db.engine.dispose()


def a_day_with_kills(db: Database, database_url: str, workers: int) -> None:
    """So many workers at once; every now and then one is killed, whichever it is, and another takes its place."""
    chance = random.Random(int(os.environ.get("KILL_SEED", "4")))
    expected = a_busy_day(db, clock.now())
    with Outside() as outside, Workers(database_url, outside, AT_ANY_HOUR) as running:
        for _ in range(workers):
            running.start()
        for messages in KILLS:
            outside.wait_for(messages + chance.randint(0, 20))
            running.kill(chance.randrange(workers))
            running.start()
            outbox.mark_unknown(db, clock.now() + LEASE + SECOND)  # as a minute later
        eventually(lambda: all_planned(db, expected) and nothing_waits(db))
        running.stop()
    outbox.mark_unknown(db, clock.now() + LEASE + SECOND)
    everything_went_once(db, outside, expected)


def a_busy_day(db: Database, now: datetime) -> set[str]:
    """Learners nobody has greeted, lessons of tomorrow, trouble with the nearest one; the keys of what they must get."""
    with db.write() as session:
        for number in range(1, COURSES + 1):
            session.add(Course(id=number, code=f"C{number}", name="Pricing", starts_on=now.date(), ends_on=None))
            starts_at = now + (11 * HOUR if number == 1 else 23 * HOUR)
            when = {"starts_at": starts_at, "ends_at": starts_at + HOUR}
            session.add(LessonRow(id=number, code=f"L{number}", course_id=number, title="Pricing", place="Room 4", **when))
        session.flush()
        people = range(1, LEARNERS + 1)
        session.execute(insert(PersonRow), [{"id": one, "name": "Sam", "created_at": now} for one in people])
        phones = [{"person_id": one, "kind": "phone", "value": f"+4477009{one:05}"} for one in people]
        session.execute(insert(ContactPoint), phones)
        session.execute(
            insert(EnrolmentRow), [{"person_id": p, "course_id": course_of(p), "created_at": now} for p in people]
        )
        yes = {"purpose": "service", "action": "give", "source": "declaration", "at": now - DAY, "recorded_at": now - DAY}
        session.execute(insert(ConsentEvent), [{"person_id": one, **yes} for one in people])
        admin = PersonRow(id=LEARNERS + 1, name="A1", created_at=now)
        session.add(admin)
        session.flush()
        session.add(StaffRole(code="A1", person_id=admin.id, role="admin"))
        for one in TERMS.templates:
            named = {"name": one.name, "language": one.language, "version": one.version, "category": one.category}
            session.add(TemplateRow(**named, content_sid=f"HX{one.name}", status="approved", checked_at=now))
    with db.write() as session:
        lesson = change.find(session, "L1", now, lock=True)
        desk = notices.Desk(session, TERMS, "A1", now)
        told = notices.tell(desk, lesson, change.problem(lesson, "The heating is off."))
    keys = {f"first:{one}" for one in people} | {f"day_before:{course_of(one)}:{one}" for one in people}
    return keys | {f"notice:{told.notice_id}:{one}" for one in people if course_of(one) == 1}


def course_of(person: int) -> int:
    """The course that this learner is on."""
    return person % COURSES + 1


def all_planned(db: Database, expected: set[str]) -> bool:
    """Has everything that is to be sent a row?"""
    return {row.key for row in rows(db, Outbound)} >= expected


def nothing_waits(db: Database) -> bool:
    """Nobody is about to send anything."""
    return not {"queued", "sending"} & {row.state for row in rows(db, Outbound)}


def everything_went_once(db: Database, outside: Outside, expected: set[str]) -> None:
    """Planned once, asked of Twilio once at most; what was not surely asked is there to be seen."""
    found = {str(row.id): row for row in rows(db, Outbound)}
    assert Counter(row.key for row in found.values()) == Counter(expected)
    asked = Counter(form["StatusCallback"].rpartition("/")[2] for form in outside.asked)
    assert max(asked.values()) == 1
    assert max(Counter((form["To"], form["ContentSid"]) for form in outside.asked).values()) == 1
    accepted = {number for number, row in found.items() if row.state == "accepted"}
    unknown = {number for number, row in found.items() if row.state == "unknown"}
    assert accepted <= set(asked) <= accepted | unknown == set(found)
    assert len(unknown) <= len(KILLS) * SENDERS
