"""Which handlers take a message: safety rules first, then an answer to our question, then the kind, then the model.

Pure. `without_model` decides what needs no Rasa, so that an opting-out or a cry for help never waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.turn import DecidedBy, Heard, Parse, Turn

MOST_INTENTS = 3
# D05: who is acted on first. What is not named here comes after, in the order it was heard.
FIRST = (
    "safeguarding_disclosure",
    "opt_out",
    "opt_out_unsure",
    "wrong_number",
    "opt_out_marketing",
    "report_abuse",
    "report_suspicious",
    "data_access_request",
    "data_erasure_request",
    "data_correction",
    "request_human",
)
ACTS_UNDER_HOLD = ("safeguarding_disclosure", "opt_out", "opt_out_unsure", "wrong_number", "opt_out_marketing")
TWILIOS_WORDS = {"STOP": "opt_out", "START": "opt_in", "HELP": "help"}  # Advanced Opt-Out's own (OptOutType)
SHOWN_AS = {"opt_out_unsure": "opt_out", "unsure": "fallback", "not_understood": "fallback", "nlu_away": "fallback"}


class Limits(Protocol):
    """How sure the model must be, each from 0 to 1 (nlu/thresholds.yml, chosen on held-out data)."""

    @property
    def accept(self) -> float: ...
    @property
    def opt_out_sure(self) -> float: ...
    @property
    def opt_out_unsure(self) -> float: ...
    @property
    def safeguarding(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Choice:
    """The handlers to ask, at most three, most important first; who decided, and how sure (0 to 1)."""

    handlers: tuple[str, ...]
    decided_by: DecidedBy
    confidence: float = 1.0

    @property
    def intent(self) -> str:
        """The first intent, by its name in the catalogue; `fallback` when unsure."""
        return SHOWN_AS.get(self.handlers[0], self.handlers[0])


def without_model(turn: Turn) -> Choice | None:
    """The choice where words, a pending question or the kind of message decide; None where the model must."""
    if turn.message.answered_by_twilio in TWILIOS_WORDS:
        return Choice((TWILIOS_WORDS[turn.message.answered_by_twilio],), "exact")
    if turn.heard:
        return _from_rules(turn.heard)
    if turn.pending and turn.answer:
        return Choice((turn.pending.options[turn.answer],), "exact")
    if turn.message.media or not turn.message.text:
        return Choice((f"media_{_seen_kind(turn)}",), "exact")
    return Choice(("nlu_away",), "fallback", 0.0) if turn.nlu_away else None


def with_model(turn: Turn, limits: Limits) -> Choice:
    """The choice from what Rasa heard. Recall comes first for safeguarding; a doubtful opting-out pauses (D02, D06)."""
    if turn.parse is None:
        raise ValueError("there is nothing from the model to choose from")
    scores = _scores(turn.parse)
    at_risk, stop = scores.get("safeguarding_disclosure", 0.0), scores.get("opt_out", 0.0)
    if at_risk >= limits.safeguarding:
        return Choice(("safeguarding_disclosure",), "model", at_risk)
    if turn.parse.intent == "opt_out" and stop >= limits.opt_out_sure:
        return Choice(("opt_out",), "model", stop)
    if stop >= limits.opt_out_unsure or (turn.parse.intent == "opt_out" and stop >= limits.accept):
        return Choice(("opt_out_unsure",), "model", stop)
    if turn.parse.confidence >= limits.accept:
        return Choice((turn.parse.intent,), "model", turn.parse.confidence)
    return Choice(("not_understood" if turn.misses else "unsure",), "fallback", turn.parse.confidence)


def second_opinion(turn: Turn, choice: Choice) -> bool:
    """Should the model be asked as well, where it answers at once, for a disclosure that no rule hears? (D06)"""
    not_exact = choice.decided_by == "rule" or bool(turn.message.media)
    return not_exact and bool(turn.message.text) and "safeguarding_disclosure" not in choice.handlers


def with_risk(turn: Turn, choice: Choice, limits: Limits) -> Choice:
    """The choice with a disclosure first, where the model heard one in what was decided without it. Either is enough."""
    at_risk = _scores(turn.parse).get("safeguarding_disclosure", 0.0) if turn.parse else 0.0
    if at_risk < limits.safeguarding or "safeguarding_disclosure" in choice.handlers:
        return choice
    return Choice(("safeguarding_disclosure", *choice.handlers)[:MOST_INTENTS], "model", at_risk)


def under_hold(turn: Turn, choice: Choice) -> Choice:
    """After a disclosure: more of the same and opting out act as ever; to all else a person answers, not we (D07)."""
    if not turn.on_hold or choice.handlers[0] in ACTS_UNDER_HOLD:
        return choice
    return Choice(("on_hold",), choice.decided_by, choice.confidence)


def answered(turn: Turn, read: str) -> str:
    """The option of the pending question that a message chose: by button, or by `read` (`yes`, `no`, `1` to `9`)."""
    if turn.pending is None or not turn.pending.open_at(turn.now):
        return ""
    for given in (turn.message.button, read):
        if given in turn.pending.options:
            return given
    return ""


def _scores(parse: Parse) -> dict[str, float]:
    return dict(parse.ranking) or {parse.intent: parse.confidence}


def _from_rules(heard: tuple[Heard, ...]) -> Choice:
    names = dict.fromkeys(_handler(one) for one in heard)
    ordered = sorted(names, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    exact = all(one.decided_by == "exact" for one in heard)
    return Choice(tuple(ordered[:MOST_INTENTS]), "exact" if exact else "rule")


def _handler(heard: Heard) -> str:
    return "opt_out_unsure" if heard.intent == "opt_out" and not heard.sure else heard.intent


def _seen_kind(turn: Turn) -> str:
    kind = turn.message.kind
    return "empty" if kind in ("text", "button", "list") else kind
