"""Talks to Twilio: checks its signatures and sends through its library. Nobody else may (guard test)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit, urlunsplit

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

TIMEOUT_S = 10.0  # the library has none of its own: a stalled socket would hold a sender for ever (section 0.2)


@dataclass(frozen=True, slots=True)
class Letter:
    """One text to one address (E.164 or business-scoped id); Twilio reports on it to `status_url`."""

    to: str
    body: str
    status_url: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking Twilio. `unknown` may have gone out: it must not be repeated blindly (section 0.4)."""

    result: Literal["accepted", "retry", "unknown", "refused"]
    sid: str = ""
    error_code: int | None = None


class Sends(Protocol):
    """Whoever can send a letter: Twilio's library, or a recorder in the tests."""

    def send(self, letter: Letter) -> Outcome: ...


class HttpClient(TwilioHttpClient):  # type: ignore[misc]  # the library carries no types
    """The library's own client, with a time-out, and with the API where `TWILIO_API_URL` says it is."""

    def __init__(self, api_url: str, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s)
        self._base = urlsplit(api_url)

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        """As the library's, at our host; Twilio's own hosts are left as they are."""
        parts = urlsplit(url)
        if self._base.hostname != "api.twilio.com":
            url = urlunsplit((self._base.scheme, self._base.netloc, parts.path, parts.query, ""))
        return super().request(method, url, *args, **kwargs)


class TwilioSender:
    """Sends from our one number through Twilio's Messages API."""

    def __init__(self, account_sid: str, auth_token: str, sender: str, api_url: str, timeout_s: float = TIMEOUT_S) -> None:
        self._sender = sender
        self._client = Client(account_sid, auth_token, http_client=HttpClient(api_url, timeout_s))

    def send(self, letter: Letter) -> Outcome:
        """Ask once. Never raises for what the network or Twilio may answer: the outcome says what is known."""
        try:
            message = self._client.messages.create(
                from_=self._sender,
                to=f"whatsapp:{letter.to}",
                body=letter.body,
                status_callback=letter.status_url,
            )
        except (TwilioRestException, TwilioServiceException) as error:
            return _refusal(error)
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


def _refusal(error: TwilioRestException | TwilioServiceException) -> Outcome:
    code = error.code if isinstance(error.code, int) else None
    status = error.status if isinstance(error.status, int) else 500  # of the newer kind: what the body says
    if status in (401, 429):  # never processed, so safe to repeat; 401 is a wrong token of ours, not the recipient's fault
        return Outcome("retry", error_code=code)
    return Outcome("unknown" if status >= 500 else "refused", error_code=code)


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    """True where no connection was made at all, so that nothing can have been sent."""
    return "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)
