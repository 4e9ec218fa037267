"""Plans what we write first, once for each person however often it is asked: the first message, the group, one reminder."""

from bot.planning.kinds import Links, links_under
from bot.planning.rounds import Planned, plan

__all__ = ["Links", "Planned", "links_under", "plan"]
