"""A learner moves to another phone by their word from the old one, and nothing of theirs goes to the old one (D10, F22)."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot import conversation
from bot.apply import Scene, apply
from bot.compose import Composed
from bot.database import Database
from bot.importing import import_folder
from bot.models import Audit, ContactPoint, Inbound, NumberChange, OfficeCase, Outbound, PersonRow
from bot.named_phone import phone_named
from bot.turn import Parse
from tests.bot.ledgers import books
from tests.bot.rooms import (
    AMINA,
    BILAL,
    CARLA,
    SEVERAL_WRITERS,
    Clock,
    Stage,
    a_learner,
    a_member_of_staff,
    an_incoming,
    consent_of,
    english,
    only,
    owe,
    receive,
    rows,
    states,
)

DAY = timedelta(days=1)
NEW, SHOWN = "+447700900555", "07700 900555"
SCOPED = "GB.1234567890ABCDEF"
QUESTION = english("consent.number_question", number=SHOWN)
WAITS = english("consent.number_waits", number=SHOWN)
DONE = english("consent.number_done", number=SHOWN)
MOVED, OFFICE = english("consent.number_moved"), english("consent.number_office")
LESSON = Outbound.purpose == "service"


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, an office with email, and a learner on file."""
    a_learner(db, AMINA, now=now)
    a_member_of_staff(db, "A1", "admin", now=now, email="office@example.org")
    return Stage(db, Clock(now))


def says_so(stage: Stage, number: str = SHOWN, phone: str = AMINA) -> list[str]:
    """NEW NUMBER, the number, and YES; what the old phone is told."""
    return [*stage.hears_and_works(phone, f"NEW NUMBER {number}"), *stage.hears_and_works(phone, "yes")]


def holder(stage: Stage, value: str) -> int:
    return only(stage.db, ContactPoint, ContactPoint.value == value).person_id


def learner(stage: Stage) -> PersonRow:
    return only(stage.db, PersonRow, PersonRow.learner_code == f"L{AMINA[1:]}")


def point(stage: Stage, value: str) -> ContactPoint:
    return only(stage.db, ContactPoint, ContactPoint.value == value)


def cases(stage: Stage) -> list[str]:
    return [case.kind for case in rows(stage.db, OfficeCase)]


@pytest.mark.parametrize(
    "text",
    [
        "NEW NUMBER 07700 900555",
        "new number: 07700-900-555 📱",
        "+44 (0)7700 900 555",
        "00447700900555",
        "٠٧٧٠٠٩٠٠٥٥٥",
        "my new one is (07700) 900555 from 12/11/2026",
    ],
)
def test_a_number_is_read_in_any_usual_spelling(text: str) -> None:
    named = phone_named(text)
    assert named is not None
    assert (named.value, named.shown) == (NEW, SHOWN)


@pytest.mark.parametrize(
    "text", ["", "new number", "room 12 on 12.11.2026", "07700 900555 or 07700 900556", "1234", "0" * 2000]
)
def test_no_number_or_more_than_one_is_none(text: str) -> None:
    assert phone_named(text) is None


def test_a_number_among_many_words_does_not_stand_alone() -> None:
    alone = [
        phone_named(text) for text in (SHOWN, "its 07700 900555 thanks", f"somebody has been texting me from {SHOWN} again")
    ]
    assert [one.alone for one in alone if one] == [True, True, False]


def test_a_learner_moves_and_everything_follows_once_the_new_phone_writes(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), key="reminder", due_at=stage.clock() + timedelta(minutes=5))
    assert says_so(stage) == [QUESTION, WAITS]
    assert only(stage.db, NumberChange).done_at is None
    receive(stage.db, an_incoming(NEW, "thanks", scoped_id=SCOPED), stage.clock())
    stage.works()
    assert stage.whatsapp.to(NEW) == [f"{MOVED}\n\n{english('smalltalk.thanks')}"]
    assert holder(stage, NEW) == holder(stage, SCOPED) == learner(stage).id
    assert point(stage, AMINA).disowned_at == only(stage.db, NumberChange).done_at == stage.clock()
    assert consent_of(stage.db, NEW) == ["given"] * 3
    stage.clock.wait(timedelta(minutes=5))
    stage.works()
    assert stage.whatsapp.to(NEW)[1:] == ["Body of reminder."]
    assert stage.hears_and_works(NEW, "thanks") == [english("smalltalk.thanks")]
    (line,) = rows(stage.db, Audit, Audit.act == "number_changed")
    assert (line.by, line.person_id, NEW in str(line.details)) == ("learner", learner(stage).id, False)
    assert cases(stage) == ["change_number"]
    assert [mail.to for mail in stage.mail.mails] == ["office@example.org"]


