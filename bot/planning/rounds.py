"""One round of planning: what lessons still lack, then the people who are to be looked at, each in short commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select, tuple_, update
from sqlalchemy.orm import Session

from bot import outbox
from bot.batches import BATCH
from bot.database import Database
from bot.models import Outbound, PersonRow
from bot.planning import comebacks, company, lessons, looks, opportunities, who
from bot.planning.drafts import Desk, Fault, Made, all_made, tell_office
from bot.planning.kinds import Kind, Links
from bot.terms import Terms
from bot.turn import Consentable, Purpose

SOON = timedelta(minutes=1)
Seen = dict[int, datetime]  # people, and when they were to be looked at: whoever is marked meanwhile is looked at again


@dataclass(frozen=True, slots=True)
class Planned:
    """How many of each were planned: `reminders` of an invitation, `lesson_reminders` of lessons. True where anything was.

    `revived` are rows that an opting-out, a hold or the like kept back, and that are to go after all.
    """

    first_messages: int = 0
    invitations: int = 0
    reminders: int = 0
    lesson_reminders: int = 0
    check_ins: int = 0
    goodbyes: int = 0
    opportunities: int = 0
    revived: int = 0

    def __bool__(self) -> bool:
        return self != Planned()


class Back(NamedTuple):
    """Somebody who is back in time for what was cancelled of one purpose, and the phone that reaches them now."""

    person_id: int
    point_id: int
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Due:
    """What some people are due, as it was found: written down for those of whom nothing has changed meanwhile."""

    of_kinds: tuple[tuple[Kind, Made], ...]
    of_lessons: tuple[outbox.Draft, ...]
    back: tuple[Back, ...]
    again: Mapping[int, datetime | None]  # when to look at each of them next; None: when something marks them
    faults: tuple[Fault, ...]


def plan(db: Database, terms: Terms, links: Links, now: datetime) -> Planned:
    """Plan everything of which the time has come by `now` (aware UTC); how much that was (F01, P05 to P07, P12, P19).

    It looks at lessons and people that are marked, and at nobody else (bot/marks.py). Every plan has a key of its own, so
    that planning twice, by two workers or after a crash, changes nothing; the gate decides again when it is sent. What a
    machine that was off has missed is caught up once, and nothing is planned that would be stale.
    """
    counts = Counter(lesson_reminders=lessons.plan_lessons(db, terms, now))
    desk = Desk(terms, links, now)
    told: set[Fault] = set()
    seen = _to_look_at(db, now, None)
    while seen:
        check_ins, goodbyes = company.plan_company(db, terms, list(seen), now)
        counts.update(check_ins=check_ins, goodbyes=goodbyes)
        with db.read() as session:
            due = _due(session, desk, list(seen))
        with db.write() as session:
            counts.update(_owe(session, due, seen, now))
        for fault in dict.fromkeys(due.faults):
            if fault not in told:
                tell_office(db, *fault, now)
        told.update(due.faults)
        seen = _to_look_at(db, now, max((at, person) for person, at in seen.items()))
    counts["opportunities"] = opportunities.release(db, terms, now)
    return Planned(**counts)


def _to_look_at(db: Database, now: datetime, after: tuple[datetime, int] | None) -> Seen:
    """The next people whose time has come, and since when. Where there are none, no writer waits for it."""
    whom = select(PersonRow.id, PersonRow.plan_at).where(PersonRow.plan_at <= now)
    if after is not None:  # whoever is locked by somebody else is left for the next round
        whom = whom.where(tuple_(PersonRow.plan_at, PersonRow.id) > after)
    with db.read() as session:
        found = session.execute(whom.order_by(PersonRow.plan_at, PersonRow.id).limit(BATCH)).all()
    return {person: at for person, at in found if at is not None}


def _due(session: Session, desk: Desk, people: Sequence[int]) -> Due:
    """Everything that is due for these people. Only looks."""
    now, words = desk.now, lessons.Words(desk.terms)
    agreed = who.agreed(session, people)
    known = looks.known(session, who.willing(session, people, agreed), now)
    of_kinds = tuple(all_made(session, desk, known, now))
    of_lessons = tuple(lessons.lacking(session, words, people, now))
    faults = [fault for _, made in of_kinds for fault in made.faults]
    of_company = company.next_looks(session, people, desk.terms, now)
    mine = {person: looks.next_look(person, one, now) for person, one in known.items()}
    again = {one: min((at for at in (mine.get(one), of_company.get(one)) if at), default=None) for one in people}
    return Due(of_kinds, of_lessons, _back(session, agreed, now), again, (*faults, *words.faults))


def _back(session: Session, agreed: Mapping[int, frozenset[Consentable]], now: datetime) -> tuple[Back, ...]:
    """Who agrees, is reached and is under no hold, and has something planned that was cancelled before its time."""
    row, person = Outbound, PersonRow
    found = select(row.person_id, who.phone(), row.purpose).join(person, person.id == row.person_id)
    theirs = (row.person_id.in_(list(agreed)), person.held_at.is_(None), *outbox.cancelled(now))
    rows = [Back(*one) for one in session.execute(found.where(*theirs).distinct())]
    return tuple(one for one in rows if one.point_id is not None and one.purpose in agreed[one.person_id])


def _owe(session: Session, due: Due, seen: Seen, now: datetime) -> Counter[str]:
    """Write it down, and when to look again, for those whom nobody marked or holds; how much of each that was."""
    counts = Counter[str]()
    mine = _locked(session, seen)
    for kind, made in due.of_kinds:
        theirs = sorted((one for one in made.drafts if one.person_id in mine), key=lambda one: one.place)
        counts[kind.name] += outbox.add_all(session, [made.drafts[one] for one in kind.take(session, theirs, now)], now)
    wanted = [one for one in due.of_lessons if one.person_id in mine]
    owed = lessons.unchanged(session, wanted)
    for one in due.back:
        if one.person_id in mine:
            counts["revived"] += outbox.revive_planned(session, one.person_id, one.point_id, one.purpose, now)
    counts["lesson_reminders"] = outbox.add_all(session, owed, now)
    counts["revived"] += comebacks.put_right(session, owed)
    later = {one.person_id for one in wanted} - {one.person_id for one in owed}
    new = [{"id": one, "plan_at": now + SOON if one in later else due.again[one]} for one in sorted(mine)]
    if new:
        session.execute(update(PersonRow), new)
    return counts


def _locked(session: Session, seen: Seen) -> set[int]:
    """Those whom nobody else holds and nobody has marked since: a mark that comes now waits for our commit, and stays."""
    rows = select(PersonRow.id, PersonRow.plan_at).where(PersonRow.id.in_(list(seen))).order_by(PersonRow.id)
    free = session.execute(rows.with_for_update(key_share=True, skip_locked=True))
    return {person for person, plan_at in free if plan_at == seen[person]}
