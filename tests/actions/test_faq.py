"""The policy as answers: the same for everybody, and true to it to the letter."""

from __future__ import annotations

from datetime import date

import pytest

from actions import HANDLERS
from bot.effects import Ask, say
from bot.texts import load_texts
from bot.turn import Agreement
from tests.builders import a_stranger_turn, a_turn

TEXTS = load_texts()
QUESTIONS = {
    "faq_purpose": "up to six months after your course",
    "faq_scope": "all trainers, office staff and learners",
    "faq_voluntary": "It is your choice and does not affect your course",
    "faq_broadcast": "Only administrators can send messages there",
    "faq_opt_out_how": "Reply STOP here, leave the group, or tell an administrator",
    "faq_consent": "Your learner declaration",
    "faq_six_months": "After six months we stop",
    "faq_code_of_conduct": "No offensive language, discrimination or harassment",
    "faq_group_hours": "at reasonable hours, unless it is urgent",
    "faq_posting_rules": "Please do not spam",
    "faq_contact_trainer": "privately without permission",
    "faq_privacy": "will not share your personal data outside WhatsApp groups",
    "faq_monitoring": "not monitored beyond general moderation",
    "faq_sharing_content": "if the people in them agree",
    "faq_official_number": "Our official WhatsApp Business account is 01254 693 999",
    "faq_report_concern": "Block the sender if it is not our official account",
    "faq_leave_group": "1. Select the group.\n2. Tap the group name.\n3. Scroll down.\n4. Select 'Exit Group'.",
    "faq_breach": "after appropriate warnings",
    "faq_contact": "01254 693 999, or email training@enterprise4all.co.uk",
    "faq_admin_role": "They remove inappropriate content",
    "faq_submit_work": "visual work",
}


@pytest.mark.parametrize("question", sorted(set(QUESTIONS) - {"faq_leave_group"}))
def test_an_answer_says_what_the_policy_says_to_learner_and_stranger_alike(question: str) -> None:
    (answer,) = HANDLERS[question](a_turn())
    assert [answer] == HANDLERS[question](a_stranger_turn())
    assert answer == say(question.replace("_", ".", 1))
    assert QUESTIONS[question] in TEXTS.render("en", answer.key)


def test_a_learner_who_cannot_leave_a_group_alone_is_one_word_from_help() -> None:
    (answer,) = HANDLERS["faq_leave_group"](a_turn())
    assert answer == Ask("leave_group", say("faq.leave_group"), {"yes": "group_removal", "no": "deny"})


def test_a_stranger_is_told_the_same_steps_and_asked_nothing() -> None:
    assert HANDLERS["faq_leave_group"](a_stranger_turn()) == [say("faq.leave_group_stranger")]
    told = TEXTS.render("en", "faq.leave_group_stranger")
    assert "YES" not in told
    for text in (told, TEXTS.render("en", "faq.leave_group")):
        assert QUESTIONS["faq_leave_group"] in text


@pytest.mark.parametrize("question", ["faq.opt_out_how", "faq.contact", "faq.consent", "faq.six_months"])
def test_an_opting_out_misread_as_a_question_is_one_word_away(question: str) -> None:
    assert "STOP" in TEXTS.render("en", question)


def test_a_learner_who_asks_what_they_agreed_to_is_told_when_how_and_in_which_words() -> None:
    yes = Agreement("service", date(2026, 9, 14), "declaration", "v2", holds=True)
    no_more = Agreement("marketing", date(2026, 10, 1), "chat", "chat:opt_in_marketing:1f", holds=False)
    assert HANDLERS["faq_consent"](a_turn("when did i agree", agreed=(yes, no_more))) == [
        say("faq.consent"),
        say("faq.consent_yours"),
        say("agreed.service_declaration", on="14/09/2026", wording="v2"),
        say("agreed.marketing_chat", on="01/10/2026", wording="chat:opt_in_marketing:1f"),
        say("agreed.marketing_ended"),
    ]


def test_the_monitoring_answer_names_the_computer_and_the_exception() -> None:
    told = TEXTS.render("en", "faq.monitoring")
    assert "A computer reads your messages" in told
    assert "at risk" in told
