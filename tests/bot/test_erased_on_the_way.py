"""Somebody is erased while a message to them is on its way: nothing more goes, nobody is asked, and no case opens."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from bot import conversation, erasure, outbox
from bot.database import Database
from bot.models import ConsentEvent, ContactPoint, OfficeCase, Outbound, Suppression
from bot.status import ERASED
from bot.whatsapp import Letter, Outcome, StatusUpdate
from tests.bot.ledgers import KEYED
from tests.bot.rooms import (
    AMINA,
    BILAL,
    TERMS,
    Archive,
    Clock,
    Stage,
    a_learner,
    a_member_of_staff,
    an_incoming,
    only,
    owe,
    receive,
    rows,
    states,
)

MINUTE = timedelta(minutes=1)
SID = "SM" + "9" * 32
HELD = pytest.mark.parametrize("held", [False, True], ids=["", "legal hold"])


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, a learner, and an admin who may erase her."""
    a_learner(db, AMINA, now=now)
    a_member_of_staff(db, "A1", "admin", now=now)
    return Stage(db, Clock(now))


def hold(stage: Stage) -> None:
    """A closed case of the safeguarding lead: her name and number stay."""
    who = only(stage.db, ContactPoint, ContactPoint.value == AMINA).person_id
    with stage.db.write() as session:
        given = {"state": "closed", "opened_at": stage.clock(), "closed_at": stage.clock()}
        session.add(OfficeCase(person_id=who, kind="safeguarding_disclosure", restricted=True, **given))


def erase(stage: Stage) -> None:
    erasure.erase(stage.db, KEYED, erasure.Wish(f"L{AMINA[1:]}", "A1"), stage.clock())


def then(stage: Stage, outcome: Outcome) -> Callable[[Letter], Outcome]:
    """WhatsApp says so of the first letter, and she is erased before it does; everything else goes."""
    told: list[Letter] = []

    def answer(letter: Letter) -> Outcome:
        told.append(letter)
        if len(told) > 1:
            return Outcome("accepted", f"SM{len(told):032d}")
        erase(stage)
        return outcome

    return answer


def an_hour_passes(stage: Stage) -> Archive:
    archive = Archive()
    for _ in range(60):
        stage.clock.wait(MINUTE)
        stage.works()
        outbox.reconcile(stage.db, TERMS, archive, stage.clock())
        outbox.tell_of_unknown(stage.db, stage.clock())
    return archive


@HELD
@pytest.mark.parametrize(
    "outcome",
    [
        Outcome("retry", error_code=20429),
        Outcome("unknown"),
        Outcome("refused", error_code=63016),
        Outcome("refused", error_code=63024),
        Outcome("accepted", SID),
    ],
    ids=["try again", "unknown", "window shut", "unreachable", "accepted"],
)
def test_whatever_comes_of_a_reply_nothing_follows(stage: Stage, outcome: Outcome, held: bool) -> None:
    if held:
        hold(stage)
    stage.whatsapp.answer = then(stage, outcome)
    stage.hears_and_works(AMINA, "thanks")
    cases = len(rows(stage.db, OfficeCase))
    archive = an_hour_passes(stage)
    row = only(stage.db, Outbound)
    assert (row.state, row.reason, row.body) == ("accepted" if row.sid else "failed", ERASED, "")
    assert (len(stage.whatsapp.letters), archive.asked) == (1, [])
    assert len(rows(stage.db, OfficeCase)) == cases == held


@HELD
def test_nobody_asks_after_one_whose_sender_died(stage: Stage, held: bool) -> None:
    if held:
        hold(stage)
    stage.hears(AMINA, "thanks")
    assert conversation.take_next(stage.room, stage.clock)
    assert outbox.claim(stage.db, TERMS, stage.clock())
    erase(stage)
    assert an_hour_passes(stage).asked == []
    assert states(stage.db) == [("failed", ERASED)]
    assert len(rows(stage.db, OfficeCase)) == held
    with stage.db.write() as session:
        outbox.advance(session, TERMS, only(stage.db, Outbound).id, StatusUpdate(SID, "delivered"), stage.clock())
    assert states(stage.db) == [("delivered", ERASED)]


