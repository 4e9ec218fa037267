"""The command that says what would go to whom, when and why, and what would not."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict
from datetime import datetime

import click
from rich.console import Console
from rich.progress import Progress

from bot import clock
from bot.cli.recovering import Moment
from bot.cli.tools import JSON, Tools, show
from bot.planning.forecast import may_be_followed
from bot.preview import FURTHEST, Expected, Span, learner, preview, summary

FOLLOWING = {"first_message": "first messages (invitations, check-ins)", "invitation": "invitations (one reminder each)"}
FOR_PEOPLE = ("at", "learner", "plan", "fate", "reason", "held_by")


def preview_command(tools: Tools) -> click.Command:
    """`flask preview --until TIME [--learner CODE] [--json]`."""
    what = """What would be sent to whom until then, when and why, and what would be held back and why.

    It only looks: it changes nothing, and may be asked while everything runs. `at` is when a message goes, is withheld, or
    is asked about again. It takes it that nobody writes to us, nothing changes, and Twilio takes what it is given.

    What hangs on a message that is yet to go is not in the list; the last line counts it (`may_be_followed` with --json)."""

    @click.command("preview", help=what)
    @click.option("--until", type=Moment(), required=True, help="By London's clocks, unless a zone is given.")
    @click.option("--learner", "code", metavar="CODE", help="Only this learner's, but for what tells of a hold.")
    @JSON
    def command(until: datetime, code: str | None, as_json: bool) -> None:
        now = clock.now()
        if until <= now:
            raise click.BadParameter("that is in the past", param_hint="--until")
        if until > now + FURTHEST:
            raise click.BadParameter(f"that is more than {FURTHEST.days} days ahead", param_hint="--until")
        found = _ahead(tools, Span(now, until, _person(tools, code)))
        found = [one for one in found if one.learner or not code]
        rows = [asdict(one) | {"may_be_followed": may_be_followed(one, until)} for one in found]
        show(rows if as_json else [{name: row[name] for name in FOR_PEOPLE} for row in rows], as_json=as_json)
        click.echo(summary(found), err=as_json)
        if left_out := _left_out([one.plan for one in found if may_be_followed(one, until)]):
            click.echo(left_out, err=as_json)

    return command


def _left_out(plans: list[str]) -> str:
    """`Not in this list: what may follow 13 first messages (...).`; empty where nothing is left out."""
    counted = Counter(plans)
    named = " and ".join(f"{counted[plan]} {words}" for plan, words in FOLLOWING.items() if counted[plan])
    return f"Not in this list: what may follow {named}." if named else ""


def _person(tools: Tools, code: str | None) -> int | None:
    person_id = learner(tools.db, code) if code else None
    if code and person_id is None:
        raise click.ClickException(f"there is no learner {code}")
    return person_id


def _ahead(tools: Tools, span: Span) -> list[Expected]:
    """With a bar that moves: of a big college there is much to ask."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("Looking ahead", total=None)

        def progress(done: int, whole: int) -> None:
            bar.update(task, completed=done, total=whole)

        return preview(tools.db, tools.room.terms, tools.planned, span, progress)
