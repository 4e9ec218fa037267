"""Erasing a learner: nothing of theirs is left in any table but a hash, and that hash still keeps us from writing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from click.testing import CliRunner
from sqlalchemy import Table, func, select, update

from bot import blanks, clock, consents, ledger, wordings
from bot.acts import NoSuchStaff
from bot.cli import Tools
from bot.cli.consent import erase_command
from bot.consents import NoSuchPerson, NotAllowed, Told
from bot.database import Database
from bot.erasure import Wish, erase, preview
from bot.importing import import_folder
from bot.ledger import Entry
from bot.models import (
    Alert,
    Audit,
    Base,
    CaseMessage,
    CheckIn,
    ConsentEvent,
    ContactPoint,
    Course,
    Inbound,
    Interest,
    Invitation,
    NumberChange,
    OfficeCase,
    Outbound,
    PersonRow,
    StaffRole,
)
from bot.suppression import Keyed
from bot.turn import CONSENTABLE
from tests.bot.ledgers import ANN_PHONE, KEYED, ROTATED, a_college, ann, books, person_id, suppressed, where_it_stands
from tests.bot.rooms import Clock, Stage, only, owe, rows, states

DAY = timedelta(days=1)
WISH = Wish("P1", "A1")
SECRETS = ("Ann", "7700900001", "7700900002", "GB.7001", "P1", "words of hers", "words to her")
NO = dict.fromkeys(CONSENTABLE, "withdrawn")


@pytest.fixture(autouse=True)
def college(db: Database, now: datetime, tmp_path: Path) -> None:
    """Ann and Ben are learners, and there are an admin, a trainer and a safeguarding lead."""
    ben = "P2,Ben Ray,+447700900090,BAKE,en,yes,yes,yes,2026-10-01,v2"
    import_folder(books(db), a_college(tmp_path / "college", ann(), ben), now - 30 * DAY)
    with db.write() as session:
        for code, role in (("A1", "admin"), ("T1", "trainer"), ("S1", "safeguarding")):
            session.add(StaffRole(code=code, role=role, person=PersonRow(name=code, created_at=now)))


def a_message(db: Database, now: datetime, sid: str, text: str = "words of hers", *, state: str = "done") -> int:
    """Ann writes, and we answer; the id of what she wrote."""
    who = person_id(db)
    with db.write() as session:
        point = session.scalars(select(ContactPoint).where(ContactPoint.value == ANN_PHONE)).one().id
        details = {"quoted_sid": text, "media": [[text, "image/png"]]}
        written = Inbound(
            sid=sid, person_id=who, contact_point_id=point, kind="text", text=text, details=details, state=state
        )
        written.received_at = written.retry_at = now
        written.tidy_at = now + DAY
        session.add(written)
        session.flush()
        answer = Outbound(key=f"in:{written.id}:0", person_id=who, contact_point_id=point, inbound_id=written.id, priority=1)
        answer.purpose, answer.body, answer.body_if_told, answer.media = (
            "reply",
            "words to her",
            "words to her",
            "words to her",
        )
        answer.variables, answer.ask = {"1": "Ann"}, {"text": "words to her"}
        answer.created_at = answer.due_at = now
        answer.state, answer.sid, answer.tidy_at = "delivered", f"{sid}out", now + DAY
        session.add(answer)
        return written.id


def a_case(db: Database, now: datetime, kind: str, *messages: int) -> int:
    """Something that staff must do about Ann, with these messages of hers; its id."""
    who = person_id(db)
    with db.write() as session:
        case = OfficeCase(person_id=who, kind=kind, restricted=kind == "at_risk", opened_at=now)
        session.add(case)
        session.flush()
        session.add_all(CaseMessage(case_id=case.id, inbound_id=one) for one in messages)
        alert = Alert(key=f"case:{case.id}", case_id=case.id, channel="email", address="office@example.org", due_at=now)
        alert.created_at = now
        session.add(alert)
        return case.id


def a_whole_life(db: Database, now: datetime) -> None:
    """Something of Ann's in every table that can hold anything of anybody's."""
    written = a_message(db, now, "SM1")
    a_case(db, now, "ask_admin", written)
    who = person_id(db)
    with db.write() as session:
        course = session.scalars(select(Course.id)).one()
        session.add(Invitation(person_id=who, course_id=course, state="invited", at=now))
        session.add(CheckIn(person_id=who, course_id=course, week=2, planned_at=now, outcome="struggling"))
        session.add(Interest(person_id=who, topic="grants"))
        session.add(NumberChange(person_id=who, value="+447700900002", confirmed_at=now))
        session.add(ContactPoint(person_id=who, kind="bsuid", value="GB.7001", unreachable_at=now, window_shut_at=now))
        session.add(ContactPoint(person_id=who, kind="phone", value="+447700900002", disowned_at=now))
        version = wordings.of_question(session, wordings.Asked("opt_in", "Reminders?"), ("service",), now)
        yes = Entry(who, ("service",), "give", "chat", now, now, "learner", version, written)
        ledger.record(session, yes, KEYED)
        person = session.get_one(PersonRow, who)
        person.pending, person.watched, person.warned_at = {"text": "words to her"}, True, now


def everything(db: Database) -> str:
    """Every cell of every table."""
    with db.read() as session:
        tables = {table.name: session.execute(select(table)).all() for table in Base.metadata.sorted_tables}
    return json.dumps({name: [list(map(str, row)) for row in found] for name, found in tables.items()})


def test_nothing_of_theirs_is_left_anywhere(db: Database, now: datetime) -> None:
    a_whole_life(db, now)
    before = everything(db)
    assert all(secret in before for secret in SECRETS)
    erase(db, KEYED, WISH, now)
    after = everything(db)
    assert [secret for secret in SECRETS if secret in after] == []
    assert "Ben Ray" in after


def test_what_goes_is_counted_beforehand_and_what_stays_is_said(db: Database, now: datetime) -> None:
    a_whole_life(db, now)
    plan = preview(db, "P1", "A1")
    assert plan.goes == {
        "places on courses": 1,
        "invitations to groups": 1,
        "check-ins": 1,
        "interests": 1,
        "changes of number": 1,
        "messages from them": 1,
        "messages to them": 1,
        "cases": 1,
        "lines of consent": 4,
    }
    assert plan.stays == ("that their numbers said no to everything, as hashes",)
    assert erase(db, KEYED, WISH, now) == plan


def test_it_is_one_line_of_audit_about_nobody(db: Database, now: datetime) -> None:
    a_whole_life(db, now)
    who = person_id(db)
    erase(db, KEYED, WISH, now)
    row = only(db, Audit, Audit.act == "erase")
    assert (row.by, row.at, row.person_id, row.details["under_legal_hold"]) == ("A1", now, None, 0)
    assert rows(db, Audit, Audit.person_id == who) == []
    assert rows(db, Audit, Audit.act == "consent_give") != []


def test_every_number_of_theirs_has_said_no_to_everything(db: Database, now: datetime) -> None:
    a_whole_life(db, now)
    erase(db, KEYED, WISH, now)
    for value in (ANN_PHONE, "+447700900002", "GB.7001"):
        assert suppressed(db, value) == dict.fromkeys(CONSENTABLE, now)
    assert suppressed(db, "+447700900090") == {}


def test_blank_messages_keep_their_ids_and_twilios_copies_go_next(db: Database, now: datetime) -> None:
    """Else `recover` would fetch what was erased from Twilio once more."""
    a_message(db, now, "SM1")
    a_message(db, now, "SM2", state="received")
    erase(db, KEYED, WISH, now)
    assert [(row.sid, row.text, row.details, row.state, row.tidy_at) for row in rows(db, Inbound)] == [
        ("SM1", "", {}, "done", now),
        ("SM2", "", {}, "done", now),
    ]
    assert [(row.sid, row.body, row.tidy_at) for row in rows(db, Outbound)] == [("SM1out", "", now), ("SM2out", "", now)]


def test_what_waited_for_them_is_not_sent_and_what_may_have_gone_is_not_sent_again(db: Database, now: datetime) -> None:
    for key in ("k1", "k2"):
        owe(db, ANN_PHONE, now, key=key)
    owe(db, "+447700900090", now, key="bens")
    with db.write() as session:
        session.scalars(select(Outbound).where(Outbound.key == "k2")).one().state = "unknown"
    erase(db, KEYED, WISH, now)
    assert states(db) == [("withheld", "ERASED"), ("failed", "ERASED"), ("queued", None)]


def test_words_of_theirs_that_were_passed_on_to_somebody_else_are_blank_too(db: Database, now: datetime) -> None:
    written = a_message(db, now, "SM1")
    owe(db, "+447700900090", now, key="passed", purpose="staff", inbound_id=written, body="words of hers")
    erase(db, KEYED, WISH, now)
    assert only(db, Outbound, Outbound.key == "passed").body == ""


@pytest.mark.parametrize("keyed", [KEYED, ROTATED], ids=["same key", "another key in front"])
@pytest.mark.parametrize(("declared_on", "opens"), [("2026-10-01", False), ("2026-11-24", False), ("2026-11-25", True)])
def test_opted_out_erased_and_imported_again_only_a_later_declaration_opens(  # noqa: PLR0917
    db: Database, now: datetime, tmp_path: Path, keyed: Keyed, declared_on: str, opens: bool
) -> None:
    consents.withdraw(db, KEYED, Told("P1", CONSENTABLE, "phone", "A1"), now - DAY)
    erase(db, KEYED, WISH, now)
    later = now + 2 * DAY
    report = import_folder(books(db, keyed), a_college(tmp_path / "again", ann(declared_on)), later)
    assert where_it_stands(db) == ({"service": "given", "checkin": "given", "marketing": "refused"} if opens else NO)
    assert bool(report.notes) != opens
    stage = Stage(db, Clock(later))
    with db.write() as session:
        session.scalars(select(ContactPoint).where(ContactPoint.value == ANN_PHONE)).one().last_inbound_at = later
    owe(db, ANN_PHONE, later)
    stage.works()
    assert states(db) == ([("accepted", None)] if opens else [("withheld", "OPTED_OUT")])


def test_who_never_opted_out_and_was_erased_has_said_no(db: Database, now: datetime, tmp_path: Path) -> None:
    erase(db, KEYED, WISH, now)
    import_folder(books(db), a_college(tmp_path / "again", ann()), now + DAY)
    assert where_it_stands(db) == NO


def test_who_was_erased_and_writes_again_is_a_stranger(db: Database, now: datetime) -> None:
    erase(db, KEYED, WISH, now)
    stage = Stage(db, Clock(now))
    assert stage.hears_and_works(ANN_PHONE, "hello") != []
    person = only(db, PersonRow, PersonRow.id == only(db, ContactPoint, ContactPoint.value == ANN_PHONE).person_id)
    assert (person.learner_code, person.name) == (None, "")
    assert suppressed(db) == dict.fromkeys(CONSENTABLE, now)


# As whom they wrote before we knew them

NEW_PHONE = "+447700900555"


def a_stranger_phase(db: Database, now: datetime, text: str = "its Ann Lee of Mill Lane") -> Stage:
    """Ann writes from a new phone, and a minute later it becomes hers."""
    stage = Stage(db, Clock(now))
    with db.write() as session:
        session.execute(update(ContactPoint).values(last_inbound_at=now))
    stage.hears_and_works(NEW_PHONE, text)
    stage.clock.wait(timedelta(minutes=1))
    stage.hears_and_works(ANN_PHONE, "NEW NUMBER 07700 900555")
    stage.hears_and_works(ANN_PHONE, "yes")
    assert only(db, ContactPoint, ContactPoint.value == NEW_PHONE).person_id == person_id(db)
    return stage


def texts_left(db: Database) -> list[str]:
    return [row.text for row in rows(db, Inbound) if row.text] + [row.body for row in rows(db, Outbound) if row.body]


def test_what_they_wrote_as_a_stranger_goes_too(db: Database, now: datetime) -> None:
    stage = a_stranger_phase(db, now)
    stranger = only(db, Inbound, Inbound.text.contains("Mill Lane")).person_id
    with db.write() as session:
        session.get_one(PersonRow, stranger).pending = {"text": "words to her"}
        session.add(OfficeCase(person_id=stranger, kind="complaint", opened_at=now))
    assert preview(db, "P1", "A1").goes["messages from them"] == len(rows(db, Inbound)) == 3
    erase(db, KEYED, WISH, stage.clock())
    assert texts_left(db) == []
    assert (rows(db, OfficeCase), rows(db, ConsentEvent, ConsentEvent.person_id == stranger)) == ([], [])
    assert only(db, PersonRow, PersonRow.id == stranger).pending is None
    assert rows(db, Audit, Audit.person_id == stranger) == []


def test_a_stranger_who_wrote_from_another_phone_too_keeps_what_came_from_there(db: Database, now: datetime) -> None:
    stage = a_stranger_phase(db, now)
    stranger = only(db, Inbound, Inbound.text.contains("Mill Lane")).person_id
    with db.write() as session:
        session.add(ContactPoint(person_id=stranger, kind="phone", value="+447700900556"))
    stage.hears_and_works("+447700900556", "hello from elsewhere")
    erase(db, KEYED, WISH, stage.clock())
    assert [text for text in texts_left(db) if "hello" in text] == ["hello from elsewhere"]
    assert not any("Mill Lane" in text for text in texts_left(db))


def test_what_another_learner_wrote_from_the_number_before_is_not_theirs(db: Database, now: datetime) -> None:
    a_message(db, now, "SM1", "words of ann")
    with db.write() as session:
        ben = session.scalars(select(PersonRow).where(PersonRow.learner_code == "P2")).one()
        session.scalars(select(ContactPoint).where(ContactPoint.value == ANN_PHONE)).one().person_id = ben.id
    erase(db, KEYED, Wish("P2", "A1"), now)
    assert [row.text for row in rows(db, Inbound)] == ["words of ann"]


def test_what_they_disclosed_as_a_stranger_is_under_legal_hold(db: Database, now: datetime) -> None:
    stage = a_stranger_phase(db, now, "i feel low, this is Ann")
    written = only(db, Inbound, Inbound.text.contains("feel low"))
    with db.write() as session:
        case = OfficeCase(person_id=written.person_id, kind="at_risk", restricted=True, opened_at=now)
        session.add(case)
        session.flush()
        session.add(CaseMessage(case_id=case.id, inbound_id=written.id))
    plan = erase(db, KEYED, WISH, stage.clock())
    assert "1 cases of the safeguarding lead" in plan.stays[1]
    assert only(db, Inbound, Inbound.id == written.id).text == "i feel low, this is Ann"


# Legal hold


def test_a_case_of_the_safeguarding_lead_keeps_what_is_in_it_and_says_so(db: Database, now: datetime) -> None:
    disclosed, ordinary = a_message(db, now, "SM1"), a_message(db, now, "SM2", "something else")
    restricted = a_case(db, now, "at_risk", disclosed)
    a_case(db, now, "ask_admin", ordinary)
    plan = erase(db, KEYED, WISH, now)
    assert plan.stays[1] == "under legal hold, with their name and consent: 1 cases of the safeguarding lead"
    assert [row.text for row in rows(db, Inbound)] == ["words of hers", ""]
    assert [row.body for row in rows(db, Outbound)] == ["words to her", ""]
    assert [row.id for row in rows(db, OfficeCase)] == [restricted]
    assert [row.case_id for row in rows(db, Alert)] == [restricted]
    ann_row = only(db, PersonRow, PersonRow.learner_code == "P1")
    assert ann_row.name == "Ann Lee"
    assert only(db, ContactPoint, ContactPoint.person_id == ann_row.id).value == ANN_PHONE
    assert "something else" not in everything(db)


def test_under_legal_hold_they_have_said_no_all_the_same(db: Database, now: datetime, tmp_path: Path) -> None:
    a_case(db, now, "at_risk", a_message(db, now, "SM1"))
    erase(db, KEYED, WISH, now)
    assert where_it_stands(db) == NO
    import_folder(books(db), a_college(tmp_path / "again", ann()), now + DAY)
    assert where_it_stands(db) == NO
    assert suppressed(db) == dict.fromkeys(CONSENTABLE, now)


def test_a_disclosure_that_is_closed_is_under_legal_hold_too(db: Database, now: datetime) -> None:
    case = a_case(db, now, "at_risk", a_message(db, now, "SM1"))
    with db.write() as session:
        session.get_one(OfficeCase, case).state = "closed"
    erase(db, KEYED, WISH, now)
    assert only(db, Inbound).text == "words of hers"


# Who


def test_staff_who_are_learners_stay_staff_and_are_learners_no_more(db: Database, now: datetime) -> None:
    who = person_id(db)
    a_message(db, now, "SM1")
    with db.write() as session:
        session.add(StaffRole(code="T9", role="trainer", person_id=who))
    plan = erase(db, KEYED, WISH, now)
    assert plan.stays[-1] == "their name and number as a member of staff"
    person = only(db, PersonRow, PersonRow.id == who)
    assert (person.name, person.learner_code) == ("Ann Lee", None)
    assert only(db, ContactPoint, ContactPoint.person_id == who).value == ANN_PHONE
    assert rows(db, ConsentEvent, ConsentEvent.person_id == who) == []
    assert only(db, Inbound).text == ""
    assert only(db, StaffRole, StaffRole.code == "T9").person_id == who


REFUSED = (
    (Wish("P1", "T1"), NotAllowed),
    (Wish("P1", "S1"), NotAllowed),
    (Wish("P1", "A9"), NoSuchStaff),
    (Wish("P9", "A1"), NoSuchPerson),
)


@pytest.mark.parametrize(("wish", "error"), REFUSED)
def test_only_an_admin_erases_and_only_who_is_there(db: Database, now: datetime, wish: Wish, error: type[Exception]) -> None:
    before = everything(db)
    with pytest.raises(error):
        erase(db, KEYED, wish, now)
    with pytest.raises(error):
        preview(db, wish.person, wish.by)
    assert everything(db) == before


def test_a_member_of_staff_who_is_no_learner_is_not_erased(db: Database, now: datetime) -> None:
    with db.write() as session:
        role = session.scalars(select(StaffRole).where(StaffRole.code == "T1")).one()
        session.add(ContactPoint(person_id=role.person_id, kind="phone", value="+447700900801"))
    with pytest.raises(NotAllowed, match="no learner"):
        erase(db, KEYED, replace(WISH, person="+447700900801"), now)


def test_the_second_time_there_is_nobody(db: Database, now: datetime) -> None:
    erase(db, KEYED, WISH, now)
    with pytest.raises(NoSuchPerson):
        erase(db, KEYED, WISH, now)


def test_the_command_asks_first(db: Database, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: now)
    command = erase_command(Mock(spec=Tools, db=db, room=Stage(db, Clock(now)).room))
    asked = CliRunner().invoke(command, ["P1", "--as", "A1"], input="n\n")
    assert asked.exit_code == 1
    assert "1 places on courses" in asked.output
    assert person_id(db)
    done = CliRunner().invoke(command, ["P1", "--as", "A1", "--yes"])
    assert (done.exit_code, "Erased." in done.output) == (0, True)
    again = CliRunner().invoke(command, ["P1", "--as", "A1", "--yes"])
    assert (again.exit_code, again.output) == (1, "Error: nobody has this learner code or phone\n")


# Nothing is forgotten

KEPT: dict[str, set[str]] = {  # what says nothing of anybody once the rest is blank
    "person": {"id", "created_at"},
    "contact_point": {"id", "person_id", "kind", "value", "disowned_at"},  # both are set to what tells nothing
    "inbound": {"id", "sid", "person_id", "contact_point_id", "kind", "received_at", "urgent", "state", "retry_at"}
    | {"attempts", "taken_at", "intents", "confidence", "decided_by", "effects", "tidy_at"},
    "outbound": {"id", "key", "person_id", "contact_point_id", "inbound_id", "purpose", "use", "urgent", "priority"}
    | {"template", "alert_case_id", "confirms_opt_out", "created_at", "due_at", "best_before", "state", "reason", "sid"}
    | {"error_code", "attempts", "leased_until", "tried_at", "by_template", "sent_at", "look_ups", "retry_of", "tidy_at"}
    | {"plan", "lesson_id", "lesson_version", "notice_id", "opportunity_id", "urgent_from"},
}
BLANK = {
    "person": blanks.BLANK_PERSON,
    "contact_point": blanks.BLANK_POINT,
    "inbound": blanks.BLANK_INBOUND,
    "outbound": blanks.BLANK_OUTBOUND,
}
DELETED = {
    "check_in",
    "interest",
    "enrolment",
    "invitation",
    "number_change",
    "office_case",
    "case_message",
    "alert",
    "consent_event",
}
OTHERWISE = {  # of staff, of nobody, or without a word of anybody's
    "staff_role": "staff stay",
    "course_trainer": "staff stay",
    "opportunity": "its author is staff, and staff stay",
    "audit": "its person goes, and its details name nobody",
    "outbound_event": "Twilio's words about our message: a status, a time, a code",
}


def near_a_person() -> Iterator[Table]:
    """Every table that refers to a person, or to a row that does."""
    near, tables = {"person"}, list(Base.metadata.sorted_tables)
    while more := {t.name for t in tables if {key.column.table.name for key in t.foreign_keys} & near} - near:
        near |= more
    return (table for table in tables if table.name in near)


def test_every_table_near_a_person_is_thought_of() -> None:
    assert {table.name for table in near_a_person()} == {*KEPT, *DELETED, *OTHERWISE}
    assert set(BLANK) == set(KEPT)


@pytest.mark.parametrize("name", KEPT)
def test_every_column_of_a_row_that_stays_is_blank_or_says_nothing(name: str) -> None:
    columns = set(Base.metadata.tables[name].columns.keys())
    assert columns == {*BLANK[name], *KEPT[name]}
    assert not set(BLANK[name]) & KEPT[name]


def test_what_is_deleted_is_gone(db: Database, now: datetime) -> None:
    with db.write() as session:
        ben = session.scalars(select(PersonRow).where(PersonRow.learner_code == "P2")).one()
        consent = select(func.count()).select_from(ConsentEvent).where(ConsentEvent.person_id == ben.id)
        bens = session.scalar(consent)
    a_whole_life(db, now)
    erase(db, KEYED, WISH, now)
    with db.read() as session:
        left = {name: session.scalar(select(func.count()).select_from(Base.metadata.tables[name])) for name in DELETED}
    assert left == dict.fromkeys(DELETED, 0) | {"enrolment": 1, "consent_event": bens}
