"""Our words for where an outbound message stands, Twilio's words in them, and which of two goes further."""

from __future__ import annotations

from typing import Literal

State = Literal["queued", "sending", "unknown", "accepted", "sent", "failed", "delivered", "read", "withheld"]

# Callbacks come late, twice and out of order (Twilio, "track outbound message status"): only a higher rank counts.
# A failure outranks `sent`, and proof that it arrived outranks a failure.
FORWARD = ("queued", "sending", "unknown", "accepted", "sent", "failed", "delivered", "read")
WENT: tuple[State, ...] = ("accepted", "sent", "delivered", "read")  # Twilio took it
MAY_HAVE_GONE: tuple[State, ...] = ("sending", "unknown", *WENT)
IN_VAIN: tuple[State, ...] = ("failed", "withheld")  # it reached nobody, and never will
# Why a row stands as it does, beside the gate's own reasons (bot.gate).
SENT_AGAIN = "SENT_AGAIN"  # it failed, and a row of its own goes in its place
ARRIVED_AFTER_ALL = "ARRIVED_AFTER_ALL"  # that other row was not needed
RETRIES_SPENT = "RETRIES_SPENT"
NOT_FOUND, AMBIGUOUS = "NOT_FOUND", "AMBIGUOUS"  # what came of looking for an unknown one at Twilio
ERASED = "ERASED"  # it was owed to somebody who was erased
RESTORED = "RESTORED"  # withheld by hand after a restore: it may have gone since the copy was made (docs/running.md)
REASONS = (SENT_AGAIN, ARRIVED_AFTER_ALL, RETRIES_SPENT, NOT_FOUND, AMBIGUOUS, ERASED, RESTORED)
RANK: dict[str, int] = {state: rank for rank, state in enumerate(FORWARD)}

FROM_TWILIO: dict[str, State] = {
    "accepted": "accepted",
    "scheduled": "accepted",
    "queued": "accepted",
    "sending": "accepted",
    "sent": "sent",
    "delivered": "delivered",
    "partially_delivered": "delivered",
    "read": "read",
    "failed": "failed",
    "undelivered": "failed",
    "canceled": "failed",
}


def furthest(old: str, new: str) -> str:
    """The state that stands after both were heard, in whichever order. `withheld` never went out."""
    if old not in RANK:
        return old
    return new if RANK.get(new, -1) > RANK[old] else old
