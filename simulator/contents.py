"""Content resources and WhatsApp's word on them: the only module that reads or writes the content table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import datetime

from simulator.store import Store, to_text, to_time
from simulator.values import Approval, Content, Json, new_sid


class Contents:
    """The content table."""

    def __init__(self, store: Store, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now

    def add(self, name: str, language: str, types: dict[str, Json], variables: dict[str, str]) -> Content:
        """Keep a new Content resource."""
        sid, now = new_sid("HX"), self._now()
        sql = "INSERT INTO content (sid, name, language, types, variables, created_at) VALUES (?, ?, ?, ?, ?, ?)"
        self._store.write(sql, sid, name, language, json.dumps(types), json.dumps(variables), to_text(now))
        return Content(0, sid, name, language, types, variables, now)

    def get(self, sid: str) -> Content | None:
        """The resource, or None."""
        row = self._store.row("SELECT * FROM content WHERE sid = ?", sid)
        return _content(row) if row else None

    def page(self, size: int, after: int) -> list[Content]:
        """Resources in the order they were made, those after the sequence number `after`."""
        rows = self._store.rows("SELECT * FROM content WHERE seq > ? ORDER BY seq LIMIT ?", after, size)
        return [_content(row) for row in rows]

    def submit(self, sid: str, approval: Approval) -> bool:
        """Keep WhatsApp's word; False when the resource was handed in before."""
        sql = """UPDATE content SET approval_name = ?, approval_category = ?, approval_status = ?, approval_reason = ?
            WHERE sid = ? AND approval_status IS NULL"""
        return self._store.write(sql, approval.name, approval.category, approval.status, approval.reason, sid) == 1

    def judge_again(self, name: str, status: str | None, category: str | None, reason: str | None) -> int:
        """WhatsApp's later word on what was handed in under this name; None leaves a part as it is. How many there are."""
        sql = """UPDATE content SET approval_status = COALESCE(?, approval_status),
            approval_category = COALESCE(?, approval_category), approval_reason = COALESCE(?, approval_reason)
            WHERE approval_name = ?"""
        return self._store.write(sql, status, category, reason, name)

    def delete(self, sid: str) -> bool:
        """Drop the resource; False when there was none."""
        return self._store.write("DELETE FROM content WHERE sid = ?", sid) == 1


def _content(row: sqlite3.Row) -> Content:
    approval = None
    if row["approval_status"]:
        approval = Approval(row["approval_name"], row["approval_category"], row["approval_status"], row["approval_reason"])
    types, variables = json.loads(row["types"]), json.loads(row["variables"])
    return Content(
        row["seq"], row["sid"], row["name"], row["language"], types, variables, to_time(row["created_at"]), approval
    )
