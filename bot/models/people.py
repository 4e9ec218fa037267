"""People, how to reach them, and what they are to us (design section 5)."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.models.base import Base, Json

AT_ONCE = datetime(1970, 1, 1, tzinfo=UTC)  # planning has not looked at them yet


class PersonRow(Base):
    """One human being: a learner, a member of staff, or somebody who wrote to us once."""

    __tablename__ = "person"
    __table_args__ = (Index("ix_person_plan_at", "plan_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    learner_code: Mapped[str | None] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    created_at: Mapped[datetime]
    pending: Mapped[Json | None] = mapped_column(JSON)  # the one question asked and not answered
    misses: Mapped[int] = mapped_column(default=0)
    warned_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]  # since a disclosure; only the safeguarding lead clears it (D07)
    watched: Mapped[bool] = mapped_column(default=False)
    left_group_asked_at: Mapped[datetime | None]  # when we asked whether they still want reminders (P09)
    plan_at: Mapped[datetime | None] = mapped_column(default=AT_ONCE)  # when planning looks at them; None: never
    reminders: Mapped[str] = mapped_column(
        default=""
    )  # their own choice: day | both | hour | none; "": as the course has it
    quiet_until: Mapped[datetime | None]  # no lesson reminders before this ("not this week")

    contact_points: Mapped[list[ContactPoint]] = relationship(back_populates="person", order_by="ContactPoint.id")
    staff_roles: Mapped[list[StaffRole]] = relationship(back_populates="person", order_by="StaffRole.id")


class ContactPoint(Base):
    """A phone in E.164 or a WhatsApp business-scoped id. It belongs to one person; a message opens its window."""

    __tablename__ = "contact_point"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str]  # phone | bsuid
    value: Mapped[str] = mapped_column(unique=True)
    last_inbound_at: Mapped[datetime | None]
    disowned_at: Mapped[datetime | None]  # "wrong number": nobody writes to it first again (D11)
    window_shut_at: Mapped[datetime | None]  # Twilio said 63016: shut until the next message in, whatever we reckon
    unreachable_at: Mapped[datetime | None]  # blocked, or not on WhatsApp: no withdrawal, and the next message in clears it
    unreachable_code: Mapped[int | None]

    person: Mapped[PersonRow] = relationship(back_populates="contact_points")


class StaffRole(Base):
    """What a person is to us: trainer, admin, safeguarding or read-only. `code` signs what they do."""

    __tablename__ = "staff_role"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str]
    email: Mapped[str] = mapped_column(default="")

    person: Mapped[PersonRow] = relationship(back_populates="staff_roles")


class Interest(Base):
    """What a learner asked to hear about: they chose it themselves, and nothing is guessed (P18)."""

    __tablename__ = "interest"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    topic: Mapped[str] = mapped_column(primary_key=True)  # jobs | clients | grants | courses
