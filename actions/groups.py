"""Cohort groups, which people run: the assistant gives the link or asks the office, and adds nobody itself (P05, P35)."""

from __future__ import annotations

from actions.learning import is_over
from actions.office import pass_on
from bot.effects import DeclineInvitation, Effect, Invite, OpenCase, say
from bot.turn import Turn


def request_group_link(turn: Turn) -> list[Effect]:
    """The links of their own courses, as they stand now; joining is a choice (P06). Nobody else is given any (F02)."""
    if not turn.person.known:
        return [say("groups.not_a_learner")]
    if not turn.enrolments:
        return pass_on(turn, "request_group_link")
    running = [one for one in turn.enrolments if not is_over(one, turn)]
    if not running:
        return pass_on(turn, "request_group_link", "groups.course_over")
    linked = [one for one in running if one.group_link]
    if not linked:
        return [OpenCase("request_group_link"), say("groups.no_link")]
    links = [say("groups.link", group=one.cohort or one.name, link=one.group_link) for one in linked]
    return [Invite(tuple(one.course for one in linked)), *links, say("groups.choice", rules=turn.rules_url)]


def invitation_declined(_turn: Turn) -> list[Effect]:
    """Their no to our invitation changes nothing else, and they are not asked again (P07)."""
    return [DeclineInvitation(), say("groups.declined")]


def group_removal(turn: Turn) -> list[Effect]:
    """Staff take them out of the group; their other messages are not touched by asking (P35)."""
    return pass_on(turn, "group_removal", "groups.removal")
