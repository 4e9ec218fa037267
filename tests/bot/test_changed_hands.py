"""A number that changes hands while something is under way: what was written for one person never reaches another."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot import outbox
from bot.database import Database
from bot.importing import import_folder
from bot.models import ContactPoint, Outbound, PersonRow
from bot.whatsapp import Outcome, StatusUpdate
from tests.bot.ledgers import a_college, books
from tests.bot.rooms import AMINA, SECOND, TERMS, Archive, Clock, Stage, a_learner, only, owe, rows, states

ANNS, BENS = "+447700900001", "+447700900002"
ANN, BEN = "P1,Ann Lee,{},BAKE,en,yes,yes,no,2026-10-01,v2", "P2,Ben Roe,{},BAKE,en,yes,yes,no,2026-10-01,v2"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def anns(db: Database, now: datetime, tmp_path: Path) -> str:
    """Ann is in the files and wrote a moment ago: her phone."""
    import_folder(books(db), a_college(tmp_path / "first", ANN.format(ANNS)), now)
    Stage(db, Clock(now)).hears_and_works(ANNS, "thanks")
    return ANNS


def now_bens(db: Database, now: datetime, folder: Path) -> None:
    """The next files give Ann's number to Ben."""
    import_folder(books(db), a_college(folder / "next", ANN.format(BENS), BEN.format(ANNS)), now)


def sent(db: Database, now: datetime) -> int:
    one = outbox.claim(db, TERMS, now)
    assert one is not None
    outbox.record(db, TERMS, one.outbound_id, Outcome("accepted", f"SMf{one.outbound_id:031d}"), now)
    return one.outbound_id


@pytest.mark.parametrize("purpose", ["service", "reply"])
def test_what_is_sent_again_does_not_go_to_the_numbers_new_owner(
    db: Database, anns: str, now: datetime, tmp_path: Path, purpose: str
) -> None:
    owe(db, anns, now, purpose=purpose, urgent=True)  # type: ignore[arg-type]
    number = sent(db, now)
    now_bens(db, now + SECOND, tmp_path)
    with db.write() as session:
        outbox.advance(session, TERMS, number, StatusUpdate(f"SMf{number:031d}", "undelivered", 63018), now + 2 * SECOND)
    assert outbox.claim(db, TERMS, now + 2 * MINUTE) is None
    assert states(db, Outbound.retry_of.is_not(None)) == [("withheld", "WRONG_NUMBER")]


def test_what_nobody_knows_of_is_not_sent_again_to_the_numbers_new_owner(
    db: Database, anns: str, now: datetime, tmp_path: Path
) -> None:
    owe(db, anns, now, urgent=True)
    one = outbox.claim(db, TERMS, now)
    assert one is not None
    outbox.record(db, TERMS, one.outbound_id, Outcome("unknown"), now)
    now_bens(db, now + SECOND, tmp_path)
    for minutes in (2, 10):
        outbox.reconcile(db, TERMS, Archive(), now + minutes * MINUTE)
    assert outbox.claim(db, TERMS, now + 11 * MINUTE) is None
    assert states(db, Outbound.retry_of.is_not(None)) == [("withheld", "WRONG_NUMBER")]


def test_the_new_owner_does_not_inherit_that_nothing_reached_the_old_one(
    db: Database, anns: str, now: datetime, tmp_path: Path
) -> None:
    owe(db, anns, now, urgent=True)
    number = sent(db, now)
    with db.write() as session:
        outbox.advance(session, TERMS, number, StatusUpdate(f"SMf{number:031d}", "undelivered", 63003), now + SECOND)
    assert only(db, ContactPoint, ContactPoint.value == anns).unreachable_at is not None
    now_bens(db, now + MINUTE, tmp_path)
    point = only(db, ContactPoint, ContactPoint.value == anns)
    ben = only(db, PersonRow, PersonRow.learner_code == "P2")
    assert (point.person_id, point.unreachable_at, point.unreachable_code) == (ben.id, None, None)


def test_after_wrong_number_nothing_that_waited_for_the_learner_goes_there(db: Database, now: datetime) -> None:
    a_learner(db, AMINA, now=now)
    stage = Stage(db, Clock(now))
    stage.hears(AMINA, "when is my next lesson")
    while not rows(db, Outbound):
        stage.worker.turns()
    stage.clock.wait(SECOND)
    stage.hears_and_works(AMINA, "wrong number, i am not amina")
    said = "\n".join(stage.whatsapp.to(AMINA))
    assert "Room 4" not in said
    assert "removed this number" in said
