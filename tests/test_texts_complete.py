"""Every text that is named exists, reads easily, and is exact where it must be."""

from __future__ import annotations

import ast
import re
import string
from datetime import UTC, datetime
from pathlib import Path

import pytest

from actions.fallback import NEVER_OFFERED
from bot.texts import load_texts, placeholders
from tests.test_intents_have_homes import INTENTS

ROOT = Path(__file__).resolve().parent.parent
TEXTS = load_texts()
ENGLISH = TEXTS.by_language["en"]
EVERY = [(language, key) for language, texts in TEXTS.by_language.items() for key in texts]
FOR_STAFF = ("alerts.", "labels.")
NUMBERS = {"01254 693 999", "999", "111", "159", "116 123", "85258", "0808 2000 247", "0300 123 2040"}
EMAIL = "training@enterprise4all.co.uk"
TRANSLATED = ("pl", "ur", "pa", "ro", "gu")
BY_HAND = [  # D17: these replies exist in the largest languages of Lancashire
    "consent.opted_out",
    "consent.still_opted_out",
    "consent.pause_question",
    "consent.started",
    "safety.told",
    "safety.not_told",
    "safety.call_999_now",
    "safety.neutral",
    "reports.suspicious",
    "smalltalk.menu",
    "fallback.not_understood",
]
CLAIM_NOTHING = ["safety.on_hold_not_told", "safety.neutral", "safety.call_999_now", "safety.domestic"]
LONGEST_OF_TWILIO = 1600
BOTH_CONTACTS = [  # P46
    "consent.opted_out",
    "consent.number_office",
    "consent.number_unknown",
    "consent.start_not_on_list",
    "faq.contact",
    "faq.leave_group_stranger",
    "faq.opt_out_how",
    "faq.report_concern",
    "fallback.nlu_away",
    "fallback.not_understood_again",
    "groups.course_over",
    "groups.no_link",
    "groups.not_a_learner",
    "office.apology",
    "office.not_on_list",
    "office.passed_on",
    "reports.suspicious",
    "reports.suspicious_ours",
    "smalltalk.menu",
    "smalltalk.menu_stranger",
    "smalltalk.out_of_scope",
]


