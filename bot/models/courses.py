"""Courses, cohorts, lessons, tasks and who learns or teaches on them, as the college's CSV files say."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.models.base import Base, Json
from bot.models.people import PersonRow


class Course(Base):
    """A course as one cohort takes it."""

    __tablename__ = "course"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    cohort: Mapped[str] = mapped_column(default="")
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    group_link: Mapped[str] = mapped_column(default="")
    hour_before: Mapped[bool] = mapped_column(default=False)  # its lessons are reminded of an hour before, too

    trainers: Mapped[list[CourseTrainer]] = relationship(order_by="CourseTrainer.position", cascade="all, delete-orphan")


class CourseTrainer(Base):
    """A trainer of a course; position 0 leads it."""

    __tablename__ = "course_trainer"

    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column(default=0)

    person: Mapped[PersonRow] = relationship()


class EnrolmentRow(Base):
    """A learner's place on a course."""

    __tablename__ = "enrolment"
    __table_args__ = (UniqueConstraint("person_id", "course_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), index=True)
    created_at: Mapped[datetime]

    course: Mapped[Course] = relationship()


class LessonRow(Base):
    """One lesson of a course. Times are stored in UTC and were given in Europe/London."""

    __tablename__ = "lesson"
    __table_args__ = (
        Index("ix_lesson_course_ends", "course_id", "ends_at"),
        Index("ix_lesson_to_plan", "planned_at", "starts_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    title: Mapped[str]
    place: Mapped[str] = mapped_column(default="")
    link: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)  # counts its changes: a message about an older one is not sent
    cancelled_at: Mapped[datetime | None]
    listed: Mapped[Json | None] = mapped_column(JSON)  # as the last import had it: only what a list changes is changed
    planned_at: Mapped[datetime | None]  # when its reminders were planned; None: they are to be, for whoever lacks them

    course: Mapped[Course] = relationship()


class Notice(Base):
    """News of a lesson that a trainer or the office gave out: late, cancelled, moved, another place, or trouble (P13)."""

    __tablename__ = "notice"

    id: Mapped[int] = mapped_column(primary_key=True)
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lesson.id"), index=True)
    kind: Mapped[str]  # late | cancelled | moved | place | problem | restored
    by: Mapped[str]  # a staff code
    at: Mapped[datetime]
    urgent: Mapped[bool] = mapped_column(default=False)
    called_at: Mapped[datetime | None]  # when the office was given the list of those it could not reach
    phoneless: Mapped[list[int]] = mapped_column(JSON, default=list)  # ids of whom it concerned, and no phone reached then


class Task(Base):
    """Something learners of a course make and send a picture of."""

    __tablename__ = "task"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), index=True)
    title: Mapped[str]
    due_on: Mapped[date | None]


class Invitation(Base):
    """A learner's invitation to the group of their cohort: a choice, and asked again at most once (P06, P07)."""

    __tablename__ = "invitation"
    __table_args__ = (UniqueConstraint("person_id", "course_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("course.id"), index=True)
    state: Mapped[str]  # invited | reminded | sent (they asked, and have the link) | declined
    at: Mapped[datetime]  # since when
