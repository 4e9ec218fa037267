"""What we plan: for each kind who is due, what it says, under which key, and how it is taken so that it is planned once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Select, select, tuple_, update
from sqlalchemy.orm import Session

from bot.database import insert_many_new
from bot.documents import PRIVACY, RULES, Document
from bot.models import Invitation, Outbound
from bot.names import first_name
from bot.planning import who
from bot.planning.looks import Known
from bot.planning.who import Candidate
from bot.turn import Plan, Use

Counted = Literal["first_messages", "invitations", "reminders"]
FIRST_NAME = "first_name"  # the one variable that comes from a learner's own row
REMINDER_KEY = "invite-again:"
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
    """One kind of plan: how it is counted, its template, the use of the policy it serves, how long it stays welcome.

    `take` writes that it is planned for these people, and gives back those for whom nobody else was faster.
    """

    name: Counted
    plan: Plan
    template: str
    use: Use
    lasts: timedelta
    may: Callable[[Known], bool]  # is it worth asking whether it is due for them?
    due: Callable[[datetime, Sequence[int]], Select[Any]]  # of these people, those for whom it is time
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
    course = {FIRST_NAME: first_name(one.name), "course": one.course}
    return course | {"privacy_link": links.privacy, "rules_link": links.rules}


def _group_variables(one: Candidate, links: Links) -> dict[str, str]:
    cohort = ", ".join(part for part in (one.course, one.cohort) if part)  # some learn in two cohorts
    return {FIRST_NAME: first_name(one.name), "cohort": cohort, "rules_link": links.rules}


def _new_under(key: Callable[[Candidate], str]) -> Callable[[Session, Iterable[Candidate], datetime], list[Candidate]]:
    """The key alone says that it is planned: nobody has the same try of it twice, whoever was faster."""

    def take(session: Session, due: Iterable[Candidate], now: datetime) -> list[Candidate]:  # noqa: ARG001 (as the others)
        by_key = {key(one): one for one in due}
        there = set(session.scalars(select(Outbound.key).where(Outbound.key.in_(by_key))))
        return [one for name, one in by_key.items() if name not in there]

    return take


def _invite(session: Session, due: Iterable[Candidate], now: datetime) -> list[Candidate]:
    """Whoever asked for the link a moment ago has a row already, and was not due: nobody answers while we hold them."""
    taken = list(due)
    rows = [{"person_id": one.person_id, "course_id": one.course_id, "state": "invited", "at": now} for one in taken]
    if rows:
        insert_many_new(session, Invitation, rows)
    return taken


def _remind(session: Session, due: Iterable[Candidate], now: datetime) -> list[Candidate]:
    """Whoever answered a moment ago is not reminded."""
    by_place = {(one.person_id, one.course_id): one for one in due}
    place = (Invitation.person_id, Invitation.course_id)
    open_ones = update(Invitation).where(tuple_(*place).in_(list(by_place)), Invitation.state == "invited")
    moved = session.execute(open_ones.values(state="reminded", at=now).returning(*place)).all() if by_place else ()
    return [by_place[person, course] for person, course in sorted(moved)]


FIRST_MESSAGE = Kind(
    name="first_messages",
    plan="first_message",
    template=who.FIRST,
    use="course_update",
    lasts=timedelta(days=14),
    may=lambda one: not one.greeted,
    due=who.not_greeted,
    key=_first_key,
    variables=_first_variables,
    take=_new_under(_first_key),
)
INVITATION = Kind(
    name="invitations",
    plan="invitation",
    template=who.GROUP,
    use="collaboration",
    lasts=timedelta(days=7),
    may=lambda one: one.greeted and "" in one.groups.values(),
    due=who.not_invited,
    key=_invite_key,
    variables=_group_variables,
    take=_invite,
    ask=ASKS,
)
INVITED_AGAIN = replace(
    INVITATION,
    may=lambda one: "invited" in one.groups.values(),
    due=who.invited_in_vain,
    take=_new_under(_invite_key),
)
REMINDER = replace(
    INVITATION,
    name="reminders",
    may=lambda one: "invited" in one.groups.values(),
    due=who.not_answered,
    key=lambda one: f"{REMINDER_KEY}{one.person_id}:{one.course_id}",
    take=_remind,
)
KINDS = (INVITED_AGAIN, INVITATION, FIRST_MESSAGE, REMINDER)
