"""What a person lets us send: opting out by any wording, coming back, and whose number it is (D02 to D04, P10)."""

from __future__ import annotations

from datetime import timedelta

from actions.office import pass_on
from actions.safety import names_our_number, on_hold
from bot.effects import (
    Ask,
    Disown,
    Effect,
    Grant,
    MoveNumber,
    OpenCase,
    Pause,
    Restore,
    Resume,
    Withdraw,
    say,
    say_safety,
)
from bot.turn import CONSENTABLE, Consentable, Phone, Turn

CHAT = "chat"
ONE_CONFIRMATION = timedelta(hours=24)
PARTS: tuple[Consentable, ...] = ("marketing", "checkin")  # what can be stopped alone by name
SERVICE_AND_CHECKIN: tuple[Consentable, ...] = ("service", "checkin")
PAUSE_QUESTION = Ask("opt_out", say("consent.pause_question"), {"yes": "opt_out", "no": "opt_out_no"})
WHETHER_BACK = Ask("opt_in", say("consent.ask_back"), {"yes": "opt_in", "no": "deny"})
WHETHER_SERVICE = Ask("opt_in", say("consent.ask_service"), {"yes": "opt_in_service", "no": "deny"})
WHETHER_CHECKIN = Ask("opt_in_checkin", say("consent.ask_checkin"), {"yes": "opt_in_checkin", "no": "opt_in_not_checkin"})
WHETHER_MARKETING = Ask("opt_in_marketing", say("consent.ask_marketing"), {"yes": "opt_in_marketing", "no": "deny"})


def opt_out(turn: Turn) -> list[Effect]:
    """Stop everything and confirm once (D03). A repeat within 24 hours is met with silence.

    It is written down all the same: a declaration signed before it, or a START that waited, must re-open nothing.
    """
    text = "consent.opted_out_for_other" if _for_other(turn) else "consent.opted_out"
    silent = _already_confirmed(turn) and not _for_other(turn)
    return [Withdraw(CONSENTABLE, CHAT), *([] if silent else [say_safety(text)])]


def opt_out_unsure(turn: Turn) -> list[Effect]:
    """Pause first, ask second (D02). Whoever has stopped everything already is not asked again."""
    if turn.consent.get("service") == "withdrawn":
        return opt_out(turn)
    if turn.consent.get("service") == "paused":
        return [PAUSE_QUESTION]
    return [Pause(), PAUSE_QUESTION]


def opt_out_no(turn: Turn) -> list[Effect]:
    """They did not mean to stop: the pause ends. A later STOP or a later doubt stays in force (D04)."""
    if turn.consent.get("service") == "withdrawn":
        return [say("consent.stays_off")]
    if not turn.overtaken:
        return [Resume(), say("consent.not_paused")]
    return [PAUSE_QUESTION] if turn.consent.get("service") == "paused" else [say("consent.not_paused")]


def opt_out_marketing(turn: Turn) -> list[Effect]:
    """Stop jobs and opportunities alone, for good until their own yes (P18, L06)."""
    return _stop_parts(turn, "marketing")


def opt_out_checkin(turn: Turn) -> list[Effect]:
    """Stop the questions how they are getting on, and leave the rest as it stands (P19). With jobs, in one answer."""
    return _stop_parts(turn, "checkin")


def opt_in(turn: Turn) -> list[Effect]:
    """START undoes a stop. What was never given, or was stopped by its own name, needs a yes (design section 6)."""
    if turn.opted_out and not _said_so(turn):
        return _ask_whether_back(turn)
    undo = [Restore(SERVICE_AND_CHECKIN, CHAT)] if turn.opted_out else []
    if turn.on_hold:
        return [*undo, *on_hold(turn)]
    if not turn.person.known:
        return [*undo, say("consent.start_not_on_list")]
    on = _on_after_start(turn)
    if "service" not in on:
        return [*undo, WHETHER_SERVICE]
    rest = f"consent.{'_'.join(on[1:]) or 'none'}_rest"
    return [*undo, say("consent.started" if undo else "consent.already_on"), say(rest), *_ask_for_more(on)]


def opt_in_service(turn: Turn) -> list[Effect]:
    """Their yes to our question, where no declaration had given it."""
    if not turn.person.known:
        return [say("consent.start_not_on_list")]
    return [Grant(SERVICE_AND_CHECKIN, CHAT), say("consent.opted_in")]


def opt_in_checkin(turn: Turn) -> list[Effect]:
    """Their yes to check-ins, and then the question about jobs: one at a time."""
    if not turn.person.known:
        return [say("consent.start_not_on_list")]
    return [Grant(("checkin",), CHAT), say("consent.checkin_on"), *_ask_marketing(turn)]


def opt_in_not_checkin(turn: Turn) -> list[Effect]:
    """Their no to check-ins: nothing changes, and jobs have a question of their own."""
    return [say("smalltalk.nothing_changed"), *(_ask_marketing(turn) if turn.person.known else [])]


def opt_in_marketing(turn: Turn) -> list[Effect]:
    """Marketing's own yes (L12)."""
    if not turn.person.known:
        return [say("consent.start_not_on_list")]
    return [Grant(("marketing",), CHAT), say("consent.marketing_on")]


