"""Messages we owe: added in the turn's own commit, leased one at a time for each recipient, sent once (design 3)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from bot import pacing, status
from bot.alerts import settle
from bot.database import Database, insert_new, wake_workers
from bot.gate import Facts, may_send
from bot.models import Alert, CaseMessage, ContactPoint, OfficeCase, Outbound, OutboundEvent, Pace, PersonRow
from bot.models.base import Utc
from bot.queries import reach
from bot.turn import Purpose
from bot.whatsapp import Outcome, StatusUpdate

LEASE = timedelta(seconds=60)  # longer than any call to Twilio takes: after it, the outcome is unknown
REPLY_LASTS = timedelta(hours=23)
BACK_OFF = (timedelta(seconds=2), timedelta(seconds=15), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
PRIORITY: dict[Purpose, int] = {"safety": 0, "reply": 1, "staff": 2, "service": 3, "checkin": 4, "marketing": 5}
CANDIDATES = 20
UNKNOWN_FOR = timedelta(minutes=10)
UNDELIVERED = "undelivered"


def _may_go() -> tuple[ColumnElement[bool], ...]:
    """Due, and nothing to this recipient is under way or before it: what is tried again keeps its place."""
    other, now = aliased(Outbound), bindparam("now", type_=Utc())
    same = other.contact_point_id == Outbound.contact_point_id
    in_hand = exists().where(same, other.state == "sending", other.leased_until > now)
    its_turn = or_(other.due_at <= now, other.attempts > 0)
    before = exists().where(same, other.state == "queued", its_turn, other.id < Outbound.id)
    return (Outbound.state == "queued", Outbound.due_at <= now, ~in_hand, or_(Outbound.priority == 0, ~before))


# Built once: they are asked many times a second.
DUE = select(Outbound.id, Outbound.person_id).where(*_may_go()).order_by(Outbound.priority, Outbound.due_at, Outbound.id)
STILL_DUE = select(Outbound).where(Outbound.id == bindparam("id"), *_may_go()).with_for_update(of=Outbound)


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to owe. `key` says what it is for: the same key twice is one message."""

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


@dataclass(frozen=True, slots=True)
class Sending:
    """A message leased to this worker, allowed by the gate a moment ago."""

    outbound_id: int
    to: str
    body: str


def add(session: Session, draft: Draft, now: datetime) -> int:
    """Owe a message; its id. One with this key that was there already is left as it is."""
    insert_new(
        session,
        Outbound,
        **asdict(draft),
        priority=PRIORITY[draft.purpose],
        created_at=now,
        best_before=now + REPLY_LASTS if draft.purpose == "reply" else None,
    )
    wake_workers(session)
    return session.scalars(select(Outbound.id).where(Outbound.key == draft.key)).one()


def claim(db: Database, now: datetime) -> Sending | None:
    """Lease the next message that may go now, or None. What the gate refuses becomes `withheld`, with its reason."""
    look_again = True
    while look_again:
        with db.write() as session:
            look_again = False
            for outbound_id, person_id in session.execute(DUE.limit(CANDIDATES), {"now": now}).all():
                row = _locked_due(session, outbound_id, person_id, now)
                if row is None or not _paced(session, row, now):
                    continue
                if _let_through(session, row, now):
                    return _lease(session, row, now)
                look_again = True  # what waited behind the refused one may go
    return None


def record(db: Database, outbound_id: int, outcome: Outcome, now: datetime) -> None:
    """Write down what came of asking Twilio. A callback that was faster keeps what it said."""
    with db.write() as session:
        row = _locked(session, outbound_id)
        row.leased_until = None
        row.sid = row.sid or outcome.sid or None
        row.error_code = outcome.error_code or row.error_code
        if outcome.result == "accepted":
            row.sent_at = row.sent_at or now
        if outcome.result == "retry" and row.state == "sending":
            _try_later(row, now)
        elif outcome.result != "retry":
            after = "failed" if outcome.result == "refused" else outcome.result
            row.state = status.furthest(row.state, after)
        _settled(session, row, now)


def advance(session: Session, outbound_id: int | None, news: StatusUpdate, now: datetime) -> bool:
    """Take Twilio's news of one message: each word once, and only forward. False where we know no such message."""
    ours = Outbound.sid == news.sid if outbound_id is None else Outbound.id == outbound_id
    row = session.scalar(select(Outbound).where(ours).with_for_update())
    if row is None or (row.sid is not None and row.sid != news.sid):
        return False
    insert_new(session, OutboundEvent, outbound_id=row.id, status=news.status, at=now, error_code=news.error_code)
    row.sid, row.sent_at = row.sid or news.sid, row.sent_at or now
    row.error_code = news.error_code or row.error_code
    row.state = status.furthest(row.state, status.FROM_TWILIO.get(news.status, row.state))
    _settled(session, row, now)
    return True


def mark_unknown(db: Database, now: datetime) -> int:
    """Rows whose sender died between asking Twilio and writing it down. Never sent again blindly; how many there were."""
    with db.write() as session:
        lost = update(Outbound).where(Outbound.state == "sending", Outbound.leased_until <= now)
        return len(session.scalars(lost.values(state="unknown", leased_until=None).returning(Outbound.id)).all())


