"""When we may write first: by London's wall clock, on days that are open, across both changes of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.calendar import is_bank_holiday
from bot.hours import GROUP_HOURS, LONDON, QUIET_DAYS, SUNDAY, Hours, hours_for, opening, opening_on, read_hours

BOTH = "sundays, bank holidays"
CLOSED = read_hours("08:00-20:00", BOTH, is_bank_holiday)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def utc(day: str, at: str = "00:00") -> datetime:
    """A moment on London's wall clock."""
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(at), LONDON).astimezone(UTC)


def test_every_day_is_open_unless_the_setting_closes_some() -> None:
    for day in ("2026-11-29", "2026-12-25"):  # a Sunday, and Christmas
        assert opening(read_hours("08:00-20:00", "", is_bank_holiday), utc(day, "10:00")) == utc(day, "10:00")


@pytest.mark.parametrize(
    ("quiet", "at", "opens"),
    [
        ("sundays", ("2026-11-29", "10:00"), ("2026-11-30", "08:00")),
        ("sundays", ("2026-12-25", "10:00"), ("2026-12-25", "10:00")),
        ("bank holidays", ("2026-11-29", "10:00"), ("2026-11-29", "10:00")),
        ("bank holidays", ("2026-12-24", "20:00"), ("2026-12-27", "08:00")),  # the 28th is in lieu of the 26th
        ("bank holidays", ("2026-12-28", "09:00"), ("2026-12-29", "08:00")),
        (BOTH, ("2026-12-24", "20:00"), ("2026-12-29", "08:00")),
        (BOTH, ("2027-03-25", "21:00"), ("2027-03-27", "08:00")),  # Good Friday
        (BOTH, ("2027-03-27", "20:00"), ("2027-03-30", "08:00")),  # Easter, and the clocks go forward on the Sunday
        (BOTH, ("2026-10-24", "20:00"), ("2026-10-26", "08:00")),  # the clocks go back on the Sunday
        (BOTH, ("2026-12-31", "20:00"), ("2027-01-02", "08:00")),
    ],
)
def test_a_closed_day_is_passed_over(quiet: str, at: tuple[str, str], opens: tuple[str, str]) -> None:
    hours = read_hours("08:00-20:00", quiet, is_bank_holiday)
    assert opening(hours, utc(*at)) == utc(*opens)


def test_the_first_opening_on_a_closed_day_is_on_the_next_open_one() -> None:
    assert opening_on(CLOSED, date(2026, 12, 25)) == utc("2026-12-29", "08:00")
    assert opening_on(GROUP_HOURS, date(2026, 12, 25)) == utc("2026-12-25", "08:00")


def test_opportunities_keep_working_days_whatever_the_setting_says() -> None:
    for quiet in ("", "sundays", BOTH):
        group = read_hours("08:00-20:00", quiet, is_bank_holiday)
        hours = hours_for("marketing", group)
        assert opening(hours, utc("2026-12-24", "18:00")) == utc("2026-12-29", "09:00")
        assert opening(hours, utc("2027-05-03", "10:00")) == utc("2027-05-04", "09:00")
        assert hours_for("service", group) == hours_for("checkin", group) == group


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("", set()),
        (" , ", set()),
        ("sundays", {"sundays"}),
        ("Bank  Holidays, SUNDAYS", set(QUIET_DAYS)),
        ("sundays,sundays", {"sundays"}),
    ],
)
def test_quiet_days_are_read_as_people_write_them(text: str, means: set[str]) -> None:
    assert read_hours("08:00-20:00", text).quiet == means


@pytest.mark.parametrize("text", ["sunday", "fridays", "bank", "sundays; bank holidays", "sundays bank holidays", "none"])
def test_another_word_for_a_quiet_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="sundays, bank holidays"):
        read_hours("08:00-20:00", text)


@pytest.mark.parametrize("day", ["2026-04-03", "2026-04-06", "2026-12-28", "2027-12-27", "2028-01-03", "2035-12-26"])
def test_bank_holidays_are_englands_with_easter_and_the_days_in_lieu(day: str) -> None:
    assert is_bank_holiday(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2026-01-02", "2026-03-17", "2026-07-12", "2026-11-30", "2026-04-04", "2027-01-04"])
def test_what_is_kept_elsewhere_is_no_bank_holiday_here(day: str) -> None:
    assert not is_bank_holiday(date.fromisoformat(day))


CHANGES = (utc("2026-10-25"), utc("2027-03-28"), utc("2027-10-31"), utc("2028-03-26"))
moments = st.datetimes(datetime(2026, 1, 1), datetime(2032, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (bounds are naive)
near_changes = st.builds(lambda change, by: change + by, st.sampled_from(CHANGES), st.timedeltas(-2 * DAY, 2 * DAY))
wide = st.tuples(st.integers(0, 1438), st.integers(1, 1439)).filter(lambda two: two[0] < two[1])


def minutes(count: int) -> time:
    return time(count // 60, count % 60)


all_hours = st.builds(
    lambda two, weekdays, quiet: Hours(minutes(two[0]), minutes(two[1]), weekdays, quiet, is_bank_holiday),
    wide,
    st.booleans(),
    st.frozensets(st.sampled_from(QUIET_DAYS)),
)


def closed(hours: Hours, day: date) -> bool:
    """As a person would say it, and not as the code does."""
    name, holiday = day.strftime("%a"), is_bank_holiday(day)
    if hours.weekdays_only and (name in ("Sat", "Sun") or holiday):
        return True
    return ("sundays" in hours.quiet and name == "Sun") or ("bank holidays" in hours.quiet and holiday)


@given(all_hours, moments | near_changes)
def test_an_opening_is_never_before_never_on_a_closed_day_and_stays_where_it_is(hours: Hours, at: datetime) -> None:
    found = opening(hours, at)
    assert found >= at
    assert found.tzinfo is UTC
    assert not closed(hours, found.astimezone(LONDON).date())
    assert opening(hours, found) == found or _swallowed(hours, found)
    assert found - at < 6 * DAY + 2 * HOUR  # Christmas and Easter with what surrounds them


def _swallowed(hours: Hours, at: datetime) -> bool:
    """Do the hours fall into the hour that is left out when the clocks go forward? Then they are over as they open."""
    return at.astimezone(LONDON).time() >= hours.closes


@given(all_hours, moments)
def test_while_it_is_open_nothing_waits_and_while_it_is_shut_all_does(hours: Hours, at: datetime) -> None:
    local = at.astimezone(LONDON)
    is_open = not closed(hours, local.date()) and hours.opens <= local.time() < hours.closes
    assert (opening(hours, at) == at) == is_open


@given(all_hours, moments | near_changes, st.timedeltas(timedelta(0), 3 * DAY))
def test_who_waits_longer_is_never_let_in_earlier(hours: Hours, at: datetime, later: timedelta) -> None:
    assert opening(hours, at) <= opening(hours, at + later)


@given(moments)
def test_marketing_is_never_let_in_where_the_group_is_not(at: datetime) -> None:
    found = opening(hours_for("marketing", CLOSED), at)
    assert opening(CLOSED, found) == found
    assert found.astimezone(LONDON).weekday() < SUNDAY - 1
