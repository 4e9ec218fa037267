"""People at risk, abuse, scams, and whether a message is ours."""

from __future__ import annotations

import pytest

from actions import safety
from bot.effects import AlertSafeguarding, Effect, OpenCase, say, say_safety
from tests.builders import a_stranger_turn, a_turn, heard


def disclosure(*flags: str) -> list[Effect]:
    return safety.safeguarding_disclosure(a_turn("help", heard=(heard("safeguarding_disclosure", *flags),)))


def alert(told: str, not_told: str, *flags: str) -> AlertSafeguarding:
    return AlertSafeguarding(frozenset(flags), say_safety(f"safety.{told}"), say_safety(f"safety.{not_told}"))


def test_a_disclosure_alerts_and_answers_with_fixed_words() -> None:
    assert disclosure() == [alert("told", "not_told")]


def test_a_disclosure_heard_by_the_model_alone_is_answered_the_same() -> None:
    assert safety.safeguarding_disclosure(a_turn("i cant go on")) == [alert("told", "not_told")]


def test_a_stranger_at_risk_is_answered_like_anybody() -> None:
    assert safety.safeguarding_disclosure(a_stranger_turn("i cant go on")) == [alert("told", "not_told")]


def test_999_comes_first_and_by_itself_where_danger_is_immediate() -> None:
    assert disclosure("immediate") == [say_safety("safety.call_999_now"), alert("told", "not_told", "immediate")]


def test_domestic_abuse_adds_the_helpline() -> None:
    assert disclosure("domestic") == [alert("told", "not_told", "domestic"), say_safety("safety.domestic")]


def test_no_secret_is_promised() -> None:
    assert disclosure("secrecy") == [alert("told", "not_told", "secrecy"), say_safety("safety.secrecy")]


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
    assert effects == [alert("told", "not_told", "secrecy"), say_safety("safety.secrecy")]


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
    assert safety.on_hold(a_turn("hello", on_hold=True)) == [say_safety("safety.on_hold")]
    assert safety.on_hold(a_turn("hello", on_hold=True, watched=True)) == [say_safety("safety.neutral")]


def test_our_number_beside_another_is_no_reason_to_trust_the_other() -> None:
    turn = a_turn("07700 900123 says its you, but you are 01254 693 999 right")
    assert safety.verify_message(turn) == [OpenCase("verify_message"), say("reports.verify")]
