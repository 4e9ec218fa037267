"""Commands about templates: make them at Twilio and have WhatsApp approve them, and see how each one stands."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence

import click

from bot import acts, clock, template_store
from bot.cli.tools import JSON, SIGNED, TWILIO_IS_AWAY, Row, Tools, show, signed, why_away
from bot.template_store import Standing
from bot.templates import Templates
from bot.whatsapp import ProviderAway

NOT_ALL = 1


def template_commands(tools: Tools) -> click.Command:
    """`flask templates push|status`."""

    @click.group("templates", help="The messages that may go outside the 24 hours after a person's last one.")
    def group() -> None:
        pass

    group.add_command(_push_command(tools))
    group.add_command(_status_command(tools))
    return group


def _push_command(tools: Tools) -> click.Command:
    what = """Make at Twilio what is missing of data/templates.yml, and hand it to WhatsApp for approval.

    Run it again at any time: what is there already is left as it is. Exit status: 0 when everything is handed in, 1 when
    Twilio refused a template, 3 when Twilio could not be asked."""

    @click.command("push", help=what)
    @SIGNED
    @JSON
    def command(by: str, as_json: bool) -> None:
        signed(tools, by)
        done = _asked(lambda: _pushed(tools, by))
        show([_row(one, "outcome", "status", "because") for one in done], as_json=as_json)
        sys.exit(NOT_ALL if any(one.outcome == "refused" for one in done) else 0)

    return command


def _status_command(tools: Tools) -> click.Command:
    what = """What WhatsApp says of each template now. One that was rejected, paused, disabled or put into another category
    is not sent, and becomes a case for the office.

    Exit status: 0 when every template may be sent, 1 when one may not (or not yet), 3 when Twilio could not be asked."""

    @click.command("status", help=what)
    @JSON
    def command(as_json: bool) -> None:
        found = _asked(lambda: template_store.refresh_status(tools.db, tools.contents, _ours(tools), clock.now()))
        show([_row(one, "ready", "status", "category", "because", "content_sid") for one in found], as_json=as_json)
        sys.exit(0 if all(one.ready for one in found) else NOT_ALL)

    return command


def _pushed(tools: Tools, by: str) -> list[Standing]:
    """What a push did, or that Twilio could not be asked half way, goes into the audit."""
    try:
        done = _with_progress(tools)
    except ProviderAway as away:
        acts.note(tools.db, by, "templates_push", {"away": away.status}, clock.now())
        raise
    acts.note(tools.db, by, "templates_push", Counter(one.outcome for one in done if one.outcome), clock.now())
    return done


def _with_progress(tools: Tools) -> list[Standing]:
    with click.progressbar(length=len(_ours(tools)), label="Pushing", file=sys.stderr) as bar:

        def progress(done: int, _total: int) -> None:
            bar.update(done - bar.pos)

        return template_store.push(tools.db, tools.contents, _ours(tools), clock.now(), progress)


def _ours(tools: Tools) -> Templates:
    return tools.room.terms.templates


def _asked(call: Callable[[], Sequence[Standing]]) -> Sequence[Standing]:
    try:
        return call()
    except ProviderAway as away:
        click.echo(why_away(away), err=True)
        sys.exit(TWILIO_IS_AWAY)


def _row(one: Standing, *columns: str) -> Row:
    return {name: getattr(one, name) for name in ("name", "language", "version", *columns)}
