"""What preview says will go, be held or be withheld is what then happens when the clock is moved on; and it only looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from bot import clock, ledger, setback
from bot.cli import Tools
from bot.cli.previewing import preview_command
from bot.database import Database
from bot.models import ContactPoint, Course, EnrolmentRow, LessonRow, Outbound, PersonRow, TemplateRow
from bot.outbox import Draft
from bot.people import point_of
from bot.planning import Links, plan
from bot.planning.forecast import forecast
from bot.preview import Expected, Span, nothing_planned, preview, summary
from bot.terms import Terms
from bot.worker import Chore, Worker
from tests.bot.ledgers import KEYED
from tests.bot.rooms import AMINA, BILAL, CARLA, TERMS, Archive, Clock, Stage, a_learner, only, owe, rows
from tests.bot.test_chores import Shelf

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(weeks=1)
QUARTER = timedelta(minutes=15)
NEWS = {"lesson": "Pricing", "starts_at": "Mon 30 Nov, 10:00"}
FATES = {"queued": "held", "withheld": "withheld"}
LINKS = Links("https://e4a.example.org/privacy/v1", "https://e4a.example.org/rules/v1")
PEOPLE = (AMINA, BILAL, CARLA, "+447700900104", "+447700900105", "+447700900106")


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """Learners on one course with a lesson in a week; every template is approved."""
    for phone in PEOPLE:
        a_learner(db, phone, now=now, consent="refuse" if phone == CARLA else "give")
    with db.write() as session:
        for number, one in enumerate(TERMS.templates):
            names = {"name": one.name, "language": one.language, "version": one.version}
            word = {"status": "approved", "category": one.category, "content_sid": f"HX{number:032x}", "checked_at": now}
            session.add(TemplateRow(**names, **word))
    return Stage(db, Clock(now))


def planned(session: Session, now: datetime, until: datetime) -> Iterator[Draft]:
    return forecast(session, TERMS, LINKS, now, until)


def ahead(stage: Stage, until: datetime, terms: Terms = TERMS) -> list[Expected]:
    return preview(stage.db, terms, planned, Span(stage.clock(), until))


def worker(stage: Stage, terms: Terms = TERMS) -> Worker:
    """One that plans, and goes by these terms."""
    made, room = stage.worker, replace(stage.room, terms=terms)
    planning = Chore("planning", timedelta(minutes=1), lambda now: int(bool(plan(stage.db, terms, LINKS, now))))
    return replace(made, room=room, chores=(planning, Chore("setback", DAY, lambda now: setback.mend(stage.db, now))))


def works_until(stage: Stage, until: datetime, working: Worker, step: timedelta = QUARTER) -> None:
    """The clock goes on, step by step."""
    while stage.clock() < until:
        working.once()
        stage.clock.wait(step)
    stage.clock.now = until
    working.once()


def found_at(at: datetime) -> datetime:
    """When a worker that looks every quarter of an hour finds what is due then."""
    whole = at.replace(minute=0, second=0, microsecond=0)
    return whole + -(-(at - whole) // QUARTER) * QUARTER


def said(found: list[Expected]) -> list[str]:
    """Whose, what, how it fares, when it goes and why not, a line for each."""
    at = {id(one): found_at(one.at) if one.fate == "goes" else "" for one in found}
    return sorted(f"{one.learner} {one.plan} {one.fate} {at[id(one)]} {one.reason}" for one in found)


def happened(stage: Stage) -> list[str]:
    """The same of what came to be."""
    codes = {one.id: one.learner_code for one in rows(stage.db, PersonRow)}
    return sorted(
        f"{codes[row.person_id]} {row.plan or row.use} {(fate := FATES.get(row.state, 'goes'))} "
        f"{row.tried_at if fate == 'goes' else ''} {row.reason}"
        for row in rows(stage.db, Outbound)
    )


def test_what_is_said_of_two_weeks_is_what_happens_in_them(stage: Stage) -> None:
    now = stage.clock()
    opted_out(stage, "+447700900104")
    moved_on(stage, "+447700900105")
    for number, at in enumerate((now + HOUR, now + 2 * HOUR, now + 11 * HOUR, now + 3 * DAY, now + 4 * DAY)):
        for phone in PEOPLE:
            owe(stage.db, phone, at, key=f"news {number} {phone}", template="lesson_cancelled", variables=NEWS)
    owe(stage.db, AMINA, now + 12 * HOUR, key="stale", best_before=now + 14 * HOUR)
    owe(stage.db, BILAL, now, key="urgent", urgent=True, due_at=now + 12 * HOUR)
    until = now + 2 * WEEK
    found = ahead(stage, until)
    works_until(stage, until, worker(stage))
    assert said(found) == happened(stage)
    assert {"QUIET_HOURS", "FREQUENCY_CAP"} <= {reason for one in found for reason in one.held_by}
    assert {"NO_CONSENT", "OPTED_OUT", "BLOCKED_BY_USER", "STALE"} <= {one.reason for one in found}
    assert "day_before" in {one.plan for one in found}


def test_check_ins_end_with_two_silences_as_they_do_then(stage: Stage) -> None:
    ends(stage, stage.clock())
    until = stage.clock() + 17 * WEEK
    found = ahead(stage, until)
    assert "NO_RESPONSE" in {one.reason for one in found if one.plan == "check_in"}
    worker(stage).once()
    stage.clock.wait(HOUR / 2)  # check-ins are due at half past ten
    works_until(stage, until, worker(stage), step=12 * HOUR)
    assert said(found) == happened(stage)


def test_the_daily_reach_is_counted_as_it_then_is(stage: Stage) -> None:
    narrow = replace(TERMS, reach_limit=2)
    start = stage.clock.wait(2 * DAY)  # nobody's window is open any more
    for nth, phone in enumerate(PEOPLE[:5]):
        owe(
            stage.db,
            phone,
            start + nth * HOUR,
            key=f"n{nth}",
            template="lesson_cancelled",
            variables=NEWS,
            best_before=start + WEEK,
        )
    owe(stage.db, PEOPLE[0], start, key="twin", template="lesson_cancelled", variables=NEWS, urgent=True)
    span = Span(start, start + 3 * DAY)
    found = preview(stage.db, narrow, nothing_planned, span)
    works_until(stage, span.until, replace(worker(stage, narrow), chores=()))
    assert said(found) == happened(stage)
    assert "REACH_LIMIT" in {reason for one in found for reason in one.held_by}


def test_what_waits_for_a_template_is_held_and_nobody_says_until_when(stage: Stage) -> None:
    with stage.db.write() as session:
        session.query(TemplateRow).update({"status": "pending"})
    start = stage.clock.wait(2 * DAY)
    owe(stage.db, AMINA, start, template="lesson_cancelled", variables=NEWS, best_before=start + 300 * DAY)
    (one,) = preview(stage.db, TERMS, nothing_planned, Span(start, start + 200 * DAY))
    assert (one.fate, one.reason) == ("held", "WINDOW_CLOSED_NO_TEMPLATE")


def test_it_only_looks(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), template="lesson_cancelled", variables=NEWS)
    statements = list[str]()
    event.listen(stage.db.engine, "before_cursor_execute", record := lambda *given: statements.append(str(given[2])))
    try:
        assert ahead(stage, stage.clock() + 3 * WEEK)
    finally:
        event.remove(stage.db.engine, "before_cursor_execute", record)
    wrote = [one for one in statements if not one.lstrip().startswith(("SELECT", "WITH", "BEGIN", "PRAGMA"))]
    locked = [one for one in statements if "FOR UPDATE" in one or "FOR SHARE" in one or one == "BEGIN IMMEDIATE"]
    assert (wrote, locked) == ([], [])
    with stage.db.read() as session:
        assert session.scalar(select(func.count()).select_from(Outbound)) == 1


def test_it_waits_for_no_writer(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), template="lesson_cancelled", variables=NEWS)
    with stage.db.write() as session:
        session.execute(select(PersonRow).with_for_update()).all()
        session.add(PersonRow(name="Somebody", created_at=stage.clock()))
        session.flush()
        assert ahead(stage, stage.clock() + WEEK)


def test_one_learners_is_what_they_have_among_all(stage: Stage) -> None:
    until = stage.clock() + 2 * WEEK
    person_id = only(stage.db, PersonRow, PersonRow.learner_code == f"L{AMINA[1:]}").id
    theirs = preview(stage.db, TERMS, planned, Span(stage.clock(), until, person_id))
    assert theirs == [one for one in ahead(stage, until) if one.learner == f"L{AMINA[1:]}"]
    assert theirs


def test_whose_message_a_hold_keeps_back_is_not_said(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), template="lesson_cancelled", variables=NEWS)
    with stage.db.write() as session:
        session.query(PersonRow).update({"held_at": stage.clock()})
    (one,) = preview(stage.db, TERMS, nothing_planned, Span(stage.clock(), stage.clock() + DAY))
    assert (one.reason, one.learner, one.key) == ("SAFEGUARDING_HOLD", "", "")


def test_the_last_line_counts_them() -> None:
    one = Expected(clock.now(), clock.now(), "L001", "day_before", "service", "", "goes", None, (), "k")
    no, out = replace(one, fate="withheld", reason="NO_CONSENT"), replace(one, fate="withheld", reason="OPTED_OUT")
    held = replace(one, fate="held", reason="QUIET_HOURS")
    told = summary([one, one, held, no, out, out])
    assert told == "2 will go, 1 held, 3 withheld: 2 OPTED_OUT, 1 NO_CONSENT"
    assert summary([one]) == "1 will go, 0 held, 0 withheld"


@pytest.fixture
def today(db: Database) -> Stage:
    """The command asks the real clock."""
    a_learner(db, AMINA, now=clock.now())
    return Stage(db, Clock(clock.now()))


def run(stage: Stage, *arguments: str) -> Result:
    tools = Tools(stage.db, stage.room, stage.worker, Shelf(), Archive(), planned=planned)
    return CliRunner().invoke(preview_command(tools), arguments)


def test_the_command_lists_them_with_codes_and_no_names(today: Stage) -> None:
    owe(today.db, AMINA, clock.now() + HOUR, urgent=True)
    until = (clock.now() + 2 * HOUR).isoformat()
    done = run(today, "--until", until, "--json")
    (line,) = [json.loads(one) for one in done.stdout.splitlines()]
    assert (done.exit_code, line["learner"], line["plan"], line["fate"]) == (0, f"L{AMINA[1:]}", "course_update", "goes")
    assert "1 will go" in done.stderr
    for_people = run(today, "--until", until, "--learner", f"L{AMINA[1:]}").stdout
    assert "goes" in for_people
    assert "1 will go, 0 held, 0 withheld" in for_people
    assert "Amina" not in done.stdout + for_people
    assert AMINA not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("--until", "2020-01-01"), 2, "past"),
        (("--until", "2099-01-01"), 2, "400 days"),
        (("--until", "soon"), 2, "2026-11-24"),
        ((), 2, "--until"),
        (("--learner", "NOBODY"), 1, "NOBODY"),
    ],
)
def test_what_cannot_be_answered_is_said_so(today: Stage, arguments: tuple[str, ...], status: int, words: str) -> None:
    until = () if status == 2 else ("--until", (clock.now() + DAY).isoformat())
    done = run(today, *arguments, *until)
    assert (done.exit_code, words in done.stderr) == (status, True)


def opted_out(stage: Stage, phone: str) -> None:
    now = stage.clock()
    with stage.db.write() as session:
        person_id = point_of(session, phone, "", now).person_id
        ledger.record(session, ledger.Entry(person_id, ("service",), "withdraw", "chat", now, now, "STOP"), KEYED)


def moved_on(stage: Stage, phone: str) -> None:
    """Nothing reaches this phone any more."""
    with stage.db.write() as session:
        point = session.scalars(select(ContactPoint).where(ContactPoint.value == phone)).one()
        point.unreachable_at, point.unreachable_code = stage.clock(), 63024


def ends(stage: Stage, now: datetime) -> None:
    """The course ends today, and has no lessons to come."""
    with stage.db.write() as session:
        session.query(Course).update({"ends_on": now.date()})
        session.query(LessonRow).delete()
        assert session.scalar(select(func.count()).select_from(EnrolmentRow)) == len(PEOPLE)
