"""How fast we may write: to Twilio as a whole, and to one recipient (twilio-whatsapp.md section 3; design section 3).

A bucket is kept as one moment, the time at which it will be full again if nothing more is taken (the generic cell
rate algorithm): no counter to refill, nothing to lose when a worker dies.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Bucket:
    """`size` tokens, one coming back every `every`."""

    size: int
    every: timedelta


SENDER = Bucket(80, timedelta(seconds=1) / 80)  # 80 messages a second for one WhatsApp sender
RECIPIENT = Bucket(10, timedelta(seconds=6))  # Meta's pair rate: about one in 6 s to the same person


def free_at(bucket: Bucket, full_until: datetime | None, now: datetime) -> datetime:
    """When the next token is there: `now` or earlier if one is there already."""
    if full_until is None:
        return now
    return _possible(bucket, full_until, now) + bucket.every - bucket.size * bucket.every


def take(bucket: Bucket, full_until: datetime | None, now: datetime) -> datetime:
    """The bucket's moment after one token was taken at `now`."""
    return max(_possible(bucket, full_until or now, now), now) + bucket.every


def _possible(bucket: Bucket, full_until: datetime, now: datetime) -> datetime:
    """A moment further ahead than this was written before the clock went back, or in a rehearsal: the bucket is full.

    Safety replies are taken without asking, and so the bucket may be emptier than empty; not by more than its size.
    """
    return full_until if full_until <= now + 2 * bucket.size * bucket.every else now
