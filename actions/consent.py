"""What a person lets us send: opting out by any wording, coming back, and whose number it is (D02 to D04, P10)."""

from __future__ import annotations

from datetime import timedelta

from actions.office import pass_on
from actions.safety import on_hold
from bot.effects import Ask, Disown, Effect, Grant, OpenCase, Pause, Restore, Resume, Withdraw, say, say_safety
from bot.turn import CONSENTABLE, Consentable, Turn

CHAT = "chat"
ONE_CONFIRMATION = timedelta(hours=24)
SERVICE_AND_CHECKIN: tuple[Consentable, ...] = ("service", "checkin")


def opt_out(turn: Turn) -> list[Effect]:
    """Stop everything and confirm once (D03). A repeat within 24 hours is met with silence."""
    text = "consent.opted_out_for_other" if _for_other(turn) else "consent.opted_out"
    if _already_confirmed(turn):
        return [say_safety(text)] if _for_other(turn) else []
    return [Withdraw(CONSENTABLE, CHAT), say_safety(text)]


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
    rest_is_on = turn.consent.get("service") == "given"
    text = "consent.marketing_off" if rest_is_on else "consent.marketing_off_only"
    return [Withdraw(("marketing",), CHAT), say(text)]


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
    if not turn.person.known and _already_confirmed(turn):
        return []
    withdraw, sorry = Withdraw(CONSENTABLE, "wrong_number"), say_safety("consent.wrong_number")
    if not turn.person.known:
        return [withdraw, sorry]
    return [withdraw, Disown(), OpenCase("wrong_number"), sorry]


def change_number(turn: Turn) -> list[Effect]:
    """A new phone gets no data until the office has checked who holds it (D10)."""
    return pass_on(turn, "change_number")


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
