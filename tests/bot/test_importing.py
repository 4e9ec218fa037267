"""The import of the college's CSV files: what is refused and where, what is written, and that doing it again is nothing."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.acts import NoSuchStaff
from bot.clock import LONDON, london_day_starts
from bot.database import Database
from bot.importing import Counts, NothingToImport, Problem, Report, import_folder
from bot.importing.cells import LANGUAGES, clean, shown
from bot.importing.files import FILES
from bot.models import (
    Audit,
    Base,
    ConsentEvent,
    ContactPoint,
    Course,
    CourseTrainer,
    EnrolmentRow,
    Inbound,
    LessonRow,
    OfficeCase,
    Outbound,
    PersonRow,
    StaffRole,
    Task,
)
from bot.people import disown, point_of
from bot.phones import to_e164
from bot.queries import standing_of
from bot.settings import ROOT
from bot.turn import Consentable, ConsentState
from tests.bot.ledgers import books

HEADERS = {
    "staff.csv": "code,name,role,phone,email",
    "courses.csv": "code,name,cohort,starts_on,ends_on,trainers,group_link",
    "lessons.csv": "code,course,starts_at,ends_at,title,place,link",
    "tasks.csv": "code,course,title,due_on",
    "learners.csv": "code,name,phone,course,language,service_consent,checkin_consent,marketing_consent,"
    "declared_on,declaration_version",
}
TRAINER = "T1,Nadia Stone,trainer,+447700900801,nadia@example.org"
STAFF = (TRAINER, "A1,Olive Marsh,admin,+447700900802,office@example.org", "S1,Saul Grey,safeguarding,+447700900803,")
COURSES = (
    "BAKE,Start Your Bakery,BAKE-7,2026-10-05,2027-02-26,T1,https://chat.whatsapp.com/Bake7",
    "SEW,Sew and Sell,,2026-10-05,,,",
)
LESSONS = ("L1,BAKE,2027-01-12T10:00,2027-01-12T12:00,Pricing a cake,Room 4,https://example.org/l1",)
TASKS = ("K1,BAKE,A picture of your price list,2027-01-15", "K2,BAKE,A picture of your stall,")
ANN = "P1,Ann Lee,+447700900001,BAKE,en,yes,yes,no,2026-10-01,v1"
BEN = "P2,Ben Ray,+447700900002,BAKE,ur,no,no,no,,"
CAL = "P3,Cal Fox,+447700900003,SEW,en,no,no,yes,2026-10-02,v1"
DEMO = ROOT / "data" / "demo"


def write(folder: Path, **files: Sequence[str]) -> Path:
    """The files of a small college, those given here replaced."""
    rows = {"staff": STAFF, "courses": COURSES, "lessons": LESSONS, "tasks": TASKS, "learners": (ANN, BEN, CAL)} | files
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in rows.items():
        (folder / f"{name}.csv").write_text("\n".join([HEADERS[f"{name}.csv"], *lines]) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small college that is in order."""
    return write(tmp_path / "college")


def person(session: Session, code: str) -> PersonRow:
    """The learner with this code."""
    return session.scalars(select(PersonRow).where(PersonRow.learner_code == code)).one()


def states(db: Database, code: str) -> dict[Consentable, ConsentState]:
    """What a learner agrees to now."""
    with db.read() as session:
        return {purpose: one.state for purpose, one in standing_of(session, person(session, code).id).items()}


def phones(db: Database, code: str) -> dict[str, bool]:
    """A learner's numbers, and whether each is still theirs."""
    with db.read() as session:
        return {one.value: one.disowned_at is None for one in person(session, code).contact_points}


def stranger(db: Database, phone: str, now: datetime, scoped_id: str = "") -> int:
    """Somebody who wrote before they were on file: their person's id."""
    with db.write() as session:
        return point_of(session, phone, scoped_id, now).person_id


def event(person_id: int, purpose: str, action: str, at: datetime) -> ConsentEvent:
    """A line of the ledger as the chat writes it."""
    chat = {"source": "chat", "recorded_by": "learner", "recorded_at": at}
    return ConsentEvent(person_id=person_id, purpose=purpose, action=action, at=at, **chat)


def withdraw_all(db: Database, code: str, at: datetime) -> None:
    """The learner says STOP."""
    with db.write() as session:
        who = person(session, code).id
        session.add_all([event(who, purpose, "withdraw", at) for purpose in ("service", "checkin", "marketing")])


def sizes(db: Database) -> dict[str, int]:
    """How many rows each table has."""
    with db.read() as session:
        return {t.name: session.scalar(select(func.count()).select_from(t)) or 0 for t in Base.metadata.sorted_tables}


def counted(report: Report, file: str) -> tuple[int, int, int]:
    """Added, changed, unchanged."""
    assert report.problems == ()
    one = next(one for one in report.files if one.file == file)
    return one.added, one.changed, one.unchanged


def bad(report: Report) -> list[tuple[str, int, str]]:
    """Where the problems are."""
    assert report.files == ()
    return [(one.file, one.line, one.column) for one in report.problems]


# What is written


def test_the_demo_college_is_taken_and_taking_it_again_changes_nothing(db: Database, now: datetime) -> None:
    first, again = import_folder(books(db), DEMO, now), import_folder(books(db), DEMO, now)
    assert (first.problems, again.problems) == ((), ())
    assert [(one.file, one.added) for one in first.files] == [(one.file, one.unchanged) for one in again.files]
    assert all((one.changed, one.unchanged) == (0, 0) for one in first.files)
    assert all((one.added, one.changed) == (0, 0) for one in again.files)


