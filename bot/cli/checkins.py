"""Commands about check-ins: what learners say after their course, for the provider."""

from __future__ import annotations

import csv
import sys

import click

from bot import acts, clock, outcomes
from bot.cli.tools import JSON, SIGNED, Tools, show, signed

CSV = click.option("--csv", "as_csv", is_flag=True, help="CSV with a header, for a spreadsheet.")


def checkin_commands(tools: Tools) -> click.Command:
    """`flask checkins report`."""

    @click.group("checkins", help="How learners are doing after their course.")
    def group() -> None:
        pass

    group.add_command(_report_command(tools))
    return group


def _report_command(tools: Tools) -> click.Command:
    what = """How many check-ins were asked, how many answered, and what was said: a row for each cohort, and one for all.

    There is no name in it. A cohort in which one to four learners are behind any number is hidden, and counts in the row
    for all. That row is hidden where a number could be worked out from it, as when one cohort alone is hidden. Exit
    status: 1 where no check-in went to the cohort."""

    @click.command("report", help=what)
    @click.option("--cohort", metavar="NAME", help="Only this cohort.")
    @CSV
    @JSON
    @SIGNED
    def command(cohort: str | None, as_csv: bool, as_json: bool, by: str) -> None:
        if as_csv and as_json:
            raise click.UsageError("either --csv or --json.")
        signed(tools, by)
        with tools.db.read() as session:
            try:
                rows = outcomes.report(session, cohort)
            except outcomes.NoSuchCohort as error:
                raise click.ClickException(str(error)) from None
        acts.note(tools.db, by, "outcomes.report", {"cohort": cohort or "", "rows": len(rows)}, clock.now())
        if as_csv:
            _as_csv(rows)
        else:
            show(rows, as_json=as_json)

    return command


def _as_csv(rows: list[dict[str, str]]) -> None:
    to = csv.DictWriter(sys.stdout, ["cohort", *outcomes.COLUMNS], lineterminator="\n")
    to.writeheader()
    to.writerows({name: _harmless(value) for name, value in row.items()} for row in rows)


def _harmless(value: str) -> str:
    """A cohort's name is no formula, whatever a spreadsheet makes of its first character."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@") else value
