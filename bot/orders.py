"""Reads an order about a lesson ("delay 20", "cancel tonight") in a trainer's message. Pure.

The whole message must be an order, but for courtesies and a reason: nothing is picked out of a longer text, because what
is not read here goes to the model as ever, and what is read is asked about before anybody is told (P13).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from bot.order_words import (
    AFTER,
    AROUND_LINK,
    BEFORE,
    CANCEL,
    CODE,
    DAY,
    DAYS,
    EDGES,
    INSTEAD,
    LATE,
    LINK,
    MEANS_LINK,
    NO_CODE,
    NONE,
    NUMBERS,
    QUESTION,
    ROOMISH,
    ROOMS,
    TROUBLES,
    URL,
)
from bot.turn import NoticeKind

Part = Literal["", "morning", "afternoon", "evening"]

MOST_WORDS = 8  # of a place
LONGEST = 300  # characters; an order is short


@dataclass(frozen=True, slots=True)
class ReadOrder:
    """What a message orders. `minutes` are 0 where it names none; `words` a place, a link, or what the trouble is.

    `day` is "", "today", "tomorrow", "next" (the next lesson) or a weekday; `code` a course or lesson, in capitals.
    """

    kind: NoticeKind
    minutes: int = 0
    words: str = ""
    day: str = ""
    part: Part = ""
    code: str = ""


def read_order(text: str) -> ReadOrder | None:
    """What the whole of `text` orders; None where it is no order. Time grows with the length only."""
    said = " ".join(text.replace("’", "'").split())
    links = URL.findall(said)
    if len(said) > LONGEST or len(links) > 1:
        return None
    asked, said = _bare(URL.sub(LINK, said))
    if "?" in said or (QUESTION.match(said) and not asked):
        return None
    day, part, rest = _day(said)
    for code, kernel in _codes(rest):
        wish = _kernel(kernel, links[0].rstrip(".,!)") if links else "", named=bool(day or code), dated=bool(day))
        if wish is not None:
            return replace(wish, day=day, part=part, code=code)
    return None


def read_minutes(text: str) -> int | None:
    """The minutes that are the whole answer to "how many minutes late?"; None where it is no such answer."""
    wish = read_order(f"delay {text}")
    if wish is None or wish.kind != "late" or wish.day or wish.code:
        return None
    return wish.minutes if wish.minutes or any(char.isdigit() for char in text) else None


def _bare(said: str) -> tuple[bool, str]:
    """Was it put as a request ("can you tell them ..."), and the words without courtesies at either end."""
    said, before, asked = EDGES.sub("", said), "", False
    while said != before:
        before = said
        found = BEFORE.match(said)
        if found and found.end() < len(said):
            asked, said = asked or bool(found["asked"]), said[found.end() :]
        said = EDGES.sub("", AFTER.sub("", said) or said)
        if asked:
            said = said.rstrip("?").rstrip()
    return asked, said


def _day(said: str) -> tuple[str, Part, str]:
    """The day and the part of it that are named first, and what is left of the words."""
    found = DAY.search(said)
    if found is None:
        return "", "", said
    name = next(day for day in DAYS if found[day])
    named = (found["part"] or "").lower()
    if not named:
        named = next((one for one in ("morning", "afternoon") if one in found[0].lower()), "")
    evening = name == "tonight" or named in ("evening", "night")
    part: Part = "evening" if evening else "morning" if named == "morning" else "afternoon" if named else ""
    rest = " ".join(f"{said[: found.start()]} {said[found.end() :]}".split())
    return "today" if name == "tonight" else name, part, EDGES.sub("", rest)


def _codes(rest: str) -> list[tuple[str, str]]:
    """The code that may be named, with the words without it; then the words as they are ("place LT12")."""
    found = CODE.search(rest)
    if found is None or re.sub(r"[\d-]+", "", found["code"]).lower() in NO_CODE:
        return [("", rest)]
    without = " ".join(f"{rest[: found.start()]} {rest[found.end() :]}".split())
    return [(found["code"].upper(), EDGES.sub("", without)), ("", rest)]


def _kernel(said: str, link: str, *, named: bool, dated: bool) -> ReadOrder | None:
    """The order itself. `named`: a day or a course was named beside it; `dated`: a day was."""
    if link:
        around = AROUND_LINK.fullmatch(said)
        return ReadOrder("place", words=link) if around and MEANS_LINK.search(said) else None
    for late in LATE:
        found = late.fullmatch(said)
        if found:
            return ReadOrder("late", minutes=_minutes(found))
    if _cancels(said, named=named, dated=dated):
        return ReadOrder("cancelled")
    place = _place(said)
    if place:
        return ReadOrder("place", words=place)
    trouble = next((found for one in TROUBLES if (found := one.fullmatch(said))), None)
    return ReadOrder("problem", words=trouble["words"].strip()) if trouble else None


def _cancels(said: str, *, named: bool, dated: bool) -> bool:
    if any(one.fullmatch(said) and (named or not needs) for one, needs in CANCEL):
        return True
    return dated and any(one.fullmatch(said) for one in NONE)


def _minutes(found: re.Match[str]) -> int:
    """Minutes of a delay, the larger where two are named; 0 where none is."""
    said = found.groupdict()
    if said.get("half"):
        return 30
    if said.get("quarter"):
        return 15
    if said.get("hours"):
        hours = {"two": 2, "2": 2, "3": 3}.get(said["hours"].lower(), 1)
        return 60 * hours + (30 if said["and_half"] else 0) + int(said["more"] or 0)
    words = (said.get("minutes") or "0").lower()
    if words.isdigit():
        return max(int(words), int(said.get("least") or 0))
    return sum(NUMBERS[word] for word in re.split(r"[ -]", words))


def _place(said: str) -> str:
    """The place that is named, as it was written; empty where none is."""
    for pattern, must_be_seen in ROOMS:
        found = pattern.fullmatch(said)
        if found is None:
            continue
        place = INSTEAD.sub("", found["place"]).strip(" ,:;.-")
        if place and len(place.split()) <= MOST_WORDS and (not must_be_seen or ROOMISH.search(place)):
            place = f"Room {place}" if re.fullmatch(r"[a-z]?\d{1,3}[a-z]?", place, re.IGNORECASE) else place
            return place[:1].upper() + place[1:]
    return ""
