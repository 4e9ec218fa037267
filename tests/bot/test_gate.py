"""May this be sent to this person now? Every combination there is, against the order of D01 written down once more."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.gate import ANSWERS, Decision, Facts, Reason, may_send
from bot.turn import CONSENTABLE, ConsentState, Purpose
from tests.builders import NOW, consents

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
STATES: tuple[ConsentState, ...] = get_args(ConsentState)
REASONS: tuple[Reason, ...] = get_args(Reason)
PROACTIVE: tuple[Purpose, ...] = ("service", "checkin", "marketing")
NOT_GIVEN = tuple(state for state in STATES if state != "given")
BEST_BEFORE = (None, NOW + timedelta(seconds=1), NOW, NOW - timedelta(days=1))

FACTS = st.builds(
    Facts,
    purpose=st.sampled_from(PURPOSES),
    now=st.just(NOW),
    window_open=st.booleans(),
    wrong_number=st.booleans(),
    on_hold=st.booleans(),
    confirms_opt_out=st.booleans(),
    best_before=st.sampled_from(BEST_BEFORE),
    consent=st.dictionaries(st.sampled_from(CONSENTABLE), st.sampled_from(STATES)),
)


def objections(facts: Facts) -> set[Reason]:
    """Every reason there is against it, each taken by itself."""
    state = facts.consent.get(facts.purpose) if facts.purpose in PROACTIVE else "given"  # type: ignore[call-overload]
    off = ("withdrawn", "paused")
    stopped = state in off and facts.purpose != "marketing"
    against: dict[Reason, bool] = {
        "WRONG_NUMBER": facts.wrong_number and facts.purpose in PROACTIVE,
        "SAFEGUARDING_HOLD": facts.on_hold and facts.purpose not in ("safety", "staff") and not facts.confirms_opt_out,
        "OPTED_OUT": state != "given" and (stopped or facts.consent.get("service") in off),
        "NO_CONSENT": state != "given" and facts.purpose != "marketing",
        "MARKETING_NOT_CONSENTED": state != "given" and facts.purpose == "marketing",
        "STALE": facts.best_before is not None and facts.best_before <= NOW,
        "WINDOW_CLOSED_NO_TEMPLATE": not facts.window_open,
    }
    return {reason for reason, objects in against.items() if objects}


def every_combination() -> list[Facts]:
    switches = product(PURPOSES, (True, False), (True, False), (True, False), (True, False), BEST_BEFORE[1:3])
    return [
        Facts(purpose, NOW, window, wrong, hold, confirms, best, consents(service, checkin, marketing))
        for purpose, window, wrong, hold, confirms, best in switches
        for service, checkin, marketing in product(STATES, repeat=3)
    ]


def test_of_every_combination_the_weightiest_reason_is_recorded() -> None:
    for facts in every_combination():
        against = objections(facts)
        assert may_send(facts) == Decision(min(against, key=REASONS.index, default=None)), facts


@given(FACTS)
def test_nothing_is_sent_that_a_reason_speaks_against_also_where_consent_is_not_known(facts: Facts) -> None:
    assert may_send(facts).allowed == (not objections(facts))


@given(FACTS)
def test_nothing_is_sent_first_without_a_yes_to_its_purpose(facts: Facts) -> None:
    if may_send(facts).allowed and facts.purpose in PROACTIVE:
        assert facts.consent[facts.purpose] == "given"  # type: ignore[index]


@given(FACTS)
def test_under_a_hold_only_safety_staff_and_the_confirmation_of_an_opting_out_go_out(facts: Facts) -> None:
    if may_send(facts).allowed and facts.on_hold:
        assert facts.purpose in ("safety", "staff") or facts.confirms_opt_out


@pytest.mark.parametrize("purpose", ANSWERS)
@pytest.mark.parametrize("state", STATES)
def test_an_answer_needs_no_consent_and_goes_to_a_disowned_number_too(purpose: Purpose, state: ConsentState) -> None:
    facts = Facts(purpose, NOW, window_open=True, wrong_number=True, consent=consents(state, state, state))
    assert may_send(facts).allowed


@pytest.mark.parametrize("purpose", PROACTIVE)
def test_what_nobody_was_ever_asked_about_is_not_sent(purpose: Purpose) -> None:
    reason = "MARKETING_NOT_CONSENTED" if purpose == "marketing" else "NO_CONSENT"
    assert may_send(Facts(purpose, NOW, window_open=True)) == Decision(reason)


@pytest.mark.parametrize("purpose", PROACTIVE)
@pytest.mark.parametrize("state", NOT_GIVEN)
def test_to_who_stopped_everything_opted_out_is_the_reason_whatever_else_is_missing(
    purpose: Purpose, state: ConsentState
) -> None:
    given = consents("withdrawn", state, state)
    assert may_send(Facts(purpose, NOW, window_open=True, consent=given)) == Decision("OPTED_OUT")


def test_who_stopped_jobs_alone_still_gets_reminders() -> None:
    given = consents(marketing="withdrawn")
    assert may_send(Facts("service", NOW, window_open=True, consent=given)).allowed
    assert may_send(Facts("marketing", NOW, window_open=True, consent=given)) == Decision("MARKETING_NOT_CONSENTED")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_outside_the_window_no_free_text_goes_to_anybody(purpose: Purpose) -> None:
    facts = Facts(purpose, NOW, window_open=False, consent=consents())
    assert may_send(facts) == Decision("WINDOW_CLOSED_NO_TEMPLATE")


@pytest.mark.parametrize(("best_before", "allowed"), [(None, True), (BEST_BEFORE[1], True), (NOW, False)])
def test_an_answer_that_comes_too_late_is_not_given(best_before: None, allowed: bool) -> None:
    assert may_send(Facts("reply", NOW, window_open=True, best_before=best_before)).allowed == allowed
