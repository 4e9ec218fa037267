"""A made-up year of a made-up college: whatever happens in it, nobody hears what they must not, and whoever must hears once.

The same year every time. Another: `YEAR_SEED=7 pytest tests/bot/test_year.py`; shorter: `YEAR_DAYS=60`; its
counts: `--log-cli-level=INFO`.
"""

from __future__ import annotations

import logging
import os
from collections import Counter

import pytest

from bot.database import open_database
from tests.bot.test_model import quiet  # noqa: F401 (a fixture)
from tests.bot.year_college import DAY, STARTS
from tests.bot.year_world import Year

LEARNERS = 200
log = logging.getLogger(__name__)


@pytest.mark.model
def test_in_a_year_nothing_is_sent_against_the_rules_and_nobody_is_forgotten(sqlite_url: str, quiet: None) -> None:  # noqa: F811
    seed, days = int(os.environ.get("YEAR_SEED", "1")), int(os.environ.get("YEAR_DAYS", "365"))
    db = open_database(sqlite_url)
    year = Year(db, seed, LEARNERS)
    year.lives(days)
    year.ends()
    db.engine.dispose()
    done = year.book.complete(STARTS + days * DAY)
    done.update(Counter(one.plan or one.purpose for one in year.book.letters))
    log.info("YEAR_SEED=%s: %s letters; %s", seed, len(year.book.letters), dict(done))
    if days >= 365:
        assert all(
            done[kind] > 20 for kind in ("reminded", "told of urgent news", "check_in", "goodbye", "opportunity", "notice")
        )
