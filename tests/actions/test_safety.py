"""People at risk, abuse, scams, and whether a message is ours."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actions import safety
from bot.effects import AlertSafeguarding, Effect, OpenCase, say, say_safety
from tests.builders import a_parse, a_stranger_turn, a_turn, heard


def disclosure(*flags: str) -> list[Effect]:
    return safety.safeguarding_disclosure(a_turn("help", heard=(heard("safeguarding_disclosure", *flags),)))


def alert(told: str, not_told: str, *flags: str, after: tuple[str, ...] = ()) -> AlertSafeguarding:
    """An alert with the reply once somebody was told, the one if nobody could be, and what both of them end with."""
    end = tuple(say_safety(f"safety.{one}") for one in after)
    return AlertSafeguarding(
        frozenset(flags), True, (say_safety(f"safety.{told}"), *end), (say_safety(f"safety.{not_told}"), *end)
    )


def test_a_disclosure_alerts_and_answers_with_fixed_words() -> None:
    assert disclosure() == [alert("told", "not_told")]


def test_a_disclosure_heard_by_the_model_alone_is_answered_the_same() -> None:
    likely = a_turn("i cant go on", parse=a_parse("greet", 0.5, ("safeguarding_disclosure", 0.5)))
    assert safety.safeguarding_disclosure(likely) == [alert("told", "not_told")]


def test_what_the_model_only_suspects_is_answered_the_same_and_holds_nothing_back() -> None:
    suspected = a_turn("its all grey", parse=a_parse("greet", 0.51, ("safeguarding_disclosure", 0.49)))
    assert safety.safeguarding_disclosure(suspected) == [replace(alert("told", "not_told"), holds=False)]
    by_rule_too = replace(suspected, heard=(heard("safeguarding_disclosure"),))
    assert safety.safeguarding_disclosure(by_rule_too) == [alert("told", "not_told")]


def test_a_stranger_at_risk_is_answered_like_anybody() -> None:
    stranger = a_stranger_turn("i cant go on", heard=(heard("safeguarding_disclosure"),))
    assert safety.safeguarding_disclosure(stranger) == [alert("told", "not_told")]


def test_999_comes_first_and_by_itself_where_danger_is_immediate() -> None:
    assert disclosure("immediate") == [say_safety("safety.call_999_now"), alert("told", "not_told", "immediate")]


def test_domestic_abuse_adds_the_helpline_to_the_same_message() -> None:
    assert disclosure("domestic") == [alert("told", "not_told", "domestic", after=("domestic",))]


def test_no_secret_is_promised() -> None:
    assert disclosure("secrecy") == [alert("told", "not_told", "secrecy", after=("secrecy",))]


def test_the_helpline_comes_before_the_word_on_secrets_and_both_after_the_rest() -> None:
    both = alert("told_other", "not_told_other", "secrecy", "domestic", "about_other", after=("domestic", "secrecy"))
    assert disclosure("secrecy", "domestic", "about_other") == [both]


@pytest.mark.parametrize("others", [[], ["immediate"], ["domestic", "secrecy"], ["about_staff", "about_other"]])
def test_a_watched_phone_gets_one_neutral_line_and_nothing_else(others: list[str]) -> None:
    assert disclosure("watched", *others) == [alert("neutral", "neutral", "watched", *others)]


def test_a_phone_once_watched_is_treated_as_watched_later() -> None:
    turn = a_turn("he hit me", watched=True, heard=(heard("safeguarding_disclosure", "domestic"),))
    assert safety.safeguarding_disclosure(turn) == [alert("neutral", "neutral", "watched", "domestic")]


def test_worry_about_another_person_is_thanked_for() -> None:
    assert disclosure("about_other") == [alert("told_other", "not_told_other", "about_other")]


def test_an_allegation_about_staff_is_said_to_bypass_the_trainer_only_once_an_alert_went_out() -> None:
    assert disclosure("about_staff") == [alert("told_staff", "not_told", "about_staff")]
    both = disclosure("about_staff", "about_other")
    assert both == [alert("told_other_staff", "not_told_other", "about_staff", "about_other")]


def test_flags_of_other_things_heard_are_no_flags_of_the_disclosure() -> None:
    things = (heard("opt_out", "for_other"), heard("safeguarding_disclosure", "secrecy"))
    effects = safety.safeguarding_disclosure(a_turn("help", heard=things))
    assert effects == [alert("told", "not_told", "secrecy", after=("secrecy",))]


def test_a_report_of_abuse_reaches_the_office_and_is_answered_with_block_steps() -> None:
    assert safety.report_abuse(a_turn("a man keeps sending rude notes")) == [OpenCase("report_abuse"), say("reports.abuse")]


def test_a_suspicious_message_is_not_to_be_answered_clicked_or_paid() -> None:
    assert safety.report_suspicious(a_stranger_turn("got a strange link")) == [
        OpenCase("report_suspicious"),
        say("reports.suspicious"),
    ]


@pytest.mark.parametrize("number", ["01254 693 999", "+44 1254 693999", "0044 (0)1254-693-999", "(01254)693999"])
def test_nobody_is_told_to_block_our_own_number(number: str) -> None:
    turn = a_turn(f"{number} sent me something odd")
    assert safety.report_suspicious(turn) == [OpenCase("report_suspicious"), say("reports.suspicious_ours")]
    assert safety.report_abuse(turn) == [OpenCase("report_abuse"), say("reports.abuse_ours")]
    assert safety.verify_message(turn) == [OpenCase("verify_message"), say("reports.verify_ours")]


@pytest.mark.parametrize("number", ["01254 693 998", "01254 693 9990", "07700 900123", "101254693999", "1254 639 999"])
def test_a_number_one_digit_off_is_not_ours(number: str) -> None:
    assert not safety.names_our_number(f"is {number} you")
    assert safety.verify_message(a_turn(f"is {number} you")) == [OpenCase("verify_message"), say("reports.verify")]


def test_a_very_long_message_is_read_without_trouble() -> None:
    assert not safety.names_our_number("0" + " " * 100_000 + "1" + "(" * 100_000)


def test_under_a_hold_the_reply_is_fixed_and_neutral_where_the_phone_is_watched() -> None:
    joins = OpenCase("safeguarding_disclosure", urgent=True)
    assert safety.on_hold(a_turn("hello", on_hold=True, alerted=True)) == [joins, say_safety("safety.on_hold")]
    for alerted in (True, False):
        watched = a_turn("hello", on_hold=True, watched=True, alerted=alerted)
        assert safety.on_hold(watched) == [joins, say_safety("safety.neutral")]


def test_under_a_hold_nobody_is_said_to_know_unless_an_alert_went_out() -> None:
    joins = OpenCase("safeguarding_disclosure", urgent=True)
    assert safety.on_hold(a_turn("hello", on_hold=True)) == [joins, say_safety("safety.on_hold_not_told")]


def test_under_a_hold_what_was_said_a_moment_ago_is_not_said_again_and_staff_still_see_the_message() -> None:
    joins = OpenCase("safeguarding_disclosure", urgent=True)
    assert safety.on_hold(a_turn("hello", on_hold=True, alerted=True, held_lately=True)) == [joins]


def test_our_number_beside_another_is_no_reason_to_trust_the_other() -> None:
    turn = a_turn("07700 900123 says its you, but you are 01254 693 999 right")
    assert safety.verify_message(turn) == [OpenCase("verify_message"), say("reports.verify")]
