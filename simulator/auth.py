"""Who may call Twilio's part of the simulator, and how it says no: shared by the Messages and the Content endpoints."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from simulator.simulation import simulation
from simulator.values import Json, Refused


def guard(blueprint: Blueprint) -> None:
    """Ask for the account's name and token on every route of the blueprint, and write errors as Twilio does."""
    blueprint.url_value_preprocessor(_take_account)
    blueprint.before_request(_check_password)
    blueprint.register_error_handler(Refused, _refusal)


def _check_password() -> None:
    account, given = simulation().account, request.authorization
    shown = f"{given.username}:{given.password}" if given else ""
    right = hmac.compare_digest(shown.encode(), f"{account.sid}:{account.token}".encode())
    if not right or g.get("account", account.sid) != account.sid:
        raise Refused(401, 20003, "Authenticate")


def _take_account(_endpoint: str | None, values: Json | None) -> None:
    """The account in the address concerns the password alone: no route needs it."""
    if values and "account" in values:
        g.account = values.pop("account")


def error_json(status: int, code: int, message: str) -> Json:
    """An error in Twilio's words."""
    return {"code": code, "message": message, "more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}


def not_found() -> Refused:
    """What Twilio answers for a resource that is not there."""
    return Refused(404, 20404, "The requested resource was not found")


def page_size(text: str | None, most: int) -> int:
    """How many the caller wants on a page: 50 unless told, never above `most`."""
    size = int(text) if text and text.isdecimal() else 50
    return max(1, min(size, most))


def http_error(error: HTTPException) -> tuple[Response, int]:
    """Flask's own errors in Twilio's shape."""
    status = error.code or 500
    return jsonify(error_json(status, {404: 20404, 405: 20004}.get(status, 20001), error.description or error.name)), status


def _refusal(error: Refused) -> tuple[Response, int]:
    answer = jsonify(error_json(error.status, error.code, error.message))
    if error.retry_after:
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer, error.status
