"""Planning looks at whoever is marked and at nobody else; whatever changes what is due marks them in its own commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, select, update

from bot import cases, marks
from bot.database import Database
from bot.importing import import_folder
from bot.invitations import accept, decline
from bot.models import ContactPoint, Course, LessonRow, Outbound, PersonRow, TemplateRow
from bot.models.people import AT_ONCE
from bot.planning import rounds
from bot.template_store import refresh_status
from bot.templates import Template
from bot.whatsapp import OnFile
from tests.bot.ledgers import a_college, ann, books
from tests.bot.rooms import (
    AMINA,
    BILAL,
    SEVERAL_WRITERS,
    Clock,
    Stage,
    a_learner,
    a_member_of_staff,
    an_incoming,
    only,
    receive,
    rows,
)
from tests.bot.test_planning import (
    DAY,
    TEMPLATES,
    a_greeted_learner,
    alter,
    an_invited_learner,
    db,
    many_learners,
    plans,
)

__all__ = ["db"]  # the fixture: every template is approved
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def plan_at(db: Database, person_id: int) -> datetime | None:
    return only(db, PersonRow, PersonRow.id == person_id).plan_at


@contextmanager
def counting(db: Database) -> Iterator[list[str]]:
    """The statements that are asked meanwhile."""
    asked: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


# When they are looked at again


def test_a_stranger_is_looked_at_once_and_never_again(db: Database, now: datetime) -> None:
    receive(db, an_incoming(AMINA), now)
    assert only(db, PersonRow).plan_at == AT_ONCE
    plans(db, now)
    assert only(db, PersonRow).plan_at is None


def test_with_nothing_due_planning_asks_a_handful_of_questions_however_many_there_are(db: Database, now: datetime) -> None:
    many_learners(db, [("give",)] * 250, now)
    plans(db, now)
    with counting(db) as asked:
        plans(db, now + MINUTE)
    selects = [one for one in asked if one.startswith("SELECT")]
    assert len(selects) <= 4
    assert not [one for one in asked if one.startswith(("INSERT", "UPDATE", "WITH"))]


def test_who_waits_for_their_first_message_is_looked_at_the_next_day(db: Database, now: datetime) -> None:
    person_id = a_learner(db, now=now)
    plans(db, now)
    assert plan_at(db, person_id) == now + 14 * HOUR  # midnight in London


def test_who_was_greeted_is_looked_at_at_ten(db: Database, now: datetime) -> None:
    person_id = a_greeted_learner(db, now)
    plans(db, now + 14 * HOUR)
    assert plan_at(db, person_id) == now + DAY


def test_who_was_invited_is_looked_at_a_week_later(db: Database, now: datetime) -> None:
    person_id, _ = an_invited_learner(db, now)
    plans(db, now + 2 * DAY)
    assert plan_at(db, person_id) == now + 8 * DAY


@pytest.mark.parametrize("consent", ["refuse", "withdraw", "pause"])
def test_who_did_not_agree_is_not_looked_at_before_they_do(db: Database, now: datetime, consent: str) -> None:
    person_id = a_learner(db, now=now, consent=consent)
    alter(db, Course, ends_on=None)  # no date ever comes for them
    alter(db, LessonRow, cancelled_at=now)
    plans(db, now)
    assert plan_at(db, person_id) is None


def test_whoever_is_marked_while_planning_looks_is_looked_at_again(
    db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    person_id = a_learner(db, now=now)
    due, seen = rounds._due, list[rounds.Due]()

    def slowly(*given: object) -> rounds.Due:
        seen.append(due(*given))  # type: ignore[arg-type]
        if len(seen) == 1:
            with db.write() as session:  # a turn that began earlier, and commits now
                session.execute(update(Course).values(name="Sell Online"))
                marks.look_at(session, [person_id], now - MINUTE)
        return seen[-1]

    monkeypatch.setattr(rounds, "_due", slowly)
    plans(db, now)
    assert len(seen) == 2
    assert only(db, Outbound).variables["course"] == "Sell Online"  # type: ignore[index]
    assert plan_at(db, person_id) == now + 14 * HOUR


def test_a_lesson_that_changes_while_planning_looks_is_planned_as_it_then_is(
    db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_learner(db, AMINA, now=now)
    alter(db, LessonRow, starts_at=now + 2 * DAY, ends_at=now + 2 * DAY + HOUR)
    plans(db, now)
    newcomer = a_learner(db, BILAL, now=now)
    due = rounds._due

    def slowly(*given: object) -> rounds.Due:
        found = due(*given)  # type: ignore[arg-type]
        with db.write() as session:
            session.execute(update(LessonRow).values(version=2, title="Selling"))
        monkeypatch.setattr(rounds, "_due", due)
        return found

    monkeypatch.setattr(rounds, "_due", slowly)
    theirs = (Outbound.person_id == newcomer, Outbound.plan == "day_before")
    plans(db, now + MINUTE)
    assert rows(db, Outbound, *theirs) == []
    plans(db, now + 2 * MINUTE)
    assert only(db, Outbound, *theirs).lesson_version == 2


@SEVERAL_WRITERS
def test_planning_waits_for_nobody_who_holds_a_learner(db: Database, now: datetime) -> None:
    held, free = a_learner(db, AMINA, now=now), a_learner(db, BILAL, now=now)
    alter(db, LessonRow, starts_at=now + 2 * DAY, ends_at=now + 2 * DAY + HOUR)
    with db.write() as session:  # an import, which takes a while
        session.execute(select(PersonRow).where(PersonRow.id == held).with_for_update())
        found = plans(db, now)
    assert (found.first_messages, found.lesson_reminders) == (1, 1)
    assert {row.person_id for row in rows(db, Outbound)} == {free}
    assert only(db, LessonRow).planned_at is None
    found = plans(db, now + MINUTE)
    assert (found.first_messages, found.lesson_reminders) == (1, 1)
    assert only(db, LessonRow).planned_at == now + MINUTE


@SEVERAL_WRITERS
def test_planning_waits_for_nobody_who_changes_a_lesson(db: Database, now: datetime) -> None:
    a_learner(db, AMINA, now=now)
    alter(db, LessonRow, starts_at=now + 2 * DAY, ends_at=now + 2 * DAY + HOUR)
    with db.write() as session:
        session.execute(update(LessonRow).values(title="Selling", version=2))
        assert plans(db, now).lesson_reminders == 0
    assert plans(db, now + MINUTE).lesson_reminders == 1
    assert only(db, Outbound, Outbound.plan == "day_before").lesson_version == 2


# What marks them


def a_quiet_learner(db: Database, now: datetime) -> int:
    """Somebody whom planning need not look at; their id."""
    person_id = a_learner(db, AMINA, now=now)
    with db.write() as session:
        session.execute(update(PersonRow).values(plan_at=None))
    return person_id


def says_stop(db: Database, _person_id: int, at: datetime) -> None:
    Stage(db, Clock(at)).hears_and_works(AMINA, "STOP")


def accepts(db: Database, person_id: int, at: datetime) -> None:
    with db.write() as session:
        accept(session, person_id, ["SYB12"], at)


def declines(db: Database, person_id: int, at: datetime) -> None:
    with db.write() as session:
        decline(session, person_id, at)


def writes_after_all(db: Database, _person_id: int, at: datetime) -> None:
    with db.write() as session:
        session.execute(update(ContactPoint).values(unreachable_at=at - HOUR, unreachable_code=63003))
    receive(db, an_incoming(AMINA), at)


def is_released(db: Database, person_id: int, at: datetime) -> None:
    a_member_of_staff(db, "S01", "safeguarding", now=at)
    with db.write() as session:
        session.execute(update(PersonRow).values(plan_at=None, held_at=at))
        case_id = cases.open_case(session, person_id, "disclosure", at, restricted=True)
    cases.close_case(db, case_id, "S01", at)


def moves(db: Database, _person_id: int, at: datetime) -> None:
    stage = Stage(db, Clock(at))
    stage.hears_and_works(AMINA, "NEW NUMBER 07700 900555")
    stage.hears_and_works(AMINA, "yes")
    with db.write() as session:
        session.execute(update(PersonRow).values(plan_at=None))
    receive(db, an_incoming("+447700900555", "hello"), at)
    stage.works()


@pytest.mark.parametrize("change", [says_stop, accepts, declines, writes_after_all, is_released, moves])
def test_whatever_changes_the_answer_marks_them(
    db: Database, now: datetime, change: Callable[[Database, int, datetime], None]
) -> None:
    person_id = a_quiet_learner(db, now)
    change(db, person_id, now + MINUTE)
    assert plan_at(db, person_id) == now + MINUTE


@pytest.mark.parametrize("again", [{}, {"phone": BILAL}, {"says": "yes,no,no"}])
def test_an_import_marks_whom_it_changes_and_nobody_else(
    db: Database, now: datetime, tmp_path: Path, again: dict[str, str]
) -> None:
    import_folder(books(db), a_college(tmp_path / "a", ann(phone=AMINA)), now)
    with db.write() as session:
        session.execute(update(PersonRow).values(plan_at=None))
    import_folder(books(db), a_college(tmp_path / "b", ann(**{"phone": AMINA, **again})), now + MINUTE)
    learner = only(db, PersonRow, PersonRow.learner_code.is_not(None))
    assert learner.plan_at == (now + MINUTE if again else None)


@pytest.mark.parametrize(
    ("old", "new"), [("2027-02-26", "2027-03-26"), (",,\n", ",,https://chat.whatsapp.com/Bakers\n"), ("Bake,", "Baking,")]
)
def test_a_course_that_an_import_changes_is_looked_at_with_all_its_learners_and_lessons(
    db: Database, now: datetime, tmp_path: Path, old: str, new: str
) -> None:
    folder = a_college(tmp_path, ann(phone=AMINA))
    import_folder(books(db), folder, now)
    course, starts = only(db, Course).id, now + 2 * DAY
    with db.write() as session:
        session.execute(update(PersonRow).values(plan_at=None))
        times = {"starts_at": starts, "ends_at": starts + HOUR, "planned_at": now}
        session.add(LessonRow(code="B1", course_id=course, title="Bread", **times))
    courses = folder / "courses.csv"
    courses.write_text(courses.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    import_folder(books(db), folder, now + MINUTE)
    assert only(db, PersonRow).plan_at == now + MINUTE
    assert only(db, LessonRow).planned_at is None


def test_an_approved_template_marks_whoever_waits_for_something(db: Database, now: datetime) -> None:
    waiting, later = many_learners(db, [("give",)] * 2, now)
    with db.write() as session:
        session.execute(update(PersonRow).where(PersonRow.id == waiting).values(plan_at=now + 14 * HOUR))
        session.execute(update(PersonRow).where(PersonRow.id == later).values(plan_at=now + 30 * DAY))
    alter_templates(db, "received")
    refresh_status(db, Approving(), TEMPLATES, now + MINUTE)
    assert (plan_at(db, waiting), plan_at(db, later)) == (now + MINUTE, now + 30 * DAY)


class Approving:
    """Fake Content API that has every template, approved."""

    def every(self) -> tuple[OnFile, ...]:
        return tuple(
            OnFile(f"HX{number:032d}", one.friendly_name, "approved", one.category) for number, one in enumerate(TEMPLATES)
        )

    def create(self, template: Template) -> OnFile:
        raise AssertionError(template.name)

    def submit(self, sid: str, template: Template) -> OnFile:
        raise AssertionError(sid, template.name)


def alter_templates(db: Database, status: str) -> None:
    with db.write() as session:
        session.execute(update(TemplateRow).values(status=status))
