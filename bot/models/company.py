"""What we offer and ask after the lessons: opportunities, and check-ins for six months after the course (P18, P19)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.models.base import Base


class Opportunity(Base):
    """Something offered to some of the learners: written by one administrator, approved by another (P18)."""

    __tablename__ = "opportunity"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    what: Mapped[str]
    more: Mapped[str]  # where to find out more
    courses: Mapped[list[str]] = mapped_column(JSON, default=list)  # codes; none: of every course
    cohorts: Mapped[list[str]] = mapped_column(JSON, default=list)
    interests: Mapped[list[str]] = mapped_column(JSON, default=list)
    status: Mapped[str] = mapped_column(default="all")  # of the learners: all | current | finished
    made_by: Mapped[str]  # a staff code, as the others
    made_at: Mapped[datetime]
    author_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)  # who held that code when it was written
    author_email: Mapped[str] = mapped_column(default="")
    approved_by: Mapped[str | None]
    approved_at: Mapped[datetime | None]
    release_at: Mapped[datetime | None]  # until then it can be called back and has gone to nobody
    recalled_by: Mapped[str | None]
    recalled_at: Mapped[datetime | None]
    best_before: Mapped[datetime]
    plan_at: Mapped[datetime | None] = mapped_column(index=True)  # when planning looks at it; None: never, or no more
    ended_at: Mapped[datetime | None]  # when its time was over


class CheckIn(Base):
    """One check-in of one learner: planned once, asked, and what they said. Counted for the provider by cohort (P19)."""

    __tablename__ = "check_in"
    __table_args__ = (UniqueConstraint("person_id", "course_id", "week"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), index=True)
    week: Mapped[int]  # after the end of the course
    planned_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")  # well | ok | struggling; empty until they answer
