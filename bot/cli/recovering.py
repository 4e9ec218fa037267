"""The command that asks Twilio for messages that never reached us."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bot import acts, clock
from bot.cli.tools import JSON, SIGNED, TWILIO_IS_AWAY, Tools, show, signed, why_away
from bot.hours import LONDON
from bot.recovery import Lookout, Recovered, last_heard
from bot.whatsapp import ProviderAway

YEARS = range(2000, 2100)  # at the ends of the calendar no time can be reckoned any further


class Moment(click.ParamType[datetime]):
    """A date or a time in ISO 8601: London's where it names no zone. It comes out in UTC."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment; fails with a usage error for what is none."""
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail("say it like 2026-11-24 or 2026-11-24T09:30", param, ctx)
        if moment.year not in YEARS:
            self.fail(f"the year is none from {YEARS[0]} to {YEARS[-1]}", param, ctx)
        return (moment if moment.tzinfo else moment.replace(tzinfo=LONDON)).astimezone(UTC)


def recover_command(tools: Tools) -> click.Command:
    """`flask recover [--since TIME] [--as CODE]`."""
    what = """Store the messages that Twilio got and we did not, because we could not be reached. They are taken and answered
    like any other, unless they are older than the 23 hours within which an answer may be sent.

    The worker does this by itself, for the last seven days at most. Run it again at any time: what is here stays as it is.
    Exit status: 0 when all is here, 3 when Twilio could not be asked."""

    @click.command("recover", help=what)
    @click.option("--since", type=Moment(), help="From when on; by London's clocks unless a zone is given.")
    @SIGNED
    @JSON
    def command(since: datetime | None, by: str, as_json: bool) -> None:
        signed(tools, by)
        now = clock.now()
        if since is not None and since >= now:
            raise click.BadParameter("that is in the future", param_hint="--since")
        since = since or last_heard(tools.db, now)
        try:
            done = _recover(tools, since, now)
        except ProviderAway as away:
            acts.note(tools.db, by, "recover", {"since": since.isoformat(), "away": away.status}, now)
            click.echo(why_away(away), err=True)
            sys.exit(TWILIO_IS_AWAY)
        acts.note(tools.db, by, "recover", {"since": done.since.isoformat(), "found": done.found, "new": done.new}, now)
        show([{"since": done.since, "found": done.found, "new": done.new}], as_json=as_json)

    return command


def _recover(tools: Tools, since: datetime, now: datetime) -> Recovered:
    """With a count that moves: nobody knows before the end how many there are."""
    columns = (SpinnerColumn(), TextColumn("Looking through Twilio's list:"), TextColumn("{task.completed} messages"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("messages", total=None)
        lookout = Lookout(tools.db, tools.room.mind.lexicon, tools.records)
        return lookout.recover(since, now, lambda found: bar.update(task, completed=found))
