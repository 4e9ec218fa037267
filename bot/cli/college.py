"""Commands about the college's people: the import, and what staff record of a learner's consent."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import cast

import click

from bot import clock, consents
from bot.cli.tools import Row, Tools, show
from bot.importing import NothingToImport, Report, import_folder
from bot.turn import CONSENTABLE, Consentable

REFUSALS = (consents.NoSuchPerson, consents.NoSuchStaff, consents.NotAllowed)
Recorded = Callable[[consents.Told], tuple[Consentable, ...]]


def import_command(tools: Tools) -> click.Command:
    """`flask import FOLDER [--dry-run]`."""

    @click.command("import", help="Load the college's CSV files: all of them, or nothing if any row is bad.")
    @click.argument("folder", type=click.Path(path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Check, say what would change, and change nothing.")
    @click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
    def command(folder: Path, dry_run: bool, as_json: bool) -> None:
        try:
            report = _import(tools, folder, dry_run=dry_run)
        except NothingToImport as error:
            raise click.ClickException(str(error)) from None
        click.echo(json.dumps(asdict(report)) if as_json else _as_text(report))
        sys.exit(1 if report.problems else 0)

    return command


def consent_commands(tools: Tools) -> click.Command:
    """`flask consent give|withdraw|show`."""

    @click.group("consent", help="What a learner agreed to: show it, or record what staff were told.")
    def group() -> None:
        pass

    def give(told: consents.Told) -> tuple[Consentable, ...]:
        return consents.give(tools.db, told, clock.now())

    def withdraw(told: consents.Told) -> tuple[Consentable, ...]:
        return consents.withdraw(tools.db, told, clock.now())

    group.add_command(_recording("give", "Record a yes that a learner gave to staff.", give))
    group.add_command(_recording("withdraw", "Record a no that a learner gave to staff; takes effect at once.", withdraw))
    group.add_command(_show_command(tools))
    return group


def _import(tools: Tools, folder: Path, *, dry_run: bool) -> Report:
    with click.progressbar(length=0, label="Reading", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        return import_folder(tools.db, folder, clock.now(), dry_run=dry_run, progress=progress)


def _as_text(report: Report) -> str:
    if report.problems:
        lines = [f"{p.file}, line {p.line}{f', {p.column}' if p.column else ''}: {p.reason}" for p in report.problems]
        return "\n".join([*lines, f"{len(lines)} problems; nothing was changed."])
    lines = [f"{c.file}: {c.added} added, {c.changed} changed, {c.unchanged} unchanged" for c in report.files]
    lines += [f"{name}: not one of the five files, left alone" for name in report.ignored]
    return "\n".join([*lines, "Dry run: nothing was changed."] if report.dry_run else lines)


def _recording(name: str, what: str, record: Recorded) -> click.Command:
    @click.command(name, help=what)
    @click.argument("person", required=False, metavar="[CODE]")
    @click.option("--learner", metavar="CODE", help="A learner code or a phone.")
    @click.option("--purpose", "purposes", multiple=True, type=click.Choice(CONSENTABLE), help="Default: all three.")
    @click.option(
        "--source", type=click.Choice(consents.SOURCES), default="phone", show_default=True, help="How they said it."
    )
    @click.option("--as", "by", required=True, metavar="CODE", help="Your staff code.")
    def command(person: str | None, learner: str | None, purposes: tuple[str, ...], source: str, by: str) -> None:
        wanted = cast(tuple[Consentable, ...], purposes or CONSENTABLE)
        told = consents.Told(_named(person, learner), wanted, cast(consents.Source, source), by)
        try:
            done = record(told)
        except REFUSALS as error:
            raise click.ClickException(str(error)) from None
        click.echo(f"Recorded for: {', '.join(done)}." if done else "Nothing to record: it stands so already.")

    return command


def _show_command(tools: Tools) -> click.Command:
    @click.command("show", help="Everything a learner ever agreed to or took back, and how it stands now.")
    @click.argument("person", required=False, metavar="[CODE]")
    @click.option("--learner", metavar="CODE", help="A learner code or a phone.")
    @click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
    def command(person: str | None, learner: str | None, as_json: bool) -> None:
        try:
            with tools.db.read() as session:
                trail = consents.trail(session, consents.person_by(session, _named(person, learner)))
        except REFUSALS as error:
            raise click.ClickException(str(error)) from None
        standing = {purpose: one.state for purpose, one in trail.standing.items()}
        rows: list[Row] = [asdict(line) for line in trail.lines]
        show(rows, as_json=as_json)
        click.echo(
            json.dumps({"standing": standing}) if as_json else "Now: " + ", ".join(f"{p} {s}" for p, s in standing.items())
        )

    return command


def _named(person: str | None, learner: str | None) -> str:
    if not (person or learner):
        raise click.UsageError("say which learner: a code or a phone")
    return str(person or learner)
