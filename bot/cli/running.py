"""Commands that run the service: bring the schema up to date, work, and read texts as the assistant would."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime

import click
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from bot import clock
from bot.classify import Reading, classify
from bot.cli.recovering import Moment
from bot.cli.tools import Tools
from bot.conversation import Mind
from bot.rehearsal import BeforeTheLast, TooFarAhead, rehearse
from bot.schema import migrate
from bot.turn import NluAway
from bot.whatsapp import clean
from bot.worker import Worker

NLU_IS_DOWN = 3
PATIENCE = Retrying(
    retry=retry_if_exception_type(NluAway), stop=stop_after_attempt(3), wait=wait_fixed(1), reraise=True
)  # a busy Rasa is not a dead one


def migrate_command(tools: Tools) -> click.Command:
    """`flask migrate`."""

    @click.command("migrate", help="Bring the database to the newest schema.")
    def command() -> None:
        before, after = migrate(tools.db)
        click.echo(
            f"The database is at {after}." if before == after else f"The database went from {before or 'empty'} to {after}."
        )

    return command


def work_command(tools: Tools) -> click.Command:
    """`flask work [--once [--now TIME]]`."""

    @click.command("work", help="Take turns and send what is due, until stopped.")
    @click.option("--once", is_flag=True, help="Do everything due now, then stop.")
    @click.option(
        "--now",
        "at",
        type=Moment(),
        help="With --once: a rehearsal, everything due as at that moment (London's time, unless a zone is named). It sends "
        "what it sends, and what it wrote down stays: for the demo only, and each later than the last.",
    )
    def command(once: bool, at: datetime | None) -> None:
        if at is not None and not once:
            raise click.UsageError("--now goes with --once.")
        if not once:
            tools.worker.run()
            return
        click.echo(f"{(_rehearsing(tools, at) if at else tools.worker).once()} done.")

    return command


def classify_command(tools: Tools) -> click.Command:
    """`flask classify`."""

    @click.command(
        "classify", help="Read texts (lines, or JSON lines with `text`) and print what is heard in each, as JSON."
    )
    def command() -> None:
        given = sys.stdin.buffer.read().decode("utf-8", errors="replace")
        texts = [clean(_text(line)) for line in given.splitlines() if line.strip()]
        try:
            readings = _read_all(texts, tools.room.mind)
        except NluAway:
            click.echo("Rasa does not answer: start it with the `nlu` line of the Procfile.", err=True)
            sys.exit(NLU_IS_DOWN)
        for reading in readings:
            click.echo(json.dumps(asdict(reading), ensure_ascii=False))

    return command


def _rehearsing(tools: Tools, at: datetime) -> Worker:
    """The worker with its clock set to `at`; it goes on from there. Fails outside the demo, or back, or too far."""
    if not tools.demo:
        raise click.ClickException("A rehearsal sends real messages before their time: never in production.")
    try:
        rehearse(tools.db, at, clock.now())
    except (BeforeTheLast, TooFarAhead) as error:
        raise click.ClickException(str(error)) from None
    further = at - clock.now()
    return replace(tools.worker, clock=lambda: clock.now() + further)


def _read_all(texts: Iterable[str], mind: Mind) -> list[Reading]:
    """All of them or none: a program that reads our output must not take a part for the whole."""
    patient = replace(mind, parse=PATIENCE.wraps(mind.parse))
    patient.parse("hello")
    with click.progressbar(list(texts), label="Reading", file=sys.stderr) as bar:
        return [classify(text, patient, clock.now()) for text in bar]


def _text(line: str) -> str:
    """A line is a text, or a JSON object that holds one under `text`."""
    try:
        given = json.loads(line)
    except ValueError:
        return line
    return str(given["text"] or "") if isinstance(given, dict) and "text" in given else line
