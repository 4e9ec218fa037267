"""A reminder that did not go is decided anew whenever planning looks: by the same rule as for whoever comes now (P12)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, update

from bot import consents, marks, wishes
from bot.consents import Told
from bot.database import Database
from bot.effects import ChooseReminders
from bot.importing import import_folder
from bot.models import ContactPoint, Course, EnrolmentRow, LessonRow, Outbound, PersonRow
from bot.planning import plan
from bot.reminders import Wish, moments
from bot.status import WENT
from bot.timetable.change import find_course
from bot.timetable.courses import remind_hour_before
from bot.turn import ReminderChoice
from tests.bot.ledgers import KEYED, a_college, ann, books
from tests.bot.rooms import AMINA, SECOND, TERMS, Clock, Stage, a_learner, a_member_of_staff, only, rows, states
from tests.bot.test_planning import LINKS, db, says
from tests.bot.timetables import cancelled, delayed, london, moved, put, replaced

__all__ = ["db"]  # the fixture: every template is approved
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = london("2026-11-24 10:00")
MONDAY = london("2026-11-30 10:00")  # the lesson
SATURDAY = london("2026-11-28 12:00")  # by then the reminder of Sunday at ten is planned
LATE = london("2026-11-29 11:00")  # an hour after the day before
NEW_PHONE = "+447700900777"


@dataclass(frozen=True, slots=True)
class World:
    """One learner with one lesson, a worker, and rounds of planning."""

    stage: Stage
    person_id: int

    @property
    def db(self) -> Database:
        return self.stage.db

    def at(self, moment: datetime) -> None:
        """What planning and the worker do around this moment."""
        self.stage.clock.now = moment
        plan(self.db, TERMS, LINKS, moment)
        for _ in range(5):
            self.stage.works()
            self.stage.clock.wait(7 * SECOND)
        plan(self.db, TERMS, LINKS, self.stage.clock.now)
        self.stage.works()

    def until(self, first: datetime, last: datetime, step: timedelta = HOUR) -> None:
        while first <= last:
            self.at(first)
            first += step

    def hears(self, text: str, at: datetime, phone: str = AMINA) -> None:
        self.stage.clock.now = at
        self.stage.hears_and_works(phone, text)

    def choose(self, at: datetime, which: ReminderChoice = "", until: datetime | None = None) -> None:
        with self.db.write() as session:
            person = session.get_one(PersonRow, self.person_id)
            wishes.choose_reminders(session, person, ChooseReminders(which, until), TERMS, at)

    def went(self, *plans: str) -> list[Outbound]:
        return list(rows(self.db, Outbound, Outbound.plan.in_(plans), Outbound.state.in_(WENT)))

    def reminders(self) -> dict[str, tuple[str, str | None]]:
        found = rows(self.db, Outbound, Outbound.use == "lesson_reminder")
        return {row.plan: (row.state, row.reason) for row in found}

    def alter(self, kind: type, at: datetime, **values: object) -> None:
        """Something of theirs changes, and marks them."""
        with self.db.write() as session:
            session.execute(update(kind).values(**values))
            marks.look_at(session, [self.person_id], at)


@pytest.fixture
def world(db: Database) -> World:
    person_id = a_learner(db, AMINA, now=NOW)
    put(db, MONDAY)
    return World(Stage(db, Clock(NOW)), person_id)


# Back, and after the day before


def test_who_says_start_after_the_day_before_is_reminded_at_once(world: World) -> None:
    world.at(SATURDAY)
    world.hears("STOP", SATURDAY + HOUR)
    world.at(LATE - HOUR)
    assert world.reminders() == {"day_before": ("withheld", "OPTED_OUT")}
    world.hears("START", LATE)
    world.at(LATE + MINUTE)
    (row,) = world.went("day_before")
    assert row.due_at == LATE + MINUTE


def test_who_agrees_after_the_day_before_is_reminded_at_once(db: Database) -> None:
    world = World(Stage(db, Clock(NOW)), a_learner(db, AMINA, now=NOW, consent="refuse"))
    put(db, MONDAY)
    a_member_of_staff(db, "A01", "admin", now=NOW)
    world.at(SATURDAY)
    world.at(LATE - HOUR)
    assert world.reminders() == {"day_before": ("withheld", "NO_CONSENT")}
    consents.give(db, KEYED, Told("L447700900101", ("service",), "phone", "A01"), LATE)
    world.at(LATE + MINUTE)
    assert world.went("day_before")


@pytest.mark.parametrize(
    ("kind", "name", "reason"),
    [(PersonRow, "held_at", "SAFEGUARDING_HOLD"), (ContactPoint, "unreachable_at", "BLOCKED_BY_USER")],
)
def test_what_a_hold_or_a_phone_kept_back_goes_once_it_may(world: World, kind: type, name: str, reason: str) -> None:
    world.at(SATURDAY)
    world.alter(kind, SATURDAY + HOUR, **{name: SATURDAY + HOUR})
    world.at(LATE - HOUR)
    assert world.reminders() == {"day_before": ("withheld", reason)}
    world.at(LATE)
    world.alter(kind, LATE, **{name: None})
    world.at(LATE + MINUTE)
    assert world.went("day_before")


def test_two_hours_before_the_lesson_it_is_too_late(world: World) -> None:
    world.at(SATURDAY)
    world.hears("STOP", SATURDAY + HOUR)
    world.hears("START", MONDAY - 2 * HOUR)
    world.until(MONDAY - 2 * HOUR + MINUTE, MONDAY, HOUR / 2)
    assert world.reminders() == {"day_before": ("withheld", "OPTED_OUT")}


@pytest.mark.parametrize("kept", ["consent", "hold", "phone"])
def test_who_is_still_out_stays_withheld_however_often_planning_looks(world: World, kept: str) -> None:
    world.at(SATURDAY)
    if kept == "consent":
        says(world.db, world.person_id, "withdraw", SATURDAY)
    if kept == "hold":
        world.alter(PersonRow, SATURDAY, held_at=SATURDAY)
    if kept == "phone":
        world.alter(ContactPoint, SATURDAY, unreachable_at=SATURDAY)
    world.at(LATE - HOUR)
    before = world.reminders()
    assert before["day_before"][0] == "withheld"
    changed = list[str]()
    event.listen(world.db.engine, "before_cursor_execute", lambda *given: changed.append(given[2]))
    for minutes in range(3):
        world.alter(LessonRow, LATE, planned_at=None)
        plan(world.db, TERMS, LINKS, LATE + minutes * MINUTE)
    assert not [one for one in changed if one.startswith("UPDATE outbound")]
    assert world.reminders() == before


# The phone


def test_what_comes_back_goes_to_the_phone_of_today(world: World) -> None:
    world.at(london("2026-11-27 12:00"))
    world.choose(london("2026-11-27 12:05"), "none")
    world.hears("NEW NUMBER 07700 900555", london("2026-11-27 12:10"))
    world.hears("yes", london("2026-11-27 12:11"))
    world.hears("hello", london("2026-11-27 12:20"), "+447700900555")
    world.choose(london("2026-11-27 12:30"), "day")
    world.until(LATE - 2 * HOUR, LATE)
    assert len(world.went("day_before")) == 1
    letters = [one for one in world.stage.whatsapp.letters if one.to == "+447700900555"]
    assert any("Pricing" in f"{one.variables}{one.body}" for one in letters)


def test_who_stopped_under_the_old_number_and_starts_under_the_new_is_reminded_there(world: World) -> None:
    at = london("2026-11-27 12:00")
    world.at(at)
    for minutes, text in enumerate(("NEW NUMBER 07700 900555", "yes", "STOP"), 1):
        world.hears(text, at + minutes * MINUTE)
    for minutes, text in enumerate(("hello", "START"), 10):
        world.hears(text, at + minutes * MINUTE, "+447700900555")
    world.until(LATE - 2 * HOUR, LATE)
    assert len(world.went("day_before")) == 1


def test_a_wrong_number_is_put_right_with_a_new_phone_and_a_new_yes(world: World) -> None:
    a_member_of_staff(world.db, "A01", "admin", now=NOW)
    world.at(SATURDAY)
    world.hears("wrong number", SATURDAY + HOUR)
    assert world.reminders() == {"day_before": ("withheld", "WRONG_NUMBER")}
    at = SATURDAY + 3 * HOUR
    with world.db.write() as session:
        session.add(ContactPoint(person_id=world.person_id, kind="phone", value=NEW_PHONE))
        marks.look_at(session, [world.person_id], at)
    consents.give(world.db, KEYED, Told("L447700900101", ("service",), "phone", "A01"), at)
    world.until(LATE - 2 * HOUR, LATE)
    assert len(world.went("day_before")) == 1


def test_numbers_that_a_list_swaps_cost_nobody_the_reminder(db: Database, tmp_path: Path) -> None:
    folder = a_college(tmp_path, ann())
    head = "code,course,starts_at,ends_at,title,place,link"
    (folder / "lessons.csv").write_text(f"{head}\nL2,BAKE,2026-11-30T10:00,2026-11-30T12:00,Pricing,Room 4,\n")
    import_folder(books(db), folder, NOW)
    world = World(Stage(db, Clock(NOW)), only(db, PersonRow).id)
    world.at(SATURDAY)
    ben = "P0,Ben Day,+447700900001,BAKE,en,yes,yes,no,2026-10-01,v2"
    a_college(tmp_path, ben, ann(phone="+447700900002"))
    assert not import_folder(books(db), folder, SATURDAY + HOUR).problems
    world.until(SATURDAY + HOUR + MINUTE, LATE)
    letters = [one for one in world.stage.whatsapp.letters if "Pricing" in f"{one.variables}{one.body}"]
    assert sorted(one.to for one in letters) == ["+447700900001", "+447700900002"]


# Quiet


def test_a_quiet_week_does_not_swallow_the_lesson_after_it(world: World) -> None:
    monday = london("2026-11-30 00:00")
    world.choose(NOW, until=monday)
    world.until(NOW + HOUR, MONDAY, 2 * HOUR)
    (row,) = world.went("day_before")
    assert row.tried_at is not None
    assert row.tried_at >= london("2026-11-30 08:00")


def test_what_was_planned_before_the_wish_for_quiet_comes_after_it_too(world: World) -> None:
    world.at(SATURDAY)
    world.choose(SATURDAY + HOUR, until=london("2026-11-30 00:00"))
    (row,) = rows(world.db, Outbound, Outbound.plan == "day_before")
    assert (row.state, row.due_at) == ("queued", london("2026-11-30 00:00"))
    world.choose(SATURDAY + 2 * HOUR, "day")  # ends it: the day before is right again
    (row,) = rows(world.db, Outbound, Outbound.plan == "day_before")
    assert (row.state, row.due_at) == ("queued", MONDAY - DAY)


def test_a_lesson_that_moves_out_of_the_quiet_week_is_reminded_of(db: Database) -> None:
    world = World(Stage(db, Clock(NOW)), a_learner(db, AMINA, now=NOW))
    put(db, london("2026-11-27 18:00"))
    at = london("2026-11-25 09:00")
    world.at(at)
    world.choose(at + MINUTE, until=london("2026-11-30 00:00"))
    assert world.reminders() == {"day_before": ("withheld", "NOT_WANTED")}
    wednesday = london("2026-12-02 18:00")
    moved(db, wednesday, at + 2 * HOUR)
    world.until(at + 2 * HOUR + MINUTE, wednesday, 3 * HOUR)
    assert world.went("day_before", "notice")


# The course


@pytest.mark.parametrize("how", ["quiet", "start"])
def test_the_hour_before_that_the_course_switched_off_does_not_come_back(world: World, how: str) -> None:
    world.alter(Course, NOW, hour_before=True)
    at = london("2026-11-28 09:00")
    world.at(at)
    if how == "start":
        world.hears("STOP", at + HOUR / 2)
    with world.db.write() as session:
        remind_hour_before(session, find_course(session, "SYB12"), "A01", at + HOUR, wanted=False)
    if how == "start":
        world.hears("START", at + HOUR + MINUTE)
    else:
        world.choose(at + HOUR + MINUTE, until=london("2026-11-29 00:00"))
    world.until(at + 2 * HOUR, MONDAY)
    assert len(world.went("day_before")) == 1
    assert not world.went("hour_before")


# A changed lesson


def test_who_was_out_when_the_lesson_moved_near_is_reminded_of_it_as_it_is_now(world: World) -> None:
    world.at(SATURDAY)
    world.hears("STOP", SATURDAY + HOUR)
    moved(world.db, london("2026-11-29 12:00"), SATURDAY + 2 * HOUR)
    world.at(SATURDAY + 2 * HOUR + MINUTE)
    world.hears("START", SATURDAY + 3 * HOUR)
    world.at(SATURDAY + 3 * HOUR + MINUTE)
    (row,) = world.went("day_before", "notice")
    assert "Sun 29 Nov, 12:00" in row.body


def test_whom_the_news_told_instead_is_not_reminded_as_well(world: World) -> None:
    world.at(SATURDAY)
    moved(world.db, london("2026-11-29 11:30"), SATURDAY + 2 * HOUR)
    world.at(SATURDAY + 2 * HOUR + MINUTE)
    world.alter(LessonRow, SATURDAY + 3 * HOUR, planned_at=None)
    says(world.db, world.person_id, "give", SATURDAY + 3 * HOUR)
    world.until(SATURDAY + 3 * HOUR + MINUTE, london("2026-11-29 11:30"))
    assert [row.plan for row in world.went("day_before", "notice")] == ["notice"]
    replaced(world.db, "Room 9", london("2026-11-29 10:30"))
    world.at(london("2026-11-29 10:31"))
    assert [row.plan for row in world.went("day_before", "notice")] == ["notice", "notice"]


def test_a_cancelled_lesson_comes_back_to_nobody(world: World) -> None:
    world.at(SATURDAY)
    world.hears("STOP", SATURDAY + HOUR)
    cancelled(world.db, SATURDAY + 2 * HOUR)
    world.hears("START", SATURDAY + 3 * HOUR)
    world.until(SATURDAY + 3 * HOUR + MINUTE, MONDAY, 2 * HOUR)
    assert not world.went("day_before")


def test_a_delay_leaves_the_day_before_an_end_before_the_hour_before(world: World) -> None:
    world.alter(Course, NOW, hour_before=True)
    world.at(SATURDAY)
    delayed(world.db, 30, SATURDAY + HOUR)
    world.at(SATURDAY + HOUR + MINUTE)
    row = only(world.db, Outbound, Outbound.plan == "day_before")
    assert row.best_before == MONDAY + 30 * MINUTE - HOUR


# One at a time


def test_after_an_outage_the_hour_before_alone_is_said(world: World) -> None:
    world.alter(Course, NOW, hour_before=True)
    world.at(SATURDAY)
    world.at(london("2026-11-30 09:20"))
    assert [row.plan for row in world.went("day_before", "hour_before")] == ["hour_before"]
    assert states(world.db, Outbound.plan == "day_before") == [("withheld", "STALE")]


def test_who_comes_in_the_evening_gets_one_reminder_in_the_morning(world: World) -> None:
    starts = london("2026-11-30 08:45")
    world.alter(Course, NOW, hour_before=True)
    put(world.db, starts)
    evening = Wish(), london("2026-11-29 21:00")
    assert list(moments(starts, *evening, of_course=True)) == [("hour_before", starts - HOUR)]
    assert [plan for plan, _ in moments(starts, *evening, of_course=False)] == ["day_before"]
    world.at(london("2026-11-29 21:00"))
    world.until(starts - HOUR, starts, 5 * MINUTE)
    assert len(world.went("day_before", "hour_before")) == 1


# What comes after a course


def test_a_check_in_of_an_end_that_moved_meanwhile_does_not_come_back(db: Database) -> None:
    world = _after_a_course(db, london("2027-03-11 12:00"))
    at = world.stage.clock.now
    assert rows(db, Outbound, Outbound.plan == "check_in")
    world.hears("STOP", at + HOUR)
    with db.write() as session:
        session.execute(update(Course).values(ends_on=date(2027, 4, 30)))
        marks.look_at_courses(session, ["SYB12"], at + 2 * HOUR)
    world.hears("START", at + 3 * HOUR)
    world.until(at + 4 * HOUR, at + 3 * DAY, 2 * HOUR)
    assert not world.went("check_in")


def test_the_goodbye_does_not_come_back_once_a_new_course_has_begun(db: Database) -> None:
    world = _after_a_course(db, london("2027-08-18 12:00"))
    at = world.stage.clock.now
    assert rows(db, Outbound, Outbound.plan == "goodbye")
    world.hears("STOP", at + HOUR)
    with db.write() as session:
        course = Course(code="GYB3", name="Grow", starts_on=date(2027, 8, 1), ends_on=date(2027, 12, 1))
        session.add(course)
        session.flush()
        session.add(EnrolmentRow(person_id=world.person_id, course_id=course.id, created_at=at + 2 * HOUR))
        marks.look_at(session, [world.person_id], at + 2 * HOUR)
    world.hears("START", at + 3 * HOUR)
    world.until(at + 4 * HOUR, at + 3 * DAY, 2 * HOUR)
    assert not world.went("goodbye")


def test_a_goodbye_that_still_stands_comes_back(db: Database) -> None:
    world = _after_a_course(db, london("2027-08-18 12:00"))
    at = world.stage.clock.now
    world.hears("STOP", at + HOUR)
    assert states(db, Outbound.plan == "goodbye") == [("withheld", "OPTED_OUT")]
    world.hears("START", at + 3 * HOUR)
    world.until(at + 4 * HOUR, at + 3 * DAY, 2 * HOUR)
    assert len(world.went("goodbye")) == 1


def _after_a_course(db: Database, now: datetime) -> World:
    """A learner who was greeted, whose course ended in February."""
    world = World(Stage(db, Clock(NOW)), a_learner(db, AMINA, now=NOW))
    world.at(NOW)
    long_ago = london("2027-01-01 10:00")
    put(db, long_ago)
    world.alter(Course, now, starts_on=date(2026, 10, 1), ends_on=date(2027, 2, 26))
    world.at(now)
    world.stage.clock.now = now
    return world
