"""Commands that change the timetable (P12): they say first whom the news of it reaches, and ask."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import clock
from bot.cli.notices import AS, REFUSALS, YES, carry_out
from bot.cli.tools import JSON, Row, Tools, show
from bot.database import try_again
from bot.importing.cells import LondonTime
from bot.models import Audit, Course, LessonRow
from bot.reminders import TOO_LATE, hour_before
from bot.timetable import change, courses, permits
from bot.timetable.change import NewLesson, News, Slot
from bot.timetable.words import when


class _London(click.ParamType[datetime]):
    """A time as London's clocks show it; of an hour that comes twice, the first."""

    name = "time"
    reads = TypeAdapter(LondonTime)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment in UTC. Fails with a plain word where there is no such time."""
        if isinstance(value, datetime):
            return value
        try:
            return self.reads.validate_python(str(value).strip())
        except ValidationError as error:
            self.fail(str(error.errors()[0].get("ctx", {}).get("error", "no time")), param, ctx)


LONDON_TIME = _London()


def lesson_commands(tools: Tools) -> click.Command:
    """`flask lesson add|move|delay|cancel|restore|place|remind|list`."""

    @click.group("lesson", help="The timetable. Times are London's, like '2026-12-01 10:00'.")
    def group() -> None:
        pass

    for make in (_add, _move, _delay, _cancel, _restore, _place, _remind, _list):
        group.add_command(make(tools))
    return group


def _add(tools: Tools) -> click.Command:
    @click.command("add", help="A lesson more. Its learners are reminded of it like of any other.")
    @click.argument("course", metavar="COURSE")
    @click.argument("code", metavar="CODE")
    @click.option("--starts", type=LONDON_TIME, required=True)
    @click.option("--ends", type=LONDON_TIME, required=True)
    @click.option("--title", required=True)
    @click.option("--place", default="")
    @click.option("--link", default="")
    @AS
    def command(  # noqa: PLR0913, PLR0917 (one for each option)
        course: str, code: str, starts: datetime, ends: datetime, title: str, place: str, link: str, by: str
    ) -> None:
        now = clock.now()
        try:
            with tools.db.write() as session:
                permits.require(session, by, change.find_course(session, course).id)
                lesson = change.add(session, NewLesson(code, course, Slot(starts, ends, title, place, link)), now)
                silent = _reminds_nobody(session, lesson, now)
                session.add(Audit(at=now, by=by, act="lesson_add", details={"lesson": lesson.code}))
        except REFUSALS as error:
            raise click.ClickException(str(error)) from None
        click.echo(f"Added: {when(starts)} to {when(ends)} in London.")
        if silent:
            click.echo("It starts in less than two hours, so no message tells anybody of it. Please phone its learners.")

    return command


def _move(tools: Tools) -> click.Command:
    @click.command("move", help="To another time. Tells those who know the old one; a reminder tells the others.")
    @click.argument("code", metavar="CODE")
    @click.option("--starts", type=LONDON_TIME, required=True)
    @click.option("--ends", type=LONDON_TIME, help="Default: the lesson is as long as it was.")
    @click.option("--everybody", is_flag=True, help="Tell everybody, also those whom a reminder will tell.")
    @AS
    @YES
    def command(  # noqa: PLR0913, PLR0917
        code: str, starts: datetime, ends: datetime | None, everybody: bool, by: str, yes: bool
    ) -> None:
        def wanted(lesson: LessonRow, now: datetime) -> News:
            until = ends or starts + (lesson.ends_at - lesson.starts_at)
            return change.move(lesson, starts, until, now, everybody=everybody)

        carry_out(tools, code, by, wanted, yes=yes)

    return command


def _delay(tools: Tools) -> click.Command:
    @click.command("delay", help="So many minutes later than it is planned now, and tell everybody.")
    @click.argument("code", metavar="CODE")
    @click.argument("minutes", type=int)
    @AS
    @YES
    def command(code: str, minutes: int, by: str, yes: bool) -> None:
        carry_out(tools, code, by, lambda lesson, now: change.delay(lesson, minutes, now), yes=yes)

    return command


def _cancel(tools: Tools) -> click.Command:
    @click.command("cancel", help="It does not take place: tell everybody, and remind nobody.")
    @click.argument("code", metavar="CODE")
    @AS
    @YES
    def command(code: str, by: str, yes: bool) -> None:
        carry_out(tools, code, by, lambda lesson, _: change.cancel(lesson), yes=yes)

    return command


def _restore(tools: Tools) -> click.Command:
    @click.command("restore", help="It was cancelled and is on after all: tell everybody, and remind again.")
    @click.argument("code", metavar="CODE")
    @AS
    @YES
    def command(code: str, by: str, yes: bool) -> None:
        carry_out(tools, code, by, change.restore, yes=yes, off=True)

    return command


def _place(tools: Tools) -> click.Command:
    @click.command("place", help="Another place or link, and tell everybody. An empty one: it has none from now on.")
    @click.argument("code", metavar="CODE")
    @click.option("--place", "room")
    @click.option("--link")
    @AS
    @YES
    def command(code: str, room: str | None, link: str | None, by: str, yes: bool) -> None:
        if room is None and link is None:
            raise click.UsageError("say a --place, a --link, or both")
        carry_out(tools, code, by, lambda lesson, _: change.place(lesson, room, link), yes=yes)

    return command


def _remind(tools: Tools) -> click.Command:
    @click.command("remind", help="Whether learners who chose nothing themselves are reminded an hour before, too.")
    @click.argument("course", metavar="COURSE")
    @click.option("--hour-before/--no-hour-before", "hour_before", required=True, default=None)
    @AS
    def command(course: str, hour_before: bool, by: str) -> None:
        def do() -> str:
            with tools.db.write() as session:
                found = change.find_course(session, course)
                permits.require(session, by, found.id)
                courses.remind_hour_before(session, found, by, clock.now(), wanted=hour_before)
                return found.code

        try:
            code = try_again(do)
        except REFUSALS as error:
            raise click.ClickException(str(error)) from None
        click.echo(f"{code}: an hour before is {'on' if hour_before else 'off'}.")

    return command


def _list(tools: Tools) -> click.Command:
    @click.command("list", help="Lessons to come, soonest first.")
    @click.argument("course", metavar="[COURSE]", required=False)
    @click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
    @JSON
    def command(course: str | None, limit: int, as_json: bool) -> None:
        to_come = select(LessonRow, Course.code).join(Course).where(LessonRow.ends_at > clock.now())
        try:
            with tools.db.read() as session:
                if course:
                    to_come = to_come.where(LessonRow.course_id == change.find_course(session, course).id)
                found = session.execute(to_come.order_by(LessonRow.starts_at, LessonRow.code).limit(limit)).all()
                show([_shown(lesson, code) for lesson, code in found], as_json=as_json)
        except REFUSALS as error:
            raise click.ClickException(str(error)) from None

    return command


def _reminds_nobody(session: Session, lesson: LessonRow, now: datetime) -> bool:
    """Is it too near for any reminder? Then the course's hour before is past or not wanted, too."""
    hour = session.get_one(Course, lesson.course_id).hour_before and hour_before(lesson.starts_at) > now
    return lesson.starts_at - now <= TOO_LATE and not hour


def _shown(lesson: LessonRow, course: str) -> Row:
    return {
        "code": lesson.code,
        "course": course,
        "starts_at": lesson.starts_at,
        "ends_at": lesson.ends_at,
        "title": lesson.title,
        "place": lesson.place,
        "link": lesson.link,
        "cancelled": lesson.cancelled_at is not None,
    }
