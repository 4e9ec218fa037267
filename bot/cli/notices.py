"""Commands about the news of lessons (P13): give it out, list it, and show whom it did not reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime

import click
from sqlalchemy import select

from bot import clock
from bot.acts import NoSuchStaff
from bot.cli.tools import JSON, Row, Tools, show
from bot.consents import NotAllowed
from bot.database import Busy, try_again
from bot.hours import LONDON
from bot.models import LessonRow, Notice
from bot.timetable import change, notices, permits
from bot.timetable.calls import Sheet, call_sheet
from bot.timetable.change import LessonError, News
from bot.timetable.notices import Desk, Reach
from bot.timetable.words import when

REFUSALS = (LessonError, NoSuchStaff, NotAllowed, Busy)
Wanted = Callable[[LessonRow, datetime], News]  # what a command means for the lesson as it stands; raises LessonError
CODE = "Your staff code: an admin's, or a trainer's of the course."
AS = click.option("--as", "by", required=True, metavar="CODE", help=CODE)
YES = click.option("--yes", is_flag=True, help="Do not ask again.")


def notice_commands(tools: Tools) -> click.Command:
    """`flask notice problem|list|calls`."""

    @click.group("notice", help="News of lessons: give it out, and see whom it did not reach.")
    def group() -> None:
        pass

    for make in (_problem, _notices, _calls):
        group.add_command(make(tools))
    return group


def _problem(tools: Tools) -> click.Command:
    @click.command("problem", help="Trouble with a lesson that goes on as planned: tell everybody, in your words.")
    @click.argument("code", metavar="LESSON")
    @click.argument("words")
    @AS
    @YES
    def command(code: str, words: str, by: str, yes: bool) -> None:
        carry_out(tools, code, by, lambda lesson, _: change.problem(lesson, words), yes=yes)

    return command


def _notices(tools: Tools) -> click.Command:
    @click.command("list", help="News that was given out, newest first; `called_at`: when its call sheet was done.")
    @click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
    @JSON
    def command(limit: int, as_json: bool) -> None:
        newest = select(Notice, LessonRow.code).join(LessonRow).order_by(Notice.id.desc()).limit(limit)
        with tools.db.read() as session:
            rows: list[Row] = [
                {"id": one.id, "lesson": code, "kind": one.kind, "urgent": one.urgent, "by": one.by, "at": one.at}
                | {"called_at": one.called_at}
                for one, code in session.execute(newest)
            ]
        show(rows, as_json=as_json)

    return command


def _calls(tools: Tools) -> click.Command:
    @click.command("calls", help="Whom a notice did not reach, and why: to be phoned. What is still on the way is counted.")
    @click.argument("notice", type=int, metavar="ID")
    @AS
    @JSON
    def command(notice: int, by: str, as_json: bool) -> None:
        try:
            sheet = call_sheet(tools.db, notice, by, clock.now())
        except REFUSALS as error:
            raise click.ClickException(str(error)) from None
        show([asdict(one) for one in sheet.calls], as_json=as_json)
        for line in _beside(sheet):
            click.echo(line, err=True)

    return command


def carry_out(  # noqa: PLR0913 (which, by whom, what, and how)
    tools: Tools, code: str, by: str, wanted: Wanted, *, yes: bool, off: bool = False
) -> None:
    """Say whom it tells, ask, and do it to the lesson as it was looked at. `off`: to one that is cancelled."""
    try:
        with tools.db.read() as session:
            desk = Desk(session, tools.room.terms, by, clock.now())
            lesson = change.find(session, code, desk.now, off=off)
            permits.require(session, by, lesson.course_id)
            news, version = wanted(lesson, desk.now), lesson.version
            click.echo(_as_planned(news))
            click.echo(_reaches(notices.reach_of(desk, lesson, news)))
        if not yes:
            click.confirm("Do it?", abort=True)
        told = try_again(lambda: _do(tools, code, by, wanted, version=version, off=off))
    except REFUSALS as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"Done. Whom it does not reach: flask --app app notice calls {told.notice_id} --as {by}")
    click.echo("Nobody has to wait for that: where somebody is to be phoned, a case comes to the office by itself.")


def _do(  # noqa: PLR0913 (which, by whom, what, and how)
    tools: Tools, code: str, by: str, wanted: Wanted, *, version: int, off: bool
) -> notices.Told:
    """One transaction."""
    with tools.db.write() as session:
        desk = Desk(session, tools.room.terms, by, clock.now())
        lesson = change.find(session, code, desk.now, version, lock=True, off=off)
        permits.require(session, by, lesson.course_id)
        return notices.tell(desk, lesson, wanted(lesson, desk.now))


def _beside(sheet: Sheet) -> Iterator[str]:
    """What to know before anybody phones."""
    if sheet.newer is not None:
        yield f"There is newer news of this lesson: notice {sheet.newer}. Tell them that one."
    if sheet.look_again is not None:
        are = "1 is" if sheet.on_the_way == 1 else f"{sheet.on_the_way} are"
        yield f"{are} still on the way. Look again after {when(sheet.look_again)}."


def _as_planned(news: News) -> str:
    """How the lesson stands, and how it will."""
    was, slot = news.was, news.slot
    lines = [f"Lesson: {was.title}, {when(was.starts_at)}"]
    if news.kind == "cancelled":
        lines.append("From now on: cancelled")
    elif news.kind == "restored":
        lines.append("From now on: on after all")
    elif slot.starts_at != was.starts_at or slot.ends_at != was.ends_at:
        lines.append(f"From now on: {when(slot.starts_at)} to {when(slot.ends_at)}{_twice(slot.starts_at)}")
    elif slot != was:
        lines.append(f"From now on: {', '.join(part for part in (slot.place, slot.link) if part) or 'no place'}")
    return "\n".join(lines)


def _twice(at: datetime) -> str:
    """A word where London's clocks show this time twice."""
    local = at.astimezone(LONDON)
    other = local.replace(fold=1 - local.fold)
    return ", the first of the two" if other.utcoffset() != local.utcoffset() and not local.fold else ""


def _reaches(reach: Reach) -> str:
    told = "1 learner" if reach.reached == 1 else f"{reach.reached} learners"
    rest = f"; {reach.unreached} cannot be told" if reach.unreached else ""
    return f"This tells {told}{rest}."
