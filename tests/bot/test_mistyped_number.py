"""A number typed wrong when a learner moves: the office's list puts it right, and a stranger never becomes the learner."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.database import Database
from bot.importing import Report, import_folder
from bot.importing.numbers import LEFT, WRONG
from bot.models import ContactPoint, NumberChange, OfficeCase, PersonRow
from bot.settings import Contact
from tests.bot.ledgers import a_college, ann, books, where_it_stands
from tests.bot.rooms import AMINA, FARAH, OWEN, Clock, Stage, english, only, rows

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TYPED, RIGHT, OTHER = "+447700900555", "+447700900556", "+447700900557"


@pytest.fixture
def stage(db: Database, now: datetime, tmp_path: Path) -> Stage:
    """A worker, and a learner whom the college's list names at AMINA."""
    stage = Stage(db, Clock(now))
    lists(stage, tmp_path)
    return stage


def lists(stage: Stage, folder: Path, phone: str = AMINA, declared_on: str = "2026-10-01") -> Report:
    """The college's list comes in, with this phone for the learner."""
    return import_folder(books(stage.db), a_college(folder, ann(declared_on, phone=phone)), stage.clock.wait(MINUTE))


def moves_to(stage: Stage, number: str, phone: str = AMINA) -> list[str]:
    """NEW NUMBER, and YES."""
    asked = stage.hears_and_works(phone, f"NEW NUMBER {number}")
    stage.clock.wait(MINUTE)
    return [*asked, *stage.hears_and_works(phone, "yes")]


def owned(stage: Stage) -> set[str]:
    learner = only(stage.db, PersonRow, PersonRow.learner_code == "P1").id
    points = rows(stage.db, ContactPoint, ContactPoint.person_id == learner)
    return {point.value for point in points if point.disowned_at is None}


def notes(report: Report) -> list[tuple[str, int, str, str]]:
    return [(note.file, note.line, note.column, note.reason) for note in report.notes]


def test_once_a_list_gave_another_number_nobody_becomes_the_learner_by_the_one_that_was_typed(
    stage: Stage, tmp_path: Path
) -> None:
    moves_to(stage, TYPED)
    lists(stage, tmp_path, RIGHT)
    assert (owned(stage), rows(stage.db, NumberChange)) == ({RIGHT}, [])
    stage.clock.wait(DAY)
    said = stage.hears_and_works(TYPED, "when is my next lesson")
    assert owned(stage) == {RIGHT}
    assert english("consent.number_moved") not in said[0]


def test_a_list_that_says_what_it_said_before_forgets_nothing(stage: Stage, tmp_path: Path) -> None:
    moves_to(stage, TYPED)
    assert notes(lists(stage, tmp_path)) == []
    stage.clock.wait(DAY)
    stage.hears_and_works(TYPED, "hello")
    assert owned(stage) == {TYPED}


def test_a_list_that_names_the_number_they_are_waited_for_at_makes_it_theirs(stage: Stage, tmp_path: Path) -> None:
    moves_to(stage, TYPED)
    lists(stage, tmp_path, TYPED)
    assert (owned(stage), rows(stage.db, NumberChange)) == ({TYPED}, [])
    stage.clock.wait(DAY)
    assert english("consent.number_moved") not in stage.hears_and_works(TYPED, "hello")[0]


def test_a_stranger_who_writes_from_it_days_later_is_a_stranger(stage: Stage) -> None:
    moves_to(stage, TYPED)
    stage.clock.wait(3 * DAY)
    stage.hears_and_works(TYPED, "is this the pizza place")
    assert owned(stage) == {AMINA}


@pytest.mark.parametrize("writes_meanwhile", [False, True])
def test_after_a_wrong_number_from_the_number_that_was_typed_the_list_gives_theirs_back(
    stage: Stage, tmp_path: Path, writes_meanwhile: bool
) -> None:
    moves_to(stage, TYPED)
    stage.hears_and_works(TYPED, "hello")
    stage.clock.wait(MINUTE)
    assert stage.hears_and_works(TYPED, "wrong number mate") == [english("consent.wrong_number")]
    assert owned(stage) == set()
    assert [case.kind for case in rows(stage.db, OfficeCase)] == ["change_number", "wrong_number"]
    stage.clock.wait(MINUTE)
    if writes_meanwhile:
        stage.hears_and_works(AMINA, "hello")
    stage.clock.wait(DAY)
    assert notes(lists(stage, tmp_path)) == []
    assert owned(stage) == {AMINA}
    stage.clock.wait(DAY)
    declared = f"{stage.clock():%Y-%m-%d}"
    lists(stage, tmp_path, declared_on=declared)
    assert where_it_stands(stage.db)["service"] == "given"


def test_after_two_moves_and_a_wrong_number_the_list_gives_the_first_back(stage: Stage, tmp_path: Path) -> None:
    moves_to(stage, RIGHT)
    stage.hears_and_works(RIGHT, "hello")
    stage.clock.wait(DAY)
    moves_to(stage, TYPED, RIGHT)
    stage.hears_and_works(TYPED, "hello")
    stage.clock.wait(MINUTE)
    stage.hears_and_works(TYPED, "wrong number mate")
    lists(stage, tmp_path)
    assert owned(stage) == {AMINA}


def test_an_import_says_by_line_that_the_learner_left_the_number_it_names(stage: Stage, tmp_path: Path) -> None:
    moves_to(stage, RIGHT)
    stage.hears_and_works(RIGHT, "hello")
    assert notes(lists(stage, tmp_path)) == [("learners.csv", 2, "phone", LEFT)]
    assert owned(stage) == {RIGHT}
    assert notes(lists(stage, tmp_path, RIGHT)) == []
    assert notes(lists(stage, tmp_path)) == []
    assert owned(stage) == {AMINA}


def test_once_a_list_gave_a_third_number_what_they_told_us_counts_no_longer(stage: Stage, tmp_path: Path) -> None:
    moves_to(stage, RIGHT)
    stage.hears_and_works(RIGHT, "hello")
    for phone in (OTHER, AMINA):
        assert notes(lists(stage, tmp_path, phone)) == []
        assert owned(stage) == {phone}


def test_an_import_says_by_line_that_a_number_was_found_wrong(stage: Stage, tmp_path: Path) -> None:
    stage.hears_and_works(AMINA, "wrong number mate")
    stage.clock.wait(MINUTE)
    stage.hears_and_works(AMINA, "hello")
    assert notes(lists(stage, tmp_path)) == [("learners.csv", 2, "phone", WRONG)]
    assert owned(stage) == set()


@pytest.mark.parametrize("contact", [FARAH, OWEN])
@pytest.mark.parametrize("has_written", [False, True])
def test_nobody_moves_to_the_phone_of_a_safeguarding_contact(stage: Stage, contact: Contact, has_written: bool) -> None:
    phone = contact.phone
    if has_written:
        stage.hears_and_works(phone, "test")
    assert moves_to(stage, phone)[0] == english("consent.number_office")
    stage.clock.wait(MINUTE)
    stage.hears_and_works(phone, "test")
    assert owned(stage) == {AMINA}
    assert rows(stage.db, NumberChange) == []


def test_what_was_waited_for_before_a_contact_had_the_phone_is_for_the_office(stage: Stage) -> None:
    stage.contacts = ()
    moves_to(stage, OWEN.phone)
    stage.contacts = (FARAH, OWEN)
    stage.hears_and_works(OWEN.phone, "test")
    assert (owned(stage), rows(stage.db, NumberChange)) == ({AMINA}, [])
    assert [case.kind for case in rows(stage.db, OfficeCase)] == ["change_number"]
