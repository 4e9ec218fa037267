"""Where Twilio knocks: what it posts is stored once, as far as it may be stored, and answered at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from bot.database import Database, open_database
from bot.webhook import EMPTY_TWIML
from tests import payloads
from tests.payloads.post import Twilio, a_service, points, stored

LEARNER = "+447700900123"
CARD = "my card is 4111 1111 1111 1111 ok"
NO_TEXT = [b"caf%E9%ff%FE", b"%ED%A0%BD", b"%C0%80", b"%F8%88%80%80%80", b"%zz%", b"%00%ED%B0%80%0B"]


@pytest.fixture
def lite(sqlite_url: str) -> Iterator[Database]:
    """One database, where which one it is cannot matter."""
    opened = open_database(sqlite_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def twilio(db: Database) -> Twilio:
    """Twilio, and a service on each kind of database."""
    return Twilio(a_service(db))


@pytest.mark.parametrize("name", payloads.MESSAGES)
def test_every_kind_of_message_is_stored_and_answered_with_nothing_to_send(lite: Database, name: str) -> None:
    answer = Twilio(a_service(lite)).posts(payloads.raw(name))
    assert (answer.status_code, answer.mimetype, answer.text) == (200, "text/xml", EMPTY_TWIML)
    (row,) = stored(lite)
    assert (row.sid, row.state, row.attempts) == (payloads.form(name)["MessageSid"], "received", 0)


def test_a_message_is_stored_as_it_was_written(db: Database, twilio: Twilio) -> None:
    body = payloads.form("longest_body")["Body"]
    twilio.posts(payloads.raw("longest_body"))
    (row,) = stored(db)
    assert len(body) == 1600
    assert (row.kind, row.text, row.urgent) == ("text", body, False)
    assert row.received_at == row.retry_at


def test_what_comes_with_a_message_is_stored_beside_it(db: Database, twilio: Twilio) -> None:
    form = payloads.form("picture")
    for name in ("picture", "quick_reply_button", "forwarded", "opt_out_type_stop", "text"):
        twilio.posts(payloads.raw(name))
    picture, button, forwarded, by_twilio, text = stored(db)
    assert picture.details == {"media": [[form["MediaUrl0"], "image/jpeg"]]}
    assert button.details == {"button": "yes", "quoted_sid": "MM" + "5" * 32}
    assert forwarded.details == {"forwarded": True}
    assert by_twilio.details == {"answered_by_twilio": "STOP"}
    assert text.details == {}


def test_what_comes_twice_is_stored_once_and_answered_alike(db: Database, twilio: Twilio) -> None:
    answers = [twilio.posts(payloads.raw("text")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len(stored(db)) == 1


def test_what_comes_twice_at_once_is_stored_once(db: Database, twilio: Twilio) -> None:
    together, codes = threading.Barrier(6), []

    def post() -> None:
        together.wait()
        codes.append(twilio.posts(payloads.raw("phone_and_scoped_id")).status_code)

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [200] * 6
    assert len(stored(db)) == 1
    assert [(one.kind, one.value) for one in points(db)] == [("bsuid", "GB.1234567890ABCDEF"), ("phone", LEARNER)]
    assert len({one.person_id for one in points(db)}) == 1


def test_a_message_opens_the_window_of_who_wrote_and_a_duplicate_does_not(db: Database, twilio: Twilio) -> None:
    for _ in range(2):
        twilio.posts(payloads.raw("text"))
    assert points(db)[0].last_inbound_at == stored(db)[0].received_at


def test_personal_details_are_hidden_before_they_are_stored(db: Database, twilio: Twilio) -> None:
    twilio.posts(payloads.form("text", Body=CARD, ButtonText=CARD))
    (row,) = stored(db)
    assert row.text == "my card is [card number hidden] ok"
    assert row.details == {"masked": ["card"]}


@pytest.mark.parametrize(
    ("body", "urgent"), [("STOP", True), ("plz no more msgs", True), ("START", True), ("When is my lesson?", False)]
)
def test_an_opting_out_overtakes_and_so_does_the_way_back(lite: Database, body: str, urgent: bool) -> None:
    Twilio(a_service(lite)).posts(payloads.form("text", Body=body))
    assert stored(lite)[0].urgent == urgent


def test_characters_that_no_database_takes_are_left_out(db: Database, twilio: Twilio) -> None:
    odd = "\x00\x01\x0b\x1f\x7f"
    form = payloads.form("quick_reply_button", Body=f"a{odd}b\n\tc", ButtonPayload=f"y{odd}", ProfileName=odd)
    form["OriginalRepliedMessageSid"] += odd
    assert twilio.posts(form).status_code == 200
    (row,) = stored(db)
    assert row.text == "ab\n\tc"
    assert row.details == {"button": "y", "quoted_sid": "MM" + "5" * 32}


def test_bytes_that_are_no_text_are_stored_as_far_as_they_are(db: Database, twilio: Twilio) -> None:
    for place, wire in enumerate(NO_TEXT):
        form = urlencode(payloads.form("text", Body=None, MessageSid=f"SM{place:032}")).encode()
        assert twilio.posts(form + b"&Body=hello+" + wire).status_code == 200, wire
    texts = [row.text for row in stored(db)]
    assert len(texts) == len(NO_TEXT)
    assert {text[:5] for text in texts} == {"hello"}


def test_a_stranger_without_a_phone_is_somebody_too(db: Database, twilio: Twilio) -> None:
    twilio.posts(payloads.raw("scoped_id_without_phone"))
    (point,) = points(db)
    assert (point.kind, point.value) == ("bsuid", "GB.1234567890ABCDEF")
