"""Commands about what a learner agreed to: record what staff were told, show the whole trail, erase."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime
from typing import cast

import click

from bot import clock, consents, erasure, trails
from bot.acts import NoSuchStaff
from bot.cli.tools import JSON, Row, Tools, show
from bot.turn import CONSENTABLE, Consentable, ConsentState

REFUSALS = (consents.NoSuchPerson, NoSuchStaff, consents.NotAllowed)
Recording = Callable[[consents.Told], consents.Recorded]
NOT_ON_FILE = "words not on file"
EARLIEST = date(2009, 1, 1)  # WhatsApp began in that year: an older day is a slip of the hand


def consent_commands(tools: Tools) -> click.Command:
    """`flask consent give|withdraw|show`."""

    @click.group("consent", help="What a learner agreed to: show it, or record what staff were told.")
    def group() -> None:
        pass

    def give(told: consents.Told) -> consents.Recorded:
        return consents.give(tools.db, tools.room.terms.keyed, told, clock.now())

    def withdraw(told: consents.Told) -> consents.Recorded:
        return consents.withdraw(tools.db, tools.room.terms.keyed, told, clock.now())

    group.add_command(_recording("give", "Record a yes that a learner gave to staff.", give))
    group.add_command(_recording("withdraw", "Record a no that a learner gave to staff; takes effect at once.", withdraw))
    group.add_command(_show_command(tools))
    return group


def erase_command(tools: Tools) -> click.Command:
    """`flask erase CODE --as CODE [--yes]`."""

    @click.command("erase", help="Erase a learner: all but the hash of their number, and what is under legal hold (L06).")
    @click.argument("person", metavar="CODE")
    @click.option("--as", "by", required=True, metavar="CODE", help="Your staff code: an admin's.")
    @click.option("--yes", is_flag=True, help="Do not ask again.")
    def command(person: str, by: str, yes: bool) -> None:
        try:
            plan = erasure.preview(tools.db, person, by)
            click.echo(_plan(plan))
            if not yes:
                click.confirm("Erase it? It cannot be brought back.", abort=True)
            erasure.erase(tools.db, tools.room.terms.keyed, erasure.Wish(person, by), clock.now())
        except REFUSALS as error:
            raise click.ClickException(str(error)) from None
        click.echo("Erased. Only a declaration signed from now on lets us write to that number again.")

    return command


def _recording(name: str, what: str, record: Recording) -> click.Command:
    @click.command(name, help=what)
    @click.argument("person", required=False, metavar="[CODE]")
    @click.option("--learner", metavar="CODE", help="A learner code or a phone.")
    @click.option("--purpose", "purposes", multiple=True, type=click.Choice(CONSENTABLE), help="Default: all three.")
    @click.option(
        "--source", type=click.Choice(consents.SOURCES), default="phone", show_default=True, help="How they said it."
    )
    @click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="The day on which they said it. Default: now.")
    @click.option("--wording", default="", metavar="VERSION", help="The version of the words that they were read.")
    @click.option("--as", "by", required=True, metavar="CODE", help="Your staff code.")
    def command(  # noqa: PLR0913, PLR0917 (one for each option)
        person: str | None,
        learner: str | None,
        purposes: tuple[str, ...],
        source: str,
        on: datetime | None,
        wording: str,
        by: str,
    ) -> None:
        wanted = cast(tuple[Consentable, ...], purposes or CONSENTABLE)
        how, day = cast(consents.Source, source), _day(on)
        try:
            done = record(consents.Told(_named(person, learner), wanted, how, by, day, wording))
        except REFUSALS as error:
            raise click.ClickException(str(error)) from None
        for_what = ", ".join(done.purposes)
        click.echo(f"Recorded for: {for_what}." if for_what else "Nothing to record: it stands so already.")
        click.echo(_now(done.now))

    return command


def _show_command(tools: Tools) -> click.Command:
    @click.command("show", help="Everything a learner ever agreed to or took back, in which words, and how it stands now.")
    @click.argument("person", required=False, metavar="[CODE]")
    @click.option("--learner", metavar="CODE", help="A learner code or a phone.")
    @click.option("--as", "by", default="", metavar="CODE", help="Your staff code: it goes into the audit.")
    @JSON
    def command(person: str | None, learner: str | None, by: str, as_json: bool) -> None:
        try:
            trail = trails.show(tools.db, tools.room.terms.keyed, _named(person, learner), by, clock.now())
        except REFUSALS as error:
            raise click.ClickException(str(error)) from None
        rows: list[Row] = [asdict(line) for line in trail.lines]
        if as_json:
            show(rows, as_json=True)
            click.echo(json.dumps(_summary(trail)))
        else:
            show([{name: value for name, value in row.items() if name != "words"} for row in rows], as_json=False)
            click.echo("\n".join(_told(trail)))

    return command


def _summary(trail: trails.Trail) -> dict[str, object]:
    return {
        "standing": {purpose: one.state for purpose, one in trail.standing.items()},
        **({} if trail.held is None else {"held": trail.held}),
        "suppressed": {purpose: since.isoformat() for purpose, since in trail.suppressed.items()},
        "withheld": trail.withheld,
    }


def _told(trail: trails.Trail) -> list[str]:
    """What stands below the table, for people."""
    lines = [_now({purpose: one.state for purpose, one in trail.standing.items()})]
    if trail.held:
        lines.append("On hold: nothing automatic goes to them.")
    if trail.suppressed:
        lines.append(f"Their number is kept as one that said no to: {', '.join(trail.suppressed)}.")
    if trail.withheld:
        lines.append("Not sent because of it: " + ", ".join(f"{count} {why}" for why, count in trail.withheld.items()))
    versions = {(line.wording, line.purpose): line.words for line in trail.lines if line.wording}
    return [*lines, *(f"{version}, {purpose}: {words or NOT_ON_FILE}" for (version, purpose), words in versions.items())]


def _plan(plan: erasure.Plan) -> str:
    lines = [f"{count:5} {what}" for what, count in plan.goes.items()]
    return "\n".join(["What goes:", *lines, *(f"What stays: {what}" for what in plan.stays)])


def _now(standing: dict[Consentable, ConsentState]) -> str:
    return "Now: " + ", ".join(f"{purpose} {state}" for purpose, state in standing.items())


def _day(on: datetime | None) -> date | None:
    """The day that was named. Raises click.BadParameter for one before there was WhatsApp."""
    if on is not None and on.date() < EARLIEST:
        raise click.BadParameter(f"nobody agreed to WhatsApp messages before {EARLIEST.year}", param_hint="--on")
    return on.date() if on else None


def _named(person: str | None, learner: str | None) -> str:
    """The one learner whom the command is about. Raises click.UsageError for none, and for two."""
    if person and learner:
        raise click.UsageError("say one learner: a code, or --learner with a code or a phone, and not both")
    if not (person or learner):
        raise click.UsageError("say which learner: a code or a phone")
    return str(person or learner)
