"""How fast we may write: a bucket empties at once and fills slowly, whatever happens in between."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.pacing import RECIPIENT, SENDER, Bucket, free_at, take
from tests.builders import NOW

BUCKETS = st.builds(Bucket, st.integers(1, 20), st.integers(1, 10_000).map(lambda ms: timedelta(milliseconds=ms)))
WAITS = st.lists(st.integers(0, 20_000).map(lambda ms: timedelta(milliseconds=ms)), max_size=60)


def taken(bucket: Bucket, asked_at: list[datetime]) -> list[datetime]:
    """The moments at which a token was there, of those at which one was asked for."""
    full_until: datetime | None = None
    given_at = []
    for at in asked_at:
        if free_at(bucket, full_until, at) <= at:
            full_until = take(bucket, full_until, at)
            given_at.append(at)
    return given_at


@pytest.mark.parametrize("bucket", [SENDER, RECIPIENT, Bucket(1, timedelta(seconds=3))])
def test_a_full_bucket_gives_its_size_at_once_and_no_more(bucket: Bucket) -> None:
    assert len(taken(bucket, [NOW] * (bucket.size + 5))) == bucket.size


@pytest.mark.parametrize("bucket", [SENDER, RECIPIENT])
def test_an_empty_bucket_gives_one_each_time_it_says(bucket: Bucket) -> None:
    asked = [NOW] * bucket.size
    assert len(taken(bucket, [*asked, NOW + bucket.every - timedelta(microseconds=1)])) == bucket.size
    assert len(taken(bucket, [*asked, NOW + bucket.every, NOW + bucket.every])) == bucket.size + 1


@pytest.mark.parametrize("bucket", [SENDER, RECIPIENT])
def test_a_rested_bucket_is_full_again_and_never_fuller(bucket: Bucket) -> None:
    later = NOW + 2 * bucket.size * bucket.every
    assert len(taken(bucket, [NOW] * bucket.size + [later] * (bucket.size + 5))) == 2 * bucket.size


def test_a_bucket_never_used_is_full() -> None:
    assert free_at(RECIPIENT, None, NOW) == NOW


def test_the_sizes_are_those_of_the_platform() -> None:
    assert (SENDER.size, SENDER.size * SENDER.every) == (80, timedelta(seconds=1))
    assert Bucket(10, timedelta(seconds=6)) == RECIPIENT


@given(BUCKETS, WAITS)
def test_never_goes_out_more_than_the_bucket_and_what_came_back(bucket: Bucket, waits: list[timedelta]) -> None:
    asked = [NOW + sum(waits[:n], timedelta()) for n in range(len(waits) + 1)]
    given_at = taken(bucket, asked)
    for first, start in enumerate(given_at):
        for last in range(first, len(given_at)):
            assert last - first + 1 <= bucket.size + (given_at[last] - start) // bucket.every


@given(BUCKETS, WAITS)
def test_whoever_waits_until_the_next_is_free_gets_it(bucket: Bucket, waits: list[timedelta]) -> None:
    full_until, at = None, NOW
    for wait in waits:
        at = max(at + wait, free_at(bucket, full_until, at + wait))
        assert free_at(bucket, full_until, at) <= at
        full_until = take(bucket, full_until, at)


@given(BUCKETS, st.integers(-400, 400).map(lambda days: timedelta(days=days)), st.integers(0, 30))
def test_wherever_the_clock_goes_nobody_waits_longer_than_an_empty_bucket_fills(
    bucket: Bucket, jump: timedelta, before: int
) -> None:
    full_until: datetime | None = None
    for _ in range(before):
        full_until = take(bucket, full_until, NOW)
    now = NOW + jump
    free = max(free_at(bucket, full_until, now), now)
    assert free <= now + (bucket.size + 1) * bucket.every
    assert free_at(bucket, full_until, free) <= free  # and whoever waits that long gets it
    assert take(bucket, full_until, now) <= now + (2 * bucket.size + 1) * bucket.every
