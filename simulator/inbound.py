"""A phone writes to us: the message is kept, signed and posted to the service, and its answer is kept too."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.files import sample
from simulator.forms import FILE_KINDS, Event, inbound_form, look_of
from simulator.resources import message_uri
from simulator.simulation import Simulation
from simulator.values import new_sid

ROUTE = "/whatsapp/inbound"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file somebody chose, with the content type its sender claims."""

    content_type: str
    data: bytes


def write(here: Simulation, event: Event, upload: Upload | None = None) -> tuple[str, int]:
    """Send this as the phone would. The message's sid, and what the service answered: an HTTP status, or 0 for none."""
    carried = upload or _sample(event)
    sid = new_sid("MM" if carried else "SM")
    file = _keep(here, sid, carried) if carried else None
    here.messages.add_inbound(sid, event.address, f"whatsapp:{event.address}", here.account.sender, look_of(event))
    status = here.webhooks.post(here.account.public_url + ROUTE, inbound_form(here.account, event, sid, file))
    here.messages.answered(sid, status)
    return sid, status


def heard(here: Simulation, event: Event, status: int) -> str:
    """A script posted this message to the service by itself: keep it, as Twilio would know of it. The message's sid."""
    sid = new_sid("SM")
    here.messages.add_inbound(sid, event.address, f"whatsapp:{event.address}", here.account.sender, look_of(event))
    here.messages.answered(sid, status)
    return sid


def _sample(event: Event) -> Upload | None:
    return Upload(*sample(event.kind)) if event.kind in FILE_KINDS else None


def _keep(here: Simulation, sid: str, upload: Upload) -> tuple[str, str]:
    file = here.files.add(sid, upload.content_type, upload.data)
    return f"{here.account.api_url}{message_uri(here.account, sid)}/Media/{file.sid}", upload.content_type
