"""The values of an opportunity that travel between the commands and the rows, and what stops one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, get_args

from bot.models import Opportunity
from bot.terms import Terms
from bot.turn import Interest

Status = Literal["all", "current", "finished"]
STATUSES: tuple[Status, ...] = get_args(Status)
INTERESTS: tuple[Interest, ...] = get_args(Interest)
RECALL_FOR = timedelta(minutes=15)  # after the approval: so long it can be called back before anybody has it
LASTS = timedelta(days=7)  # where whoever writes it says nothing else
LONGEST = timedelta(days=60)  # nobody should read in summer what was written in winter
TEMPLATE = "opportunity"  # data/templates.yml
SOMEBODY = "there"  # instead of a first name that no template takes: "Hi there"
Progress = Callable[[int, int], None]  # done, of how many


class Refused(Exception):
    """It cannot be done, and nothing was changed; the message says why, one reason on each line."""


class NoSuchOpportunity(Exception):
    """There is no opportunity of this code."""


@dataclass(frozen=True, slots=True)
class Written:
    """What one administrator writes: the two values of the template, whom it is for, until when it may go (aware UTC).

    Each of `courses` (codes), `cohorts` and `interests` narrows the audience; an empty one narrows nothing.
    """

    code: str
    what: str
    more: str
    by: str
    best_before: datetime
    courses: tuple[str, ...] = ()
    cohorts: tuple[str, ...] = ()
    interests: tuple[Interest, ...] = ()
    status: Status = "all"


def variables_of(one: Opportunity | Written, first_name: str) -> Mapping[str, str]:
    """The values of the template, by name; the template brings the full stop."""
    return {"first_name": first_name, "what": one.what.rstrip(" ."), "more": one.more.rstrip(" .")}


def text_of(one: Opportunity | Written, terms: Terms, first_name: str) -> str:
    """It as a learner of this first name reads it, in English. Raises BadVariables."""
    return terms.templates.find(TEMPLATE, "en").fill(variables_of(one, first_name))