def test_who_wrote_as_a_stranger_first_is_linked_by_the_yes_and_told_at_once(stage: Stage) -> None:
    stage.nlu.intents["its amina on a new phone"] = stage.nlu.parse("").__class__("change_number", 0.95)
    assert stage.hears_and_works(NEW, "its amina on a new phone") == [english("consent.number_unknown")]
    assert says_so(stage) == [QUESTION, DONE]
    assert stage.whatsapp.to(NEW)[1:] == [MOVED]
    assert holder(stage, NEW) == learner(stage).id
    assert stage.hears_and_works(NEW, "thanks") == [english("smalltalk.thanks")]


def test_a_stranger_who_wrote_long_ago_is_told_when_they_write_again(stage: Stage) -> None:
    stage.hears_and_works(NEW, "thanks")
    stage.clock.wait(2 * DAY)
    assert says_so(stage) == [QUESTION, DONE]
    assert stage.hears_and_works(NEW, "thanks") == [f"{MOVED}\n\n{english('smalltalk.thanks')}"]


def test_without_a_number_it_is_asked_for_and_a_bare_number_answers(stage: Stage) -> None:
    assert stage.hears_and_works(AMINA, "NEW NUMBER") == [english("consent.number_which")]
    assert stage.hears_and_works(AMINA, "its 07700 900555") == [QUESTION]
    assert stage.hears_and_works(AMINA, "YES") == [WAITS]


@pytest.mark.parametrize("answer", ["no", "thanks"])
def test_no_or_anything_else_changes_nothing(stage: Stage, answer: str) -> None:
    stage.hears_and_works(AMINA, f"NEW NUMBER {SHOWN}", answer, "yes")
    assert rows(stage.db, NumberChange) == []
    stage.hears_and_works(NEW, "thanks")
    assert holder(stage, NEW) != learner(stage).id


def test_the_old_phone_is_a_strangers_from_then_on_and_may_not_undo_anything(stage: Stage) -> None:
    says_so(stage)
    stage.hears_and_works(NEW, "thanks")
    stage.hears_and_works(AMINA, "STOP", "START")
    assert holder(stage, AMINA) != learner(stage).id
    assert consent_of(stage.db, NEW) == ["given"] * 3
    assert stage.hears_and_works(AMINA, "NEW NUMBER 07700 900777") == [english("consent.number_unknown")]


def test_a_learner_may_go_back_to_the_phone_they_left(stage: Stage) -> None:
    says_so(stage)
    stage.hears_and_works(NEW, "thanks")
    stage.hears_and_works(AMINA, "thanks")
    stage.clock.wait(DAY)
    says_so(stage, AMINA, NEW)
    assert holder(stage, AMINA) == learner(stage).id
    assert point(stage, AMINA).disowned_at is None
    assert point(stage, NEW).disowned_at == stage.clock()
    assert consent_of(stage.db, AMINA) == ["given"] * 3


def test_a_no_follows_to_the_new_phone(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "STOP")
    says_so(stage)
    stage.hears_and_works(NEW, "thanks")
    assert consent_of(stage.db, NEW) == ["withdrawn"] * 3


@pytest.mark.parametrize("whose", ["learner", "staff", "stopped", "at risk", "wrong number"])
def test_a_number_that_cannot_simply_be_theirs_is_for_the_office(stage: Stage, whose: str) -> None:
    if whose in ("learner", "wrong number"):
        a_learner(stage.db, NEW, now=stage.clock(), name="Sana Ali")
    if whose == "staff":
        a_member_of_staff(stage.db, "T1", "trainer", now=stage.clock(), phone=NEW)
    said = {"stopped": "STOP", "at risk": "i want to kill myself", "wrong number": "wrong number mate"}
    if whose in said:
        stage.hears_and_works(NEW, said[whose])
    before = holder(stage, NEW)
    assert stage.hears_and_works(AMINA, f"NEW NUMBER {SHOWN}") == [OFFICE]
    assert "change_number" in cases(stage)
    stage.hears_and_works(AMINA, "yes")
    assert (holder(stage, NEW), rows(stage.db, NumberChange)) == (before, [])