def test_what_twilio_answers_does_not_take_back_that_it_arrived_at_one_who_was_erased(stage: Stage) -> None:
    stage.hears(AMINA, "thanks")
    assert conversation.take_next(stage.room, stage.clock)
    parcel = outbox.claim(stage.db, TERMS, stage.clock())
    assert parcel
    erase(stage)
    with stage.db.write() as session:
        outbox.advance(session, TERMS, parcel.outbound_id, StatusUpdate(SID, "delivered"), stage.clock())
    outbox.record(stage.db, TERMS, parcel.outbound_id, Outcome("accepted", SID), stage.clock())
    assert states(stage.db) == [("delivered", ERASED)]


@HELD
@pytest.mark.parametrize("code", [63018, 63016, 63024, 21610, 63032])
def test_news_of_a_failure_after_the_erasure_changes_nothing_but_the_state(stage: Stage, code: int, held: bool) -> None:
    if held:
        hold(stage)
    owe(stage.db, AMINA, stage.clock(), key="notice")
    stage.works()
    erase(stage)
    said, no = len(rows(stage.db, ConsentEvent)), [(one.number_hash, one.since) for one in rows(stage.db, Suppression)]
    row = only(stage.db, Outbound)
    assert (row.state, row.reason) == ("accepted", ERASED)
    with stage.db.write() as session:
        assert row.sid is not None
        outbox.advance(session, TERMS, row.id, StatusUpdate(row.sid, "failed", code), stage.clock())
    an_hour_passes(stage)
    assert states(stage.db) == [("failed", ERASED)]
    assert len(stage.whatsapp.letters) == 1
    assert [case.kind for case in rows(stage.db, OfficeCase)] == ["safeguarding_disclosure"] * held
    assert len(rows(stage.db, ConsentEvent)) == said
    assert [(one.number_hash, one.since) for one in rows(stage.db, Suppression)] == no


def test_the_copy_that_twilio_has_of_one_on_its_way_goes_at_once(stage: Stage) -> None:
    stage.whatsapp.answer = then(stage, Outcome("accepted", SID))
    stage.hears_and_works(AMINA, "thanks")
    assert only(stage.db, Outbound).tidy_at == stage.clock()


@pytest.mark.parametrize("sent_again", [False, True])
def test_one_that_was_taken_for_lost_stays_so(stage: Stage, sent_again: bool) -> None:
    outbound_id = owe(stage.db, AMINA, stage.clock(), key="notice")
    lost = {"state": "failed", "reason": "SENT_AGAIN" if sent_again else "NOT_FOUND", "attempts": 1}
    with stage.db.write() as session:
        session.execute(update(Outbound).where(Outbound.id == outbound_id).values(lost))
    erase(stage)
    with stage.db.write() as session:
        outbox.advance(session, TERMS, outbound_id, StatusUpdate(SID, "delivered"), stage.clock())
    an_hour_passes(stage)
    assert states(stage.db) == [("delivered", ERASED)]
    assert stage.whatsapp.letters == []


def test_what_waits_for_somebody_else_with_words_of_theirs_does_not_go(stage: Stage) -> None:
    receive(stage.db, an_incoming(AMINA, "thanks"), stage.clock())
    stage.works()
    written = only(stage.db, Outbound).inbound_id
    owe(stage.db, BILAL, stage.clock(), key="passed", purpose="staff", inbound_id=written, due_at=stage.clock() + MINUTE)
    erase(stage)
    an_hour_passes(stage)
    assert states(stage.db, Outbound.key == "passed") == [("withheld", ERASED)]
    assert stage.whatsapp.to(BILAL) == []


def test_an_alert_goes_on_whole_to_staff_who_were_a_learner_too(stage: Stage) -> None:
    a_member_of_staff(stage.db, "S1", "safeguarding", now=stage.clock(), phone=AMINA)
    owe(stage.db, AMINA, stage.clock(), key="alert", purpose="staff", due_at=stage.clock() + MINUTE)
    owe(stage.db, AMINA, stage.clock(), key="notice", due_at=stage.clock() + MINUTE)
    erase(stage)
    an_hour_passes(stage)
    assert states(stage.db) == [("accepted", None), ("withheld", ERASED)]
    assert stage.whatsapp.to(AMINA) == ["Body of alert."]