def opt_in_after_leaving(turn: Turn) -> list[Effect]:
    """Their yes after they left the group: lessons anew, and nothing else (P09)."""
    if not turn.person.known:
        return [say("consent.start_not_on_list")]
    return [Grant(("service",), CHAT), say("consent.after_leaving_yes")]


def stay_out(_turn: Turn) -> list[Effect]:
    """Their no after they left the group: all stays off, and nobody minds."""
    return [say("consent.after_leaving_no")]


def wrong_number(turn: Turn) -> list[Effect]:
    """Not our learner: the number is forgotten and silenced, and nobody is named (D11)."""
    withdraw, sorry = Withdraw(CONSENTABLE, "wrong_number"), say_safety("consent.wrong_number")
    if not turn.person.known and _already_confirmed(turn):
        return [withdraw]
    if not turn.person.known:
        return [withdraw, sorry]
    return [withdraw, Disown(), OpenCase("wrong_number"), sorry]


def change_number(turn: Turn) -> list[Effect]:
    """A new phone gets no data. From the old one, one question moves everything; who lost it calls the office (D10)."""
    if not turn.person.known:
        return [OpenCase("change_number"), say("consent.number_unknown")]
    if turn.person.roles or not turn.enrolments:  # what staff may see does not move by a message
        return pass_on(turn, "change_number")
    if turn.phone is None or names_our_number(turn.phone.value):
        return [Ask("which_number", say("consent.number_which"), {"phone": "change_number"})]
    if turn.phone.whose in ("taken", "theirs"):
        return _not_moved(turn.phone)
    question = say("consent.number_question", number=turn.phone.shown)
    return [Ask("change_number", question, {"yes": "change_number_yes", "no": "deny"}, about=turn.phone.value)]


def change_number_yes(turn: Turn) -> list[Effect]:
    """Their yes, from the old phone: the new one is theirs, and the office corrects its own list (F22)."""
    if turn.phone_asked is None or not turn.person.known:
        return pass_on(turn, "change_number")
    if turn.phone_asked.whose in ("taken", "theirs"):
        return _not_moved(turn.phone_asked)
    text = "consent.number_done" if turn.phone_asked.whose == "met" else "consent.number_waits"
    told = say(text, number=turn.phone_asked.shown)
    return [MoveNumber(turn.phone_asked.value), OpenCase("change_number"), told]


def _not_moved(phone: Phone) -> list[Effect]:
    """Whose a number is, nobody is told: another's, or one that said no, is for the office to check."""
    if phone.whose == "theirs":
        return [say("consent.number_same")]
    return [OpenCase("change_number"), say("consent.number_office")]


def _stop_parts(turn: Turn, named: Consentable) -> list[Effect]:
    """Everything that this message stops by name, and one answer that reads back what is off and what stays on."""
    heard = {one.intent for one in turn.heard}
    off = tuple(purpose for purpose in PARTS if purpose == named or f"opt_out_{purpose}" in heard)
    stopped: list[Effect] = [Withdraw(off, CHAT), say(f"consent.{'_'.join(off)}_off")]
    if turn.consent.get("service") == "paused":
        return [*stopped, PAUSE_QUESTION]
    on = [purpose for purpose in CONSENTABLE if purpose not in off and turn.consent.get(purpose) == "given"]
    return [*stopped, say(f"consent.{'_'.join(on) or 'none'}_still_on")]


def _already_confirmed(turn: Turn) -> bool:
    if turn.withdrawn_at is None or "given" in turn.consent.values():
        return False
    return turn.now - turn.withdrawn_at < ONE_CONFIRMATION


def _for_other(turn: Turn) -> bool:
    return any(heard.intent == "opt_out" and "for_other" in heard.flags for heard in turn.heard)


def _said_so(turn: Turn) -> bool:
    """START, a keyword like it, or an answer to our question. What only the model hears re-opens nothing."""
    by_rule = any(heard.intent == "opt_in" for heard in turn.heard) or turn.message.answered_by_twilio == "START"
    return by_rule or (turn.pending is not None and turn.pending.options.get(turn.answer) == "opt_in")


def _ask_whether_back(turn: Turn) -> list[Effect]:
    """The model hears a wish to come back, and may have missed a "not": nothing changes until they have said so."""
    if turn.on_hold:
        return [*on_hold(turn)]
    if not turn.person.known:
        return [say("consent.start_not_on_list")]
    if turn.consent.get("service") == "paused":
        return [PAUSE_QUESTION]
    if "service" not in turn.restorable:
        return [WHETHER_SERVICE]
    return [WHETHER_BACK]


def _on_after_start(turn: Turn) -> list[Consentable]:
    """What will be on by the ledger once START has done what it does. Jobs come back from a pause alone."""
    back = {p for p in turn.restorable if p in SERVICE_AND_CHECKIN or turn.consent.get(p) == "paused"}
    return [p for p in CONSENTABLE if turn.consent.get(p) == "given" or (turn.opted_out and p in back)]


def _ask_for_more(on: list[Consentable]) -> list[Effect]:
    """One question about what is off: check-ins first."""
    if "checkin" not in on:
        return [WHETHER_CHECKIN]
    return [] if "marketing" in on else [WHETHER_MARKETING]


def _ask_marketing(turn: Turn) -> list[Effect]:
    return [] if turn.consent.get("marketing") == "given" else [WHETHER_MARKETING]
