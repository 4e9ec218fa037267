"""The simulator as a Flask app: the only place that knows all its parts."""

from __future__ import annotations

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from flask import Flask, Response, abort, request
from werkzeug.exceptions import HTTPException

from bot import clock
from bot.settings import ROOT, Settings, SettingsError, read_settings
from simulator.api import api, files
from simulator.auth import http_error
from simulator.content_api import content_api
from simulator.page import page
from simulator.simulation import KEY, PACE, Outside, Simulation, build
from simulator.values import Account

PEOPLE = ROOT / "data" / "demo"
LARGEST_REQUEST = 24 * 1024 * 1024  # bytes: 16 MB as base64, and some
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def create_app(here: Simulation | None = None) -> Flask:
    """The app; without a simulation, one made from the environment. Raises SettingsError in production: this is a toy."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_REQUEST
    app.config["MAX_FORM_MEMORY_SIZE"] = LARGEST_REQUEST
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost", "[::1]"]  # a name that a stranger points at us gets nothing
    app.extensions[KEY] = here or _from_environment()
    for blueprint in (api, files, content_api, page):
        app.register_blueprint(blueprint)
    app.register_error_handler(HTTPException, http_error)
    app.before_request(_refuse_others)
    app.after_request(_harden)
    return app


def _from_environment() -> Simulation:
    settings = read_settings()
    if settings.app_env == "production":
        raise SettingsError("The simulator is for the demo: it does not start with APP_ENV=production")
    clock.follow(settings.moved_clock)
    memory = ROOT / os.environ.get("SIMULATOR_DB", "var/simulator.db")
    return build(_account(settings), memory, PEOPLE, PACE, Outside(clock_file=settings.moved_clock))


def _account(settings: Settings) -> Account:
    return Account(
        settings.twilio_account_sid,
        settings.twilio_auth_token.get_secret_value(),
        settings.twilio_whatsapp_from,
        settings.twilio_api_url.rstrip("/"),
        settings.public_url.rstrip("/"),
    )


def _refuse_others() -> None:
    """Only this machine, and of its web pages only our own: anybody else could write in a learner's name."""
    if not ip_address(request.remote_addr or "0.0.0.0").is_loopback:  # noqa: S104 - the address of nobody
        abort(403)
    origin = request.headers.get("Origin")
    if origin and urlsplit(origin).netloc != request.host:
        abort(403)


def _harden(answer: Response) -> Response:
    answer.headers.setdefault("Content-Security-Policy", POLICY)
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers.setdefault("Cache-Control", "no-store")
    return answer
