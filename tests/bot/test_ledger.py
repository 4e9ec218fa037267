"""The one writer of consent: lines, audit and hashes in one go, and the hashes always say what the ledger says."""

from __future__ import annotations

import ast
from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import consent, ledger, suppression
from bot.consent import Action
from bot.database import Database, open_database
from bot.ledger import Entry
from bot.models import Audit, ConsentEvent, ContactPoint, PersonRow
from bot.queries import standing_of
from bot.suppression import Nos
from bot.turn import CONSENTABLE, TAKEN_BACK, Consentable
from tests.bot.ledgers import ANN_PHONE, KEYED, ROTATED, suppressed
from tests.builders import NOW
from tests.conftest import sweep
from tests.test_architecture import service

DAY = timedelta(days=1)
SECOND_PHONE, SCOPED_ID, LOST_PHONE = "+447700900011", "GB.77", "+447700900012"
ACTIONS: tuple[Action, ...] = get_args(Action)
SAID = st.tuples(st.sampled_from(ACTIONS), st.sets(st.sampled_from(CONSENTABLE), min_size=1), st.integers(0, 6))


def somebody(session: Session, *values: str, disowned: str = "") -> int:
    """A person with these numbers; the id."""
    person = PersonRow(created_at=NOW)
    session.add(person)
    session.flush()
    for value in values:
        session.add(ContactPoint(person_id=person.id, kind="phone", value=value))
    if disowned:
        session.add(ContactPoint(person_id=person.id, kind="phone", value=disowned, disowned_at=NOW))
    session.flush()
    return person.id


def say(session: Session, who: int, action: Action, *purposes: Consentable, at: datetime = NOW) -> None:
    """One thing said in chat."""
    ledger.record(session, Entry(who, purposes or CONSENTABLE, action, "chat", at, at, "learner"), KEYED)


@pytest.fixture
def ann(db: Database) -> int:
    """Somebody with two numbers, a scoped id, and a number that was found not to be theirs."""
    with db.write() as session:
        return somebody(session, ANN_PHONE, SECOND_PHONE, SCOPED_ID, disowned=LOST_PHONE)


def test_an_entry_is_a_line_for_each_purpose_and_one_line_of_audit(db: Database, ann: int, now: datetime) -> None:
    signed = now - DAY
    entry = Entry(ann, ("service", "checkin"), "give", "phone", signed, now, "A1", "v2")
    with db.write() as session:
        ledger.record(session, entry, KEYED)
    with db.read() as session:
        rows = session.scalars(select(ConsentEvent).order_by(ConsentEvent.id)).all()
        assert [(row.person_id, row.purpose, row.action, row.at, row.source) for row in rows] == [
            (ann, purpose, "give", signed, "phone") for purpose in ("service", "checkin")
        ]
        assert {(row.wording, row.recorded_by, row.recorded_at, row.inbound_id) for row in rows} == {("v2", "A1", now, None)}
        audit = session.scalars(select(Audit)).one()
        assert (audit.at, audit.by, audit.act, audit.person_id) == (now, "A1", "consent_give", ann)
        assert audit.details == {"purposes": ["service", "checkin"], "source": "phone", "wording": "v2"}


def test_nothing_said_is_nothing_written(db: Database, ann: int, now: datetime) -> None:
    with db.write() as session:
        ledger.record(session, Entry(ann, (), "give", "chat", now, now, "learner"), KEYED)
        assert session.scalars(select(ConsentEvent)).all() == []
        assert session.scalars(select(Audit)).all() == []


def test_a_no_is_kept_for_every_number_and_id_of_theirs_and_for_no_other(db: Database, ann: int, now: datetime) -> None:
    with db.write() as session:
        somebody(session, "+447700900055")
        say(session, ann, "withdraw", "service", "marketing", at=now)
    for value in (ANN_PHONE, SECOND_PHONE, SCOPED_ID):
        assert suppressed(db, value) == {"service": now, "marketing": now}
    assert suppressed(db, LOST_PHONE) == {}
    assert suppressed(db, "+447700900055") == {}


@pytest.mark.parametrize(
    ("then", "left"),
    [("give", False), ("refuse", False), ("undo", False), ("resume", True), ("pause", True), ("withdraw", True)],
)
def test_only_what_ends_a_no_lifts_its_hash(db: Database, ann: int, now: datetime, then: Action, left: bool) -> None:
    with db.write() as session:
        say(session, ann, "withdraw", "service", "checkin", at=now)
        say(session, ann, then, "service", at=now + DAY)
    since = now + DAY if then == "withdraw" else now
    assert suppressed(db) == ({"service": since} if left else {}) | {"checkin": now}


def test_a_pause_is_kept_until_it_ends(db: Database, ann: int, now: datetime) -> None:
    with db.write() as session:
        say(session, ann, "pause", at=now)
    assert suppressed(db) == dict.fromkeys(CONSENTABLE, now)
    with db.write() as session:
        say(session, ann, "resume", at=now + DAY)
    assert suppressed(db) == {}


def test_a_yes_that_is_older_than_the_no_lifts_nothing(db: Database, ann: int, now: datetime) -> None:
    with db.write() as session:
        say(session, ann, "withdraw", "service", at=now)
        say(session, ann, "give", "service", at=now - DAY)
    assert suppressed(db) == {"service": now}


