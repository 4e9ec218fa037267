"""Tells staff: who is at risk, what waits for the office. By email, and by WhatsApp where its window is open (D06).

The person at risk is told that somebody knows only when that is so: their reply waits a few seconds for the alert.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from bot.database import Database, insert_new, wake_workers
from bot.effects import Value
from bot.mail import Mail, SendsMail
from bot.models import Alert, OfficeCase, Outbound, StaffRole
from bot.texts import Texts

REPLY_WAITS = timedelta(seconds=8)  # then the reply goes out without claiming that anybody was told
RETRY = (timedelta(seconds=20), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15))
LEASE = timedelta(seconds=45)
TELLS_OF = timedelta(days=2)  # an older case is no news
MOST_AT_ONCE = 50
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Alarm:
    """An email to owe to one member of staff. Neither subject nor body holds a name, a number or a message."""

    key: str
    case_id: int
    address: str
    subject: str
    body: str


def add_email(session: Session, alarm: Alarm, now: datetime) -> None:
    """Owe an email. The same key twice is one email: two contacts may share a mailbox."""
    _add(session, alarm, now, channel="email", subject=alarm.subject, body=alarm.body)


def add_whatsapp(session: Session, alarm: Alarm, outbound_id: int, now: datetime) -> None:
    """Remember that an outbound message is an alert: how it fares decides what the person at risk reads."""
    _add(session, alarm, now, channel="whatsapp", outbound_id=outbound_id)


def _add(session: Session, alarm: Alarm, now: datetime, **values: object) -> None:
    case, address = alarm.case_id, alarm.address
    insert_new(session, Alert, key=alarm.key, case_id=case, address=address, due_at=now, created_at=now, **values)
    wake_workers(session)


def deliver(db: Database, mail: SendsMail, clock: Callable[[], datetime]) -> int:
    """Send the emails that are due, one transaction each and none open while the mail server is waited for."""
    sent = 0
    while (alert := _claim(db, clock())) is not None:
        reached = mail.send(Mail(alert.address, alert.subject, alert.body))
        with db.write() as session:
            settle(session, session.get_one(Alert, alert.id), reached=reached, now=clock())
        sent += reached
    return sent


def tell_admins(db: Database, texts: Texts, now: datetime) -> int:
    """Mail every admin of each new case that nobody was told of yet, such as those about the service itself; how many.

    A disclosure is never among them: it has alerts of its own, and is not for admins (D18).
    """
    told = exists().where(Alert.case_id == OfficeCase.id)
    fresh = (OfficeCase.state == "open", OfficeCase.restricted.is_(False), OfficeCase.opened_at > now - TELLS_OF)
    with db.write() as session:
        emails = session.scalars(select(StaffRole.email).where(StaffRole.role == "admin", StaffRole.email != "")).all()
        cases = session.scalars(select(OfficeCase).where(*fresh, ~told).limit(MOST_AT_ONCE)).all() if emails else []
        for case in cases:
            values: dict[str, Value] = {"case": case.id, "kind": case.kind}
            subject = texts.render("en", "alerts.case_subject", values)
            body = texts.render("en", "alerts.case_body", values)
            for email in dict.fromkeys(emails):
                add_email(session, Alarm(f"case:{case.id}:{email}", case.id, email, subject, body), now)
        return len(cases)


def settle(session: Session, alert: Alert, *, reached: bool, now: datetime) -> None:
    """One attempt is over: note it, and let the reply that waited for it go, with the words that are true."""
    if alert.state == "sent":
        if not reached:  # Twilio took it and could not deliver it: the others of the case stand, and this is no secret
            alert.state = "failed"
            log.error("alert.failed_after_all", case=alert.case_id, channel=alert.channel)
        return
    # Two attempts that end at the same moment must see each other, else each would leave it to the other to tell.
    session.execute(select(OfficeCase.id).where(OfficeCase.id == alert.case_id).with_for_update())
    alert.tried = True
    alert.state = "sent" if reached else _after_failure(alert, now)
    alert.sent_at = now if reached else None
    session.flush()
    waiting = update(Outbound).where(
        Outbound.alert_case_id == alert.case_id, Outbound.state == "queued", Outbound.body_if_told.is_not(None)
    )
    if reached:
        session.execute(waiting.values(body=Outbound.body_if_told, body_if_told=None, due_at=now))
    elif not _untried(session, alert.case_id):
        session.execute(waiting.values(body_if_told=None, due_at=now))
    wake_workers(session)


def _claim(db: Database, now: datetime) -> Alert | None:
    with db.write() as session:
        due = select(Alert).where(Alert.channel == "email", Alert.state == "queued", Alert.due_at <= now)
        first = due.join(OfficeCase, OfficeCase.id == Alert.case_id).order_by(OfficeCase.restricted.desc(), Alert.id)
        alert = session.scalar(first.limit(1).with_for_update(skip_locked=True, of=Alert))  # whoever is at risk first
        if alert is not None:
            alert.attempts += 1
            alert.due_at = now + LEASE
        return alert


def _after_failure(alert: Alert, now: datetime) -> str:
    if alert.channel == "whatsapp" or alert.attempts > len(RETRY):
        return "failed"
    alert.due_at = now + RETRY[alert.attempts - 1]
    return "queued"


def _untried(session: Session, case_id: int) -> bool:
    """Is any alert of this case still on its first attempt?"""
    return session.scalar(select(Alert.id).where(Alert.case_id == case_id, Alert.tried.is_(False))) is not None
