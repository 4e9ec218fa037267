"""How many people an opportunity may still reach today, and how many days it needs for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from math import ceil

from sqlalchemy import func, or_, select, union
from sqlalchemy.orm import Session

from bot.facts import reached_lately
from bot.hours import DAY, LONDON, hours_for, opening, opening_on
from bot.models import Outbound
from bot.template_store import ready_sid
from bot.templates import Templates
from bot.terms import Terms


def room(session: Session, terms: Terms, now: datetime) -> int:
    """People outside the session window whom opportunities may still be owed to, the reserve for lesson news kept.

    Whoever was written to in the last 24 hours takes a place, and so does whoever waits for an opportunity already,
    unless the frequency cap keeps it for a later day.
    """
    today = or_(Outbound.reason.is_(None), Outbound.reason != "FREQUENCY_CAP", Outbound.due_at <= now)
    waits = (Outbound.purpose == "marketing", Outbound.state == "queued", today)
    taken = union(
        select(Outbound.contact_point_id).where(reached_lately(now)), select(Outbound.contact_point_id).where(*waits)
    ).subquery()
    return max(0, terms.marketing_reach - (session.scalar(select(func.count()).select_from(taken)) or 0))


def template_is_ready(session: Session, templates: Templates, name: str) -> bool:
    """Has WhatsApp approved it, in any language? Without that nothing goes outside the window."""
    return any(ready_sid(session, one) for one in templates if one.name == name)


def days_needed(people: int, today: int, a_day: int) -> int:
    """Days until so many were reached, with room for `today` now and for `a_day` on each day after it."""
    return 0 if not people else 1 + ceil(max(0, people - today) / a_day)


def days_for(people: int, later: Mapping[datetime, int], today: int, terms: Terms, since: datetime) -> int:
    """Days on which opportunities may go until all of these people were reached, counted from `since` (aware UTC).

    `later` says how many of them the frequency cap sets free at which opening, and no sooner.
    """
    a_day = terms.marketing_reach
    from_each = ((at, sum(count for when, count in later.items() if when >= at)) for at in later)
    waits = (days_open(terms, since, at) + days_needed(count, a_day, a_day) for at, count in from_each)
    return max(days_needed(people, today, a_day), *waits, 0)


def days_open(terms: Terms, since: datetime, until: datetime) -> int:
    """Days of London's calendar between the two moments (aware UTC) on which opportunities may go."""
    hours = hours_for("marketing", terms.hours)
    at, days = opening(hours, since), 0
    while at < until:
        at, days = opening_on(hours, at.astimezone(LONDON).date() + DAY), days + 1
    return days