def tell_of_unknown(db: Database, now: datetime) -> int:
    """Answers whose fate is unknown for ten minutes, with no callback: a person must look. How many there were."""
    told = exists().where(CaseMessage.inbound_id == Outbound.inbound_id, OfficeCase.id == CaseMessage.case_id)
    silent = select(Outbound).where(
        Outbound.state == "unknown",
        Outbound.inbound_id.is_not(None),
        Outbound.due_at <= now - UNKNOWN_FOR,
        ~told.where(OfficeCase.kind == UNDELIVERED),
    )
    with db.write() as session:
        rows = session.scalars(silent.limit(CANDIDATES)).all()
        for row in rows:
            _tell_office(session, row, now)
        return len(rows)


def cancel_planned(session: Session, person_id: int, purposes: tuple[str, ...], reason: str) -> None:
    """What was planned for these purposes is not sent, and says why (D03: in the commit of the opting-out)."""
    planned = update(Outbound).where(Outbound.person_id == person_id, Outbound.state == "queued")
    session.execute(planned.where(Outbound.purpose.in_(purposes)).values(state="withheld", reason=reason))


def _locked_due(session: Session, outbound_id: int, person_id: int, now: datetime) -> Outbound | None:
    """The row with its person locked, if it still may be sent: another worker may have been faster."""
    lock = select(PersonRow.id).where(PersonRow.id == person_id).with_for_update(skip_locked=True)
    if session.scalar(lock) is None:
        return None
    return session.scalar(STILL_DUE, {"id": outbound_id, "now": now})


def _lease(session: Session, row: Outbound, now: datetime) -> Sending:
    row.state, row.leased_until = "sending", now + LEASE
    row.attempts += 1
    return Sending(row.id, session.get_one(ContactPoint, row.contact_point_id).value, row.body)


def _paced(session: Session, row: Outbound, now: datetime) -> bool:
    """Take a token of each bucket, or put the message off until there is one. Safety replies are exempt (design 3)."""
    buckets = [("sender", pacing.SENDER)]
    if row.purpose != "safety":
        buckets.append((f"to:{row.contact_point_id}", pacing.RECIPIENT))
    rows = [(_pace(session, name, now), bucket) for name, bucket in buckets]
    free = max(pacing.free_at(bucket, pace.full_until, now) for pace, bucket in rows)
    if free > now and row.purpose != "safety":
        row.due_at = free
        return False
    for pace, bucket in rows:
        pace.full_until = pacing.take(bucket, pace.full_until, now)
    return True


def _pace(session: Session, name: str, now: datetime) -> Pace:
    insert_new(session, Pace, name=name, full_until=now)
    return session.scalars(select(Pace).where(Pace.name == name).with_for_update()).one()


def _let_through(session: Session, row: Outbound, now: datetime) -> bool:
    point = session.get_one(ContactPoint, row.contact_point_id)
    known = reach(session, point, now)
    decision = may_send(
        Facts(
            purpose=row.purpose,  # type: ignore[arg-type]  # written by `add` alone
            now=now,
            window_open=known.window_open,
            wrong_number=known.wrong_number,
            on_hold=known.on_hold,
            confirms_opt_out=row.confirms_opt_out,
            best_before=row.best_before,
            consent=known.consent,
        )
    )
    if not decision.allowed:
        row.state, row.reason = "withheld", decision.reason
        _settled(session, row, now)
    return decision.allowed


def _try_later(row: Outbound, now: datetime) -> None:
    """While Twilio is away we go on asking, as long as the person's window may be open; nothing is given up early."""
    again = now + BACK_OFF[min(row.attempts, len(BACK_OFF)) - 1]
    if again >= row.created_at + REPLY_LASTS:
        row.state, row.reason = "failed", "RETRIES_SPENT"
        return
    row.state, row.due_at = "queued", again


def _locked(session: Session, outbound_id: int) -> Outbound:
    return session.scalars(select(Outbound).where(Outbound.id == outbound_id).with_for_update()).one()


def _settled(session: Session, row: Outbound, now: datetime) -> None:
    """If the message was an alert, the person at risk may be told the truth about it; an answer that failed is a case."""
    if row.state == "failed" and row.inbound_id is not None:
        _tell_office(session, row, now)
    alert = session.scalar(select(Alert).where(Alert.outbound_id == row.id))
    if alert is not None and row.state not in ("queued", "sending"):
        settle(session, alert, reached=row.state in ("accepted", "sent", "delivered", "read"), now=now)


def _tell_office(session: Session, row: Outbound, now: datetime) -> None:
    """Somebody asked and our answer could not be delivered: a person must know (nothing is silent)."""
    here = (OfficeCase.person_id == row.person_id, OfficeCase.kind == UNDELIVERED, OfficeCase.state == "open")
    case = session.scalar(select(OfficeCase).where(*here).limit(1))
    if case is None:
        case = OfficeCase(person_id=row.person_id, kind=UNDELIVERED, opened_at=now)
        session.add(case)
        session.flush()  # its number goes into the next row
    insert_new(session, CaseMessage, case_id=case.id, inbound_id=row.inbound_id)
