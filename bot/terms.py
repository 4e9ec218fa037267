"""What sending depends on beside the rows themselves; `app.py` puts it together and hands it to the outbox."""

from __future__ import annotations

from dataclasses import dataclass

from bot.hours import GROUP_HOURS, Hours
from bot.suppression import Keyed
from bot.templates import Templates

CHECK_IN_WEEKS = (2, 8, 16, 24)  # after the end of a course (P19; requirements section 8: the default until E4A decides)
RESERVE = 5  # of the daily reach, one part in so many is kept for lesson news: opportunities never use it up
FIRST_TIER = 250  # people a day whom a new sender may write to outside the window (twilio-whatsapp.md section 3)


@dataclass(frozen=True, slots=True)
class Terms:
    """The approved texts, the key of do-not-contact hashes, group hours, the platform's daily reach, when we check in."""

    templates: Templates
    keyed: Keyed
    hours: Hours = GROUP_HOURS
    reach_limit: int = FIRST_TIER
    check_in_weeks: tuple[int, ...] = CHECK_IN_WEEKS

    @property
    def marketing_reach(self) -> int:
        """People a day outside the window whom opportunities may use, the reserve for lesson news kept."""
        return max(1, self.reach_limit - max(1, self.reach_limit // RESERVE))
