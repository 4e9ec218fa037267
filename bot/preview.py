"""What would go to whom, when and why, if nothing changed until then: the gate is asked ahead, and nothing is written."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from typing import Literal, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot import facts
from bot.database import Database
from bot.gate import ANSWERS, Decision, Facts, Reason, counts_for_cap, may_send
from bot.models import Outbound, Pace, PersonRow
from bot.outbox import Draft
from bot.outbox.rows import PRIORITY
from bot.terms import Terms

FURTHEST = timedelta(days=400)
WAITS_FOR_PEOPLE: tuple[Reason, ...] = ("WINDOW_CLOSED_NO_TEMPLATE", "OPTED_OUT")  # held until somebody acts
PLANNED_ONCE_APPROVED = ("first_message", "invitation")  # also for who wrote lately: planning itself waits
Fate = Literal["goes", "held", "withheld"]
Planned = Callable[[Session, datetime, datetime], Iterator[Draft]]  # what planning would owe from now until then
Progress = Callable[[int, int], None]  # messages whose fate is known, messages in all


@dataclass(frozen=True, slots=True)
class Span:
    """From now until then (aware UTC); with `person_id` what one learner would get, and no more."""

    now: datetime
    until: datetime
    person_id: int | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """How one message would fare: it goes `at` that moment, is still held at the end, or is withheld `at` that moment.

    `held_by` are the reasons that held it on the way, `reason` the one that stands. `learner` is a code, or empty.
    """

    at: datetime
    due_at: datetime
    learner: str
    plan: str
    purpose: str
    template: str
    fate: Fate
    reason: Reason | None
    held_by: tuple[Reason, ...]
    key: str


class _Waiting(NamedTuple):
    """A message in the order in which a worker would take it; `nth` so that no two are alike."""

    at: datetime
    priority: int
    nth: int
    message: Outbound | Draft
    held_by: tuple[Reason, ...]


@dataclass(slots=True)
class _Ahead:
    """What this preview itself has let through, as the rows would say it: the next answers of the gate depend on it."""

    counted: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    check_ins: Counter[int] = field(default_factory=Counter)
    parted: set[int] = field(default_factory=set)
    reached: dict[int, datetime] = field(default_factory=dict)
    in_order: deque[tuple[datetime, int]] = field(default_factory=deque)

    def reach(self, point_id: int, at: datetime) -> None:
        """Somebody was written to outside the window; calls come in the order of time."""
        self.reached[point_id] = at
        self.in_order.append((at, point_id))

    def reach_free_at(self, point_id: int, most: int, now: datetime) -> datetime | None:
        """When one more person may be written to outside the window; None: at once (twilio-whatsapp.md section 3)."""
        while self.in_order and self.in_order[0][0] <= now - facts.REACH_DAY:
            at, gone = self.in_order.popleft()
            if self.reached.get(gone) == at:
                del self.reached[gone]
        if point_id in self.reached or len(self.reached) < most:
            return None
        return sorted(self.reached.values(), reverse=True)[most - 1] + facts.REACH_DAY


def preview(db: Database, terms: Terms, planned: Planned, span: Span, progress: Progress | None = None) -> list[Expected]:
    """Every message due in that time, what is owed already and what planning would owe, in the order of what becomes of it.

    It only looks, and locks nothing. Nobody writes to us meanwhile, Twilio takes all it is given, and no template changes.
    """
    with db.read() as session:
        queue = _queue(session, planned, span)
        codes = _codes(session, span)
        ahead = _begun(session, span.now)
        found: list[Expected] = []
        heapify(queue)
        while queue:
            waiting = heappop(queue)
            decision = _ask(session, terms, ahead, waiting, span.now)
            again = _held_until(decision, span)
            if again is not None and decision.reason is not None:
                held_by = waiting.held_by if decision.reason in waiting.held_by else (*waiting.held_by, decision.reason)
                heappush(queue, waiting._replace(at=again, held_by=held_by))
                continue
            found.append(_expected(waiting, decision, codes))
            if progress:
                progress(len(found), len(found) + len(queue))
        return found


def nothing_planned(_session: Session, _now: datetime, _until: datetime) -> Iterator[Draft]:
    """Where only what is owed already is looked at."""
    yield from ()


def learner(db: Database, code: str) -> int | None:
    """The person with this learner code; None: there is none."""
    with db.read() as session:
        return session.scalar(select(PersonRow.id).where(PersonRow.learner_code == code))


def summary(found: Sequence[Expected]) -> str:
    """`12 will go, 3 held, 2 withheld: 1 OPTED_OUT, 1 NO_CONSENT`."""
    fates = Counter(one.fate for one in found)
    reasons = Counter(one.reason for one in found if one.fate == "withheld")
    why = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items(), key=lambda one: (-one[1], str(one[0]))))
    return f"{fates['goes']} will go, {fates['held']} held, {fates['withheld']} withheld" + (f": {why}" if why else "")


def _queue(session: Session, planned: Planned, span: Span) -> list[_Waiting]:
    """What is owed by then: rows of the outbox, and what planning would add under keys that are not there yet."""
    owed = select(Outbound).where(Outbound.state == "queued", Outbound.due_at <= span.until)
    rows = owed if span.person_id is None else owed.where(Outbound.person_id == span.person_id)
    messages: list[Outbound | Draft] = [*session.scalars(rows.order_by(Outbound.id))]
    keys = {one.key for one in messages}
    for draft in planned(session, span.now, span.until):
        wanted = span.person_id in (None, draft.person_id) and draft.due_at <= span.until
        if wanted and draft.key not in keys:
            keys.add(draft.key)
            messages.append(draft)
    return [
        _Waiting(max(one.due_at, span.now), PRIORITY[one.purpose], nth, one, ())  # type: ignore[index]
        for nth, one in enumerate(messages)
    ]


def _codes(session: Session, span: Span) -> dict[int, str]:
    people = select(PersonRow.id, PersonRow.learner_code).where(PersonRow.learner_code.is_not(None))
    if span.person_id is not None:
        people = people.where(PersonRow.id == span.person_id)
    return {person_id: code or "" for person_id, code in session.execute(people)}


def _begun(session: Session, now: datetime) -> _Ahead:
    """The people whom we wrote to outside the window in the day before: they count for the platform's daily limit."""
    ahead = _Ahead()
    last = func.max(Outbound.tried_at)
    lately = select(Outbound.contact_point_id, last).where(facts.reached_lately(now))
    for point_id, at in session.execute(lately.group_by(Outbound.contact_point_id).order_by(last)):
        ahead.reach(point_id, at or now)
    return ahead


