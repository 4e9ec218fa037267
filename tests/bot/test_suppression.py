"""A number's no as a keyed hash: no number in the database, several keys, and a look-up that stays quick."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from bot.database import Database, open_database
from bot.models import Suppression
from bot.suppression import Keyed, change, look_up
from tests.bot.ledgers import ANN_PHONE, KEYED, ROTATED

OTHER = "+447700900002"


def test_the_keys_are_read_from_one_setting() -> None:
    assert Keyed.read("new, old,").keys == ("new", "old")
    for nothing in ("", " , "):
        with pytest.raises(ValueError, match="holds no key"):
            Keyed.read(nothing)


def test_a_hash_tells_neither_the_number_nor_the_key() -> None:
    hashed = KEYED.of(ANN_PHONE)
    assert len(hashed) == 64
    assert ANN_PHONE[1:] not in hashed
    assert hashed != KEYED.of(OTHER)
    assert hashed != ROTATED.of(ANN_PHONE)
    assert "suppression-key" not in repr(ROTATED)


def test_a_number_is_known_under_every_key_and_written_under_the_first() -> None:
    assert ROTATED.all_of(ANN_PHONE) == (Keyed(("a-newer-key",)).of(ANN_PHONE), KEYED.of(ANN_PHONE))
    assert ROTATED.of(ANN_PHONE) == ROTATED.all_of(ANN_PHONE)[0]


def test_what_is_wanted_is_there_and_nothing_else_is_touched(db: Database, now: datetime) -> None:
    later = now + timedelta(hours=1)
    with db.write() as session:
        change(session, {ANN_PHONE: {"service": now, "marketing": now}, OTHER: {"service": now}}, KEYED)
    with db.write() as session:
        change(session, {ANN_PHONE: {"service": None, "checkin": later, "marketing": later}}, KEYED)
        assert look_up(session, [ANN_PHONE, OTHER, "+447700900003"], KEYED) == {
            ANN_PHONE: {"checkin": later, "marketing": later},
            OTHER: {"service": now},
        }


def test_a_no_under_an_older_key_is_found_altered_and_lifted(db: Database, now: datetime) -> None:
    later = now + timedelta(hours=1)
    with db.write() as session:
        change(session, {ANN_PHONE: {"service": now, "checkin": now}}, KEYED)
        assert look_up(session, [ANN_PHONE], ROTATED) == {ANN_PHONE: {"service": now, "checkin": now}}
        assert look_up(session, [ANN_PHONE], Keyed(("a-newer-key",))) == {}
        change(session, {ANN_PHONE: {"service": later, "checkin": None}}, ROTATED)
        rows = session.scalars(select(Suppression)).all()
        assert [(row.number_hash, row.purpose, row.since) for row in rows] == [(ROTATED.of(ANN_PHONE), "service", later)]


def test_of_two_keys_the_later_no_counts(db: Database, now: datetime) -> None:
    later = now + timedelta(hours=1)
    with db.write() as session:
        change(session, {ANN_PHONE: {"service": later}}, Keyed(("a-newer-key",)))
        change(session, {ANN_PHONE: {"service": now}}, KEYED)
        assert look_up(session, [ANN_PHONE], ROTATED) == {ANN_PHONE: {"service": later}}


def test_many_numbers_are_few_questions(sqlite_url: str, now: datetime) -> None:
    db = open_database(sqlite_url)
    numbers = [f"+4477{number:08d}" for number in range(2500)]
    asked: list[str] = []
    with db.write() as session:
        change(session, {number: {"service": now} for number in numbers}, KEYED)
        event.listen(db.engine, "before_cursor_execute", lambda _c, _k, statement, *_: asked.append(statement))
        assert len(look_up(session, numbers, KEYED)) == 2500
    assert len(asked) == 3
    db.engine.dispose()
