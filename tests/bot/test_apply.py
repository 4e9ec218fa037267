"""What a turn decided is carried out whole: consent and plans in one commit, one open case of a kind, one question."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from bot.database import Database
from bot.effects import Ask, Effect, Grant, OpenCase, Pause, Restore, Resume, WarnPrivacy, Withdraw, say
from bot.models import ConsentEvent, ContactPoint, Inbound, OfficeCase, Outbound, PersonRow
from bot.turn import CONSENTABLE
from tests.bot.rooms import (
    AMINA,
    BILAL,
    Clock,
    Stage,
    a_learner,
    another_phone,
    consent_of,
    english,
    only,
    owe,
    rows,
    states,
    texts,
)

HOUR = timedelta(hours=1)
PLANNED = Outbound.purpose.in_(CONSENTABLE)
STRANGER = "+447700900199"
WITHHELD = ("withheld", "OPTED_OUT")


@pytest.fixture
def stage(db: Database, now: datetime) -> Stage:
    """A worker, and a learner on file with every consent."""
    a_learner(db, AMINA, now=now)
    return Stage(db, Clock(now))


def does(stage: Stage, *effects: Effect, phone: str = AMINA) -> list[str]:
    """A message comes to which the handler says just this; what the person is told."""
    stage.handling(thanks=lambda _turn: list(effects))
    return stage.hears_and_works(phone, "cheers then")


def amina(stage: Stage) -> PersonRow:
    point = only(stage.db, ContactPoint, ContactPoint.value == AMINA)
    return only(stage.db, PersonRow, PersonRow.id == point.person_id)


def planned(stage: Stage, phone: str = AMINA) -> None:
    """One message of each purpose, due in an hour."""
    for purpose in CONSENTABLE:
        owe(stage.db, phone, stage.clock(), key=f"{phone}:{purpose}", purpose=purpose, due_at=stage.clock() + HOUR)


def test_opting_out_cancels_what_was_planned_for_every_phone_of_the_person(stage: Stage) -> None:
    another_phone(stage.db, AMINA, BILAL, stage.clock())
    planned(stage, AMINA)
    planned(stage, BILAL)
    does(stage, Withdraw(CONSENTABLE, "chat"), say("consent.opted_out"))
    assert states(stage.db, PLANNED) == [WITHHELD] * 6
    assert consent_of(stage.db, BILAL) == ["withdrawn"] * 3


def test_opting_out_of_one_purpose_leaves_the_others_planned(stage: Stage) -> None:
    planned(stage)
    does(stage, Withdraw(("marketing",), "chat"))
    assert states(stage.db, PLANNED) == [("queued", None), ("queued", None), WITHHELD]
    assert consent_of(stage.db, AMINA) == ["given", "given", "withdrawn"]


def test_opting_out_does_not_cancel_answers_or_other_peoples_messages(stage: Stage) -> None:
    a_learner(stage.db, BILAL, now=stage.clock())
    planned(stage, BILAL)
    owe(stage.db, AMINA, stage.clock(), key="answer", purpose="reply", due_at=stage.clock() + HOUR)
    does(stage, Withdraw(CONSENTABLE, "chat"))
    assert {state for state, _ in states(stage.db)} == {"queued"}


def test_a_withdrawal_that_cannot_be_written_to_the_end_cancels_nothing(stage: Stage) -> None:
    planned(stage)
    does(stage, Withdraw(CONSENTABLE, "chat"), say("there.is_no_such_text"))
    assert states(stage.db, PLANNED) == [("queued", None)] * 3
    assert consent_of(stage.db, AMINA) == ["given"] * 3


def test_what_comes_back_is_what_was_given_and_nothing_more(stage: Stage) -> None:
    does(stage, Withdraw(("marketing",), "chat"))
    does(stage, Pause())
    does(stage, Withdraw(CONSENTABLE, "chat"))
    does(stage, Restore(("service", "checkin"), "chat"))
    assert consent_of(stage.db, AMINA) == ["given", "given", "withdrawn"]


def test_start_undoes_a_stop_and_gives_nothing_that_was_refused_or_never_asked(stage: Stage) -> None:
    a_learner(stage.db, BILAL, now=stage.clock(), consent="refuse")
    for effect in (Withdraw(CONSENTABLE, "chat"), Restore(("service", "checkin"), "chat")):
        does(stage, effect, phone=BILAL)
        does(stage, effect, phone=STRANGER)
    assert consent_of(stage.db, BILAL) == ["refused", "refused", "withdrawn"]
    assert consent_of(stage.db, STRANGER) == ["never_asked", "never_asked", "withdrawn"]
    assert rows(stage.db, ConsentEvent, ConsentEvent.action == "give", ConsentEvent.recorded_by == "learner") == []


def test_after_a_pause_everything_stands_as_it_stood(stage: Stage) -> None:
    a_learner(stage.db, BILAL, now=stage.clock(), consent="refuse")
    does(stage, Withdraw(("marketing",), "chat"))
    for effect in (Pause(), Resume()):
        for phone in (AMINA, BILAL, STRANGER):
            does(stage, effect, phone=phone)
    assert consent_of(stage.db, AMINA) == ["given", "given", "withdrawn"]
    assert consent_of(stage.db, BILAL) == ["refused"] * 3
    assert consent_of(stage.db, STRANGER) == ["never_asked"] * 3


def test_start_ends_a_pause_of_every_purpose_and_gives_back_only_what_it_names(stage: Stage) -> None:
    does(stage, Pause())
    does(stage, Restore(("service", "checkin"), "chat"))
    assert consent_of(stage.db, AMINA) == ["given"] * 3
    events = rows(stage.db, ConsentEvent, ConsentEvent.recorded_by == "learner")
    assert [event.action for event in events] == ["pause"] * 3 + ["resume"] * 3
    does(stage, Withdraw(CONSENTABLE, "chat"))
    does(stage, Restore(("checkin",), "chat"))
    assert consent_of(stage.db, AMINA) == ["withdrawn", "given", "withdrawn"]


def test_the_end_of_a_pause_is_in_the_ledger_and_where_there_was_none_nothing_is(stage: Stage) -> None:
    does(stage, Resume())
    assert rows(stage.db, ConsentEvent, ConsentEvent.recorded_by == "learner") == []
    does(stage, Pause())
    does(stage, Resume())
    ends = rows(stage.db, ConsentEvent, ConsentEvent.action == "resume")
    assert [(event.purpose, event.source, event.at) for event in ends] == [
        (purpose, "no", stage.clock()) for purpose in CONSENTABLE
    ]


def test_a_pause_holds_back_what_falls_due_and_a_no_finds_the_rest_still_planned(stage: Stage) -> None:
    owe(stage.db, AMINA, stage.clock(), key="now", purpose="service")
    planned(stage)
    does(stage, Pause())
    assert states(stage.db, Outbound.key == "now") == [("queued", "OPTED_OUT")]
    does(stage, Resume())
    stage.clock.wait(HOUR)
    stage.works()
    assert states(stage.db, PLANNED) == [("accepted", None), *[("queued", "FREQUENCY_CAP")] * 3]


def test_a_yes_after_the_pause_cancels_what_is_planned(stage: Stage) -> None:
    planned(stage)
    does(stage, Pause())
    does(stage, Withdraw(CONSENTABLE, "chat"))
    assert states(stage.db, PLANNED) == [WITHHELD] * 3


def test_a_yes_of_ones_own_is_given_from_that_moment(stage: Stage) -> None:
    does(stage, Grant(("marketing",), "chat"), phone=BILAL)
    assert consent_of(stage.db, BILAL) == ["never_asked", "never_asked", "given"]
    event = only(stage.db, ConsentEvent, ConsentEvent.recorded_by == "learner")
    assert (event.at, event.action, event.source) == (stage.clock(), "give", "chat")


def test_one_open_case_of_a_kind_is_enough(stage: Stage) -> None:
    does(stage, OpenCase("complaint"), OpenCase("ask_admin", urgent=True))
    does(stage, OpenCase("complaint"))
    cases = [(case.kind, case.urgent, case.restricted) for case in rows(stage.db, OfficeCase)]
    assert cases == [("complaint", False, False), ("ask_admin", True, False)]


def test_a_new_question_takes_the_place_of_the_old_one_and_any_other_message_ends_it(stage: Stage) -> None:
    does(stage, Ask("one", say("smalltalk.menu"), {"1": "help"}))
    does(stage, Ask("two", say("consent.pause_question"), {"yes": "opt_out"}))
    assert amina(stage).pending == {
        "question": "two",
        "options": {"yes": "opt_out"},
        "asked_at": stage.clock().isoformat(),
        "inbound_id": rows(stage.db, Inbound)[-1].id,
        "text": english("consent.pause_question"),
    }
    does(stage, say("smalltalk.thanks"))
    assert amina(stage).pending is None


def test_everything_said_in_one_turn_is_one_message_in_the_persons_language(stage: Stage) -> None:
    with stage.db.write() as session:
        session.get_one(PersonRow, amina(stage).id).language = "pl"
    said = does(stage, say("consent.opted_out"), say("safety.not_told"))
    assert said == [f"{texts().render('pl', 'consent.opted_out')}\n\n{texts().render('pl', 'safety.not_told')}"]
    assert said != [f"{english('consent.opted_out')}\n\n{english('safety.not_told')}"]


def test_the_moment_of_a_warning_is_kept(stage: Stage) -> None:
    does(stage, WarnPrivacy(), say("privacy.hidden"))
    assert amina(stage).warned_at == stage.clock()


def test_a_turn_may_say_nothing_at_all(stage: Stage) -> None:
    assert does(stage) == []
    assert rows(stage.db, Outbound) == []


def test_an_answer_goes_to_the_phone_that_asked(stage: Stage) -> None:
    another_phone(stage.db, AMINA, BILAL, stage.clock())
    assert does(stage, say("smalltalk.thanks"), phone=BILAL) == [english("smalltalk.thanks")]
    assert stage.whatsapp.to(AMINA) == []
