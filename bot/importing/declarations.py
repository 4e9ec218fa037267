"""Writes what declarations say into the ledger of consent: once each, so that importing again re-opens nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from bot import ledger
from bot.clock import london_day_starts
from bot.consent import Action
from bot.importing.known import columns_by
from bot.importing.numbers import Desk
from bot.importing.rows import LearnerLine
from bot.ledger import Entry
from bot.models import ConsentEvent
from bot.turn import Consentable

SOURCE = "declaration"
Key = tuple[str, datetime]  # purpose, from when
Said = tuple[Action, str]  # action, version of the wording
Ledgers = dict[int, dict[Key, Said]]  # by person


@dataclass(frozen=True, slots=True)
class Heard:
    """The people whose declaration was new, and those whose number had said no before we knew whose it is (L06)."""

    signed: set[int]
    stopped: set[int]


def write_declarations(desk: Desk, learners: dict[int, LearnerLine]) -> Heard:
    """Record each declaration (by person id) that the ledger has not as it is; before it, what their numbers said."""
    there = _recorded(desk, learners)
    stopped = ledger.replay(desk.session, learners, desk.keyed, desk.now)
    entries = [entry for who, row in learners.items() for entry in _entries(desk, who, row, there)]
    ledger.record_all(desk.session, learners, entries, desk.keyed)
    return Heard({entry.person_id for entry in entries}, stopped)


def _entries(desk: Desk, person_id: int, row: LearnerLine, there: Ledgers) -> Iterator[Entry]:
    """What their ledger has not: the purposes they said yes to, then those they said no to."""
    new: defaultdict[tuple[Action, datetime, str], list[Consentable]] = defaultdict(list)
    for purpose, at, said in _said(row):
        if there.get(person_id, {}).get((purpose, at)) != said:
            new[said[0], at, said[1]].append(purpose)
    for (action, at, wording), purposes in new.items():
        yield Entry(person_id, tuple(purposes), action, SOURCE, at, desk.now, "import", wording)


def _said(row: LearnerLine) -> Iterator[tuple[Consentable, datetime, Said]]:
    """What was said of each purpose, from when, in which words. Nothing was where nobody signed.

    It counts from the first moment of its day in London: whoever said no on that same day said it after (D03).
    """
    if row.declared_on is None:
        return
    for purpose, agreed in row.consents().items():
        yield purpose, london_day_starts(row.declared_on), ("give" if agreed else "refuse", row.declaration_version)


def _recorded(desk: Desk, learners: Iterable[int]) -> Ledgers:
    """What the declaration of each day says by now: of two recorded for one day, the later one corrects the other."""
    event = ConsentEvent
    columns = (event.person_id, event.purpose, event.at, event.action, event.wording, event.source)
    found: Ledgers = defaultdict(dict)
    for who, purpose, at, action, words, how in columns_by(desk.session, columns, event.person_id, learners):
        if how == SOURCE:
            found[who][purpose, at] = (action, words)
    return found
