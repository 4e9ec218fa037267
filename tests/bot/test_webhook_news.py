"""News of our own messages: it moves them on, each word once, and never the wrong one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import func, select

from bot.database import Database, open_database
from bot.models import Outbound, OutboundEvent
from bot.outbox import Draft, add
from bot.people import point_of
from bot.webhook import EMPTY_TWIML
from tests import payloads
from tests.builders import NOW
from tests.payloads.post import INBOUND, PUBLIC, Twilio, a_service, stored

LEARNER = "+447700900123"


@pytest.fixture
def lite(sqlite_url: str) -> Iterator[Database]:
    """One database, where which one it is cannot matter."""
    opened = open_database(sqlite_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def service(lite: Database) -> Flask:
    return a_service(lite)


@pytest.fixture
def twilio(db: Database) -> Twilio:
    """Twilio, and a service on each kind of database."""
    return Twilio(a_service(db))


def a_sent_message(db: Database, sid: str | None = None) -> int:
    with db.write() as session:
        point = point_of(session, LEARNER, "", NOW)
        number = add(session, Draft("a", point.person_id, point.id, "reply", "Hello", NOW), NOW)
        row = session.get_one(Outbound, number)
        row.state, row.sid, row.attempts = "accepted" if sid else "sending", sid, 1
    return number


def test_news_moves_our_message_on_and_each_word_is_kept_once(db: Database, twilio: Twilio) -> None:
    number = a_sent_message(db, "SM" + "9" * 32)
    path = f"/whatsapp/status/{number}"
    for name in ("status_read", "status_sent", "status_read", "status_on_inbound_route"):
        answer = twilio.posts(payloads.raw(name), path)
        assert (answer.status_code, answer.text) == (200, EMPTY_TWIML)
    with db.read() as session:
        assert session.get_one(Outbound, number).state == "read"
        words = session.scalars(select(OutboundEvent.status).order_by(OutboundEvent.id)).all()
    assert words == ["read", "sent", "delivered"]


def test_news_that_is_faster_than_the_answer_to_our_own_request_names_the_message(db: Database, twilio: Twilio) -> None:
    number = a_sent_message(db)
    twilio.posts(payloads.raw("status_failed"), f"/whatsapp/status/{number}")
    with db.read() as session:
        row = session.get_one(Outbound, number)
        session.expunge_all()
    assert (row.sid, row.state, row.error_code) == ("SM" + "9" * 32, "failed", 63016)


def test_news_that_comes_to_the_inbound_address_is_news_and_no_message(db: Database, twilio: Twilio) -> None:
    number = a_sent_message(db, "SM" + "9" * 32)
    assert twilio.posts(payloads.raw("status_on_inbound_route")).status_code == 200
    with db.read() as session:
        assert session.get_one(Outbound, number).state == "delivered"
    assert stored(db) == []


def test_news_of_a_message_we_do_not_know_changes_nothing(db: Database, twilio: Twilio) -> None:
    number = a_sent_message(db, "SM" + "8" * 32)
    for path in (INBOUND, "/whatsapp/status/0", f"/whatsapp/status/{2**31 - 1}", f"/whatsapp/status/{number}"):
        assert twilio.posts(payloads.raw("status_sent"), path).status_code == 200
    with db.read() as session:
        assert session.get_one(Outbound, number).state == "accepted"
        assert session.scalar(select(func.count()).select_from(OutboundEvent)) == 0


@pytest.mark.parametrize("number", [str(2**31), "9" * 400, "-1", "abc", "1.5", ""])
def test_a_number_that_no_message_can_have_leads_nowhere(service: Flask, number: str) -> None:
    assert Twilio(service).posts(payloads.raw("status_sent"), f"/whatsapp/status/{number}").status_code == 404


def test_news_without_a_word_is_malformed(service: Flask) -> None:
    form = payloads.form("status_sent", MessageStatus=None, SmsStatus=None)
    assert Twilio(service).posts(form, "/whatsapp/status/1").status_code == 400


def test_news_must_be_signed_for_its_own_message(service: Flask) -> None:
    signed_for = PUBLIC + "/whatsapp/status/1"
    assert Twilio(service).posts(payloads.raw("status_sent"), "/whatsapp/status/2", signed_for).status_code == 403