def test_a_number_that_said_no_before_we_knew_whose_it_is_says_no_for_its_person(db: Database, now: datetime) -> None:
    """An erased number writes again: its person is new to us, and a word about one purpose must not lift the others."""
    with db.write() as session:
        suppression.change(session, {ANN_PHONE: dict.fromkeys(CONSENTABLE, now - DAY)}, KEYED)
        who = somebody(session, ANN_PHONE, SECOND_PHONE)
        say(session, who, "pause", at=now)
        say(session, who, "resume", at=now + DAY)
        assert {one.state for one in standing_of(session, who).values()} == {"withdrawn"}
        say(session, who, "give", "service", at=now + 2 * DAY)
        assert standing_of(session, who)["service"].state == "given"
        before = session.scalars(select(ConsentEvent).where(ConsentEvent.source == "suppressed")).all()
        assert {(row.purpose, row.action, row.at, row.recorded_by) for row in before} == {
            (purpose, "withdraw", now - DAY, "suppression") for purpose in CONSENTABLE
        }
        assert len(before) == 3
    for value in (ANN_PHONE, SECOND_PHONE):
        assert suppressed(db, value) == dict.fromkeys(("checkin", "marketing"), now - DAY)


def test_replaying_twice_is_replaying_once(db: Database, ann: int, now: datetime) -> None:
    with db.write() as session:
        suppression.change(session, {ANN_PHONE: {"service": now - DAY}, SECOND_PHONE: {"service": now}}, KEYED)
        assert ledger.replay(session, [ann], KEYED, now) == {ann}
        ledger.keep_in_step(session, [ann], KEYED)
        assert ledger.replay(session, [ann], KEYED, now) == set()
    assert suppressed(db) == suppressed(db, SECOND_PHONE) == {"service": now}


def test_a_person_who_said_no_has_a_new_number_and_it_is_suppressed_too(db: Database, ann: int, now: datetime) -> None:
    with db.write() as session:
        say(session, ann, "withdraw", "service", at=now)
        session.add(ContactPoint(person_id=ann, kind="phone", value="+447700900013"))
        ledger.keep_in_step(session, [ann], KEYED)
    assert suppressed(db, "+447700900013") == {"service": now}


def test_a_number_found_wrong_is_shut_for_everything_and_its_learner_is_not(db: Database, ann: int, now: datetime) -> None:
    with db.write() as session:
        point = session.scalars(select(ContactPoint).where(ContactPoint.value == ANN_PHONE)).one()
        point.disowned_at = now
        ledger.shut(session, [point.id], KEYED, now)
        say(session, ann, "give", at=now + DAY)
    assert suppressed(db) == dict.fromkeys(CONSENTABLE, now)
    assert suppressed(db, SECOND_PHONE) == {}


def test_with_a_new_key_in_front_what_was_kept_before_counts_and_can_be_lifted(
    db: Database, ann: int, now: datetime
) -> None:
    with db.write() as session:
        say(session, ann, "withdraw", "service", at=now)
    assert suppressed(db, keyed=ROTATED) == {"service": now}
    with db.write() as session:
        yes = Entry(ann, ("service",), "give", "chat", now + DAY, now + DAY, "learner")
        ledger.record(session, yes, ROTATED)
    assert suppressed(db, keyed=ROTATED) == suppressed(db) == {}


@pytest.fixture(scope="module")
def one_database(sqlite_template: object) -> Database:
    """One for hundreds of made-up ledgers."""
    return open_database(f"sqlite:///{sqlite_template}")


def _folded(session: Session, who: int) -> Nos:
    standing = standing_of(session, who)
    return {purpose: one.since for purpose, one in standing.items() if one.state in TAKEN_BACK and one.since is not None}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(said=st.lists(SAID, max_size=8), erased=st.sets(st.sampled_from(CONSENTABLE)))
def test_whatever_is_recorded_in_whatever_order_the_hashes_say_what_the_ledger_says(
    one_database: Database, said: list[tuple[Action, set[Consentable], int]], erased: set[Consentable]
) -> None:
    try:
        with one_database.write() as session:
            suppression.change(session, {ANN_PHONE: dict.fromkeys(sorted(erased), NOW)}, KEYED)  # type: ignore[arg-type]
            who = somebody(session, ANN_PHONE, SECOND_PHONE)
            for action, purposes, day in said:
                say(session, who, action, *sorted(purposes), at=NOW + day * DAY)
                ours = suppression.look_up(session, [ANN_PHONE, SECOND_PHONE], KEYED)
                folded = _folded(session, who)
                assert ours.get(ANN_PHONE, {}) == ours.get(SECOND_PHONE, {}) == folded
    finally:
        sweep(one_database)


@given(said=st.lists(SAID, max_size=12), order=st.randoms(use_true_random=False))
def test_nothing_becomes_given_but_by_a_yes_to_that_very_purpose_that_nothing_took_back(
    said: list[tuple[Action, set[Consentable], int]], order: object
) -> None:
    events = [
        consent.Event(purpose, action, NOW + day * DAY, place)
        for place, (action, purposes, day) in enumerate(said)
        for purpose in sorted(purposes)
    ]
    order.shuffle(events)  # type: ignore[attr-defined]
    for purpose, one in consent.standing(events).items():
        mine = [(event.at, event.order, event.action) for event in events if event.purpose == purpose]
        yes = [at for *at, action in mine if action == "give"]
        no = [at for *at, action in mine if action in ("withdraw", "refuse")]
        if one.state == "given":
            assert yes  # no purpose stands for another (L13)
            undone = [at for *at, action in mine if no and at > max(no) and action == "undo"]
            assert not no or max(yes) > max(no) or undone  # a later yes of their own, or START: never silence


def test_nobody_else_writes_the_ledger() -> None:
    writers = set()
    for name, tree in service().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                made = ast.unparse(node.func) == "ConsentEvent"
                named = [ast.unparse(one) for one in node.args]
                altered = ast.unparse(node.func).rpartition(".")[2] in ("insert", "update") and "ConsentEvent" in named
                writers |= {name} if made or altered else set()
    assert writers == {"bot.ledger"}
