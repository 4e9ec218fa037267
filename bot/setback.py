"""After the clock went back, nobody waits for a moment that was meant to be seconds ahead and is now hours away.

A machine's clock is put right, a demo begins again, a rehearsal was held in the future: what was leased, tried or owed
at a time that has yet to come would stand still until it came. What was planned for a moment of its own keeps it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, inspect, or_, select, update

from bot import alerts, inbox
from bot.database import Database, wake_workers
from bot.gate import ANSWERS
from bot.hours import GROUP_HOURS, Hours, hours_for, opening
from bot.models import Alert, Base, Inbound, Opportunity, Outbound, Stop
from bot.opportunities import RECALL_FOR
from bot.outbox import stopping
from bot.outbox.claim import LEASE
from bot.outbox.unknown import LOOK_LEASE
from bot.planning.opportunities import LOOK_AGAIN

SLACK = timedelta(minutes=1)  # machines' clocks differ by seconds, and a message is given back for seconds at most


@dataclass(frozen=True, slots=True)
class _Beyond:
    """Rows that wait for longer than their rule ever makes anything wait, and what puts that right."""

    table: type[Base]
    where: tuple[ColumnElement[bool], ...]
    to: Mapping[str, datetime | None]


def mend(db: Database, now: datetime, hours: Hours = GROUP_HOURS) -> int:
    """Let what waits beyond any of our rules wait no longer than they say; how many rows. None: nobody writes anything."""
    found = [*_beyond(now), *_opportunities(now, hours)]
    with db.read() as session:
        stuck = [one for one in found if session.execute(select(*_key(one)).where(*one.where).limit(1)).first()]
    if not stuck:
        return 0
    with db.write() as session:
        changes = [update(one.table).where(*one.where).values(**one.to).returning(*_key(one)) for one in stuck]
        mended = sum(len(session.execute(change).all()) for change in changes)
        wake_workers(session)
        return mended


def _beyond(now: datetime) -> Iterator[_Beyond]:
    """Leases end as if taken now: whoever still holds one may finish. All else is asked about at once."""
    taken = now + inbox.LEASE
    yield _Beyond(Inbound, (Inbound.state == "received", Inbound.leased_until > taken), {"leased_until": taken})
    yield _Beyond(Inbound, (Inbound.state == "received", Inbound.retry_at > now + SLACK), {"retry_at": now})
    sent = now + max(LEASE, LOOK_LEASE)
    in_hand = Outbound.state.in_(("sending", "unknown"))
    yield _Beyond(Outbound, (in_hand, Outbound.leased_until > sent), {"leased_until": sent})
    from_later = or_(Outbound.created_at > now + SLACK, Outbound.tried_at > now + SLACK)
    awaited = or_(Outbound.purpose.in_(ANSWERS), Outbound.urgent)  # the gate is asked again, and says what may go
    yield _Beyond(Outbound, (Outbound.state == "queued", from_later, awaited, Outbound.due_at > now), {"due_at": now})
    yield _Beyond(Alert, (Alert.state == "queued", Alert.due_at > now + alerts.RETRY[-1]), {"due_at": now})
    yield _Beyond(Stop, (Stop.until > now + stopping.TRY_AGAIN[-1],), {"until": now})


def _opportunities(now: datetime, hours: Hours) -> Iterator[_Beyond]:
    """One that may go is looked at every hour while the hours are open; before they open it waits for that moment."""
    recalled_until = now + RECALL_FOR
    stands = (Opportunity.plan_at.is_not(None), Opportunity.release_at > recalled_until + SLACK)
    yield _Beyond(Opportunity, stands, {"release_at": recalled_until, "plan_at": recalled_until})
    if opening(hours_for("marketing", hours), now) <= now:
        yield _Beyond(Opportunity, (Opportunity.plan_at > now + LOOK_AGAIN + SLACK,), {"plan_at": now})


def _key(one: _Beyond) -> tuple[ColumnElement[object], ...]:
    return tuple(inspect(one.table).primary_key)