def test_a_number_that_became_anothers_between_question_and_answer_is_for_the_office(stage: Stage) -> None:
    stage.hears_and_works(AMINA, f"NEW NUMBER {SHOWN}")
    a_learner(stage.db, NEW, now=stage.clock(), name="Sana Ali")
    assert stage.hears_and_works(AMINA, "yes") == [OFFICE]
    assert holder(stage, NEW) != learner(stage).id


def test_a_number_that_became_anothers_before_it_wrote_is_for_the_office(stage: Stage) -> None:
    says_so(stage)
    a_learner(stage.db, NEW, now=stage.clock(), name="Sana Ali")
    stage.hears_and_works(NEW, "thanks")
    assert holder(stage, NEW) != learner(stage).id
    assert rows(stage.db, NumberChange) == []
    assert point(stage, AMINA).disowned_at is None


def test_what_two_learners_claim_is_nobodys_and_the_office_is_told_of_both(stage: Stage) -> None:
    a_learner(stage.db, BILAL, now=stage.clock(), name="Bilal Shah")
    says_so(stage)
    says_so(stage, phone=BILAL)
    stage.hears_and_works(NEW, "thanks")
    assert holder(stage, NEW) not in (holder(stage, AMINA), holder(stage, BILAL))
    assert rows(stage.db, NumberChange) == []
    assert cases(stage) == ["change_number"] * 2


def test_the_last_word_counts_and_the_first_is_forgotten(stage: Stage) -> None:
    says_so(stage)
    says_so(stage, "07700 900556")
    stage.hears_and_works(NEW, "thanks")
    assert holder(stage, NEW) != learner(stage).id
    stage.hears_and_works("+447700900556", "thanks")
    assert holder(stage, "+447700900556") == learner(stage).id


def test_after_three_days_it_counts_no_longer(stage: Stage) -> None:
    says_so(stage)
    stage.clock.wait(3 * DAY)
    stage.hears_and_works(NEW, "thanks")
    assert holder(stage, NEW) != learner(stage).id


def test_under_a_hold_nothing_moves(stage: Stage) -> None:
    says_so(stage)
    stage.hears_and_works(AMINA, "i want to kill myself")
    stage.hears_and_works(NEW, "thanks")
    assert holder(stage, NEW) != learner(stage).id
    stage.hears_and_works(AMINA, "NEW NUMBER 07700 900777")
    assert len(rows(stage.db, NumberChange)) == 1


def test_a_wrong_number_from_the_old_phone_ends_the_wait_for_the_new_one(stage: Stage) -> None:
    says_so(stage)
    stage.hears_and_works(AMINA, "wrong number mate")
    assert rows(stage.db, NumberChange) == []


def test_whoever_has_a_number_typed_by_mistake_ends_it_with_one_message(stage: Stage) -> None:
    says_so(stage)
    assert stage.hears_and_works(NEW, "wrong number mate") == [english("consent.wrong_number")]
    owe(stage.db, NEW, stage.clock(), key="later")
    stage.works()
    assert states(stage.db, Outbound.key == "later") == [("withheld", "WRONG_NUMBER")]
    assert cases(stage) == ["change_number", "wrong_number"]
    assert not any("Amina" in text for text in stage.whatsapp.to(NEW))


def test_a_stop_as_the_first_word_from_the_new_phone_is_the_learners_and_says_nothing_else(stage: Stage) -> None:
    says_so(stage)
    assert stage.hears_and_works(NEW, "STOP") == [english("consent.opted_out")]
    assert consent_of(stage.db, NEW) == ["withdrawn"] * 3


def test_staff_and_strangers_move_nothing(stage: Stage) -> None:
    a_member_of_staff(stage.db, "T1", "trainer", now=stage.clock(), phone=BILAL)
    assert stage.hears_and_works(BILAL, f"NEW NUMBER {SHOWN}") == [english("office.passed_on")]
    assert stage.hears_and_works(CARLA, f"NEW NUMBER {SHOWN}") == [english("consent.number_unknown")]
    for phone in (BILAL, CARLA):
        stage.hears_and_works(phone, "yes")
    assert rows(stage.db, NumberChange) == []


