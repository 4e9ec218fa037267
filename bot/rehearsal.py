"""A rehearsal: the worker once, as at another moment. Each is later than the last, because what one wrote down stays."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.database import Database, insert_new
from bot.hours import LONDON
from bot.models import Heartbeat

NAME = "rehearsal"
FURTHEST = timedelta(days=400)  # a slip of the pen in the year would end rehearsals for this database


class BeforeTheLast(Exception):
    """There was a rehearsal as at a later moment; says which."""


class TooFarAhead(Exception):
    """Nobody rehearses what comes in so many days; says up to when it may be."""


def rehearse(db: Database, at: datetime, now: datetime) -> None:
    """Note that one begins as at this moment (aware); `now` is the real one.

    Raises BeforeTheLast, because messages dated later are there already, and TooFarAhead, because none could come before it.
    """
    with db.write() as session:
        insert_new(session, Heartbeat, name=NAME, at=min(at, now))
        last = session.get_one(Heartbeat, NAME, with_for_update=True)
        if at < last.at:
            raise BeforeTheLast(f"The last rehearsal was as at {_shown(last.at)} in London: take that or later.")
        furthest = max(now, last.at) + FURTHEST
        if at > furthest:
            raise TooFarAhead(f"That is too far ahead: take {_shown(furthest)} in London, or before.")
        last.at = at


def _shown(at: datetime) -> str:
    return f"{at.astimezone(LONDON):%d %b %Y %H:%M:%S}"
