"""What the commands share: what they work with, and how they print rows for people and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.acts import UNSIGNED, NoSuchStaff, check_signer
from bot.conversation import Room
from bot.database import Database
from bot.hours import LONDON
from bot.preview import Planned, nothing_planned
from bot.whatsapp import Contents, ProviderAway, Records
from bot.worker import Worker

Row = Mapping[str, object]
SIGNED = click.option("--as", "by", metavar="CODE", help="Your staff code: it goes into the audit.", default=UNSIGNED)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")
TWILIO_IS_AWAY = 3  # an exit status
WRONG_PASSWORD = 401


@dataclass(frozen=True, slots=True)
class Tools:
    """The parts of the service that commands use."""

    db: Database
    room: Room
    worker: Worker
    contents: Contents
    records: Records
    demo: bool = False  # only there a rehearsal may be held
    planned: Planned = nothing_planned  # what planning would owe until a moment


def signed(tools: Tools, by: str) -> None:
    """Fail with a plain word where `by` is the code of nobody, before anything is done."""
    try:
        check_signer(tools.db, by)
    except NoSuchStaff as error:
        raise click.ClickException(str(error)) from None


def why_away(away: ProviderAway) -> str:
    """What to do about a Twilio that could not be asked, for people."""
    if away.status == WRONG_PASSWORD:
        return f"Twilio refuses us (error {away.code}): check TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN."
    if not away.status:
        return "Twilio does not answer: check TWILIO_API_URL, and try again. Nothing that was done is lost."
    return f"Twilio answered {away.status} (error {away.code}): try again. Nothing that was done is lost."


def show(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print rows: a table in London's time for people, JSON lines in UTC for programs."""
    if as_json:
        for row in rows:
            click.echo(json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False))
        return
    if not rows:
        click.echo("Nothing to show.")
        return
    table = Table(*map(escape, rows[0]))
    for row in rows:
        table.add_row(*(escape(_for_people(value)) for value in row.values()))  # "[/b]" is a name like any other
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _for_people(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(LONDON).strftime("%d %b %Y %H:%M:%S")
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)