def test_messages_that_wait_for_their_turn_come_along(stage: Stage) -> None:
    says_so(stage)
    stage.hears(NEW, "thanks", "thanks")
    stage.works()
    assert stage.whatsapp.to(NEW) == [f"{MOVED}\n\n{english('smalltalk.thanks')}", english("smalltalk.thanks")]
    with stage.db.read() as session:
        theirs = session.scalars(select(Inbound.person_id).where(Inbound.contact_point_id == point(stage, NEW).id)).all()
    assert set(theirs) == {learner(stage).id}


def college(folder: Path, phone: str) -> Path:
    """The college's list, with this phone for the learner."""
    (folder / "courses.csv").write_text(
        "code,name,cohort,starts_on,ends_on,trainers,group_link\nSYB12,Start Your Business,Cohort 12,2026-11-24,,,\n"
    )
    (folder / "learners.csv").write_text(
        "code,name,phone,course,language,service_consent,checkin_consent,marketing_consent,declared_on,declaration_version\n"
        f"L{AMINA[1:]},Amina Khan,{phone},SYB12,en,yes,yes,yes,2026-10-01,v1\n"
    )
    return folder


def owned(stage: Stage) -> set[str]:
    points = rows(stage.db, ContactPoint, ContactPoint.person_id == learner(stage).id)
    return {one.value for one in points if one.disowned_at is None}


def test_an_old_list_does_not_undo_it_and_a_list_that_named_the_new_number_counts_again(
    stage: Stage, tmp_path: Path
) -> None:
    import_folder(books(stage.db), college(tmp_path, AMINA), stage.clock())
    says_so(stage)
    stage.clock.wait(DAY)
    stage.hears_and_works(NEW, "thanks")
    stage.hears_and_works(AMINA, "thanks")
    for phone, theirs in ((AMINA, NEW), (AMINA, NEW), (NEW, NEW), (AMINA, AMINA)):
        import_folder(books(stage.db), college(tmp_path, phone), stage.clock.wait(DAY))
        assert owned(stage) == {theirs}


def meanwhile(stage: Stage, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """A turn is taken, and just before it is committed the new phone writes."""
    writing: list[threading.Thread] = []

    def slow(scene: Scene, composed: Composed) -> None:
        apply(scene, composed)
        scene.session.flush()
        writing.append(threading.Thread(target=stage.hears, args=(NEW, text)))
        writing[0].start()
        writing[0].join(0.3)  # it waits for the commit

    with monkeypatch.context() as patched:
        patched.setattr(conversation, "apply", slow)
        assert conversation.take_next(stage.room, stage.clock)
    writing[0].join(10)
    assert len(writing) == 1


@SEVERAL_WRITERS
def test_a_stop_that_comes_while_the_new_phone_is_being_linked_is_the_learners(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    says_so(stage)
    stage.hears(NEW, "thanks")
    meanwhile(stage, monkeypatch, "STOP")
    stage.works()
    assert consent_of(stage.db, NEW) == ["withdrawn"] * 3
    assert {row.person_id for row in rows(stage.db, Inbound)} == {learner(stage).id}


@SEVERAL_WRITERS
def test_a_stop_that_comes_while_the_yes_links_a_stranger_is_the_learners(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.hears_and_works(NEW, "thanks")
    stage.hears_and_works(AMINA, f"NEW NUMBER {SHOWN}")
    stage.hears(AMINA, "yes")
    meanwhile(stage, monkeypatch, "STOP")
    stage.works()
    assert consent_of(stage.db, NEW) == ["withdrawn"] * 3


def test_a_message_that_turns_out_to_be_the_learners_is_taken_at_once_and_not_when_the_lease_runs_out(stage: Stage) -> None:
    stage.hears(NEW, "is it on tomorrow then")

    def linked_meanwhile(_text: str) -> Parse:
        with stage.db.write() as session:
            session.execute(update(ContactPoint).where(ContactPoint.value == NEW).values(person_id=learner(stage).id))
        return Parse("thanks", 0.95)

    stage.nlu.answer = linked_meanwhile
    stage.works()
    row = only(stage.db, Inbound)
    assert (row.person_id, row.state, row.attempts) == (learner(stage).id, "done", 1)
    assert stage.whatsapp.to(NEW) == [english("smalltalk.thanks")]
