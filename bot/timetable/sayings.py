"""Which template says what has happened to a lesson, and with which values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.hours import LONDON
from bot.timetable.change import News
from bot.timetable.words import NO_TITLE, clock_of, short, when, where


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
    place = where(slot.place, slot.link)
    if news.kind in ("late", "moved", "place") and (unread is not None or news.kind == "moved"):
        moved = {"planned_for": unread or when(was.starts_at), "starts_at": when(slot.starts_at), "place": place}
        return Saying("lesson_moved", lesson | moved)
    match news.kind:
        case "late":
            later = {"planned_for": when(was.starts_at), "starts_at": _later(was.starts_at, slot.starts_at)}
            return Saying("lesson_late", lesson | later)
        case "cancelled":
            return Saying("lesson_cancelled", lesson | {"starts_at": unread or when(was.starts_at)})
        case "problem":
            return Saying("lesson_problem", lesson | {"starts_at": when(was.starts_at), "problem": news.words})
        case _:
            return Saying("lesson_place", lesson | {"starts_at": when(slot.starts_at), "place": place})


def _later(was: datetime, starts_at: datetime) -> str:
    """The time alone, where the day is the same in London."""
    same_day = was.astimezone(LONDON).date() == starts_at.astimezone(LONDON).date()
    return clock_of(starts_at) if same_day else when(starts_at)