def _ask(session: Session, terms: Terms, ahead: _Ahead, waiting: _Waiting, now: datetime) -> Decision:
    """What the gate would say at that moment; what it lets through counts from then on."""
    row = waiting.message if isinstance(waiting.message, Outbound) else _row(waiting.message, now)
    known = facts.load(session, row, Pace(name="", full_until=waiting.at), terms, waiting.at)
    known = replace(
        known,
        on_hold=False,  # it is shown as if it went: what was missing here would tell of the hold (D18)
        sent=(*known.sent, *ahead.counted[row.person_id]),
        unanswered=known.unanswered + ahead.check_ins[row.person_id],
        said_goodbye=known.said_goodbye or row.person_id in ahead.parted,
        reach_free_at=_reach_free_at(terms, ahead, row, known),
    )
    if isinstance(waiting.message, Draft) and row.plan in PLANNED_ONCE_APPROVED and not facts.approved(session, row, terms):
        known = replace(known, window_open=False, has_template=False, template_waits=True)
    decision = may_send(known)
    if decision.allowed:
        _goes_by_now(ahead, row, known)
    return decision


def _row(draft: Draft, now: datetime) -> Outbound:
    """The row that planning would make of it; it is never added to the session."""
    return Outbound(**(asdict(draft) | {"media": None}), state="queued", created_at=now)


def _reach_free_at(terms: Terms, ahead: _Ahead, row: Outbound, known: Facts) -> datetime | None:
    if known.window_open or known.purpose in ANSWERS:
        return None
    return ahead.reach_free_at(row.contact_point_id, facts.most_people(known.purpose, terms), known.now)


def _goes_by_now(ahead: _Ahead, row: Outbound, known: Facts) -> None:
    if counts_for_cap(known.purpose, known.use, urgent=known.is_urgent):
        ahead.counted[row.person_id].append(known.now)
    if known.purpose == "checkin":
        ahead.check_ins[row.person_id] += 1
    if row.plan == "goodbye":
        ahead.parted.add(row.person_id)
    if not known.window_open and known.purpose not in ANSWERS:
        ahead.reach(row.contact_point_id, known.now)


def _held_until(decision: Decision, span: Span) -> datetime | None:
    """When the gate would be asked again within this time; None where that is over, or nobody can say when."""
    if decision.until is None or decision.until > span.until or decision.reason in WAITS_FOR_PEOPLE:
        return None
    return decision.until


def _expected(waiting: _Waiting, decision: Decision, codes: dict[int, str]) -> Expected:
    message = waiting.message
    for_few = message.purpose == "safety"
    fate: Fate = "goes" if decision.allowed else "withheld" if decision.until is None else "held"
    return Expected(
        at=waiting.at if decision.until is None else decision.until,
        due_at=message.due_at,
        learner="" if for_few else codes.get(message.person_id, ""),
        plan=message.plan or message.use or message.purpose,
        purpose=message.purpose,
        template=message.template or "",
        fate=fate,
        reason=decision.reason,
        held_by=waiting.held_by,
        key="" if for_few else message.key,
    )
