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
    question = Ask("opt_out", say("consent.pause_question"), {"yes": "opt_out", "no": "opt_out_no"})
    if turn.consent.get("service") == "paused":
        return [question]
    return [Pause(), question]


def opt_out_no(turn: Turn) -> list[Effect]:
    """They did not mean to stop: the pause ends. A STOP sent in between stays in force (D04)."""
    if turn.consent.get("service") == "withdrawn":
        return [say("consent.stays_off")]
    return [Resume(), say("consent.not_paused")]


def opt_out_marketing(turn: Turn) -> list[Effect]:
    """Stop jobs and opportunities alone, for good until their own yes (P18, L06)."""
    return _stop_parts(turn, "marketing")


def opt_out_checkin(turn: Turn) -> list[Effect]:
    """Stop the questions how they are getting on, and leave the rest as it stands (P19). With jobs, in one answer."""
    return _stop_parts(turn, "checkin")


def opt_in(turn: Turn) -> list[Effect]:
    """START undoes a stop. What was never given needs a yes, and marketing one of its own (design section 6)."""
    undo = [Restore(SERVICE_AND_CHECKIN, CHAT)] if turn.opted_out else []
    if turn.on_hold:
        return [*undo, *on_hold(turn)]
    if not turn.person.known:
        return [*undo, say("consent.start_not_on_list")]
    if turn.restorable & set(SERVICE_AND_CHECKIN):
        return [*undo, say("consent.started"), *_ask_marketing(turn)]
    if turn.consent.get("service") == "given":
        return [say("consent.already_on"), *_ask_marketing(turn)]
    return [*undo, Ask("opt_in", say("consent.ask_service"), {"yes": "opt_in_service", "no": "deny"})]


def opt_in_service(turn: Turn) -> list[Effect]:
    """Their yes to our question, where no declaration had given it."""
    if not turn.person.known:
        return [say("consent.start_not_on_list")]
    return [Grant(SERVICE_AND_CHECKIN, CHAT), say("consent.opted_in")]


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


def reminder_preferences(turn: Turn) -> list[Effect]:
    """ "Do not stop" changes nothing and is told how things stand; other times or a pause are for the office."""
    wants_to_keep = any(heard.intent == "reminder_preferences" for heard in turn.heard)
    if not (wants_to_keep and turn.person.known):
        return pass_on(turn, "reminder_preferences")
    if turn.consent.get("service") == "paused":
        return opt_out_no(turn)
    if turn.opted_out:
        return [say("consent.stays_off")]
    on = turn.consent.get("service") == "given"
    return [say("consent.reminders_on" if on else "consent.reminders_off")]


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
    if turn.phone_asked is None:
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
    on = [purpose for purpose in CONSENTABLE if purpose not in off and turn.consent.get(purpose) == "given"]
    stopped, stays = say(f"consent.{'_'.join(off)}_off"), say(f"consent.{'_'.join(on) or 'none'}_still_on")
    return [Withdraw(off, CHAT), stopped, stays]


def _already_confirmed(turn: Turn) -> bool:
    if turn.withdrawn_at is None or "given" in turn.consent.values():
        return False
    return turn.now - turn.withdrawn_at < ONE_CONFIRMATION


def _for_other(turn: Turn) -> bool:
    return any(heard.intent == "opt_out" and "for_other" in heard.flags for heard in turn.heard)


def _ask_marketing(turn: Turn) -> list[Effect]:
    if turn.consent.get("marketing") in ("given", "paused"):
        return []
    return [Ask("opt_in_marketing", say("consent.ask_marketing"), {"yes": "opt_in_marketing", "no": "deny"})]
