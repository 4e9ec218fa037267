"""Messages that arrived: stored once, leased one at a time for each person, in order, and only while the lease is held."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, update

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


def a_strangers_message_from_what_is_now_a_learners_number(db: Database, now: datetime) -> int:
    """CARLA's message is stored for the bare person she was; since then the number is AMINA's; AMINA's id."""
    receive(db, an_incoming(AMINA), now)
    finished(db, leased(db, now), now)
    receive(db, an_incoming(CARLA, "stop"), now)
    return given_to_amina(db)


def given_to_amina(db: Database, **changes: datetime) -> int:
    amina = only(db, ContactPoint, ContactPoint.value == AMINA).person_id
    with db.write() as session:
        carlas = update(ContactPoint).where(ContactPoint.value == CARLA)
        session.execute(carlas.values(person_id=amina, **changes))
    return amina


def test_a_message_is_taken_as_the_person_who_has_its_number_by_then(db: Database, now: datetime) -> None:
    amina = a_strangers_message_from_what_is_now_a_learners_number(db, now)
    claimed = leased(db, now)
    assert only(db, Inbound, Inbound.id == claimed.inbound_id).person_id == amina
    finished(db, claimed, now)


def test_it_waits_where_that_person_has_another_message_in_hand(db: Database, now: datetime) -> None:
    amina = a_strangers_message_from_what_is_now_a_learners_number(db, now)
    receive(db, an_incoming(AMINA, "stop"), now)
    with db.write() as session:
        session.execute(update(Inbound).where(Inbound.person_id == amina).values(leased_until=now + SECOND))
    assert inbox.claim(db, now) is None
    assert only(db, Inbound, Inbound.text == "stop", Inbound.leased_until.is_(None)).person_id == amina
    assert inbox.claim(db, now + SECOND) is not None


def test_a_number_that_changes_hands_while_its_message_is_leased_is_a_conflict(db: Database, now: datetime) -> None:
    receive(db, an_incoming(AMINA), now)
    finished(db, leased(db, now), now)
    receive(db, an_incoming(CARLA), now)
    claimed = leased(db, now)
    given_to_amina(db)
    with pytest.raises(inbox.Conflict), db.write() as session:
        inbox.held(session, claimed, now)


def test_what_was_written_before_a_number_was_found_wrong_stays_with_who_had_it(db: Database, now: datetime) -> None:
    """And what came after is not theirs."""
    for later in (timedelta(0), SECOND):
        receive(db, an_incoming(CARLA, str(later)), now + later)
    carla = only(db, ContactPoint).person_id
    receive(db, an_incoming(AMINA), now)
    amina = given_to_amina(db, disowned_at=now)
    for _ in range(3):
        finished(db, leased(db, now + SECOND), now + SECOND)
    assert [row.person_id for row in rows(db, Inbound, Inbound.text.in_(("0:00:00", "0:00:01")))] == [carla, amina]
