"""Pictures, voice notes and other files: where they are kept, their short-lived addresses, and samples to send."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from itsdangerous import BadSignature, URLSafeTimedSerializer

from simulator.store import Store, to_text, to_time
from simulator.values import Account, File, new_sid

SAMPLES = Path(__file__).parent / "samples"
SAMPLE_OF = {  # kind -> (file, content type as WhatsApp sends it)
    "picture": ("picture.jpg", "image/jpeg"),
    "document": ("document.pdf", "application/pdf"),
    "video": ("video.mp4", "video/mp4"),
    "voice": ("voice.ogg", "audio/ogg"),
    "sticker": ("sticker.webp", "image/webp"),
}
VCARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Shah;Imran;;;\r\nFN:Imran Shah\r\nTEL;TYPE=CELL:+447700900555\r\nEND:VCARD\r\n"


class Files:
    """The file table."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now

    def add(self, message_sid: str, content_type: str, data: bytes) -> File:
        """Keep a file of a message."""
        file = File(new_sid("ME"), message_sid, content_type, data, self._now())
        sql = "INSERT INTO file (sid, message_sid, content_type, data, created_at) VALUES (?, ?, ?, ?, ?)"
        self._store.write(sql, file.sid, message_sid, content_type, data, to_text(file.created_at))
        return file

    def get(self, sid: str) -> File | None:
        """The file, deleted at Twilio or not, or None."""
        row = self._store.row("SELECT * FROM file WHERE sid = ?", sid)
        return _file(row) if row else None

    def of_message(self, message_sid: str) -> list[File]:
        """A message's files, in order, deleted ones too."""
        return [_file(row) for row in self._store.rows("SELECT * FROM file WHERE message_sid = ? ORDER BY seq", message_sid)]

    def delete(self, sid: str) -> None:
        """Drop Twilio's copy; the phone's stays."""
        self._store.write("UPDATE file SET deleted = 1 WHERE sid = ?", sid)


def sample(kind: str) -> tuple[str, bytes]:
    """Content type and bytes of a made-up file of this kind. Raises KeyError for kinds that carry none."""
    if kind == "contact":
        return "text/vcard", VCARD.encode()
    name, content_type = SAMPLE_OF[kind]
    return content_type, (SAMPLES / name).read_bytes()


def sign_link(account: Account, file_sid: str) -> str:
    """The token of a short-lived address under which a file is given out without a password."""
    return _signer(account).dumps(file_sid)


def read_link(account: Account, token: str, lasts: int) -> str | None:
    """The file a token stands for, or None when it is forged or older than `lasts` seconds."""
    try:
        return str(_signer(account).loads(token, max_age=lasts))
    except BadSignature:
        return None


def _signer(account: Account) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(account.token, salt="simulator-file")


def _file(row: sqlite3.Row) -> File:
    created_at = to_time(row["created_at"])
    return File(row["sid"], row["message_sid"], row["content_type"], row["data"], created_at, bool(row["deleted"]))
