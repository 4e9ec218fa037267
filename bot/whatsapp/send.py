"""Talks to Twilio: checks its signatures and sends through its library. Nobody else may (guard test)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, Protocol

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from bot.whatsapp.client import TIMEOUT_S, HttpClient
from bot.whatsapp.errors import remedy

NOT_PROCESSED = (401, 429)  # statuses with which Twilio says that it looked at nothing: safe to repeat


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to one address (E.164 or business-scoped id); Twilio reports on it to `status_url`.

    With a `content_sid` it goes as that template, filled in with `variables`, and `body` and `media_url` stay at home:
    Twilio takes one of the two ways only. Without it, it is free text with one file at most, for the open window.
    """

    to: str
    body: str
    status_url: str
    content_sid: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    media_url: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking Twilio, by the table of errors.

    `retry`: nothing was sent, and it may be asked again, not before `retry_after` if Twilio named a time. `unknown` may have
    gone out: it must not be repeated blindly (section 0.4). `refused`: `remedy(error_code)` says what is to be done.
    """

    result: Literal["accepted", "retry", "unknown", "refused"]
    sid: str = ""
    error_code: int | None = None
    retry_after: timedelta | None = None


class Sends(Protocol):
    """Whoever can send a letter: Twilio's library, or a recorder in the tests."""

    def send(self, letter: Letter) -> Outcome: ...


class TwilioSender:
    """Sends from our one number through Twilio's Messages API; any number of threads may use it at once."""

    def __init__(self, account_sid: str, auth_token: str, sender: str, api_url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._sender = sender
        self._http = HttpClient(api_url, timeout_s)
        self._client = Client(account_sid, auth_token, http_client=self._http)

    def send(self, letter: Letter) -> Outcome:
        """Ask once. Never raises for what the network or Twilio may answer: the outcome says what is known."""
        try:
            message = self._client.messages.create(
                from_=self._sender,
                to=f"whatsapp:{letter.to}",
                status_callback=letter.status_url,
                **_content(letter),
            )
        except (TwilioRestException, TwilioServiceException) as error:
            return _refusal(error, self._http.retry_after())
        except requests.exceptions.ConnectTimeout:
            return Outcome("retry")
        except requests.exceptions.ConnectionError as error:
            return Outcome("retry" if _never_connected(error) else "unknown")
        except (requests.exceptions.RequestException, TwilioException, ValueError, TypeError, AttributeError):
            return Outcome("unknown")  # the last three: the library's words for a 201 that holds no message
        return Outcome("accepted", message.sid) if message.sid and isinstance(message.sid, str) else Outcome("unknown")


def signature_is_right(auth_token: str, url: str, form: Mapping[str, str], signature: str) -> bool:
    """Did Twilio sign this form for this URL? The URL is ours by configuration, never the request's own (section 2.1)."""
    return bool(RequestValidator(auth_token).validate(url, form, signature))


def _content(letter: Letter) -> dict[str, object]:
    """What the message says. The values are never left out: Twilio would send the template's samples to a learner."""
    if letter.content_sid:
        variables = {"content_variables": json.dumps(dict(letter.variables))} if letter.variables else {}
        return {"content_sid": letter.content_sid, **variables}
    parts: dict[str, object] = {"body": letter.body} if letter.body else {}
    return parts | ({"media_url": [letter.media_url]} if letter.media_url else {})


def _refusal(error: TwilioRestException | TwilioServiceException, retry_after: timedelta | None) -> Outcome:
    code = error.code if isinstance(error.code, int) else None
    status = error.status if isinstance(error.status, int) else 500  # of the newer kind: what the body says
    kind = remedy(code).kind
    if status >= 500 or kind == "unknown":
        return Outcome("unknown", error_code=code)
    if status in NOT_PROCESSED or kind in (
        "retry",
        "stop",
    ):  # `stop` is no fault of this message's: it goes once we are right
        return Outcome("retry", error_code=code, retry_after=retry_after)
    return Outcome("refused", error_code=code)


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    """True where no connection was made at all, so that nothing can have been sent."""
    return "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)
