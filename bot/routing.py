"""Which handlers take a message: safety rules first, then an answer to our question, then the kind, then the model.

Pure. `without_model` decides what needs no Rasa, so that an opting-out or a cry for help never waits for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from bot.turn import DecidedBy, Heard, Parse, Turn

MOST_INTENTS = 3
HIDDEN = re.compile(r"\[[^\[\]]{3,40} hidden\]")  # what bot.safety.mask puts there
OLD_NUMBER = re.compile(r"\s*[1-9][.)]?\s*")
FEW_WORDS = 4  # "my card is" with it says nothing to understand
AT_RISK = "safeguarding_disclosure"
REOPENS = ("opt_in", "opt_in_service", "opt_in_checkin", "opt_in_marketing", "opt_in_after_leaving", "opt_out_no")
A_PERSON = ("ask_admin", "request_human", "complaint")
BESIDE_A_RULE = ("course_info", "report_absence", "technical_issue", "group_removal", *A_PERSON)
# D05: who is acted on first. What is not named here comes after, in the order it was heard.
FIRST = (
    AT_RISK,
    "opt_out",
    "opt_out_unsure",
    "wrong_number",
    "opt_out_marketing",
    "opt_out_checkin",
    "report_abuse",
    "report_suspicious",
    "data_access_request",
    "data_erasure_request",
    "data_correction",
    "request_human",
)
ACTS_UNDER_HOLD = (AT_RISK, "opt_out", "opt_out_unsure", "wrong_number", "opt_out_marketing", "opt_out_checkin", "opt_in")
TWILIOS_WORDS = {"STOP": "opt_out", "START": "opt_in", "HELP": "help"}  # Advanced Opt-Out's own (OptOutType)
SHOWN_AS = {
    "opt_out_unsure": "opt_out",
    "opt_out_checkin": "reminder_preferences",
    "unsure": "fallback",
    "not_understood": "fallback",
    "nlu_away": "fallback",
    "what_will_you_send": "course_info",
}
A_PART = ("opt_out_marketing", "reminder_preferences")
PARTS = ("opt_out_marketing", "opt_out_checkin")
WISHES = ("reminder_preferences", "what_will_you_send")
OF_THEIR_DATA = ("data_access_request", "data_erasure_request", "data_correction")
ORDER = "order_asked"
A_PHONE = "phone"  # the option of a question that a phone number answers
# A button says what it is for, whatever else we asked and however long ago it came. Its ids are in data/templates.yml; what
# it leads to re-opens nothing that was closed.
BUTTONS: Mapping[str, str] = {
    "invite_yes": "request_group_link",
    "invite_no": "invitation_declined",
    "late": "report_absence",
    "absent": "report_absence",
    "no_more_jobs": "opt_out_marketing",
    "doing_well": "checkin_well",
    "doing_ok": "checkin_ok",
    "need_help": "checkin_struggling",
}


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
        return _from_rules(turn)
    if turn.message.button in BUTTONS:
        return Choice((BUTTONS[turn.message.button],), "exact")
    if turn.orders and not turn.answer:  # we ask before it counts; its free words may be a cry for help all the same
        return Choice((ORDER,), "rule" if any(one.words for one in turn.orders) else "exact")
    if turn.pending and turn.answer:
        return Choice((turn.pending.options[turn.answer],), "exact")
    return _by_its_look(turn) or (Choice(("nlu_away",), "fallback", 0.0) if turn.nlu_away else None)


def _by_its_look(turn: Turn) -> Choice | None:
    """What needs no model: a file, nothing at all, a wish about our messages, hidden details, a number of an old menu."""
    message = turn.message
    if message.media or not message.text:
        return Choice((f"media_{_seen_kind(turn)}",), "exact")
    if turn.wish:
        return Choice((_wished(turn),), "rule")
    if message.masked and len(HIDDEN.sub(" ", message.text).split()) <= FEW_WORDS:
        return Choice(("only_details",), "rule")
    return Choice(("help",), "exact") if OLD_NUMBER.fullmatch(message.text) else None


def with_model(turn: Turn, parse: Parse, limits: Limits) -> Choice:
    """The choice from what Rasa heard. Recall comes first for safeguarding; a doubtful opting-out pauses (D02, D06)."""
    scores = _scores(parse)
    at_risk, stop = scores.get(AT_RISK, 0.0), scores.get("opt_out", 0.0)
    first = [AT_RISK] if at_risk >= limits.safeguarding else []
    if parse.intent == "opt_out" and stop >= limits.opt_out_sure:
        first.append("opt_out")
    elif stop >= limits.opt_out_unsure or (parse.intent == "opt_out" and stop >= limits.accept):
        first.append("opt_out_unsure")
    if first:  # both are acted on (D05)
        return Choice(tuple(first), "model", at_risk if first[0] == AT_RISK else stop)
    if parse.confidence >= limits.accept:
        return Choice((_or_all(turn, parse.intent),), "model", parse.confidence)
    return Choice(("not_understood" if turn.misses else "unsure",), "fallback", parse.confidence)


def _or_all(turn: Turn, intent: str) -> str:
    """The intent, or a doubtful opting out where the words say more than the part that the model hears (D02)."""
    return "opt_out_unsure" if turn.says_all and intent in A_PART else intent


def choose(turn: Turn, limits: Limits) -> Choice:
    """Who handles this turn: at most three, in the order of D05. Raises ValueError if the model was needed and not asked."""
    choice = without_model(turn)
    if choice is None:
        if turn.parse is None:
            raise ValueError("there is nothing from the model to choose from")
        choice = with_model(turn, turn.parse, limits)
    elif turn.parse is not None:
        choice = with_more(_no_mere_wish(turn, choice, turn.parse, limits), turn.parse, limits)
    return _under_hold(turn, _overtaken(turn, choice))


def second_opinion(turn: Turn, choice: Choice) -> bool:
    """Should the model be asked as well, where it answers at once, for a disclosure that no rule hears? (D06)"""
    not_exact = choice.decided_by == "rule" or bool(turn.message.media)
    return not_exact and bool(turn.message.text) and AT_RISK not in choice.handlers


def _no_mere_wish(turn: Turn, choice: Choice, parse: Parse, limits: Limits) -> Choice:
    """Where a wish decided alone, and the model hears an opting out, however doubtful: they are asked what they mean (D02).

    What they ask of their data stays heard beside it.
    """
    stop = _scores(parse).get("opt_out", 0.0)
    if turn.wish is None or choice.handlers[0] not in (*WISHES, "opt_out_unsure"):
        return choice
    if not turn.heard and choice.handlers[0] in WISHES and stop >= limits.opt_out_unsure:
        choice = Choice(("opt_out_unsure",), "model", stop)
    data = (parse.intent,) if parse.intent in OF_THEIR_DATA and parse.confidence >= limits.accept else ()
    return replace(choice, handlers=(*choice.handlers, *data))


def with_more(choice: Choice, parse: Parse, limits: Limits) -> Choice:
    """What the model hears beside what was decided without it: a disclosure first (D06), a plain request last (D05)."""
    at_risk = _scores(parse).get(AT_RISK, 0.0)
    if at_risk >= limits.safeguarding:
        return Choice((AT_RISK, *choice.handlers)[:MOST_INTENTS], "model", at_risk)
    if {"wrong_number", ORDER} & {*choice.handlers}:  # told nothing of a learner's (D11); and trouble is news here
        return choice
    if parse.intent in BESIDE_A_RULE and parse.confidence >= limits.opt_out_sure and parse.intent not in choice.handlers:
        return replace(choice, handlers=(*choice.handlers, parse.intent)[:MOST_INTENTS])
    return choice


def _overtaken(turn: Turn, choice: Choice) -> Choice:
    """Who said START and then STOP is out, in whichever order the two were taken."""
    if not turn.overtaken:
        return choice
    return replace(choice, handlers=tuple("opt_out_no" if name in REOPENS else name for name in choice.handlers))


def _under_hold(turn: Turn, choice: Choice) -> Choice:
    """After a disclosure: more of the same and opting out act as ever, and a person answers, not we (D07)."""
    acts = tuple(name for name in choice.handlers if name in ACTS_UNDER_HOLD)
    if not turn.on_hold:
        return choice
    if AT_RISK in acts:
        return replace(choice, handlers=acts)
    return replace(choice, handlers=(*acts, "on_hold"))  # whoever looks after them reads this message too


def answered(turn: Turn, read: str) -> str:
    """The option of the pending question that a message chose: by button, by `read` (`yes`, `1` ...), by phone.

    The label of a button answers nothing but the question that it stood under.
    """
    if turn.pending is None or not turn.pending.open_at(turn.now) or turn.message.received_at < turn.pending.asked_at:
        return ""  # what they wrote before we asked answers nothing, however late it reached us
    number = A_PHONE if turn.phone is not None and turn.phone.alone else ""
    for given in (turn.message.button,) if turn.message.button else (read, number):
        if given in turn.pending.options:
            return given
    return ""


def _scores(parse: Parse) -> dict[str, float]:
    return dict(parse.ranking) or {parse.intent: parse.confidence}


def _from_rules(turn: Turn) -> Choice:
    """What was heard in the order of D05; beside a part that they stop, and nothing graver, what they wish."""
    heard, names = turn.heard, dict.fromkeys(_handler(one) for one in turn.heard)
    if turn.wish and set(names) <= {*PARTS, *WISHES}:
        names[_wished(turn)] = None
    ordered = sorted(names, key=lambda name: FIRST.index(name) if name in FIRST else len(FIRST))
    exact = all(one.decided_by == "exact" for one in heard)
    return Choice(tuple(ordered[:MOST_INTENTS]), "exact" if exact else "rule")


def _wished(turn: Turn) -> str:
    """Who grants the wish; where the words say more than that, they are asked what they mean (D02)."""
    if turn.says_all:
        return "opt_out_unsure"
    asks = turn.wish is not None and turn.wish.kind == "what_will_you_send"
    return "what_will_you_send" if asks else "reminder_preferences"


def _handler(heard: Heard) -> str:
    return "opt_out_unsure" if heard.intent == "opt_out" and not heard.sure else heard.intent


def _seen_kind(turn: Turn) -> str:
    kind = turn.message.kind
    return "empty" if kind in ("text", "button", "list") else kind
