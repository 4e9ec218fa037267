"""Where Twilio knocks: check the signature, mask, store, answer in milliseconds. Nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from flask import Blueprint, Response, abort, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from bot import clock, inbox, outbox
from bot.database import Database
from bot.safety import Lexicon
from bot.settings import Settings
from bot.status import FROM_TWILIO
from bot.terms import Terms
from bot.whatsapp import Malformed, is_status, read_message, read_status, signature_is_right

LARGEST_FORM = 256 * 1024  # 1,600 emoji, percent-encoded, with every parameter there is, are under 64 KiB
LARGEST_ID = 2**31 - 1  # PostgreSQL refuses to compare a row's number with more
EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """What the webhook needs: the settings, the database, the safety words."""

    settings: Settings
    db: Database
    lexicon: Lexicon
    terms: Terms


def make_blueprint(door: Door) -> Blueprint:
    """The two routes that Twilio posts to; both refuse what it did not sign (L: twilio-whatsapp.md section 2.1)."""
    blueprint = Blueprint("whatsapp", __name__, url_prefix="/whatsapp")
    blueprint.before_request(lambda: _check_signature(door.settings))
    blueprint.register_error_handler(Malformed, _malformed)
    for database_away in (DBAPIError, PoolTimeout):
        blueprint.register_error_handler(database_away, _database_away)

    @blueprint.post("/inbound")
    def inbound() -> Response:
        if is_status(request.form):
            _advance(door, None)
        else:
            _store(door)
        return Response(EMPTY_TWIML, content_type="text/xml")

    @blueprint.post(f"/status/<int(max={LARGEST_ID}):outbound_id>")
    def status(outbound_id: int) -> Response:
        _advance(door, outbound_id)
        return Response(EMPTY_TWIML, content_type="text/xml")

    return blueprint


def _check_signature(settings: Settings) -> None:
    """403 unless Twilio signed this for our public address. The request's own host and scheme say nothing (2.1)."""
    signature = request.headers.get("X-Twilio-Signature", "")
    url = settings.public_url.rstrip("/") + _raw_path()
    token = settings.twilio_auth_token.get_secret_value()
    if not signature or not signature_is_right(token, url, request.form, signature):
        log.warning("webhook.refused", because="signature")
        abort(403)
    if request.form.get("AccountSid", settings.twilio_account_sid) != settings.twilio_account_sid:
        log.warning("webhook.refused", because="account")
        abort(403)


def _raw_path() -> str:
    """Path and query as they came over the wire: Flask's own are decoded, and then the signature is wrong."""
    raw = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path.rstrip("?"))
    return raw if raw.startswith("/") else "/" + raw.partition("://")[2].partition("/")[2]


def _store(door: Door) -> None:
    incoming = read_message(request.form)
    looked_over = inbox.look_over(incoming, door.lexicon)
    with door.db.write() as session:
        new = inbox.record(session, incoming, looked_over, clock.now())
    log.info("webhook.stored" if new else "webhook.duplicate", sid=incoming.sid, kind=incoming.kind)


def _advance(door: Door, outbound_id: int | None) -> None:
    news = read_status(request.form)
    with door.db.write() as session:
        known = outbox.advance(session, door.terms, outbound_id, news, clock.now())
    status = news.status if news.status in FROM_TWILIO else "other"
    log.info("webhook.status", known=known, sid=news.sid, status=status, error=news.error_code)


def _malformed(error: Malformed) -> tuple[str, int]:
    log.warning("webhook.malformed", because=str(error))
    return str(error), 400


def _database_away(error: DBAPIError | PoolTimeout) -> tuple[str, int]:
    log.error("webhook.database_away", error=type(error).__name__)
    return "The database is away; please try again.", 503
