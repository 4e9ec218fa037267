"""Reminders of lessons: the day before by London's clocks, an hour before, as each learner wants them (P12)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import event, select, update

from bot import marks, outbox
from bot.database import Database
from bot.hours import Hours
from bot.models import ContactPoint, Course, LessonRow, OfficeCase, Outbound, PersonRow
from bot.outbox import Draft
from bot.planning.forecast import forecast
from bot.reminders import Wish, day_before, hour_before, moments
from tests.bot.rooms import AMINA, BILAL, TERMS, a_learner, only, rows
from tests.bot.test_planning import DAY, LINKS, Crash, alter, db, many_learners, plans, says

__all__ = ["db"]  # the fixture: every template is approved
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def reminders(db: Database) -> list[tuple[str, datetime]]:
    """Plan and time of every reminder of a lesson, in the order of their time."""
    found = rows(db, Outbound, Outbound.use == "lesson_reminder")
    return sorted(((row.plan, row.due_at) for row in found), key=lambda one: (one[1], one[0]))


def the_lesson_is(db: Database, starts_at: datetime) -> None:
    """The one lesson starts then, and nothing is planned for it yet."""
    alter(db, LessonRow, starts_at=starts_at, ends_at=starts_at + 2 * HOUR, planned_at=None)


def wants(db: Database, **values: object) -> None:
    """Every learner wants their reminders so, and planning hears of it."""
    alter(db, PersonRow, **values)


# When


@pytest.mark.parametrize(
    ("lesson", "reminded"),
    [
        (datetime(2026, 10, 25, 10, 0, tzinfo=UTC), datetime(2026, 10, 24, 9, 0, tzinfo=UTC)),  # P12: the clocks go back
        (datetime(2027, 3, 28, 9, 0, tzinfo=UTC), datetime(2027, 3, 27, 10, 0, tzinfo=UTC)),  # P12: they go forward
        (datetime(2026, 10, 26, 10, 0, tzinfo=UTC), datetime(2026, 10, 25, 10, 0, tzinfo=UTC)),  # the day after
        (datetime(2027, 3, 29, 9, 0, tzinfo=UTC), datetime(2027, 3, 28, 9, 0, tzinfo=UTC)),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 24, 0, 30, tzinfo=UTC)),  # 01:30, the first time
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2026, 10, 24, 0, 30, tzinfo=UTC)),  # 01:30, the second time
        (datetime(2026, 10, 26, 1, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # 01:30 is twice: the first
        (datetime(2027, 3, 29, 0, 30, tzinfo=UTC), datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),  # 01:30 is not there
        (datetime(2027, 6, 2, 17, 0, tzinfo=UTC), datetime(2027, 6, 1, 17, 0, tzinfo=UTC)),
    ],
)
def test_the_day_before_is_at_the_same_time_on_londons_clocks(lesson: datetime, reminded: datetime) -> None:
    assert day_before(lesson) == reminded


@pytest.mark.parametrize("lesson", [datetime(2026, 10, 25, 1, 30, tzinfo=UTC), datetime(2027, 3, 28, 1, 30, tzinfo=UTC)])
def test_an_hour_before_is_sixty_minutes_whatever_the_clocks_do(lesson: datetime) -> None:
    assert hour_before(lesson, Hours(time(0), time(23, 59))) == lesson - 60 * MINUTE


@pytest.mark.parametrize(
    ("choice", "of_course", "plans"),
    [
        ("", False, ["day_before"]),
        ("", True, ["day_before", "hour_before"]),
        ("day", True, ["day_before"]),
        ("hour", False, ["hour_before"]),
        ("both", False, ["day_before", "hour_before"]),
        ("none", True, []),
    ],
)
def test_the_learner_chooses_and_else_the_course(now: datetime, choice: str, of_course: bool, plans: list[str]) -> None:
    assert [plan for plan, _ in moments(now + 2 * DAY, Wish(choice), now, of_course=of_course)] == plans


@pytest.mark.parametrize(
    ("away", "due"),
    [
        (DAY + MINUTE, [("day_before", MINUTE), ("hour_before", 23 * HOUR + MINUTE)]),
        (DAY, [("day_before", 0 * HOUR), ("hour_before", 23 * HOUR)]),
        (23 * HOUR, [("day_before", 0 * HOUR), ("hour_before", 22 * HOUR)]),  # late, and at once
        (2 * HOUR + MINUTE, [("day_before", 0 * HOUR), ("hour_before", HOUR + MINUTE)]),
        (2 * HOUR, [("hour_before", HOUR)]),  # so near, the hour before is enough
        (HOUR, [("hour_before", 0 * HOUR)]),
        (HOUR - MINUTE, []),
        (0 * HOUR, []),
        (-HOUR, []),
    ],
)
def test_who_comes_late_is_reminded_while_it_is_worth_it(
    now: datetime, away: timedelta, due: list[tuple[str, timedelta]]
) -> None:
    found = moments(now + away, Wish("both"), now, of_course=False)
    assert [(plan, at - now) for plan, at in found] == due


def test_nothing_comes_while_they_want_quiet(now: datetime) -> None:
    starts = now + 2 * DAY
    assert [plan for plan, _ in moments(starts, Wish("both", now + DAY), now, of_course=False)] == [
        "day_before",
        "hour_before",
    ]
    later = now + DAY + MINUTE  # the day before lies in it, the lesson does not: as soon as it is over
    assert list(moments(starts, Wish("day", later), now, of_course=False)) == [("day_before", later)]
    near = starts - 2 * HOUR
    assert [plan for plan, _ in moments(starts, Wish("both", near), now, of_course=False)] == ["hour_before"]
    assert list(moments(starts, Wish("both", starts), now, of_course=False)) == []


# As rows


def test_everybody_on_the_course_is_reminded_the_day_before(db: Database, now: datetime) -> None:
    ids = [a_learner(db, AMINA, now=now), a_learner(db, BILAL, now=now)]
    starts = now + 3 * DAY
    the_lesson_is(db, starts)
    assert plans(db, now).lesson_reminders == 2
    lesson = only(db, LessonRow)
    assert lesson.planned_at == now
    row, other = rows(db, Outbound, Outbound.use == "lesson_reminder")
    assert [row.key, other.key] == [f"day_before:{lesson.id}:{one}" for one in ids]
    assert (row.purpose, row.plan, row.template) == ("service", "day_before", "lesson_reminder")
    assert (row.due_at, row.best_before, row.state) == (starts - DAY, starts, "queued")
    assert (row.lesson_id, row.lesson_version) == (lesson.id, 1)
    assert row.variables == {"lesson": "Pricing", "starts_at": "Fri 27 Nov, 10:00", "place": "Room 4"}
    assert row.body == TERMS.templates.find("lesson_reminder", "en").fill(row.variables)


def test_a_lesson_beyond_the_horizon_waits(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    the_lesson_is(db, now + 3 * DAY + MINUTE)
    assert plans(db, now).lesson_reminders == 0
    assert plans(db, now + MINUTE).lesson_reminders == 1


def test_planning_again_adds_nothing(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    the_lesson_is(db, now + 2 * DAY)
    assert [plans(db, now + hours * HOUR).lesson_reminders for hours in range(3)] == [1, 0, 0]
    alter(db, LessonRow, planned_at=None)
    assert plans(db, now + 3 * HOUR).lesson_reminders == 0
    assert len(reminders(db)) == 1


@pytest.mark.parametrize("consent", ["refuse", "withdraw", "pause"])
def test_a_row_is_made_for_whoever_said_no_too_and_the_gate_says_why_it_does_not_go(
    db: Database, now: datetime, consent: str
) -> None:
    a_learner(db, now=now, consent=consent)
    the_lesson_is(db, now + 12 * HOUR)
    plans(db, now)
    assert outbox.claim(db, TERMS, now) is None
    row = only(db, Outbound)
    assert (row.plan, row.reason) == ("day_before", "NO_CONSENT" if consent == "refuse" else "OPTED_OUT")


@pytest.mark.parametrize("trouble", ["disowned_at", "unreachable_at"])
def test_who_has_no_phone_is_reminded_once_they_have_one(db: Database, now: datetime, trouble: str) -> None:
    a_learner(db, now=now)
    the_lesson_is(db, now + 2 * DAY)
    alter(db, ContactPoint, **{trouble: now})
    assert plans(db, now).lesson_reminders == 0
    alter(db, ContactPoint, **{trouble: None})
    assert plans(db, now + MINUTE).lesson_reminders == 1


def test_a_newcomer_is_reminded_of_lessons_that_are_planned_already(db: Database, now: datetime) -> None:
    a_learner(db, AMINA, now=now)
    the_lesson_is(db, now + 20 * HOUR)
    plans(db, now)
    newcomer = a_learner(db, BILAL, now=now)
    assert plans(db, now + MINUTE).lesson_reminders == 1
    row = only(db, Outbound, Outbound.person_id == newcomer, Outbound.plan == "day_before")
    assert row.due_at == now + MINUTE  # the day before is past, the lesson is not


def test_what_somebody_chose_is_what_is_planned(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    starts = now + 2 * DAY
    the_lesson_is(db, starts)
    wants(db, reminders="hour")
    plans(db, now)
    assert reminders(db) == [("hour_before", starts - HOUR)]
    wants(db, reminders="both")
    plans(db, now + MINUTE)
    assert reminders(db) == [("day_before", starts - DAY), ("hour_before", starts - HOUR)]


def test_a_course_may_remind_an_hour_before_too(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    starts = now + 2 * DAY
    the_lesson_is(db, starts)
    plans(db, now)
    with db.write() as session:
        session.execute(update(Course).values(hour_before=True))
        marks.look_at_courses(session, ["SYB12"], now + MINUTE)
    assert plans(db, now + MINUTE).lesson_reminders == 1
    assert reminders(db) == [("day_before", starts - DAY), ("hour_before", starts - HOUR)]


def test_who_wants_none_or_wants_quiet_gets_none(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    the_lesson_is(db, now + 2 * DAY)
    wants(db, reminders="none")
    assert plans(db, now).lesson_reminders == 0
    wants(db, reminders="", quiet_until=now + 3 * DAY)
    assert plans(db, now).lesson_reminders == 0


def test_a_cancelled_lesson_has_no_reminder(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    the_lesson_is(db, now + 2 * DAY)
    alter(db, LessonRow, cancelled_at=now)
    assert plans(db, now).lesson_reminders == 0


def test_a_machine_that_was_off_reminds_of_what_is_to_come_and_of_nothing_that_is_over(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    the_lesson_is(db, now + 2 * DAY)
    assert plans(db, now + 2 * DAY).lesson_reminders == 0
    the_lesson_is(db, now + 2 * DAY + 3 * HOUR)
    assert plans(db, now + 2 * DAY).lesson_reminders == 1
    assert reminders(db) == [("day_before", now + 2 * DAY)]


def test_a_lesson_that_changed_is_planned_as_it_is_now(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    the_lesson_is(db, now + 2 * DAY)
    alter(db, LessonRow, version=3, title="Selling")
    plans(db, now)
    row = only(db, Outbound, Outbound.use == "lesson_reminder")
    assert (row.lesson_version, "Selling" in row.body) == (3, True)


def test_a_lesson_that_no_template_takes_is_a_case_and_keeps_no_other_waiting(
    db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_learner(db, now=now)
    the_lesson_is(db, now + 2 * DAY)
    with db.write() as session:
        course = session.scalars(select(Course.id)).one()
        starts = now + 2 * DAY
        session.add(LessonRow(code="L3", course_id=course, title="Good", starts_at=starts, ends_at=starts + HOUR))
    said = {"Pricing": "", "Good": "Good"}
    names = lambda title, *_: {"lesson": said[title], "starts_at": "10:00", "place": "Room 4"}  # noqa: E731
    monkeypatch.setattr("bot.planning.lessons.reminder_variables", names)
    assert plans(db, now).lesson_reminders == 1
    plans(db, now + MINUTE)
    assert only(db, OfficeCase).flags == ["lesson_reminder", "lesson", "L2"]


@pytest.mark.parametrize("statement", [1, 2, 3])
def test_a_crash_while_reminders_are_planned_loses_and_doubles_none(db: Database, now: datetime, statement: int) -> None:
    ids = many_learners(db, [("give",)] * 320, now)
    starts, left = now + 2 * DAY, [statement]
    with db.write() as session:
        course = session.scalars(select(Course.id)).one()
        session.add(LessonRow(code="L1", course_id=course, title="Pricing", starts_at=starts, ends_at=starts + HOUR))

    def die(_conn: object, _cursor: object, said: str, *_rest: object) -> None:
        left[0] -= said.startswith("INSERT INTO outbound")
        if left[0] == 0:
            raise Crash

    event.listen(db.engine, "before_cursor_execute", die)
    try:
        with pytest.raises(Crash):
            plans(db, now)
    finally:
        event.remove(db.engine, "before_cursor_execute", die)
    assert only(db, LessonRow).planned_at is None
    plans(db, now)
    assert [row.person_id for row in rows(db, Outbound, Outbound.plan == "day_before")] == ids
    assert only(db, LessonRow).planned_at == now


# Who comes back


def test_who_stopped_and_came_back_in_time_is_reminded_after_all(db: Database, now: datetime) -> None:
    person_id = a_learner(db, now=now)
    the_lesson_is(db, now + 2 * DAY)
    plans(db, now)
    with db.write() as session:
        outbox.cancel_planned(session, person_id, ("service",), "OPTED_OUT")
    says(db, person_id, "withdraw", now + MINUTE)
    assert plans(db, now + 2 * MINUTE).revived == 0
    says(db, person_id, "give", now + 3 * MINUTE)
    assert plans(db, now + 4 * MINUTE).revived == 1
    row = only(db, Outbound, Outbound.plan == "day_before")
    assert (row.state, row.reason) == ("queued", None)


# What is to come


def foreseen(db: Database, now: datetime, until: datetime) -> list[Draft]:
    with db.read() as session:
        return list(forecast(session, TERMS, LINKS, now, until))


def test_a_forecast_is_what_planning_then_does_and_writes_nothing(db: Database, now: datetime) -> None:
    a_learner(db, now=now)
    starts = now + 5 * DAY
    the_lesson_is(db, starts)
    found = foreseen(db, now, now + 5 * DAY)
    assert [(one.plan, one.due_at) for one in found] == [("day_before", starts - DAY), ("first_message", now)]
    assert rows(db, Outbound) == []
    plans(db, now)
    plans(db, now + 3 * DAY)
    assert {row.key for row in rows(db, Outbound)} == {one.key for one in found}
    assert foreseen(db, now, now + 5 * DAY) == []


def test_a_forecast_knows_what_comes_of_time_alone(db: Database, now: datetime) -> None:
    person_id = a_learner(db, now=now)
    alter(db, Course, group_link="https://chat.whatsapp.com/Cohort12")
    plans(db, now)
    alter(db, Outbound, state="delivered", sent_at=now, tried_at=now)
    assert foreseen(db, now, now + DAY - MINUTE) == []
    (invitation,) = foreseen(db, now, now + DAY)
    assert (invitation.plan, invitation.person_id, invitation.due_at) == ("invitation", person_id, now + DAY)
