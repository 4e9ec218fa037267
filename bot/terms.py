"""What sending depends on beside the rows themselves; `app.py` puts it together and hands it to the outbox."""

from __future__ import annotations

from dataclasses import dataclass

from bot.hours import GROUP_HOURS, Hours
from bot.suppression import Keyed
from bot.templates import Templates

FIRST_TIER = 250  # people a day whom a new sender may write to outside the window (twilio-whatsapp.md section 3)


@dataclass(frozen=True, slots=True)
class Terms:
    """The approved texts, the key of the do-not-contact hashes, group hours, and the platform's daily reach."""

    templates: Templates
    keyed: Keyed
    hours: Hours = GROUP_HOURS
    reach_limit: int = FIRST_TIER
