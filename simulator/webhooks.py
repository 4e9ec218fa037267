"""Signed posts to the service, as Twilio makes them: the one place in the simulator that calls the service."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Mapping
from functools import cache
from urllib.parse import urldefrag

import httpx
from twilio.request_validator import RequestValidator

CONNECT_S, READ_S = 5.0, 15.0  # Twilio's defaults (twilio-whatsapp.md section 2)
ATTEMPTS = 2  # once more, and only when no connection could be made
NO_ANSWER = 0


@cache
def certificates() -> ssl.SSLContext:
    """Whom https addresses may be signed by; slow to load, so loaded once."""
    return httpx.create_ssl_context(trust_env=False)


class Webhooks:
    """Posts forms with a signature made from the account's token."""

    def __init__(self, token: str, transport: httpx.BaseTransport | None = None) -> None:
        self._validator = RequestValidator(token)
        timeout = httpx.Timeout(READ_S, connect=CONNECT_S)
        self._client = httpx.Client(verify=certificates(), timeout=timeout, transport=transport, trust_env=False)

    def post(self, url: str, form: Mapping[str, str]) -> int:
        """Post the form; the HTTP status that came back, or NO_ANSWER. Never raises for a webhook that is away."""
        target = urldefrag(url).url  # what follows # is for Twilio, neither sent nor signed
        headers = {
            "X-Twilio-Signature": self._validator.compute_signature(target, dict(form)),
            "I-Twilio-Idempotency-Token": str(uuid.uuid4()),
            "User-Agent": "TwilioProxy/1.1 (simulator)",
        }
        for _ in range(ATTEMPTS):
            try:
                return self._client.post(target, data=dict(form), headers=headers).status_code
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
            except (httpx.HTTPError, httpx.InvalidURL):
                return NO_ANSWER
        return NO_ANSWER

    def fetch(self, url: str, most: int) -> tuple[str, bytes] | None:
        """Content type and bytes of a public file, or None when it cannot be read or is larger than `most` bytes."""
        try:
            with self._client.stream("GET", url) as answer:
                if answer.status_code != httpx.codes.OK:
                    return None
                data = b""
                for part in answer.iter_bytes():
                    data += part
                    if len(data) > most:
                        return None
                return answer.headers.get("Content-Type", "").split(";")[0].strip().lower(), data
        except (httpx.HTTPError, httpx.InvalidURL):
            return None

    def close(self) -> None:
        """Close idle connections."""
        self._client.close()
