"""The one writer of the ledger of consent: its lines, the audit of them, and the suppressed numbers, always in step."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bot import consent, marks, suppression
from bot.batches import by_thousands
from bot.models import Audit, ConsentEvent, ContactPoint
from bot.queries import events_of
from bot.suppression import Keyed
from bot.turn import CONSENTABLE, Consentable

SUPPRESSED = "suppressed"  # the source of a no that a number said before its person was known to us


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing somebody said of some purposes. `at` is when it takes effect; both times are aware UTC.

    `recorded_by` is a staff code, `learner`, `import`, `suppression` or `whatsapp`; `wording` the version of what they
    said yes or no to; `inbound_id` the message in which they said it.
    """

    person_id: int
    purposes: tuple[Consentable, ...]
    action: consent.Action
    source: str
    at: datetime
    recorded_at: datetime
    recorded_by: str
    wording: str = ""
    inbound_id: int | None = None


def record(session: Session, entry: Entry, keyed: Keyed) -> None:
    """Write what somebody said: a line for each purpose, one line of audit, and the hashes of their numbers (P10, P11)."""
    if entry.purposes:
        replay(session, [entry.person_id], keyed, entry.recorded_at)
        record_all(session, [entry.person_id], [entry], keyed)


def record_all(session: Session, people: Collection[int], entries: Sequence[Entry], keyed: Keyed) -> None:
    """Write what some of these people said, in a few statements however many they are; every number of theirs in step.

    What their numbers had said before must have been heard already: `replay`.
    """
    _write(session, entries)
    keep_in_step(session, people, keyed)


def replay(session: Session, people: Collection[int], keyed: Keyed, now: datetime) -> set[int]:
    """Put into the ledger what the numbers of these people said before we knew whose they are; who that was (L06).

    Such a no is dated when it was said: a declaration signed before it opens nothing, one signed after it does.
    """
    numbers = _numbers(session, people)
    nos = suppression.look_up(session, numbers, keyed)
    events = events_of(session, {numbers[value] for value in nos})
    said: defaultdict[int, list[consent.No]] = defaultdict(list)
    for value, since in nos.items():
        said[numbers[value]].extend(since.items())
    unheard = {who: consent.unheard(events[who], pairs) for who, pairs in said.items()}
    entries = [
        Entry(who, tuple(p for p in CONSENTABLE if (p, at) in new), "withdraw", SUPPRESSED, at, now, "suppression")
        for who, new in unheard.items()
        for at in sorted({at for _, at in new})
    ]
    _write(session, entries)
    return {entry.person_id for entry in entries}


def keep_in_step(session: Session, people: Collection[int], keyed: Keyed) -> None:
    """Every number of theirs is suppressed for what they took back, and for nothing that they gave or refused since.

    A number that was found not to be theirs is none of theirs here (D11).
    """
    numbers = _numbers(session, people)
    there = suppression.look_up(session, numbers, keyed)
    concerned = {numbers[value] for value in there} | _took_back(session, people)
    events = events_of(session, concerned)
    wanted = {who: consent.suppressed(consent.standing(events[who])) for who in concerned}
    steps = {value: wanted[who] for value, who in numbers.items() if who in concerned}
    suppression.change(session, steps, keyed)


def shut(session: Session, contact_points: Collection[int], keyed: Keyed, now: datetime) -> None:
    """From now on these numbers have said no to everything, whoever is found to have them (D10, D11, L06)."""
    values = select(ContactPoint.value).where(ContactPoint.id.in_(contact_points))
    suppression.change(session, {value: dict.fromkeys(CONSENTABLE, now) for value in session.scalars(values)}, keyed)


def _write(session: Session, entries: Sequence[Entry]) -> None:
    if entries:
        session.execute(insert(ConsentEvent), [line for entry in entries for line in _lines(entry)])
        session.execute(insert(Audit), [_audit(entry) for entry in entries])
        marks.look_at(session, {entry.person_id for entry in entries}, max(entry.recorded_at for entry in entries))


def _lines(entry: Entry) -> Iterable[dict[str, object]]:
    for purpose in dict.fromkeys(entry.purposes):
        yield {
            "person_id": entry.person_id,
            "purpose": purpose,
            "action": entry.action,
            "at": entry.at,
            "source": entry.source,
            "wording": entry.wording,
            "recorded_by": entry.recorded_by,
            "recorded_at": entry.recorded_at,
            "inbound_id": entry.inbound_id,
        }


def _audit(entry: Entry) -> dict[str, object]:
    details = {"purposes": list(entry.purposes), "source": entry.source, "wording": entry.wording}
    act = {"act": f"consent_{entry.action}", "person_id": entry.person_id, "details": details}
    return act | {"at": entry.recorded_at, "by": entry.recorded_by}


def _numbers(session: Session, people: Iterable[int]) -> dict[str, int]:
    """Every number and scoped id by which these people are reached, and whose it is."""
    columns = select(ContactPoint.value, ContactPoint.person_id).where(ContactPoint.disowned_at.is_(None))
    found: dict[str, int] = {}
    for some in by_thousands(people):
        found.update((value, who) for value, who in session.execute(columns.where(ContactPoint.person_id.in_(some))))
    return found


def _took_back(session: Session, people: Iterable[int]) -> set[int]:
    """Who of them ever said no to anything they had, or were asked whether they did."""
    said_no = select(ConsentEvent.person_id).where(ConsentEvent.action.in_(consent.NOS)).distinct()
    return {one for some in by_thousands(people) for one in session.scalars(said_no.where(ConsentEvent.person_id.in_(some)))}
