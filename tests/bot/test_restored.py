"""A cancelled lesson that is on after all: everybody hears it, and planning reminds of it again (P12, P13)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.database import Database
from bot.models import Audit, LessonRow, Notice
from bot.timetable import change
from bot.timetable.change import LessonError, NewLesson, News, Slot
from bot.timetable.notices import Desk, tell
from bot.timetable.sayings import Saying, saying
from bot.timetable.words import when
from tests.bot.rooms import AMINA, BILAL, TERMS, Clock, Stage, a_learner, a_member_of_staff, only, rows
from tests.bot.timetables import CODE, cancelled, london, moved, news, planned, put, reminders, replaced, the_lesson

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = london("2026-11-30 10:00")
SATURDAY = london("2026-11-28 10:00")


@pytest.fixture
def stage(db: Database) -> Stage:
    """It is Saturday morning; two learners have a lesson on Monday at ten and wrote a while ago."""
    for phone in (AMINA, BILAL):
        a_learner(db, phone, now=SATURDAY - HOUR)
    put(db, MONDAY)
    a_member_of_staff(db, "A01", "admin", now=SATURDAY)
    return Stage(db, Clock(SATURDAY))


def restored(db: Database, now: datetime, code: str = CODE) -> None:
    """The lesson is on after all."""
    with db.write() as session:
        lesson = change.find(session, code, now, lock=True, off=True)
        tell(Desk(session, TERMS, "A01", now), lesson, change.restore(lesson, now))


def test_everybody_hears_it_and_is_reminded_again(stage: Stage) -> None:
    planned(stage.db, stage.clock())
    cancelled(stage.db, stage.clock())
    stage.works()
    stage.clock.wait(HOUR)
    restored(stage.db, stage.clock())
    lesson = the_lesson(stage.db)
    assert (lesson.cancelled_at, lesson.version, only(stage.db, Notice, Notice.kind == "restored").by) == (None, 3, "A01")
    assert only(stage.db, Audit, Audit.act == "lesson_restored").details["version"] == 3
    planned(stage.db, stage.clock())
    waiting = [(row.plan, row.due_at, row.lesson_version) for row in reminders(stage.db) if row.state == "queued"]
    assert waiting == [("day_before", MONDAY - DAY, 3)] * 2
    stage.clock.now = london("2026-11-29 08:30")  # one message of that sort a day
    stage.works()
    heard = stage.whatsapp.to(AMINA)
    assert "is cancelled" in heard[0]
    assert any("is on after all" in body for body in heard[1:])


def test_after_the_day_before_the_news_is_the_reminder(stage: Stage) -> None:
    cancelled(stage.db, MONDAY - 20 * HOUR)
    restored(stage.db, MONDAY - 19 * HOUR)
    planned(stage.db, MONDAY - 18 * HOUR)
    assert [row for row in reminders(stage.db) if row.state == "queued"] == []
    assert [row.state for row in news(stage.db)] == ["withheld", "withheld", "queued", "queued"]


def test_a_lesson_that_is_on_or_would_have_begun_is_not_restored(stage: Stage) -> None:
    with pytest.raises(LessonError, match="not cancelled"):
        restored(stage.db, stage.clock())
    cancelled(stage.db, stage.clock())
    with pytest.raises(LessonError, match="begun"):
        restored(stage.db, MONDAY)


def test_who_tries_to_change_or_add_a_cancelled_lesson_is_told_what_to_do(stage: Stage) -> None:
    cancelled(stage.db, stage.clock())
    with pytest.raises(LessonError, match="lesson restore"):
        cancelled(stage.db, stage.clock())
    slot = Slot(MONDAY, MONDAY + HOUR, "Again")
    with stage.db.write() as session, pytest.raises(LessonError, match="lesson restore"):
        change.add(session, NewLesson(CODE.lower(), "syb12", slot), stage.clock())


def test_a_code_is_typed_in_any_case(stage: Stage) -> None:
    slot = Slot(MONDAY, MONDAY + HOUR, "Again")
    with stage.db.write() as session:
        change.add(session, NewLesson("x-9", "syb12", slot), stage.clock())
        assert change.find(session, "X-9", stage.clock()).code == "x-9"
        assert change.find_course(session, " Syb12").code == "SYB12"
    assert len(rows(stage.db, LessonRow)) == 2


# In which words.


def a_slot(at: str, place: str = "Room 4", hours: int = 2) -> Slot:
    starts_at = london(at)
    return Slot(starts_at, starts_at + hours * HOUR, "Pricing", place)


TEN, NOON = a_slot("2026-11-30 10:00"), a_slot("2026-11-30 12:00")
IN_SIX = a_slot("2026-11-30 10:00", "Room 6")


@pytest.mark.parametrize(
    ("told", "unread", "template"),
    [
        (News("place", TEN, IN_SIX), None, "lesson_place"),
        (News("place", TEN, IN_SIX), "", "lesson_place"),
        (News("place", TEN, IN_SIX), when(TEN.starts_at), "lesson_place"),
        (News("place", TEN, IN_SIX), when(NOON.starts_at), "lesson_moved"),
        (News("moved", TEN, NOON), None, "lesson_moved"),
        (News("moved", TEN, NOON), when(NOON.starts_at), "lesson_restored"),
        (News("late", TEN, NOON), None, "lesson_late"),
        (News("late", TEN, NOON), "", "lesson_moved"),
        (News("restored", TEN, TEN), None, "lesson_restored"),
        (News("restored", TEN, TEN), when(TEN.starts_at), "lesson_restored"),
        (News("restored", TEN, TEN), when(NOON.starts_at), "lesson_moved"),
    ],
)
def test_no_message_says_that_a_time_has_changed_to_itself(told: News, unread: str | None, template: str) -> None:
    says = saying(told, "Pricing", unread)
    assert says.template == template
    assert says.variables.get("planned_for") != says.variables["starts_at"]
    assert TERMS.templates.find(template, "en").fill(says.variables)


def test_a_lesson_that_only_ends_later_is_told_with_both_ends() -> None:
    longer = a_slot("2026-11-30 10:00", hours=3)
    says = saying(News("moved", TEN, longer), "Pricing")
    expected = {"planned_for": "Mon 30 Nov, 10:00 to 12:00", "starts_at": "Mon 30 Nov, 10:00 to 13:00", "place": "Room 4"}
    assert says == Saying("lesson_moved", {"lesson": "Pricing", **expected})


def test_a_room_that_changes_while_its_reminder_is_due_is_told_as_a_place(stage: Stage) -> None:
    planned(stage.db, stage.clock())
    replaced(stage.db, "Room 6", MONDAY - 20 * HOUR)
    assert {row.template for row in news(stage.db)} == {"lesson_place"}


def test_a_lesson_moved_there_and_back_before_anybody_read_it_is_on_after_all(stage: Stage) -> None:
    night = london("2026-11-28 22:00")
    moved(stage.db, MONDAY + DAY, night, everybody=True)
    moved(stage.db, MONDAY, night + HOUR, everybody=True)
    assert {row.template for row in news(stage.db) if row.state == "queued"} == {"lesson_restored"}
