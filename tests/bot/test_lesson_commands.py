"""The commands of the timetable: they say whom the news reaches, ask, do it once, and let only the right staff."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner, Result

from bot import clock
from bot.cli import Tools
from bot.cli.notices import notice_commands
from bot.cli.timetable import lesson_commands
from bot.database import Database
from bot.hours import LONDON
from bot.models import Audit, Course, LessonRow, Notice
from tests.bot.rooms import AMINA, BILAL, Clock, Stage, a_learner, a_member_of_staff, only, rows
from tests.bot.timetables import CODE, a_trainer, london, news, put, the_lesson

START = london("2026-11-30 10:00")
Run = Callable[..., Result]


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A learner who agreed and one who did not, a lesson on Monday at ten; an admin, its trainer and another trainer."""
    a_learner(db, AMINA, now=now, name="Amina Khan")
    a_learner(db, BILAL, now=now, consent="refuse", name="Bilal Shah")
    put(db, START)
    a_member_of_staff(db, "A01", "admin", now=now)
    a_trainer(db, "T01", now)
    a_trainer(db, "T02", now, teaches=False)
    return Stage(db, Clock(now))


@pytest.fixture
def run(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command line; its last line of input is the answer to the question."""
    monkeypatch.setattr(clock, "now", stage.clock)
    group = click.Group()
    tools = Mock(spec=Tools, db=stage.db, room=stage.room)
    for make in (lesson_commands, notice_commands):
        group.add_command(make(tools))

    def run(*arguments: str, answer: str = "", by: str = "A01") -> Result:
        return CliRunner().invoke(group, [*arguments, *(("--as", by) if by else ())], input=answer)

    return run


def test_it_says_whom_it_reaches_and_asks(stage: Stage, run: Run) -> None:
    result = run("lesson", "delay", CODE, "20", answer="n\n")
    assert result.exit_code == 1
    assert "Lesson: Pricing, Mon 30 Nov, 10:00" in result.output
    assert "From now on: Mon 30 Nov, 10:20 to Mon 30 Nov, 12:20" in result.output
    assert "This tells 1 learner; 1 cannot be told." in result.output
    assert (the_lesson(stage.db).version, news(stage.db)) == (1, [])


def test_a_yes_does_it_and_names_the_call_sheet(stage: Stage, run: Run) -> None:
    result = run("lesson", "delay", CODE, "20", answer="y\n", by="T01")
    assert result.exit_code == 0, result.output
    assert "notice calls 1 --as T01" in result.output
    assert the_lesson(stage.db).starts_at == london("2026-11-30 10:20")
    assert len(news(stage.db)) == 2
    assert only(stage.db, Notice).by == "T01"


def test_said_twice_a_delay_counts_from_the_time_that_was_told_last(stage: Stage, run: Run) -> None:
    for _ in range(2):
        assert run("lesson", "delay", CODE, "20", "--yes").exit_code == 0
    assert the_lesson(stage.db).starts_at == london("2026-11-30 10:40")


@pytest.mark.parametrize(
    "arguments",
    [
        ("lesson", "delay", CODE, "20"),
        ("lesson", "cancel", CODE),
        ("lesson", "move", CODE, "--starts", "2026-12-01 10:00"),
        ("lesson", "place", CODE, "--place", "Room 6"),
        ("notice", "problem", CODE, "Zoom is down"),
    ],
)
@pytest.mark.parametrize(("by", "why"), [("T02", "a trainer of the course"), ("X99", "no member of staff")])
def test_who_may_not_changes_nothing(stage: Stage, run: Run, arguments: tuple[str, ...], by: str, why: str) -> None:
    result = run(*arguments, "--yes", by=by)
    assert result.exit_code == 1
    assert why in result.output
    assert (the_lesson(stage.db).version, rows(stage.db, Notice)) == (1, [])


def test_nobody_acts_without_a_code(run: Run) -> None:
    assert run("lesson", "cancel", CODE, by="").exit_code == 2


def test_a_lesson_is_added_at_londons_time_and_listed(stage: Stage, run: Run) -> None:
    times = ("--starts", "2027-07-05 10:00", "--ends", "2027-07-05 12:00")
    result = run("lesson", "add", "SYB12", "X1", *times, "--title", "Extra", "--place", "Room 9")
    assert result.exit_code == 0, result.output
    assert "Mon 5 Jul, 10:00" in result.output
    assert only(stage.db, LessonRow, LessonRow.code == "X1").starts_at.isoformat() == "2027-07-05T09:00:00+00:00"
    assert only(stage.db, Audit, Audit.act == "lesson_add").details == {"lesson": "X1"}
    listed = run("lesson", "list", "SYB12", "--json", by="")
    assert [json.loads(line)["code"] for line in listed.output.splitlines()] == [CODE, "X1"]
    assert run("lesson", "add", "SYB12", "X1", *times, "--title", "Extra").exit_code == 1


def test_a_move_keeps_the_length_of_the_lesson_unless_told_otherwise(stage: Stage, run: Run) -> None:
    assert run("lesson", "move", CODE, "--starts", "2026-12-01 14:00", "--yes").exit_code == 0
    assert the_lesson(stage.db).ends_at == london("2026-12-01 16:00")
    ends = ("--starts", "2026-12-02 14:00", "--ends", "2026-12-02 15:00")
    assert "This tells 1 learner; 1 cannot be told." in run("lesson", "move", CODE, *ends, "--everybody", "--yes").output
    assert the_lesson(stage.db).ends_at == london("2026-12-02 15:00")


@pytest.mark.parametrize(
    ("starts", "why"),
    [
        ("2027-03-28 01:30", "there is no such time in London"),
        ("tomorrow", "not a time like"),
        ("2026-11-01 10:00", "in the past"),
    ],
)
def test_a_time_that_is_none_is_refused(stage: Stage, run: Run, starts: str, why: str) -> None:
    result = run("lesson", "move", CODE, "--starts", starts, "--yes")
    assert result.exit_code in (1, 2)
    assert why in result.output
    assert the_lesson(stage.db).starts_at == START


def test_of_an_hour_that_comes_twice_the_first_is_meant_and_said(stage: Stage, run: Run) -> None:
    result = run("lesson", "move", CODE, "--starts", "2027-10-31 01:30", "--yes")
    assert "the first of the two" in result.output
    assert the_lesson(stage.db).starts_at.isoformat() == "2027-10-31T00:30:00+00:00"


def test_place_and_link_change_together_or_one_of_them(stage: Stage, run: Run) -> None:
    assert run("lesson", "place", CODE, "--yes").exit_code == 2
    assert run("lesson", "place", CODE, "--place", "", "--link", "https://zoom.us/j/1", "--yes").exit_code == 0
    lesson = the_lesson(stage.db)
    assert (lesson.place, lesson.link) == ("", "https://zoom.us/j/1")
    assert "online: https://zoom.us/j/1" in news(stage.db)[0].body


@pytest.mark.parametrize("words", ["join our job fair", "send your password", "x" * 201, " "])
def test_words_that_no_lesson_message_may_hold_are_refused(stage: Stage, run: Run, words: str) -> None:
    assert run("notice", "problem", CODE, words, "--yes").exit_code == 1
    assert rows(stage.db, Notice) == []


def test_notices_are_listed_and_the_call_sheet_is_for_who_may_see_it(stage: Stage, run: Run) -> None:
    run("lesson", "delay", CODE, "20", "--yes")
    (line,) = run("notice", "list", "--json", by="").output.splitlines()
    assert (json.loads(line)["lesson"], json.loads(line)["kind"]) == (CODE, "late")
    stage.works()
    (call,) = run("notice", "calls", "1", "--json").stdout.splitlines()
    assert json.loads(call) == {
        "learner": f"L{BILAL[1:]}",
        "name": "Bilal Shah",
        "phone": BILAL,
        "reason": "NO_CONSENT",
        "why": "they have not agreed to messages",
    }
    (call,) = run("notice", "calls", "1", "--json", by="T01").stdout.splitlines()
    assert json.loads(call)["phone"] == ""
    assert run("notice", "calls", "1", by="T02").exit_code == 1
    assert run("notice", "calls", "9").exit_code == 1


def test_an_hour_before_is_the_courses_to_choose(stage: Stage, run: Run) -> None:
    assert run("lesson", "remind", "SYB12", "--hour-before", by="T01").exit_code == 0
    assert only(stage.db, Course).hour_before
    assert run("lesson", "remind", "SYB12", "--no-hour-before").exit_code == 0
    assert not only(stage.db, Course).hour_before
    assert run("lesson", "remind", "SYB12", "--hour-before", by="T02").exit_code == 1
    assert run("lesson", "remind", "NOPE", "--hour-before").exit_code == 1


def test_an_unknown_lesson_is_an_error_in_words(run: Run) -> None:
    result = run("lesson", "cancel", "NOPE", "--yes")
    assert (result.exit_code, "there is no lesson with this code" in result.output) == (1, True)


def test_a_cancelled_lesson_is_restored_and_everybody_told(stage: Stage, run: Run) -> None:
    assert run("lesson", "cancel", CODE, "--yes").exit_code == 0
    assert "lesson restore CODE" in run("lesson", "cancel", CODE, "--yes").output
    assert run("lesson", "restore", CODE, "--yes", by="T02").exit_code == 1
    result = run("lesson", "restore", CODE.lower(), answer="y\n", by="T01")
    assert result.exit_code == 0, result.output
    assert "From now on: on after all" in result.output
    assert "This tells 1 learner; 1 cannot be told." in result.output
    assert (the_lesson(stage.db).cancelled_at, the_lesson(stage.db).version) == (None, 3)
    assert "not cancelled" in run("lesson", "restore", CODE, "--yes").output


@pytest.mark.parametrize(("course", "exit_code"), [("syb12", 0), ("SYB12", 0), ("NOPE", 1)])
def test_lessons_of_a_course_are_listed_by_its_code_in_any_case(run: Run, course: str, exit_code: int) -> None:
    result = run("lesson", "list", course, "--json", by="")
    assert result.exit_code == exit_code
    assert ("there is no course with this code" in result.output) == bool(exit_code)
    assert (CODE in result.output) != bool(exit_code)


@pytest.mark.parametrize(("hours", "said"), [(1, True), (2, True), (3, False)])
def test_a_lesson_that_is_too_near_for_a_reminder_says_so(stage: Stage, run: Run, hours: int, said: bool) -> None:
    at = stage.clock().astimezone(LONDON) + timedelta(hours=hours)
    times = ("--starts", f"{at:%Y-%m-%d %H:%M}", "--ends", f"{at + timedelta(hours=1):%Y-%m-%dT%H:%M}")
    result = run("lesson", "add", "syb12", "X1", *times, "--title", "Extra")
    assert result.exit_code == 0, result.output
    assert ("no message tells anybody" in result.output) is said


def test_an_advert_in_a_title_is_refused_and_an_ordinary_place_is_not(stage: Stage, run: Run) -> None:
    times = ("--starts", "2026-12-01 10:00", "--ends", "2026-12-01 12:00", "--place", "Job Centre, Blackburn")
    result = run("lesson", "add", "SYB12", "X1", *times, "--title", "Apply now: job offer")
    assert (result.exit_code, "must not say 'Apply now'" in result.output) == (1, True)
    assert run("lesson", "add", "SYB12", "X1", *times, "--title", "Finding New Customers").exit_code == 0
    assert run("lesson", "place", CODE, "--place", "Opportunity House", "--yes").exit_code == 0


def test_what_stands_in_a_place_already_does_not_stop_another_link(stage: Stage, run: Run) -> None:
    put(stage.db, START, place="Room 4, password 1234")
    assert run("lesson", "place", CODE, "--link", "https://zoom.us/j/1", "--yes").exit_code == 0
    assert run("lesson", "place", CODE, "--place", "Room 5, password 1234", "--yes").exit_code == 1


def test_a_call_sheet_before_anything_was_sent_names_only_who_will_not_get_it(stage: Stage, run: Run) -> None:
    done = run("lesson", "delay", CODE, "20", "--yes").output
    assert "a case comes to the office by itself" in done
    sheet = run("notice", "calls", "1", "--json")
    assert [json.loads(line)["reason"] for line in sheet.stdout.splitlines()] == ["NO_CONSENT"]
    assert "1 is still on the way. Look again after Tue 24 Nov, 10:10." in sheet.stderr
    stage.works()
    stage.clock.wait(timedelta(minutes=11))
    assert "on the way" not in run("notice", "calls", "1", "--json").stderr


def test_a_call_sheet_of_old_news_names_the_newer(run: Run) -> None:
    for minutes in ("20", "10"):
        run("lesson", "delay", CODE, minutes, "--yes")
    assert "notice 2" in run("notice", "calls", "1").stderr
    assert "newer" not in run("notice", "calls", "2").stderr
