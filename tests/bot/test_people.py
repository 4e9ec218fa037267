"""Who an address belongs to: a phone and a scoped id named together are one person, and no guess is ever made."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.database import Database
from bot.inbox import Screened, record
from bot.models import ContactPoint, Inbound, OfficeCase, PersonRow
from bot.people import disown, point_of
from bot.whatsapp import Incoming
from tests.builders import NOW

PHONE, OTHER_PHONE = "+447700900123", "+447700900124"
SCOPED, OTHER_SCOPED = "GB.1234567890ABCDEF", "GB.ENT.77AA88BB"


def met(db: Database, phone: str = "", scoped_id: str = "") -> tuple[int, str]:
    """The person and the address that a message from here belongs to."""
    with db.write() as session:
        point = point_of(session, phone, scoped_id, NOW)
        return point.person_id, point.value


def addresses(db: Database) -> dict[str, int]:
    with db.read() as session:
        return {point.value: point.person_id for point in session.scalars(select(ContactPoint))}


def cases(db: Database) -> list[tuple[int, str]]:
    with db.read() as session:
        return [(case.person_id, case.kind) for case in session.scalars(select(OfficeCase).order_by(OfficeCase.id))]


def a_message(sid: str, phone: str = PHONE, scoped_id: str = "") -> Incoming:
    return Incoming(sid, phone, scoped_id, "text", "hello")


def test_a_stranger_becomes_a_bare_person_of_whom_nothing_is_known(db: Database) -> None:
    person_id, value = met(db, PHONE)
    with db.read() as session:
        person = session.get_one(PersonRow, person_id)
        assert (person.name, person.learner_code, person.language, person.created_at) == ("", None, "en", NOW)
    assert value == PHONE


def test_the_same_address_is_the_same_person(db: Database) -> None:
    assert met(db, PHONE) == met(db, PHONE)
    assert met(db, scoped_id=SCOPED) == met(db, scoped_id=SCOPED)
    assert met(db, PHONE)[0] != met(db, OTHER_PHONE)[0] != met(db, scoped_id=SCOPED)[0]


def test_a_phone_and_a_scoped_id_named_together_are_one_person_reached_by_the_phone(db: Database) -> None:
    assert met(db, PHONE, SCOPED)[1] == PHONE
    assert len(set(addresses(db).values())) == 1


@pytest.mark.parametrize("first", [(PHONE, ""), ("", SCOPED)])
def test_who_is_known_by_one_is_known_by_the_other_once_both_are_named(db: Database, first: tuple[str, str]) -> None:
    person_id, _ = met(db, *first)
    assert met(db, PHONE, SCOPED) == (person_id, PHONE)
    assert met(db, PHONE) == (person_id, PHONE)
    assert met(db, scoped_id=SCOPED) == (person_id, SCOPED)
    assert cases(db) == []


def test_two_people_are_not_made_one_by_a_message_that_names_both(db: Database) -> None:
    learner, other = met(db, PHONE)[0], met(db, scoped_id=SCOPED)[0]
    for _ in range(2):
        assert met(db, PHONE, SCOPED) == (learner, PHONE)
    assert addresses(db) == {PHONE: learner, SCOPED: other}
    assert cases(db) == [(learner, "identity_conflict")]


def test_a_conflict_that_comes_back_after_the_office_closed_it_is_told_again(db: Database) -> None:
    learner = met(db, PHONE)[0]
    met(db, scoped_id=SCOPED)
    met(db, PHONE, SCOPED)
    with db.write() as session:
        session.scalars(select(OfficeCase)).one().state = "closed"
    met(db, PHONE, SCOPED)
    assert cases(db) == [(learner, "identity_conflict")] * 2


def test_a_person_may_have_several_scoped_ids(db: Database) -> None:
    person_id, _ = met(db, PHONE, SCOPED)
    assert met(db, PHONE, OTHER_SCOPED) == (person_id, PHONE)
    assert set(addresses(db).values()) == {person_id}


def test_a_message_from_nowhere_is_a_mistake_of_ours(db: Database) -> None:
    with pytest.raises(ValueError, match="phone or a scoped id"):
        met(db)
    with db.read() as session:
        assert session.scalars(select(PersonRow)).all() == []


def test_two_first_messages_at_once_are_of_one_person(db: Database) -> None:
    together = threading.Barrier(4)

    def write(place: int) -> None:
        together.wait()
        with db.write() as session:
            record(session, a_message(f"SM{place}", PHONE, SCOPED), Screened("hello", (), urgent=False), NOW)

    threads = [threading.Thread(target=write, args=[place]) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        assert session.scalars(select(Inbound.sid).order_by(Inbound.sid)).all() == ["SM0", "SM1", "SM2", "SM3"]
        assert len(set(session.scalars(select(Inbound.person_id)))) == 1
        assert session.scalars(select(PersonRow.id)).all() == session.scalars(select(Inbound.person_id).distinct()).all()
    assert len(set(addresses(db).values())) == 1


def test_a_message_is_recorded_once_and_a_duplicate_opens_no_window(db: Database) -> None:
    later = NOW + timedelta(hours=1)
    with db.write() as session:
        assert record(session, a_message("SM1"), Screened("hello", (), urgent=False), NOW)
    with db.write() as session:
        assert not record(session, a_message("SM1"), Screened("other", (), urgent=True), later)
    with db.read() as session:
        row = session.scalars(select(Inbound)).one()
        assert (row.text, row.urgent, row.received_at) == ("hello", False, NOW)
        assert session.scalars(select(ContactPoint.last_inbound_at)).one() == NOW


def test_a_message_opens_the_window_of_the_address_it_came_from_and_of_no_other(db: Database) -> None:
    met(db, PHONE, SCOPED)
    with db.write() as session:
        record(session, a_message("SM1", "", SCOPED), Screened("hello", (), urgent=False), NOW)
    with db.read() as session:
        opened = {point.value: point.last_inbound_at for point in session.scalars(select(ContactPoint))}
    assert opened == {PHONE: None, SCOPED: NOW}


def test_two_messages_at_once_from_a_disowned_number_are_of_one_new_person(db: Database) -> None:
    learner = met(db, PHONE)[0]
    with db.write() as session:
        session.get_one(PersonRow, learner).learner_code = "P1"
        disown(session, session.scalars(select(ContactPoint.id)).one(), NOW)
    together = threading.Barrier(4)

    def write(place: int) -> None:
        together.wait()
        with db.write() as session:
            record(session, a_message(f"SM{place}"), Screened("hello", (), urgent=False), NOW)

    threads = [threading.Thread(target=write, args=[place]) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as session:
        (bare,) = session.scalars(select(Inbound.person_id).distinct())
        assert session.scalars(select(PersonRow.id).order_by(PersonRow.id)).all() == [learner, bare]
    assert addresses(db) == {PHONE: bare}
