"""A lesson that changes: its reminders change with it in one commit, and nobody reads the old after the new (P12)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from bot.database import Database
from bot.models import ContactPoint, Course, LessonRow, Outbound, PersonRow
from bot.outbox.trouble import send_again
from bot.reminders import day_before, hour_before
from bot.timetable import change
from bot.timetable.change import LessonError, NewLesson, Slot, find_course
from bot.timetable.courses import remind_hour_before
from bot.timetable.rewrite import correct
from bot.timetable.words import NO_PLACE, clock_of, reminder_variables, when, where
from tests.bot.rooms import AMINA, BILAL, CARLA, TERMS, Clock, Stage, a_learner, only, rows
from tests.bot.timetables import (
    CODE,
    cancelled,
    delayed,
    london,
    moved,
    news,
    planned,
    put,
    reminders,
    replaced,
    the_lesson,
)
from tests.conftest import sweep

MONDAY = london("2026-11-30 10:00")
SUNDAY = MONDAY - timedelta(days=1)
FRIDAY = london("2026-11-27 18:00")
HOUR = timedelta(hours=1)


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A learner, with a lesson next Monday at 10:00 in Room 4."""
    a_learner(db, AMINA, now=now)
    put(db, MONDAY)
    return Stage(db, Clock(now))


def sent(db: Database, row: Outbound, at: datetime) -> None:
    """The message went."""
    with db.write() as session:
        session.execute(update(Outbound).where(Outbound.id == row.id).values(state="delivered", tried_at=at, attempts=1))


def window_open(db: Database, at: datetime) -> None:
    """Everybody wrote then."""
    with db.write() as session:
        session.execute(update(ContactPoint).values(last_inbound_at=at))


def shape(row: Outbound) -> tuple[str, str, str | None, datetime]:
    return row.plan, row.state, row.reason, row.due_at


# What its words are.


def test_a_time_is_told_as_londons_clocks_show_it() -> None:
    assert when(datetime(2026, 11, 30, 10, tzinfo=UTC)) == "Mon 30 Nov, 10:00"
    assert when(datetime(2026, 7, 1, 9, tzinfo=UTC)) == "Wed 1 Jul, 10:00"
    assert clock_of(datetime(2026, 7, 1, 9, tzinfo=UTC)) == "10:00"


@pytest.mark.parametrize(
    ("place", "link", "shown"),
    [
        ("Room 4", "", "Room 4"),
        ("", "https://zoom.us/j/1", "online: https://zoom.us/j/1"),
        ("Room 4", "https://zoom.us/j/1", "Room 4, or online: https://zoom.us/j/1"),
        ("", "", NO_PLACE),
        (" \u200b ", "", NO_PLACE),
        ("", "https://zoom.us/" + "x" * 400, "online"),
    ],
)
def test_a_lesson_always_has_a_place_to_name(place: str, link: str, shown: str) -> None:
    assert where(place, link) == shown


@given(st.text(), st.text(max_size=600), st.text(max_size=600))
def test_whatever_a_list_holds_the_reminder_can_be_filled_in(title: str, place: str, link: str) -> None:
    variables = reminder_variables(title, MONDAY, place, link)
    assert "\n" not in "".join(variables.values())
    assert TERMS.templates.find("lesson_reminder", "en").fill(variables)


