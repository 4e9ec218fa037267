"""Lists and people change the same lessons: no time becomes nonsense, and nobody is left to count on what is not so."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner
from psycopg import errors
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from bot import clock, erasure, marks, outbox
from bot.cli import Tools
from bot.cli.college import import_command
from bot.cli.notices import notice_commands
from bot.cli.timetable import lesson_commands
from bot.database import Busy, Database, try_again
from bot.importing import import_folder, load
from bot.importing.numbers import Desk as Importing
from bot.importing.sheets import College
from bot.importing.values import Report
from bot.models import Audit, ContactPoint, Course, LessonRow, Notice, OfficeCase, Outbound, PersonRow
from bot.outbox.trouble import send_again
from bot.status import WENT
from bot.timetable import change, notices
from bot.timetable.calls import call_sheet, call_sheets
from bot.timetable.courses import remind_hour_before
from bot.whatsapp import Outcome
from tests.bot.ledgers import ANN_PHONE, COURSES, KEYED, a_college, ann, books
from tests.bot.rooms import (
    AMINA,
    BILAL,
    SEVERAL_WRITERS,
    TERMS,
    Clock,
    Recorder,
    Stage,
    a_learner,
    a_member_of_staff,
    only,
    rows,
)
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
    tell,
    the_lesson,
)

MONDAY = london("2026-11-30 10:00")
SUNDAY = MONDAY - timedelta(days=1)
HOUR = timedelta(hours=1)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
DAY = timedelta(days=1)
HEAD = "code,course,starts_at,ends_at,title,place,link"
LISTED = "L2,BAKE,2026-11-30T10:00,2026-11-30T12:00,Pricing,Room 4,"
BEN_PHONE = "+447700900002"
BEN = f"P2,Ben Day,{BEN_PHONE},BAKE2,en,yes,yes,no,2026-10-01,v2"
NUMBERS = itertools.count(1)
OTHER_COURSE = "BAKE2,Bake more,B8,2026-10-05,2027-02-26,,\n"


@pytest.fixture
def folder(db: Database, now: datetime, tmp_path: Path) -> Path:
    """A learner on a course with a lesson next Monday, and one on another course without lessons, imported."""
    folder = a_college(tmp_path, ann(), BEN)
    (folder / "courses.csv").write_text(COURSES + OTHER_COURSE, encoding="utf-8")
    says(folder, LISTED)
    import_folder(books(db), folder, now)
    window_open(db, MONDAY + 30 * DAY)
    return folder


@pytest.fixture
def listed(db: Database, folder: Path) -> Callable[[str, datetime], Report]:
    """The list of lessons says this from now on, and is imported."""

    def listed(line: str, at: datetime) -> Report:
        says(folder, line)
        report = import_folder(books(db), folder, at)
        assert not report.problems
        return report

    return listed


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """Two learners with a lesson next Monday, and an administrator."""
    for phone in (AMINA, BILAL):
        a_learner(db, phone, now=now, name=f"Learner {phone[-1]}")
    put(db, MONDAY)
    window_open(db, MONDAY + 30 * DAY)
    a_member_of_staff(db, "A01", "admin", now=now)
    return Stage(db, Clock(now))


def says(folder: Path, *lines: str) -> None:
    (folder / "lessons.csv").write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")


def window_open(db: Database, at: datetime) -> None:
    """Everybody wrote then."""
    with db.write() as session:
        session.execute(update(ContactPoint).values(last_inbound_at=at))


def lives(db: Database, *moments: datetime) -> None:
    """At each of these moments reminders are planned, and whatever is due is sent; two to one phone in turn."""
    stage = Stage(db, Clock(moments[0]), whatsapp=Recorder(answer=lambda _: Outcome("accepted", f"SM{next(NUMBERS):032x}")))
    for stage.clock.now in moments:
        planned(db, stage.clock())
        stage.works()
        stage.clock.wait(10 * SECOND)
        stage.works()


def went(db: Database, *plans: str) -> list[Outbound]:
    return [row for row in rows(db, Outbound, Outbound.plan.in_(plans)) if row.state in WENT]


def person(db: Database, phone: str) -> int:
    return only(db, ContactPoint, ContactPoint.value == phone).person_id


# A list, and what a person did to the lesson before.


@pytest.mark.parametrize(("end", "minutes"), [("T13:00", 180), ("T11:00", 60)])
def test_a_list_that_changes_the_end_alone_changes_the_length_of_a_lesson_that_was_moved(
    db: Database, listed: Callable[[str, datetime], Report], now: datetime, end: str, minutes: int
) -> None:
    moved(db, MONDAY + 2 * DAY, now)
    listed(LISTED.replace("T12:00", end), now + HOUR)
    lesson = the_lesson(db)
    assert (lesson.starts_at, lesson.ends_at - lesson.starts_at) == (MONDAY + 2 * DAY, minutes * MINUTE)


def test_a_list_that_changes_the_start_alone_brings_its_end_with_it(
    db: Database, listed: Callable[[str, datetime], Report], now: datetime
) -> None:
    moved(db, MONDAY + 2 * DAY, now)
    listed(LISTED.replace("T10:00", "T11:00"), now + HOUR)
    assert (the_lesson(db).starts_at, the_lesson(db).ends_at) == (MONDAY + HOUR, MONDAY + 2 * HOUR)


def test_a_lesson_that_did_not_take_place_is_announced_for_its_new_day_and_is_not_urgent(
    db: Database, listed: Callable[[str, datetime], Report]
) -> None:
    lives(db, SUNDAY - HOUR, SUNDAY)
    assert len(went(db, "day_before")) == 1
    after = MONDAY + 3 * HOUR
    listed(LISTED.replace("2026-11-30", "2026-12-02"), after)
    assert [("Wed 2 Dec, 10:00" in row.body, row.urgent) for row in news(db)] == [(True, False)]
    lives(db, after, after + HOUR)
    assert len(went(db, "notice")) == 1


# A lesson on the wrong course's list.


def test_a_lesson_listed_under_another_course_by_mistake_and_put_right_is_reminded_of(
    db: Database, listed: Callable[[str, datetime], Report]
) -> None:
    lives(db, SUNDAY - 22 * HOUR)
    listed(LISTED.replace("BAKE", "BAKE2"), SUNDAY - 21 * HOUR)
    lives(db, SUNDAY - 20 * HOUR)
    listed(LISTED, SUNDAY - 19 * HOUR)
    lives(db, SUNDAY - 18 * HOUR, SUNDAY)
    assert [row.person_id for row in went(db, "day_before")] == [person(db, ANN_PHONE)]
    assert news(db) == []  # nobody had heard of it on the wrong course, nor on the right one


def test_who_was_reminded_of_a_lesson_that_is_another_courses_hears_that_it_is_not_theirs(
    db: Database, listed: Callable[[str, datetime], Report]
) -> None:
    lives(db, SUNDAY - HOUR, SUNDAY)
    listed(LISTED.replace("BAKE", "BAKE2").replace("T10:00", "T11:00"), SUNDAY + HOUR)
    lives(db, SUNDAY + 2 * HOUR)
    (row,) = went(db, "notice")
    assert (row.person_id, row.template) == (person(db, ANN_PHONE), "lesson_cancelled")
    assert "Mon 30 Nov, 10:00" in row.body
    assert the_lesson(db).cancelled_at is None
    assert person(db, BEN_PHONE) in {one.person_id for one in went(db, "day_before")}
    assert only(db, Audit, Audit.act == "lesson_left_course").details["lesson"] == "L2"


def test_that_it_is_not_theirs_goes_though_the_lesson_changes_again_on_its_new_course(
    db: Database, listed: Callable[[str, datetime], Report]
) -> None:
    lives(db, SUNDAY - HOUR, SUNDAY)
    listed(LISTED.replace("BAKE", "BAKE2"), SUNDAY + HOUR)
    replaced(db, "Room 9", SUNDAY + HOUR + MINUTE)
    lives(db, SUNDAY + 2 * HOUR)
    told = {row.person_id: row.template for row in went(db, "notice")}
    assert told == {person(db, ANN_PHONE): "lesson_cancelled", person(db, BEN_PHONE): "lesson_place"}


def test_back_on_its_course_before_they_heard_that_it_was_not_theirs_it_is_not_said(
    db: Database, listed: Callable[[str, datetime], Report]
) -> None:
    lives(db, SUNDAY - HOUR, SUNDAY)
    listed(LISTED.replace("BAKE", "BAKE2"), SUNDAY + HOUR)
    listed(LISTED, SUNDAY + 2 * HOUR)
    lives(db, SUNDAY + 3 * HOUR)
    assert [row.template for row in went(db, "notice") if row.person_id == person(db, ANN_PHONE)] == []


def test_who_is_on_both_courses_hears_nothing_of_it(
    db: Database, folder: Path, listed: Callable[[str, datetime], Report]
) -> None:
    a_college(folder, ann(), ann().replace("BAKE", "BAKE2"), BEN)
    (folder / "courses.csv").write_text(COURSES + OTHER_COURSE, encoding="utf-8")
    listed(LISTED, SUNDAY - 2 * HOUR)
    lives(db, SUNDAY - HOUR, SUNDAY)
    listed(LISTED.replace("BAKE", "BAKE2"), SUNDAY + HOUR)
    assert news(db) == []


# News that waits beside other news.


def a_problem(db: Database, at: datetime) -> None:
    tell(db, lambda lesson: change.problem(lesson, "The link is broken, phone 01254 693 999"), at)


def test_a_problem_that_waits_is_said_beside_a_delay_and_names_the_new_time(stage: Stage) -> None:
    night = london("2026-11-28 21:00")
    a_problem(stage.db, night)
    delayed(stage.db, 20, night + 10 * MINUTE)
    lives(stage.db, SUNDAY - HOUR, MONDAY - 11 * HOUR)  # one piece of news a day, until it is urgent
    mine = [row for row in went(stage.db, "notice") if row.person_id == person(stage.db, AMINA)]
    assert sorted(row.template or "" for row in mine) == ["lesson_late", "lesson_problem"]
    (problem,) = [row for row in mine if row.template == "lesson_problem"]
    assert "Mon 30 Nov, 10:20" in problem.body
    assert "link is broken" in problem.body


def test_a_problem_of_a_lesson_that_is_cancelled_is_not_said(stage: Stage) -> None:
    night = london("2026-11-28 21:00")
    a_problem(stage.db, night)
    cancelled(stage.db, night + 10 * MINUTE)
    lives(stage.db, SUNDAY - HOUR)
    assert {row.template for row in went(stage.db, "notice")} == {"lesson_cancelled"}


def test_news_that_waits_outlives_a_title_that_a_list_spells_otherwise(
    db: Database, listed: Callable[[str, datetime], Report]
) -> None:
    night = london("2026-11-28 21:00")
    replaced(db, "Room 6", night)
    listed(LISTED.replace("Pricing", "Prices"), night + 10 * MINUTE)
    lives(db, SUNDAY - HOUR)
    assert [row.template for row in went(db, "notice")] == ["lesson_place"]


def test_a_retry_of_the_reminder_of_an_older_time_never_goes_beside_the_new_one(stage: Stage) -> None:
    db = stage.db
    lives(db, SUNDAY - HOUR, SUNDAY)
    moved(db, MONDAY + 2 * DAY, SUNDAY + HOUR)
    lives(db, SUNDAY + HOUR + MINUTE)
    old = next(row for row in reminders(db) if ":v" in row.key)
    with db.write() as session:
        row = session.get_one(Outbound, old.id)
        row.state = "failed"
        send_again(session, row, SUNDAY + 3 * HOUR)
    replaced(db, "Room 9", SUNDAY + 2 * HOUR)
    lives(db, SUNDAY + 4 * HOUR, MONDAY + DAY, MONDAY + DAY + HOUR)
    mine = [row for row in went(db, "day_before") if row.person_id == old.person_id and row.id != old.id]
    assert ["Wed 2 Dec, 10:00" in row.body for row in mine] == [True]
    assert only(db, Outbound, Outbound.retry_of == old.id).reason == "SUPERSEDED"


def test_a_lesson_that_only_ends_later_names_its_new_end(stage: Stage) -> None:
    lives(stage.db, SUNDAY - HOUR, SUNDAY)
    tell(stage.db, lambda one: change.move(one, one.starts_at, one.ends_at + HOUR, SUNDAY + HOUR), SUNDAY + HOUR)
    assert {"Mon 30 Nov, 10:00 to 13:00" in row.body for row in news(stage.db)} == {True}


# The call sheet.


def sheet(db: Database, at: datetime) -> list[tuple[str, str]]:
    return [(one.name, one.reason) for one in call_sheet(db, only(db, Notice).id, "A01", at).calls]


def test_whose_phone_came_after_the_news_is_on_the_call_sheet(stage: Stage) -> None:
    bilal = person(stage.db, BILAL)
    with stage.db.write() as session:
        session.execute(update(ContactPoint).where(ContactPoint.person_id == bilal).values(disowned_at=SUNDAY))
    cancelled(stage.db, SUNDAY)
    with stage.db.write() as session:
        session.add(ContactPoint(person_id=bilal, kind="phone", value="+447700900777"))
    lives(stage.db, SUNDAY + HOUR)
    assert sheet(stage.db, SUNDAY + 2 * HOUR) == [("Learner 2", "no_phone")]
    assert call_sheets(stage.db, SUNDAY + 2 * HOUR) == 1


def test_who_joins_the_course_after_the_news_is_not_on_the_call_sheet(stage: Stage) -> None:
    cancelled(stage.db, SUNDAY)
    late = a_learner(stage.db, "+447700900555", now=SUNDAY + HOUR, name="Late Comer")
    with stage.db.write() as session:
        session.execute(update(ContactPoint).where(ContactPoint.person_id == late).values(disowned_at=SUNDAY))
    lives(stage.db, SUNDAY + HOUR)
    assert sheet(stage.db, SUNDAY + 2 * HOUR) == []


def test_a_learner_who_was_erased_is_no_line_of_the_call_sheet_and_no_case(stage: Stage) -> None:
    bilal = person(stage.db, BILAL)
    with stage.db.write() as session:
        session.execute(update(ContactPoint).where(ContactPoint.person_id == bilal).values(disowned_at=SUNDAY))
    cancelled(stage.db, SUNDAY)
    with stage.db.write() as session:
        session.execute(update(Outbound).where(Outbound.plan == "notice").values(state="failed", error_code=63000))
    for phone in (AMINA, BILAL):
        erasure.erase(stage.db, KEYED, erasure.Wish(f"L{phone[1:]}", "A01"), SUNDAY + HOUR)
    assert sheet(stage.db, SUNDAY + 2 * HOUR) == []
    assert call_sheets(stage.db, SUNDAY + 2 * HOUR) == 0
    assert rows(stage.db, OfficeCase, OfficeCase.kind == "call_sheet") == []


# Two at once.


def both(*parts: Callable[[], object]) -> list[Exception]:
    """Do these at the same time; what went wrong."""
    failures: list[Exception] = []

    def run(part: Callable[[], object]) -> None:
        try:
            part()
        except Exception as error:  # noqa: BLE001 (whatever it is, the test must show it)
            failures.append(error)

    threads = [threading.Thread(target=run, args=(part,)) for part in parts]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    return failures


@SEVERAL_WRITERS
def test_an_import_and_a_trainer_who_change_one_lesson_wait_for_each_other_and_both_count(
    db: Database, folder: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(folder, LISTED.replace("Room 4", "Room 9"))
    locked, waits, tries = threading.Event(), threading.Event(), []

    def write(desk: Importing, college: College) -> Report:
        tries.append(1)
        locked.set()
        waits.wait(1)  # the order has all it can get meanwhile
        return real(desk, college)

    real = load.write_college
    monkeypatch.setattr(load, "write_college", write)

    def order() -> None:
        locked.wait(5)
        with db.write() as session:
            lesson = change.find(session, CODE, now + HOUR, lock=True)
            waits.set()
            notices.tell(notices.Desk(session, TERMS, "A01", now + HOUR), lesson, change.delay(lesson, 20, now + HOUR))

    assert both(lambda: import_folder(books(db), folder, now + HOUR), order) == []
    assert (the_lesson(db).place, the_lesson(db).starts_at, len(tries)) == ("Room 9", MONDAY + 20 * MINUTE, 1)


@SEVERAL_WRITERS
def test_an_order_waits_for_who_learns_there_before_it_takes_the_lesson(stage: Stage) -> None:
    """A turn that has its learner, and then needs the lesson, is never in a ring with an order."""
    amina, at = person(stage.db, AMINA), threading.Event()

    def turn() -> None:
        with stage.db.write() as session:
            session.execute(select(PersonRow.id).where(PersonRow.id == amina).with_for_update())
            at.set()
            threading.Event().wait(0.5)
            session.execute(select(LessonRow.id).where(LessonRow.code == CODE).with_for_update(key_share=True))

    def order() -> None:
        at.wait(5)
        cancelled_plainly(stage.db)

    assert both(turn, order) == []
    assert the_lesson(stage.db).cancelled_at == SUNDAY


def cancelled_plainly(db: Database) -> None:
    with db.write() as session:
        lesson = change.find(session, CODE, SUNDAY, lock=True)
        notices.tell(notices.Desk(session, TERMS, "A01", SUNDAY), lesson, change.cancel(lesson))


@SEVERAL_WRITERS
def test_an_hour_before_is_turned_off_while_a_learner_says_stop(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    amina, locked, moved_ = person(stage.db, AMINA), threading.Event(), threading.Event()
    with stage.db.write() as session:
        session.execute(update(Course).values(hour_before=True))
    planned(stage.db, SUNDAY - HOUR)
    real = marks.look_at_courses

    def look(*given: object) -> None:
        moved_.set()
        real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(marks, "look_at_courses", look)

    def stop() -> None:
        with stage.db.write() as session:
            session.execute(select(PersonRow.id).where(PersonRow.id == amina).with_for_update())
            locked.set()
            moved_.wait(1)
            outbox.cancel_planned(session, amina, ("service",), "OPTED_OUT")

    def remind() -> None:
        locked.wait(5)
        with stage.db.write() as session:
            remind_hour_before(session, change.find_course(session, "SYB12"), "A01", SUNDAY, wanted=False)

    assert both(stop, remind) == []
    assert {row.state for row in reminders(stage.db) if row.plan == "hour_before"} == {"withheld"}


def deadlock() -> OperationalError:
    return OperationalError("", {}, errors.DeadlockDetected())


def test_what_lost_a_race_for_rows_is_tried_again_and_in_the_end_says_so() -> None:
    tries: list[int] = []

    def lose(times: int) -> int:
        tries.append(1)
        if len(tries) <= times:
            raise deadlock()
        return len(tries)

    assert try_again(lambda: lose(2)) == 3
    tries.clear()
    with pytest.raises(Busy, match="try again"):
        try_again(lambda: lose(9))
    tries.clear()

    def break_off() -> None:
        tries.append(1)
        raise OperationalError("", {}, errors.DiskFull())

    with pytest.raises(OperationalError):
        try_again(break_off)
    assert len(tries) == 1


def test_an_import_that_lost_a_race_is_done_again(
    db: Database, folder: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(folder, LISTED.replace("Room 4", "Room 9"))
    real, tries = load.write_college, []

    def write(desk: Importing, college: College) -> Report:
        tries.append(1)
        report = real(desk, college)
        if len(tries) == 1:
            raise deadlock()
        return report

    monkeypatch.setattr(load, "write_college", write)
    import_folder(books(db), folder, now + HOUR)
    assert (the_lesson(db).place, the_lesson(db).version, len(rows(db, Notice))) == ("Room 9", 2, 1)


@pytest.mark.parametrize(
    "command",
    [
        ("lesson", "cancel", CODE, "--yes"),
        ("lesson", "remind", "SYB12", "--hour-before"),
    ],
)
def test_a_command_that_loses_every_race_says_so_and_changes_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def lose(*_given: object, **_named: object) -> None:
        raise deadlock()

    monkeypatch.setattr(clock, "now", stage.clock)
    monkeypatch.setattr("bot.timetable.notices.tell", lose)
    monkeypatch.setattr("bot.timetable.courses.remind_hour_before", lose)
    tools, group = Mock(spec=Tools, db=stage.db, room=stage.room), click.Group()
    for make in (lesson_commands, notice_commands, import_command):
        group.add_command(make(tools))
    result = CliRunner().invoke(group, [*command, "--as", "A01"])
    assert (result.exit_code, "try again" in result.output) == (1, True)
    assert isinstance(result.exception, SystemExit)
    assert the_lesson(stage.db).cancelled_at is None
