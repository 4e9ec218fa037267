"""What happens to a message after Twilio took it: sent, delivered, read or failed, each reported to the service."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from simulator.files import Files
from simulator.later import Later
from simulator.messages import Messages
from simulator.people import external_id
from simulator.values import API_VERSION, MAX_FILE, Account, Fate, Message, Pace
from simulator.webhooks import Webhooks

OUTSIDE_WINDOW, UNREADABLE_FILE = 63016, 63019
CHANNEL = "XE" + "51" * 16
WHY = {  # WhatsApp's own words, as far as they are known
    63003: "Recipient is not a WhatsApp user",
    63013: "Message content violates the channel's policy",
    63016: "Failed to send freeform message because you are outside the allowed window",
    63019: "Media failed to download",
    63021: "Channel invalid content error",
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """Moves messages on, one step at a time: a step starts when the report of the last one was answered."""

    account: Account
    pace: Pace
    messages: Messages
    files: Files
    webhooks: Webhooks
    later: Later

    def begin(self, sid: str) -> None:
        """Start moving a queued message; returns at once."""
        self.later.after(self.pace.sent, partial(self._send, sid))

    def resume(self) -> None:
        """Take up what a restart interrupted."""
        for message in self.messages.in_status("queued"):
            self.begin(message.sid)
        for message in self.messages.in_status("sent"):
            self.later.after(self.pace.delivered, partial(self._deliver, message.sid))
        for message in self.messages.in_status("delivered"):
            self.later.after(self.pace.read, partial(self._read, message.sid))

    def open_phone(self, address: str) -> None:
        """Somebody is looking at this phone: what was delivered is read now."""
        for message in self.messages.in_status("delivered"):
            if message.address == address:
                self.later.after(0, partial(self._read, message.sid))

    def _send(self, sid: str) -> None:
        message = self.messages.get(sid)
        if message is None:
            return
        fate = self._fate(message)
        if fate.status:
            self._advance(message, "queued", fate.status, fate.code)
            return
        if self._advance(message, "queued", "sent"):
            self.later.after(self.pace.delivered, partial(self._deliver, sid))

    def _deliver(self, sid: str) -> None:
        message = self.messages.get(sid)
        if message and self._advance(message, "sent", "delivered"):
            self.later.after(self.pace.read, partial(self._read, sid))

    def _read(self, sid: str) -> None:
        message = self.messages.get(sid)
        if message:
            self._advance(message, "delivered", "read")

    def _fate(self, message: Message) -> Fate:
        if message.fate.status:
            return message.fate
        if not message.template and not self.messages.window_open(message.address):
            return Fate("undelivered", OUTSIDE_WINDOW)
        if message.media_url and not self._fetch(message):
            return Fate("undelivered", UNREADABLE_FILE)
        return Fate()

    def _fetch(self, message: Message) -> bool:
        found = self.webhooks.fetch(message.media_url, MAX_FILE)
        if found is None:
            return False
        self.files.add(message.sid, *found)
        return True

    def _advance(self, message: Message, old: str, new: str, code: int | None = None) -> bool:
        if not self.messages.advance(message.sid, old, new, code):
            return False
        if message.callback:
            self.webhooks.post(message.callback, callback_form(self.account, message, new, code))
        return True


def callback_form(account: Account, message: Message, status: str, code: int | None) -> dict[str, str]:
    """The fields of a status callback (twilio-whatsapp.md section 5)."""
    to = message.to.removeprefix("whatsapp:")
    form = {
        "AccountSid": account.sid,
        "ApiVersion": API_VERSION,
        "ChannelInstallSid": CHANNEL,
        "ChannelPrefix": "whatsapp",
        "ChannelToAddress": to[:-4] + "XXXX" if to.startswith("+") else to,
        "From": account.sender,
        "MessageSid": message.sid,
        "MessageStatus": status,
        "SmsSid": message.sid,
        "SmsStatus": status,
        "StructuredMessage": "false",
        "To": message.to,
    }
    if status != "sent":
        form["EventType"] = status.upper()
    if status in ("delivered", "read"):
        form["ExternalUserId"] = f"whatsapp:{external_id(message.address)}"
    if code:
        form |= {"ErrorCode": str(code), "ChannelStatusMessage": WHY.get(code, "The channel reported an error")}
    return form
