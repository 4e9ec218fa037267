"""What preview says will go, be held or be withheld is what then happens when the clock is moved on; and it only looks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from bot import clock, ledger, opportunities, setback
from bot.cli import Tools
from bot.cli.previewing import preview_command
from bot.database import Database
from bot.models import ContactPoint, Course, EnrolmentRow, LessonRow, Opportunity, Outbound, PersonRow, TemplateRow
from bot.outbox import Draft
from bot.people import point_of
from bot.planning import Links, plan
from bot.planning.forecast import forecast, may_be_followed
from bot.preview import Expected, Span, nothing_planned, preview, summary
from bot.terms import Terms
from bot.worker import Chore, Worker
from tests.bot.ledgers import KEYED
from tests.bot.offers import an_offer, approved, staff
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
    approve_all(db, now)
    return Stage(db, Clock(now))


def approve_all(db: Database, now: datetime) -> None:
    with db.write() as session:
        for number, one in enumerate(TERMS.templates):
            names = {"name": one.name, "language": one.language, "version": one.version}
            word = {"status": "approved", "category": one.category, "content_sid": f"HX{number:032x}", "checked_at": now}
            session.add(TemplateRow(**names, **word))


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
    greeted(stage)
    ends(stage, stage.clock())
    until = stage.clock() + 17 * WEEK
    found = ahead(stage, until)
    assert "NO_RESPONSE" in {one.reason for one in found if one.plan == "check_in"}
    worker(stage).once()
    stage.clock.wait(HOUR / 2)  # check-ins are due at half past ten
    works_until(stage, until, worker(stage), step=12 * HOUR)
    assert said(found) == [one for one in happened(stage) if "first_message" not in one]


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


def test_an_opportunity_goes_in_the_tranches_that_are_foretold_and_who_never_gets_it_is_foretold_too(stage: Stage) -> None:
    greeted(stage)
    staff(stage.db, stage.clock())
    start = stage.clock.wait(2 * DAY)  # nobody's window is open any more
    narrow = replace(TERMS, reach_limit=3)
    opportunities.add(stage.db, narrow, an_offer(start, best_before=start + 30 * HOUR), start)
    assert offered(stage, narrow, start + 3 * DAY) == []
    approved(stage.db, "MARKET", start)
    found = offered(stage, narrow, start + 3 * DAY)
    works_until(stage, start + 3 * DAY, worker(stage, narrow))
    assert found == sorted(
        (fate := FATES.get(row.state, "goes"), row.reason, row.tried_at.date() if row.tried_at and fate == "goes" else None)
        for row in rows(stage.db, Outbound, Outbound.plan == "opportunity")
    )
    assert [(fate, reason) for fate, reason, _ in found] == [("goes", None)] * 4 + [("withheld", "STALE")]


def offered(stage: Stage, terms: Terms, until: datetime) -> list[tuple[str, str | None, date | None]]:
    found = (one for one in ahead(stage, until, terms) if one.plan == "opportunity")
    return sorted((one.fate, one.reason, one.at.date() if one.fate == "goes" else None) for one in found)


def test_a_draft_a_recalled_and_an_unfillable_opportunity_go_to_nobody(stage: Stage) -> None:
    now = stage.clock()
    staff(stage.db, now)
    until = now + 10 * DAY
    for code in ("DRAFT", "RECALLED", "OLD"):
        opportunities.add(stage.db, TERMS, an_offer(now, code), now)
    approved(stage.db, "RECALLED", now)
    opportunities.recall(stage.db, "RECALLED", "A1", now)
    approved(stage.db, "OLD", now)
    assert len(offered(stage, TERMS, until)) == 5
    with stage.db.write() as session:
        session.query(Opportunity).update({"what": "m" * 300})
    assert offered(stage, TERMS, until) == []


@pytest.mark.parametrize("wrote", ["lately", "long ago"])
def test_a_first_message_without_an_approved_template_is_held_also_for_who_wrote_lately(stage: Stage, wrote: str) -> None:
    with stage.db.write() as session:
        session.query(TemplateRow).filter(TemplateRow.name == "first_message").update({"status": "pending"})
    now = stage.clock.wait(DAY if wrote == "long ago" else HOUR)
    (one,) = [one for one in ahead(stage, now + 2 * HOUR) if one.learner == f"L{AMINA[1:]}"]
    assert (one.plan, one.fate, one.reason) == ("first_message", "held", "WINDOW_CLOSED_NO_TEMPLATE")
    assert not may_be_followed(one, now + WEEK)
    worker(stage).once()
    assert rows(stage.db, Outbound, Outbound.plan == "first_message") == []


def test_what_may_follow_a_message_is_known_by_its_plan_and_by_when_it_goes() -> None:
    at = datetime(2026, 11, 24, 18, tzinfo=UTC)
    first = Expected(at, at, "L001", "first_message", "service", "first_message", "goes", None, (), "first:1")
    again = replace(first, plan="invitation", key="invite-again:1:1")
    assert not may_be_followed(first, at + 15 * HOUR)  # invitations go at ten
    assert may_be_followed(first, at + 16 * HOUR)
    assert not may_be_followed(replace(first, fate="withheld"), at + WEEK)
    assert may_be_followed(replace(again, key="invite:1:1"), at + WEEK)
    assert not may_be_followed(replace(again, key="invite:1:1"), at + 6 * DAY)
    assert not may_be_followed(again, at + 3 * WEEK)
    assert not may_be_followed(replace(first, plan="day_before"), at + WEEK)


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


def test_a_hold_changes_nothing_of_what_is_shown_not_even_by_a_row_that_is_missing(stage: Stage) -> None:
    for phone in (AMINA, BILAL):
        owe(stage.db, phone, stage.clock(), key=phone, template="lesson_cancelled", variables=NEWS)
    span = Span(stage.clock(), stage.clock() + DAY)
    before = preview(stage.db, TERMS, nothing_planned, span)
    with stage.db.write() as session:
        session.query(PersonRow).where(PersonRow.learner_code == f"L{AMINA[1:]}").update({"held_at": stage.clock()})
    assert preview(stage.db, TERMS, nothing_planned, span) == before
    assert [one.fate for one in before] == ["goes"] * 2


def test_a_hold_changes_nothing_of_what_planning_would_owe_either(stage: Stage) -> None:
    greeted(stage)
    ends(stage, stage.clock())
    staff(stage.db, stage.clock())
    opportunities.add(stage.db, TERMS, an_offer(stage.clock()), stage.clock())
    approved(stage.db, "MARKET", stage.clock())
    before = ahead(stage, stage.clock() + 17 * WEEK)
    with stage.db.write() as session:
        session.query(PersonRow).where(PersonRow.learner_code == f"L{AMINA[1:]}").update({"held_at": stage.clock()})
    assert ahead(stage, stage.clock() + 17 * WEEK) == before
    assert {"check_in", "opportunity"} <= {one.plan for one in before if one.learner == f"L{AMINA[1:]}"}


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
    line, held = sorted((json.loads(one) for one in done.stdout.splitlines()), key=lambda one: str(one["fate"]))
    assert (held["plan"], held["fate"]) == ("first_message", "held")  # there is no approved template
    assert (done.exit_code, line["learner"], line["plan"], line["fate"]) == (0, f"L{AMINA[1:]}", "course_update", "goes")
    assert "1 will go" in done.stderr
    for_people = run(today, "--until", until, "--learner", f"L{AMINA[1:]}").stdout
    assert "goes" in for_people
    assert "1 will go, 1 held, 0 withheld" in for_people
    assert "Amina" not in done.stdout + for_people
    assert AMINA not in done.stdout


def test_the_command_says_what_is_not_in_the_list(today: Stage) -> None:
    approve_all(today.db, clock.now())
    until = (clock.now() + 3 * DAY).isoformat()
    told = "Not in this list: what may follow 1 first messages (invitations, check-ins).\n"
    done = run(today, "--until", until, "--json")
    lines = [json.loads(one) for one in done.stdout.splitlines()]
    assert {one["plan"]: one["may_be_followed"] for one in lines} == {"first_message": True}
    assert done.stderr.endswith(told)
    assert run(today, "--until", until).stdout.endswith(told)
    owed = run(today, "--until", (clock.now() + timedelta(seconds=1)).isoformat())
    assert "Not in this list" not in owed.stdout


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


def greeted(stage: Stage) -> None:
    """A first message went to each a week ago."""
    at = stage.clock() - WEEK
    for phone in PEOPLE:
        with stage.db.read() as session:
            person_id = session.scalars(select(ContactPoint.person_id).where(ContactPoint.value == phone)).one()
        owe(stage.db, phone, at, key=f"first:{person_id}", template="first_message", plan="first_message")
    with stage.db.write() as session:
        session.query(Outbound).update({"state": "delivered", "sent_at": at, "tried_at": at})


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
