"""After a course: check-ins on their days, one goodbye inside six calendar months, and nothing after (P03, P19, F20)."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update

from bot.database import Database
from bot.gate import last_day
from bot.hours import LONDON
from bot.models import CheckIn, ContactPoint, Course, EnrolmentRow, OfficeCase, Outbound, PersonRow
from bot.planning.company import HORIZON, drafts, next_looks, plan_company
from bot.planning.moments import check_in_days, goodbye_day, moments
from bot.terms import CHECK_IN_WEEKS
from tests.bot.rooms import AMINA, BILAL, TERMS, a_learner, greeted, only, owe, rows
from tests.bot.rooms import states as states_of
from tests.bot.test_planning import says

DAY, WEEK, MINUTE = timedelta(days=1), timedelta(weeks=1), timedelta(minutes=1)
ENDS = date(2027, 1, 29)
ENDED = datetime(2027, 1, 29, 12, tzinfo=UTC)
FIRST = datetime(2027, 2, 12, 10, 30, tzinfo=UTC)  # two weeks on; London is at UTC then
GOODBYE = datetime(2027, 7, 23, 9, 30, tzinfo=UTC)  # the last week begins; London's clocks show 10:30
OVER = datetime(2027, 7, 29, 23, 0, tzinfo=UTC)  # the last day ends at midnight by London's clocks


@pytest.mark.parametrize(
    ("ends_on", "goodbye"),
    [
        (date(2026, 1, 31), date(2026, 7, 25)),  # the last day is 31 July
        (date(2026, 8, 31), date(2027, 2, 22)),  # clipped to 28 February
        (date(2027, 8, 29), date(2028, 2, 23)),  # a leap year: 29 February is there
        (date(2027, 8, 31), date(2028, 2, 23)),
        (date(2028, 2, 29), date(2028, 8, 23)),
        (date(2026, 12, 31), date(2027, 6, 24)),
    ],
)
def test_the_goodbye_goes_on_the_first_day_of_the_last_week(ends_on: date, goodbye: date) -> None:
    assert goodbye_day(ends_on) == goodbye
    assert last_day(ends_on) - goodbye == timedelta(days=6)


def test_check_ins_come_two_eight_sixteen_and_twenty_four_weeks_after_the_course() -> None:
    days = check_in_days(date(2026, 1, 31), CHECK_IN_WEEKS)
    assert days == (
        (2, date(2026, 2, 14)),
        (8, date(2026, 3, 28)),
        (16, date(2026, 5, 23)),
        (24, date(2026, 7, 18)),
    )


def test_a_check_in_of_a_late_week_comes_before_the_goodbye_and_two_of_them_are_one() -> None:
    assert check_in_days(date(2026, 8, 31), (2, 26, 30)) == ((2, date(2026, 9, 14)), (26, date(2027, 2, 19)))


ENDS_ON = st.dates(date(2024, 1, 1), date(2032, 12, 31))
WEEKS = st.lists(st.integers(1, 60), max_size=6).map(tuple)


@given(ENDS_ON, WEEKS)
def test_nothing_is_planned_after_six_months_or_after_the_goodbye_whenever_a_course_ends(
    ends_on: date, weeks: tuple[int, ...]
) -> None:
    days = [day for _, day in check_in_days(ends_on, weeks)]
    assert all(ends_on < day < goodbye_day(ends_on) <= last_day(ends_on) for day in days)
    assert days == sorted(set(days))
    *asked, bye = moments(ends_on, weeks)
    over = datetime.combine(last_day(ends_on) + DAY, time.min, LONDON).astimezone(UTC)
    assert bye.week is None
    assert bye.due_at < bye.best_before == over
    assert all(one.due_at < one.best_before <= one.due_at + 3 * DAY for one in asked)
    assert all(one.best_before <= after.due_at for one, after in pairwise((*asked, bye)))  # never two for one silence
    assert all(one.due_at.astimezone(LONDON).time() == time(10, 30) for one in (*asked, bye))


@given(ENDS_ON)
def test_by_default_every_week_has_its_own_day_unclipped(ends_on: date) -> None:
    assert check_in_days(ends_on, CHECK_IN_WEEKS) == tuple((week, ends_on + week * WEEK) for week in CHECK_IN_WEEKS)


def ends(db: Database, ends_on: date | None) -> None:
    with db.write() as session:
        session.execute(update(Course).values(ends_on=ends_on))


def a_finisher(db: Database, now: datetime = ENDED, phone: str = AMINA, ends_on: date = ENDS) -> int:
    """A learner whose first message went, and whose course has ended; the person's id."""
    person_id = a_learner(db, phone, now=now)
    greeted(db, phone, now - 30 * DAY)
    ends(db, ends_on)
    return person_id


