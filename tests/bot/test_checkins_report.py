"""What the provider is told of check-ins: counts by cohort, no small number, and no name (P19, D18)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import date, datetime
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner, Result

from bot.cli import Tools
from bot.cli.checkins import checkin_commands
from bot.database import Database
from bot.models import Audit, CheckIn, ContactPoint, Course, Outbound, PersonRow
from bot.outcomes import NoSuchCohort, report
from tests.bot.rooms import a_member_of_staff, rows

Runs = Callable[..., Result]
SAID = ("well", "ok", "struggling", "")
HIDDEN_ROW = " ".join(["hidden"] * 6)


def a_cohort(db: Database, name: str, now: datetime, *numbers: int, state: str = "accepted") -> None:
    """A cohort in which so many said well, ok, struggling, and nothing."""
    with db.write() as session:
        course = Course(code=f"C {name}", name="Start Your Business", cohort=name, starts_on=date(2026, 1, 5))
        session.add(course)
        session.flush()
        for outcome, number in zip(SAID, numbers, strict=True):
            for place in range(number):
                person = PersonRow(name="Amina", created_at=now)
                session.add(person)
                session.flush()
                point = ContactPoint(person_id=person.id, kind="phone", value=f"{name}{outcome}{place}")
                asked = CheckIn(person_id=person.id, course_id=course.id, week=2, planned_at=now, outcome=outcome)
                session.add_all((point, asked))
                session.flush()
                key = f"check_in:{person.id}:{course.id}:2"
                row = Outbound(key=key, plan="check_in", purpose="checkin", priority=4, body="", state=state)
                row.person_id, row.contact_point_id, row.created_at, row.due_at = person.id, point.id, now, now
                session.add(row)


def lines(db: Database, cohort: str | None = None) -> list[str]:
    with db.read() as session:
        return [" ".join(row.values()) for row in report(session, cohort)]


@pytest.fixture
def runs(db: Database, now: datetime) -> Runs:
    """Runs `checkins` as the command line does."""
    a_member_of_staff(db, "T-ADM", "admin", now=now)
    group = click.Group()
    group.add_command(checkin_commands(Mock(spec=Tools, db=db)))
    return lambda *arguments: CliRunner().invoke(group, ["checkins", *arguments])


def test_each_cohort_is_counted_and_all_of_them_together(db: Database, now: datetime) -> None:
    a_cohort(db, "Cohort 1", now, 10, 7, 5, 6)
    a_cohort(db, "Cohort 2", now, 5, 0, 9, 5)
    assert lines(db) == ["Cohort 1 28 22 6 10 7 5", "Cohort 2 19 14 5 5 0 9", "all cohorts 47 36 11 15 7 14"]


def test_a_small_number_is_hidden_and_so_is_what_it_could_be_worked_out_from(db: Database, now: datetime) -> None:
    a_cohort(db, "Cohort 1", now, 10, 7, 2, 6)
    a_cohort(db, "Cohort 2", now, 5, 6, 9, 5)
    assert lines(db) == [f"Cohort 1 {HIDDEN_ROW}", "Cohort 2 25 20 5 5 6 9", f"all cohorts {HIDDEN_ROW}"]


def test_cohorts_that_are_hidden_count_in_the_last_row(db: Database, now: datetime) -> None:
    a_cohort(db, "Cohort 1", now, 10, 7, 2, 6)
    a_cohort(db, "Cohort 2", now, 5, 3, 9, 5)
    assert lines(db) == [f"Cohort 1 {HIDDEN_ROW}", f"Cohort 2 {HIDDEN_ROW}", "all cohorts 47 36 11 15 10 11"]


def test_one_struggling_learner_cannot_be_worked_out_from_three_cohorts(db: Database, now: datetime) -> None:
    a_cohort(db, "Cohort 0", now, 1, 3, 1, 1)
    a_cohort(db, "Cohort 1", now, 0, 6, 5, 6)
    a_cohort(db, "Cohort 2", now, 0, 2, 0, 0)
    assert lines(db)[-1] == f"all cohorts {HIDDEN_ROW}"


def test_one_cohort_alone_shows_no_more_than_beside_the_others(db: Database, now: datetime) -> None:
    a_cohort(db, "Cohort 1", now, 10, 7, 2, 6)
    a_cohort(db, "Cohort 2", now, 5, 6, 9, 5)
    assert lines(db, "Cohort 2") == [lines(db)[1]]


def test_many_check_ins_of_few_learners_are_hidden(db: Database, now: datetime) -> None:
    a_cohort(db, "Cohort 1", now, 3, 0, 0, 0)
    with db.write() as session:
        for one in rows(db, CheckIn):
            for week in (8, 16):
                more = CheckIn(person_id=one.person_id, course_id=one.course_id, week=week, planned_at=now, outcome="well")
                session.add(more)
    assert lines(db, "Cohort 1") == [f"Cohort 1 {HIDDEN_ROW}"]


def test_a_check_in_that_never_went_was_not_asked(db: Database, now: datetime) -> None:
    a_cohort(db, "Cohort 1", now, 0, 0, 0, 9, state="withheld")
    assert lines(db) == []


def test_a_cohort_that_nobody_was_asked_in_is_an_error(db: Database, now: datetime) -> None:
    a_cohort(db, "Cohort 1", now, 5, 5, 5, 5)
    with pytest.raises(NoSuchCohort, match="Cohort 3"):
        lines(db, "Cohort 3")


def test_the_command_prints_csv_and_json_and_leaves_a_line_of_audit(db: Database, runs: Runs, now: datetime) -> None:
    a_cohort(db, "=Cohort 1", now, 10, 7, 5, 6)
    printed = runs("report", "--csv", "--as", "T-ADM").output
    assert list(csv.reader(io.StringIO(printed)))[:2] == [
        ["cohort", "asked", "answered", "silent", "well", "ok", "struggling"],
        ["'=Cohort 1", "28", "22", "6", "10", "7", "5"],
    ]
    assert "Amina" not in printed
    one = json.loads(runs("report", "--cohort", "=Cohort 1", "--json").output)
    assert (one["cohort"], one["well"]) == ("=Cohort 1", "10")
    assert [(row.by, row.act) for row in rows(db, Audit)] == [("T-ADM", "outcomes.report"), ("cli", "outcomes.report")]


@pytest.mark.parametrize(
    "arguments", [("--cohort", "Cohort 3"), ("--as", "NOBODY"), ("--csv", "--json")], ids=["cohort", "staff", "both"]
)
def test_what_cannot_be_done_is_said_and_is_no_success(runs: Runs, arguments: tuple[str, ...]) -> None:
    result = runs("report", *arguments)
    assert result.exit_code != 0
    assert "Error" in result.output


def test_a_list_of_nothing_says_so(runs: Runs) -> None:
    assert runs("report").output == "Nothing to show.\n"


@pytest.mark.parametrize("name", ["all cohorts", "no cohort"])
def test_a_cohort_may_be_called_what_a_row_of_ours_is_called(db: Database, now: datetime, name: str) -> None:
    a_cohort(db, name, now, 6, 6, 6, 6)
    a_cohort(db, "X", now, 6, 6, 6, 6)
    assert sorted(lines(db)) == sorted([f"{name} 24 18 6 6 6 6", "X 24 18 6 6 6 6", "all cohorts 48 36 12 12 12 12"])
    assert lines(db, name) == [f"{name} 24 18 6 6 6 6"]


def test_a_cohort_whose_name_looks_like_markup_is_printed_as_it_is(runs: Runs, db: Database, now: datetime) -> None:
    a_cohort(db, "[/x] [bold]y", now, 6, 6, 6, 6)
    printed = runs("report")
    assert (printed.exit_code, "[/x] [bold]y" in printed.output) == (0, True)
