"""Writes what declarations say into the ledger of consent: once each, so that importing again re-opens nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from bot.clock import london_day_starts
from bot.consent import Action
from bot.importing.known import columns_by
from bot.importing.numbers import Desk
from bot.importing.rows import LearnerLine
from bot.models import ConsentEvent

Key = tuple[int, str, datetime]  # person, purpose, from when
Said = tuple[str, str]  # action, version of the wording


def write_declarations(desk: Desk, learners: dict[int, LearnerLine]) -> set[int]:
    """Record each declaration (by person id) that the ledger has not as it is; the people for whom that was so."""
    there = _recorded(desk, learners)
    new = [
        _event(desk, key, said)
        for person_id, row in learners.items()
        for key, said in _said(person_id, row)
        if there.get(key) != said
    ]
    if new:
        desk.session.execute(insert(ConsentEvent), new)
    return {event["person_id"] for event in new}


def _event(desk: Desk, key: Key, said: Said) -> dict[str, Any]:
    person_id, purpose, at = key
    action, wording = said
    signed = {"person_id": person_id, "purpose": purpose, "at": at, "action": action, "wording": wording}
    return signed | {"source": "declaration", "recorded_by": "import", "recorded_at": desk.now}


def _said(person_id: int, row: LearnerLine) -> Iterator[tuple[Key, Said]]:
    """What was said of each purpose, from when, in which words. Nothing was where nobody signed."""
    if row.declared_on is None:
        return
    for purpose, agreed in row.consents().items():
        action: Action = "give" if agreed else "refuse"
        yield (person_id, purpose, london_day_starts(row.declared_on)), (action, row.declaration_version)


def _recorded(desk: Desk, learners: Iterable[int]) -> dict[Key, Said]:
    """What the declaration of each day says by now: of two recorded for one day, the later one corrects the other."""
    event = ConsentEvent
    columns = (event.person_id, event.purpose, event.at, event.action, event.wording, event.source)
    found = columns_by(desk.session, columns, event.person_id, learners)
    return {(who, purpose, at): (action, words) for who, purpose, at, action, words, how in found if how == "declaration"}
