"""One reply of what several handlers want to say: one question at most, and safety silences the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.compose import AFTER_LEAVING, Composed, compose
from bot.effects import (
    AlertSafeguarding,
    Ask,
    Effect,
    Grant,
    OpenCase,
    Pause,
    Restore,
    Resume,
    Say,
    TellMoved,
    WarnPrivacy,
    Withdraw,
    say,
    say_safety,
)
from bot.turn import CONSENTABLE
from tests.builders import NOW, a_message, a_turn, consents

HELLO, CONTACT, STOPPED = say("smalltalk.greet"), say("faq.contact"), say_safety("consent.opted_out")
OFF = consents("withdrawn", "withdrawn", "withdrawn")
REMIND = say("consent.still_opted_out")
HIDDEN = say("privacy.hidden")
MOVED = say("consent.number_moved")
WITHDRAW = Withdraw(CONSENTABLE, "chat")
ALERT = AlertSafeguarding(frozenset(), True, (say_safety("safety.told"),), (say_safety("safety.not_told"),))
CALL_999 = say_safety("safety.call_999_now")
ASK = Ask("opt_in", say("consent.ask_service"), {"yes": "opt_in_service", "no": "deny"})
ASK_AGAIN = Ask("person", say("fallback.not_understood_again_stranger"), {"yes": "request_human"})
EFFECTS: list[Effect] = [HELLO, CONTACT, STOPPED, WITHDRAW, ALERT, CALL_999, ASK, ASK_AGAIN, OpenCase("x"), Pause()]
CHANGES = [WITHDRAW, Pause(), Resume(), Restore(("service",), "chat"), Grant(("service",), "chat")]
WANTED = st.lists(st.lists(st.sampled_from(EFFECTS), max_size=4), max_size=3)


def a_masked_turn(minutes_ago: float | None = None) -> object:
    warned = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)
    return a_turn(message=a_message("[card number hidden]", masked=("card",)), warned_at=warned)


def test_two_answers_are_one_message_in_the_order_of_importance() -> None:
    assert compose(a_turn(), [[CONTACT], [HELLO]]) == Composed(((CONTACT, HELLO),))


def test_nothing_to_say_is_no_message() -> None:
    assert compose(a_turn(), [[], []]) == Composed()
    assert compose(a_turn(), [[OpenCase("complaint")]]) == Composed(effects=(OpenCase("complaint"),))


def test_what_two_handlers_want_alike_happens_once() -> None:
    both = [[OpenCase("complaint"), CONTACT], [OpenCase("complaint"), CONTACT]]
    assert compose(a_turn(), both) == Composed(((CONTACT,),), None, (OpenCase("complaint"),))


def test_a_question_comes_last_and_of_two_the_first_is_asked() -> None:
    assert compose(a_turn(), [[ASK, HELLO], [ASK_AGAIN]]) == Composed(((HELLO, ASK.say),), ASK)


def test_who_opted_out_is_answered_and_reminded_how_to_come_back() -> None:
    assert compose(a_turn(consent=OFF), [[CONTACT]]) == Composed(((CONTACT, REMIND),))
    assert compose(a_turn(consent=consents("paused")), [[CONTACT]]) == Composed(((CONTACT, REMIND),))


def test_who_never_opted_out_is_not_reminded() -> None:
    for state in ("given", "refused", "never_asked"):
        assert compose(a_turn(consent=consents(state)), [[CONTACT]]) == Composed(((CONTACT,),))


@pytest.mark.parametrize("change", CHANGES)
def test_whoever_changes_their_consent_now_is_not_reminded_of_how_it_was(change: Effect) -> None:
    assert compose(a_turn(consent=OFF), [[change, CONTACT]]) == Composed(((CONTACT,),), None, (change,))


def test_who_left_the_group_is_asked_once_in_the_place_of_the_usual_line() -> None:
    asked = Composed(((CONTACT, AFTER_LEAVING.say),), AFTER_LEAVING)
    assert compose(a_turn(consent=OFF, left_group=True), [[CONTACT]]) == asked


def test_the_menus_numbers_count_beside_that_question_and_another_question_comes_first() -> None:
    turn = a_turn(consent=OFF, left_group=True)
    menu = Ask("menu", say("smalltalk.menu"), {"1": "course_info"})
    both = replace(AFTER_LEAVING, options={"1": "course_info", **AFTER_LEAVING.options})
    assert compose(turn, [[menu]]) == Composed(((menu.say, AFTER_LEAVING.say),), both)
    assert compose(turn, [[ASK_AGAIN]]) == Composed(((ASK_AGAIN.say, REMIND),), ASK_AGAIN)


@pytest.mark.parametrize("beside", [[], [WITHDRAW, STOPPED], [ALERT]])
def test_who_left_the_group_is_asked_nothing_beside_silence_an_opting_out_or_a_disclosure(beside: list[Effect]) -> None:
    assert compose(a_turn(consent=OFF, left_group=True), [beside]).ask is None
    assert compose(a_turn(consent=OFF, left_group=True, on_hold=True), [[CONTACT, *beside]]).ask is None


def test_a_new_phone_is_told_that_messages_come_to_it_beside_its_first_answer() -> None:
    turn = a_turn(number_moved=True)
    assert compose(turn, [[CONTACT]]) == Composed(((MOVED, CONTACT),), None, (TellMoved(),))
    for beside in ([], [WITHDRAW, STOPPED], [ALERT]):
        assert TellMoved() not in compose(turn, [beside]).effects
    assert compose(replace(turn, on_hold=True), [[CONTACT]]) == Composed(((CONTACT,),))


def test_silence_stays_silence_for_who_opted_out() -> None:
    assert compose(a_turn(consent=OFF), [[]]) == Composed()


def test_a_disclosure_silences_everything_but_safety_and_still_does_the_rest() -> None:
    wanted = [[ALERT, CALL_999], [WITHDRAW, STOPPED], [ASK, HELLO]]
    assert compose(a_turn(consent=OFF), wanted) == Composed(((CALL_999,),), None, (ALERT, WITHDRAW))


def test_a_disclosure_is_not_met_with_a_word_about_card_numbers() -> None:
    assert compose(a_masked_turn(), [[ALERT]]) == Composed((), None, (ALERT,))  # type: ignore[arg-type]


def test_what_twilio_answered_itself_is_acted_on_and_not_answered_again() -> None:
    turn = a_turn(message=a_message("STOP", answered_by_twilio="STOP"))
    assert compose(turn, [[WITHDRAW, STOPPED, ASK]]) == Composed(effects=(WITHDRAW,))


def test_whoever_sent_a_card_number_is_told_that_it_was_hidden() -> None:
    assert compose(a_masked_turn(), [[CONTACT]]) == Composed(((HIDDEN, CONTACT),), None, (WarnPrivacy(),))  # type: ignore[arg-type]
    assert compose(a_masked_turn(), [[]]) == Composed(((HIDDEN,),), None, (WarnPrivacy(),))  # type: ignore[arg-type]


@pytest.mark.parametrize(("minutes_ago", "warned"), [(9.9, False), (10, True), (600, True)])
def test_the_warning_about_details_comes_once_in_ten_minutes(minutes_ago: float, warned: bool) -> None:
    composed = compose(a_masked_turn(minutes_ago), [[CONTACT]])  # type: ignore[arg-type]
    assert (WarnPrivacy() in composed.effects) == warned
    assert composed.messages == (((HIDDEN, CONTACT),) if warned else ((CONTACT,),))


@given(WANTED, st.booleans(), st.booleans(), st.booleans())
def test_whatever_is_wanted_what_is_to_be_done_is_done_once_and_at_most_one_thing_is_asked(
    wanted: list[list[Effect]], opted_out: bool, masked: bool, by_twilio: bool
) -> None:
    message = a_message("x", masked=("card",) if masked else (), answered_by_twilio="STOP" if by_twilio else "")
    composed = compose(a_turn(message=message, consent=OFF if opted_out else consents()), wanted)
    doing = [effect for one in wanted for effect in one if not isinstance(effect, Say | Ask)]
    assert [effect for effect in composed.effects if effect != WarnPrivacy()] == list(dict.fromkeys(doing))
    said = [text for texts in composed.messages for text in texts]
    assert len(said) == len(set(said))
    if composed.ask:
        assert said[-1] in (composed.ask.say, REMIND)
    if by_twilio:
        assert said == []
    elif ALERT in doing:
        assert {text.key.partition(".")[0] for text in said} <= {"safety"}
        assert composed.ask is None