# What cannot be done.


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (lambda one, now: change.move(one, one.starts_at, one.ends_at, now), "already"),
        (lambda one, now: change.move(one, now - HOUR, now + HOUR, now), "in the past"),
        (lambda one, now: change.move(one, one.ends_at, one.starts_at, now), "ends after it starts"),
        (lambda one, now: change.move(one, datetime(2026, 12, 1, 10), one.ends_at, now), "zone"),  # noqa: DTZ001
        (lambda one, now: change.delay(one, 0, now), "1 to 240"),
        (lambda one, now: change.delay(one, 241, now), "1 to 240"),
        (lambda one, _: change.place(one, "Room 4", None), "already"),
        (lambda one, _: change.place(one, "x" * 101, None), "100"),
        (lambda one, _: change.place(one, None, "zoom"), "https"),
        (lambda one, _: change.problem(one, "  "), "few words"),
        (lambda one, _: change.problem(one, "x" * 201), "200"),
        (lambda one, _: change.problem(one, "come to our job fair, it is free"), "job"),
        (lambda one, _: change.problem(one, "send me your password"), "password"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_reason(
    stage: Stage, wanted: Callable[[LessonRow, datetime], Any], reason: str
) -> None:
    with pytest.raises(LessonError, match=reason):
        wanted(the_lesson(stage.db), stage.clock())


def test_a_lesson_that_is_unknown_over_cancelled_or_changed_meanwhile_is_not_changed(stage: Stage) -> None:
    with stage.db.read() as session:
        for code, at, version, reason in (
            ("nope", SUNDAY, None, "no lesson"),
            (CODE, MONDAY + 3 * HOUR, None, "over"),
            (CODE, SUNDAY, 7, "changed a moment ago"),
        ):
            with pytest.raises(LessonError, match=reason):
                change.find(session, code, at, version)
    cancelled(stage.db, stage.clock())
    with pytest.raises(LessonError, match="cancelled already"):
        cancelled(stage.db, stage.clock())


def test_a_delay_that_is_over_already_is_refused(stage: Stage) -> None:
    with pytest.raises(LessonError, match="longer delay"):
        delayed(stage.db, 5, MONDAY + timedelta(minutes=10))
    delayed(stage.db, 20, MONDAY + timedelta(minutes=10))
    assert the_lesson(stage.db).starts_at == MONDAY + timedelta(minutes=20)


def test_a_lesson_is_added_once_and_its_learners_are_reminded_of_it(stage: Stage) -> None:
    new = NewLesson("X1", "SYB12", Slot(MONDAY + HOUR, MONDAY + 2 * HOUR, "Extra", "Room 9"))
    with stage.db.write() as session:
        change.add(session, new, stage.clock())
    planned(stage.db, SUNDAY - HOUR)
    assert {row.variables["lesson"] for row in reminders(stage.db) if row.variables} == {"Pricing", "Extra"}
    with stage.db.write() as session, pytest.raises(LessonError, match="already"):
        change.add(session, new, stage.clock())
    with stage.db.write() as session, pytest.raises(LessonError, match="no course"):
        change.add(session, NewLesson("X2", "NOPE", new.slot), stage.clock())


# Reminders that wait follow the lesson.


def test_a_reminder_that_waits_moves_with_its_lesson_and_says_what_is_true(stage: Stage) -> None:
    planned(stage.db, SUNDAY - 20 * HOUR)
    moved(stage.db, MONDAY + timedelta(hours=26), SUNDAY - 19 * HOUR)
    (row,) = reminders(stage.db)
    assert shape(row) == ("day_before", "queued", None, MONDAY + timedelta(hours=2))
    assert "Tue 1 Dec, 12:00" in row.body
    assert row.variables is not None
    assert row.variables["starts_at"] == "Tue 1 Dec, 12:00"
    assert (row.lesson_version, row.best_before) == (2, MONDAY + timedelta(hours=26))
    assert news(stage.db) == []  # nobody knew of the old time: the reminder tells them


def test_another_place_is_in_the_reminder_that_waits_and_told_at_once(stage: Stage) -> None:
    planned(stage.db, SUNDAY - 20 * HOUR)
    replaced(stage.db, "Room 6", SUNDAY - 19 * HOUR)
    (row,) = reminders(stage.db)
    assert shape(row) == ("day_before", "queued", None, SUNDAY)
    assert "Room 6" in row.body
    assert [("Room 6" in one.body, one.state) for one in news(stage.db)] == [(True, "queued")]


def test_what_an_opting_out_cancelled_is_put_right_too_so_that_it_can_come_back(stage: Stage) -> None:
    planned(stage.db, SUNDAY - 20 * HOUR)
    with stage.db.write() as session:
        session.execute(update(Outbound).values(state="withheld", reason="OPTED_OUT"))
    delayed(stage.db, 30, SUNDAY - 19 * HOUR)
    (row,) = reminders(stage.db)
    assert shape(row) == ("day_before", "withheld", "OPTED_OUT", SUNDAY + timedelta(minutes=30))
    assert "10:30" in row.body
    assert row.lesson_version == the_lesson(stage.db).version


def test_a_reminder_in_another_language_is_written_in_it_or_in_english(stage: Stage) -> None:
    with stage.db.write() as session:
        session.execute(update(PersonRow).values(language="ur"))
    planned(stage.db, SUNDAY - 20 * HOUR)
    delayed(stage.db, 30, SUNDAY - 19 * HOUR)
    (row,) = reminders(stage.db)
    assert "10:30" in row.body


def test_a_cancelled_lesson_is_not_reminded_of_but_told_as_cancelled(stage: Stage) -> None:
    planned(stage.db, SUNDAY - 20 * HOUR)
    cancelled(stage.db, SUNDAY - 19 * HOUR)
    assert planned(stage.db, SUNDAY) == 0
    assert [(row.state, row.reason) for row in reminders(stage.db)] == [("withheld", "SUPERSEDED")]
    (row,) = news(stage.db)
    assert "cancelled" in row.body
    assert row.best_before == MONDAY


def test_moved_into_the_day_the_news_is_the_reminder_and_planning_adds_no_second(stage: Stage) -> None:
    at = stage.clock()
    moved(stage.db, at + timedelta(hours=5), at)
    planned(stage.db, at)
    assert [(row.plan, row.state, row.reason) for row in reminders(stage.db)] == [("day_before", "withheld", "SUPERSEDED")]
    (row,) = news(stage.db)
    assert (row.state, row.urgent) == ("queued", True)


def test_moved_out_of_the_days_planned_for_a_waiting_reminder_waits_for_its_new_day(stage: Stage) -> None:
    planned(stage.db, SUNDAY - 20 * HOUR)
    moved(stage.db, MONDAY + timedelta(days=14), SUNDAY - 19 * HOUR)
    planned(stage.db, SUNDAY)
    assert [shape(row) for row in reminders(stage.db)] == [("day_before", "queued", None, SUNDAY + timedelta(days=14))]


def test_moved_by_more_than_a_day_whoever_was_reminded_is_told_and_reminded_again(stage: Stage) -> None:
    planned(stage.db, SUNDAY - HOUR)
    sent(stage.db, reminders(stage.db)[0], SUNDAY)
    moved(stage.db, MONDAY + timedelta(days=3), SUNDAY + HOUR)
    assert [row.state for row in news(stage.db)] == ["queued"]
    planned(stage.db, MONDAY + timedelta(days=1))
    assert [(row.state, row.due_at) for row in reminders(stage.db)] == [
        ("delivered", SUNDAY),
        ("queued", SUNDAY + timedelta(days=3)),
    ]
    assert planned(stage.db, MONDAY + timedelta(days=1)) == 0


def test_moved_by_less_than_that_the_news_is_enough(stage: Stage) -> None:
    planned(stage.db, SUNDAY - HOUR)
    sent(stage.db, reminders(stage.db)[0], SUNDAY)
    moved(stage.db, MONDAY + timedelta(days=1), SUNDAY + HOUR)
    planned(stage.db, SUNDAY + 2 * HOUR)
    assert [row.state for row in reminders(stage.db)] == ["delivered"]
    assert [row.state for row in news(stage.db)] == ["queued"]


def test_what_reached_nobody_is_planned_again_for_the_new_time(stage: Stage) -> None:
    planned(stage.db, SUNDAY - HOUR)
    with stage.db.write() as session:
        session.execute(update(Outbound).values(state="failed", error_code=63024))
    moved(stage.db, MONDAY + timedelta(days=2), SUNDAY + HOUR)
    planned(stage.db, SUNDAY + HOUR)
    assert [(row.state, row.due_at) for row in reminders(stage.db)] == [
        ("failed", SUNDAY),
        ("queued", SUNDAY + timedelta(days=2)),
    ]


def test_sent_again_after_a_failure_it_waits_and_none_is_planned_beside_it(stage: Stage) -> None:
    planned(stage.db, SUNDAY - HOUR)
    with stage.db.write() as session:
        row = session.scalars(select(Outbound)).one()
        row.state, row.attempts, row.tried_at = "failed", 1, SUNDAY
        assert send_again(session, row, SUNDAY + timedelta(minutes=1))
    moved(stage.db, MONDAY + timedelta(days=2), SUNDAY)
    planned(stage.db, SUNDAY)
    assert [(row.state, row.due_at) for row in reminders(stage.db)] == [
        ("failed", SUNDAY),
        ("queued", SUNDAY + timedelta(days=2)),
    ]


def test_a_retry_that_comes_after_the_move_is_refused_as_old_news(stage: Stage) -> None:
    planned(stage.db, SUNDAY - HOUR)
    sent(stage.db, reminders(stage.db)[0], SUNDAY)
    moved(stage.db, MONDAY + timedelta(days=2), SUNDAY + HOUR)
    with stage.db.write() as session:  # Twilio says only now that the reminder failed
        row = session.scalars(select(Outbound).where(Outbound.plan == "day_before")).one()
        row.state = "failed"
        assert send_again(session, row, SUNDAY + HOUR)
    stage.clock.now = SUNDAY + HOUR
    window_open(stage.db, SUNDAY)
    stage.works()
    assert [body.count("Reminder") for body in stage.whatsapp.to(AMINA)] == [0]
    assert ("withheld", "SUPERSEDED") in [(row.state, row.reason) for row in reminders(stage.db)]


def test_a_list_that_only_spells_the_title_otherwise_puts_right_what_waits(stage: Stage) -> None:
    planned(stage.db, SUNDAY - HOUR)
    with stage.db.write() as session:
        lesson = change.find(session, CODE, SUNDAY, lock=True)
        slot = Slot(lesson.starts_at, lesson.ends_at, "Prices", lesson.place, lesson.link)
        correct(session, TERMS, lesson, slot, SUNDAY + HOUR, told=False)
    (row,) = reminders(stage.db)
    assert shape(row) == ("day_before", "queued", None, SUNDAY)
    assert "Prices" in row.body


# P12's own cases, and more of them.


@pytest.mark.parametrize(
    ("lesson", "reminder"),
    [
        ("2026-10-25 10:00", datetime(2026, 10, 24, 9, tzinfo=UTC)),  # the clocks go back that morning
        ("2027-03-28 10:00", datetime(2027, 3, 27, 10, tzinfo=UTC)),  # the clocks go forward
        ("2026-10-26 10:00", datetime(2026, 10, 25, 10, tzinfo=UTC)),
        ("2027-03-29 10:00", datetime(2027, 3, 28, 9, tzinfo=UTC)),
    ],
)
def test_a_lesson_moved_over_a_change_of_the_clocks_is_reminded_of_at_its_own_hour_the_day_before(
    stage: Stage, lesson: str, reminder: datetime
) -> None:
    starts = london(lesson)
    put(stage.db, starts - timedelta(days=2))
    at = starts - timedelta(days=4)
    planned(stage.db, at)
    moved(stage.db, starts, at)
    assert [shape(row) for row in reminders(stage.db)] == [("day_before", "queued", None, reminder)]
    assert "10:00" in reminders(stage.db)[0].body


def test_a_delay_over_the_hour_that_comes_twice_is_so_many_real_minutes(stage: Stage) -> None:
    put(stage.db, london("2026-10-25 00:30"))
    delayed(stage.db, 120, london("2026-10-24 20:00"))
    assert the_lesson(stage.db).starts_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert "01:30" in news(stage.db)[0].body


def test_an_hour_before_follows_the_course_and_a_delay(stage: Stage) -> None:
    with stage.db.write() as session:
        remind_hour_before(session, find_course(session, "SYB12"), "A01", stage.clock(), wanted=True)
    planned(stage.db, SUNDAY - HOUR)
    assert {row.plan: row.due_at for row in reminders(stage.db)} == {"day_before": SUNDAY, "hour_before": MONDAY - HOUR}
    delayed(stage.db, 30, SUNDAY - HOUR)
    due = {row.plan: row.due_at for row in reminders(stage.db)}
    assert due == {"day_before": SUNDAY + HOUR / 2, "hour_before": MONDAY - HOUR / 2}


def test_an_hour_before_is_turned_off_and_on_again(stage: Stage) -> None:
    for wanted, state in ((True, "queued"), (False, "withheld"), (True, "queued")):
        with stage.db.write() as session:
            remind_hour_before(session, find_course(session, "SYB12"), "A01", SUNDAY, wanted=wanted)
        planned(stage.db, SUNDAY)
        assert [row.state for row in reminders(stage.db) if row.plan == "hour_before"] == [state]
        assert only(stage.db, Course).hour_before is wanted


# After whatever was done to it, in whatever order.

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("move"), st.integers(-70, 140)),
        st.tuples(st.just("delay"), st.integers(1, 240)),
        st.tuples(st.just("place"), st.integers(1, 3)),
        st.tuples(st.just("wait"), st.integers(1, 40)),
        st.tuples(st.just("send"), st.just(0)),
        st.tuples(st.just("fail"), st.just(0)),
        st.tuples(st.just("plan"), st.just(0)),
        st.tuples(st.just("cancel"), st.just(0)),
    ),
    min_size=2,
    max_size=10,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_after_any_sequence_of_changes_nothing_that_waits_is_old_and_nothing_is_there_twice(
    db: Database, now: datetime, steps: list[tuple[str, int]]
) -> None:
    sweep(db)
    for phone in (AMINA, BILAL, CARLA):
        a_learner(db, phone, now=now)
    put(db, now + timedelta(days=3))
    window_open(db, now + timedelta(days=90))
    stage = Stage(db, Clock(now))
    for step in [*steps, ("plan", 0)]:
        _live(stage, *step)
        _nothing_old_waits(stage)


