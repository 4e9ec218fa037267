"""Every route of the real service: what Twilio posts must be signed, and nothing else is open but the health of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app import create_app
from bot.settings import Settings
from tests.payloads import raw
from tests.payloads.post import FORM, Twilio

OPEN = {"/healthz", "/readyz", "/metrics"}
PAGES = {"/privacy", "/privacy/<version>", "/rules", "/rules/<version>"}  # public: our first message links to them (L04)
BY_THEIR_NAME = {"/media/<path:token>"}  # the token in the address is the signature
PUBLIC, TOKEN = "https://bot.example", "a-token-of-the-tests"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    url = f"sqlite:///{tmp_path_factory.mktemp('routes')}/e4a.db"
    return create_app(Settings(database_url=url, public_url=PUBLIC, twilio_auth_token=TOKEN))  # type: ignore[arg-type]


def rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


def address(rule: Rule) -> str:
    """The rule with ordinary values in it."""
    return str(rule.build(dict.fromkeys(rule.arguments, 1))[1])  # type: ignore[index]


def posting(app: Flask) -> list[str]:
    return [address(rule) for rule in rules(app) if "POST" in (rule.methods or ())]


def test_the_routes_are_those_of_the_design(service: Flask) -> None:
    assert sorted(posting(service)) == ["/whatsapp/inbound", "/whatsapp/status/1"]
    assert {rule.rule for rule in rules(service) if "GET" in (rule.methods or ())} - BY_THEIR_NAME == OPEN | PAGES


def test_no_file_is_served_from_a_folder(service: Flask) -> None:
    folder = Path(service.static_folder or "nowhere")
    assert not folder.exists()


def test_every_route_that_is_posted_to_refuses_what_is_not_signed(service: Flask) -> None:
    for path in posting(service):
        for body in (raw("text"), raw("status_sent"), b""):
            assert service.test_client().post(path, data=body, content_type=FORM).status_code == 403, path
            headers = {"X-Twilio-Signature": "bm90IGEgc2lnbmF0dXJl"}
            assert service.test_client().post(path, data=body, content_type=FORM, headers=headers).status_code == 403, path


def test_every_route_that_is_posted_to_lets_in_what_is_signed(service: Flask) -> None:
    for path in posting(service):
        assert Twilio(service, PUBLIC, TOKEN).posts(b"", path).status_code == 400, path


def test_the_real_service_refuses_what_is_too_large(service: Flask) -> None:
    for path in posting(service):
        headers = {"X-Twilio-Signature": "any"}
        body = b"Body=" + b"x" * 300_000
        assert service.test_client().post(path, data=body, content_type=FORM, headers=headers).status_code == 413


def test_no_route_takes_another_verb(service: Flask) -> None:
    for rule in rules(service):
        assert (rule.methods or set()) <= {"GET", "HEAD", "OPTIONS", "POST"}, rule
