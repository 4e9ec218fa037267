"""Reads what Twilio posts: a message of any kind, or news of one of ours (twilio-whatsapp.md sections 1 and 5). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.turn import Kind, Media

PREFIX = "whatsapp:"
PHONE = re.compile(r"\+[1-9][0-9]{4,14}")
SCOPED_ID = re.compile(r"[A-Z]{2}\.(ENT\.)?[0-9A-Za-z]{1,128}")
SID = re.compile(r"[0-9A-Za-z]{2,64}")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")  # PostgreSQL and XML refuse them
UNSEEN = " \t\r\n\xa0\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"  # a text of these alone says nothing
MOST_MEDIA = 10
OF_A_MESSAGE = ("", "received", "receiving")  # what the status of a message to us may be
KINDS: tuple[tuple[str, Kind], ...] = (
    ("image/webp", "sticker"),
    ("image/", "picture"),
    ("video/", "video"),
    ("audio/", "voice"),
    ("text/vcard", "contact"),
    ("text/x-vcard", "contact"),
)
BY_TYPE: dict[str, Kind] = {"sticker": "sticker", "contacts": "contact", "audio": "voice", "unsupported": "unsupported"}


class Malformed(ValueError):
    """A webhook that lacks what every webhook has. The message names the parameter, never its value."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message as Twilio describes it. `phone` or `scoped_id` may be empty, never both."""

    sid: str
    phone: str
    scoped_id: str
    kind: Kind
    text: str
    media: tuple[Media, ...] = ()
    button: str = ""
    quoted_sid: str = ""
    forwarded: bool = False
    answered_by_twilio: str = ""


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """Twilio's word on one message of ours, with the number of the error if it failed."""

    sid: str
    status: str
    error_code: int | None = None


def is_status(form: Mapping[str, str]) -> bool:
    """True for a status callback, which some configurations also post to the inbound address."""
    return any(form.get(name, "") not in OF_A_MESSAGE for name in ("MessageStatus", "SmsStatus"))


def read_message(form: Mapping[str, str]) -> Incoming:
    """The message in a webhook; parameters we do not know are ignored. Raises Malformed."""
    phone, scoped_id = _sender(form)
    media = _media(form)
    text = _clean(form, "Body").strip()
    text = text if text.strip(UNSEEN) else ""
    return Incoming(
        sid=_sid(form),
        phone=phone,
        scoped_id=scoped_id,
        kind=_kind(form, text, media),
        text=text or _label(form),
        media=media,
        button=(_clean(form, "ButtonPayload") or _clean(form, "ListId"))[:256],
        quoted_sid=_clean(form, "OriginalRepliedMessageSid")[:64],
        forwarded="true" in (form.get("Forwarded"), form.get("FrequentlyForwarded")),
        answered_by_twilio=_clean(form, "OptOutType").upper()[:16],
    )


def read_status(form: Mapping[str, str]) -> StatusUpdate:
    """The news in a status callback. Raises Malformed."""
    status = form.get("MessageStatus") or form.get("SmsStatus", "")
    if not status:
        raise Malformed("MessageStatus is missing")
    code = form.get("ErrorCode", "")
    return StatusUpdate(_sid(form), status.lower()[:32], int(code) if re.fullmatch(r"[1-9][0-9]{0,8}", code) else None)


def _sid(form: Mapping[str, str]) -> str:
    sid = form.get("MessageSid") or form.get("SmsSid", "")
    if not SID.fullmatch(sid):
        raise Malformed("MessageSid is missing or malformed")
    return sid


def _sender(form: Mapping[str, str]) -> tuple[str, str]:
    """The phone and the business-scoped id: since 2026 either may be missing (section 1.3, D09)."""
    phone, scoped_id = "", ""
    for name in ("From", "ExternalUserId"):
        given = form.get(name, "")
        address = given.removeprefix(PREFIX) if given.startswith(PREFIX) else ""
        if PHONE.fullmatch(address):
            phone = phone or address
        elif SCOPED_ID.fullmatch(address):
            scoped_id = scoped_id or address
        elif name == "From":
            raise Malformed("From is missing or malformed")
    return phone, scoped_id


def _media(form: Mapping[str, str]) -> tuple[Media, ...]:
    count = form.get("NumMedia", "0") or "0"
    if not re.fullmatch(r"[0-9]{1,4}", count):
        raise Malformed("NumMedia is malformed")
    places = range(min(int(count), MOST_MEDIA))
    urls = [(_clean(form, f"MediaUrl{n}"), _clean(form, f"MediaContentType{n}")) for n in places]
    return tuple(Media(url[:1024], claimed.lower()[:128]) for url, claimed in urls if url)


def _kind(form: Mapping[str, str], text: str, media: tuple[Media, ...]) -> Kind:
    if media:
        return _kind_of_media(media[0].content_type, form.get("MessageType", ""), text)
    if form.get("Latitude") and form.get("Longitude"):
        return "location"
    if form.get("ListId"):
        return "list"
    if form.get("ButtonPayload") or form.get("ButtonText"):
        return "button"
    named = BY_TYPE.get(form.get("MessageType", ""))
    if text:
        return "text"
    return named or ("unsupported" if form.get("MessageType", "text") not in ("", "text") else "empty")


def _kind_of_media(claimed: str, message_type: str, caption: str) -> Kind:
    """A WebP file is a sticker only if Twilio says so, or says nothing and it has no caption: work may be WebP too."""
    if claimed.startswith("image/webp") and (message_type not in ("", "sticker") or (not message_type and caption)):
        return "picture"
    return next((kind for start, kind in KINDS if claimed.startswith(start)), "document")


def _label(form: Mapping[str, str]) -> str:
    """What was tapped, in words, where the body is empty."""
    return (_clean(form, "ButtonText") or _clean(form, "ListTitle")).strip()


def clean(text: str) -> str:
    """A text without the characters that cannot be stored."""
    return CONTROL.sub("", text)


def _clean(form: Mapping[str, str], name: str) -> str:
    """A parameter, cleaned; empty where it is missing."""
    return clean(form.get(name, ""))
