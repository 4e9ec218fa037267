"""Finds what people wrote while we could not be reached: Twilio knocks once or twice, and no more (twilio-whatsapp.md 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select

from bot import inbox
from bot.database import Database
from bot.models import Inbound
from bot.safety import Lexicon
from bot.whatsapp import Incoming, Records

LONGEST = timedelta(days=7)  # how far back we look unasked: Twilio's copies are deleted within that time (L26)
OVERLAP = timedelta(hours=1)  # a message may be stored long after one that was written later
STILL_KNOCKING = timedelta(minutes=1)  # a webhook takes 15 s with all its retries, and tells more than the list does
log = structlog.get_logger(__name__)
Progress = Callable[[int], None]  # messages looked at so far


@dataclass(frozen=True, slots=True)
class Recovered:
    """How many messages Twilio has since then, and how many of them were new to us."""

    since: datetime
    found: int = 0
    new: int = 0


@dataclass(slots=True)
class Lookout:
    """Looks again and again, each time from shortly before it last could: no outage is announced, and some are Twilio's."""

    db: Database
    lexicon: Lexicon
    records: Records
    looked_at: datetime | None = None

    def look(self, now: datetime) -> int:
        """Store what is missing; how many that were. Raises ProviderAway: the next look then begins where this one did."""
        looked_at = min(self.looked_at, now) if self.looked_at else None  # later than now: the clock went back since
        since = max(looked_at - OVERLAP, now - LONGEST) if looked_at else last_heard(self.db, now)
        found = self.recover(since, now)
        self.looked_at = now
        return found.new

    def recover(self, since: datetime, now: datetime, progress: Progress | None = None) -> Recovered:
        """Store every message that Twilio got from `since` on (aware UTC) and we did not, just as the webhook does.

        Each is received when Twilio got it. One that is here already changes nothing, and one of the last minute is left to
        the webhook. No transaction is open while Twilio is asked. Raises ProviderAway: what was stored until then is kept.
        """
        found = new = 0
        for incoming, received_at in self.records.inbound_since(since):
            if received_at > now - STILL_KNOCKING:
                break  # the oldest came first
            found += 1
            new += self._store(incoming, received_at, now)
            if progress:
                progress(found)
        return Recovered(since, found, new)

    def _store(self, incoming: Incoming, received_at: datetime, now: datetime) -> bool:
        with self.db.write() as session:
            new = inbox.record(session, incoming, inbox.look_over(incoming, self.lexicon), now, received_at)
        if new:
            late_s = round((now - received_at).total_seconds())
            log.warning("recovery.stored", sid=incoming.sid, kind=incoming.kind, late_s=late_s)
        return new


def last_heard(db: Database, now: datetime) -> datetime:
    """From when on messages may be missing: an hour before the newest one we have, and never more than seven days ago.

    With none at all it is the last hour: there was nobody here to be written to, and what is older is for whoever asks.
    """
    with db.read() as session:
        newest = session.scalar(select(func.max(Inbound.received_at)))
    return max((newest or now) - OVERLAP, now - LONGEST)
