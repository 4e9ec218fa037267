"""Lists of what came in, what went out and what waits for people. No names, numbers or texts, but to who may see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from sqlalchemy import select

from bot import clock
from bot.cases import CaseError, close_case, read_case
from bot.cli.tools import JSON, Row, Tools, show
from bot.models import Base, Inbound, OfficeCase, Outbound, PersonRow
from bot.routing import AT_RISK
from bot.status import FORWARD

Command = Callable[..., Any]

LEARNER = click.option(
    "--learner", metavar="CODE", help="Only those of this learner, without what tells of a disclosure or a hold."
)
LIMIT = click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="The newest so many.")


def _state(*states: str, default: str | None = None) -> Callable[[Command], Command]:
    """An option that knows the states: a misspelt one must not look like an empty list."""
    what = "Only those in this state."
    return click.option("--state", type=click.Choice(states), default=default, show_default=True, help=what)


Listed = type[Inbound] | type[Outbound] | type[OfficeCase]


@dataclass(frozen=True, slots=True)
class Only:
    """Which rows are wanted."""

    state: str | None
    learner: str | None
    limit: int


def inbox_command(tools: Tools) -> click.Command:
    """`flask inbox`."""

    @click.command("inbox", help="Messages that came in, newest first: what was heard, and how far each is.")
    @_state("received", "done", "failed")
    @LEARNER
    @LIMIT
    @JSON
    def command(state: str | None, learner: str | None, limit: int, as_json: bool) -> None:
        columns = ("id", "received_at", "kind", "state", "attempts", "intents", "confidence", "decided_by", "effects")
        show(_rows(tools, Inbound, columns, Only(state, learner, limit)), as_json=as_json)

    return command


def outbox_command(tools: Tools) -> click.Command:
    """`flask outbox`."""

    @click.command("outbox", help="Messages that we owe or sent, newest first, and why any was not sent.")
    @_state(*FORWARD, "withheld")
    @LEARNER
    @LIMIT
    @JSON
    def command(state: str | None, learner: str | None, limit: int, as_json: bool) -> None:
        columns = ("id", "due_at", "purpose", "use", "state", "reason", "error_code", "attempts", "inbound_id")
        show(_rows(tools, Outbound, columns, Only(state, learner, limit)), as_json=as_json)

    return command


def cases_command(tools: Tools) -> click.Command:
    """`flask cases`."""

    @click.command("cases", help="What waits for people. With --show or --close and --as CODE: one of them.")
    @_state("open", "closed", default="open")
    @LEARNER
    @LIMIT
    @JSON
    @click.option("--show", "show_id", type=int, help="Who wrote, and what. It goes into the audit.")
    @click.option("--close", "close_id", type=int, help="It is dealt with; closing a disclosure also ends the hold.")
    @click.option("--as", "by", metavar="CODE", help="Your staff code.")
    def command(  # noqa: PLR0913, PLR0917
        state: str,
        learner: str | None,
        limit: int,
        as_json: bool,
        show_id: int | None,
        close_id: int | None,
        by: str | None,
    ) -> None:
        try:
            rows = _acted_on(tools, show_id, close_id, by)
        except CaseError as error:
            raise click.ClickException(str(error)) from None
        columns = ("id", "opened_at", "kind", "urgent", "restricted", "flags", "state")
        show(_rows(tools, OfficeCase, columns, Only(state, learner, limit)) if rows is None else rows, as_json=as_json)

    return command


def _acted_on(tools: Tools, show_id: int | None, close_id: int | None, by: str | None) -> list[Row] | None:
    if show_id is not None:
        return list(read_case(tools.db, show_id, by or "", clock.now()))
    if close_id is not None:
        return [close_case(tools.db, close_id, by or "", clock.now())]
    return None


def _rows(tools: Tools, table: Listed, columns: tuple[str, ...], only: Only) -> list[Row]:
    query = select(table).order_by(table.id.desc()).limit(only.limit)
    if only.state:
        query = query.where(table.state == only.state)
    if only.learner:
        query = query.where(table.person_id.in_(select(PersonRow.id).where(PersonRow.learner_code == only.learner)))
    with tools.db.read() as session:
        if only.learner and session.scalar(select(PersonRow.id).where(PersonRow.learner_code == only.learner)) is None:
            raise click.ClickException(f"there is no learner {only.learner}")
        found = (row for row in session.scalars(query) if not (only.learner and _is_for_few(row)))
        return [{name: getattr(row, name) for name in columns} for row in found]


def _is_for_few(row: Base) -> bool:
    """Does it tell of a disclosure or a hold? Whose that is, only the safeguarding role learns: `cases --show` (D18)."""
    if isinstance(row, OfficeCase):
        return row.restricted
    if isinstance(row, Inbound):
        return not {AT_RISK, "on_hold"}.isdisjoint(row.intents or ())
    if isinstance(row, Outbound):
        return row.reason == "SAFEGUARDING_HOLD" or (row.purpose == "safety" and not row.confirms_opt_out)
    return False
