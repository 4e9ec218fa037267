"""Of the platform's daily reach a part is kept for lesson news: opportunities never use it up (D01, issue 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.database import Database
from bot.models import Outbound
from bot.opportunities.reach import days_needed, days_open
from bot.terms import Terms
from bot.turn import Purpose
from tests.bot.offers import DAY, HOUR, MORE, WHAT, a_course, learners, phone, sent
from tests.bot.rooms import TERMS, owe, states
from tests.bot.templates import ready

LESSON = {"lesson": "Pricing", "starts_at": "Mon 30 Nov, 10:00", "place": "Room 4"}
NEWS = {"template": "lesson_reminder", "use": "lesson_reminder", "variables": LESSON, "plan": "day_before"}
JOB = {"template": "opportunity", "use": "opportunity", "variables": {"first_name": "Ann", "what": WHAT, "more": MORE}}
TEN = replace(TERMS, reach_limit=10)  # eight of them for opportunities


@pytest.fixture(autouse=True)
def college(db: Database, now: datetime) -> None:
    a_course(db, "SYB12", now)
    learners(db, now, *range(20))
    with db.write() as session:
        ready(session, "opportunity", now)
        ready(session, "lesson_reminder", now)


def owe_each(db: Database, now: datetime, purpose: Purpose, numbers: range) -> None:
    for number in numbers:
        owe(db, phone(number), now, key=f"{purpose}{number}", purpose=purpose, **(JOB if purpose == "marketing" else NEWS))


@pytest.mark.parametrize(("lessons_before", "jobs"), [(0, 8), (3, 5), (7, 1), (8, 0), (10, 0)])
def test_opportunities_leave_the_reserve_whoever_used_the_rest(
    db: Database, now: datetime, lessons_before: int, jobs: int
) -> None:
    owe_each(db, now, "service", range(lessons_before))
    assert len(sent(db, now, TEN)) == lessons_before
    owe_each(db, now, "marketing", range(10, 20))
    assert len(sent(db, now + HOUR, TEN)) == jobs
    assert states(db, Outbound.purpose == "marketing", Outbound.state == "queued") == [("queued", "REACH_LIMIT")] * (
        10 - jobs
    )


def test_lesson_news_may_use_all_of_it(db: Database, now: datetime) -> None:
    owe_each(db, now, "marketing", range(10))
    owe_each(db, now, "service", range(10, 20))
    went = sent(db, now, TEN)
    assert went == [phone(number) for number in range(10, 20)]  # lesson news goes first, and the rest waits
    assert states(db, Outbound.purpose == "marketing") == [("queued", "REACH_LIMIT")] * 10


def test_opportunities_first_and_lesson_news_still_finds_its_reserve(db: Database, now: datetime) -> None:
    owe_each(db, now, "marketing", range(10))
    assert len(sent(db, now, TEN)) == 8
    owe_each(db, now, "service", range(10, 20))
    assert len(sent(db, now + HOUR, TEN)) == 2
    tomorrow = sent(db, now + DAY + HOUR, TEN)
    assert tomorrow == [phone(number) for number in range(12, 20)]  # and the two jobs wait: these eight were all their room


def test_who_was_written_to_today_costs_an_opportunity_nothing(db: Database, now: datetime) -> None:
    owe_each(db, now, "service", range(10))
    assert len(sent(db, now, TEN)) == 10
    owe_each(db, now, "marketing", range(1))
    assert sent(db, now + HOUR, TEN) == [phone(0)]


@pytest.mark.parametrize(("limit", "for_jobs"), [(250, 200), (2000, 1600), (10, 8), (5, 4), (2, 1), (1, 1)])
def test_a_fifth_is_kept(limit: int, for_jobs: int) -> None:
    assert replace(TERMS, reach_limit=limit).marketing_reach == for_jobs


@given(people=st.integers(0, 500), today=st.integers(0, 60), a_day=st.integers(1, 60))
def test_as_many_days_as_it_takes_one_by_one(people: int, today: int, a_day: int) -> None:
    left, days = people, 0
    while left > 0:
        left -= today if days == 0 else a_day
        days += 1
    assert days_needed(people, today, a_day) == days


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        ("2026-11-24T10:00", "2026-11-24T17:00", 1),
        ("2026-11-24T19:00", "2026-11-25T08:00", 0),
        ("2026-11-24T10:00", "2026-12-01T10:00", 6),  # a week with its weekend
        ("2026-11-27T18:00", "2026-11-30T09:00", 0),
        ("2026-11-27T17:59", "2026-11-30T09:01", 2),
    ],
)
def test_days_are_those_on_which_it_may_go(since: str, until: str, days: int) -> None:
    at, end = (datetime.fromisoformat(f"{one}:00+00:00") for one in (since, until))
    assert days_open(Terms(TERMS.templates, TERMS.keyed), at, end) == days
    assert days_open(TERMS, end, at - timedelta(seconds=1)) == 0
