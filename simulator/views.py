"""A message as the page and scripts see it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from simulator.store import to_text
from simulator.values import File, Json, Message

SEEN = ("delivered", "read")


def is_on_phone(message: Message) -> bool:
    """What a phone sent it shows; what was sent to it only once it has arrived."""
    return message.inbound or message.status in SEEN


def message_view(message: Message, files: Sequence[File]) -> Json:
    """Everything a bubble needs; times are UTC."""
    look = asdict(message.look)
    return look | {
        "sid": message.sid,
        "seq": message.seq,
        "mine": message.inbound,
        "at": to_text(message.created_at)[:23] + "Z",
        "status": message.status,
        "error_code": message.error_code,
        "answer": message.answer,
        "on_phone": is_on_phone(message),
        "file": {"url": f"simulator/files/{files[0].sid}", "type": files[0].content_type} if files else None,
    }
