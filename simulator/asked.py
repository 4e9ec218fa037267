"""What a script or the page may ask of the simulator's own interface, checked field by field."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.faults import Fault, On, Wish, read_fault
from simulator.forms import BLACKBURN, Event, Kind, Place
from simulator.inbound import Upload
from simulator.people import read_phone
from simulator.values import LONGEST_BODY, MAX_FILE, SCOPED_ID, BadRequest, Choice

CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9.+-]+")
MOST_FAULTS = 1000


class Inbound(BaseModel):
    """`POST /simulator/inbound`; see README.md."""

    model_config = ConfigDict(extra="forbid")

    sender: str = Field(alias="from")
    name: str = ""
    kind: Kind = "text"
    text: str = Field(default="", max_length=LONGEST_BODY)
    choice: str = Field(default="", max_length=100)
    choice_id: str = Field(default="", max_length=256)
    choice_description: str = Field(default="", max_length=100)
    quoted: str = ""
    forwarded: Literal["", "once", "often"] = ""
    latitude: str = BLACKBURN.latitude
    longitude: str = BLACKBURN.longitude
    address: str = BLACKBURN.address
    label: str = BLACKBURN.label
    content_type: str = ""
    media_base64: str = ""


class Failing(BaseModel):
    """`POST /simulator/fail`; see README.md."""

    model_config = ConfigDict(extra="forbid")

    count: int = Field(default=1, ge=1, le=MOST_FAULTS)
    status: int | Literal["timeout", "garbled", "failed", "undelivered"]
    code: int = 0
    taken: bool | None = None
    ends: Literal["", "failed", "undelivered"] = ""
    ends_code: int = 0
    retry_after: int = Field(default=0, ge=0)
    on: On = "create"


class Judging(BaseModel):
    """`POST /simulator/template`; see README.md."""

    model_config = ConfigDict(extra="forbid")

    name: str
    status: Literal["pending", "approved", "rejected", "paused", "disabled"] | None = None
    category: Literal["UTILITY", "MARKETING", "AUTHENTICATION"] | None = None
    reason: str | None = None


def read_inbound(given: Mapping[str, object], names: Mapping[str, str]) -> tuple[Event, Upload | None]:
    """What the phone does, with `names` (by address) for who it is. Raises BadRequest saying what is wrong."""
    try:
        asked = Inbound.model_validate(given)
    except ValidationError as error:
        raise BadRequest(lines(error)) from None
    address = read_address(asked.sender)
    event = Event(
        address,
        asked.name or names.get(address, ""),
        asked.kind,
        asked.text,
        Choice(asked.choice or asked.text, asked.choice_id, asked.choice_description),
        asked.quoted,
        asked.forwarded,
        Place(asked.latitude, asked.longitude, asked.address, asked.label),
    )
    return event, _upload(asked)


def _upload(asked: Inbound) -> Upload | None:
    if not asked.media_base64:
        return None
    try:
        return read_upload(asked.content_type, base64.b64decode(asked.media_base64, validate=True))
    except binascii.Error:
        raise BadRequest("media_base64 is not base64") from None


def read_upload(content_type: str, data: bytes) -> Upload:
    """A file to send. Raises BadRequest when it is too large or has no content type."""
    if not CONTENT_TYPE.fullmatch(content_type):
        raise BadRequest("content_type must look like image/jpeg")
    if len(data) > MAX_FILE:
        raise BadRequest("WhatsApp takes files up to 16 MB")
    return Upload(content_type, data)


def kind_of_file(content_type: str) -> Kind:
    """The kind of message that a chosen file makes."""
    by_family: dict[str, Kind] = {"image": "picture", "video": "video", "audio": "voice"}
    return by_family.get(content_type.partition("/")[0], "document")


def read_address(text: str) -> str:
    """A phone as `+44...` or a business-scoped id, whether or not `whatsapp:` stands before it. Raises BadRequest."""
    bare = text.strip().removeprefix("whatsapp:")
    address = bare if re.fullmatch(SCOPED_ID, bare) else read_phone(bare)
    if not address:
        raise BadRequest("from must be a phone such as +447700900001, or an id such as GB.7361940258136047")
    return address


def read_failing(given: Mapping[str, object]) -> tuple[Fault, int]:
    """The fault asked for, and how many times. Raises BadRequest."""
    try:
        asked = Failing.model_validate(given)
        return read_fault(Wish(**asked.model_dump(exclude={"count"}))), asked.count
    except ValidationError as error:
        raise BadRequest(lines(error)) from None
    except ValueError as error:
        raise BadRequest(str(error)) from None


def read_judging(given: Mapping[str, object]) -> Judging:
    """WhatsApp's new word on a template. Raises BadRequest."""
    try:
        return Judging.model_validate(given)
    except ValidationError as error:
        raise BadRequest(lines(error)) from None


def lines(error: ValidationError) -> str:
    """Every field that is wrong, and what is wrong with it."""
    return "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