def after_course(db: Database) -> Sequence[Outbound]:
    """Every message of a plan, but for the first message."""
    return rows(db, Outbound, Outbound.plan != "first_message")


def states(db: Database) -> list[tuple[str, str | None]]:
    return states_of(db, Outbound.plan != "first_message")


def became(db: Database, **values: object) -> None:
    """So it goes with every check-in and goodbye."""
    with db.write() as session:
        session.execute(update(Outbound).where(Outbound.plan != "first_message").values(**values))


def another_course(db: Database, person_id: int, ends_on: date | None, code: str = "GYB3") -> int:
    with db.write() as session:
        course = Course(code=code, name="Grow Your Business", starts_on=date(2026, 9, 1), ends_on=ends_on)
        session.add(course)
        session.flush()
        session.add(EnrolmentRow(person_id=person_id, course_id=course.id, created_at=ENDED))
        return course.id


def plans(db: Database, people: Sequence[int], now: datetime) -> tuple[int, int]:
    return plan_company(db, TERMS, people, now)


def look(db: Database, person_id: int, now: datetime) -> datetime | None:
    with db.read() as session:
        return next_looks(session, [person_id], TERMS, now)[person_id]


def forecast(db: Database, person_id: int, now: datetime, until: datetime) -> list[tuple[str, datetime]]:
    with db.read() as session:
        return [(one.plan, one.due_at) for one in drafts(session, TERMS, [person_id], now, until)]


def test_a_check_in_is_owed_two_days_ahead_with_its_row_and_its_question(db: Database) -> None:
    who = a_finisher(db)
    assert plans(db, [who], FIRST - HORIZON - MINUTE) == (0, 0)
    assert plans(db, [who], FIRST - HORIZON) == (1, 0)
    asked, row = only(db, CheckIn), *after_course(db)
    assert (asked.person_id, asked.week, asked.outcome, asked.answered_at) == (who, 2, "", None)
    assert row.key == f"check_in:{who}:{asked.course_id}:2"
    assert (row.purpose, row.use, row.plan) == ("checkin", "keeping_in_touch", "check_in")
    assert (row.due_at, row.best_before, row.urgent) == (FIRST, FIRST + 3 * DAY, False)
    assert row.body.startswith("Hi Amina, Enterprise4all here. You finished your course: Start Your Business.")
    assert row.ask is not None
    assert row.ask["options"]["3"] == "checkin_struggling"


def test_the_goodbye_is_a_service_message_of_the_last_week(db: Database) -> None:
    who = a_finisher(db)
    assert plans(db, [who], GOODBYE - HORIZON) == (0, 1)
    (row,) = after_course(db)
    course = only(db, Course)
    assert (row.key, row.purpose, row.plan) == (f"goodbye:{who}:{course.id}", "service", "goodbye")
    assert (row.due_at, row.best_before, row.ask) == (GOODBYE, OVER, None)
    assert "This is our last message to you." in row.body


def test_planning_again_changes_nothing(db: Database) -> None:
    who = a_finisher(db)
    plans(db, [who], FIRST - DAY)
    assert plans(db, [who], FIRST - DAY) == (0, 0)
    assert plans(db, [who], FIRST + DAY) == (0, 0)
    assert len(rows(db, CheckIn)) == 1


def test_two_workers_at_once_owe_it_once(db: Database) -> None:
    people = [a_finisher(db), a_finisher(db, phone=BILAL)]
    start = threading.Barrier(4)

    def one() -> int:
        start.wait()
        return plans(db, people, FIRST)[0]

    with ThreadPoolExecutor(4) as pool:
        found = [each.result() for each in [pool.submit(one) for _ in range(4)]]
    assert sum(found) == 2
    assert (len(after_course(db)), len(rows(db, CheckIn))) == (2, 2)


