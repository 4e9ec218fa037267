"""What we plan: for each kind who is due, what it says, under which key, and how it is taken so that it is planned once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from bot.database import insert_new
from bot.documents import PRIVACY, RULES, Document
from bot.models import Invitation, Outbound
from bot.planning import who
from bot.planning.who import Candidate
from bot.turn import Use

FIRST_NAME = "first_name"  # the one variable that comes from a learner's own row
ASKS: Mapping[str, object] = {
    "question": "invitation",
    "options": {
        "yes": "request_group_link",
        "no": "invitation_declined",
        "invite_yes": "request_group_link",
        "invite_no": "invitation_declined",
    },
}


@dataclass(frozen=True, slots=True)
class Links:
    """Whole addresses of the public pages, each naming its version: the outbox shows which rules were sent (P20)."""

    privacy: str
    rules: str


def links_under(public_url: str, documents: Mapping[str, Document]) -> Links:
    """The links to the newest version of each document, as anybody may open them."""
    base = public_url.rstrip("/")
    return Links(base + documents[PRIVACY].path, base + documents[RULES].path)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of plan: its template, the use of the policy it serves, and how long it stays welcome.

    `take` writes that it is planned for these people, and gives back those for whom nobody else was faster.
    """

    template: str
    use: Use
    lasts: timedelta
    due: Callable[[datetime], Select[Any]]
    key: Callable[[Candidate], str]  # one for each try
    variables: Callable[[Candidate, Links], dict[str, str]]
    take: Callable[[Session, Iterable[Candidate], datetime], list[Candidate]]
    ask: Mapping[str, object] | None = None


def _first_key(one: Candidate) -> str:
    return f"{who.FIRST_KEY}{one.person_id}{_try(one)}"


def _invite_key(one: Candidate) -> str:
    return f"{who.INVITE_KEY}{one.person_id}:{one.course_id}{_try(one)}"


def _try(one: Candidate) -> str:
    return f":{one.tries + 1}" if one.tries else ""


def _first_variables(one: Candidate, links: Links) -> dict[str, str]:
    course = {FIRST_NAME: _first_name(one), "course": one.course}
    return course | {"privacy_link": links.privacy, "rules_link": links.rules}


def _group_variables(one: Candidate, links: Links) -> dict[str, str]:
    cohort = ", ".join(part for part in (one.course, one.cohort) if part)  # some learn in two cohorts
    return {FIRST_NAME: _first_name(one), "cohort": cohort, "rules_link": links.rules}


def _first_name(one: Candidate) -> str:
    return one.name.partition(" ")[0]


def _new_under(key: Callable[[Candidate], str]) -> Callable[[Session, Iterable[Candidate], datetime], list[Candidate]]:
    """The key alone says that it is planned: nobody has the same try of it twice, whoever was faster."""

    def take(session: Session, due: Iterable[Candidate], now: datetime) -> list[Candidate]:  # noqa: ARG001 (as the others)
        by_key = {key(one): one for one in due}
        there = set(session.scalars(select(Outbound.key).where(Outbound.key.in_(by_key))))
        return [one for name, one in by_key.items() if name not in there]

    return take


def _invite(session: Session, due: Iterable[Candidate], now: datetime) -> list[Candidate]:
    """Whoever asked for the link a moment ago has a row already, and needs no invitation."""
    row = {"state": "invited", "at": now}
    return [one for one in due if insert_new(session, Invitation, person_id=one.person_id, course_id=one.course_id, **row)]


def _remind(session: Session, due: Iterable[Candidate], now: datetime) -> list[Candidate]:
    """Whoever answered a moment ago is not reminded."""
    return [one for one in due if _moved(session, one, now)]


def _moved(session: Session, one: Candidate, now: datetime) -> bool:
    row = (Invitation.person_id == one.person_id, Invitation.course_id == one.course_id, Invitation.state == "invited")
    moved = update(Invitation).where(*row).values(state="reminded", at=now).returning(Invitation.id)
    return session.scalar(moved) is not None


FIRST_MESSAGE = Kind(
    template=who.FIRST,
    use="course_update",
    lasts=timedelta(days=14),
    due=who.not_greeted,
    key=_first_key,
    variables=_first_variables,
    take=_new_under(_first_key),
)
INVITATION = Kind(
    template=who.GROUP,
    use="collaboration",
    lasts=timedelta(days=7),
    due=who.not_invited,
    key=_invite_key,
    variables=_group_variables,
    take=_invite,
    ask=ASKS,
)
INVITED_AGAIN = replace(INVITATION, due=who.invited_in_vain, take=_new_under(_invite_key))
REMINDER = replace(
    INVITATION,
    due=who.not_answered,
    key=lambda one: f"invite-again:{one.person_id}:{one.course_id}",
    take=_remind,
)
