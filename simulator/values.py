"""What travels between the simulator's modules, frozen, so that no module can change another's idea of a message."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Json = dict[str, Any]
API_VERSION = "2010-04-01"
WINDOW_HOURS = 24
LONGEST_BODY = 1600  # code points, either way
SCOPED_ID = r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}"  # business-scoped, for people without a visible phone
MAX_FILE = 16 * 1024 * 1024  # bytes, as Twilio takes for WhatsApp


class Refused(Exception):
    """Twilio would not take this request; carries Twilio's error code, the HTTP status, and how many seconds to wait."""

    def __init__(self, status: int, code: int, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry_after = status, code, message, retry_after


class BadRequest(Exception):
    """A script asked the simulator's own interface for something it cannot do; the text says what."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account is played. URLs carry no slash at the end; `sender` is `whatsapp:+...`."""

    sid: str
    token: str
    sender: str
    api_url: str
    public_url: str


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, in seconds. `call` is one create call, `stall` how long a stalled call keeps the caller waiting,
    `link` how long the address of a file lives; the rest are the waits before each status."""

    call: float = 0.15
    sent: float = 0.05
    delivered: float = 0.1
    read: float = 1.0
    stall: float = 30.0
    link: int = 300


@dataclass(frozen=True, slots=True)
class Choice:
    """A button or a line of a list, as it can be tapped on the phone."""

    title: str
    id: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What a phone shows of a message. It stays when Twilio's own record is blanked or deleted, as on a real phone."""

    kind: str = "text"
    text: str = ""
    buttons: tuple[Choice, ...] = ()
    items: tuple[Choice, ...] = ()
    items_label: str = ""
    quoted_sid: str = ""
    forwarded: str = ""
    place: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fate:
    """How a message that was taken will end: `status` empty means well, else `failed` or `undelivered` with this code."""

    status: str = ""
    code: int = 0


NO_FATE = Fate()


@dataclass(frozen=True, slots=True)
class Draft:
    """A create call that kept the rules: what to send, to whom (`whatsapp:...`), and where to report."""

    to: str
    body: str
    look: Look
    media_url: str = ""
    callback: str = ""
    template: bool = False
    fate: Fate = NO_FATE


@dataclass(frozen=True, slots=True)
class Message:
    """One stored message. `address` is the phone's own (`+44...` or `GB.xxx`), `to` and `sender` as on the wire.

    `answer` is what the assistant's webhook said of an inbound one: an HTTP status, 0 for no answer, None while waiting.
    """

    seq: int
    sid: str
    inbound: bool
    address: str
    sender: str
    to: str
    body: str
    look: Look
    status: str
    created_at: datetime
    updated_at: datetime
    sent_at: datetime | None
    media_url: str
    callback: str
    template: bool
    fate: Fate
    error_code: int | None
    answer: int | None
    deleted: bool
    changed: int


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message; `deleted` when Twilio's copy is gone (the phone keeps its own)."""

    sid: str
    message_sid: str
    content_type: str
    data: bytes
    created_at: datetime
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Approval:
    """WhatsApp's word on a template: `approved` or `rejected`, with the reason."""

    name: str
    category: str
    status: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """A Content resource; `types` is Twilio's own structure, `variables` the sample values."""

    seq: int
    sid: str
    name: str
    language: str
    types: dict[str, Json]
    variables: dict[str, str]
    created_at: datetime
    approval: Approval | None = None


def new_sid(prefix: str) -> str:
    """A fresh identifier as Twilio makes them: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)
