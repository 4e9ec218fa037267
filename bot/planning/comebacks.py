"""Puts reminders right that wait or did not go: each is decided anew by the rule by which a newcomer is reminded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from bot.database import wake_workers
from bot.gate import SUPERSEDED
from bot.models import ContactPoint, Outbound
from bot.outbox import OF_THE_PERSON, Draft
from bot.planning import who
from bot.status import MAY_HAVE_GONE

MAY_PASS = (*OF_THE_PERSON, "NOT_WANTED", SUPERSEDED)
ANEW = ("due_at", "best_before", "body", "variables", "template", "contact_point_id", "lesson_version")
Values = dict[str, object]
Told = set[tuple[int | None, int]]  # lessons and people: the last news of the lesson went to them, or waits for them


class Row(NamedTuple):
    """A reminder that waits or did not go, as it stands. `theirs`: its phone is still theirs, and something reaches it."""

    id: int
    key: str
    state: str
    reason: str | None
    version: int | None
    due_at: datetime
    best_before: datetime | None
    theirs: bool


def lacking(session: Session, wanted: Sequence[Draft]) -> list[Draft]:
    """Those that have no row yet, or one that stands otherwise than it would be planned now. Only looks."""
    there = set(session.scalars(select(Outbound.key).where(Outbound.key.in_([one.key for one in wanted]))))
    changes = _changes(session, [one for one in wanted if one.key in there], _rows(there)) if there else {}
    return [one for one in wanted if one.key not in there or one.key in changes]


def put_right(session: Session, wanted: Iterable[Draft]) -> int:
    """What would be planned so now is planned so; how many go after all that did not. Never commits.

    Withheld stays whatever the ledger, a hold or the want of a phone would withhold again, whatever else speaks of a lesson
    as it was, and the day before where newer news of the lesson has taken its place. What somebody else holds is left.
    """
    drafts = list(wanted)
    rows = _rows({one.key for one in drafts}).with_for_update(of=Outbound, skip_locked=True)
    changes = _changes(session, drafts, rows)
    if changes:
        session.execute(update(Outbound), list(changes.values()))
        wake_workers(session)
    return sum("state" in values for values in changes.values())


def _rows(keys: Iterable[str]) -> Any:
    """Those with these keys that wait, or were withheld for a reason that may pass."""
    row, point = Outbound, ContactPoint
    usable = and_(point.person_id == row.person_id, point.disowned_at.is_(None), point.unreachable_at.is_(None))
    columns = (row.id, row.key, row.state, row.reason, row.lesson_version, row.due_at, row.best_before, usable)
    may_go = or_(row.state == "queued", and_(row.state == "withheld", row.reason.in_(MAY_PASS)))
    return select(*columns).join(point, point.id == row.contact_point_id).where(row.key.in_(keys), may_go).order_by(row.id)


def _changes(session: Session, drafts: Iterable[Draft], rows: Any) -> Mapping[str, Values]:
    """What is to change, by key; nothing is asked of the ledger where nothing was withheld."""
    by_key = {one.key: one for one in drafts}
    found = [(Row(*row), by_key[row.key]) for row in session.execute(rows)]
    back = [(row, draft) for row, draft in found if row.state == "withheld"]
    people = sorted({draft.person_id for _, draft in back})
    may = set(who.willing(session, people, who.agreed(session, people))) if people else set()
    told = _told(session, [draft for row, draft in back if _is_old(row, draft) and draft.person_id in may])
    changes: dict[str, Values] = {}
    for row, draft in found:
        if row.state == "queued":
            values = _waits(row, draft)
        else:
            values = _goes(draft) if draft.person_id in may and (draft.lesson_id, draft.person_id) not in told else {}
        if values:
            changes[row.key] = {"id": row.id, **values}
    return changes


def _is_old(row: Row, draft: Draft) -> bool:
    """Did the lesson change since? Then they may have been told of it, in place of the day before."""
    return draft.plan == "day_before" and (row.reason == SUPERSEDED or row.version != draft.lesson_version)


def _goes(draft: Draft) -> Values:
    return {name: getattr(draft, name) for name in ANEW} | {"state": "queued", "reason": None}


def _waits(row: Row, draft: Draft) -> Values:
    """What of a row that waits is not as it would be: its phone, its end, and a time that their wish for quiet put off."""
    values: Values = {} if row.theirs else {"contact_point_id": draft.contact_point_id}
    if row.version == draft.lesson_version and row.best_before != draft.best_before:
        values["best_before"] = draft.best_before
    if row.reason is None and row.due_at > draft.due_at:
        values["due_at"] = draft.due_at
    return values


def _told(session: Session, drafts: Sequence[Draft]) -> Told:
    """Of whom the last news of the lesson went, or waits."""
    if not drafts:
        return set()
    row = Outbound
    theirs = (row.lesson_id.in_({one.lesson_id for one in drafts}), row.person_id.in_({one.person_id for one in drafts}))
    news = select(row.lesson_id, row.person_id, row.state).where(*theirs, row.plan == "notice").order_by(row.id)
    last = {(lesson, person): state for lesson, person, state in session.execute(news)}
    return {of for of, state in last.items() if state == "queued" or state in MAY_HAVE_GONE}
