"""Messages in and out. What makes both safe to repeat is here: `inbound.sid`, `outbound.key`, `(outbound_id, status)`."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.models.base import Base, Json


class Inbound(Base):
    """A message as it arrived, personal details already masked; then what was heard in it and done."""

    __tablename__ = "inbound"
    __table_args__ = (Index("ix_inbound_waiting", "state", "person_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sid: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id"))
    kind: Mapped[str]
    text: Mapped[str] = mapped_column(default="")
    details: Mapped[Json] = mapped_column(JSON, default=dict)  # media, button, quote: what bot.turn.Message holds
    received_at: Mapped[datetime]
    urgent: Mapped[bool] = mapped_column(default=False)  # the safety rules heard something: it overtakes (design 3)

    state: Mapped[str] = mapped_column(default="received")  # received | done | failed
    leased_until: Mapped[datetime | None]
    lease: Mapped[str | None]
    retry_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    taken_at: Mapped[datetime | None]
    intents: Mapped[list[str] | None] = mapped_column(JSON)
    confidence: Mapped[float | None]
    decided_by: Mapped[str | None]
    effects: Mapped[list[str] | None] = mapped_column(JSON)


class Outbound(Base):
    """A message we owe somebody, until it is delivered or says in `reason` why it is not."""

    __tablename__ = "outbound"
    __table_args__ = (
        Index("ix_outbound_due", "state", "due_at"),
        Index("ix_outbound_recipient", "contact_point_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id"))
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound.id"))
    purpose: Mapped[str]
    priority: Mapped[int]
    body: Mapped[str]
    body_if_told: Mapped[str | None]  # said instead once the safeguarding contacts were reached (D06)
    alert_case_id: Mapped[int | None] = mapped_column(ForeignKey("office_case.id"), index=True)
    confirms_opt_out: Mapped[bool] = mapped_column(default=False)  # goes out even under a hold (design 6)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    best_before: Mapped[datetime | None]

    state: Mapped[str] = mapped_column(default="queued")  # bot.status
    reason: Mapped[str | None]
    sid: Mapped[str | None] = mapped_column(unique=True)
    error_code: Mapped[int | None]
    attempts: Mapped[int] = mapped_column(default=0)
    leased_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]


class OutboundEvent(Base):
    """One word of Twilio's about one message of ours, kept once however often it comes."""

    __tablename__ = "outbound_event"
    __table_args__ = (UniqueConstraint("outbound_id", "status"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    outbound_id: Mapped[int] = mapped_column(ForeignKey("outbound.id"))
    status: Mapped[str]
    at: Mapped[datetime]
    error_code: Mapped[int | None]


class Pace(Base):
    """A pacing bucket: the moment at which it will be empty again (bot.pacing)."""

    __tablename__ = "pace"

    name: Mapped[str] = mapped_column(primary_key=True)
    full_until: Mapped[datetime]
