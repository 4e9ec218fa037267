"""A rehearsal: the worker once, as at another moment. Each is later than the last, because what one wrote down stays."""

from __future__ import annotations

from datetime import datetime

from bot.database import Database, insert_new
from bot.hours import LONDON
from bot.models import Heartbeat

NAME = "rehearsal"


class BeforeTheLast(Exception):
    """There was a rehearsal as at a later moment; says which."""


def rehearse(db: Database, at: datetime) -> None:
    """Note that one begins as at this moment (aware). Raises BeforeTheLast: messages dated later are there already."""
    with db.write() as session:
        insert_new(session, Heartbeat, name=NAME, at=at)
        last = session.get_one(Heartbeat, NAME, with_for_update=True)
        if at < last.at:
            when = f"{last.at.astimezone(LONDON):%d %b %Y %H:%M:%S}"
            raise BeforeTheLast(f"The last rehearsal was as at {when} in London: take that or later.")
        last.at = at