def test_every_state_of_consent_and_every_role_is_in_the_demo_college(db: Database, now: datetime) -> None:
    import_folder(books(db), DEMO, now)
    with db.read() as session:
        learners = session.scalars(select(PersonRow.id).where(PersonRow.learner_code.is_not(None))).all()
        found = {one.state for who in learners for one in standing_of(session, who).values()}
        admins = session.scalars(select(StaffRole.person_id).where(StaffRole.role == "admin")).all()
        roles = set(session.scalars(select(StaffRole.role)))
    assert len(learners) == 30
    assert found == {"given", "refused", "never_asked"}
    assert roles == {"trainer", "admin", "safeguarding", "read-only"}
    assert len(set(admins)) == 2, "an opportunity needs one to write it and another to approve it"


def test_a_college_of_forty_learners_is_taken(db: Database, now: datetime, tmp_path: Path) -> None:
    rows = [
        f"P{i},Learner {i},+44770090{i:04d},BAKE,en,yes,yes,{'yes' if i % 2 else 'no'},2026-10-01,v1" for i in range(1, 41)
    ]
    folder = write(tmp_path / "college", learners=rows)
    assert counted(import_folder(books(db), folder, now, dry_run=True), "learners.csv") == (40, 0, 0)
    assert counted(import_folder(books(db), folder, now), "learners.csv") == (40, 0, 0)
    assert counted(import_folder(books(db), folder, now), "learners.csv") == (0, 0, 40)


