"""The policy as answers: 21 questions, each with one short text that is true to it to the letter."""

from __future__ import annotations

from bot.effects import Ask, Effect, Say, say
from bot.turn import Agreement, Turn


def purpose(_turn: Turn) -> list[Effect]:
    """P02, P12 to P19."""
    return [say("faq.purpose")]


def scope(_turn: Turn) -> list[Effect]:
    """P04."""
    return [say("faq.scope")]


def voluntary(_turn: Turn) -> list[Effect]:
    """P05 to P07."""
    return [say("faq.voluntary")]


def broadcast(_turn: Turn) -> list[Effect]:
    """P08."""
    return [say("faq.broadcast")]


def opt_out_how(_turn: Turn) -> list[Effect]:
    """P09, P10, P46. It offers STOP, so that a misread opting-out is one tap away."""
    return [say("faq.opt_out_how")]


def consent(turn: Turn) -> list[Effect]:
    """P11: what everybody agrees to, and for a learner the day, the form and the version of each yes of theirs."""
    if not turn.person.known or not turn.agreed:
        return [say("faq.consent")]
    return [say("faq.consent"), say("faq.consent_yours"), *(text for one in turn.agreed for text in _agreed(one))]


def _agreed(one: Agreement) -> list[Say]:
    yes = say(f"agreed.{one.purpose}_{one.how}", on=f"{one.on:%d/%m/%Y}", wording=one.wording)
    return [yes] if one.holds else [yes, say(f"agreed.{one.purpose}_ended")]


def six_months(_turn: Turn) -> list[Effect]:
    """P03, P19."""
    return [say("faq.six_months")]


def code_of_conduct(_turn: Turn) -> list[Effect]:
    """P20 to P28."""
    return [say("faq.code_of_conduct")]


def group_hours(_turn: Turn) -> list[Effect]:
    """P27. The policy names no hours, so neither do we."""
    return [say("faq.group_hours")]


def posting_rules(_turn: Turn) -> list[Effect]:
    """P18, P25."""
    return [say("faq.posting_rules")]


def contact_trainer(_turn: Turn) -> list[Effect]:
    """P15, P26."""
    return [say("faq.contact_trainer")]


def privacy(_turn: Turn) -> list[Effect]:
    """P24, P40."""
    return [say("faq.privacy")]


def monitoring(_turn: Turn) -> list[Effect]:
    """P42, and what a computer does with a message."""
    return [say("faq.monitoring")]


def sharing_content(_turn: Turn) -> list[Effect]:
    """P24, P41."""
    return [say("faq.sharing_content")]


def official_number(_turn: Turn) -> list[Effect]:
    """P29, P30."""
    return [say("faq.official_number")]


def report_concern(_turn: Turn) -> list[Effect]:
    """P28, P31 to P33."""
    return [say("faq.report_concern")]


def leave_group(turn: Turn) -> list[Effect]:
    """P34, and P35 for whoever is stuck. Consent is unchanged by asking. A stranger is on no list to be taken from."""
    if not turn.person.known:
        return [say("faq.leave_group_stranger")]
    return [Ask("leave_group", say("faq.leave_group"), {"yes": "group_removal", "no": "deny"})]


def breach(_turn: Turn) -> list[Effect]:
    """P39, P43 to P45."""
    return [say("faq.breach")]


def contact(_turn: Turn) -> list[Effect]:
    """P46. It offers STOP."""
    return [say("faq.contact")]


def admin_role(_turn: Turn) -> list[Effect]:
    """P36 to P39."""
    return [say("faq.admin_role")]


def submit_work(_turn: Turn) -> list[Effect]:
    """P14."""
    return [say("faq.submit_work")]
