"""Twilio's news comes late, twice and out of order: whatever the order, the same state stands at the end."""

from __future__ import annotations

from functools import reduce
from itertools import permutations
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.rest.api.v2010.account.message import MessageInstance

from bot.status import FORWARD, FROM_TWILIO, State, furthest

STATES: tuple[State, ...] = get_args(State)
NEVER_OUT = ("withheld",)
INBOUND_ONLY = {"receiving", "received"}
FORWARDS = st.sampled_from(FORWARD)


def test_every_state_goes_forward_or_never_went_out() -> None:
    assert {*FORWARD, *NEVER_OUT} == set(STATES)


def test_every_word_of_twilios_about_what_we_send_has_a_meaning() -> None:
    words = {value for name, value in vars(MessageInstance.Status).items() if name.isupper()}
    assert words - INBOUND_ONLY == set(FROM_TWILIO)
    assert set(FROM_TWILIO.values()) <= set(FORWARD)


@given(FORWARDS, FORWARDS, FORWARDS)
def test_the_order_in_which_news_comes_does_not_matter(one: str, two: str, three: str) -> None:
    ends = {reduce(furthest, order) for order in permutations([one, two, three])}
    assert len(ends) == 1


@given(FORWARDS, FORWARDS)
def test_news_heard_twice_changes_nothing_the_second_time(old: str, new: str) -> None:
    assert furthest(furthest(old, new), new) == furthest(old, new)
    assert furthest(old, old) == old


@pytest.mark.parametrize(
    ("old", "new", "stands"),
    [
        ("accepted", "sending", "accepted"),
        ("sending", "sent", "sent"),
        ("sent", "failed", "failed"),
        ("failed", "sent", "failed"),
        ("failed", "delivered", "delivered"),
        ("delivered", "failed", "delivered"),
        ("sent", "read", "read"),
        ("read", "delivered", "read"),
        ("unknown", "accepted", "accepted"),
        ("delivered", "unknown", "delivered"),
    ],
)
def test_the_further_of_two_stands(old: str, new: str, stands: str) -> None:
    assert furthest(old, new) == stands


@pytest.mark.parametrize("old", NEVER_OUT)
@pytest.mark.parametrize("new", STATES)
def test_what_never_went_out_is_not_brought_back_by_news(old: str, new: str) -> None:
    assert furthest(old, new) == old


@pytest.mark.parametrize("old", STATES)
def test_a_word_we_do_not_know_changes_nothing(old: str) -> None:
    assert furthest(old, "teleported") == old
