"""Posts to the service as Twilio does: the real form, signed for the public address by Twilio's own validator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from flask import Flask
from sqlalchemy import select
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from bot.database import Database
from bot.models import ContactPoint, Inbound
from bot.settings import Settings
from bot.webhook import LARGEST_FORM, Door, make_blueprint
from tests.bot.rooms import TERMS
from tests.words import lexicon

PUBLIC = "https://bot.example"
TOKEN = "a-token-of-the-tests"
INBOUND = "/whatsapp/inbound"
FORM = "application/x-www-form-urlencoded"
LEXICON = lexicon()
AS_FLASK_DOES = "werkzeug.url_quote"  # bytes that are no text stay percent-encoded
Fields = Mapping[str, str] | Iterable[tuple[str, str]] | bytes


@dataclass(frozen=True, slots=True)
class Twilio:
    """Signs for `public` and posts to a service that stands behind it."""

    app: Flask
    public: str = PUBLIC
    token: str = TOKEN

    def posts(self, fields: Fields, path: str = INBOUND, signed_for: str = "", **request: object) -> TestResponse:
        """What the service answers. `signed_for` is the whole address that was signed, where it is not the usual one."""
        body = fields if isinstance(fields, bytes) else urlencode(list(_pairs(fields))).encode()
        signature = self.signature(body, signed_for or self.public + path)
        headers = {"X-Twilio-Signature": signature} | dict(request.pop("headers", {}))  # type: ignore[call-overload]
        return self.app.test_client().post(path, data=body, content_type=FORM, headers=headers, **request)  # type: ignore[arg-type]

    def signature(self, body: bytes, url: str) -> str:
        """Twilio's signature of a form for an address."""
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors=AS_FLASK_DOES)
        return str(RequestValidator(self.token).compute_signature(url, MultiDict(pairs)))


def a_service(db: Database, public: str = PUBLIC) -> Flask:
    """The two webhook routes on a database, with the limits of the real service."""
    app = Flask("tests")
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_FORM
    settings = Settings(public_url=public, twilio_auth_token=TOKEN)  # type: ignore[arg-type]
    app.register_blueprint(make_blueprint(Door(settings, db, LEXICON, TERMS)))
    return app


def stored(db: Database) -> list[Inbound]:
    """Every message that was stored, oldest first."""
    with db.read() as session:
        rows = list(session.scalars(select(Inbound).order_by(Inbound.id)))
        session.expunge_all()
        return rows


def points(db: Database) -> list[ContactPoint]:
    """Every address that is known."""
    with db.read() as session:
        rows = list(session.scalars(select(ContactPoint).order_by(ContactPoint.kind)))
        session.expunge_all()
        return rows


def _pairs(fields: Mapping[str, str] | Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    return fields.items() if isinstance(fields, Mapping) else fields
