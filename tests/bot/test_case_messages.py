"""What staff were promised to see is in the case, all of it: later messages join it, and an answer brings its question."""

from __future__ import annotations

from datetime import datetime

import pytest

from bot.cases import read_case
from bot.conversation import NLU_WAIT
from bot.database import Database
from bot.models import CaseMessage, OfficeCase
from bot.queries import HOLD_TOLD
from bot.turn import Media, Parse
from tests.bot.rooms import (
    AMINA,
    BILAL,
    FARAH,
    OWEN,
    Clock,
    Mailbox,
    Stage,
    a_learner,
    a_member_of_staff,
    an_incoming,
    english,
    receive,
    rows,
)

AT_RISK = "i want to kill myself"
COMPLAINT, AGAIN = "the room is freezing", "and nobody answers the phone"
PICTURE = Media("https://media.example/1", "image/jpeg")


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, a learner who complains, and staff who may look."""
    a_learner(db, AMINA, now=now)
    for code, role in (("S1", "safeguarding"), ("A1", "admin")):
        a_member_of_staff(db, code, role, now=now)
    stage = Stage(db, Clock(now))
    for text in (COMPLAINT, AGAIN):
        stage.nlu.intents[text] = Parse("complaint", 0.9, (("complaint", 0.9),))
    return stage


def shown(stage: Stage, kind: str, by: str = "A1") -> list[list[object]]:
    """The messages of each case of this kind, as staff read them."""
    cases = rows(stage.db, OfficeCase, OfficeCase.kind == kind)
    return [[row["message"] for row in read_case(stage.db, case.id, by, stage.clock())] for case in cases]


def closed(stage: Stage) -> None:
    with stage.db.write() as session:
        for case in rows(stage.db, OfficeCase):
            session.get_one(OfficeCase, case.id).state = "closed"


def test_several_messages_of_a_kind_are_one_case_with_each_of_them(stage: Stage) -> None:
    stage.hears_and_works(AMINA, COMPLAINT, "cheers then", AGAIN)
    assert shown(stage, "complaint") == [[COMPLAINT, AGAIN]]


def test_what_comes_after_the_case_was_closed_is_a_case_of_its_own(stage: Stage) -> None:
    stage.hears_and_works(AMINA, COMPLAINT)
    closed(stage)
    stage.hears_and_works(AMINA, AGAIN)
    assert shown(stage, "complaint") == [[COMPLAINT], [AGAIN]]


def test_what_another_person_writes_is_a_case_of_their_own(stage: Stage) -> None:
    stage.hears_and_works(AMINA, COMPLAINT)
    stage.hears_and_works(BILAL, AGAIN)
    assert shown(stage, "complaint") == [[COMPLAINT], [AGAIN]]


def test_staff_read_what_kind_each_message_was_and_where_its_files_are(stage: Stage) -> None:
    files = (PICTURE, Media("https://media.example/2", "application/pdf"))
    receive(stage.db, an_incoming(AMINA, COMPLAINT, kind="picture", media=files), stage.clock())
    stage.works()
    case = rows(stage.db, OfficeCase, OfficeCase.kind == "complaint")[0]
    (row,) = read_case(stage.db, case.id, "A1", stage.clock())
    assert (row["sent"], row["message"], row["number"], row["received_at"]) == ("picture", COMPLAINT, AMINA, stage.clock())
    assert row["media"] == ["https://media.example/1", "https://media.example/2"]


def test_a_case_without_a_message_is_shown_all_the_same(stage: Stage, now: datetime) -> None:
    person_id = a_learner(stage.db, BILAL, now=now, name="Bilal Noor")
    with stage.db.write() as session:
        case = OfficeCase(person_id=person_id, kind="identity_conflict", opened_at=now)
        session.add(case)
    (row,) = read_case(stage.db, case.id, "A1", now)
    assert (row["kind"], row["name"], "message" in row) == ("identity_conflict", "Bilal Noor", False)


def test_an_answer_to_our_question_brings_along_what_led_to_it(stage: Stage) -> None:
    stage.nlu.intents["how do i get out of here"] = Parse("faq_leave_group", 0.9, (("faq_leave_group", 0.9),))
    stage.hears_and_works(AMINA, "how do i get out of here")
    stage.hears_and_works(AMINA, "yes")
    assert shown(stage, "group_removal") == [["how do i get out of here", "yes"]]


def test_a_number_of_two_guesses_brings_along_what_was_guessed_at(stage: Stage) -> None:
    doubt = (("course_info", 0.4), ("complaint", 0.35))
    stage.nlu.intents["tuesday is no good"] = Parse(*doubt[0], doubt)
    stage.hears_and_works(AMINA, "tuesday is no good")
    stage.hears_and_works(AMINA, "2")
    assert shown(stage, "complaint") == [["tuesday is no good", "2"]]


def test_a_message_that_answers_nothing_brings_nothing_along(stage: Stage) -> None:
    stage.nlu.intents["how do i get out of here"] = Parse("faq_leave_group", 0.9, (("faq_leave_group", 0.9),))
    stage.hears_and_works(AMINA, "how do i get out of here", COMPLAINT)
    assert shown(stage, "complaint") == [[COMPLAINT]]


def test_under_a_hold_every_message_joins_the_restricted_case_and_the_contacts_are_told_again(stage: Stage) -> None:
    stage.hears_and_works(AMINA, AT_RISK)
    stage.mail.mails.clear()
    stage.hears_and_works(AMINA, "when is my lesson", COMPLAINT)
    assert shown(stage, "safeguarding_disclosure", "S1") == [[AT_RISK, "when is my lesson", COMPLAINT]]
    assert sorted(mail.to for mail in stage.mail.mails) == sorted([FARAH.email, OWEN.email] * 2)
    assert shown(stage, "complaint") == []


def test_a_file_sent_under_a_hold_is_in_the_case_too(stage: Stage) -> None:
    stage.hears_and_works(AMINA, AT_RISK)
    receive(stage.db, an_incoming(AMINA, "", kind="picture", media=(PICTURE,)), stage.clock())
    stage.works()
    case = rows(stage.db, OfficeCase)[0]
    assert read_case(stage.db, case.id, "S1", stage.clock())[-1]["media"] == [PICTURE.url]


def test_the_mails_about_a_hold_hold_no_name_and_no_words(stage: Stage) -> None:
    stage.hears_and_works(AMINA, AT_RISK, "when is my lesson")
    whole = " ".join(f"{mail.subject} {mail.body}".lower() for mail in stage.mail.mails)
    assert not [word for word in ("amina", "khan", "900101", "kill", "lesson") if word in whole]


@pytest.mark.parametrize(("mail_works", "said"), [(True, "safety.on_hold"), (False, "safety.on_hold_not_told")])
def test_under_a_hold_somebody_is_said_to_know_only_where_an_alert_went_out(
    stage: Stage, mail_works: bool, said: str
) -> None:
    stage.mail = Mailbox(up=mail_works)
    stage.hears_and_works(AMINA, AT_RISK)
    stage.clock.wait(HOLD_TOLD)
    assert stage.hears_and_works(AMINA, "hello?") == [english(said)]


def test_an_alert_of_a_disclosure_that_is_closed_is_no_reason_to_say_that_somebody_knows(stage: Stage) -> None:
    stage.hears_and_works(AMINA, AT_RISK)
    closed(stage)
    stage.mail.up = False
    stage.hears_and_works(AMINA, AT_RISK)
    stage.clock.wait(HOLD_TOLD)
    assert stage.hears_and_works(AMINA, "hello?") == [english("safety.on_hold_not_told")]


def test_on_a_watched_phone_a_message_under_the_hold_is_met_with_the_neutral_line(stage: Stage) -> None:
    stage.hears_and_works(AMINA, "my husband hits me, he reads my phone")
    stage.clock.wait(HOLD_TOLD)
    assert stage.hears_and_works(AMINA, "hello?") == [english("safety.neutral")]


def test_in_an_outage_every_message_goes_into_one_case_and_that_is_said_once(stage: Stage) -> None:
    stage.nlu.away = True
    stage.hears(AMINA, "ta", "hello?", "anyone")
    stage.clock.wait(NLU_WAIT)
    stage.works()
    assert stage.whatsapp.to(AMINA) == [english("fallback.nlu_away")]
    assert shown(stage, "nlu_away") == [["ta", "hello?", "anyone"]]


def test_a_second_disclosure_is_a_case_of_its_own_and_later_messages_join_the_first(stage: Stage) -> None:
    stage.hears_and_works(AMINA, AT_RISK, AT_RISK, "hello?")
    assert shown(stage, "safeguarding_disclosure", "S1") == [[AT_RISK, "hello?"], [AT_RISK]]
    assert len(rows(stage.db, CaseMessage)) == 3
