"""A learner opts out in part, is written to only as promised, and comes back: the whole system, message by message."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from bot import outbox
from bot.database import Database, open_database
from bot.models import Outbound
from bot.people import point_of
from bot.turn import Purpose
from tests.system.whole import ANSWER_WITHIN_S, Whole

pytestmark = pytest.mark.rasa
YASMIN = "+447700900122"  # of the demo college: agreed to everything
LESSON, JOB = "Your lesson is in Room 4 this week.", "A market looks for cake stalls."


def writes_first(db: Database, key: str, purpose: Purpose, body: str) -> str:
    """We write first, urgently, so that it is not the hour of the day that decides; what became of it."""
    now = datetime.now(UTC)
    with db.write() as session:
        point = point_of(session, YASMIN, "", now)
        number = outbox.add(
            session, outbox.Draft(key, point.person_id, point.id, purpose, body, now, use="course_update", urgent=True), now
        )
    end = time.monotonic() + ANSWER_WITHIN_S
    while time.monotonic() < end:
        with db.read() as session:
            row = session.scalars(select(Outbound).where(Outbound.id == number)).one()
            if row.state in ("delivered", "read", "withheld", "failed"):
                return row.reason or "went"
        time.sleep(0.1)
    raise AssertionError("nothing became of it")


def both(db: Database, step: str) -> tuple[str, str]:
    """What becomes of news of a lesson and of an opportunity."""
    return writes_first(db, f"{step}:lesson", "service", LESSON), writes_first(db, f"{step}:job", "marketing", JOB)


def test_a_learner_opts_out_in_part_is_written_to_only_as_promised_and_comes_back(whole: Whole) -> None:
    db = open_database(whole.env["DATABASE_URL"])
    whole.ask(YASMIN, "hello")
    assert both(db, "at first") == ("went", "went")
    answer = whole.ask(YASMIN, "no more job stuff but keep my lessons")
    assert "No more jobs or opportunity messages" in answer
    assert "You will still get lesson messages and check-ins" in answer
    assert both(db, "in part") == ("went", "MARKETING_NOT_CONSENTED")
    assert "You will not get any more WhatsApp messages" in whole.ask(YASMIN, "ok stop everything then pls")
    assert both(db, "stopped") == ("OPTED_OUT", "OPTED_OUT")
    assert "Welcome back" in whole.ask(YASMIN, "START")
    assert both(db, "back") == ("went", "MARKETING_NOT_CONSENTED")
    assert "You said yes to messages about jobs" in whole.ask(YASMIN, "yes")
    assert both(db, "whole") == ("went", "went")
    assert (whole.heard(YASMIN).count(LESSON), whole.heard(YASMIN).count(JOB)) == (4, 2)
    trail = whole.flask("consent", "show", "L023", "--json").stdout
    assert all(word in trail for word in ('"withdraw"', '"give"', "Do you want messages about jobs and opportunities too?"))
    db.engine.dispose()
