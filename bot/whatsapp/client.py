"""The way to every one of Twilio's hosts: a time-out on each call, our address in the demo, no numbers in its log."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import requests
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import HttpClient as LibraryClient
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response

TIMEOUT_S = 10.0  # the library has none of its own: a stalled socket would hold a sender for ever (section 0.2)
LONGEST_WAIT = timedelta(hours=1)  # of what a header may ask of us
TWILIO = "api.twilio.com"
SILENT = logging.getLogger("bot.whatsapp.client.silent")  # the library logs addresses, and numbers stand in them (L05)
SILENT.disabled = True
T = TypeVar("T")


class ProviderAway(Exception):
    """Twilio gave no usable answer: none at all, one that it makes when it is ill, or one that is not about what we asked.

    `code` is Twilio's own, or the HTTP status where it gave none; `status` is 0 where there was no answer. Neither the
    message of this exception nor what it came from holds an address, a number or a text.
    """

    def __init__(self, status: int = 0, code: int | None = None) -> None:
        super().__init__(f"Twilio gave no usable answer: status {status}, code {code}")
        self.status, self.code = status, code


def ask(call: Callable[[], T]) -> T:
    """What this call of the library's gives. Raises ProviderAway for whatever the library or the network may raise."""
    try:
        return call()
    except TwilioException as error:
        status, code = _refusal(error)
    except (requests.exceptions.RequestException, ValueError, TypeError, AttributeError, KeyError):
        status, code = 0, None  # the last four: the library's words for an answer that is not what it should be
    raise ProviderAway(status, code)  # outside of the handlers: their exceptions hold addresses and texts


def _refusal(error: TwilioException) -> tuple[int, int | None]:
    if isinstance(error, TwilioRestException | TwilioServiceException):
        return _number(error.status) or 0, _number(error.code)
    response = next((one for one in error.args if isinstance(one, Response)), None)  # so a list that is refused raises
    if response is None:
        return 0, None
    try:
        code = json.loads(response.text)["code"]
    except (ValueError, TypeError, KeyError):
        code = None
    return response.status_code, _number(code) or response.status_code


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


class _Mine(threading.local):
    """What belongs to one thread: a client of the library's, and how long its last answer asks us to wait."""

    client: TwilioHttpClient | None = None
    retry_after: timedelta | None = None


class HttpClient(LibraryClient):  # type: ignore[misc]  # the library carries no types
    """The library's client behind `TWILIO_API_URL`; safe for any number of threads.

    Each thread has a client and so a connection of its own: neither `requests` nor the library promises that one may be
    shared, and the library's keeps each answer on itself before it gives it back. So no pool is ever too small, either.
    """

    def __init__(self, api_url: str, timeout_s: float = TIMEOUT_S) -> None:
        super().__init__(SILENT, False, timeout_s)
        self._base = urlsplit(api_url)
        self._mine = _Mine()

    def request(self, method: str, uri: str, *args: Any, **kwargs: Any) -> Response:
        """As the library's, redirected to our host if we have one. Raises what `requests` raises."""
        self._mine.retry_after = None
        if self._mine.client is None:
            self._mine.client = TwilioHttpClient(timeout=self.timeout, logger=SILENT)
        response = self._mine.client.request(method, self._routed(uri), *args, **kwargs)
        self._mine.retry_after = read_retry_after(response.headers or {})
        return response

    def retry_after(self) -> timedelta | None:
        """How long the last answer to this thread asks us to wait; the library's exceptions do not say."""
        return self._mine.retry_after

    def _routed(self, url: str) -> str:
        """All of Twilio's hosts (api, content, messaging) are one where `TWILIO_API_URL` names another."""
        if self._base.hostname == TWILIO:
            return url
        parts = urlsplit(url)
        return urlunsplit((self._base.scheme, self._base.netloc, self._base.path.rstrip("/") + parts.path, parts.query, ""))


def read_retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """What `Retry-After` says, in seconds or as a date against the answer's own `Date`; at most an hour, None if nothing."""
    given = headers.get("Retry-After", "").strip()
    if given.isascii() and given.isdecimal():
        return min(timedelta(seconds=int(given[:9])), LONGEST_WAIT)
    try:
        wait = parsedate_to_datetime(given) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):  # no date, or one with a zone and one without
        return None
    return max(timedelta(0), min(wait, LONGEST_WAIT))
