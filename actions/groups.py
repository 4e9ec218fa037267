"""Cohort groups, which people run: the assistant asks the office and adds or removes nobody itself (P05, P35)."""

from __future__ import annotations

from actions.office import pass_on
from bot.effects import Effect
from bot.turn import Turn


def request_group_link(turn: Turn) -> list[Effect]:
    """Joining is a choice, and the link is for the learner's own cohort alone (P06)."""
    return pass_on(turn, "request_group_link", "groups.link")


def group_removal(turn: Turn) -> list[Effect]:
    """Staff take them out of the group; their other messages are not touched by asking (P35)."""
    return pass_on(turn, "group_removal", "groups.removal")
