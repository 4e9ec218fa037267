"""The whole trail of a learner: what was said when, in which words, by which message, and what came of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from bot import clock, consents, ledger, trails, wordings
from bot.acts import NoSuchStaff
from bot.cli import Tools
from bot.cli.college import import_command
from bot.cli.consent import consent_commands
from bot.consents import NoSuchPerson, NotAllowed, Told
from bot.database import Database
from bot.importing import import_folder
from bot.ledger import Entry
from bot.models import Audit, ContactPoint, Inbound, Outbound, PersonRow, StaffRole
from bot.trails import TrailLine
from tests.bot.ledgers import ANN_PHONE, KEYED, a_college, ann, books, demo_wordings, person_id
from tests.bot.rooms import Clock, Stage

DAY = timedelta(days=1)
ASKED = wordings.Asked("opt_in", "Do you want reminders? YES or NO")


@pytest.fixture(autouse=True)
def story(db: Database, now: datetime, tmp_path: Path) -> None:
    """Ann signed, said stop by phone, and said yes to our question in chat; a message was withheld in between."""
    import_folder(books(db), a_college(tmp_path / "college", ann()), now - 3 * DAY)
    with db.write() as session:
        for code, role in (("A1", "admin"), ("T1", "trainer")):
            session.add(StaffRole(code=code, role=role, person=PersonRow(name=code, created_at=now)))
    consents.withdraw(db, KEYED, Told("P1", ("service",), "phone", "A1"), now - 2 * DAY)
    who = person_id(db)
    with db.write() as session:
        point = session.scalars(select(ContactPoint).where(ContactPoint.value == ANN_PHONE)).one().id
        yes = Inbound(
            sid="SM1", person_id=who, contact_point_id=point, kind="text", text="yes", received_at=now, retry_at=now
        )
        session.add(yes)
        session.flush()
        version = wordings.of_question(session, ASKED, ("service",), now)
        ledger.record(session, Entry(who, ("service",), "give", "chat", now, now, "learner", version, yes.id), KEYED)
        for key, reason in (("a", "OPTED_OUT"), ("b", "OPTED_OUT"), ("c", "STALE"), ("d", "SAFEGUARDING_HOLD")):
            row = Outbound(key=key, person_id=who, contact_point_id=point, purpose="service", priority=3, body="b")
            row.created_at, row.due_at, row.state, row.reason = now, now, "withheld", reason
            session.add(row)


def test_every_line_has_its_words_its_message_and_who_recorded_it(db: Database, now: datetime) -> None:
    lines = trails.show(db, KEYED, "P1", "A1", now).lines
    signed, chat = now - 3 * DAY, lines[-1]
    assert [(one.purpose, one.action, one.source, one.recorded_by, one.recorded_at, one.message) for one in lines[:4]] == [
        ("service", "give", "declaration", "import", signed, None),
        ("checkin", "give", "declaration", "import", signed, None),
        ("marketing", "refuse", "declaration", "import", signed, None),
        ("service", "withdraw", "phone", "A1", now - 2 * DAY, None),
    ]
    assert [one.words for one in lines[:3]] == list(demo_wordings()["v2"].values())
    assert chat == TrailLine(now, "service", "give", "chat", chat.wording, ASKED.text, "learner", now, "SM1")
    assert chat.wording.startswith("chat:opt_in:")


def test_old_rows_still_show_the_words_they_were_signed_with(db: Database, now: datetime, tmp_path: Path) -> None:
    """P11: the wording changes, and what was agreed to does not."""
    import_folder(books(db), a_college(tmp_path / "later", ann("2026-11-22", version="v1")), now)
    words = {one.wording: one.words for one in trails.show(db, KEYED, "P1", "", now).lines if one.purpose == "checkin"}
    assert words == {version: demo_wordings()[version]["checkin"] for version in ("v1", "v2")}


def test_it_says_where_each_purpose_stands_and_what_was_not_sent_for_it(db: Database, now: datetime) -> None:
    consents.withdraw(db, KEYED, Told("P1", ("checkin",), "phone", "A1"), now)
    trail = trails.show(db, KEYED, "P1", "", now)
    assert {purpose: one.state for purpose, one in trail.standing.items()} == {
        "service": "given",
        "checkin": "withdrawn",
        "marketing": "refused",
    }
    assert (trail.suppressed, trail.withheld, trail.held) == ({"checkin": now}, {"OPTED_OUT": 2}, None)


def test_looking_is_in_the_audit_signed_or_not(db: Database, now: datetime) -> None:
    for by in ("A1", ""):
        trails.show(db, KEYED, "P1", by, now)
    with db.read() as session:
        rows = session.scalars(select(Audit).where(Audit.act == "consent_show").order_by(Audit.id)).all()
        assert [(row.by, row.at, row.person_id) for row in rows] == [("A1", now, person_id(db)), ("cli", now, person_id(db))]


@pytest.mark.parametrize(("by", "error"), [("T1", NotAllowed), ("A9", NoSuchStaff)])
def test_not_everybody_may_look(db: Database, now: datetime, by: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        trails.show(db, KEYED, "P1", by, now)
    with pytest.raises(NoSuchPerson):
        trails.show(db, KEYED, "P2", "A1", now)
    with db.read() as session:
        assert session.scalars(select(Audit).where(Audit.act == "consent_show")).all() == []


# The commands


Run = Callable[..., str]


@pytest.fixture
def run(db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Run:
    """What a command prints, an hour after the last thing that happened."""
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=1))
    stage = Stage(db, Clock(now))
    group = click.Group()
    tools = Mock(spec=Tools, db=db, room=stage.room)
    for make in (consent_commands, import_command):
        group.add_command(make(tools))

    def run(*arguments: str, exits: int = 0) -> str:
        result = CliRunner().invoke(group, arguments)
        assert result.exit_code == exits, result.output
        return result.output

    return run


def test_the_command_shows_the_words_once_below_the_table(run: Run) -> None:
    shown = run("consent", "show", "P1")
    assert "Now: service given, checkin given, marketing refused" in shown
    assert shown.count(ASKED.text) == shown.count(demo_wordings()["v2"]["service"]) == 1
    assert "Not sent because of it: 2 OPTED_OUT" in shown
    assert "SM1" in shown


def test_as_json_every_line_has_its_words_and_the_last_one_how_it_stands(run: Run) -> None:
    *lines, last = map(json.loads, run("consent", "show", "--learner", ANN_PHONE, "--as", "A1", "--json").splitlines())
    assert [line["words"] for line in lines][-1] == ASKED.text
    assert lines[-1]["message"] == "SM1"
    standing = {"service": "given", "checkin": "given", "marketing": "refused"}
    assert last == {"standing": standing, "suppressed": {}, "withheld": {"OPTED_OUT": 2}}


def test_words_that_nobody_gave_us_are_named_as_missing(run: Run, tmp_path: Path) -> None:
    folder = a_college(tmp_path / "college", ann("2026-10-02", version="v9"))
    assert "Note: learners.csv, line 2, declaration_version: the words of version 'v9'" in run("import", str(folder))
    assert "v9, service: words not on file" in run("consent", "show", "P1")


def test_an_import_may_be_signed_by_a_member_of_staff_alone(run: Run, tmp_path: Path) -> None:
    folder = a_college(tmp_path / "college", ann())
    assert "no member of staff has this code" in run("import", str(folder), "--as", "A9", exits=1)
    assert "1 unchanged" in run("import", str(folder), "--as", "A1")


def test_staff_record_a_day_and_read_how_it_stands(run: Run) -> None:
    told = run("consent", "withdraw", "P1", "--source", "left_group", "--on", "2026-11-01", "--as", "A1")
    assert told == "Recorded for: service, checkin, marketing.\nNow: service given, checkin withdrawn, marketing withdrawn\n"
    again = run("consent", "give", "P1", "--purpose", "checkin", "--wording", "v2", "--as", "A1")
    assert again.endswith("Now: service given, checkin given, marketing withdrawn\n")
    assert "left_group" in run("consent", "show", "P1")


def test_what_is_refused_is_said(run: Run) -> None:
    assert "future" in run("consent", "give", "P1", "--on", "2099-01-01", "--as", "A1", exits=1)
    assert "not a way" in run("consent", "give", "P1", "--source", "left_group", "--as", "A1", exits=1)
    assert "trainer" in run("consent", "show", "P1", "--as", "T1", exits=1)
    run("consent", "show", exits=2)
    assert "not both" in run("consent", "give", "P1", "--learner", "P2", "--as", "A1", exits=2)
    assert "not both" in run("consent", "show", "P1", "--learner", "P1", exits=2)
    assert "before 2009" in run("consent", "give", "P1", "--on", "0001-01-01", "--as", "A1", exits=2)
    assert "before 2009" in run("consent", "withdraw", "P1", "--on", "2008-12-31", "--as", "A1", exits=2)


def test_whether_they_are_on_hold_is_for_the_safeguarding_role_alone(db: Database, now: datetime, run: Run) -> None:
    with db.write() as session:
        for code, role in (("S1", "safeguarding"), ("R1", "read-only")):
            session.add(StaffRole(code=code, role=role, person=PersonRow(name=code, created_at=now)))
    before = {by: run("consent", "show", "P1", "--as", by, "--json") for by in ("A1", "R1")}
    assert json.loads(run("consent", "show", "P1", "--as", "S1", "--json").splitlines()[-1])["held"] is False
    with db.write() as session:
        session.get_one(PersonRow, person_id(db)).held_at = now
    assert {by: run("consent", "show", "P1", "--as", by, "--json") for by in before} == before
    assert "hold" not in run("consent", "show", "P1") + run("consent", "show", "P1", "--as", "A1")
    assert json.loads(run("consent", "show", "P1", "--as", "S1", "--json").splitlines()[-1])["held"] is True
    assert "On hold: nothing automatic goes to them." in run("consent", "show", "P1", "--as", "S1")


def test_a_version_that_is_not_on_file_is_refused(run: Run) -> None:
    refused = run("consent", "give", "P1", "--purpose", "checkin", "--wording", "v9", "--as", "A1", exits=1)
    assert refused == "Error: the words of version v9 for checkin are not on file\n"
    assert "v9" not in run("consent", "show", "P1")
