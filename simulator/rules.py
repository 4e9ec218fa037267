"""What Twilio refuses at once and what it takes: the rules of a create call, pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from werkzeug.datastructures import MultiDict

from simulator.templates import render
from simulator.values import LONGEST_BODY, SCOPED_ID, Content, Draft, Fate, Look, Refused

PHONE = re.compile(r"whatsapp:\+[1-9][0-9]{6,14}")
SCOPED = re.compile(f"whatsapp:{SCOPED_ID}")
CONTENT = re.compile(r"HX[0-9a-f]{32}")
LONGEST_TEMPLATE = 1024  # code points, after its variables are filled in
BAD_VARIABLE = re.compile(r"[\n\r\t]| {4,}")

Form = MultiDict[str, str]


@dataclass(frozen=True, slots=True)
class Sender:
    """What the rules must know of our account: the sender, and how to find a Content resource."""

    address: str
    find_content: Callable[[str], Content | None]


def check(form: Form, ours: Sender) -> Draft:
    """The message this call asks for. Raises Refused with the code that Twilio answers."""
    to = _recipient(form.get("To", ""))
    _check_sender(form, ours.address)
    callback = _callback(form.get("StatusCallback", ""))
    if form.get("ContentSid"):
        return _from_content(form, to, callback, ours)
    return _free_form(form, to, callback)


def _recipient(to: str) -> str:
    if not to:
        raise Refused(400, 21604, "A 'To' phone number is required.")
    if not (PHONE.fullmatch(to) or SCOPED.fullmatch(to)):
        raise Refused(400, 21211, f"Invalid 'To' Phone Number: {to}")
    return to


def _check_sender(form: Form, ours: str) -> None:
    if form.get("MessagingServiceSid") and not form.get("From"):
        raise Refused(400, 21701, "The Messaging Service does not exist.")
    if not form.get("From"):
        raise Refused(400, 21603, "A 'From' phone number is required.")
    if form["From"] != ours:
        raise Refused(400, 63007, "Twilio could not find a Channel with the specified From address")


def _callback(url: str) -> str:
    if url and not _is_url(url):
        raise Refused(400, 21609, f"The StatusCallback URL {url} is not a valid URL.")
    return url


def _is_url(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "_" not in str(parts.hostname)


def _free_form(form: Form, to: str, callback: str) -> Draft:
    body, media = form.get("Body", ""), form.getlist("MediaUrl")
    if not body and not media:
        raise Refused(400, 21619, "A text message body or media urls must be specified.")
    if len(body) > LONGEST_BODY:
        raise Refused(400, 21617, f"The concatenated message body exceeds the {LONGEST_BODY} character limit")
    if len(media) > 1:
        raise Refused(400, 21623, "Number of media files exceeds allowed limit: WhatsApp takes one")
    if media and not _is_url(media[0]):
        raise Refused(400, 21620, "Invalid media URL(s)")
    return Draft(to, body, Look(text=body), "".join(media), callback)


def _from_content(form: Form, to: str, callback: str, ours: Sender) -> Draft:
    if form.get("Body") or form.get("MediaUrl"):
        raise Refused(400, 20001, "ContentSid cannot be combined with Body or MediaUrl")
    content = ours.find_content(form["ContentSid"]) if CONTENT.fullmatch(form["ContentSid"]) else None
    if content is None:
        raise Refused(400, 21655, "The ContentSid is Invalid")
    values = _variables(form.get("ContentVariables", ""))
    look, media_url = render(content, values)
    approved = content.approval is not None and content.approval.status == "approved"
    return Draft(to, look.text, look, media_url, callback, approved, _fate(look, values))


def _variables(text: str) -> dict[str, str]:
    if not text:
        return {}  # the samples are sent then, as Twilio does
    try:
        values = json.loads(text)
    except ValueError:
        values = None
    if not isinstance(values, dict) or not all(isinstance(value, str) and value for value in values.values()):
        raise Refused(400, 21656, "The ContentVariables Parameter is invalid")
    return values


def _fate(look: Look, values: dict[str, str]) -> Fate:
    """Twilio takes these and WhatsApp refuses them later."""
    if any(BAD_VARIABLE.search(value) for value in values.values()):
        return Fate("undelivered", 63013)
    if len(look.text) > LONGEST_TEMPLATE:
        return Fate("undelivered", 63021)
    return Fate()
