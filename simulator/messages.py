"""Messages as Twilio keeps them and as phones show them: the only module that reads or writes the message table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from simulator.store import Store, Value, to_text, to_time
from simulator.values import WINDOW_HOURS, Choice, Draft, Fate, Look, Message

NEXT_CHANGE = "(SELECT coalesce(max(changed), 0) + 1 FROM message)"
INSERT = f"""INSERT INTO message (sid, inbound, address, sender, recipient, body, look, status, created_at, updated_at,
    sent_at, media_url, callback, template, fate_status, fate_code, changed)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {NEXT_CHANGE})"""  # noqa: S608 - no outside text in it


@dataclass(frozen=True, slots=True)
class Filter:
    """What Twilio's list can be asked for; the times are aware and both ends count."""

    to: str = ""
    sender: str = ""
    since: datetime | None = None
    until: datetime | None = None


class Messages:
    """The message table."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now

    def add_inbound(self, sid: str, address: str, sender: str, to: str, look: Look) -> None:
        """Keep what a phone has just sent; Twilio's own words for it are `received` at once."""
        now = to_text(self._now())
        self._insert(sid, 1, address, sender, to, look.text, _dump(look), "received", now, now, now, "", "", 0, "", 0)

    def add_outbound(self, sid: str, address: str, sender: str, draft: Draft) -> None:
        """Keep what the service asked to be sent; it stands at `queued`."""
        now, fate = to_text(self._now()), draft.fate
        ways: tuple[Value, ...] = (draft.media_url, draft.callback, int(draft.template), fate.status, fate.code)
        self._insert(sid, 0, address, sender, draft.to, draft.body, _dump(draft.look), "queued", now, now, None, *ways)

    def _insert(self, *values: Value) -> None:
        self._store.write(INSERT, *values)

    def get(self, sid: str) -> Message | None:
        """The message, or None when there is none of that name or Twilio's record was deleted."""
        row = self._store.row("SELECT * FROM message WHERE sid = ? AND deleted = 0", sid)
        return _message(row) if row else None

    def page(self, wanted: Filter, size: int, before: int | None) -> list[Message]:
        """The newest messages first, `size` of them, older than the sequence number `before`."""
        # A message not yet sent has no date: it is found by when it was made, so that a caller who lost our answer finds it.
        clauses: list[tuple[str, Value]] = [
            ("recipient = ?", wanted.to or None),
            ("sender = ?", wanted.sender or None),
            ("coalesce(sent_at, created_at) >= ?", to_text(wanted.since) if wanted.since else None),
            ("coalesce(sent_at, created_at) <= ?", to_text(wanted.until) if wanted.until else None),
            ("seq < ?", before),
        ]
        used = [(clause, value) for clause, value in clauses if value is not None]
        where = " AND ".join(["deleted = 0", *(clause for clause, _ in used)])
        sql = f"SELECT * FROM message WHERE {where} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - clauses are ours
        return [_message(row) for row in self._store.rows(sql, *(value for _, value in used), size)]

    def of_phone(self, address: str, since: int = 0) -> list[Message]:
        """All of one phone's messages that changed after the change number `since`, oldest first, deleted ones too."""
        sql = "SELECT * FROM message WHERE address = ? AND changed > ? ORDER BY seq"
        return [_message(row) for row in self._store.rows(sql, address, since)]

    def version(self) -> int:
        """The number of the last change."""
        row = self._store.row("SELECT coalesce(max(changed), 0) AS version FROM message")
        return int(row["version"]) if row else 0

    def in_status(self, *statuses: str) -> list[Message]:
        """Outbound messages that stand at one of these statuses, oldest first."""
        marks = ",".join("?" * len(statuses))
        sql = f"SELECT * FROM message WHERE inbound = 0 AND status IN ({marks}) ORDER BY seq"  # noqa: S608 - only marks
        return [_message(row) for row in self._store.rows(sql, *statuses)]

    def phones(self) -> list[str]:
        """Every address that ever took part."""
        return [row["address"] for row in self._store.rows("SELECT DISTINCT address FROM message")]

    def window_open(self, address: str) -> bool:
        """True while the last message from that phone is less than 24 hours old."""
        since = to_text(self._now() - timedelta(hours=WINDOW_HOURS))
        return (
            self._store.row("SELECT 1 FROM message WHERE address = ? AND inbound AND created_at > ?", address, since)
            is not None
        )

    def advance(self, sid: str, old: str, new: str, error_code: int | None = None) -> bool:
        """Move one status on; False when somebody else already did, so that each status is reported once."""
        sql = f"""UPDATE message SET status = ?, error_code = ?, updated_at = ?, sent_at = coalesce(sent_at, ?),
            changed = {NEXT_CHANGE} WHERE sid = ? AND status = ?"""  # noqa: S608 - no outside text in it
        now = to_text(self._now())
        return self._store.write(sql, new, error_code, now, now, sid, old) == 1

    def answered(self, sid: str, answer: int) -> None:
        """Keep what the assistant's webhook said of an inbound message (0: no answer)."""
        self._store.write(f"UPDATE message SET answer = ?, changed = {NEXT_CHANGE} WHERE sid = ?", answer, sid)  # noqa: S608

    def redact(self, sid: str) -> None:
        """Blank Twilio's copy of the text; phones keep theirs."""
        self._store.write("UPDATE message SET body = '', updated_at = ? WHERE sid = ?", to_text(self._now()), sid)

    def delete(self, sid: str) -> None:
        """Drop Twilio's record; phones keep theirs."""
        self._store.write("UPDATE message SET deleted = 1 WHERE sid = ?", sid)


def _dump(look: Look) -> str:
    return json.dumps(asdict(look))


def _look(text: str) -> Look:
    values = json.loads(text)
    for name in ("buttons", "items"):
        values[name] = tuple(Choice(**one) for one in values[name])
    return Look(**values)


def _message(row: sqlite3.Row) -> Message:
    return Message(
        seq=row["seq"],
        sid=row["sid"],
        inbound=bool(row["inbound"]),
        address=row["address"],
        sender=row["sender"],
        to=row["recipient"],
        body=row["body"],
        look=_look(row["look"]),
        status=row["status"],
        created_at=to_time(row["created_at"]),
        updated_at=to_time(row["updated_at"]),
        sent_at=to_time(row["sent_at"]) if row["sent_at"] else None,
        media_url=row["media_url"],
        callback=row["callback"],
        template=bool(row["template"]),
        fate=Fate(row["fate_status"], row["fate_code"]),
        error_code=row["error_code"],
        answer=row["answer"],
        deleted=bool(row["deleted"]),
        changed=row["changed"],
    )
