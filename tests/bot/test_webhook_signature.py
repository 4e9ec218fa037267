"""Who may knock: what Twilio signed for our own address, whole and unchanged. All else gets no further."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from flask import Flask

from bot.database import Database, open_database
from bot.webhook import LARGEST_FORM
from tests import payloads
from tests.payloads.post import FORM, INBOUND, PUBLIC, Twilio, a_service, stored

LEARNER = "+447700900123"
HOSTS = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Port": "81",
    "Forwarded": "host=evil.example;proto=http",
}


@pytest.fixture
def lite(sqlite_url: str) -> Iterator[Database]:
    """One database, where which one it is cannot matter."""
    opened = open_database(sqlite_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def service(lite: Database) -> Flask:
    return a_service(lite)


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


@pytest.mark.parametrize(
    "public", ["https://bot.example/e4a", "https://bot.example/e4a/", "http://127.0.0.1:8000", PUBLIC + "/"]
)
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


@pytest.mark.parametrize(
    "body", ["مرحبا 😀", "one\ntwo\r\nthree", "a&b=c+d%20e;f", " leading and trailing ", "\t", "x" * 1600]
)
def test_a_body_of_any_letters_is_signed_as_it_is(service: Flask, body: str) -> None:
    assert Twilio(service).posts(payloads.form("text", Body=body)).status_code == 200


@pytest.mark.parametrize("account", ["AC" + "0" * 32, "", " "])
def test_a_message_of_another_account_is_refused(service: Flask, lite: Database, account: str) -> None:
    assert Twilio(service).posts(payloads.form("text", AccountSid=account)).status_code == 403
    assert stored(lite) == []


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