def test_what_the_files_say_is_in_the_database(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    with db.read() as session:
        course = session.scalars(select(Course).where(Course.code == "BAKE")).one()
        lesson = session.scalars(select(LessonRow)).one()
        ben = person(session, "P2")
        assert (course.name, course.cohort, course.starts_on) == ("Start Your Bakery", "BAKE-7", date(2026, 10, 5))
        assert (course.ends_on, course.group_link) == (date(2027, 2, 26), "https://chat.whatsapp.com/Bake7")
        assert [one.person.name for one in course.trainers] == ["Nadia Stone"]
        assert (lesson.starts_at, lesson.course.code) == (datetime(2027, 1, 12, 10, tzinfo=UTC), "BAKE")
        assert session.scalars(select(Task.due_on).order_by(Task.code)).all() == [date(2027, 1, 15), None]
        assert (ben.name, ben.language, [one.value for one in ben.contact_points]) == ("Ben Ray", "ur", ["+447700900002"])
        assert session.scalars(select(StaffRole.email).order_by(StaffRole.code)).all() == [
            "office@example.org",
            "",
            "nadia@example.org",
        ]


def test_lessons_of_summer_and_winter_are_at_londons_time(db: Database, now: datetime, tmp_path: Path) -> None:
    rows = (
        "W,BAKE,2027-01-12T10:00,2027-01-12 12:00:30,Winter,,",
        "S,BAKE,2027-06-15T10:00,2027-06-15T12:00,Summer,,",
        "A,BAKE,2026-10-25T01:30,2026-10-25T03:00,Twice,,",
    )
    assert import_folder(books(db), write(tmp_path / "c", lessons=rows), now).problems == ()
    with db.read() as session:
        times = dict(session.execute(select(LessonRow.code, LessonRow.starts_at)).all())
    assert times == {
        "W": datetime(2027, 1, 12, 10, tzinfo=UTC),
        "S": datetime(2027, 6, 15, 9, tzinfo=UTC),
        "A": datetime(2026, 10, 25, 0, 30, tzinfo=UTC),  # 01:30 comes twice: the first, still in summer time
    }


def test_only_what_changed_is_changed(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    changed = write(
        folder,
        staff=(
            TRAINER.replace("trainer", "admin").replace("Nadia", "Nadja"),
            "T2,Una Cole,trainer,07700900804,",
            *STAFF[1:],
        ),
        courses=(COURSES[0].replace("T1", "T2"), COURSES[1]),
        lessons=(LESSONS[0].replace("Room 4", "Room 5"),),
        learners=(ANN.replace("Ann Lee", "Ann Leigh"), BEN, CAL, CAL.replace("SEW", "BAKE")),
    )
    report = import_folder(books(db), changed, now)
    assert report.files == (
        Counts("staff.csv", 1, 1, 2),
        Counts("courses.csv", 0, 1, 1),
        Counts("lessons.csv", 0, 1, 0),
        Counts("tasks.csv", 0, 0, 2),
        Counts("learners.csv", 1, 1, 2),
    )
    with db.read() as session:
        assert person(session, "P1").name == "Ann Leigh"
        assert session.scalars(select(LessonRow.place)).one() == "Room 5"
        assert [one.person.name for one in session.scalars(select(CourseTrainer))] == ["Una Cole"]
        assert (
            session.scalars(select(EnrolmentRow).where(EnrolmentRow.person_id == person(session, "P3").id)).all()[1:] != []
        )


def test_the_order_of_trainers_says_who_leads(db: Database, now: datetime, tmp_path: Path) -> None:
    staff = (TRAINER, "T2,Una Cole,trainer,07700900804,")
    for trainers in ("T1 T2", "T2 T1"):
        folder = write(tmp_path / "c", staff=staff, courses=(COURSES[0].replace("T1", trainers), COURSES[1]))
        assert import_folder(books(db), folder, now).problems == ()
        with db.read() as session:
            course = session.scalars(select(Course).where(Course.code == "BAKE")).one()
            names = {"T1": "Nadia Stone", "T2": "Una Cole"}
            assert [one.person.name for one in course.trainers] == [names[code] for code in trainers.split()]


def test_rows_that_are_no_longer_in_the_files_stay(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    before = sizes(db)
    report = import_folder(books(db), write(folder, lessons=(), tasks=(), learners=(ANN,)), now)
    assert counted(report, "lessons.csv") == (0, 0, 0)
    assert sizes(db) | {"audit": 0} == before | {"audit": 0}


def test_files_that_are_missing_are_no_problem_and_codes_are_found_in_the_database(
    db: Database, now: datetime, folder: Path, tmp_path: Path
) -> None:
    import_folder(books(db), folder, now)
    alone = tmp_path / "alone"
    for name, rows in (("lessons", LESSONS), ("courses", COURSES), ("learners", (ANN,))):
        write(alone, **{name: rows})
        for other in FILES:
            if other != f"{name}.csv":
                (alone / other).unlink()
        report = import_folder(books(db), alone, now)
        assert report.files == (Counts(f"{name}.csv", 0, 0, len(rows)),)


def test_a_rehearsal_says_what_would_change_and_changes_nothing(db: Database, now: datetime, folder: Path) -> None:
    before = sizes(db)
    rehearsed = import_folder(books(db), folder, now, dry_run=True)
    assert sizes(db) == before
    assert rehearsed.dry_run
    assert rehearsed.files == import_folder(books(db), folder, now).files


def test_every_import_is_in_the_audit_and_so_is_every_role(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    import_folder(books(db), write(folder, staff=(TRAINER, STAFF[1].replace("admin", "read-only"), STAFF[2])), now)
    with db.read() as session:
        rows = session.execute(select(Audit.act, Audit.details).order_by(Audit.id)).all()
    imports = [row.details["staff.csv"] for row in rows if row.act == "import"]
    roles = [(row.details["code"], row.details.get("was"), row.details["role"]) for row in rows if row.act == "staff_role"]
    assert imports == [{"added": 3, "changed": 0, "unchanged": 0}, {"added": 0, "changed": 1, "unchanged": 2}]
    assert roles == [
        ("T1", None, "trainer"),
        ("A1", None, "admin"),
        ("S1", None, "safeguarding"),
        ("A1", "admin", "read-only"),
    ]


def test_an_import_is_signed_by_who_says_so_and_by_the_command_line_else(db: Database, now: datetime, folder: Path) -> None:
    import_folder(replace(books(db), by="A1"), folder, now)  # the list that makes them staff
    import_folder(books(db), folder, now)
    with db.read() as session:
        assert set(session.scalars(select(Audit.by).where(Audit.act == "staff_role"))) == {"A1"}
        assert session.scalars(select(Audit.by).where(Audit.act == "import").order_by(Audit.id)).all() == ["A1", "cli"]


def test_an_import_signed_with_the_code_of_nobody_changes_nothing(db: Database, now: datetime, folder: Path) -> None:
    before = sizes(db)
    with pytest.raises(NoSuchStaff):
        import_folder(replace(books(db), by="A9"), folder, now)
    assert sizes(db) == before


def test_a_large_file_is_read_with_few_questions_and_its_progress_is_told(
    sqlite_url: str, now: datetime, tmp_path: Path
) -> None:
    from sqlalchemy import event as events  # noqa: PLC0415 (the name is a ledger's line in this file)

    from bot.database import open_database  # noqa: PLC0415

    db = open_database(sqlite_url)
    rows = [f"P{i},Learner {i},+447700900{i:03d},SEW,en,yes,no,no,2026-10-01,v1" for i in range(800)]
    lessons = [f"L{i},SEW,2027-01-12T10:00,2027-01-12T12:00,Seams,," for i in range(2500)]
    folder = write(tmp_path / "c", learners=rows, lessons=lessons)
    import_folder(books(db), folder, now)
    asked: list[str] = []
    told: list[tuple[int, int]] = []
    events.listen(db.engine, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement))
    report = import_folder(books(db), folder, now, progress=lambda done, total: told.append((done, total)))
    assert (counted(report, "lessons.csv"), counted(report, "learners.csv")) == ((0, 0, 2500), (0, 0, 800))
    assert len(asked) < 60
    assert told == sorted(told)
    assert told[-1][0] == told[-1][1]
    db.engine.dispose()


# Who is who


def test_a_stranger_who_wrote_before_is_the_learner_and_their_stop_stays(db: Database, now: datetime, folder: Path) -> None:
    before = stranger(db, "+447700900001", now)
    with db.write() as session:
        session.add(event(before, "service", "withdraw", now - timedelta(days=1)))
    import_folder(books(db), folder, now)
    with db.read() as session:
        assert person(session, "P1").id == before
    assert states(db, "P1") == {"service": "withdrawn", "checkin": "given", "marketing": "refused"}


def test_somebody_known_by_phone_alone_becomes_the_member_of_staff_with_it(
    db: Database, now: datetime, folder: Path
) -> None:
    before = stranger(db, "+447700900803", now)  # as when they were alerted by WhatsApp before the first import
    import_folder(books(db), folder, now)
    with db.read() as session:
        assert session.scalars(select(StaffRole.person_id).where(StaffRole.code == "S1")).one() == before
    assert counted(import_folder(books(db), folder, now), "staff.csv") == (0, 0, 3)


def test_a_stranger_on_a_learners_new_number_becomes_that_learner_with_all_they_wrote(
    db: Database, now: datetime, folder: Path
) -> None:
    import_folder(books(db), folder, now)
    new = "+447700900009"
    gone = stranger(db, new, now, scoped_id="GB.1")
    with db.write() as session:
        point = point_of(session, new, "", now)
        session.add(
            Inbound(
                sid="SM1",
                person_id=gone,
                contact_point_id=point.id,
                kind="text",
                text="stop",
                received_at=now,
                retry_at=now,
            )
        )
        session.add(OfficeCase(person_id=gone, kind="complaint", opened_at=now))
        session.add(event(gone, "checkin", "withdraw", now))
        session.get_one(PersonRow, gone).held_at = now
    report = import_folder(books(db), write(folder, learners=(ANN.replace("+447700900001", new), BEN, CAL)), now)
    assert counted(report, "learners.csv") == (0, 1, 2)
    with db.read() as session:
        ann = person(session, "P1")
        assert session.get(PersonRow, gone) is None
        assert session.scalars(select(Inbound.person_id)).all() == [ann.id]
        assert session.scalars(select(OfficeCase.person_id)).all() == [ann.id]
        assert ann.held_at == now
    assert phones(db, "P1") == {"+447700900001": False, new: True, "GB.1": True}
    assert states(db, "P1")["checkin"] == "withdrawn"


def test_the_old_number_of_a_learner_is_disowned_and_given_back_when_the_files_say_so(
    db: Database, now: datetime, folder: Path
) -> None:
    import_folder(books(db), folder, now)
    moved = ANN.replace("+447700900001", "07700 900 009")
    assert counted(import_folder(books(db), write(folder, learners=(moved, BEN, CAL)), now), "learners.csv") == (0, 1, 2)
    assert phones(db, "P1") == {"+447700900001": False, "+447700900009": True}
    assert counted(import_folder(books(db), folder, now), "learners.csv") == (0, 0, 3)
    later = now + timedelta(days=1)
    assert counted(import_folder(books(db), write(folder), later), "learners.csv") == (0, 1, 2)
    assert phones(db, "P1") == {"+447700900001": True, "+447700900009": False}


def test_a_number_found_wrong_stays_disowned_however_often_it_is_imported(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    with db.write() as session:
        person(session, "P1").contact_points[0].disowned_at = now
    assert counted(import_folder(books(db), folder, now + timedelta(days=1)), "learners.csv") == (0, 0, 3)
    assert phones(db, "P1") == {"+447700900001": False}


def a_wrong_number(db: Database, now: datetime) -> None:
    """Whoever has Ann's number says that it is not hers, and writes once more."""
    for text in ("wrong number", "hello"):
        with db.write() as session:
            point = point_of(session, "+447700900001", "", now)
            values = {"sid": f"SM{text}", "kind": "text", "text": text, "received_at": now, "retry_at": now}
            session.add(Inbound(person_id=point.person_id, contact_point_id=point.id, **values))
            session.flush()
            if point.disowned_at is None:
                disown(session, point.id, now)


def test_a_number_found_wrong_stays_so_after_somebody_else_wrote_from_it(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    a_wrong_number(db, now)
    assert phones(db, "P1") == {}
    for days in (1, 2):
        assert counted(import_folder(books(db), folder, now + timedelta(days=days)), "learners.csv") == (0, 0, 3)
    assert phones(db, "P1") == {}
    with db.read() as session:
        point = session.scalars(select(ContactPoint).where(ContactPoint.value == "+447700900001")).one()
        assert (point.disowned_at, point.person.learner_code) == (now, None)


def test_a_number_found_wrong_is_given_to_whoever_else_the_files_say_has_it(
    db: Database, now: datetime, folder: Path
) -> None:
    import_folder(books(db), folder, now)
    a_wrong_number(db, now)
    moved = ANN.replace("+447700900001", "+447700900009")
    dora = ANN.replace("P1,Ann Lee", "P9,Dora Lee")
    import_folder(books(db), write(folder, learners=(moved, BEN, CAL, dora)), now + timedelta(days=1))
    assert phones(db, "P1") == {"+447700900009": True}
    assert phones(db, "P9") == {"+447700900001": True}


def test_two_learners_may_swap_numbers_and_nothing_that_waited_reaches_the_other(
    db: Database, now: datetime, folder: Path
) -> None:
    import_folder(books(db), folder, now)
    with db.write() as session:
        for code, purpose in (("P1", "service"), ("P1", "reply"), ("P2", "service")):
            who = person(session, code)
            point = who.contact_points[0]
            point.last_inbound_at = now
            waits = Outbound(person_id=who.id, contact_point_id=point.id, purpose=purpose, priority=3, body="b")
            waits.key, waits.created_at, waits.due_at = f"{code}:{purpose}", now, now
            session.add(waits)
    swapped = (ANN.replace("0001", "0002"), BEN.replace("0002", "0001"), CAL)
    assert counted(import_folder(books(db), write(folder, learners=swapped), now), "learners.csv") == (0, 2, 1)
    assert (phones(db, "P1"), phones(db, "P2")) == ({"+447700900002": True}, {"+447700900001": True})
    with db.read() as session:
        columns = (Outbound.key, Outbound.reason, ContactPoint.value)
        found = session.execute(select(*columns).join(ContactPoint).order_by(Outbound.key)).all()
        assert [tuple(row) for row in found] == [
            ("P1:reply", "WRONG_NUMBER", "+447700900001"),
            ("P1:service", None, "+447700900002"),  # it goes to the number she has now
            ("P2:service", "WRONG_NUMBER", "+447700900002"),
        ]
        assert person(session, "P2").contact_points[0].last_inbound_at is None
    assert counted(import_folder(books(db), folder, now), "learners.csv") == (0, 0, 3)


def test_a_number_that_a_learner_gave_up_may_become_another_learners(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    import_folder(books(db), write(folder, learners=(ANN.replace("0001", "0009"), BEN, CAL)), now)
    newcomer = "P4,Dee Orr,+447700900001,SEW,en,yes,no,no,2026-11-01,v1"
    report = import_folder(books(db), write(folder, learners=(newcomer,)), now)
    assert counted(report, "learners.csv") == (1, 0, 0)
    assert (phones(db, "P1"), phones(db, "P4")) == ({"+447700900009": True}, {"+447700900001": True})


def test_staff_and_learner_with_one_number_are_one_person(db: Database, now: datetime, folder: Path) -> None:
    both = "P9,nadia stone,07700900801,SEW,en,yes,no,no,2026-10-01,v1"
    write(folder, learners=(both,))
    assert counted(import_folder(books(db), folder, now), "learners.csv") == (1, 0, 0)
    with db.read() as session:
        nadia = person(session, "P9")
        assert [one.code for one in nadia.staff_roles] == ["T1"]
    again = import_folder(books(db), folder, now)
    assert (counted(again, "staff.csv"), counted(again, "learners.csv")) == ((0, 0, 3), (0, 0, 1))


def test_staff_known_before_who_enrol_stay_one_person(db: Database, now: datetime, folder: Path, tmp_path: Path) -> None:
    import_folder(books(db), folder, now)
    learner = write(tmp_path / "later", learners=("P9,Nadia Stone,07700900801,SEW,en,no,no,no,,",))
    (learner / "staff.csv").unlink()
    assert counted(import_folder(books(db), learner, now), "learners.csv") == (1, 0, 0)
    with db.read() as session:
        assert [one.code for one in person(session, "P9").staff_roles] == ["T1"]


def test_two_people_with_places_on_the_same_course_become_one_with_one_place(
    db: Database, now: datetime, folder: Path
) -> None:
    import_folder(books(db), folder, now)
    with db.write() as session:
        course = session.scalars(select(Course).where(Course.code == "BAKE")).one()
        doubled = session.scalars(select(StaffRole).where(StaffRole.code == "T1")).one().person_id
        session.add(CourseTrainer(course_id=course.id, person_id=person(session, "P1").id, position=1))
        session.add(EnrolmentRow(course_id=course.id, person_id=doubled, created_at=now))
    one = ANN.replace("+447700900001", "+447700900801").replace("Ann Lee", "Nadia Stone")
    assert counted(import_folder(books(db), write(folder, learners=(one,)), now), "learners.csv") == (0, 1, 0)
    with db.read() as session:
        nadia = person(session, "P1")
        assert session.get(PersonRow, doubled) is None
        places = select(EnrolmentRow.course_id).where(EnrolmentRow.person_id == nadia.id)
        assert session.scalars(places).all() == [course.id]
        assert session.scalars(select(CourseTrainer.person_id)).all() == [nadia.id]
        assert [role.code for role in nadia.staff_roles] == ["T1"]
        assert session.scalars(select(Audit.person_id).where(Audit.act == "join_people")).all() == [nadia.id]


def test_the_list_says_in_which_language_a_learner_is_written_to(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    with db.write() as session:
        person(session, "P2").language = "pl"
    assert counted(import_folder(books(db), folder, now), "learners.csv") == (0, 1, 2)
    with db.read() as session:
        assert (person(session, "P1").language, person(session, "P2").language) == ("en", "ur")


# Consent


def test_a_declaration_is_recorded_once_with_who_when_how_and_in_which_words(
    db: Database, now: datetime, folder: Path
) -> None:
    import_folder(books(db), folder, now)
    import_folder(books(db), folder, now)
    with db.read() as session:
        one = ConsentEvent
        columns = (one.purpose, one.action, one.at, one.source, one.wording, one.recorded_by, one.recorded_at)
        rows = session.execute(select(*columns).where(one.person_id == person(session, "P1").id).order_by(one.id)).all()
    assert [(row.purpose, row.action) for row in rows] == [("service", "give"), ("checkin", "give"), ("marketing", "refuse")]
    assert {(row.at, row.source, row.wording, row.recorded_by, row.recorded_at) for row in rows} == {
        (datetime(2026, 9, 30, 23, tzinfo=UTC), "declaration", "v1", "import", now)
    }


def test_who_signed_nothing_was_never_asked(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    assert set(states(db, "P2").values()) == {"never_asked"}
    assert states(db, "P3") == {"service": "refused", "checkin": "refused", "marketing": "given"}


@pytest.mark.parametrize(
    ("declared_on", "after"),
    [("2026-10-01", "withdrawn"), ("2026-11-09", "withdrawn"), ("2026-11-10", "withdrawn"), ("2026-11-11", "given")],
)
def test_only_a_declaration_dated_after_a_withdrawal_reopens_it(
    db: Database, now: datetime, folder: Path, declared_on: str, after: ConsentState
) -> None:
    import_folder(books(db), folder, now)
    withdraw_all(db, "P1", datetime(2026, 11, 10, 9, 30, tzinfo=UTC))
    import_folder(books(db), folder, now)
    assert states(db, "P1")["service"] == "withdrawn"
    import_folder(books(db), write(folder, learners=(ANN.replace("2026-10-01", declared_on).replace("v1", "v2"), BEN)), now)
    assert states(db, "P1")["service"] == after


def test_a_declaration_corrected_to_no_and_back_says_what_was_imported_last(
    db: Database, now: datetime, folder: Path
) -> None:
    for service, state in (("yes", "given"), ("no", "refused"), ("yes", "given")):
        row = ANN.replace("en,yes,yes,no", f"en,{service},yes,no")
        import_folder(books(db), write(folder, learners=(row,)), now)
        assert states(db, "P1")["service"] == state


# What is refused

PROBLEMS = {
    "an empty code": ({"tasks": (",BAKE,Title,",)}, [("tasks.csv", 2, "code")]),
    "a code twice": ({"tasks": (*TASKS, TASKS[0])}, [("tasks.csv", 4, "code")]),
    "a staff code with a space": ({"staff": (*STAFF, "T 2,Una,trainer,07700900804,")}, [("staff.csv", 5, "code")]),
    "an unknown role": ({"staff": (*STAFF, "T2,Una,boss,07700900804,")}, [("staff.csv", 5, "role")]),
    "a phone that is none": ({"staff": (*STAFF, "T2,Una,admin,12,")}, [("staff.csv", 5, "phone")]),
    "an e-mail that is none": ({"staff": (*STAFF, "T2,Una,admin,07700900804,una@")}, [("staff.csv", 5, "email")]),
    "no name": ({"staff": (*STAFF, "T2, ,admin,07700900804,")}, [("staff.csv", 5, "name")]),
    "a British date": ({"tasks": ("K1,BAKE,Title,15/01/2027",)}, [("tasks.csv", 2, "due_on")]),
    "a day that is none": ({"tasks": ("K1,BAKE,Title,2027-02-29",)}, [("tasks.csv", 2, "due_on")]),
    "another century": ({"tasks": ("K1,BAKE,Title,0202-02-01",)}, [("tasks.csv", 2, "due_on")]),
    "an end at its start": ({"courses": (*COURSES, "X,X,,2026-10-05,2026-10-05,,")}, [("courses.csv", 4, "ends_on")]),
    "a trainer twice": ({"courses": (*COURSES, "X,X,,2026-10-05,,T1 T1,")}, [("courses.csv", 4, "trainers")]),
    "an unknown trainer": ({"courses": (*COURSES, "X,X,,2026-10-05,,T7,")}, [("courses.csv", 4, "trainers")]),
    "a trainer who is an admin": ({"courses": (*COURSES, "X,X,,2026-10-05,,A1,")}, [("courses.csv", 4, "trainers")]),
    "a group elsewhere": (
        {"courses": (*COURSES, "X,X,,2026-10-05,,,https://chat.whatsapp.com.example.org/x")},
        [("courses.csv", 4, "group_link")],
    ),
    "a lesson that ends first": (
        {"lessons": ("L,BAKE,2027-01-12T10:00,2027-01-12T10:00,T,,",)},
        [("lessons.csv", 2, "ends_at")],
    ),
    "a time that does not exist": (
        {"lessons": ("L,BAKE,2027-03-28T01:30,2027-03-28T03:00,T,,",)},
        [("lessons.csv", 2, "starts_at")],
    ),
    "a time with a zone": (
        {"lessons": ("L,BAKE,2027-01-12T10:00Z,2027-01-12T11:00,T,,",)},
        [("lessons.csv", 2, "starts_at")],
    ),
    "a link that is no web link": (
        {"lessons": ("L,BAKE,2027-01-12T10:00,2027-01-12T11:00,T,,ftp://example.org",)},
        [("lessons.csv", 2, "link")],
    ),
    "a lesson of no course": (
        {"lessons": ("L,NONE,2027-01-12T10:00,2027-01-12T11:00,T,,",)},
        [("lessons.csv", 2, "course")],
    ),
    "a language unknown": ({"learners": (ANN.replace(",en,", ",zz,"),)}, [("learners.csv", 2, "language")]),
    "maybe": ({"learners": (ANN.replace(",en,yes,", ",en,maybe,"),)}, [("learners.csv", 2, "service_consent")]),
    "consent left empty": ({"learners": (ANN.replace(",en,yes,", ",en,,"),)}, [("learners.csv", 2, "service_consent")]),
    "a yes unsigned": (
        {"learners": (ANN.replace("2026-10-01,v1", ","),)},
        [("learners.csv", 2, "declaration_version"), ("learners.csv", 2, "declared_on")],
    ),
    "a yes of tomorrow": ({"learners": (ANN.replace("2026-10-01", "2026-11-25"),)}, [("learners.csv", 2, "declared_on")]),
    "a place twice": ({"learners": (ANN, BEN, ANN)}, [("learners.csv", 4, "course")]),
    "a second row that disagrees": (
        {"learners": (ANN, ANN.replace("BAKE,en,yes", "SEW,pl,no").replace("Ann", "Anna").replace("0001", "0005"))},
        [("learners.csv", 3, column) for column in ("language", "name", "phone", "service_consent")],
    ),
    "one phone for two learners": ({"learners": (ANN, BEN.replace("0002", "0001"))}, [("learners.csv", 3, "phone")]),
    "one phone under two names": ({"learners": (ANN.replace("900001", "900801"),)}, [("learners.csv", 2, "phone")]),
    "too few cells": ({"learners": ("P1,Ann",)}, [("learners.csv", 2, "")]),
    "too many cells": ({"tasks": (TASKS[0] + ",,",)}, [("tasks.csv", 2, "")]),
    "a quotation mark out of place": ({"tasks": ('K1,BAKE,"A" picture,', TASKS[1])}, [("tasks.csv", 2, "")]),
    "a quotation mark left open": ({"tasks": (TASKS[0], 'K2,BAKE,"A picture,')}, [("tasks.csv", 3, "")]),
    "a control character": ({"tasks": ("K1,BAKE,A\x00picture,",)}, [("tasks.csv", 2, "title")]),
    "a course's name too long for any message": (
        {"courses": (*COURSES, f"X,{'a' * 101},,2026-10-05,,,")},
        [("courses.csv", 4, "name")],
    ),
    "a cohort's too": ({"courses": (*COURSES, f"X,X,{'a' * 101},2026-10-05,,,")}, [("courses.csv", 4, "cohort")]),
    "far too long": ({"tasks": (f"K1,BAKE,{'a' * 501},",)}, [("tasks.csv", 2, "title")]),
}


@pytest.mark.parametrize(("files", "where"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_bad_row_is_named_and_nothing_is_written(
    sqlite_url: str, now: datetime, tmp_path: Path, files: dict[str, Sequence[str]], where: list[tuple[str, int, str]]
) -> None:
    from bot.database import open_database  # noqa: PLC0415 (forty cases need one kind of database)

    db = open_database(sqlite_url)
    before = sizes(db)
    assert bad(import_folder(books(db), write(tmp_path / "c", **files), now)) == where
    assert sizes(db) == before
    db.engine.dispose()


def test_every_bad_row_of_every_file_is_reported_and_nothing_is_written(db: Database, now: datetime, tmp_path: Path) -> None:
    folder = write(
        tmp_path / "c",
        staff=(*STAFF, "T2,Una,boss,none,"),
        courses=(COURSES[0].replace("T1", "T1 T2 T9"), "SEW,Sew,,soon,,,"),
        tasks=(*TASKS, "K1,SEW,Again,"),
        learners=(ANN, "", '"P7",\n"Two\nlines",x,SEW,en,yes,yes,yes,2026-10-01,v1', BEN.replace("BAKE", "NONE"), CAL),
    )
    text = (folder / "learners.csv").read_text().replace('"P7",\n', '"P7",')
    (folder / "learners.csv").write_text(text)
    assert bad(import_folder(books(db), folder, now)) == [
        ("staff.csv", 5, "phone"),
        ("staff.csv", 5, "role"),
        ("courses.csv", 2, "trainers"),
        ("courses.csv", 3, "starts_on"),
        ("tasks.csv", 4, "code"),
        ("learners.csv", 4, "phone"),  # line 3 is empty, and the row of P7 takes lines 4 and 5
        ("learners.csv", 6, "course"),
    ]
    assert sum(sizes(db).values()) == 0


def test_a_phone_of_a_learner_in_the_database_is_not_given_to_another(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    taken = import_folder(books(db), write(folder, learners=(BEN.replace("0002", "0001"),)), now)
    assert taken.problems == (Problem("learners.csv", 2, "phone", "shared with another learner: 'P1'"),)
    newcomer = "P0,New One,07700 900001,BAKE,en,no,no,no,,"
    assert bad(import_folder(books(db), write(folder, learners=(newcomer,)), now)) == [("learners.csv", 2, "phone")]


def test_staff_do_not_take_a_learners_phone_under_another_name(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    (folder / "learners.csv").unlink()
    write(folder, staff=(*STAFF, "T2,Una Cole,trainer,+447700900001,"), learners=())
    assert bad(import_folder(books(db), folder, now)) == [("staff.csv", 5, "phone")]


def test_one_person_in_both_files_has_one_phone(db: Database, now: datetime, folder: Path) -> None:
    both = "P9,Nadia Stone,07700900801,SEW,en,no,no,no,,"
    import_folder(books(db), write(folder, learners=(both,)), now)
    report = import_folder(books(db), write(folder, learners=(both.replace("801", "809"),)), now)
    assert [one.column for one in report.problems] == ["phone"]


def test_no_reason_repeats_a_phone_even_from_the_wrong_column(db: Database, now: datetime, tmp_path: Path) -> None:
    number = "07700900123"
    folder = write(
        tmp_path / "c",
        staff=(f"{number},{number},{number},{number}9,{number}",),
        courses=(f"X,{number},,{number},{number},{number},{number}",),
        learners=(",".join([number] * 10), f"P1,Ann,{number},{number},en,no,no,no,,"),
    )
    problems = list(import_folder(books(db), folder, now).problems)
    (folder / "learners.csv").write_text(f"P1,Ann,{number}\n")
    problems += import_folder(books(db), folder, now).problems
    assert len(problems) > 20
    assert not [one for one in problems if number in f"{one.column} {one.reason}"]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_file_from_any_spreadsheet_is_read(sqlite_url: str, now: datetime, tmp_path: Path, mark: str, end: str) -> None:
    from bot.database import open_database  # noqa: PLC0415

    db = open_database(sqlite_url)
    folder = write(tmp_path / "c")
    header = "Name , CODE,role,email,phone"
    rows = [header, "", " Zoë\u00a0Nowak\u200b ,T1,Trainer,, \u202a+44 7700 900801\u202c ", ",,,,", "", "Zed,T2,x,,1"]
    (folder / "staff.csv").write_bytes((mark + end.join(rows)).encode())
    assert bad(import_folder(books(db), folder, now)) == [("staff.csv", 6, "phone"), ("staff.csv", 6, "role")]
    (folder / "staff.csv").write_bytes((mark + end.join(rows[:-1])).encode())
    assert import_folder(books(db), folder, now).problems == ()
    with db.read() as session:
        role = session.scalars(select(StaffRole)).one()
        assert (role.person.name, role.role) == ("Zoë Nowak", "trainer")
        assert role.person.contact_points[0].value == "+447700900801"
    db.engine.dispose()


def test_a_header_names_what_is_missing_unknown_or_there_twice(db: Database, now: datetime, folder: Path) -> None:
    (folder / "tasks.csv").write_text("code,course,titel,course\nK1,BAKE,T,BAKE\n")
    found = {(one.line, one.column): one.reason for one in import_folder(books(db), folder, now).problems}
    assert sorted(found) == [(1, "course"), (1, "due_on"), (1, "titel"), (1, "title")]
    assert found[1, "title"] == found[1, "due_on"] == "this column is missing"


def test_a_broken_file_is_one_problem_and_not_one_for_every_row_that_refers_to_it(
    db: Database, now: datetime, folder: Path
) -> None:
    (folder / "courses.csv").write_bytes("code,name\r\nBÄCK,x\r\n".encode("latin-1"))
    assert bad(import_folder(books(db), folder, now)) == [("courses.csv", 2, "")]
    (folder / "courses.csv").write_bytes("code,name".encode("utf-16"))
    assert bad(import_folder(books(db), folder, now)) == [("courses.csv", 1, "")]
    (folder / "courses.csv").write_bytes(b"\n\n")
    assert bad(import_folder(books(db), folder, now)) == [("courses.csv", 1, "")]


def test_a_folder_with_nothing_to_import_is_an_error_and_a_misspelt_file_is_told(
    db: Database, now: datetime, tmp_path: Path
) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(NothingToImport, match=re.escape(str(folder))):
            import_folder(books(db), folder, now)
    folder = write(tmp_path / "c")
    (folder / "learner.csv").write_text("code")
    (folder / "notes.txt").write_text("")
    assert import_folder(books(db), folder, now).ignored == ("learner.csv",)


# Rules

GAPS = st.sampled_from(["", " ", "-", ".", "\u00a0", " - "])
STARTS = st.sampled_from(["+44", "0044", "0", "+44 (0)", "(0)", "44", "+44-", "\u202a+44 ", ""])


@given(STARTS, st.integers(0, 999), GAPS, GAPS)
def test_a_number_is_the_same_in_every_usual_spelling(start: str, last: int, one: str, other: str) -> None:
    assert to_e164(clean(f"{start}7700{one}900{other}{last:03d}")) == f"+447700900{last:03d}"


@given(st.text(max_size=30))
def test_whatever_is_typed_for_a_phone_becomes_a_number_that_stays_itself_or_is_refused(text: str) -> None:
    number = ""
    with contextlib.suppress(ValueError):
        number = to_e164(text)
    if number:
        assert re.fullmatch(r"\+[1-9]\d{5,14}", number)
        assert to_e164(number) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("+1 202 555 0123", "+12025550123"), ("+48 22 123 45 67", "+48221234567"), ("01254 693999", "+441254693999")],
)
def test_numbers_from_abroad_and_landlines_are_taken(text: str, number: str) -> None:
    assert to_e164(text) == number


@pytest.mark.parametrize("text", ["", "not-a-phone", "900123", "07700900123 ext 5", "4.477E+11", "+44770090012345"])
def test_what_cannot_be_called_is_no_phone(text: str) -> None:
    with pytest.raises(ValueError, match="not a phone number"):
        to_e164(text)


@given(st.text(max_size=40))
def test_a_reason_shows_a_value_only_where_it_cannot_be_personal(text: str) -> None:
    assert shown(text) == "" or (len(text) <= 20 and "@" not in text and 0 < sum(one.isdigit() for one in text) < 7)


@pytest.mark.parametrize("text", ["Amina", "Amina Yusuf", "o'neill", "07700 900123", "amina@example.org", "room 4"])
def test_a_reason_repeats_no_name_that_slipped_into_another_column(text: str) -> None:
    assert shown(text) == ""


def test_a_file_without_its_header_repeats_nothing_of_whose_row_stands_there(
    db: Database, now: datetime, folder: Path
) -> None:
    (folder / "tasks.csv").write_text("amina,Amina Yusuf,yusuf,2026-10-01\n")
    said = "".join(one.column + one.reason for one in import_folder(books(db), folder, now).problems)
    assert "amina" not in said.lower()
    assert "yusuf" not in said.lower()


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_a_declaration_counts_from_the_first_moment_of_its_day_in_london(day: date) -> None:
    start = london_day_starts(day)
    assert start.astimezone(LONDON).date() == day
    assert (start - timedelta(microseconds=1)).astimezone(LONDON).date() == day - timedelta(days=1)


def test_the_languages_of_the_college_are_known() -> None:
    assert {"en", "ur", "pa", "gu", "pl", "ro"} <= LANGUAGES
    assert all(len(code) == 2 for code in LANGUAGES)


def test_a_number_that_has_been_written_from_keeps_its_window(db: Database, now: datetime, folder: Path) -> None:
    import_folder(books(db), folder, now)
    with db.write() as session:
        person(session, "P1").contact_points[0].last_inbound_at = now
    import_folder(books(db), folder, now)
    with db.read() as session:
        written = select(ContactPoint.last_inbound_at).where(ContactPoint.value == "+447700900001")
        assert session.scalars(written).one() == now


def test_two_imports_at_once_write_everything_once(db: Database, now: datetime, folder: Path) -> None:
    with ThreadPoolExecutor(2) as both:
        reports = list(both.map(lambda _: import_folder(books(db), folder, now), range(2)))
    assert sorted(counted(one, "learners.csv") for one in reports) == [(0, 0, 3), (3, 0, 0)]
    assert (sizes(db)["person"], sizes(db)["consent_event"], sizes(db)["enrolment"]) == (6, 6, 3)


def test_a_message_from_a_number_in_the_files_may_arrive_while_they_are_imported(
    db: Database, now: datetime, folder: Path
) -> None:
    with ThreadPoolExecutor(2) as both:
        imported = both.submit(import_folder, books(db), folder, now)
        wrote = both.submit(stranger, db, "+447700900001", now)
        assert imported.result().problems == ()
        with db.read() as session:
            assert person(session, "P1").id == wrote.result()
    assert phones(db, "P1") == {"+447700900001": True}
