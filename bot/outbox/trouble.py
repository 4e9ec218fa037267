"""What a failed message asks of us, by Twilio's error code (bot/whatsapp/errors.yml): again, otherwise, or a person."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import ledger
from bot.cases import open_case
from bot.database import insert_new, wake_workers
from bot.gate import ANSWERS
from bot.models import ContactPoint, Outbound
from bot.outbox import stopping
from bot.outbox.rows import REPLY_LASTS, cancel_planned
from bot.status import ARRIVED_AFTER_ALL, ERASED, RETRIES_SPENT, SENT_AGAIN
from bot.template_store import shelve
from bot.terms import Terms
from bot.turn import CONSENTABLE, Consentable
from bot.whatsapp import Remedy, remedy

ONCE_MORE = timedelta(seconds=1)
COPIED = (
    "person_id",
    "contact_point_id",
    "inbound_id",
    "purpose",
    "use",
    "urgent",
    "urgent_from",
    "priority",
    "body",
    "template",
    "variables",
    "media",
    "ask",
    "confirms_opt_out",
    "best_before",
    "created_at",
    "plan",
    "lesson_id",
    "lesson_version",
    "notice_id",
    "opportunity_id",
)
OF_THE_SERVICE = ("stop", "our_bug", "template_gone")  # remedies that are of nobody in particular
log = structlog.get_logger(__name__)


def after_failure(  # noqa: C901 (one arm for each kind of remedy, and no more)
    session: Session, row: Outbound, terms: Terms, now: datetime, *, by_callback: bool
) -> None:
    """Do what the error table says of the row's code; the row has just become `failed`. Never commits."""
    what = remedy(row.error_code)
    log.warning("outbox.failed", outbound=row.id, error=row.error_code, remedy=what.kind)
    if row.reason == ERASED and what.kind not in OF_THE_SERVICE:
        return  # of who it was for, nothing more is to be known or written
    match what.kind:
        case "retry":
            _after_a_while(session, row, what, now)
        case "template":
            _by_template(session, row, now)
        case "unknown":
            row.state = "unknown"  # not a failure yet: the look-up decides
        case "unreachable":
            _unreachable(session, row, now)
        case "opted_out":
            _withdraw(session, row, CONSENTABLE, "twilio", terms, now)
        case "withdraw_marketing":
            _withdraw(session, row, ("marketing",), "whatsapp", terms, now)
        case "stop":
            until = stopping.stop_sending(session, row.error_code, now, by_callback=by_callback)
            send_again(session, row, until)
        case "our_bug" | "template_gone":
            open_case(session, None, what.kind, now, (str(row.error_code), row.template or row.purpose))
            if what.kind == "template_gone" and row.template is not None:
                shelve(session, row.template, row.error_code)
        case "marketing_only" | "drop":
            pass  # this one is lost, and the row says why


def send_again(session: Session, row: Outbound, at: datetime) -> bool:
    """The same words once more, as a new row: what Twilio still says of the first keeps its place. False: too late."""
    if row.reason == ERASED or at >= (row.best_before or row.created_at + REPLY_LASTS):
        return False
    key = f"{row.key}~{chain_length(session, row) + 1}"
    values = {name: getattr(row, name) for name in COPIED} | {"contact_point_id": _where_now(session, row)}
    if not insert_new(session, Outbound, **values, key=key, retry_of=row.id, due_at=at):
        called_off = update(Outbound).where(Outbound.key == key, Outbound.reason == ARRIVED_AFTER_ALL)
        session.execute(called_off.values(state="queued", reason=None, due_at=at))
    row.reason = SENT_AGAIN
    wake_workers(session)
    return True


def chain_length(session: Session, row: Outbound) -> int:
    """How often this message was sent again before."""
    length, one = 0, row
    while one.retry_of is not None:
        length, one = length + 1, session.get_one(Outbound, one.retry_of)
    return length


def _where_now(session: Session, row: Outbound) -> int:
    """The address it went to; or the person's phone of today, if they have moved since (D10)."""
    if row.purpose in ANSWERS or session.get_one(ContactPoint, row.contact_point_id).disowned_at is None:
        return row.contact_point_id  # an answer belongs where it was asked for, or nowhere
    phones = select(ContactPoint.id).where(ContactPoint.person_id == row.person_id, ContactPoint.kind == "phone")
    usable = phones.where(ContactPoint.disowned_at.is_(None)).order_by(ContactPoint.id.desc())
    return session.scalar(usable.limit(1)) or row.contact_point_id


def _after_a_while(session: Session, row: Outbound, what: Remedy, now: datetime) -> None:
    tried = chain_length(session, row)
    if tried >= len(what.waits) or not send_again(session, row, now + what.waits[tried]):
        row.reason = RETRIES_SPENT


def _by_template(session: Session, row: Outbound, now: datetime) -> None:
    """63016: the window is shut, whatever we reckoned. A template goes once; free text cannot."""
    point, tried = session.get_one(ContactPoint, row.contact_point_id), row.tried_at or now
    point.window_shut_at = max(tried, point.window_shut_at or tried)  # news of an older message opens nothing
    if row.template is not None and not row.by_template and chain_length(session, row) == 0:
        send_again(session, row, now + ONCE_MORE)


def _unreachable(session: Session, row: Outbound, now: datetime) -> None:
    """Blocked, or not on WhatsApp. No withdrawal: their next message clears it. The office may phone."""
    point = session.get_one(ContactPoint, row.contact_point_id)
    if point.last_inbound_at is not None and row.tried_at is not None and point.last_inbound_at > row.tried_at:
        return  # they have written since: the news is old
    point.unreachable_at, point.unreachable_code = point.unreachable_at or now, row.error_code
    if row.inbound_id is None and row.purpose != "staff":  # an answer that failed is a case of its own
        open_case(session, row.person_id, "unreachable", now)


def _withdraw(  # noqa: PLR0913, PLR0917 (whose, what, and who says so)
    session: Session, row: Outbound, purposes: tuple[Consentable, ...], source: str, terms: Terms, now: datetime
) -> None:
    """The person told WhatsApp or Twilio, not us: it counts all the same (L16)."""
    entry = ledger.Entry(row.person_id, purposes, "withdraw", source, now, now, source)
    ledger.record(session, entry, terms.keyed)
    cancel_planned(session, row.person_id, purposes, "OPTED_OUT")
