"""Where every opportunity stands: for the list, and one of them with all its counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select

from bot.database import Database
from bot.models import Audit, Opportunity, Outbound
from bot.opportunities.preview import Survey, in_order, read, survey
from bot.opportunities.values import Progress
from bot.status import WENT
from bot.terms import Terms

Stage = Literal["draft", "approved", "going", "over", "recalled"]
ENDED = "opportunity_end"  # the audit's line that keeps how many never got it, and why


@dataclass(frozen=True, slots=True)
class Line:
    """One opportunity in the list: where it stands, to how many it went, how many wait."""

    one: Opportunity
    stage: Stage
    gone: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One opportunity: its messages by state and reason, and why the rest of the audience has none."""

    one: Opportunity
    stage: Stage
    messages: dict[str, int]  # by state; what was not sent by its reason
    others: Survey  # of those without a message: when it is over, as it was then


def every(db: Database, now: datetime) -> list[Line]:
    """All of them, newest first."""
    with db.read() as session:
        found = session.scalars(select(Opportunity).order_by(Opportunity.id.desc())).all()
        session.expunge_all()
        by_state = select(Outbound.opportunity_id, Outbound.state, func.count()).where(Outbound.opportunity_id.is_not(None))
        counts: Counter[tuple[int | None, str]] = Counter()
        for opportunity_id, state, count in session.execute(by_state.group_by(Outbound.opportunity_id, Outbound.state)):
            counts[opportunity_id, state] = count
    gone = {one.id: sum(counts[one.id, state] for state in WENT) for one in found}
    return [Line(one, stage_of(one, now), gone[one.id], counts[one.id, "queued"]) for one in found]


def show(db: Database, terms: Terms, code: str, now: datetime, progress: Progress | None = None) -> Shown:
    """One of them. Raises NoSuchOpportunity."""
    one = read(db, code)
    with db.read() as session:
        rows = select(Outbound.state, Outbound.reason, func.count()).where(Outbound.opportunity_id == one.id)
        went: Counter[str] = Counter()
        why: Counter[str | None] = Counter()
        for state, reason, count in session.execute(rows.group_by(Outbound.state, Outbound.reason)):
            if state in ("withheld", "failed") and reason:
                why[reason] += count
            else:
                went[state] += count
        ended = select(Audit.details).where(Audit.act == ENDED, Audit.details["opportunity"].as_string() == code)
        kept = session.scalar(ended)
    others = Survey(will_not=kept["will_not"]) if kept else survey(db, terms, one, now, progress)
    return Shown(one, stage_of(one, now), {**in_order(why), **went}, others)


def stage_of(one: Opportunity, now: datetime) -> Stage:
    """Where it stands at `now` (aware UTC)."""
    if one.recalled_at is not None:
        return "recalled"
    if one.ended_at is not None or now >= one.best_before:
        return "over"
    if one.release_at is None:
        return "draft"
    return "approved" if now < one.release_at else "going"
