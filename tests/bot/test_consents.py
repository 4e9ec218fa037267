"""What staff record of a learner's consent, who may, and the ledger they can show for it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from bot import consents, suppression
from bot.acts import NoSuchStaff
from bot.consents import NoSuchPerson, NotAllowed, Recorded, Told, person_by
from bot.database import Database
from bot.models import Audit, ConsentEvent, ContactPoint, Outbound, PersonRow, StaffRole, Wording
from bot.queries import standing_of
from bot.turn import CONSENTABLE
from tests.bot.ledgers import KEYED

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
        for version, purpose in itertools.product(("v1", "v2"), CONSENTABLE):
            session.add(Wording(version=version, purpose=purpose, text=f"Words of {version}", recorded_at=now))
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
        return [one.state for one in standing_of(session, person_by(session, "P1").id).values()]


def give(db: Database, told: Told, now: datetime) -> tuple[str, ...]:
    """What was recorded of a yes."""
    return consents.give(db, KEYED, told, now).purposes


def withdraw(db: Database, told: Told, now: datetime) -> tuple[str, ...]:
    """What was recorded of a no."""
    return consents.withdraw(db, KEYED, told, now).purposes


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
        assert audit.details == {"purposes": list(CONSENTABLE), "source": "phone", "wording": ""}
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


def test_giving_what_is_given_adds_nothing_but_to_the_audit(db: Database, now: datetime) -> None:
    ledger, audit = counts(db)
    assert give(db, Told("P1", ("service",), "phone", "A1"), now) == ()
    assert counts(db) == (ledger, audit + 1)
    with db.read() as session:
        again = session.scalars(select(Audit).where(Audit.act == "consent_give_again")).one()
        assert (again.by, again.person_id, again.at) == ("A1", person_by(session, "P1").id, now)
        assert again.details == {"purposes": ["service"], "source": "phone", "wording": ""}


def test_a_no_said_twice_is_written_down_twice(db: Database, now: datetime) -> None:
    withdraw(db, ANN, now)
    ledger, audit = counts(db)
    assert withdraw(db, ANN, now + timedelta(hours=1)) == CONSENTABLE
    assert counts(db) == (ledger + len(CONSENTABLE), audit + 1)


@pytest.mark.parametrize("source", ["phone", "left_group"])
def test_a_paper_signed_before_the_last_no_re_opens_nothing_and_one_signed_after_it_does(
    db: Database, now: datetime, source: consents.Source
) -> None:
    withdraw(db, ANN, now)
    again, paper = Told("P1", CONSENTABLE, source, "A1"), Told("P1", CONSENTABLE, "letter", "A1")
    withdraw(db, again, now + timedelta(days=20))
    with db.read() as session:
        assert set(suppression.look_up(session, ["+447700900001"], KEYED)["+447700900001"].values()) == {
            now + timedelta(days=20)
        }
    for signed, stands in ((10, "withdrawn"), (22, "given")):
        day = (now + timedelta(days=signed)).date()
        give(db, replace(paper, on=day), now + timedelta(days=signed + 11))
        assert states(db) == [stands] * 3


def test_a_no_that_is_older_than_the_one_that_stands_moves_nothing(db: Database, now: datetime) -> None:
    withdraw(db, ANN, now)
    withdraw(db, replace(ANN, on=now.date() - timedelta(days=5)), now + timedelta(days=1))
    with db.read() as session:
        standing = standing_of(session, person_by(session, "P1").id)
    assert {one.since for one in standing.values()} == {now}


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


def test_what_was_said_on_a_day_counts_from_that_day(db: Database, now: datetime) -> None:
    said = Told("P1", ("service",), "letter", "A1", on=now.date() - timedelta(days=3))
    assert withdraw(db, said, now) == ("service",)
    with db.read() as session:
        row = session.scalars(select(ConsentEvent).where(ConsentEvent.action == "withdraw")).one()
        assert (row.at, row.recorded_at) == (datetime(2026, 11, 21, 23, 59, 59, 999999, tzinfo=UTC), now)


def test_a_no_of_today_counts_from_now_and_not_from_tonight(db: Database, now: datetime) -> None:
    withdraw(db, Told("P1", ("service",), "phone", "A1", on=now.date()), now)
    with db.read() as session:
        assert session.scalars(select(ConsentEvent.at).where(ConsentEvent.action == "withdraw")).one() == now


@pytest.mark.parametrize("days", [0, 3])
def test_of_a_yes_and_a_no_of_one_day_the_no_stands_whichever_was_recorded_first(
    db: Database, now: datetime, days: int
) -> None:
    of_that_day = Told("P1", ("checkin",), "phone", "A1", on=now.date() - timedelta(days=days))
    for record in (give, withdraw, give):
        record(db, of_that_day, now)
    assert states(db)[1] == "withdrawn"


def test_a_no_that_a_later_yes_has_overtaken_is_recorded_and_cancels_nothing(db: Database, now: datetime) -> None:
    give(db, Told("P1", ("checkin",), "phone", "A1"), now)
    planned(db, now, "checkin")
    late = Told("P1", ("checkin",), "letter", "A1", on=now.date() - timedelta(days=3))
    assert consents.withdraw(db, KEYED, late, now) == Recorded(
        ("checkin",), {"service": "given", "checkin": "given", "marketing": "refused"}
    )
    with db.read() as session:
        assert session.scalars(select(Outbound.state)).all() == ["queued"]


def test_nobody_says_anything_in_the_future(db: Database, now: datetime) -> None:
    before = counts(db)
    tomorrow = Told("P1", CONSENTABLE, "phone", "A1", on=now.date() + timedelta(days=1))
    for record in (give, withdraw):
        with pytest.raises(NotAllowed, match="in the future"):
            record(db, tomorrow, now)
    assert counts(db) == before


def test_the_words_that_were_read_out_are_named(db: Database, now: datetime) -> None:
    give(db, Told("P1", ("marketing",), "phone", "A1", wording="v2"), now)
    with db.read() as session:
        row = session.scalars(select(ConsentEvent).where(ConsentEvent.recorded_by == "A1")).one()
        assert (row.purpose, row.wording) == ("marketing", "v2")


def test_whatever_the_route_the_numbers_of_who_says_no_are_kept_as_such(db: Database, now: datetime) -> None:
    withdraw(db, ANN, now)
    with db.read() as session:
        assert suppression.look_up(session, ["+447700900001", "+447700900002"], KEYED) == {
            "+447700900001": dict.fromkeys(CONSENTABLE, now)
        }
    give(db, ANN, now + timedelta(hours=1))
    with db.read() as session:
        assert suppression.look_up(session, ["+447700900001"], KEYED) == {}


def test_a_yes_told_by_staff_opens_what_the_number_had_said_no_to_before(db: Database, now: datetime) -> None:
    with db.write() as session:
        suppression.change(session, {"+447700900001": {"service": now - timedelta(days=1)}}, KEYED)
    assert give(db, Told("P1", ("service",), "phone", "A1"), now) == ("service",)
    assert states(db) == ["given", "never_asked", "refused"]
