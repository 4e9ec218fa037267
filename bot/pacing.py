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
    return full_until + bucket.every - bucket.size * bucket.every


def take(bucket: Bucket, full_until: datetime | None, now: datetime) -> datetime:
    """The bucket's moment after one token was taken at `now`."""
    return max(full_until or now, now) + bucket.every
