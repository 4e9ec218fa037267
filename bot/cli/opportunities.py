"""Commands about opportunities: write one, see whom it would reach, approve it, call it back, see what came of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, TypeVar

import click

from bot import clock, opportunities
from bot.acts import NoSuchStaff
from bot.cli.tools import JSON, Row, Tools, show
from bot.consents import NotAllowed
from bot.hours import DAY, LONDON
from bot.models import Opportunity
from bot.opportunities import Preview, Progress, Shown, Written

REFUSALS = (opportunities.Refused, opportunities.NoSuchOpportunity, NoSuchStaff, NotAllowed)
BY = click.option("--as", "by", required=True, metavar="CODE", help="Your staff code: an admin's.")
HELP = "Jobs, markets, grants and courses for those learners who said yes to hearing of them (policy: opportunities)."
HELP_ADD = """Write an opportunity down. Another admin approves it with `opportunity approve`.

--course, --cohort and --status narrow whom it is for: learners with a place on one of these courses, in one of these
cohorts, on a course that goes on (current) or is over (finished). --interest reaches only those who told us that they want
to hear about one of these topics; whoever chose nothing is not among them."""
Does = TypeVar("Does")


def opportunity_commands(tools: Tools) -> click.Command:
    """`flask opportunity add|preview|approve|recall|list|show`."""
    group = click.Group("opportunity", help=HELP)
    for make in (_add_command, _preview_command, _approve_command, _recall_command, _list_command, _show_command):
        group.add_command(make(tools))
    return group


def _add_command(tools: Tools) -> click.Command:
    @click.command("add", help=HELP_ADD)
    @click.argument("code")
    @click.option("--what", required=True, help="What it is, in one line: it follows 'has news of an opportunity for you:'.")
    @click.option("--more", required=True, help="Where to find out more: a https:// link, a UK phone number or an email.")
    @click.option(
        "--course", "courses", multiple=True, metavar="CODE", help="Only learners of this course. May be repeated."
    )
    @click.option("--cohort", "cohorts", multiple=True, metavar="NAME", help="Only this cohort. May be repeated.")
    @click.option("--interest", "interests", multiple=True, type=click.Choice(opportunities.INTERESTS), help="See above.")
    @click.option("--status", type=click.Choice(opportunities.STATUSES), default="all", show_default=True)
    @click.option(
        "--best-before", type=click.DateTime(["%Y-%m-%d"]), help="The last day on which it may go. Default: for 7 days."
    )
    @click.option("--replace", is_flag=True, help="Take the place of one of this code that nobody has approved yet.")
    @BY
    def command(replace: bool, best_before: datetime | None, **given: Any) -> None:
        now = clock.now()
        one = Written(**given, best_before=_until(best_before, now))
        _refusing(lambda: opportunities.add(tools.db, tools.room.terms, one, now, replace=replace))
        click.echo(f"{one.code} is written down and goes to nobody yet. They would read:\n\n{_text(tools, one)}\n")
        click.echo(f"Next: `opportunity preview {one.code}`; then another admin: `opportunity approve {one.code}`.")

    return command


def _preview_command(tools: Tools) -> click.Command:
    @click.command(
        "preview", help="Who would get it now, who would not and why, on how many days, and what they would read."
    )
    @click.argument("code")
    @JSON
    def command(code: str, as_json: bool) -> None:
        with _bar() as progress:
            terms = tools.room.terms
            found = _refusing(lambda: opportunities.preview(tools.db, terms, code, clock.now(), progress))
        click.echo(json.dumps(_preview_row(code, found)) if as_json else "\n".join(_told(found)))

    return command


def _approve_command(tools: Tools) -> click.Command:
    @click.command("approve", help="Read it and let it go, 15 minutes from now. Who wrote it cannot; another admin does.")
    @click.argument("code")
    @click.option("--yes", is_flag=True, help="Ask nothing: for scripts, with --seen.")
    @click.option("--seen", metavar="MARK", help="The mark under what was read (see `opportunity preview`).")
    @BY
    def command(code: str, by: str, yes: bool, seen: str | None) -> None:
        if yes and not seen:
            raise click.UsageError("--yes needs --seen MARK, the mark that `opportunity preview` prints.")
        mark = seen if yes and seen else _read_and_asked(tools, code, seen)
        done = _refusing(lambda: opportunities.approve(tools.db, code, by, clock.now(), seen=mark))
        was = "approved" if done.first else f"approved already, by {done.by}"
        click.echo(f"{code} is {was}. Until {_time(done.release_at)} (London) nobody gets it: `opportunity recall {code}`.")
        click.echo("After that it goes on working days from 9:00 to 18:00; what has not gone can still be called back.")

    return command


def _read_and_asked(tools: Tools, code: str, seen: str | None) -> str:
    """The mark of what they have now read and said yes to; it is not asked again of what was approved before."""
    one = _refusing(lambda: opportunities.read(tools.db, code))
    if one.approved_at is None:
        until = f"{one.best_before.astimezone(LONDON):%a %d %b %H:%M} (London)"
        click.echo(f"{_text(tools, one)}\n\nFor {_whom(one)}. Until {until}.")
        click.confirm("Approve this?", abort=True)
    return seen or opportunities.mark_of(one)


def _recall_command(tools: Tools) -> click.Command:
    @click.command("recall", help="Call it back: nobody gets it from now on. What went already cannot be taken back.")
    @click.argument("code")
    @BY
    def command(code: str, by: str) -> None:
        done = _refusing(lambda: opportunities.recall(tools.db, code, by, clock.now()))
        click.echo(f"{code} is called back." if done.first else f"{code} was called back before. Nothing was changed.")
        unsure = f" {done.under_way} are on their way or unknown." if done.under_way else ""
        click.echo(f"{done.gone} had gone already; {done.kept_back} that waited will not go.{unsure}")

    return command


def _list_command(tools: Tools) -> click.Command:
    @click.command("list", help="Every opportunity, newest first: where it stands, to how many it went.")
    @JSON
    def command(as_json: bool) -> None:
        lines = opportunities.every(tools.db, clock.now())
        rows = [{**_row(line.one), "stage": line.stage, "gone": line.gone, "waiting": line.waiting} for line in lines]
        show(rows, as_json=as_json)

    return command


def _show_command(tools: Tools) -> click.Command:
    @click.command("show", help="One opportunity: its text, who wrote and approved it, who got it, and why others did not.")
    @click.argument("code")
    @JSON
    def command(code: str, as_json: bool) -> None:
        with _bar() as progress:
            terms = tools.room.terms
            found = _refusing(lambda: opportunities.show(tools.db, terms, code, clock.now(), progress))
        row = _shown_row(found)
        if as_json:
            show([row], as_json=True)
            return
        show([{"": name, code: value} for name, value in row.items() if value not in (None, [], {})], as_json=False)
        click.echo(_text(tools, found.one))

    return command


def _refusing(do: Callable[[], Does]) -> Does:
    """What it returns. A refusal is a plain word and exit status 1."""
    try:
        return do()
    except REFUSALS as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _bar() -> Iterator[Progress]:
    with click.progressbar(length=0, label="Asking for each", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        yield progress


def _until(day: datetime | None, now: datetime) -> datetime:
    """The end of that day in London: it is the last one on which it may go."""
    if day is None:
        return now + opportunities.LASTS
    return clock.london_day_starts(min(day.date(), date.max - 2 * DAY) + DAY)  # the calendar's last day has no end


def _time(at: datetime) -> str:
    return at.astimezone(LONDON).strftime("%H:%M")


def _text(tools: Tools, one: Opportunity | Written) -> str:
    template = tools.room.terms.templates.find("opportunity", "en")
    return opportunities.text_of(one, tools.room.terms, template.variables[0].sample)


def _whom(one: Opportunity) -> str:
    of = (("courses", one.courses), ("cohorts", one.cohorts), ("who wish to hear of", one.interests))
    narrowed = [f"{kind} {', '.join(names)}" for kind, names in of if names]
    return "; ".join([f"{one.status} learners", *narrowed])


def _told(found: Preview) -> list[str]:
    days = f"{found.days} day{'' if found.days == 1 else 's'}"
    lines = [opportunities.told(found.survey), f"At most {found.a_day} a day outside the 24 hours: {days}."]
    if found.days > found.days_open:
        lines.append(f"Only {found.days_open} of them come before its time is over: the rest will not get it.")
    if not found.template_ready:
        lines.append("WhatsApp has not approved the template: until then only those get it who wrote in the last 24 hours.")
    return [*lines, f"The mark of this text: {found.mark}", "", found.text]


def _preview_row(code: str, found: Preview) -> Mapping[str, object]:
    return {
        "code": code,
        "will": found.survey.will,
        "will_not": dict(found.survey.will_not),
        "outside_window": found.survey.outside,
        "a_day": found.a_day,
        "days": found.days,
        "days_open": found.days_open,
        "template_ready": found.template_ready,
        "text": found.text,
        "mark": found.mark,
    }


def _row(one: Opportunity) -> Row:
    return {
        "code": one.code,
        "made_by": one.made_by,
        "made_at": one.made_at,
        "approved_by": one.approved_by,
        "release_at": one.release_at,
        "best_before": one.best_before,
    }


def _shown_row(found: Shown) -> Row:
    one = found.one
    audience = {"courses": one.courses, "cohorts": one.cohorts, "interests": one.interests, "status": one.status}
    recalled = {"recalled_by": one.recalled_by, "recalled_at": one.recalled_at}
    counts = {"messages": found.messages, "will_get_it": found.others.will, "will_not": dict(found.others.will_not)}
    return {**_row(one), "stage": found.stage, "what": one.what, "more": one.more, **audience, **recalled, **counts}
