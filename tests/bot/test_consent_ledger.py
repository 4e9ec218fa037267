"""What a person agrees to now, read from everything they ever said: by when it took effect, not by when it was written."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.consent import STATES, Action, Event, Standing, restorable, standing, undoable
from bot.turn import CONSENTABLE, Consentable, ConsentState
from tests.builders import NOW

ALL = CONSENTABLE
DAY = timedelta(days=1)
ACTIONS: tuple[Action, ...] = get_args(Action)
MOMENTS = st.integers(0, 5).map(lambda days: NOW + days * DAY)
LEDGERS = st.lists(st.tuples(st.sampled_from(ALL), st.sampled_from(ACTIONS), MOMENTS), max_size=12)


def ledger(*lines: tuple[str, Action, int]) -> list[Event]:
    """Events by purpose, action and day, recorded in the order given."""
    return [Event(purpose, action, NOW + day * DAY, order) for order, (purpose, action, day) in enumerate(lines)]


def everything(action: Action, day: int) -> list[tuple[str, Action, int]]:
    return [(purpose, action, day) for purpose in ALL]


def states(events: list[Event]) -> dict[Consentable, ConsentState]:
    return {purpose: one.state for purpose, one in standing(events).items()}


def after_start(events: list[Event], purposes: tuple[Consentable, ...] = ("service", "checkin")) -> list[Event]:
    """The ledger once START gave back what it may: any pause ends, and then what was given before comes back."""
    resumed = after_no(events)
    back = restorable(standing(resumed), purposes)
    later = max(event.at for event in resumed) + DAY
    return resumed + [Event(purpose, "give", later, len(resumed) + place) for place, purpose in enumerate(back)]


def after_no(events: list[Event]) -> list[Event]:
    """The ledger once a NO to our question ended the pause."""
    later = max(event.at for event in events) + DAY
    return events + [Event(purpose, "resume", later, len(events) + place) for place, purpose in enumerate(ALL)]


def test_who_never_said_anything_was_never_asked() -> None:
    assert standing([]) == dict.fromkeys(ALL, Standing("never_asked"))


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("purpose", ALL)
def test_one_word_changes_its_own_purpose_and_no_other(action: Action, purpose: Consentable) -> None:
    rest = dict.fromkeys(ALL, "never_asked")
    assert states(ledger((purpose, action, 0))) == rest | {purpose: STATES.get(action, "never_asked")}
    assert states(ledger(*everything("give", 0), (purpose, action, 1))) == dict.fromkeys(ALL, "given") | {
        purpose: STATES.get(action, "given")
    }


def test_since_is_when_the_last_word_took_effect() -> None:
    now = standing(ledger(("service", "give", 0), ("service", "withdraw", 3)))["service"]
    assert (now.state, now.since, now.before) == ("withdrawn", NOW + 3 * DAY, "given")


def test_start_restores_lessons_and_checkins_as_they_stood_and_marketing_not() -> None:
    events = ledger(*everything("give", 0), *everything("withdraw", 1))
    assert states(after_start(events)) == {"service": "given", "checkin": "given", "marketing": "withdrawn"}


def test_start_gives_nothing_that_was_never_given() -> None:
    events = ledger(("service", "give", 0), ("checkin", "refuse", 0), *everything("withdraw", 1))
    after = states(after_start(events))
    assert after == {"service": "given", "checkin": "withdrawn", "marketing": "withdrawn"}


def test_a_second_stop_does_not_forget_how_things_stood() -> None:
    events = ledger(*everything("give", 0), *everything("withdraw", 1), *everything("withdraw", 2))
    assert states(after_start(events))["service"] == "given"


def test_start_after_start_restores_once_more() -> None:
    once = after_start(ledger(*everything("give", 0), *everything("withdraw", 1)))
    again = [*once, *(Event(purpose, "withdraw", NOW + 9 * DAY, 99) for purpose in ALL)]
    assert states(after_start(again))["service"] == "given"


@pytest.mark.parametrize(
    ("lines", "back"),
    [
        ([("checkin", "withdraw", 1), *everything("withdraw", 2)], ("service", "marketing")),
        ([*everything("withdraw", 1), ("checkin", "withdraw", 2)], ("service", "marketing")),
        ([*everything("pause", 1), ("checkin", "withdraw", 2)], ("service", "marketing")),
        ([*everything("withdraw", 1), *everything("withdraw", 2)], ALL),
        ([*everything("withdraw", 1), ("service", "give", 2), *everything("withdraw", 3)], ("service",)),
        ([("service", "withdraw", 1), *everything("withdraw", 2)], ALL),
        ([("checkin", "withdraw", 1)], ()),
    ],
)
def test_start_undoes_what_went_with_the_lessons_and_nothing_stopped_by_name(
    lines: list[tuple[str, Action, int]], back: tuple[Consentable, ...]
) -> None:
    assert restorable(standing(ledger(*everything("give", 0), *lines)), ALL) == back


def test_what_was_stopped_by_name_in_another_message_of_that_moment_stays_off() -> None:
    said = [("checkin", 7), ("service", 8), ("checkin", 8), ("marketing", 8)]
    stops = [Event(purpose, "withdraw", NOW + DAY, 10 + place, message) for place, (purpose, message) in enumerate(said)]
    assert restorable(standing([*ledger(*everything("give", 0)), *stops]), ALL) == ("service", "marketing")


def test_a_stop_of_what_was_never_given_is_undone_with_the_rest_and_not_by_itself() -> None:
    together = standing(ledger(("service", "give", 0), *everything("withdraw", 1)))
    assert undoable(together, ALL) == ("checkin", "marketing")
    apart = standing(ledger(("service", "give", 0), ("checkin", "withdraw", 1), *everything("withdraw", 2)))
    assert undoable(apart, ALL) == ("marketing",)


@given(LEDGERS)
def test_nothing_is_both_given_back_and_undone_and_both_are_off(
    lines: list[tuple[Consentable, Action, datetime]],
) -> None:
    now = standing(Event(purpose, action, at, order) for order, (purpose, action, at) in enumerate(lines))
    back, undone = restorable(now, ALL), undoable(now, ALL)
    assert not set(back) & set(undone)
    assert all(now[purpose].state in ("withdrawn", "paused") for purpose in (*back, *undone))


def test_a_later_declaration_reopens() -> None:
    assert states(ledger(("service", "withdraw", 1), ("service", "give", 2)))["service"] == "given"


def test_an_older_declaration_that_is_recorded_later_reopens_nothing() -> None:
    assert states(ledger(("service", "withdraw", 2), ("service", "give", 1)))["service"] == "withdrawn"


def test_an_older_declaration_is_what_start_gives_back() -> None:
    events = ledger(("service", "withdraw", 2), ("service", "give", 1))
    assert restorable(standing(events), ALL) == ("service",)


def test_at_the_same_moment_what_was_recorded_last_counts() -> None:
    assert states(ledger(("service", "give", 1), ("service", "withdraw", 1)))["service"] == "withdrawn"
    assert states(ledger(("service", "withdraw", 1), ("service", "give", 1)))["service"] == "given"


def test_no_to_our_question_gives_back_what_the_pause_took() -> None:
    events = ledger(("service", "give", 0), ("checkin", "refuse", 0), ("marketing", "give", 0), *everything("pause", 1))
    assert states(events) == dict.fromkeys(ALL, "paused")
    assert states(after_no(events)) == {"service": "given", "checkin": "refused", "marketing": "given"}


def test_no_to_our_question_does_not_make_of_a_refusal_or_of_silence_anything_else() -> None:
    events = ledger(("service", "refuse", 0), ("marketing", "give", 0), *everything("pause", 1), *everything("pause", 2))
    assert states(after_no(events)) == {"service": "refused", "checkin": "never_asked", "marketing": "given"}
    assert restorable(standing(after_no(events)), ALL) == ()


def test_after_a_pause_that_ended_a_stop_knows_how_things_stood() -> None:
    events = after_no(ledger(("service", "give", 0), ("checkin", "refuse", 0), *everything("pause", 1)))
    again = [*events, *(Event(purpose, "withdraw", NOW + 9 * DAY, 99) for purpose in ALL)]
    assert restorable(standing(again), ALL) == ("service",)


def test_yes_to_our_question_stops_for_good_and_start_still_knows_how_it_was() -> None:
    events = ledger(*everything("give", 0), *everything("pause", 1), *everything("withdraw", 2))
    assert states(events) == dict.fromkeys(ALL, "withdrawn")
    assert restorable(standing(events), ALL) == ALL


def test_no_to_our_question_does_not_give_back_what_had_been_stopped_before() -> None:
    events = ledger(*everything("give", 0), ("marketing", "withdraw", 1), *everything("pause", 2))
    assert states(events) == {"service": "paused", "checkin": "paused", "marketing": "withdrawn"}
    assert states(after_no(events)) == {"service": "given", "checkin": "given", "marketing": "withdrawn"}


def test_the_end_of_a_pause_that_never_began_changes_nothing() -> None:
    events = ledger(("service", "withdraw", 0), ("checkin", "refuse", 0), *everything("resume", 1))
    assert states(events) == {"service": "withdrawn", "checkin": "refused", "marketing": "never_asked"}
    assert standing(events)["service"].since == NOW


def test_start_ends_a_pause_and_a_stop_alike() -> None:
    events = ledger(*everything("give", 0), ("checkin", "pause", 1), ("service", "withdraw", 2))
    assert states(after_start(events)) == dict.fromkeys(ALL, "given")


def test_a_pause_on_top_of_a_stop_leaves_it_a_stop() -> None:
    events = ledger(*everything("give", 0), *everything("withdraw", 1), *everything("pause", 2))
    assert states(events) == dict.fromkeys(ALL, "withdrawn")
    assert standing(events)["service"].since == NOW + DAY


def test_a_refusal_is_not_undone_by_start() -> None:
    events = ledger(("service", "give", 0), ("service", "refuse", 1))
    assert restorable(standing(events), ALL) == ()


def test_a_purpose_we_do_not_know_changes_nothing() -> None:
    assert states(ledger(("newsletter", "give", 0))) == dict.fromkeys(ALL, "never_asked")


@given(LEDGERS, st.randoms(use_true_random=False))
def test_the_order_of_reading_does_not_matter(lines: list[tuple[Consentable, Action, datetime]], random: object) -> None:
    events = [Event(purpose, action, at, order) for order, (purpose, action, at) in enumerate(lines)]
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert standing(shuffled) == standing(events)


@given(LEDGERS)
def test_the_order_of_recording_does_not_matter_where_no_two_took_effect_at_once(
    lines: list[tuple[Consentable, Action, datetime]],
) -> None:
    apart = [(purpose, action, at + timedelta(minutes=place)) for place, (purpose, action, at) in enumerate(lines)]
    recorded = [Event(*line, order) for order, line in enumerate(apart)]
    backwards = [Event(*line, -order) for order, line in enumerate(apart)]
    assert standing(backwards) == standing(recorded)


@given(LEDGERS)
def test_nothing_is_ever_given_back_that_was_not_given_once(lines: list[tuple[Consentable, Action, datetime]]) -> None:
    events = [Event(purpose, action, at, order) for order, (purpose, action, at) in enumerate(lines)]
    given_once = {event.purpose for event in events if event.action == "give"}
    assert set(restorable(standing(events), ALL)) <= given_once


@given(LEDGERS)
def test_a_pause_and_its_end_leave_everything_as_it_stood(lines: list[tuple[Consentable, Action, datetime]]) -> None:
    said = [Event(purpose, action, at, order) for order, (purpose, action, at) in enumerate(lines) if action != "pause"]
    paused = [Event(purpose, "pause", NOW + 6 * DAY, 90 + place) for place, purpose in enumerate(ALL)]
    assert states(after_no(said + paused)) == states(said)
