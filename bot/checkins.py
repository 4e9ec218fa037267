"""Check-ins as they were asked and answered: the question itself, the one that waits, and what they said to it (P19)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.models import CheckIn, Outbound
from bot.status import MAY_HAVE_GONE
from bot.turn import CheckInOutcome, Pending

WAITS = timedelta(days=14)  # for an answer; what they write later is no answer to it any more
QUESTION = "check_in"
OPTIONS: Mapping[str, str] = {
    "1": "checkin_well",
    "2": "checkin_ok",
    "3": "checkin_struggling",
    "doing_well": "checkin_well",
    "doing_ok": "checkin_ok",
    "need_help": "checkin_struggling",
}
# "OK" at once after the question is the second choice of it, and the lists of answers take it for a yes.
ASK: Mapping[str, object] = {"question": QUESTION, "options": {**OPTIONS, "yes": "checkin_ok"}}
KEY = re.compile(r"check_in:(\d+):(\d+):(\d+)(?:~\d+)*")


def key_of(person_id: int, course_id: int, week: int) -> str:
    """The key of the message that asks the check-in of a week: never another's, also after theirs was erased."""
    return f"check_in:{person_id}:{course_id}:{week}"


def asked_by(key: str) -> tuple[int, int, int] | None:
    """Whose check-in a message with this key asks, after which course, in which week; also where it was sent again."""
    found = KEY.fullmatch(key)
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def waiting(session: Session, person_id: int, now: datetime) -> Pending | None:
    """The check-in that went to them in the last fourteen days and has no answer, as a question: a number answers it.

    Whatever else was said in between: "3" on the third day is a cry for help and no menu's number.
    """
    asked = _last_asked(session, person_id)
    if asked is None:
        return None
    check_in, at = asked
    if check_in.outcome or not at <= now < at + WAITS:
        return None
    return Pending(QUESTION, OPTIONS, at, WAITS)


def record(session: Session, person_id: int, outcome: CheckInOutcome, now: datetime, quoted_sid: str = "") -> None:
    """What they said to a check-in: the one they tapped on, else the last of fourteen days, and none that is older.

    `quoted_sid` is the message of ours that they answered. Said again, it takes the place of the first (P19).
    """
    check_in = _tapped(session, person_id, quoted_sid) if quoted_sid else None
    if check_in is None:
        asked = _last_asked(session, person_id)
        check_in = asked[0] if asked and now < asked[1] + WAITS else None
    if check_in is not None:
        check_in.outcome, check_in.answered_at = outcome, now


def _tapped(session: Session, person_id: int, sid: str) -> CheckIn | None:
    """The check-in that this message of ours asked them, however long ago."""
    key = session.scalar(select(Outbound.key).where(Outbound.sid == sid, Outbound.person_id == person_id))
    return _by_key(session, key) if key else None


def _last_asked(session: Session, person_id: int) -> tuple[CheckIn, datetime] | None:
    """The last check-in that went to them or may have, and when (aware UTC)."""
    went = (Outbound.plan == "check_in", Outbound.state.in_(MAY_HAVE_GONE), Outbound.tried_at.is_not(None))
    latest = select(Outbound.key, Outbound.tried_at).where(Outbound.person_id == person_id, *went)
    row = session.execute(latest.order_by(Outbound.tried_at.desc(), Outbound.id.desc()).limit(1)).first()
    check_in = _by_key(session, row[0]) if row else None
    return (check_in, row[1]) if row and check_in and row[1] else None


def _by_key(session: Session, key: str) -> CheckIn | None:
    """The check-in that a message with this key asks."""
    asked = asked_by(key)
    if asked is None:
        return None
    here = (CheckIn.person_id == asked[0], CheckIn.course_id == asked[1], CheckIn.week == asked[2])
    return session.scalar(select(CheckIn).where(*here))
