"""Which days are bank holidays in England: by a library, so that nobody has to keep a list."""

from __future__ import annotations

from datetime import date
from functools import cache

import holidays


def is_bank_holiday(day: date) -> bool:
    """Is this day a bank holiday in England, with the days in lieu of those that fall on a weekend?"""
    return day in _of(day.year)


@cache
def _of(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("GB", subdiv="ENG", years=year, expand=False))
