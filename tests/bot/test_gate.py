"""May this be sent to this person now? Every combination there is, against the order of D01 written down once more."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.gate import ANSWERS, LOOK_AGAIN, Decision, Facts, Reason, in_company, last_day, may_send
from bot.hours import GROUP_HOURS, LONDON, Hours, hours_for, opening
from bot.turn import CONSENTABLE, ConsentState, Purpose, Use
from tests.builders import NOW, consents

PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
USES: tuple[Use, ...] = get_args(Use)
STATES: tuple[ConsentState, ...] = get_args(ConsentState)
REASONS: tuple[Reason, ...] = get_args(Reason)
PROACTIVE: tuple[Purpose, ...] = ("service", "checkin", "marketing")
NOT_GIVEN = tuple(state for state in STATES if state != "given")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NIGHT = NOW.replace(hour=22)
BEST_BEFORE = (None, NOW + 30 * DAY, NOW, NOW - DAY)
RUNNING, OVER, ENDLESS = (date(2027, 3, 22),), (date(2026, 5, 23),), (None,)
KINDS_OF_CONSENT = (
    consents(),
    consents("withdrawn", "withdrawn", "withdrawn"),
    consents("refused", "refused", "refused"),
    consents(marketing="withdrawn"),
    consents(checkin="paused"),
)

MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 (hypothesis wants them bare)
FACTS = st.builds(
    Facts,
    purpose=st.sampled_from(PURPOSES),
    use=st.sampled_from(USES),
    urgent=st.booleans(),
    now=st.sampled_from([NOW, NIGHT]),
    window_open=st.booleans(),
    wrong_number=st.booleans(),
    on_hold=st.booleans(),
    confirms_opt_out=st.booleans(),
    best_before=st.sampled_from(BEST_BEFORE),
    consent=st.dictionaries(st.sampled_from(CONSENTABLE), st.sampled_from(STATES)),
    course_ends=st.lists(st.sampled_from([*RUNNING, *OVER, None]), max_size=3).map(tuple),
    unreachable=st.booleans(),
    unanswered=st.integers(0, 3),
    sent=st.lists(st.integers(0, 24 * 8).map(lambda hours: NOW - hours * HOUR), max_size=5).map(tuple),
    has_template=st.booleans(),
    template_waits=st.booleans(),
    not_theirs=st.booleans(),
    reach_free_at=st.sampled_from([None, NOW - HOUR, NOW + 13 * HOUR]),
    pair_free_at=st.sampled_from([None, NOW - HOUR, NOW + 13 * HOUR]),
)


def a_fact(purpose: Purpose = "service", **given: object) -> Facts:
    """Something that may be sent: agreed to, in the middle of a course and of the day, to somebody who wrote an hour ago."""
    facts = Facts(purpose, NOW, window_open=True, consent=consents(), course_ends=RUNNING)
    return replace(facts, **given)  # type: ignore[arg-type]


def objections(facts: Facts) -> set[Reason]:
    """Every reason there is against it, each taken by itself."""
    state = facts.consent.get(facts.purpose) if facts.purpose in PROACTIVE else "given"  # type: ignore[call-overload]
    off, first = ("withdrawn", "paused"), facts.purpose in PROACTIVE
    stopped = state in off and facts.purpose != "marketing"
    capped = first and not facts.urgent and facts.use != "lesson_reminder"
    hour, today = facts.now.astimezone(LONDON).hour, facts.now.astimezone(LONDON).date()
    opens, closes = (9, 18) if facts.purpose == "marketing" else (8, 20)
    days = [at.astimezone(LONDON).date() for at in facts.sent]
    ends = [one for one in facts.course_ends if one is not None]
    endless = None in facts.course_ends and facts.purpose == "service"
    against: dict[Reason, bool] = {
        "WRONG_NUMBER": facts.not_theirs or (facts.wrong_number and first),
        "SAFEGUARDING_HOLD": facts.on_hold and facts.purpose not in ("safety", "staff") and not facts.confirms_opt_out,
        "OPTED_OUT": state != "given" and (stopped or facts.consent.get("service") in off),
        "NO_CONSENT": state != "given" and facts.purpose != "marketing",
        "MARKETING_NOT_CONSENTED": state != "given" and facts.purpose == "marketing",
        "PAST_6_MONTHS": first and not endless and all(last_day(end) < today for end in ends),
        "BLOCKED_BY_USER": first and facts.unreachable,
        "NO_RESPONSE": facts.purpose == "checkin" and facts.unanswered >= 2,
        "STALE": facts.best_before is not None and facts.best_before <= facts.now,
        "QUIET_HOURS": (first or facts.purpose == "staff") and not facts.urgent and not opens <= hour < closes,
        "FREQUENCY_CAP": capped and (today in days or sum(day > today - 7 * DAY for day in days) >= 3),
        "WINDOW_CLOSED_NO_TEMPLATE": not facts.window_open and not facts.has_template,
        "REACH_LIMIT": first and not facts.window_open and (facts.reach_free_at or NOW) > facts.now,
        "PAIR_LIMIT": facts.purpose != "safety" and (facts.pair_free_at or NOW) > facts.now,
    }
    return {reason for reason, objects in against.items() if objects}


def every_combination() -> list[Facts]:
    """Consent in all its states with what weighs more; then everything else with consent of each kind."""
    switches = product(PURPOSES, (True, False), (True, False), (True, False), (True, False), BEST_BEFORE[1:3])
    weighty = [
        a_fact(purpose, window_open=w, wrong_number=n, on_hold=h, confirms_opt_out=c, best_before=best, consent=agreed)
        for purpose, w, n, h, c, best in switches
        for agreed in (consents(*states) for states in product(STATES, repeat=3))
    ]
    names = ("urgent", "window_open", "wrong_number", "on_hold", "unreachable", "has_template")
    return weighty + [
        a_fact(purpose, **dict(zip(names, given, strict=True)), consent=agreed, course_ends=ends, now=now, sent=sent)
        for purpose, given in product(PURPOSES, product((True, False), repeat=len(names)))
        for agreed, ends, now, sent in product(KINDS_OF_CONSENT, (RUNNING, OVER), (NOW, NIGHT), ((), (NOW - HOUR,)))
    ]


def test_of_every_combination_the_weightiest_reason_is_recorded() -> None:
    for facts in every_combination():
        against = objections(facts)
        assert may_send(facts).reason == min(against, key=REASONS.index, default=None), facts


@settings(max_examples=1000)
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
    assert may_send(a_fact(purpose, consent={})) == Decision(reason)


@pytest.mark.parametrize("purpose", PROACTIVE)
@pytest.mark.parametrize("state", NOT_GIVEN)
def test_to_who_stopped_everything_opted_out_is_the_reason_whatever_else_is_missing(
    purpose: Purpose, state: ConsentState
) -> None:
    given = consents("withdrawn", state, state)
    assert may_send(a_fact(purpose, consent=given)).reason == "OPTED_OUT"


def test_who_stopped_jobs_alone_still_gets_reminders() -> None:
    given = consents(marketing="withdrawn")
    assert may_send(a_fact(consent=given)).allowed
    assert may_send(a_fact("marketing", consent=given)) == Decision("MARKETING_NOT_CONSENTED")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_outside_the_window_no_free_text_goes_to_anybody(purpose: Purpose) -> None:
    assert may_send(a_fact(purpose, window_open=False, has_template=True)).allowed
    assert may_send(a_fact(purpose, window_open=False)) == Decision("WINDOW_CLOSED_NO_TEMPLATE")


@pytest.mark.parametrize(("best_before", "allowed"), [(None, True), (BEST_BEFORE[1], True), (NOW, False)])
def test_an_answer_that_comes_too_late_is_not_given(best_before: None, allowed: bool) -> None:
    assert may_send(Facts("reply", NOW, window_open=True, best_before=best_before)).allowed == allowed


@given(FACTS)
def test_what_is_held_back_is_held_for_a_time_that_is_to_come_and_never_past_its_best(facts: Facts) -> None:
    decision = may_send(facts)
    always = ("QUIET_HOURS", "FREQUENCY_CAP", "REACH_LIMIT", "PAIR_LIMIT")
    sometimes = ("OPTED_OUT", "WINDOW_CLOSED_NO_TEMPLATE")  # while paused; while a template is under review
    assert decision.reason not in always or decision.until is not None
    assert decision.until is None or decision.reason in (*always, *sometimes)
    if decision.until is not None:
        assert facts.now < decision.until < (facts.best_before or decision.until + HOUR)


@given(FACTS)
def test_urgent_passes_hours_and_caps_and_nothing_else(facts: Facts) -> None:
    calm, urgent = objections(replace(facts, urgent=False)), objections(replace(facts, urgent=True))
    assert calm - urgent <= {"QUIET_HOURS", "FREQUENCY_CAP"}
    assert may_send(replace(facts, urgent=True)).allowed == (not urgent)


@given(FACTS, st.dates(date(2026, 1, 1), date(2027, 12, 31)), MOMENTS)
def test_nothing_is_written_first_after_six_months_whatever_else_holds(facts: Facts, end: date, now: datetime) -> None:
    sent = may_send(replace(facts, course_ends=(end,), now=now)).allowed
    if sent and facts.purpose in PROACTIVE:
        assert now.astimezone(LONDON).date() <= last_day(end)


@pytest.mark.parametrize(
    ("end", "last"),
    [
        (date(2026, 1, 31), date(2026, 7, 31)),
        (date(2026, 8, 31), date(2027, 2, 28)),
        (date(2027, 8, 30), date(2028, 2, 29)),
        (date(2027, 8, 31), date(2028, 2, 29)),
        (date(2026, 6, 30), date(2026, 12, 30)),
        (date(2026, 12, 1), date(2027, 6, 1)),
    ],
)
def test_six_calendar_months_end_with_their_month(end: date, last: date) -> None:
    assert last_day(end) == last


def test_the_last_minute_of_the_last_day_in_london_is_inside_and_the_next_is_not() -> None:
    inside = datetime.combine(date(2026, 7, 31), time(23, 59), LONDON).astimezone(UTC)
    facts = a_fact("checkin", course_ends=(date(2026, 1, 31),), urgent=True, now=inside)
    assert may_send(facts).allowed
    assert may_send(replace(facts, now=inside + timedelta(minutes=1))) == Decision("PAST_6_MONTHS")


def test_of_several_courses_the_one_that_ends_last_counts() -> None:
    assert in_company("checkin", (*OVER, *RUNNING), NOW.date())
    assert not in_company("service", OVER, NOW.date())
    assert not in_company("service", (), NOW.date())


@pytest.mark.parametrize(("purpose", "allowed"), [("service", True), ("marketing", False), ("checkin", False)])
def test_a_course_without_an_end_has_no_time_after_it(purpose: Purpose, allowed: bool) -> None:
    assert may_send(a_fact(purpose, course_ends=ENDLESS)).allowed == allowed


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (datetime(2026, 11, 24, 21, 30, tzinfo=UTC), datetime(2026, 11, 25, 8, tzinfo=UTC)),
        (datetime(2026, 11, 25, 7, 59, tzinfo=UTC), datetime(2026, 11, 25, 8, tzinfo=UTC)),
        (datetime(2026, 6, 1, 19, 0, tzinfo=UTC), datetime(2026, 6, 2, 7, tzinfo=UTC)),  # 20:00 in London's summer
        (datetime(2027, 3, 27, 23, 0, tzinfo=UTC), datetime(2027, 3, 28, 7, tzinfo=UTC)),  # the clocks go forward overnight
        (datetime(2026, 10, 24, 23, 0, tzinfo=UTC), datetime(2026, 10, 25, 8, tzinfo=UTC)),  # and back
    ],
)
def test_at_night_a_reminder_waits_for_the_morning_by_londons_clock(now: datetime, until: datetime) -> None:
    assert may_send(a_fact(use="lesson_reminder", now=now, course_ends=ENDLESS)) == Decision("QUIET_HOURS", until)


def test_what_would_be_old_by_the_morning_is_dropped_at_once() -> None:
    assert may_send(a_fact(now=NIGHT, best_before=NIGHT + 2 * HOUR)) == Decision("STALE")


@pytest.mark.parametrize("purpose", ["reply", "safety"])
def test_an_answer_waits_for_no_morning(purpose: Purpose) -> None:
    assert may_send(a_fact(purpose, now=NIGHT)).allowed


def test_opportunities_keep_office_hours_and_weekdays() -> None:
    friday_evening = datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
    monday = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
    assert may_send(a_fact("marketing", now=friday_evening)) == Decision("QUIET_HOURS", monday)
    assert may_send(a_fact("marketing", now=monday)).allowed
    assert may_send(a_fact(now=friday_evening)).allowed


def test_one_a_day_is_enough_and_the_next_waits_for_the_next_opening() -> None:
    assert may_send(a_fact(sent=(NOW - HOUR,))) == Decision("FREQUENCY_CAP", datetime(2026, 11, 25, 8, tzinfo=UTC))
    assert may_send(a_fact(sent=(NOW - 11 * HOUR,))).allowed  # that was yesterday in London


def test_three_in_seven_days_are_enough_whatever_the_days() -> None:
    sent = (NOW - 6 * DAY, NOW - 4 * DAY, NOW - 2 * DAY)
    assert may_send(a_fact(sent=sent)) == Decision("FREQUENCY_CAP", datetime(2026, 11, 25, 8, tzinfo=UTC))
    assert may_send(a_fact(sent=(NOW - 7 * DAY, *sent[1:]))).allowed
    assert may_send(a_fact(sent=sent, use="lesson_reminder")).allowed


def test_two_check_ins_without_an_answer_are_the_last() -> None:
    assert may_send(a_fact("checkin", unanswered=1)).allowed
    assert may_send(a_fact("checkin", unanswered=2)) == Decision("NO_RESPONSE")
    assert may_send(a_fact("service", unanswered=2)).allowed


@given(MOMENTS, st.sampled_from([GROUP_HOURS, Hours(time(0, 30), time(1, 30)), hours_for("marketing", GROUP_HOURS)]))
def test_an_opening_is_the_first_open_moment_from_then_on(at: datetime, hours: Hours) -> None:
    opens = opening(hours, at)
    assert at <= opens <= at + 4 * DAY
    assert opening(hours, opens) == opens
    assert opens == at or opening(hours, opens - timedelta(seconds=1)) == opens


def test_hours_that_never_meet_leave_opportunities_the_groups_own_on_weekdays() -> None:
    assert hours_for("marketing", Hours(time(18), time(20))) == Hours(time(18), time(20), weekdays_only=True)


@pytest.mark.parametrize("purpose", PROACTIVE)
def test_who_was_only_paused_is_looked_at_again_and_who_stopped_is_not(purpose: Purpose) -> None:
    paused = a_fact(purpose, consent=consents("paused", "paused", "paused"))
    assert may_send(paused) == Decision("OPTED_OUT", NOW + LOOK_AGAIN)
    assert may_send(replace(paused, best_before=NOW + LOOK_AGAIN)) == Decision("OPTED_OUT")
    assert may_send(a_fact(purpose, consent=consents("withdrawn", "withdrawn", "withdrawn"))) == Decision("OPTED_OUT")


@pytest.mark.parametrize("purpose", PROACTIVE)
def test_a_template_under_review_is_waited_for_and_none_at_all_is_not(purpose: Purpose) -> None:
    shut = a_fact(purpose, window_open=False)
    assert may_send(replace(shut, template_waits=True)) == Decision("WINDOW_CLOSED_NO_TEMPLATE", NOW + LOOK_AGAIN)
    assert may_send(shut) == Decision("WINDOW_CLOSED_NO_TEMPLATE")
    assert may_send(a_fact("staff", window_open=False, template_waits=True)) == Decision("WINDOW_CLOSED_NO_TEMPLATE")


@pytest.mark.parametrize("purpose", PURPOSES)
def test_nothing_goes_to_a_number_that_became_somebody_elses(purpose: Purpose) -> None:
    assert may_send(a_fact(purpose, not_theirs=True)) == Decision("WRONG_NUMBER")
