"""What staff record of a learner's consent, who may, and the ledger they can show for it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from bot.consents import NoSuchPerson, NoSuchStaff, NotAllowed, Told, TrailLine, give, person_by, trail, withdraw
from bot.database import Database
from bot.models import Audit, ConsentEvent, ContactPoint, Outbound, PersonRow, StaffRole
from bot.turn import CONSENTABLE

ANN = Told("P1", CONSENTABLE, "phone", "A1")


@pytest.fixture(autouse=True)
def college(db: Database, now: datetime) -> None:
    """A learner who said yes to lessons and no to adverts, and staff of every role."""
    signed = now - timedelta(days=30)
    with db.write() as session:
        ann = PersonRow(learner_code="P1", name="Ann Lee", created_at=now)
        session.add(ann)
        session.flush()
        session.add(ContactPoint(person_id=ann.id, kind="phone", value="+447700900001"))
        session.add(ContactPoint(person_id=ann.id, kind="phone", value="+447700900002", disowned_at=now))
        for purpose, action in (("service", "give"), ("marketing", "refuse")):
            paper = {"source": "declaration", "wording": "v1", "recorded_by": "import", "recorded_at": now}
            session.add(ConsentEvent(person_id=ann.id, purpose=purpose, action=action, at=signed, **paper))
        for role in ("admin", "trainer", "safeguarding", "read-only"):
            code = {"admin": "A1"}.get(role, role)
            session.add(StaffRole(code=code, role=role, person=PersonRow(name=role, created_at=now)))


def planned(db: Database, now: datetime, *purposes: str) -> None:
    """Messages that wait for tomorrow, one for each of `purposes`."""
    with db.write() as session:
        ann = person_by(session, "P1")
        point = ann.contact_points[0].id
        for purpose in purposes:
            row = Outbound(key=purpose, person_id=ann.id, contact_point_id=point, purpose=purpose, priority=3, body="b")
            row.created_at, row.due_at = now, now + timedelta(days=1)
            session.add(row)


def counts(db: Database) -> tuple[int, int]:
    """How many lines the ledger and the audit have."""
    with db.read() as session:
        ledger = session.scalar(select(func.count()).select_from(ConsentEvent)) or 0
        return ledger, session.scalar(select(func.count()).select_from(Audit)) or 0


def states(db: Database) -> list[str]:
    """Where service, check-in and marketing stand."""
    with db.read() as session:
        return [one.state for one in trail(session, person_by(session, "P1")).standing.values()]


def test_a_learner_is_found_by_code_and_by_phone_in_any_usual_spelling(db: Database) -> None:
    with db.read() as session:
        for wanted in ("P1", " P1 ", "+447700900001", "07700 900001", "0044 (0)7700-900001"):
            assert person_by(session, wanted).name == "Ann Lee"


def test_nobody_is_found_by_another_code_or_by_a_number_that_is_not_theirs_any_more(db: Database) -> None:
    with db.read() as session:
        for wanted in ("", "P2", "p1", "+447700900999", "+447700900002", "12"):
            with pytest.raises(NoSuchPerson, match=r"^nobody has this learner code or phone$"):
                person_by(session, wanted)


def test_a_withdrawal_told_by_phone_takes_effect_and_cancels_what_was_planned(db: Database, now: datetime) -> None:
    planned(db, now, "service", "checkin", "marketing", "reply")
    assert withdraw(db, ANN, now) == CONSENTABLE
    assert states(db) == ["withdrawn", "withdrawn", "withdrawn"]
    with db.read() as session:
        rows = {row.purpose: (row.state, row.reason) for row in session.scalars(select(Outbound))}
        audit = session.scalars(select(Audit)).one()
        assert (audit.by, audit.act, audit.at, audit.person_id) == (
            "A1",
            "consent_withdraw",
            now,
            person_by(session, "P1").id,
        )
        assert audit.details == {"purposes": list(CONSENTABLE), "source": "phone"}
    gone = ("withheld", "OPTED_OUT")
    assert rows == {"service": gone, "checkin": gone, "marketing": gone, "reply": ("queued", None)}


def test_one_purpose_alone_may_be_withdrawn(db: Database, now: datetime) -> None:
    planned(db, now, "service", "checkin")
    assert withdraw(db, Told("P1", ("checkin",), "email", "A1"), now) == ("checkin",)
    assert states(db) == ["given", "withdrawn", "refused"]
    with db.read() as session:
        assert session.scalars(select(Outbound.state).order_by(Outbound.purpose)).all() == ["withheld", "queued"]


def test_a_yes_told_in_person_is_given(db: Database, now: datetime) -> None:
    told = Told("07700900001", ("marketing", "marketing"), "in_person", "A1")
    assert give(db, told, now) == ("marketing",)
    assert states(db) == ["given", "never_asked", "given"]


def test_giving_what_is_given_and_withdrawing_twice_add_nothing(db: Database, now: datetime) -> None:
    before = counts(db)
    assert give(db, Told("P1", ("service",), "phone", "A1"), now) == ()
    assert counts(db) == before
    withdraw(db, ANN, now)
    before = counts(db)
    assert withdraw(db, ANN, now + timedelta(hours=1)) == ()
    assert counts(db) == before


def test_a_yes_after_a_withdrawal_opens_again(db: Database, now: datetime) -> None:
    withdraw(db, ANN, now)
    assert give(db, Told("P1", ("service", "checkin"), "phone", "A1"), now + timedelta(hours=1)) == ("service", "checkin")
    assert states(db) == ["given", "given", "withdrawn"]


def test_leaving_the_group_withdraws_and_is_no_way_to_agree(db: Database, now: datetime) -> None:
    left = Told("P1", CONSENTABLE, "left_group", "A1")
    assert withdraw(db, left, now) == CONSENTABLE
    with pytest.raises(NotAllowed):
        give(db, left, now)
    assert states(db) == ["withdrawn", "withdrawn", "withdrawn"]


REFUSED = (
    (Told("P1", CONSENTABLE, "phone", "A9"), NoSuchStaff),
    (Told("P1", CONSENTABLE, "phone", ""), NoSuchStaff),
    (Told("P1", CONSENTABLE, "phone", "trainer"), NotAllowed),
    (Told("P1", CONSENTABLE, "phone", "read-only"), NotAllowed),
    (Told("P1", CONSENTABLE, "phone", "safeguarding"), NotAllowed),
    (Told("P9", CONSENTABLE, "phone", "A1"), NoSuchPerson),
)


def test_who_may_not_record_consent_changes_nothing(db: Database, now: datetime) -> None:
    planned(db, now, "service")
    before = counts(db)
    for record in (give, withdraw):
        for told, error in REFUSED:
            with pytest.raises(error):
                record(db, told, now)
    assert counts(db) == before
    with db.read() as session:
        assert session.scalars(select(Outbound.state)).all() == ["queued"]


def test_the_trail_is_the_whole_ledger_oldest_first_and_says_where_each_purpose_stands(db: Database, now: datetime) -> None:
    signed = now - timedelta(days=30)
    withdraw(db, Told("P1", ("service",), "phone", "A1"), now)
    with db.read() as session:
        found = trail(session, person_by(session, "P1"))
    assert found.lines == (
        TrailLine(signed, "service", "give", "declaration", "v1", "import", now),
        TrailLine(signed, "marketing", "refuse", "declaration", "v1", "import", now),
        TrailLine(now, "service", "withdraw", "phone", "", "A1", now),
    )
    assert {p: (one.state, one.since) for p, one in found.standing.items()} == {
        "service": ("withdrawn", now),
        "checkin": ("never_asked", None),
        "marketing": ("refused", signed),
    }
