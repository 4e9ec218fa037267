"""A list of lessons changes what the list itself changed, and is announced; what a person moved stays moved (P12)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from bot.database import Database
from bot.importing import Report, import_folder
from bot.models import LessonRow, Notice, Outbound
from tests.bot.ledgers import a_college, ann, books
from tests.bot.rooms import only, rows
from tests.bot.timetables import cancelled, london, moved, news, planned, reminders, the_lesson

LISTED = "2026-11-30T10:00,2026-11-30T12:00,Pricing,Room 4,"
HEAD = "code,course,starts_at,ends_at,title,place,link"
MONDAY = london("2026-11-30 10:00")
HOUR = timedelta(hours=1)


@pytest.fixture
def college(db: Database, now: datetime, tmp_path: Path) -> Path:
    """A course with a learner and a lesson next Monday, imported."""
    folder = a_college(tmp_path, ann())
    listed(folder, LISTED)
    import_folder(books(db), folder, now)
    return folder


def listed(folder: Path, *lessons: str) -> None:
    """The list of lessons says this from now on: of L2, L3 ..."""
    lines = [HEAD, *(f"L{place},BAKE,{lesson}" for place, lesson in enumerate(lessons, 2))]
    (folder / "lessons.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def lessons_of(report: Report) -> tuple[int, int, int]:
    (counts,) = [one for one in report.files if one.file == "lessons.csv"]
    return counts.added, counts.changed, counts.unchanged


def test_the_same_list_again_does_not_move_back_what_a_person_moved(db: Database, college: Path, now: datetime) -> None:
    moved(db, MONDAY + 48 * HOUR, now)
    assert lessons_of(import_folder(books(db), college, now)) == (0, 0, 1)
    assert the_lesson(db).starts_at == MONDAY + 48 * HOUR


def test_only_what_the_list_changed_is_changed(db: Database, college: Path, now: datetime) -> None:
    moved(db, MONDAY + 48 * HOUR, now)
    listed(college, LISTED.replace("Room 4", "Room 6"))
    assert lessons_of(import_folder(books(db), college, now)) == (0, 1, 0)
    lesson = the_lesson(db)
    assert (lesson.starts_at, lesson.place) == (MONDAY + 48 * HOUR, "Room 6")


def test_a_list_that_moves_a_lesson_moves_its_reminders_and_tells_who_was_reminded(
    db: Database, college: Path, now: datetime
) -> None:
    at = MONDAY - 24 * HOUR
    planned(db, at - HOUR)
    with db.write() as session:
        session.execute(update(Outbound).values(state="delivered", tried_at=at))
    listed(college, LISTED.replace("11-30", "12-03"))
    assert lessons_of(import_folder(books(db), college, at + HOUR)) == (0, 1, 0)
    assert ["Thu 3 Dec, 10:00" in row.body for row in news(db)] == [True]
    assert (only(db, Notice).kind, only(db, Notice).by) == ("moved", "cli")
    planned(db, at + 30 * HOUR)
    assert [(row.state, row.due_at) for row in reminders(db)][1:] == [("queued", london("2026-12-02 10:00"))]
    assert lessons_of(import_folder(books(db), college, at + 2 * HOUR)) == (0, 0, 1)
    assert len(news(db)) == 1


def test_a_dry_run_moves_nothing_and_tells_nobody(db: Database, college: Path, now: datetime) -> None:
    planned(db, MONDAY - 48 * HOUR)
    listed(college, LISTED.replace("Room 4", "Room 6"))
    assert lessons_of(import_folder(books(db), college, now, dry_run=True)) == (0, 1, 0)
    assert (the_lesson(db).place, news(db)) == ("Room 4", [])


def test_another_title_puts_right_the_reminder_that_waits_and_is_no_news(db: Database, college: Path, now: datetime) -> None:
    planned(db, MONDAY - 48 * HOUR)
    listed(college, LISTED.replace("Pricing", "Prices"))
    import_folder(books(db), college, MONDAY - 47 * HOUR)
    assert [("Prices" in row.body, row.state) for row in reminders(db)] == [(True, "queued")]
    assert rows(db, Notice) == []


def test_a_list_that_corrects_the_past_tells_nobody(db: Database, college: Path, now: datetime) -> None:
    listed(college, LISTED.replace("Room 4", "Room 6"))
    import_folder(books(db), college, MONDAY + 3 * HOUR)
    assert the_lesson(db).place == "Room 6"
    assert rows(db, Notice) == []


def test_a_lesson_that_was_cancelled_stays_so_whatever_the_list_says(db: Database, college: Path, now: datetime) -> None:
    cancelled(db, now)
    listed(college, LISTED.replace("10:00", "11:00"))
    assert lessons_of(import_folder(books(db), college, now)) == (0, 0, 1)
    assert (the_lesson(db).starts_at, the_lesson(db).cancelled_at) == (MONDAY, now)


def test_a_new_lesson_of_the_list_is_planned_for(db: Database, college: Path, now: datetime) -> None:
    planned(db, now)
    listed(college, LISTED, "2026-11-26T10:00,2026-11-26T12:00,Extra,Room 4,")
    assert lessons_of(import_folder(books(db), college, now)) == (1, 0, 1)
    assert planned(db, now) == 1


def test_a_lesson_imported_before_lists_were_remembered_follows_the_list(db: Database, college: Path, now: datetime) -> None:
    with db.write() as session:
        session.execute(update(LessonRow).values(listed=None))
    assert lessons_of(import_folder(books(db), college, now)) == (0, 0, 1)
    with db.write() as session:
        session.execute(update(LessonRow).values(listed=None))
    listed(college, LISTED.replace("Room 4", "Room 6"))
    assert lessons_of(import_folder(books(db), college, now)) == (0, 1, 0)
