"""What follows once a message is on its way or will never be: for the alert it was, and for whoever asked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.alerts import settle
from bot.cases import open_case
from bot.database import insert_new
from bot.models import Alert, CaseMessage, Outbound
from bot.status import ERASED, SENT_AGAIN, WENT
from bot.whatsapp import remedy

UNDELIVERED = "undelivered"
TOO_LATE = ("STALE", "WINDOW_CLOSED_NO_TEMPLATE")  # their message reached us when it could not be answered any more


def settled(session: Session, row: Outbound, now: datetime) -> None:
    """If it was an alert, the person at risk may be told the truth about it; an answer that never goes is a case."""
    if row.reason == ERASED:
        return  # who it was for is gone, and no case names them
    too_late = row.state == "withheld" and row.reason in TOO_LATE
    lost = row.state == "failed" and row.reason != SENT_AGAIN
    asked = row.inbound_id is not None
    if (asked and (lost or too_late)) or (lost and row.purpose == "service" and _is_news(row)):
        tell_office(session, row, now)
    if row.purpose != "staff" or row.state in ("queued", "sending"):
        return  # no alert, or nothing to say of it yet
    alert = session.scalar(select(Alert).where(Alert.outbound_id == row.id))
    if alert is not None:
        settle(session, alert, reached=row.state in WENT, now=now)


def _is_news(row: Outbound) -> bool:
    """A notice that failed for a reason that is no case of its own already: the office may have to phone."""
    return row.reason is not None or remedy(row.error_code).kind in ("drop", "retry")


def tell_office(session: Session, row: Outbound, now: datetime) -> None:
    """Somebody asked and our answer could not be delivered: a person must know (nothing is silent)."""
    case_id = open_case(session, row.person_id, UNDELIVERED, now)
    if row.inbound_id is not None:
        insert_new(session, CaseMessage, case_id=case_id, inbound_id=row.inbound_id)
