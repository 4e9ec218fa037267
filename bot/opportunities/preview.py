"""Who would get an opportunity and who would not, before anybody does: the gate is asked for all of them (P08, P18)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from bot.database import Database
from bot.models import Opportunity
from bot.opportunities.approval import mark_of
from bot.opportunities.audience import Reader, ask, audience
from bot.opportunities.reach import days_for, days_open, room, template_is_ready
from bot.opportunities.values import TEMPLATE, NoSuchOpportunity, Progress, text_of
from bot.terms import Terms

AT_ONCE = 1000  # people of whom the gate is asked in one go
UNREACHABLE = "NOT_REACHABLE"
OTHERS, FEW = "OTHERS", 5  # fewer than so many may be known by name in their class: one word for all of these (D18)
# Whom a hold protects nobody may guess from a count: it is one of several reasons under one word (D18).
SHOWN_AS = dict.fromkeys(("WRONG_NUMBER", "SAFEGUARDING_HOLD", "BLOCKED_BY_USER", "NO_PHONE"), UNREACHABLE)
WORDS: Mapping[str, str] = {  # in the order in which they are told
    "OPTED_OUT": "opted out",
    "PAST_6_MONTHS": "past six months",
    "MARKETING_NOT_CONSENTED": "no marketing consent",
    UNREACHABLE: "not reachable now",
    "STALE": "too late",
    OTHERS: "others",
}


@dataclass(frozen=True, slots=True)
class Survey:
    """How many of those it is for will get it, how many of these by template alone, and why the others will not."""

    will: int = 0
    outside: int = 0  # of those who will: the session window is shut, or will be
    later: Mapping[datetime, int] = field(default_factory=dict)  # of these: whom the frequency cap sets free only then
    will_not: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preview:
    """What comes of it if it goes as it is written. `days` at `a_day` people outside the window; `days_open` there are."""

    survey: Survey
    text: str
    a_day: int
    days: int
    days_open: int
    template_ready: bool
    mark: str  # of what was read: who approves it says so


def preview(db: Database, terms: Terms, code: str, now: datetime, progress: Progress | None = None) -> Preview:
    """Ask for everybody in the audience who has no message of it yet, at `now` (aware UTC). Raises NoSuchOpportunity."""
    one = read(db, code)
    found = survey(db, terms, one, now, progress)
    with db.read() as session:
        today, ready = room(session, terms, now), template_is_ready(session, terms.templates, TEMPLATE)
    template, since = terms.templates.find(TEMPLATE, "en"), max(now, one.release_at or now)
    return Preview(
        survey=found,
        text=text_of(one, terms, template.variables[0].sample),
        a_day=terms.marketing_reach,
        days=days_for(found.outside, found.later, today, terms, since),
        days_open=days_open(terms, since, one.best_before),
        template_ready=ready,
        mark=mark_of(one),
    )


def read(db: Database, code: str) -> Opportunity:
    """The opportunity of this code as it stands. Raises NoSuchOpportunity."""
    with db.read() as session:
        found = session.scalar(select(Opportunity).where(Opportunity.code == code))
        if found is None:
            raise NoSuchOpportunity(f"there is no opportunity {code}")
        session.expunge(found)
        return found


def survey(db: Database, terms: Terms, one: Opportunity, now: datetime, progress: Progress | None = None) -> Survey:
    """What the gate says of each of the audience, counted."""
    with db.read() as session:
        people = session.scalars(audience(one, now)).all()
    said: Counter[str | None] = Counter()
    later: Counter[datetime] = Counter()
    outside = 0
    for start in range(0, len(people), AT_ONCE):
        with db.read() as session:
            readers = ask(session, one, people[start : start + AT_ONCE], terms, now)
        said.update(SHOWN_AS.get(each.reason or "", each.reason) for each in readers)
        later.update(each.free_at for each in readers if each.free_at)
        outside += _outside(readers)
        if progress:
            progress(start + len(readers), len(people))
    will = said.pop(None, 0)
    return Survey(will, outside, later, in_order(said))


def in_order(counts: Mapping[str | None, int]) -> dict[str, int]:
    """Counts by reason, in the order in which they are told; reasons that nobody may tell apart together.

    Where a few are not reachable now, they go with all the other few under one word: it may be one of them who is on hold.
    """
    shown: Counter[str] = Counter()
    for reason, count in counts.items():
        shown[SHOWN_AS.get(reason or "", reason or "")] += count
    if 0 < shown[UNREACHABLE] < FEW:
        few = [reason for reason, count in shown.items() if count < FEW]
        shown[OTHERS] = sum(shown.pop(reason) for reason in few)
    places = {reason: place for place, reason in enumerate(WORDS)}
    return {reason: shown[reason] for reason in sorted(shown, key=lambda one: (places.get(one, len(places)), one))}


def told(survey: Survey) -> str:
    """The counts as a sentence: "42 will get it; 5 will not: 3 opted out, 1 past six months, 1 no marketing consent." """
    reasons = ", ".join(f"{count} {WORDS.get(reason, reason)}" for reason, count in survey.will_not.items())
    return f"{survey.will} will get it; {sum(survey.will_not.values())} will not{': ' if reasons else ''}{reasons}."


def _outside(readers: Iterable[Reader]) -> int:
    return sum(each.reason is None and (not each.window_open or each.free_at is not None) for each in readers)
