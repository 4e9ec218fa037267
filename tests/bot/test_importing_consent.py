"""What a number said outlives everything: an import replays it, and only a declaration signed later opens it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot import ledger, suppression
from bot.clock import london_day_starts
from bot.database import Database
from bot.importing import Problem, import_folder
from bot.ledger import Entry
from bot.models import Audit, Wording
from bot.turn import CONSENTABLE
from bot.wordings import WordingChanged
from tests.bot.ledgers import (
    ANN_PHONE,
    KEYED,
    ROTATED,
    a_college,
    ann,
    books,
    demo_wordings,
    lines,
    person_id,
    suppressed,
    where_it_stands,
)

DAY = timedelta(days=1)
NO = dict.fromkeys(CONSENTABLE, "withdrawn")
SAID_NO = datetime(2026, 11, 10, 15, 0, tzinfo=UTC)


def number_says_no(db: Database, at: datetime = SAID_NO) -> None:
    """A number whose person we do not know any more said no to everything."""
    with db.write() as session:
        suppression.change(session, {ANN_PHONE: dict.fromkeys(CONSENTABLE, at)}, KEYED)


def stop(db: Database, at: datetime) -> None:
    """Ann says STOP."""
    who = person_id(db)
    with db.write() as session:
        ledger.record(session, Entry(who, CONSENTABLE, "withdraw", "chat", at, at, "learner"), KEYED)


def test_a_number_that_said_no_stays_off_whatever_an_older_declaration_says(
    db: Database, now: datetime, tmp_path: Path
) -> None:
    number_says_no(db)
    report = import_folder(books(db), a_college(tmp_path, ann()), now)
    assert where_it_stands(db) == NO
    assert [(one.file, one.line, one.column) for one in report.notes] == [("learners.csv", 2, "phone")]
    assert suppressed(db) == dict.fromkeys(CONSENTABLE, SAID_NO)
    assert lines(db)[:3] == [(purpose, "withdraw", "suppressed") for purpose in CONSENTABLE]


def test_importing_again_changes_nothing(db: Database, now: datetime, tmp_path: Path) -> None:
    number_says_no(db)
    folder = a_college(tmp_path, ann())
    import_folder(books(db), folder, now)
    before = lines(db)
    again = import_folder(books(db), folder, now + DAY)
    assert [(one.added, one.changed) for one in again.files] == [(0, 0), (0, 0)]
    assert lines(db) == before
    assert where_it_stands(db) == NO


@pytest.mark.parametrize(("declared_on", "opens"), [("2026-11-09", False), ("2026-11-10", False), ("2026-11-11", True)])
def test_only_a_declaration_signed_on_a_later_day_opens_it_again(
    db: Database, now: datetime, tmp_path: Path, declared_on: str, opens: bool
) -> None:
    number_says_no(db)
    report = import_folder(books(db), a_college(tmp_path, ann(declared_on)), now)
    opened = {"service": "given", "checkin": "given", "marketing": "refused"}
    assert where_it_stands(db) == (opened if opens else NO)
    assert suppressed(db) == ({} if opens else dict.fromkeys(CONSENTABLE, SAID_NO))
    assert bool(report.notes) != opens


@pytest.mark.parametrize(
    ("hour", "declared_on", "state"),
    [
        (22, "2026-07-10", "withdrawn"),  # eleven at night in London
        (22, "2026-07-11", "given"),
        (23, "2026-07-11", "withdrawn"),  # midnight has passed in London
    ],
)
def test_the_day_of_a_declaration_is_londons(  # noqa: PLR0917 (three of them are fixtures)
    db: Database, now: datetime, tmp_path: Path, hour: int, declared_on: str, state: str
) -> None:
    import_folder(books(db), a_college(tmp_path, ann("2026-05-01")), now)
    stop(db, datetime(2026, 7, 10, hour, 30, tzinfo=UTC))
    import_folder(books(db), a_college(tmp_path, ann(declared_on)), now)
    assert where_it_stands(db)["service"] == state


def test_a_declaration_cannot_be_signed_tomorrow(db: Database, tmp_path: Path) -> None:
    late = datetime(2026, 6, 30, 22, 59, tzinfo=UTC)  # in London it is still the 30th for a minute
    folder = a_college(tmp_path, ann("2026-07-01"))
    assert [(one.column, one.reason) for one in import_folder(books(db), folder, late).problems] == [
        ("declared_on", "in the future")
    ]
    assert import_folder(books(db), folder, late + timedelta(minutes=1)).problems == ()


def test_a_stop_and_the_same_declaration_again_is_still_a_stop(db: Database, now: datetime, tmp_path: Path) -> None:
    folder = a_college(tmp_path, ann())
    import_folder(books(db), folder, now)
    stop(db, now)
    report = import_folder(books(db), folder, now + DAY)
    assert where_it_stands(db) == NO
    assert report.notes == ()
    assert suppressed(db) == dict.fromkeys(CONSENTABLE, now)


def test_a_learner_who_said_no_has_a_new_number_and_it_is_suppressed_too(
    db: Database, now: datetime, tmp_path: Path
) -> None:
    import_folder(books(db), a_college(tmp_path, ann()), now)
    stop(db, now)
    import_folder(books(db), a_college(tmp_path, ann(phone="+447700900009")), now + DAY)
    assert suppressed(db, "+447700900009") == dict.fromkeys(CONSENTABLE, now)
    assert suppressed(db) == dict.fromkeys(CONSENTABLE, now)


def test_a_number_corrected_and_corrected_back_silences_nobody(db: Database, now: datetime, tmp_path: Path) -> None:
    for place, phone in enumerate((ANN_PHONE, "+447700900009", ANN_PHONE)):
        import_folder(books(db), a_college(tmp_path, ann(phone=phone)), now + place * DAY)
    assert where_it_stands(db)["service"] == "given"
    assert suppressed(db) == suppressed(db, "+447700900009") == {}


def test_a_no_kept_under_an_older_key_is_replayed(db: Database, now: datetime, tmp_path: Path) -> None:
    number_says_no(db)
    import_folder(books(db, ROTATED), a_college(tmp_path, ann()), now)
    assert where_it_stands(db) == NO


def test_a_rehearsal_replays_nothing_for_good(db: Database, now: datetime, tmp_path: Path) -> None:
    number_says_no(db)
    report = import_folder(books(db), a_college(tmp_path, ann()), now, dry_run=True)
    assert len(report.notes) == 1
    assert lines(db) == []
    with db.read() as session:
        assert session.scalars(select(Wording)).all() == []


def test_every_change_of_consent_is_in_the_audit(db: Database, now: datetime, tmp_path: Path) -> None:
    number_says_no(db)
    import_folder(books(db), a_college(tmp_path, ann()), now)
    with db.read() as session:
        rows = session.scalars(select(Audit).where(Audit.act.startswith("consent_")).order_by(Audit.id)).all()
        found = [(row.by, row.act, row.details["purposes"], row.details["source"], row.details["wording"]) for row in rows]
    assert found == [
        ("suppression", "consent_withdraw", list(CONSENTABLE), "suppressed", ""),
        ("import", "consent_give", ["service", "checkin"], "declaration", "v2"),
        ("import", "consent_refuse", ["marketing"], "declaration", "v2"),
    ]


def test_the_words_of_every_version_are_on_file_after_an_import(db: Database, now: datetime, tmp_path: Path) -> None:
    for later in (now, now + DAY):
        import_folder(books(db), a_college(tmp_path, ann()), later)
    with db.read() as session:
        rows = {(row.version, row.purpose): row.text for row in session.scalars(select(Wording))}
    assert rows == {
        (version, purpose): text for version, boxes in demo_wordings().items() for purpose, text in boxes.items()
    }


def test_words_that_changed_under_their_version_stop_the_import(db: Database, now: datetime, tmp_path: Path) -> None:
    import_folder(books(db), a_college(tmp_path, ann()), now)
    altered = {"v2": {**demo_wordings()["v2"], "service": "Something else."}}
    with pytest.raises(WordingChanged, match="version v2 for service"):
        import_folder(replace(books(db), wordings=altered), a_college(tmp_path, ann("2026-11-11")), now)
    assert len(lines(db)) == 3


def test_a_version_without_words_is_taken_and_named_once_with_how_many_rows(
    db: Database, now: datetime, tmp_path: Path
) -> None:
    others = [f"P{n},Learner {n},+44770090{n:04d},BAKE,en,yes,no,no,2026-10-01,v9" for n in (20, 21)]
    unsigned = "P30,Una Grey,+447700900030,BAKE,en,no,no,no,,"
    report = import_folder(books(db), a_college(tmp_path, ann(), *others, unsigned), now)
    reason = "the words of version 'v9' are not on file: add them to data/wordings.yml (and 1 more rows)"
    assert report.notes == (Problem("learners.csv", 3, "declaration_version", reason),)
    assert where_it_stands(db, "P20")["service"] == "given"


def test_a_declaration_counts_from_the_first_moment_of_its_day(now: datetime) -> None:
    assert london_day_starts(date(2026, 11, 10)) < SAID_NO < london_day_starts(date(2026, 11, 11)) < now
