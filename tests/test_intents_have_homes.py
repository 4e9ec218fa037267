"""Each of the 56 intents has a handler, examples to learn from, and a test, all under its family's name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from actions import HANDLERS

ROOT = Path(__file__).resolve().parent.parent
FAMILIES: dict[str, str] = {
    "consent": "opt_out opt_out_marketing opt_in reminder_preferences wrong_number change_number",
    "safety": "safeguarding_disclosure report_abuse report_suspicious verify_message",
    "learning": "submit_work ask_trainer course_info report_absence technical_issue checkin_positive checkin_negative "
    "ask_opportunities",
    "groups": "request_group_link group_removal",
    "office": "ask_admin request_human complaint",
    "rights": "data_access_request data_erasure_request data_correction accessibility_request",
    "smalltalk": "greet thanks goodbye affirm deny help bot_challenge out_of_scope",
    "faq": "faq_purpose faq_scope faq_voluntary faq_broadcast faq_opt_out_how faq_consent faq_six_months "
    "faq_code_of_conduct faq_group_hours faq_posting_rules faq_contact_trainer faq_privacy faq_monitoring "
    "faq_sharing_content faq_official_number faq_report_concern faq_leave_group faq_breach faq_contact faq_admin_role "
    "faq_submit_work",
}
FAMILY_OF = {intent: family for family, intents in FAMILIES.items() for intent in intents.split()}
INTENTS = tuple(FAMILY_OF)
OWN_MODULES = {"ask_opportunities": "opportunities", "reminder_preferences": "reminders"}
HOMES = FAMILY_OF | OWN_MODULES
NO_INTENT = {
    "on_hold",
    "opt_out_unsure",
    "opt_out_no",
    "opt_out_checkin",
    "opt_in_service",
    "opt_in_checkin",
    "opt_in_not_checkin",
    "opt_in_marketing",
    "opt_in_after_leaving",
    "stay_out",
    "change_number_yes",
    "invitation_declined",
    "choose_interests",
    "reminders_day",
    "reminders_both",
    "reminders_hour",
    "reminders_quiet_week",
    "reminders_none",
    "what_will_you_send",
    "checkin_well",
    "checkin_ok",
    "checkin_struggling",
    "checkin_call",
    "checkin_here",
    "not_understood",
    "unsure",
    "nlu_away",
    "only_details",
    "media_picture",
    "media_document",
    "media_video",
    "media_voice",
    "media_sticker",
    "media_location",
    "media_contact",
    "media_unsupported",
    "media_empty",
    "order_asked",
    "order_1",
    "order_2",
    "order_3",
    "order_yes",
    "order_no",
}


def examples_of(family: str) -> dict[str, list[str]]:
    content = yaml.safe_load((ROOT / "data" / "nlu" / f"{family}.yml").read_text(encoding="utf-8"))
    blocks = [block for block in content["nlu"] if "intent" in block]
    return {block["intent"]: block["examples"].strip().split("\n") for block in blocks}


def test_there_are_56_intents_and_every_handler_is_known() -> None:
    assert len(INTENTS) == 56
    assert set(HANDLERS) == set(INTENTS) | NO_INTENT


@pytest.mark.parametrize("intent", INTENTS)
def test_an_intents_handler_lives_in_its_family_under_its_name(intent: str) -> None:
    handler = HANDLERS[intent]
    assert (handler.__module__, handler.__name__) == (f"actions.{HOMES[intent]}", intent.removeprefix("faq_"))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_familys_training_data_holds_its_intents_and_no_others(family: str) -> None:
    assert {intent for intent in examples_of(family) if intent != "nlu_fallback"} == set(FAMILIES[family].split())


@pytest.mark.parametrize("family", FAMILIES)
def test_every_intent_has_examples_to_learn_from(family: str) -> None:
    assert {intent for intent, examples in examples_of(family).items() if len(examples) < 10} == set()


@pytest.mark.parametrize("intent", INTENTS)
def test_every_intents_handler_is_tested(intent: str) -> None:
    family = HOMES[intent]
    tests = (ROOT / "tests" / "actions" / f"test_{family}.py").read_text(encoding="utf-8")
    assert f"{family}.{intent.removeprefix('faq_')}(" in tests or f'"{intent}"' in tests