def _live(stage: Stage, what: str, much: int) -> None:
    db, at = stage.db, stage.clock()
    before = the_lesson(db).version
    try:
        match what:
            case "move":
                moved(db, the_lesson(db).starts_at + timedelta(hours=much), at)
            case "delay":
                delayed(db, much, at)
            case "place":
                replaced(db, f"Room {much}", at)
            case "wait":
                stage.clock.wait(timedelta(hours=much))
            case "send":
                stage.works()
            case "fail":
                _fail_one(db)
            case "plan":
                planned(db, at)
            case "cancel":
                cancelled(db, at)
    except LessonError:
        assert the_lesson(db).version == before  # what cannot be done changes nothing


def _fail_one(db: Database) -> None:
    with db.write() as session:
        row = session.scalars(select(Outbound).where(Outbound.state == "accepted").limit(1)).first()
        if row is not None:
            row.state = "failed"
            send_again(session, row, row.due_at)


def _nothing_old_waits(stage: Stage) -> None:
    lesson = the_lesson(stage.db)
    for row in rows(stage.db, Outbound, Outbound.state == "queued", Outbound.lesson_version == lesson.version):
        assert lesson.cancelled_at is None or row.plan == "notice"
        if row.plan in ("day_before", "hour_before"):
            moment = {"day_before": day_before, "hour_before": hour_before}[row.plan](lesson.starts_at)
            assert row.due_at >= moment
            assert when(lesson.starts_at) in row.body
            assert lesson.place in row.body
            assert row.best_before == lesson.starts_at
    for row in rows(stage.db, Outbound, Outbound.state == "queued", Outbound.lesson_version != lesson.version):
        assert row.retry_of is not None, "old news waits only as a retry, which the gate refuses"
    keys = [row.key for row in rows(stage.db, Outbound)]
    assert len(set(keys)) == len(keys)
    waiting = [(row.person_id, row.plan) for row in reminders(stage.db) if _waits(row, lesson.version)]
    assert len(set(waiting)) == len(waiting)


def _waits(row: Outbound, version: int) -> bool:
    return row.state == "queued" and row.lesson_version == version
