"""Before an opportunity goes, its authors see whom it would reach and why it would not reach the others (P08, P18)."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import datetime

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import update

from bot import clock, facts, opportunities
from bot.cli.opportunities import opportunity_commands
from bot.cli.tools import Tools
from bot.database import Database
from bot.gate import may_send
from bot.models import Audit, ContactPoint, Course, Outbound, Pace, PersonRow
from bot.opportunities import NoSuchOpportunity, Preview
from bot.opportunities.audience import FOR_NOW, HELD, ask, audience
from bot.planning.opportunities import release
from bot.whatsapp import TwilioContents, TwilioRecords
from tests.bot.offers import (
    DAY,
    EVERYTHING,
    HOUR,
    MORE,
    WHAT,
    a_course,
    an_offer,
    had_news,
    learners,
    on_its_way,
    sent,
    staff,
    the_offer,
)
from tests.bot.rooms import TERMS, Clock, Stage, rows
from tests.payloads.servers import a_closed_port

TROUBLES = ("", "held", "blocked", "lost", "capped")
STOPPED = dict.fromkeys(EVERYTHING, "withdraw")
LESSONS_ONLY = EVERYTHING | {"marketing": "refuse"}


@pytest.fixture(autouse=True)
def college(db: Database) -> None:
    """The commands ask the real clock, so everybody is here from now on."""
    staff(db, clock.now())
    a_course(db, "SYB12", clock.now())


def a_cohort(db: Database, now: datetime) -> None:
    """47 learners of one cohort, of whom five are not to be written to; and one of another cohort."""
    a_course(db, "OLD12", now, ends_in=-200 * DAY)
    a_course(db, "SYB13", now, cohort="Cohort 13")
    learners(db, now, *range(42))
    learners(db, now, 42, 43, 44, consent=STOPPED)
    learners(db, now, 45, course="OLD12")
    learners(db, now, 46, consent=LESSONS_ONLY)
    learners(db, now, 47, course="SYB13")


def previewed(db: Database, now: datetime, reach_limit: int = 250, code: str = "MARKET") -> Preview:
    return opportunities.preview(db, replace(TERMS, reach_limit=reach_limit), code, now)


def run(db: Database, *arguments: str, says: str = "y\n") -> Result:
    """The command, with this answer to what it asks."""
    stage = Stage(db, Clock(clock.now()))
    contents = TwilioContents("AC" + "0" * 32, "token", a_closed_port(), timeout_s=1)
    records = TwilioRecords("AC" + "0" * 32, "token", "whatsapp:+441254693999", a_closed_port())
    tools = Tools(db, stage.room, stage.worker, contents, records)
    return CliRunner().invoke(opportunity_commands(tools), arguments, input=says)


def add(db: Database, *more: str, by: str = "A1", code: str = "MARKET") -> Result:
    return run(db, "add", code, "--what", WHAT, "--more", MORE, "--as", by, *more)


def test_the_policys_example_42_will_get_it_and_5_will_not(db: Database) -> None:
    a_cohort(db, clock.now())
    assert add(db, "--cohort", "Cohort 12").exit_code == 0
    result = run(db, "preview", "MARKET")
    expected = "42 will get it; 5 will not: 3 opted out, 1 past six months, 1 no marketing consent."
    assert result.stdout.splitlines()[0] == expected
    assert "At most 200 a day outside the 24 hours: 1 day." in result.stdout
    assert f"Hi Amina, Enterprise4all has news of an opportunity for you: {WHAT}." in result.stdout
    assert "NO MORE JOBS" in result.stdout


def test_programs_read_the_same_as_json(db: Database) -> None:
    a_cohort(db, clock.now())
    add(db, "--cohort", "Cohort 12")
    found = json.loads(run(db, "preview", "MARKET", "--json").stdout)
    assert (found["will"], found["outside_window"], found["days"], found["a_day"]) == (42, 42, 1, 200)
    assert found["will_not"] == {"OPTED_OUT": 3, "PAST_6_MONTHS": 1, "MARKETING_NOT_CONSENTED": 1}


def test_a_trainer_has_no_right_to_write_to_many_and_is_told_so(db: Database) -> None:
    refused = add(db, by="T1")
    assert (refused.exit_code, "the role trainer does not write opportunities" in refused.stderr) == (1, True)
    add(db)
    for command in ("approve", "recall"):
        result = run(db, command, "MARKET", "--as", "T1")
        assert (result.exit_code, "the role trainer does not" in result.stderr) == (1, True)


def test_a_template_that_mixes_a_lesson_time_and_a_job_advert_is_refused_at_creation(db: Database) -> None:
    what = "a job as a baker, and your lesson is on Mon 30 Nov at 10:00"
    result = run(db, "add", "MIX", "--what", what, "--more", MORE, "--as", "A1")
    assert (result.exit_code, "--what speaks of 'your lesson'" in result.stderr) == (1, True)
    assert run(db, "list").stdout == "Nothing to show.\n"


def test_from_the_command_line_it_is_approved_listed_shown_and_called_back(db: Database) -> None:
    learners(db, clock.now(), 1, 2)
    assert "goes to nobody yet" in add(db, "--best-before", (clock.now() + 9 * DAY).date().isoformat()).stdout
    own = run(db, "approve", "MARKET", "--as", "A1")
    assert (own.exit_code, "another administrator does" in own.stderr) == (1, True)
    approved = run(db, "approve", "MARKET", "--as", "A2")
    assert (approved.exit_code, "nobody gets it" in approved.stdout) == (0, True)
    assert "approved already, by A2" in run(db, "approve", "MARKET", "--as", "A2").stdout
    (line,) = [json.loads(one) for one in run(db, "list", "--json").stdout.splitlines()]
    assert (line["code"], line["stage"], line["approved_by"], line["gone"]) == ("MARKET", "approved", "A2", 0)
    shown = json.loads(run(db, "show", "MARKET", "--json").stdout)
    assert (shown["will_get_it"], shown["messages"], shown["stage"]) == (2, {}, "approved")
    assert "A2" in run(db, "show", "MARKET").stdout
    assert "0 had gone already; 0 that waited will not go." in run(db, "recall", "MARKET", "--as", "A1").stdout
    assert "was called back before" in run(db, "recall", "MARKET", "--as", "A1").stdout
    assert json.loads(run(db, "list", "--json").stdout)["stage"] == "recalled"


@pytest.mark.parametrize(("day", "said"), [("9999-12-31", "days from now"), ("0001-01-01", "over already")])
def test_a_day_at_the_end_of_the_calendar_is_refused_in_plain_words(db: Database, day: str, said: str) -> None:
    result = add(db, "--best-before", day)
    assert (result.exit_code, said in result.stderr) == (1, True)


def test_the_last_day_is_one_on_which_it_may_go(db: Database) -> None:
    day = (clock.now() + 9 * DAY).date()
    add(db, "--best-before", day.isoformat())
    assert the_offer(db).best_before == clock.london_day_starts(day + DAY)


def test_without_a_day_it_may_go_for_a_week(db: Database) -> None:
    add(db)
    assert abs(the_offer(db).best_before - clock.now() - 7 * DAY) < HOUR


@pytest.mark.parametrize("command", [("preview",), ("show",), ("approve", "--as", "A1"), ("recall", "--as", "A1")])
def test_a_code_that_is_nobodys_is_said_to_be_so(db: Database, command: tuple[str, ...]) -> None:
    name, *options = command
    result = run(db, name, "NONE", *options)
    assert (result.exit_code, "there is no opportunity NONE" in result.stderr) == (1, True)
    with pytest.raises(NoSuchOpportunity):
        previewed(db, clock.now(), code="NONE")


def test_help_says_whom_an_interest_reaches(db: Database) -> None:
    assert "whoever chose nothing is not among them" in " ".join(run(db, "add", "--help").stdout.split())


@pytest.mark.parametrize(
    ("given", "reached"),
    [
        ({}, {1, 2, 3, 4}),
        ({"courses": ("SYB12",)}, {1, 2}),
        ({"courses": ("SYB12", "SON5")}, {1, 2, 3}),
        ({"cohorts": ("Spring",)}, {3, 4}),
        ({"courses": ("SYB12",), "cohorts": ("Spring",)}, set()),
        ({"status": "current"}, {1, 2, 3}),
        ({"status": "finished"}, {2, 4}),
        ({"status": "finished", "cohorts": ("Spring",)}, {4}),
        ({"interests": ("jobs",)}, {1, 3}),
        ({"interests": ("jobs", "grants")}, {1, 2, 3}),
        ({"interests": ("jobs",), "status": "finished"}, set()),
    ],
)
def test_every_option_narrows_whom_it_is_for(
    db: Database, now: datetime, given: dict[str, tuple[str, ...]], reached: set[int]
) -> None:
    a_course(db, "SON5", now, cohort="Spring")
    a_course(db, "OLD4", now, cohort="Spring", ends_in=-30 * DAY)
    a_course(db, "OLD1", now, cohort="Winter", ends_in=-40 * DAY)
    learners(db, now, 1, interests=("jobs",))
    learners(db, now, 2, interests=("grants",))
    learners(db, now, 2, course="OLD1", consent={})
    learners(db, now, 3, course="SON5", interests=("jobs", "courses"))
    learners(db, now, 4, course="OLD4")
    opportunities.add(db, TERMS, an_offer(now, **given), now)
    with db.read() as session:
        people = session.scalars(audience(the_offer(db), now)).all()
        found = {one.name for one in session.query(PersonRow).where(PersonRow.id.in_(people))}
    assert found == {f"Learner{number} Khan" for number in reached}


def test_whoever_has_no_number_of_ours_or_is_on_hold_is_one_count_that_tells_nobody_apart(
    db: Database, now: datetime
) -> None:
    held, blocked, lost, *_ = learners(db, now, *range(1, 5))
    with db.write() as session:
        session.execute(update(PersonRow).where(PersonRow.id == held).values(held_at=now))
        session.execute(update(ContactPoint).where(ContactPoint.person_id == blocked).values(unreachable_at=now))
        session.execute(update(ContactPoint).where(ContactPoint.person_id == lost).values(disowned_at=now))
    opportunities.add(db, TERMS, an_offer(now), now)
    assert previewed(db, now).survey.will_not == {"OTHERS": 3}


def test_it_says_how_many_days_it_needs_and_whether_there_is_time(db: Database, now: datetime) -> None:
    learners(db, now, *range(10))
    learners(db, now, 10, 11, wrote_ago=HOUR)
    opportunities.add(db, TERMS, an_offer(now, best_before=now + 2 * DAY), now)
    found = previewed(db, now, reach_limit=5)
    assert (found.survey.will, found.survey.outside, found.a_day, found.days, found.days_open) == (12, 10, 4, 3, 3)
    assert previewed(db, now, reach_limit=3).days == 5
    assert not found.template_ready


def test_what_was_sent_today_leaves_less_room_and_who_has_it_is_not_counted_again(db: Database, now: datetime) -> None:
    learners(db, now, *range(10))
    few = replace(TERMS, reach_limit=5)
    starts = on_its_way(db, now)
    assert release(db, few, starts) == 4
    assert len(sent(db, starts, few)) == 4
    found = opportunities.preview(db, few, "MARKET", starts + HOUR)
    assert (found.survey.will, found.days, found.template_ready) == (6, 3, True)


def test_asked_for_many_at_once_the_gate_says_what_it_says_of_one_that_is_sent(db: Database, now: datetime) -> None:
    """Every mix of consent, company, phone and hold: the batch must never drift from the one that counts (D01)."""
    for code, ends_in in (("ENDED", -100 * DAY), ("LONG_AGO", -200 * DAY), ("ENDLESS", DAY)):
        a_course(db, code, now, ends_in=ends_in)
    with db.write() as session:
        session.execute(update(Course).where(Course.code == "ENDLESS").values(ends_on=None))
    says = ({}, EVERYTHING, STOPPED, LESSONS_ONLY, EVERYTHING | {"service": "withdraw"}, dict.fromkeys(EVERYTHING, "pause"))
    mixes = itertools.product(says, ("SYB12", "ENDED", "LONG_AGO", "ENDLESS"), (None, HOUR), TROUBLES)
    for number, (consent, course, wrote_ago, trouble) in enumerate(mixes):
        (who,) = learners(db, now, number, course=course, consent=consent, wrote_ago=wrote_ago)
        with db.write() as session:
            point = update(ContactPoint).where(ContactPoint.person_id == who)
            session.execute(update(PersonRow).where(PersonRow.id == who).values(held_at=now if trouble == "held" else None))
            session.execute(point.values(unreachable_at=now if trouble == "blocked" else None))
            session.execute(point.values(disowned_at=now if trouble == "lost" else None))
        had_news(db, now, (number,), int(trouble == "capped"))
    on_its_way(db, now)
    with db.write() as session:
        offer = the_offer(db)
        readers = ask(session, offer, session.scalars(audience(offer, now)).all(), TERMS, now)
        for one in readers:
            row, pair = transient(one.person_id, one.point_id, offer.id, now), Pace(name="to", full_until=now)
            known = facts.load(session, row, pair, TERMS, now)
            decision = may_send(replace(known, on_hold=False))
            reason = HELD if known.on_hold and decision.reason in FOR_NOW else decision.reason
            assert one.reason == (None if reason in FOR_NOW else reason), one
            assert one.free_at == (decision.until if reason == "FREQUENCY_CAP" else None), one
    assert len(readers) == number + 1
    assert any(one.free_at for one in readers)
    assert {one.reason for one in readers} >= {None, "WRONG_NUMBER", "SAFEGUARDING_HOLD", "OPTED_OUT", "PAST_6_MONTHS"}


def transient(person_id: int, point_id: int | None, offer_id: int, now: datetime) -> Outbound:
    """A message as it would be owed, which nobody keeps."""
    row = Outbound(person_id=person_id, contact_point_id=point_id, opportunity_id=offer_id, purpose="marketing", body="b")
    row.use, row.urgent, row.confirms_opt_out, row.created_at, row.due_at = "opportunity", False, False, now, now
    row.template, row.variables = "opportunity", {"first_name": "Ann", "what": WHAT, "more": MORE}
    return row


def test_looking_changes_nothing(db: Database) -> None:
    a_cohort(db, clock.now())
    add(db)
    before = len(rows(db, Audit))
    for command in ("preview", "show"):
        run(db, command, "MARKET")
    assert (len(rows(db, Audit)), rows(db, Outbound)) == (before, [])
