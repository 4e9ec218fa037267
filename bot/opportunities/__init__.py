"""Opportunities: written by one administrator, approved by another, called back in time (P08, P18)."""

from bot.opportunities.approval import Approval, Recall, approve, mark_of, recall
from bot.opportunities.lists import Line, Shown, every, show
from bot.opportunities.preview import Preview, Survey, preview, read, told
from bot.opportunities.values import (
    INTERESTS,
    LASTS,
    RECALL_FOR,
    STATUSES,
    NoSuchOpportunity,
    Progress,
    Refused,
    Status,
    Written,
    text_of,
)
from bot.opportunities.writing import add

__all__ = [
    "INTERESTS",
    "LASTS",
    "RECALL_FOR",
    "STATUSES",
    "Approval",
    "Line",
    "NoSuchOpportunity",
    "Preview",
    "Progress",
    "Recall",
    "Refused",
    "Shown",
    "Status",
    "Survey",
    "Written",
    "add",
    "approve",
    "every",
    "mark_of",
    "preview",
    "read",
    "recall",
    "show",
    "text_of",
    "told",
]
