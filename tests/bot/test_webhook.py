"""Where Twilio knocks: what it signed is stored once and answered at once; what it did not sign gets no further."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus, urlencode

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from bot.database import Database, open_database
from bot.models import ContactPoint, Inbound, Outbound, OutboundEvent, PersonRow
from bot.outbox import Draft, add
from bot.people import point_of
from bot.webhook import EMPTY_TWIML, LARGEST_FORM
from tests import payloads
from tests.builders import NOW
from tests.payloads.post import FORM, INBOUND, PUBLIC, Twilio, a_service

LEARNER = "+447700900123"
CARD = "my card is 4111 1111 1111 1111 ok"
HOSTS = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "81",
    "Forwarded": "host=evil.example;proto=http",
}
NO_TEXT = [b"caf%E9%ff%FE", b"%ED%A0%BD", b"%C0%80", b"%F8%88%80%80%80", b"%zz%", b"%00%ED%B0%80%0B"]


@pytest.fixture
def twilio(db: Database) -> Twilio:
    """Twilio, and a service on each kind of database."""
    return Twilio(a_service(db))


@pytest.fixture
def lite(sqlite_url: str) -> Iterator[Database]:
    """One database, where which one it is cannot matter."""
    opened = open_database(sqlite_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def service(lite: Database) -> Flask:
    return a_service(lite)


def stored(db: Database) -> list[Inbound]:
    with db.read() as session:
        rows = list(session.scalars(select(Inbound).order_by(Inbound.id)))
        session.expunge_all()
        return rows


def points(db: Database) -> list[ContactPoint]:
    with db.read() as session:
        rows = list(session.scalars(select(ContactPoint).order_by(ContactPoint.kind)))
        session.expunge_all()
        return rows


def a_sent_message(db: Database, sid: str | None = None) -> int:
    with db.write() as session:
        point = point_of(session, LEARNER, "", NOW)
        number = add(session, Draft("a", point.person_id, point.id, "reply", "Hello", NOW), NOW)
        row = session.get_one(Outbound, number)
        row.state, row.sid = "accepted" if sid else "sending", sid
    return number


# What is stored, on both databases


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


@pytest.mark.parametrize(("body", "urgent"), [("STOP", True), ("plz no more msgs", True), ("When is my lesson?", False)])
def test_an_opting_out_overtakes(lite: Database, body: str, urgent: bool) -> None:
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


# Who may knock


def test_a_request_without_a_signature_is_refused(service: Flask, lite: Database) -> None:
    answer = service.test_client().post(INBOUND, data=payloads.raw("text"), content_type=FORM)
    assert answer.status_code == 403
    assert stored(lite) == []


@pytest.mark.parametrize("signature", ["", " ", "x", "é", "A" * 28, "A" * 10_000])
def test_a_wrong_signature_is_refused(service: Flask, signature: str) -> None:
    headers = {"X-Twilio-Signature": signature}
    assert Twilio(service).posts(payloads.raw("text"), headers=headers).status_code == 403


def test_a_signature_with_another_token_is_refused(service: Flask) -> None:
    assert Twilio(service, token="another").posts(payloads.raw("text")).status_code == 403


def test_a_form_that_was_changed_on_the_way_is_refused(service: Flask, lite: Database) -> None:
    twilio = Twilio(service)
    headers = {"X-Twilio-Signature": twilio.signature(payloads.raw("text"), PUBLIC + INBOUND)}
    changed = [
        payloads.form("text", Body="When is my next lesson!"),
        payloads.form("text", From="whatsapp:+447700900124"),
        payloads.form("text", MessageType=None),
        payloads.form("text", Extra="1"),
        payloads.form("text", Extra=""),
    ]
    assert {twilio.posts(form, headers=headers).status_code for form in changed} == {403}
    assert stored(lite) == []


def test_behind_a_proxy_the_public_address_decides_whatever_the_headers_say(service: Flask) -> None:
    answer = Twilio(service).posts(payloads.raw("text"), headers=HOSTS, base_url="http://127.0.0.1:8000")
    assert answer.status_code == 200


def test_an_address_that_the_headers_claim_is_not_believed(service: Flask) -> None:
    answer = Twilio(service).posts(payloads.raw("text"), signed_for="https://evil.example" + INBOUND, headers=HOSTS)
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("signed_for", "status"),
    [
        ("https://bot.example/whatsapp/inbound", 200),
        ("https://bot.example:443/whatsapp/inbound", 200),
        ("http://bot.example/whatsapp/inbound", 403),
        ("https://bot.example:8000/whatsapp/inbound", 403),
        ("https://bot.example/whatsapp/inbound/", 403),
        ("https://bot.example/whatsapp/inbound#rc=3", 403),
        ("https://bot.example/whatsapp/status/1", 403),
    ],
)
def test_the_signature_is_for_exactly_this_address(service: Flask, signed_for: str, status: int) -> None:
    assert Twilio(service).posts(payloads.raw("text"), signed_for=signed_for).status_code == status


@pytest.mark.parametrize("public", ["https://bot.example/e4a", "https://bot.example/e4a/", "http://127.0.0.1:8000", PUBLIC + "/"])
def test_the_public_address_may_have_a_path_a_port_and_a_slash_at_its_end(lite: Database, public: str) -> None:
    twilio = Twilio(a_service(lite, public), public.rstrip("/"))
    assert twilio.posts(payloads.raw("text")).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        INBOUND + "?college=Accrington%20%26%20Rossendale",
        INBOUND + "?a=fa%C3%A7ade&a=1&blank=&plus=a+b",
        INBOUND + "?next=https%3A%2F%2Fx.example%2F%3Fy",
        "/whatsapp/%69nbound",
        "/whatsapp/inbound?x=%E9",
    ],
)
def test_the_address_is_checked_as_it_came_over_the_wire(service: Flask, path: str) -> None:
    assert Twilio(service).posts(payloads.raw("text"), path).status_code == 200


def test_an_address_that_was_decoded_on_the_way_is_still_the_one_that_was_signed(service: Flask) -> None:
    path = INBOUND + "?a=fa%C3%A7ade"
    absolute = {"RAW_URI": "http://127.0.0.1:8000" + path, "REQUEST_URI": "http://127.0.0.1:8000" + path}
    assert Twilio(service).posts(payloads.raw("text"), path, environ_overrides=absolute).status_code == 200


def test_blank_repeated_and_unknown_parameters_are_part_of_what_was_signed(service: Flask) -> None:
    pairs = [*payloads.form("blank_referral_parameters").items(), ("New", ""), ("New", "b"), ("New", "a"), ("New", "b")]
    twilio = Twilio(service)
    assert twilio.posts(pairs).status_code == 200
    without_blank = [pair for pair in pairs if pair != ("New", "")]
    signed = {"X-Twilio-Signature": twilio.signature(urlencode(pairs).encode(), PUBLIC + INBOUND)}
    assert twilio.posts([*without_blank[:-3], ("New", "c")], headers=signed).status_code == 403


@pytest.mark.parametrize("body", ["مرحبا 😀", "one\ntwo\r\nthree", "a&b=c+d%20e;f", " leading and trailing ", "\t", "x" * 1600])
def test_a_body_of_any_letters_is_signed_as_it_is(service: Flask, body: str) -> None:
    assert Twilio(service).posts(payloads.form("text", Body=body)).status_code == 200


@pytest.mark.parametrize("account", ["AC" + "0" * 32, "", " "])
def test_a_message_of_another_account_is_refused(service: Flask, lite: Database, account: str) -> None:
    assert Twilio(service).posts(payloads.form("text", AccountSid=account)).status_code == 403
    assert stored(lite) == []


# What is malformed


@pytest.mark.parametrize(
    "changed",
    [
        {"MessageSid": None, "SmsSid": None},
        {"MessageSid": "not a sid"},
        {"From": None},
        {"From": "+447700900123"},
        {"From": "whatsapp:"},
        {"NumMedia": "abc"},
    ],
)
def test_a_form_that_lacks_what_every_form_has_is_malformed(
    service: Flask, lite: Database, changed: dict[str, str | None]
) -> None:
    answer = Twilio(service).posts(payloads.form("text", **changed))
    assert answer.status_code == 400
    assert LEARNER not in answer.text
    assert stored(lite) == []


def test_a_signed_form_without_anything_in_it_is_malformed(service: Flask) -> None:
    assert Twilio(service).posts({}).status_code == 400


def test_json_is_malformed_when_signed_and_refused_when_not(service: Flask) -> None:
    url = PUBLIC + INBOUND
    headers = {"X-Twilio-Signature": Twilio(service).signature(b"", url)}
    asked = service.test_client()
    assert asked.post(INBOUND, json=payloads.form("text"), headers=headers).status_code == 400
    assert asked.post(INBOUND, json=payloads.form("text")).status_code == 403


@pytest.mark.parametrize("size", [LARGEST_FORM + 1, 40 * LARGEST_FORM])
def test_what_is_too_large_is_refused_before_it_is_read(service: Flask, lite: Database, size: int) -> None:
    headers = {"X-Twilio-Signature": "any"}
    answer = service.test_client().post(INBOUND, data=b"Body=" + b"x" * size, content_type=FORM, headers=headers)
    assert answer.status_code == 413
    assert stored(lite) == []


def test_the_largest_message_there_can_be_is_not_too_large(service: Flask) -> None:
    form = payloads.form("advert_referral", Body="\U0001f469" * 1600)
    assert Twilio(service).posts(form).status_code == 200


def test_nothing_is_got_where_twilio_posts(service: Flask) -> None:
    asked = service.test_client()
    assert [asked.open(INBOUND, method=method).status_code for method in ("GET", "PUT", "DELETE")] == [405] * 3
    assert asked.get("/whatsapp/status/1").status_code == 405


def test_an_address_with_a_slash_at_its_end_is_none_of_ours(service: Flask) -> None:
    assert Twilio(service).posts(payloads.raw("text"), INBOUND + "/").status_code == 404


# News of our own messages


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


# When the database is away


@pytest.mark.parametrize("path", [INBOUND, "/whatsapp/status/1"])
def test_with_postgresql_away_twilio_is_told_to_come_again(path: str) -> None:
    away = open_database("postgresql+psycopg://nobody:nothing@127.0.0.1:1/e4a")
    name = "text" if path == INBOUND else "status_sent"
    assert Twilio(a_service(away)).posts(payloads.raw(name), path).status_code == 503


@pytest.mark.parametrize("path", [INBOUND, "/whatsapp/status/1"])
def test_with_the_sqlite_file_away_twilio_is_told_to_come_again(tmp_path: Path, path: str) -> None:
    away = open_database(f"sqlite:///{tmp_path}/folder/e4a.db")
    shutil.rmtree(tmp_path / "folder")
    name = "text" if path == INBOUND else "status_sent"
    assert Twilio(a_service(away)).posts(payloads.raw(name), path).status_code == 503


def test_with_the_database_away_a_stranger_is_still_refused() -> None:
    away = open_database("postgresql+psycopg://nobody:nothing@127.0.0.1:1/e4a")
    assert a_service(away).test_client().post(INBOUND, data=payloads.raw("text"), content_type=FORM).status_code == 403


# Whatever a stranger sends

NAMES = st.sampled_from(sorted(payloads.form("picture") | payloads.form("location") | payloads.form("status_failed"))) | st.text(
    max_size=8
)
EVERY_CHARACTER = st.characters(exclude_categories=())  # half a surrogate pair too
VALUES = st.text(EVERY_CHARACTER, max_size=30) | st.sampled_from(["", "0", "1", "9" * 30, "whatsapp:+447700900123", "whatsapp:GB.1", "true"])
CHANGES = st.lists(st.tuples(NAMES, VALUES), max_size=6)
BASES = st.sampled_from(["text", "picture", "location", "quick_reply_button", "status_failed", "opt_out_type_stop"])


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(BASES, CHANGES, st.sampled_from([INBOUND, "/whatsapp/status/1"]))
def test_nothing_that_is_signed_makes_the_service_fail(
    service: Flask, name: str, changes: list[tuple[str, str]], path: str
) -> None:
    pairs = list((payloads.form(name) | dict(changes)).items()) + changes[:2]
    body = "&".join(f"{_quoted(key)}={_quoted(value)}" for key, value in pairs).encode()
    of_another_account = any(key == "AccountSid" for key, _ in changes)
    assert Twilio(service).posts(body, path).status_code in ((200, 400, 403) if of_another_account else (200, 400))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from([FORM, "multipart/form-data; boundary=x", "application/json", "text/plain", ""]))
def test_nothing_that_is_not_signed_makes_the_service_fail(service: Flask, body: bytes, content_type: str) -> None:
    headers = {"X-Twilio-Signature": "bm90IHNpZ25lZA=="}
    answer = service.test_client().post(INBOUND, data=body, content_type=content_type, headers=headers)
    assert answer.status_code in (403, 413)


def test_a_refused_request_leaves_nobody_behind(service: Flask, lite: Database) -> None:
    Twilio(service, token="another").posts(payloads.raw("text"))
    Twilio(service).posts(payloads.form("text", NumMedia="abc"))
    with lite.read() as session:
        assert session.scalar(select(func.count()).select_from(PersonRow)) == 0


def _quoted(text: str) -> str:
    return quote_plus(text, errors="surrogatepass")
