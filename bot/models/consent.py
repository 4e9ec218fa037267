"""What people agreed to, as a ledger that is only ever added to, the words they agreed to, and what outlives erasure."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.models.base import Base


class ConsentEvent(Base):
    """One change of consent to one purpose: who, when, how, in which words, recorded by whom. Never altered."""

    __tablename__ = "consent_event"
    __table_args__ = (Index("ix_consent_event_person_at", "person_id", "at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    purpose: Mapped[str]  # service | checkin | marketing
    action: Mapped[str]  # give | refuse | withdraw | pause | resume | undo
    at: Mapped[datetime]  # when it took effect: for a declaration, the start of its day in London
    source: Mapped[str]  # declaration | chat | start | staff ...
    wording: Mapped[str] = mapped_column(default="")  # version of the declaration, or of our question: `Wording.version`
    recorded_by: Mapped[str] = mapped_column(default="")  # a staff code, `import`, or `learner`
    recorded_at: Mapped[datetime]
    inbound_id: Mapped[int | None] = mapped_column(ForeignKey("inbound.id"))


class Wording(Base):
    """The words that somebody said yes or no to, by version and purpose. Never altered: other words are another version."""

    __tablename__ = "wording"
    __table_args__ = (UniqueConstraint("version", "purpose"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str]
    purpose: Mapped[str]
    text: Mapped[str]
    recorded_at: Mapped[datetime]


class Suppression(Base):
    """A number that said no, as a keyed hash: it outlives the person's erasure, and a re-import finds it (L06)."""

    __tablename__ = "suppression"

    number_hash: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]  # a declaration signed later re-opens; nothing else does


class NumberChange(Base):
    """A learner's word, from their old phone, that a number is theirs from now on (D10). Done once it has written."""

    __tablename__ = "number_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    value: Mapped[str] = mapped_column(index=True)  # the new number, E.164
    confirmed_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    told_at: Mapped[datetime | None]  # when the new phone was told that their messages come to it
    listed_at: Mapped[datetime | None]  # when a list named it or another, or it was found wrong: an import may undo it
