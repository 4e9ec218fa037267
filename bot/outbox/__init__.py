"""Messages we owe: added in the turn's own commit, leased one at a time for each recipient, sent once (design 3)."""

from bot.outbox.claim import Claimed, Sending, claim, claim_some, mark_unknown
from bot.outbox.record import advance, record
from bot.outbox.rows import (
    OF_THE_PERSON,
    REPLY_LASTS,
    Draft,
    add,
    add_all,
    cancel_planned,
    cancelled,
    gather,
    revive_planned,
)
from bot.outbox.silent import ask_after_silent
from bot.outbox.unknown import reconcile, tell_of_unknown
from bot.terms import Terms

__all__ = [
    "OF_THE_PERSON",
    "REPLY_LASTS",
    "Claimed",
    "Draft",
    "Sending",
    "Terms",
    "add",
    "add_all",
    "advance",
    "ask_after_silent",
    "cancel_planned",
    "cancelled",
    "claim",
    "claim_some",
    "gather",
    "mark_unknown",
    "reconcile",
    "record",
    "revive_planned",
    "tell_of_unknown",
]
