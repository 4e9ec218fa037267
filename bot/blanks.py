"""What goes of somebody who is erased, and what stands instead of them in the rows that stay (L06)."""

from __future__ import annotations

from sqlalchemy.orm import InstrumentedAttribute

from bot.models import Base, CheckIn, EnrolmentRow, Interest, Invitation, NumberChange
from bot.models.base import Json

GOES: tuple[tuple[str, type[Base], InstrumentedAttribute[int]], ...] = (
    ("places on courses", EnrolmentRow, EnrolmentRow.person_id),
    ("invitations to groups", Invitation, Invitation.person_id),
    ("check-ins", CheckIn, CheckIn.person_id),
    ("interests", Interest, Interest.person_id),
    ("changes of number", NumberChange, NumberChange.person_id),
)
BLANK_PERSON: Json = {"name": "", "learner_code": None, "language": "en", "pending": None, "misses": 0, "warned_at": None}
BLANK_PERSON |= {"held_at": None, "watched": False, "left_group_asked_at": None, "plan_at": None}
BLANK_PERSON |= {"reminders": "", "quiet_until": None}
BLANK_POINT: Json = {"last_inbound_at": None, "window_shut_at": None, "unreachable_at": None, "unreachable_code": None}
BLANK_INBOUND: Json = {"text": "", "details": {}, "lease": None, "leased_until": None}
BLANK_OUTBOUND: Json = {"body": "", "variables": None, "media": None, "ask": None, "body_if_told": None}
