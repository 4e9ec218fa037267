"""Which template says what has happened to a lesson, and with which values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.hours import LONDON
from bot.timetable.change import News, Slot
from bot.timetable.words import NO_TITLE, clock_of, short, when, where
from bot.turn import NoticeKind


@dataclass(frozen=True, slots=True)
class Saying:
    """A template of data/templates.yml and its values by name."""

    template: str
    variables: Mapping[str, str]


def saying(news: News, title: str, unread: str | None = None) -> Saying:
    """What one learner is to read. `unread` is the time they know of, where older news or a reminder never reached them.

    They get the whole of how the lesson stands now, because the message that said the other half of it does not go.
    """
    lesson = {"lesson": short(title, NO_TITLE)}
    was, slot = news.was, news.slot
    tells = _span if was.starts_at == slot.starts_at and was.ends_at != slot.ends_at else _start
    known, now = unread or tells(was), tells(slot)
    stands = lesson | {"starts_at": now, "place": where(slot.place, slot.link)}
    if _is_all_new(news.kind, known != now, unread):
        return Saying("lesson_moved", stands | {"planned_for": known})
    match news.kind:
        case "cancelled":
            return Saying("lesson_cancelled", lesson | {"starts_at": known})
        case "problem":
            return Saying("lesson_problem", lesson | {"starts_at": when(was.starts_at), "problem": news.words})
        case "place":
            return Saying("lesson_place", stands)
        case "late" if unread is None:
            later = {"planned_for": known, "starts_at": _later(was.starts_at, slot.starts_at)}
            return Saying("lesson_late", lesson | later)
        case _:
            return Saying("lesson_restored", stands)  # also what is back where they know it to be


def _is_all_new(kind: NoticeKind, differs: bool, unread: str | None) -> bool:
    """Is it at another time than they know, so that one message says all of it?"""
    return differs and (kind == "moved" or (kind in ("late", "place", "restored") and unread is not None))


def _start(slot: Slot) -> str:
    return when(slot.starts_at)


def _span(slot: Slot) -> str:
    """From when to when: where only the end is another, the start alone tells nothing."""
    return f"{when(slot.starts_at)} to {clock_of(slot.ends_at)}"


def _later(was: datetime, starts_at: datetime) -> str:
    """The time alone, where the day is the same in London."""
    same_day = was.astimezone(LONDON).date() == starts_at.astimezone(LONDON).date()
    return clock_of(starts_at) if same_day else when(starts_at)
