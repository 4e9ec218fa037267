"""Who takes a message where no model is needed: safety words, an answer to our question, the kind of message."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions import HANDLERS
from bot.routing import BUTTONS, FIRST, MOST_INTENTS, REOPENS, Choice, answered, choose, without_model
from bot.template_files import load_templates
from bot.turn import Heard, Kind, Media, Pending, Phone
from tests.bot.rooms import SmallLimits
from tests.builders import NOW, a_message, a_parse, a_pending, a_turn, heard

YES_NO = a_pending("opt_out", {"yes": "opt_out", "no": "opt_out_no"})
INTENTS = sorted(HANDLERS)
HEARD = st.builds(Heard, st.sampled_from(INTENTS), st.sampled_from(("exact", "rule")), st.booleans())


def test_what_the_rules_hear_goes_before_an_answer_a_picture_and_the_model() -> None:
    message = a_message("please stop", "picture", media=(Media("https://media.example", "image/jpeg"),))
    turn = a_turn(message=message, heard=(heard("opt_out"),), pending=YES_NO, answer="no", parse=a_parse("greet"))
    assert without_model(turn) == Choice(("opt_out",), "rule")


@pytest.mark.parametrize(("word", "intent"), [("STOP", "opt_out"), ("START", "opt_in"), ("HELP", "help")])
def test_what_twilio_took_for_a_keyword_is_taken_for_it_in_whatever_language(word: str, intent: str) -> None:
    turn = a_turn(message=a_message("ARRÊT", answered_by_twilio=word), pending=YES_NO, answer="no")
    assert without_model(turn) == Choice((intent,), "exact")


def test_an_exact_word_is_told_from_a_phrase() -> None:
    assert without_model(a_turn("STOP", heard=(Heard("opt_out", "exact"),))) == Choice(("opt_out",), "exact")
    both = (Heard("opt_out", "exact"), Heard("report_abuse", "rule"))
    assert without_model(a_turn(heard=both)) == Choice(("opt_out", "report_abuse"), "rule")


def test_an_opting_out_that_is_not_sure_is_asked_about() -> None:
    choice = without_model(a_turn(heard=(heard("opt_out", sure=False),)))
    assert choice == Choice(("opt_out_unsure",), "rule")
    assert choice is not None
    assert choice.intent == "opt_out"


def test_several_things_are_acted_on_in_the_order_of_who_needs_it_most() -> None:
    said = [heard(name) for name in ("thanks", "request_human", "report_abuse", "opt_out", "safeguarding_disclosure")]
    choice = without_model(a_turn(heard=tuple(said)))
    assert choice == Choice(("safeguarding_disclosure", "opt_out", "report_abuse"), "rule")


@given(st.lists(HEARD, min_size=1, max_size=8))
def test_whatever_the_rules_hear_the_weightiest_is_never_lost(said: list[Heard]) -> None:
    choice = without_model(a_turn(heard=tuple(said)))
    assert choice is not None
    names = ["opt_out_unsure" if one.intent == "opt_out" and not one.sure else one.intent for one in said]
    ranks = [FIRST.index(name) if name in FIRST else len(FIRST) for name in names]
    assert min(ranks) == (FIRST.index(choice.handlers[0]) if choice.handlers[0] in FIRST else len(FIRST))
    assert len(choice.handlers) == min(MOST_INTENTS, len(set(names)))
    assert len(set(choice.handlers)) == len(choice.handlers)


def test_an_answer_to_our_question_leads_where_the_question_says() -> None:
    assert without_model(a_turn("yes", pending=YES_NO, answer="yes")) == Choice(("opt_out",), "exact")
    assert without_model(a_turn("No", pending=YES_NO, answer="no")) == Choice(("opt_out_no",), "exact")


def test_words_without_a_question_wait_for_the_model() -> None:
    assert without_model(a_turn("yes")) is None
    assert without_model(a_turn("what about my lesson", pending=YES_NO)) is None


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_without_words_has_a_handler_and_needs_no_model(kind: Kind) -> None:
    choice = without_model(a_turn(message=a_message("", kind)))
    assert choice is not None
    assert choice.decided_by == "exact"
    assert choice.handlers[0] in HANDLERS
    assert choice.handlers[0] == f"media_{'empty' if kind in ('text', 'button', 'list') else kind}"


def test_a_picture_with_a_caption_is_a_picture() -> None:
    message = a_message("my stall", "picture", media=(Media("https://media.example", "image/jpeg"),))
    assert without_model(a_turn(message=message)) == Choice(("media_picture",), "exact")


def test_a_message_is_given_to_a_person_when_the_model_has_been_away_too_long() -> None:
    assert without_model(a_turn("how do i pay", nlu_away=True)) == Choice(("nlu_away",), "fallback", 0.0)


def test_what_needs_no_model_is_answered_while_the_model_is_away() -> None:
    assert without_model(a_turn("STOP", heard=(heard("opt_out"),), nlu_away=True)) == Choice(("opt_out",), "rule")
    assert without_model(a_turn("no", pending=YES_NO, answer="no", nlu_away=True)) == Choice(("opt_out_no",), "exact")


def test_an_answer_is_read_from_the_words_or_from_the_button() -> None:
    assert answered(a_turn("y", pending=YES_NO), "yes") == "yes"
    tapped = a_message("Stop all", "button", button="yes")
    assert answered(a_turn(message=tapped, pending=YES_NO), "") == "yes"


def test_a_phone_number_answers_a_question_that_asks_for_one() -> None:
    which = a_pending("which_number", {"phone": "change_number"})
    phone = Phone("+447700900555", "07700 900555", "free", alone=True)
    assert answered(a_turn(pending=which, phone=phone), "") == "phone"
    assert answered(a_turn(pending=which, phone=replace(phone, alone=False)), "") == ""
    assert answered(a_turn(pending=YES_NO, phone=phone), "") == ""


def test_stopping_check_ins_is_acted_on_under_a_hold_and_shown_as_a_preference() -> None:
    choice = choose(a_turn(on_hold=True, heard=(heard("opt_out_checkin"),)), SmallLimits())
    assert choice == Choice(("opt_out_checkin", "on_hold"), "rule")
    assert choice.intent == "reminder_preferences"


def test_a_yes_about_the_group_re_opens_nothing_after_a_later_stop() -> None:
    left = a_pending("left_group", {"yes": "opt_in_after_leaving"})
    turn = a_turn("yes", pending=left, answer="yes", overtaken=True)
    assert choose(turn, SmallLimits()) == Choice(("opt_out_no",), "exact")


def test_a_button_goes_before_its_label() -> None:
    tapped = a_message("No thanks", "button", button="yes")
    assert answered(a_turn(message=tapped, pending=YES_NO), "no") == "yes"


def test_what_was_not_offered_is_no_answer() -> None:
    assert answered(a_turn("3", pending=YES_NO), "3") == ""
    assert answered(a_turn(message=a_message("hi", "button", button="other"), pending=YES_NO), "") == ""
    assert answered(a_turn("yes"), "yes") == ""


def test_a_question_is_forgotten_after_a_day() -> None:
    asked = replace(YES_NO, asked_at=NOW - timedelta(hours=24))
    assert answered(a_turn("yes", pending=asked), "yes") == ""
    assert answered(a_turn("yes", pending=replace(asked, asked_at=NOW - timedelta(hours=23, minutes=59))), "yes") == "yes"


def test_hidden_details_with_hardly_a_word_need_no_model_and_with_a_question_do() -> None:
    masked = ("card",)
    bare = a_message("my card is [card number hidden]", masked=masked)
    asking = a_message("my card is [card number hidden] can i pay with it", masked=masked)
    assert without_model(a_turn(message=bare)) == Choice(("only_details",), "rule")
    assert without_model(a_turn(message=asking)) is None
    assert without_model(a_turn("my card is [card number hidden]")) is None


@pytest.mark.parametrize("text", ["2", " 9. ", "3)"])
def test_a_number_of_a_menu_that_is_gone_is_shown_the_menu_again(text: str) -> None:
    assert without_model(a_turn(text)) == Choice(("help",), "exact")
    assert without_model(a_turn("10")) is without_model(a_turn("2 of us")) is None


@pytest.mark.parametrize("pending", [None, YES_NO, a_pending("menu", {"1": "course_info", "yes": "opt_in_service"})])
@pytest.mark.parametrize(("button", "intent"), BUTTONS.items())
def test_a_button_of_a_template_does_what_it_says_whatever_else_we_asked(
    button: str, intent: str, pending: Pending | None
) -> None:
    tapped = a_turn(message=a_message("Yes", "button", button=button), pending=pending, nlu_away=True)
    assert without_model(replace(tapped, answer=answered(tapped, "yes"))) == Choice((intent,), "exact")
    assert answered(tapped, "yes") == ""


def test_a_button_leads_to_what_there_is_and_re_opens_nothing() -> None:
    assert set(BUTTONS.values()) <= set(HANDLERS) - set(REOPENS)


def test_a_button_that_nobody_knows_answers_no_question_by_its_label() -> None:
    assert answered(a_turn(message=a_message("Yes", "button", button="of_old"), pending=YES_NO), "yes") == ""
    assert answered(a_turn(message=a_message("Yes", "button"), pending=YES_NO), "yes") == "yes"


def test_an_opting_out_under_a_button_is_heard_before_it() -> None:
    tapped = a_message("stop all this", "button", button="invite_yes")
    assert without_model(a_turn(message=tapped, heard=(heard("opt_out"),))) == Choice(("opt_out",), "rule")


def test_every_button_of_the_invitation_is_known() -> None:
    ids = {reply.id for one in load_templates() if one.name == "group_invitation" for reply in one.replies}
    assert ids == {"invite_yes", "invite_no"} <= set(BUTTONS)