def test_while_a_course_of_theirs_goes_on_nobody_asks(db: Database) -> None:
    who = a_finisher(db)
    another_course(db, who, ENDS + 20 * WEEK)
    assert plans(db, [who], FIRST) == (0, 0)
    assert look(db, who, FIRST) == FIRST + 20 * WEEK - HORIZON - timedelta(hours=1)  # by then the clocks have gone forward


def test_a_course_without_an_end_lets_nothing_come_after_it(db: Database) -> None:
    who = a_finisher(db)
    another_course(db, who, None)
    assert plans(db, [who], FIRST) == (0, 0)
    assert look(db, who, FIRST) is None


def test_of_several_courses_the_one_that_ends_last_counts(db: Database) -> None:
    who = a_finisher(db)
    later = another_course(db, who, ENDS + WEEK)
    assert plans(db, [who], FIRST) == (0, 0)
    assert plans(db, [who], FIRST + WEEK) == (1, 0)
    assert only(db, CheckIn).course_id == later
    assert "Grow Your Business" in after_course(db)[0].body


def test_a_week_that_was_missed_is_not_made_up_for(db: Database) -> None:
    who = a_finisher(db)
    assert plans(db, [who], FIRST + 3 * DAY) == (0, 0)
    assert plans(db, [who], FIRST + 3 * DAY - MINUTE) == (1, 0)


def test_after_the_last_day_nothing_is_planned_however_late_they_came(db: Database) -> None:
    who = a_finisher(db)
    assert plans(db, [who], OVER) == (0, 0)
    assert look(db, who, OVER) is None
    assert plans(db, [who], OVER - MINUTE) == (0, 1)


def test_nobody_is_planned_for_whom_no_phone_reaches(db: Database) -> None:
    who = a_finisher(db)
    with db.write() as session:
        session.execute(update(ContactPoint).values(unreachable_at=ENDED))
    assert plans(db, [who], FIRST) == (0, 0)
    assert rows(db, CheckIn) == []


def test_it_is_planned_whatever_they_agreed_to_because_the_gate_says_why_it_does_not_go(db: Database) -> None:
    who = a_learner(db, now=ENDED, consent="withdraw")
    greeted(db, AMINA, ENDED)
    ends(db, ENDS)
    assert plans(db, [who], FIRST) == (1, 0)


def test_what_is_left_of_an_erased_learner_keeps_nobody_waiting(db: Database) -> None:
    erased, amina = a_finisher(db, phone=BILAL), a_finisher(db)
    plans(db, [erased], FIRST)
    with db.write() as session:
        session.execute(update(Outbound).where(Outbound.plan == "check_in").values(state="withheld", reason="ERASED"))
        for table in (CheckIn, EnrolmentRow):
            session.execute(delete(table).where(table.person_id == erased))
    assert plans(db, [erased, amina], FIRST) == (1, 0)
    assert [(row.person_id, row.state) for row in after_course(db)] == [(erased, "withheld"), (amina, "queued")]


# The end of a course moves


def test_what_waits_for_an_end_that_has_moved_does_not_go_and_comes_on_its_new_day(db: Database) -> None:
    who = a_finisher(db)
    plans(db, [who], FIRST)
    ends(db, ENDS + WEEK)
    assert plans(db, [who], FIRST) == (0, 0)
    assert states(db) == [("withheld", "SUPERSEDED")]
    assert plans(db, [who], FIRST + WEEK) == (1, 0)
    (row,) = after_course(db)
    assert (row.state, row.due_at, row.best_before) == ("queued", FIRST + WEEK, FIRST + WEEK + 3 * DAY)


def test_an_end_that_moves_by_a_day_moves_the_check_in_in_one_round(db: Database) -> None:
    who = a_finisher(db)
    plans(db, [who], FIRST - DAY)
    ends(db, ENDS + DAY)
    assert plans(db, [who], FIRST - DAY) == (1, 0)
    assert after_course(db)[0].due_at == FIRST + DAY
    assert states(db) == [("queued", None)]


def test_a_check_in_that_went_is_not_asked_again_when_the_end_moves(db: Database) -> None:
    who = a_finisher(db)
    plans(db, [who], FIRST)
    became(db, state="read", tried_at=FIRST)
    ends(db, ENDS + WEEK)
    assert plans(db, [who], FIRST + WEEK) == (0, 0)
    assert states(db) == [("read", None)]


