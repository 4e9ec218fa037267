"""News of a lesson that was held back is urgent once the lesson is near: nobody's news is held till it is too late (P13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bot.database import Database
from bot.gate import Facts, may_send
from bot.hours import opening
from bot.models import ContactPoint, Notice, OfficeCase, Outbound
from bot.timetable.calls import call_sheets
from bot.timetable.notices import Reach
from tests.bot.rooms import AMINA, Clock, Stage, a_learner, a_member_of_staff, only, owe, rows
from tests.bot.test_gate import FACTS
from tests.bot.timetables import cancelled, london, moved, news, planned, put, replaced

HOUR = timedelta(hours=1)
THURSDAY = london("2026-11-26 11:00")
FRIDAY = london("2026-11-27 14:00")  # the lesson
EARLY = london("2026-11-27 09:00")


@pytest.fixture
def stage(db: Database) -> Stage:
    """A learner who had three messages that count in this week, and a lesson tomorrow at 14:00."""
    a_learner(db, AMINA, now=THURSDAY - 3 * 24 * HOUR)
    put(db, FRIDAY)
    a_member_of_staff(db, "A01", "admin", now=THURSDAY)
    for days in (1, 2, 3):
        owe(db, AMINA, THURSDAY - days * 24 * HOUR, key=f"c{days}", use="course_update")
    with db.write() as session:
        for row in session.scalars(select(Outbound)):
            row.state, row.tried_at, row.use = "delivered", row.due_at, "course_update"
        for point in session.scalars(select(ContactPoint).where(ContactPoint.value == AMINA)):
            point.last_inbound_at = THURSDAY - HOUR
    return Stage(db, Clock(THURSDAY))


@given(facts=FACTS, before=st.integers(-24, 40), lasts=st.integers(1, 40))
def test_what_becomes_urgent_in_time_is_never_stale_because_of_hours_or_caps(facts: Facts, before: int, lasts: int) -> None:
    urgent_from = facts.now + before * HOUR
    best_before = max(urgent_from, facts.now) + lasts * HOUR
    known = replace(
        facts, urgent_from=urgent_from, best_before=best_before, reach_free_at=None, pair_free_at=None, has_template=True
    )
    decision = may_send(known)
    assert decision.reason != "STALE"
    if decision.reason in ("QUIET_HOURS", "FREQUENCY_CAP"):
        assert decision.until is not None
        assert facts.now < decision.until <= urgent_from
    assert may_send(replace(known, now=urgent_from)).reason not in ("QUIET_HOURS", "FREQUENCY_CAP")


def test_a_cancellation_under_the_cap_goes_twelve_hours_before_the_lesson(stage: Stage) -> None:
    planned(stage.db, stage.clock())
    assert cancelled(stage.db, stage.clock()) == Reach(1, 0)
    stage.works()
    (row,) = news(stage.db)
    assert (row.state, row.reason, row.due_at) == ("queued", "FREQUENCY_CAP", FRIDAY - 12 * HOUR)
    stage.clock.now = row.due_at
    stage.works()
    assert len(stage.whatsapp.to(AMINA)) == 1
    assert "cancelled" in stage.whatsapp.to(AMINA)[0]


def test_a_cancellation_in_the_evening_of_a_lesson_early_next_morning_is_not_held_until_it_is_over(stage: Stage) -> None:
    put(stage.db, london("2026-11-27 08:00"))
    stage.clock.now = london("2026-11-26 19:45")
    cancelled(stage.db, stage.clock())
    stage.works()
    stage.clock.now = london("2026-11-26 20:00")
    stage.works()
    assert len(stage.whatsapp.to(AMINA)) == 1


def test_news_that_replaces_news_that_waits_is_urgent_as_early_as_that_was(stage: Stage) -> None:
    moved(stage.db, FRIDAY + 5 * 24 * HOUR, stage.clock(), everybody=True)
    moved(stage.db, FRIDAY + 6 * 24 * HOUR, stage.clock(), everybody=True)
    old, new = news(stage.db)
    assert (old.state, old.urgent_from, new.urgent_from) == ("withheld", FRIDAY - 12 * HOUR, FRIDAY - 12 * HOUR)


def test_what_went_because_it_was_urgent_takes_nobodys_place_under_the_cap(stage: Stage) -> None:
    cancelled(stage.db, stage.clock())
    stage.clock.now = FRIDAY - 12 * HOUR
    stage.works()
    later = FRIDAY + 3 * 24 * HOUR
    owe(stage.db, AMINA, later, key="next", use="course_update", best_before=later + 9 * 24 * HOUR)
    stage.clock.now = opening(stage.room.terms.hours, later)
    stage.works()
    row = only(stage.db, Outbound, Outbound.key == "next")
    assert row.reason != "FREQUENCY_CAP"


def test_the_call_sheet_of_news_that_became_urgent_comes_ten_minutes_later(stage: Stage) -> None:
    replaced(stage.db, "Room 6", stage.clock())
    assert not only(stage.db, Notice).urgent
    stage.clock.now = FRIDAY - 12 * HOUR + timedelta(minutes=11)  # and nothing was sent meanwhile
    assert call_sheets(stage.db, stage.clock()) == 1
    assert rows(stage.db, OfficeCase, OfficeCase.kind == "call_sheet")
