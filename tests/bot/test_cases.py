"""Cases: a disclosure is for the safeguarding role alone, every look is in the audit, and closing it ends the hold."""

from __future__ import annotations

import threading
from datetime import datetime

import pytest
from sqlalchemy import select

from bot.cases import CaseError, close_case, read_case
from bot.database import Database
from bot.models import Audit, OfficeCase, PersonRow
from tests.bot.rooms import AMINA, SECOND, Clock, Stage, a_learner, a_member_of_staff, only, rows

AT_RISK = "i want to kill myself"


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A learner who disclosed something, and staff of every role."""
    a_learner(db, AMINA, now=now)
    for code, role in (("S1", "safeguarding"), ("A1", "admin"), ("T1", "trainer"), ("R1", "read-only")):
        a_member_of_staff(db, code, role, now=now)
    stage = Stage(db, Clock(now))
    stage.hears_and_works(AMINA, AT_RISK)
    return stage


def held(stage: Stage) -> bool:
    return only(stage.db, PersonRow, PersonRow.name == "Amina Khan").held_at is not None


def close_all(stage: Stage) -> None:
    for case in rows(stage.db, OfficeCase):
        close_case(stage.db, case.id, "S1", stage.clock())


def test_the_safeguarding_role_sees_who_wrote_and_what(stage: Stage) -> None:
    case = only(stage.db, OfficeCase)
    assert read_case(stage.db, case.id, "S1", stage.clock()) == [
        {
            "id": case.id,
            "kind": "safeguarding_disclosure",
            "state": "open",
            "flags": case.flags,
            "learner": f"L{AMINA[1:]}",
            "name": "Amina Khan",
            "number": AMINA,
            "received_at": stage.clock(),
            "sent": "text",
            "message": AT_RISK,
            "media": [],
        }
    ]


@pytest.mark.parametrize("code", ["A1", "T1", "R1", "", "nobody"])
def test_nobody_else_sees_or_closes_a_disclosure(stage: Stage, code: str) -> None:
    case = only(stage.db, OfficeCase)
    for use in (read_case, close_case):
        with pytest.raises(CaseError):
            use(stage.db, case.id, code, stage.clock())
    assert (only(stage.db, OfficeCase).state, held(stage)) == ("open", True)
    assert rows(stage.db, Audit) == []


def test_who_may_not_see_a_case_is_told_the_same_as_if_there_were_none(stage: Stage) -> None:
    case = only(stage.db, OfficeCase)
    for case_id in (case.id, case.id + 1):
        with pytest.raises(CaseError, match=f"^there is no case {case_id} that A1 may see$"):
            read_case(stage.db, case_id, "A1", stage.clock())


def test_every_look_and_every_closing_is_in_the_audit_once(stage: Stage) -> None:
    case = only(stage.db, OfficeCase)
    read_case(stage.db, case.id, "S1", stage.clock())
    close_case(stage.db, case.id, "S1", stage.clock())
    close_case(stage.db, case.id, "S1", stage.clock.wait(SECOND))
    assert [(one.by, one.act, one.details) for one in rows(stage.db, Audit)] == [
        ("S1", "case.shown", {"case": case.id}),
        ("S1", "case.closed", {"case": case.id}),
    ]
    assert only(stage.db, OfficeCase).closed_at == stage.clock() - SECOND


def test_closing_a_disclosure_ends_the_hold_and_the_assistant_answers_again(stage: Stage) -> None:
    assert held(stage)
    close_all(stage)
    assert not held(stage)
    (answer,) = stage.hears_and_works(AMINA, "cheers then")
    assert answer.startswith("You are welcome")


def test_the_hold_lasts_until_the_last_disclosure_is_closed(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "my husband hits me, he reads my phone")
    first, second = rows(stage.db, OfficeCase)
    close_case(stage.db, first.id, "S1", stage.clock())
    assert held(stage)
    close_case(stage.db, second.id, "S1", stage.clock())
    assert not held(stage)
    assert not only(stage.db, PersonRow, PersonRow.name == "Amina Khan").watched


def test_closing_an_ordinary_case_leaves_the_hold(stage: Stage) -> None:
    disclosure = only(stage.db, OfficeCase)
    with stage.db.write() as session:
        ordinary = OfficeCase(person_id=disclosure.person_id, kind="complaint", opened_at=stage.clock())
        session.add(ordinary)
    assert [row["kind"] for row in read_case(stage.db, ordinary.id, "A1", stage.clock())] == ["complaint"]
    assert close_case(stage.db, ordinary.id, "A1", stage.clock())["state"] == "closed"
    assert held(stage)


def test_a_disclosure_that_comes_while_an_older_one_is_closed_keeps_its_hold(stage: Stage) -> None:
    closing = threading.Thread(target=close_case, args=(stage.db, only(stage.db, OfficeCase).id, "S1", stage.clock()))
    with stage.db.write() as session:  # a turn of hers is under way, as `inbox.held` has it
        person = session.scalars(select(PersonRow).where(PersonRow.name == "Amina Khan").with_for_update()).one()
        closing.start()
        closing.join(0.3)
        again = OfficeCase(person_id=person.id, kind="safeguarding_disclosure", restricted=True, opened_at=stage.clock())
        session.add(again)
        person.watched = True
    closing.join()
    assert held(stage)
