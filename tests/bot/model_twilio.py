"""A Twilio in memory for the model test: takes, refuses, fails later, loses questions and answers, and reports when told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.whatsapp import Letter, Outcome, SentRecord, StatusUpdate
from tests.bot.rooms import Archive

Weather = Literal[
    "takes", "refuses", "no room", "fails later", "answer lost", "answer and news lost", "question lost", "away"
]
REFUSALS = (21211, 21610, 21656, 63024)
NOT_NOW = (20429, 21611, 20003)
LATER = (63018, 63016, 63024, 21610, 63033, 63049, 63013, 63007, 63029)


@dataclass(eq=False, slots=True)
class Message:
    """One message that Twilio took, what becomes of it, and what it says of that. Truthful: it fails or it arrives."""

    sid: str
    outbound_id: int
    letter: Letter
    at: datetime
    code: int | None = None
    news: list[StatusUpdate] = field(default_factory=list)
    told: list[StatusUpdate] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class Twilio:
    """`weather` is how it will deal with the next questions; then it is well again. `records` is its own list, truthful."""

    clock: Callable[[], datetime]
    text: Callable[[Letter], str]  # of a template as it is read
    asked: Callable[[int, Letter], None]
    taken: Callable[[Message], None]
    weather: list[tuple[Weather, int | None]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    records: Archive = field(default_factory=Archive)

    def send(self, letter: Letter) -> Outcome:
        """What comes of one question."""
        outbound_id = int(letter.status_url.rpartition("/")[2])
        self.asked(outbound_id, letter)
        weather, code = self.weather.pop(0) if self.weather else ("takes", None)
        match weather:
            case "away":
                return Outcome("retry")
            case "no room":
                return Outcome("retry", error_code=code)
            case "refuses":
                return Outcome("refused", error_code=code)
            case "question lost":
                return Outcome("unknown")
        message = self._take(outbound_id, letter, code if weather == "fails later" else None)
        if weather == "answer and news lost":
            message.news.clear()
        return Outcome("unknown") if weather.startswith("answer") else Outcome("accepted", message.sid)

    def _take(self, outbound_id: int, letter: Letter, code: int | None) -> Message:
        sid = f"SM{len(self.messages) + 1:032x}"
        words = ("sent", "undelivered") if code else ("queued", "sent", "delivered", "read")
        news = [StatusUpdate(sid, word, code if word == "undelivered" else None) for word in words]
        message = Message(sid, outbound_id, letter, self.clock(), code, news)
        self.messages.append(message)
        status = "undelivered" if code else "delivered"
        self.records.sent.append((letter.to, SentRecord(sid, self.text(letter), status, code, self.clock())))
        self.taken(message)
        return message
