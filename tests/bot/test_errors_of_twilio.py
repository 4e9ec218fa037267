"""What each of Twilio's error codes asks of us: the table of twilio-whatsapp.md section 4.1, spelt out once more."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from bot.whatsapp import Remedy, remedy
from bot.whatsapp.errors import KINDS, TABLE, BadTable, read_table, table

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(hours=24)
SOON = (2 * MINUTE, 5 * MINUTE, 15 * MINUTE)
TOO_MANY = (2 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE)
QUEUE_FULL = (10 * MINUTE, 30 * MINUTE, HOUR, 4 * HOUR)
LIMIT = (MINUTE, 10 * MINUTE, HOUR, DAY)
EXPECTED = {
    401: Remedy("stop"),
    403: Remedy("stop"),
    404: Remedy("stop"),
    429: Remedy("retry", TOO_MANY),
    11200: Remedy("our_bug"),
    11205: Remedy("our_bug"),
    12100: Remedy("our_bug"),
    12300: Remedy("our_bug"),
    14107: Remedy("drop"),
    20001: Remedy("our_bug"),
    20003: Remedy("stop"),
    20005: Remedy("stop"),
    20008: Remedy("stop"),
    20404: Remedy("stop"),
    20429: Remedy("retry", TOO_MANY),
    20500: Remedy("unknown"),
    21211: Remedy("unreachable"),
    21603: Remedy("stop"),
    21604: Remedy("unreachable"),
    21606: Remedy("stop"),
    21608: Remedy("unreachable"),
    21609: Remedy("stop"),
    21610: Remedy("opted_out"),
    21611: Remedy("retry", QUEUE_FULL),
    21614: Remedy("unreachable"),
    21617: Remedy("our_bug"),
    21619: Remedy("our_bug"),
    21620: Remedy("our_bug"),
    21623: Remedy("our_bug"),
    21654: Remedy("our_bug"),
    21655: Remedy("our_bug"),
    21656: Remedy("our_bug"),
    21701: Remedy("stop"),
    21703: Remedy("stop"),
    30001: Remedy("retry", QUEUE_FULL),
    30002: Remedy("stop"),
    30410: Remedy("unknown"),
    57012: Remedy("our_bug"),
    63001: Remedy("stop"),
    63002: Remedy("stop"),
    63003: Remedy("unreachable"),
    63005: Remedy("our_bug"),
    63006: Remedy("our_bug"),
    63007: Remedy("stop"),
    63008: Remedy("stop"),
    63009: Remedy("retry", SOON),
    63010: Remedy("retry", SOON),
    63011: Remedy("retry", SOON),
    63012: Remedy("retry", SOON),
    63013: Remedy("our_bug"),
    63014: Remedy("unreachable"),
    63015: Remedy("unreachable"),
    63016: Remedy("template"),
    63017: Remedy("retry", LIMIT),
    63018: Remedy("retry", LIMIT),
    63019: Remedy("retry", (10 * MINUTE,)),
    63020: Remedy("stop"),
    63021: Remedy("our_bug"),
    63022: Remedy("stop"),
    63023: Remedy("retry", SOON),
    63024: Remedy("unreachable"),
    63025: Remedy("retry", SOON),
    63026: Remedy("our_bug"),
    63027: Remedy("our_bug"),
    63028: Remedy("our_bug"),
    63029: Remedy("retry", (HOUR,)),
    63030: Remedy("our_bug"),
    63031: Remedy("unreachable"),
    63032: Remedy("marketing_only"),
    63033: Remedy("withdraw_marketing"),
    63034: Remedy("our_bug"),
    63037: Remedy("retry", (5 * MINUTE, 15 * MINUTE, HOUR)),
    63038: Remedy("retry", (DAY,)),
    63040: Remedy("template_gone"),
    63041: Remedy("retry", (3 * HOUR, 6 * HOUR)),
    63042: Remedy("template_gone"),
    63049: Remedy("marketing_only"),
    63051: Remedy("stop"),
    63062: Remedy("stop"),
    63112: Remedy("stop"),
    92002: Remedy("our_bug"),
    92007: Remedy("our_bug"),
}


@pytest.mark.parametrize("code", EXPECTED)
def test_each_code_has_its_remedy(code: int) -> None:
    assert remedy(code) == EXPECTED[code]


def test_no_code_is_in_the_table_without_being_spelt_out_here() -> None:
    assert table().keys() == EXPECTED.keys()


@pytest.mark.parametrize("code", [None, 0, 1, 99999, 30003, 30004, 30005, 30006, 30007, 30008, 30022, 30034])
def test_a_code_nobody_has_thought_of_is_dropped(code: int | None) -> None:
    assert remedy(code) == Remedy("drop")


def test_every_code_says_what_it_means() -> None:
    assert [code for code, one in table().items() if not re.fullmatch(r"[A-Z].{10,}\.", one.means)] == []


def test_every_kind_is_used() -> None:
    assert {one.kind for one in table().values()} == set(KINDS)


def test_each_row_of_the_file_is_one_code() -> None:
    rows = re.findall(r"^  (\d+):", TABLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == len(set(rows)) == len(table())


def test_the_table_cannot_be_changed_by_who_reads_it() -> None:
    with pytest.raises(TypeError):
        table()[1] = Remedy("drop")  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("drop: {1: Gone.}\nstop: {1: Gone.}", "twice"),
        ("perhaps: {1: Gone.}", "known kind"),
        ("drop: {x: Gone.}", "a number"),
        ("drop: {1: ''}", "its meaning"),
        ("drop: {1: }", "its meaning"),
        ("drop: {1: {waits: [1 min], means: Gone.}}", "a retry has waits"),
        ("retry: {1: Away.}", "a retry has waits"),
        ("retry: {1: {waits: [], means: Away.}}", "a retry has waits"),
        ("retry: {1: {waits: [1 min]}}", "its meaning"),
        ("retry: {1: {waits: [1 day], means: Away.}}", "10 min"),
        ("retry: {1: {waits: [0 min], means: Away.}}", "10 min"),
        ("retry: {1: {waits: [5], means: Away.}}", "10 min"),
    ],
)
def test_a_malformed_table_says_where(text: str, because: str) -> None:
    with pytest.raises(BadTable, match=because):
        read_table(text)
