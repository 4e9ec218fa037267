"""What is owed, as rows: each under a key of its own, so that the same thing is never owed twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from bot.database import insert_many_new, insert_new, wake_workers
from bot.gate import ANSWERS, Reason
from bot.models import Outbound
from bot.outbox.split import LONGEST, split
from bot.turn import Plan, Purpose, Use

REPLY_LASTS = timedelta(hours=23)
GATHERS, GATHERS_AT_MOST = timedelta(seconds=2), timedelta(seconds=10)  # answers to somebody who writes line after line
MOST_UNDER_WAY = 2
NOTICE_LASTS = timedelta(days=3)  # of what we write first, where whoever plans it says nothing else
# Why something planned did not go that may go after all: who said no comes back, a hold ends, a phone is put right.
OF_THE_PERSON: tuple[Reason, ...] = ("OPTED_OUT", "NO_CONSENT", "SAFEGUARDING_HOLD", "BLOCKED_BY_USER", "WRONG_NUMBER")
ONCE: tuple[Plan, ...] = ("notice", "opportunity")
PRIORITY: dict[Purpose, int] = {"safety": 0, "reply": 1, "staff": 2, "service": 3, "checkin": 4, "marketing": 5}


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to owe. `key` says what it is for: the same key twice is one message.

    What we write first names the `template` that goes outside the session window; `body` is that template filled in.
    `ask` is the question it puts (question, options), the person's pending one once it is sent. Times are aware UTC.
    """

    key: str
    person_id: int
    contact_point_id: int
    purpose: Purpose
    body: str
    due_at: datetime
    inbound_id: int | None = None
    body_if_told: str | None = None
    alert_case_id: int | None = None
    confirms_opt_out: bool = False
    use: Use = ""
    urgent: bool = False
    urgent_from: datetime | None = None
    template: str | None = None
    variables: Mapping[str, str] | None = None
    media: tuple[str, ...] = ()
    ask: Mapping[str, object] | None = None
    best_before: datetime | None = None
    plan: Plan = ""
    lesson_id: int | None = None
    lesson_version: int | None = None
    notice_id: int | None = None
    opportunity_id: int | None = None


COLUMNS = tuple(one.name for one in fields(Draft))


def add(session: Session, draft: Draft, now: datetime) -> int:
    """Owe a message; the id of its (first) row. One with this key that was there already is left as it is.

    Raises ValueError where we write first and no use of the policy is named (P02, P12 to P19).
    """
    if draft.purpose not in ANSWERS and not draft.use:
        raise ValueError(f"{draft.key}: what we write first has one approved use (P02)")
    if draft.best_before is None:
        lasts = REPLY_LASTS if draft.purpose in ANSWERS else NOTICE_LASTS
        draft = replace(draft, best_before=max(now, draft.due_at) + lasts)
    for part in _parts(draft):
        insert_new(session, Outbound, **part, priority=PRIORITY[draft.purpose], created_at=now)
    wake_workers(session)
    return session.scalars(select(Outbound.id).where(Outbound.key == draft.key)).one()


def add_all(session: Session, drafts: Iterable[Draft], now: datetime, *, withheld: str = "") -> int:
    """Owe what was planned, all in one statement; how many were not there yet. Each is one message (a template).

    Every draft says its `best_before` and its use. Raises ValueError as `add` does. What is `withheld` from the start has
    that reason, and only shows that it did not go.
    """
    stands = {"state": "withheld", "reason": withheld} if withheld else {}
    rows = [{**_part(draft), "priority": PRIORITY[draft.purpose], "created_at": now, **stands} for draft in drafts]
    if not rows:
        return 0
    if any(not row["use"] for row in rows):
        raise ValueError("what we write first has one approved use (P02)")
    used = [name for name in rows[0] if any(row[name] is not None for row in rows)]
    added = insert_many_new(session, Outbound, [{name: row[name] for name in used} for row in rows])
    wake_workers(session)
    return added


def revive_planned(session: Session, person_id: int, point_id: int, purpose: Purpose, now: datetime) -> int:
    """What was `cancelled` of this purpose is planned again, at the phone of today: they came back in time. How many.

    The gate asks everything again when it is sent.
    """
    theirs = update(Outbound).where(Outbound.person_id == person_id, Outbound.purpose == purpose, *cancelled(now))
    back = theirs.values(state="queued", reason=None, contact_point_id=point_id)
    return len(session.scalars(back.returning(Outbound.id)).all())


def cancelled(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """What was planned and would be yet to come, but for an opting-out, a hold or a phone (by `now`, aware UTC).

    Only of the plans of which no other is made in its place: the others are decided anew (bot.planning).
    """
    kept_back = (Outbound.state == "withheld", Outbound.reason.in_(OF_THE_PERSON), Outbound.due_at > now)
    return (*kept_back, Outbound.plan.in_(ONCE))


def gather(session: Session, draft: Draft, now: datetime) -> bool:
    """Put an answer into the last one that waits, where two are on their way already: fifteen lines get two replies (P25).

    It waits a moment for more, and never long; the same words are said once. False: it needs a message of its own.
    """
    if draft.purpose != "reply" or draft.confirms_opt_out or draft.media:
        return False
    theirs = (Outbound.contact_point_id == draft.contact_point_id, Outbound.purpose == "reply")
    under_way = select(Outbound).where(*theirs, Outbound.state.in_(("queued", "sending"))).order_by(Outbound.id)
    found = session.scalars(under_way).all()
    if len(found) < MOST_UNDER_WAY:
        return False
    last = found[-1]
    if last.state != "queued" or last.attempts or last.confirms_opt_out or last.media:
        return False
    body = last.body if draft.body in last.body else f"{last.body}\n\n{draft.body}"
    if len(body) > LONGEST:
        return False
    last.body = body
    last.due_at = max(last.due_at, min(now + GATHERS, last.created_at + GATHERS_AT_MOST))
    return True


def cancel_planned(session: Session, person_id: int, purposes: tuple[str, ...], reason: str) -> None:
    """What was planned for these purposes is not sent, and says why (D03: in the commit of the opting-out)."""
    planned = update(Outbound).where(Outbound.person_id == person_id, Outbound.state == "queued")
    session.execute(planned.where(Outbound.purpose.in_(purposes)).values(state="withheld", reason=reason))


def _part(draft: Draft) -> dict[str, object]:
    return {name: getattr(draft, name) for name in COLUMNS} | {"media": None}


def _parts(draft: Draft) -> Iterator[dict[str, object]]:
    """The values of each row: as many characters as Twilio takes, and one file each, because WhatsApp drops a second."""
    bodies, files = split(draft.body), draft.media
    whole = asdict(draft)
    for place in range(max(len(bodies), len(files))):
        body = bodies[place] if place < len(bodies) else ""
        media = files[place] if place < len(files) else None
        key = f"{draft.key}#{place + 1}" if place else draft.key
        first = {} if place == 0 else {"ask": None, "template": None, "variables": None}  # a template is one message
        yield {**whole, "key": key, "body": body, "media": media, **first}
