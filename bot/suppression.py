"""A number's no as a keyed hash: it outlives the erasure of the person, and an import of the same number finds it (L06)."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self, cast

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.batches import by_thousands
from bot.models import Suppression
from bot.turn import Consentable

Nos = dict[Consentable, datetime]  # a purpose -> since when it is suppressed, aware UTC
Step = Mapping[Consentable, datetime | None]  # since when it is to be suppressed; None: not any more


@dataclass(frozen=True, slots=True)
class Keyed:
    """SUPPRESSION_KEY: the first key makes hashes, all are looked up. Hashes of erased numbers cannot be made again,
    so a key stays in the list for as long as anybody is written to."""

    keys: tuple[str, ...] = field(repr=False)

    @classmethod
    def read(cls, setting: str) -> Self:
        """The keys of the setting, separated by commas. Raises ValueError where there is none."""
        keys = tuple(key.strip() for key in setting.split(",") if key.strip())
        if not keys:
            raise ValueError("SUPPRESSION_KEY holds no key")
        return cls(keys)

    def of(self, value: str) -> str:
        """The hash that is written: of a phone in E.164 or a business-scoped id, by the first key."""
        return _hash(self.keys[0], value)

    def all_of(self, value: str) -> tuple[str, ...]:
        """Every hash under which this number may be known."""
        return tuple(_hash(key, value) for key in self.keys)


def look_up(session: Session, values: Iterable[str], keyed: Keyed) -> dict[str, Nos]:
    """Of these numbers, those that said no: which purposes are suppressed since when. A few questions, however many."""
    whose = {hashed: value for value in values for hashed in keyed.all_of(value)}
    found: defaultdict[str, Nos] = defaultdict(dict)
    for some in by_thousands(whose):
        for row in session.scalars(select(Suppression).where(Suppression.number_hash.in_(some))):
            nos, purpose = found[whose[row.number_hash]], cast(Consentable, row.purpose)
            nos[purpose] = max(row.since, nos.get(purpose, row.since))
    return dict(found)


def change(session: Session, wanted: Mapping[str, Step], keyed: Keyed) -> None:
    """Bring what is suppressed, of each number, to what is `wanted`; a purpose that is not named stays as it is."""
    there = look_up(session, wanted, keyed)
    steps = [
        (value, purpose, since)
        for value, step in wanted.items()
        for purpose, since in step.items()
        if there.get(value, {}).get(purpose) != since
    ]
    for value, purpose, _ in steps:
        if purpose in there.get(value, {}):
            old = delete(Suppression).where(Suppression.number_hash.in_(keyed.all_of(value)))
            session.execute(old.where(Suppression.purpose == purpose))
    _insert(session, [(keyed.of(value), purpose, since) for value, purpose, since in steps if since is not None])


def _insert(session: Session, rows: list[tuple[str, Consentable, datetime]]) -> None:
    """Two workers may learn of one no at the same moment: the later word stands."""
    if not rows:
        return
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = dialect.insert(Suppression)
    upsert = statement.on_conflict_do_update(
        index_elements=["number_hash", "purpose"], set_={"since": statement.excluded.since}
    )
    values = [{"number_hash": hashed, "purpose": purpose, "since": since} for hashed, purpose, since in rows]
    session.connection().execute(upsert, values)


def _hash(key: str, value: str) -> str:
    return hmac.digest(key.encode(), value.encode(), "sha256").hex()
