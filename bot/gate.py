"""May this be said to this person now? The one answer to that, asked again at the moment of sending (design 6, D01).

Pure: whoever asks loads the facts. The reasons come in the order of D01, so that the weightiest is the one recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bot.turn import TAKEN_BACK, Consentable, ConsentState, Purpose

Reason = Literal[
    "WRONG_NUMBER",
    "SAFEGUARDING_HOLD",
    "OPTED_OUT",
    "NO_CONSENT",
    "MARKETING_NOT_CONSENTED",
    "STALE",
    "WINDOW_CLOSED_NO_TEMPLATE",
]
ANSWERS: tuple[Purpose, ...] = ("reply", "safety", "staff")  # they wrote to us, or are our own staff: no consent asked


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gate must know of one message and the one it is for. `now` is aware UTC."""

    purpose: Purpose
    now: datetime
    window_open: bool  # the person wrote in the last 24 hours (D14)
    wrong_number: bool = False
    on_hold: bool = False
    confirms_opt_out: bool = False
    best_before: datetime | None = None
    consent: Mapping[Consentable, ConsentState] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """Sent if `reason` is None; else withheld, for that reason."""

    reason: Reason | None = None

    @property
    def allowed(self) -> bool:
        """True when it may be sent."""
        return self.reason is None


def may_send(facts: Facts) -> Decision:
    """The decision for one message. The first rule that objects gives its reason."""
    proactive = facts.purpose not in ANSWERS
    if facts.wrong_number and proactive:
        return Decision("WRONG_NUMBER")
    if facts.on_hold and facts.purpose not in ("safety", "staff") and not facts.confirms_opt_out:
        return Decision("SAFEGUARDING_HOLD")
    if proactive and (reason := _without_consent(facts)):
        return Decision(reason)
    if facts.best_before is not None and facts.now >= facts.best_before:
        return Decision("STALE")
    if not facts.window_open:
        return Decision("WINDOW_CLOSED_NO_TEMPLATE")
    return Decision()


def _without_consent(facts: Facts) -> Reason | None:
    if facts.purpose not in ("service", "checkin", "marketing"):
        return None
    state = facts.consent.get(facts.purpose, "never_asked")
    if state == "given":
        return None
    if facts.consent.get("service") in TAKEN_BACK:
        return "OPTED_OUT"
    if facts.purpose == "marketing":
        return "MARKETING_NOT_CONSENTED"
    return "OPTED_OUT" if state in TAKEN_BACK else "NO_CONSENT"
