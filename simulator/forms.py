"""The webhook that Twilio would post for each kind of message (twilio-whatsapp.md sections 1.1 to 1.3). Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal, get_args

from simulator.people import external_id
from simulator.values import API_VERSION, Account, Choice, Look

Kind = Literal[
    "text",
    "picture",
    "document",
    "video",
    "voice",
    "sticker",
    "location",
    "contact",
    "button",
    "list",
    "advert",
    "unsupported",
    "empty",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
FILE_KINDS = ("picture", "document", "video", "voice", "sticker", "contact")
MESSAGE_TYPE = {
    "picture": "image",
    "voice": "audio",
    "contact": "contacts",
    "button": "interactive",
    "list": "interactive",
    "advert": "text",
    "empty": "text",
}
ADVERT = {
    "ReferralBody": "Free courses for adults in East Lancashire",
    "ReferralHeadline": "Start your own business",
    "ReferralSourceId": "120210000000000001",
    "ReferralSourceType": "ad",
    "ReferralSourceUrl": "https://example.org/adverts/1",
    "ReferralCtwaClid": "ARAkLkA8rmlFeiCktEJQ-QTwRiyYHAFDLMNDBH0CD3qpjd0HR4irJ6LEkR7JwFF4XvnO2E4Nx0",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the map, as a shared location carries it."""

    latitude: str = "53.7480"
    longitude: str = "-2.4820"
    address: str = "King William Street, Blackburn"
    label: str = "Blackburn Town Hall"


BLACKBURN = Place()
NO_CHOICE = Choice("")


@dataclass(frozen=True, slots=True)
class Event:
    """What a phone does: one message of a kind, with what goes with it. `address` is the phone's own."""

    address: str
    name: str
    kind: Kind = "text"
    text: str = ""
    choice: Choice = NO_CHOICE
    quoted_sid: str = ""
    forwarded: Literal["", "once", "often"] = ""
    place: Place = BLACKBURN


def inbound_form(account: Account, event: Event, sid: str, file: tuple[str, str] | None) -> dict[str, str]:
    """Every parameter the real webhook carries; `file` is its address and content type."""
    form = _always(account, event, sid) | _by_kind(event)
    if event.quoted_sid:
        form |= {"OriginalRepliedMessageSid": event.quoted_sid, "OriginalRepliedMessageSender": account.sender}
    if file:
        form |= {"NumMedia": "1", "MediaUrl0": file[0], "MediaContentType0": file[1]}
    return form


def _always(account: Account, event: Event, sid: str) -> dict[str, str]:
    sender = f"whatsapp:{event.address}"
    once, often = str(bool(event.forwarded)).lower(), str(event.forwarded == "often").lower()
    who = {"ProfileName": event.name} | ({"WaId": event.address[1:]} if event.address.startswith("+") else {})
    context = who | {"Forwarded": once, "FrequentlyForwarded": often}
    return who | {
        "AccountSid": account.sid,
        "ApiVersion": API_VERSION,
        "Body": body_of(event),
        "ChannelMetadata": json.dumps({"type": "whatsapp", "data": {"context": context}}, separators=(",", ":")),
        "ExternalUserId": f"whatsapp:{external_id(event.address)}",
        "Forwarded": once,
        "FrequentlyForwarded": often,
        "From": sender,
        "MessageSid": sid,
        "MessageType": MESSAGE_TYPE.get(event.kind, event.kind),
        "NumMedia": "0",
        "NumSegments": "1",
        "ReferralNumMedia": "0",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": account.sender,
    }


def _by_kind(event: Event) -> dict[str, str]:
    if event.kind == "button":
        return {"ButtonText": event.choice.title, "ButtonPayload": event.choice.id}
    if event.kind == "list":
        return {"ListId": event.choice.id, "ListTitle": event.choice.title, "ListDescription": event.choice.description}
    if event.kind == "location":
        place = event.place
        named = {"Address": place.address, "Label": place.label}
        return {"Latitude": place.latitude, "Longitude": place.longitude} | {
            name: text for name, text in named.items() if text
        }
    return ADVERT if event.kind == "advert" else {}


def body_of(event: Event) -> str:
    """The text Twilio puts into Body: of a tap its label, of what cannot be read nothing."""
    if event.kind in ("button", "list"):
        return event.choice.title
    return "" if event.kind in ("empty", "unsupported", "location", "contact", "sticker", "voice") else event.text


def look_of(event: Event) -> Look:
    """What the sender's own phone shows."""
    place = event.place
    lines = (place.label, place.address, f"{place.latitude}, {place.longitude}") if event.kind == "location" else ()
    note = ADVERT["ReferralHeadline"] if event.kind == "advert" else ""
    shown = "\n".join(line for line in lines if line)
    return Look(event.kind, body_of(event), (), (), "", event.quoted_sid, event.forwarded, shown, note)
