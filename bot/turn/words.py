"""The closed lists of words that values are made of: kinds of message, purposes, uses, plans, choices."""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "text",
    "picture",
    "document",
    "video",
    "voice",
    "sticker",
    "location",
    "contact",
    "button",
    "list",
    "unsupported",
    "empty",
]
Purpose = Literal["reply", "safety", "staff", "service", "checkin", "marketing"]
Use = Literal[  # what the policy lets us write first about (P12 to P19); "" for answers
    "",
    "lesson_reminder",
    "course_update",
    "technical_or_delay",
    "visual_work",
    "question",
    "collaboration",
    "encouragement",
    "opportunity",
    "keeping_in_touch",
    "staff",
]
Plan = Literal[  # what a message was planned as; "" for what was not
    "",
    "first_message",
    "invitation",
    "day_before",
    "hour_before",
    "notice",
    "opportunity",
    "check_in",
    "goodbye",
]
ReminderChoice = Literal["", "day", "both", "hour", "none"]  # "": as the course has it
WishKind = Literal["day", "both", "hour", "none", "quiet", "unclear", "what_will_you_send"]
CheckInOutcome = Literal["well", "ok", "struggling"]
Interest = Literal["jobs", "clients", "grants", "courses"]
NoticeKind = Literal["late", "cancelled", "moved", "place", "problem", "restored"]
Consentable = Literal["service", "checkin", "marketing"]
ConsentState = Literal["given", "refused", "withdrawn", "paused", "never_asked"]
DecidedBy = Literal["exact", "rule", "model", "fallback"]

CONSENTABLE: tuple[Consentable, ...] = ("service", "checkin", "marketing")
TAKEN_BACK: tuple[ConsentState, ...] = ("withdrawn", "paused")
