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
    tidy_at: Mapped[datetime | None] = mapped_column(index=True)  # when Twilio's own copy may go (L26); None: nothing to do


class Outbound(Base):
    """A message we owe somebody, until it is delivered or says in `reason` why it is not."""

    __tablename__ = "outbound"
    __table_args__ = (
        Index("ix_outbound_due", "state", "due_at"),
        Index("ix_outbound_next", "state", "priority", "due_at", "id"),  # the next to send, without sorting all that is due
        Index("ix_outbound_recipient", "contact_point_id", "state", "id"),
        Index("ix_outbound_reach", "by_template", "tried_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_point.id"))
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound.id"))
    purpose: Mapped[str]
    use: Mapped[str] = mapped_column(default="")  # the approved use of a proactive message (P02, P12 to P19)
    urgent: Mapped[bool] = mapped_column(default=False)  # passes group hours and the frequency cap, and nothing else
    urgent_from: Mapped[datetime | None]  # when it becomes so: news of a lesson, half a day before that
    priority: Mapped[int]
    body: Mapped[str]
    template: Mapped[str | None]  # its name in data/templates.yml: what goes when the session window is shut
    variables: Mapped[Json | None] = mapped_column(JSON)
    media: Mapped[str | None]  # the address of the one file that goes with it
    ask: Mapped[Json | None] = mapped_column(JSON)  # the question that it puts: the person's pending one once it is sent
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
    tried_at: Mapped[datetime | None]  # when Twilio was last asked: where a look-up begins
    by_template: Mapped[bool] = mapped_column(default=False)  # it went as a template, outside the window
    sent_at: Mapped[datetime | None]
    look_ups: Mapped[int] = mapped_column(default=0)  # how often an unknown outcome was looked for in Twilio's list
    retry_of: Mapped[int | None] = mapped_column(ForeignKey("outbound.id"), index=True)  # sent again, as a new row
    tidy_at: Mapped[datetime | None] = mapped_column(index=True)  # when Twilio's own copy may go (L26)
    plan: Mapped[str] = mapped_column(default="")  # what it was planned as (bot.turn.Plan); "": it was not planned
    lesson_id: Mapped[int | None] = mapped_column(ForeignKey("lesson.id"), index=True)
    lesson_version: Mapped[int | None]  # the version of the lesson that it speaks of
    notice_id: Mapped[int | None] = mapped_column(ForeignKey("notice.id"), index=True)
    opportunity_id: Mapped[int | None] = mapped_column(ForeignKey("opportunity.id"), index=True)


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


class TemplateRow(Base):
    """A template as Twilio and WhatsApp know it. A changed text is a new version: what was approved is never altered."""

    __tablename__ = "template"
    __table_args__ = (UniqueConstraint("name", "language", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    language: Mapped[str]
    version: Mapped[str]  # of body, replies and category: bot.templates
    content_sid: Mapped[str] = mapped_column(unique=True)
    status: Mapped[str]  # WhatsApp's word: received | pending | approved | rejected | paused | disabled
    category: Mapped[str]  # WhatsApp's word, which may differ from ours: then nothing is sent by it (L20)
    because: Mapped[str] = mapped_column(default="")
    checked_at: Mapped[datetime]


class Stop(Base):
    """Sending is stopped: the account, the sender or our password is wrong. One message now and then tries the door."""

    __tablename__ = "stop"

    name: Mapped[str] = mapped_column(primary_key=True)  # sending
    since: Mapped[datetime]
    until: Mapped[datetime]  # when the next one may try
    error_code: Mapped[int | None]
    by_callback: Mapped[bool] = mapped_column(default=False)  # Twilio takes messages and fails them later
    tries: Mapped[int] = mapped_column(default=0)