def named_in_code() -> tuple[set[str], list[re.Pattern[str]]]:
    """Keys written out in the code, and patterns for those put together from a family's name and parts."""
    families = tuple(f"{key.partition('.')[0]}." for key in ENGLISH)
    whole: set[str] = set()
    parts: list[re.Pattern[str]] = []
    for path in [*(ROOT / "actions").glob("*.py"), *(ROOT / "bot").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                whole.add(node.value)
            if isinstance(node, ast.JoinedStr):
                shown = [str(v.value) if isinstance(v, ast.Constant) else "*" for v in node.values]
                if shown[0].startswith(families):
                    parts.append(re.compile("".join(shown).replace(".", r"\.").replace("*", r"\w*")))
    return whole, parts


def sentences(text: str) -> list[str]:
    """The sentences of a text; an address or a number counts as one word."""
    plain = re.sub(r"[\w.]+@[\w.]+\w|reportfraud\.police\.uk|\d[\d ]*\d", "X", text)
    return [one for one in re.split(r"[.!?:]\s|\n|[.!?:]$", plain) if one.strip()]


@pytest.mark.parametrize(("language", "key"), EVERY)
def test_every_text_can_be_shown(language: str, key: str) -> None:
    at = datetime(2027, 1, 12, 10, 0, tzinfo=UTC)
    values = dict.fromkeys(placeholders(TEXTS.by_language[language][key]), "opt_out") | {"starts_at": at}
    shown = TEXTS.render(language, key, values)
    assert shown
    assert "{" not in shown


def test_every_key_that_actions_name_is_a_text() -> None:
    families = "|".join(sorted({key.split(".")[0] for key in ENGLISH}))
    named = {one for one in named_in_code()[0] if re.fullmatch(rf"({families})\.[a-z0-9_]+", one)}
    assert named - set(ENGLISH) - {"safety.yml"} == set()
    assert "consent.opted_out" in named


def test_no_text_is_left_over() -> None:
    whole, parts = named_in_code()
    unused = {key for key in ENGLISH if key.removesuffix("_stranger") not in whole and not key.startswith("labels.")}
    assert {key for key in unused if not any(part.fullmatch(key) for part in parts)} == set()


def test_every_intent_that_may_be_offered_has_a_label() -> None:
    labelled = {key.removeprefix("labels.") for key in ENGLISH if key.startswith("labels.")}
    assert labelled == set(INTENTS) - NEVER_OFFERED


@pytest.mark.parametrize(("language", "key"), [one for one in EVERY if one[0] != "en"])
def test_a_translation_translates_a_text_with_the_same_values(language: str, key: str) -> None:
    assert placeholders(TEXTS.by_language[language][key]) == placeholders(ENGLISH[key])


def test_what_matters_most_exists_in_every_language_and_awaits_its_reader() -> None:
    missing = {(language, key) for language in TRANSLATED for key in BY_HAND if key not in TEXTS.by_language[language]}
    assert missing == set()
    assert TEXTS.unreviewed == set(TRANSLATED)


@pytest.mark.parametrize(("language", "key"), EVERY)
def test_every_number_and_address_is_exact(language: str, key: str) -> None:
    text = TEXTS.by_language[language][key]
    numbers = {one for one in re.findall(r"\d[\d ().\-]*\d", text) if len(re.sub(r"\D", "", one)) > 2}
    assert numbers <= NUMBERS
    assert set(re.findall(r"[\w.+-]+@[\w-]+(?:\.\w+)*", text)) <= {EMAIL}
    assert "Action Fraud" not in text


@pytest.mark.parametrize(("language", "key"), [one for one in EVERY if one[0] != "en"])
def test_a_translation_names_the_same_numbers_addresses_and_words_to_send(language: str, key: str) -> None:
    def exact(text: str) -> list[str]:
        return sorted(re.findall(r"\d[\d ]*\d|@[\w.]+\w|\b(?:STOP|START|YES|NO|HELP|SHOUT|PIN)\b|^\d ", text, re.MULTILINE))

    assert exact(TEXTS.by_language[language][key]) == exact(ENGLISH[key])


@pytest.mark.parametrize("key", BOTH_CONTACTS)
def test_the_phone_and_the_email_are_both_given_where_the_policy_wants_them(key: str) -> None:
    assert "01254 693 999" in ENGLISH[key]
    assert EMAIL in ENGLISH[key]


@pytest.mark.parametrize("key", [key for key in ENGLISH if not key.startswith(FOR_STAFF)])
def test_a_text_is_easy_to_read(key: str) -> None:
    lengths = [len(one.split()) for one in sentences(ENGLISH[key])]
    assert max(lengths) <= 20
    assert sum(lengths) / len(lengths) <= 12


@pytest.mark.parametrize("key", [key for key in ENGLISH if not key.startswith(FOR_STAFF)])
def test_a_text_is_short(key: str) -> None:
    longest = 430 if key.startswith(("safety.", "reports.", "faq.")) else 300
    assert len(ENGLISH[key]) <= longest
    assert ENGLISH[key].count("\n\n") <= (3 if key.startswith(("reports.", "faq.")) else 2)


def test_do_not_reply_click_or_pay_comes_first() -> None:
    for key in ("reports.suspicious", "reports.suspicious_ours", "reports.verify"):
        assert ENGLISH[key].startswith("Do not reply, click or pay")


def test_our_own_number_is_never_to_be_blocked() -> None:
    for key in ("reports.suspicious_ours", "reports.abuse_ours", "reports.verify_ours", "reports.verify"):
        assert "lock" not in ENGLISH[key]


def test_no_reply_claims_an_alert_that_did_not_go_out() -> None:
    for key in [key for key in ENGLISH if key.startswith("safety.not_told")] + CLAIM_NOTHING:
        assert "passed" not in ENGLISH[key]
        assert "team" not in ENGLISH[key]


@pytest.mark.parametrize("key", ["safety.not_told", "safety.not_told_other", "safety.on_hold", "safety.on_hold_not_told"])
def test_whoever_is_at_risk_can_call_somebody_now(key: str) -> None:
    assert {"999", "116 123"} <= set(re.findall(r"\d[\d ]*\d", ENGLISH[key]))
    assert "01254 693 999" in ENGLISH[key]


@pytest.mark.parametrize("told", ["safety.told", "safety.told_other", "safety.not_told", "safety.not_told_other"])
def test_the_reply_to_someone_at_risk_is_one_message_with_all_that_belongs_to_it(told: str) -> None:
    for language in TEXTS.by_language:
        whole = [TEXTS.render(language, key) for key in (told, "safety.domestic", "safety.secrecy")]
        assert len("\n\n".join(whole)) <= LONGEST_OF_TWILIO


def test_a_file_that_nobody_looked_at_is_not_said_to_have_been_looked_at() -> None:
    assert "can't look at files" in ENGLISH["media.file"]
    assert "I have it" not in ENGLISH["media.file"]


def test_a_stranger_is_offered_nothing_that_needs_a_list() -> None:
    assert not [word for word in ("YES", "Reply") if word in ENGLISH["faq.leave_group_stranger"]]


def test_the_neutral_line_holds_no_number_and_says_nothing() -> None:
    for language in TEXTS.by_language:
        assert not set(TEXTS.render(language, "safety.neutral")) & set(string.digits)


def test_alerts_hold_no_words_of_the_person() -> None:
    wanted = {name for key, text in ENGLISH.items() if key.startswith("alerts.") for name in placeholders(text)}
    assert wanted == {"case", "flags", "kind"}
    assert not placeholders(ENGLISH["alerts.safeguarding_subject"])
