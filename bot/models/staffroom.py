"""What staff must know and what they did: cases, alerts, the audit, and the sign that the worker lives."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from bot.models.base import Base, Json


class OfficeCase(Base):
    """Something a person must do. A restricted one is for the safeguarding role alone (D18)."""

    __tablename__ = "office_case"
    __table_args__ = (Index("ix_office_case_person", "person_id", "state", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: it is about the service itself
    kind: Mapped[str]
    urgent: Mapped[bool] = mapped_column(default=False)
    restricted: Mapped[bool] = mapped_column(default=False)
    flags: Mapped[list[str]] = mapped_column(JSON, default=list)
    state: Mapped[str] = mapped_column(default="open")  # open | closed
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class CaseMessage(Base):
    """A message that staff were promised to see, in its case. A second one of a kind joins the case that is open."""

    __tablename__ = "case_message"

    case_id: Mapped[int] = mapped_column(ForeignKey("office_case.id"), primary_key=True)
    inbound_id: Mapped[int] = mapped_column(ForeignKey("inbound.id"), primary_key=True, index=True)


class Alert(Base):
    """One attempt to tell one member of staff of one case, by email or by WhatsApp."""

    __tablename__ = "alert"
    __table_args__ = (Index("ix_alert_due", "state", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("office_case.id"), index=True)
    channel: Mapped[str]  # email | whatsapp
    address: Mapped[str]
    subject: Mapped[str] = mapped_column(default="")
    body: Mapped[str] = mapped_column(default="")
    outbound_id: Mapped[int | None] = mapped_column(ForeignKey("outbound.id"), index=True)
    state: Mapped[str] = mapped_column(default="queued")  # queued | sent | failed
    tried: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]


class Audit(Base):
    """Who of the staff did what to whom, when. Only ever added to."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    by: Mapped[str]
    act: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    details: Mapped[Json] = mapped_column(JSON, default=dict)


class Heartbeat(Base):
    """When a process last said that it is alive."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