def test_what_the_gate_put_off_stays_as_it_stands(db: Database) -> None:
    who = a_finisher(db)
    plans(db, [who], FIRST)
    became(db, due_at=FIRST + DAY, reason="FREQUENCY_CAP")
    assert plans(db, [who], FIRST) == (0, 0)
    assert states(db) == [("queued", "FREQUENCY_CAP")]


def test_a_new_course_withholds_the_goodbye_of_the_old_one(db: Database) -> None:
    who = a_finisher(db)
    plans(db, [who], GOODBYE)
    another_course(db, who, ENDS + 40 * WEEK)
    assert plans(db, [who], GOODBYE) == (0, 0)
    assert states(db) == [("withheld", "SUPERSEDED")]


def test_what_is_sent_again_after_a_failure_follows_the_end_of_the_course_too(db: Database) -> None:
    who = a_finisher(db)
    plans(db, [who], FIRST)
    (first,) = after_course(db)
    became(db, state="failed", reason="SENT_AGAIN")
    owe(db, AMINA, FIRST, key=f"{first.key}~1", purpose="checkin", plan="check_in", best_before=first.best_before)
    with db.write() as session:
        session.execute(update(Outbound).where(Outbound.id > first.id).values(retry_of=first.id))
    assert plans(db, [who], FIRST) == (0, 0)
    ends(db, ENDS + WEEK)
    plans(db, [who], FIRST)
    assert states(db) == [("failed", "SENT_AGAIN"), ("withheld", "SUPERSEDED")]


def test_an_opting_out_is_not_undone_by_an_end_that_moves(db: Database) -> None:
    who = a_finisher(db)
    plans(db, [who], FIRST)
    became(db, state="withheld", reason="OPTED_OUT")
    says(db, who, "withdraw", FIRST)
    ends(db, ENDS + DAY)
    plans(db, [who], FIRST)
    assert states(db) == [("withheld", "OPTED_OUT")]
    says(db, who, "give", FIRST)
    plans(db, [who], FIRST)
    assert states(db) == [("queued", None)]
    assert only(db, Outbound, Outbound.plan == "check_in").due_at == FIRST + DAY


# Forecasts, and when to look again


def test_planning_looks_again_when_the_next_one_comes_within_two_days(db: Database) -> None:
    who, found, at = a_finisher(db), [], ENDED
    while (coming := look(db, who, at)) is not None:
        found.append(coming + HORIZON)
        at = coming
    assert [one.astimezone(LONDON).date() for one in found[:-1]] == [ENDS + week * WEEK for week in CHECK_IN_WEEKS]
    assert (found[0], found[-1]) == (FIRST, GOODBYE)


def test_whoever_is_on_no_course_is_never_looked_at(db: Database) -> None:
    who = a_finisher(db)
    with db.write() as session:
        session.execute(delete(EnrolmentRow))
    assert look(db, who, ENDED) is None
    assert plans(db, [who], FIRST) == (0, 0)


def test_a_forecast_names_all_that_is_to_come_and_writes_nothing(db: Database) -> None:
    who = a_finisher(db)
    found = forecast(db, who, ENDED, OVER)
    assert [plan for plan, _ in found] == ["check_in"] * 4 + ["goodbye"]
    assert (found[0][1], found[-1][1]) == (FIRST, GOODBYE)
    assert (after_course(db), rows(db, CheckIn)) == ([], [])


def test_a_forecast_leaves_out_what_is_owed_already(db: Database) -> None:
    who = a_finisher(db)
    plans(db, [who], FIRST)
    assert forecast(db, who, FIRST, FIRST + WEEK) == []


def test_whom_no_template_can_name_is_told_to_the_office_and_keeps_nobody_waiting(db: Database) -> None:
    nameless, amina = a_finisher(db, phone=BILAL), a_finisher(db)
    with db.write() as session:
        session.execute(update(PersonRow).where(PersonRow.id == nameless).values(name=""))
    assert plans(db, [nameless, amina], FIRST) == (1, 0)
    assert plans(db, [nameless, amina], FIRST) == (0, 0)
    case = only(db, OfficeCase)
    assert (case.person_id, case.kind, case.flags) == (nameless, "template_not_fillable", ["check_in", "first_name"])
