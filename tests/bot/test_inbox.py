"""Messages that arrived: stored once, leased one at a time for each person, in order, and only while the lease is held."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine

from bot import inbox
from bot.database import Database, open_database
from bot.models import ContactPoint, Inbound, PersonRow
from tests.bot.rooms import AMINA, BILAL, CARLA, SECOND, an_incoming, only, receive, rows

LEASE_RUNS_OUT = inbox.LEASE + SECOND


def leased(db: Database, now: datetime) -> inbox.Claim:
    """The next message, which must be there."""
    claimed = inbox.claim(db, now)
    assert claimed is not None
    return claimed


def finished(db: Database, claimed: inbox.Claim, now: datetime) -> None:
    with db.write() as session:
        inbox.finish(inbox.held(session, claimed, now), "done", now)


def test_a_message_that_comes_twice_is_stored_once_and_opens_no_window_again(db: Database, now: datetime) -> None:
    message = an_incoming()
    assert receive(db, message, now)
    assert not receive(db, message, now + timedelta(hours=1))
    assert len(rows(db, Inbound)) == 1
    assert only(db, ContactPoint).last_inbound_at == now


def test_the_first_message_of_a_stranger_delivered_fifty_times_at_once_is_one_message(db: Database, now: datetime) -> None:
    message = an_incoming()
    with ThreadPoolExecutor(50) as pool:
        stored = list(pool.map(lambda _: receive(db, message, now), range(50)))
    assert stored.count(True) == 1
    assert len(rows(db, Inbound)) == len(rows(db, ContactPoint)) == len(rows(db, PersonRow)) == 1


def test_one_persons_messages_are_leased_in_order_and_only_one_at_a_time(db: Database, now: datetime) -> None:
    receive(db, an_incoming(text="one"), now)
    receive(db, an_incoming(text="two"), now)
    first = leased(db, now)
    assert inbox.claim(db, now) is None
    finished(db, first, now)
    second = leased(db, now)
    assert [first.inbound_id, second.inbound_id] == [row.id for row in rows(db, Inbound)]


def test_somebody_elses_message_does_not_wait_for_it(db: Database, now: datetime) -> None:
    receive(db, an_incoming(AMINA), now)
    receive(db, an_incoming(BILAL), now)
    assert {leased(db, now).inbound_id, leased(db, now).inbound_id} == {row.id for row in rows(db, Inbound)}


def test_an_opting_out_overtakes_what_waits(db: Database, now: datetime) -> None:
    receive(db, an_incoming(AMINA, "when is my lesson"), now)
    receive(db, an_incoming(BILAL, "hello"), now)
    receive(db, an_incoming(AMINA, "STOP"), now)
    assert leased(db, now).inbound_id == only(db, Inbound, Inbound.text == "STOP").id


def test_a_message_given_back_keeps_its_place_before_the_later_ones(db: Database, now: datetime) -> None:
    receive(db, an_incoming(text="one"), now)
    receive(db, an_incoming(text="two"), now)
    first = leased(db, now)
    inbox.postpone(db, first, now, timedelta(seconds=10), counts=True)
    assert inbox.claim(db, now + timedelta(seconds=9)) is None
    assert leased(db, now + timedelta(seconds=10)).inbound_id == first.inbound_id


def test_an_opting_out_does_not_wait_for_a_message_that_was_given_back(db: Database, now: datetime) -> None:
    receive(db, an_incoming(text="one"), now)
    inbox.postpone(db, leased(db, now), now, timedelta(seconds=10), counts=False)
    receive(db, an_incoming(text="STOP"), now)
    assert leased(db, now).inbound_id == only(db, Inbound, Inbound.text == "STOP").id


def test_only_an_attempt_that_was_the_messages_fault_counts(db: Database, now: datetime) -> None:
    receive(db, an_incoming(), now)
    inbox.postpone(db, leased(db, now), now, timedelta(0), counts=False)
    again = leased(db, now)
    assert again.attempt == 1
    inbox.postpone(db, again, now, timedelta(0), counts=True)
    assert leased(db, now).attempt == 2


def test_whoever_lost_the_lease_holds_nothing_and_can_give_nothing_back(db: Database, now: datetime) -> None:
    receive(db, an_incoming(), now)
    loser = leased(db, now)
    later = now + LEASE_RUNS_OUT
    with pytest.raises(inbox.Conflict), db.write() as session:
        inbox.held(session, loser, later)
    winner = leased(db, later)
    assert (winner.inbound_id, winner.attempt) == (loser.inbound_id, 2)
    inbox.postpone(db, loser, later, timedelta(hours=1), counts=True)
    with pytest.raises(inbox.Conflict), db.write() as session:
        inbox.held(session, loser, later)
    finished(db, winner, later)
    assert only(db, Inbound).state == "done"


def test_several_workers_take_every_message_once_and_each_persons_in_order(
    db: Database, database_url: str, now: datetime
) -> None:
    people = (AMINA, BILAL, CARLA)
    for number in range(6):
        for phone in people:
            receive(db, an_incoming(phone, f"message {number}"), now)
    taken: list[int] = []
    lock = threading.Lock()

    def work(own: Database) -> None:
        while len(taken) < 18:
            if (claimed := inbox.claim(own, now)) is not None:
                with lock:
                    taken.append(claimed.inbound_id)
                finished(own, claimed, now)

    workers = [open_database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, workers))
    _close(worker.engine for worker in workers)
    stored = rows(db, Inbound)
    assert sorted(taken) == [row.id for row in stored]
    for person in {row.person_id for row in stored}:
        theirs = {row.id for row in stored if row.person_id == person}
        assert [one for one in taken if one in theirs] == sorted(theirs)


def _close(engines: object) -> None:
    for engine in engines:  # type: ignore[attr-defined]
        assert isinstance(engine, Engine)
        engine.dispose()
