"""What the commands share: what they work with, and how they print rows for people and for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import click
from rich.console import Console
from rich.table import Table

from bot.clock import LONDON
from bot.conversation import Room
from bot.database import Database
from bot.worker import Worker

Row = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Tools:
    """The parts of the service that commands use."""

    db: Database
    room: Room
    worker: Worker


def show(rows: Sequence[Row], *, as_json: bool) -> None:
    """Print rows: a table in London's time for people, JSON lines in UTC for programs."""
    if as_json:
        for row in rows:
            click.echo(json.dumps({name: _plain(value) for name, value in row.items()}, ensure_ascii=False))
        return
    if not rows:
        click.echo("Nothing to show.")
        return
    table = Table(*rows[0].keys())
    for row in rows:
        table.add_row(*(_for_people(value) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


def _for_people(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(LONDON).strftime("%d %b %Y %H:%M:%S")
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    return "" if value is None else str(value)
