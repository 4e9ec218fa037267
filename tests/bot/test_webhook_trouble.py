"""Whatever a stranger sends, and whether or not the database is there: never a failure without a word."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from bot.database import Database, open_database
from bot.models import PersonRow
from tests import payloads
from tests.payloads.post import FORM, INBOUND, Twilio, a_service

LEARNER = "+447700900123"
NAMES = st.sampled_from(
    sorted(payloads.form("picture") | payloads.form("location") | payloads.form("status_failed"))
) | st.text(max_size=8)
EVERY_CHARACTER = st.characters(exclude_categories=())  # half a surrogate pair too
VALUES = st.text(EVERY_CHARACTER, max_size=30) | st.sampled_from(
    ["", "0", "1", "9" * 30, "whatsapp:+447700900123", "whatsapp:GB.1", "true"]
)
CHANGES = st.lists(st.tuples(NAMES, VALUES), max_size=6)
BASES = st.sampled_from(["text", "picture", "location", "quick_reply_button", "status_failed", "opt_out_type_stop"])


@pytest.fixture
def lite(sqlite_url: str) -> Iterator[Database]:
    """One database, where which one it is cannot matter."""
    opened = open_database(sqlite_url)
    yield opened
    opened.engine.dispose()


@pytest.fixture
def service(lite: Database) -> Flask:
    return a_service(lite)


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
@given(
    st.binary(max_size=200), st.sampled_from([FORM, "multipart/form-data; boundary=x", "application/json", "text/plain", ""])
)
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
