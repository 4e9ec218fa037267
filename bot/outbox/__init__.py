"""Messages we owe: added in the turn's own commit, leased one at a time for each recipient, sent once (design 3)."""

from bot.outbox.claim import Sending, claim, mark_unknown
from bot.outbox.record import advance, record
from bot.outbox.rows import REPLY_LASTS, Draft, add, cancel_planned, gather
from bot.outbox.silent import ask_after_silent
from bot.outbox.unknown import reconcile, tell_of_unknown
from bot.terms import Terms

__all__ = [
    "REPLY_LASTS",
    "Draft",
    "Sending",
    "Terms",
    "add",
    "advance",
    "ask_after_silent",
    "cancel_planned",
    "claim",
    "gather",
    "mark_unknown",
    "reconcile",
    "record",
    "tell_of_unknown",
]
