"""Plans what we write first, once for each person however often it is asked, and looks at nobody without a reason."""

from bot.planning.kinds import Links, links_under
from bot.planning.rounds import Planned, plan

__all__ = ["Links", "Planned", "links_under", "plan"]
