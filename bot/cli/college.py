"""The command that loads the college's files."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from bot import clock
from bot.acts import NoSuchStaff
from bot.cli.tools import JSON, SIGNED, Tools
from bot.database import Busy
from bot.importing import Books, NothingToImport, Problem, Report, import_folder
from bot.settings import ROOT
from bot.wordings import BadWordings, WordingChanged, load_wordings

WORDINGS = ROOT / "data" / "wordings.yml"


def import_command(tools: Tools) -> click.Command:
    """`flask import FOLDER [--dry-run] [--as CODE]`."""

    @click.command("import", help="Load the college's CSV files: all of them, or nothing if any row is bad.")
    @click.argument("folder", type=click.Path(path_type=Path))
    @click.option("--dry-run", is_flag=True, help="Check, say what would change, and change nothing.")
    @SIGNED
    @JSON
    def command(folder: Path, dry_run: bool, by: str, as_json: bool) -> None:
        try:
            report = _import(tools, folder, by, dry_run=dry_run)
        except (NothingToImport, NoSuchStaff, BadWordings, WordingChanged, Busy) as error:
            raise click.ClickException(str(error)) from None
        click.echo(json.dumps(asdict(report)) if as_json else _as_text(report))
        sys.exit(1 if report.problems else 0)

    return command


def _import(tools: Tools, folder: Path, by: str, *, dry_run: bool) -> Report:
    with click.progressbar(length=0, label="Reading", file=sys.stderr) as bar:

        def progress(done: int, total: int) -> None:
            bar.length = total
            bar.update(done - bar.pos)

        books = Books(tools.db, tools.room.terms, load_wordings(WORDINGS), by)
        return import_folder(books, folder, clock.now(), dry_run=dry_run, progress=progress)


def _as_text(report: Report) -> str:
    if report.problems:
        lines = [_place(one) for one in report.problems]
        return "\n".join([*lines, f"{len(lines)} problems; nothing was changed."])
    lines = [f"{c.file}: {c.added} added, {c.changed} changed, {c.unchanged} unchanged" for c in report.files]
    lines += [f"{name}: not one of the five files, left alone" for name in report.ignored]
    lines += [f"Note: {_place(one)}" for one in report.notes]
    return "\n".join([*lines, "Dry run: nothing was changed."] if report.dry_run else lines)


def _place(one: Problem) -> str:
    return f"{one.file}, line {one.line}{f', {one.column}' if one.column else ''}: {one.reason}"
