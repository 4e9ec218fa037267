"""A trainer's order about a lesson: asked about with whom it reaches, and carried out on their YES alone (P13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.effects import Announce, Ask, Effect, Say, say
from bot.turn import LONGEST_DELAY, Lesson, Order, Turn
from bot.turn.orders import pack

LONDON = ZoneInfo("Europe/London")  # lessons are at the time of London's clocks
MOST_SHOWN = 3
HIDDEN = " hidden]"  # what stands where personal details were
LINKS = ("https://", "http://")
ASKS_MINUTES = "order_minutes"
TO_SEND = {"yes": "order_yes", "no": "order_no"}
TO_CHOOSE = ("order_1", "order_2", "order_3")


def order_asked(turn: Turn) -> list[Effect]:
    """Their order: which lesson, if it may mean several; then the one question that says what will happen."""
    if not turn.orders:
        return [say("orders.gone")]
    order = turn.orders[0]
    if order.kind == "late" and not 1 <= order.minutes <= LONGEST_DELAY:
        return _how_late(turn)
    if HIDDEN in order.words:  # a half of a link leads nowhere
        return [say("orders.hidden")]
    if not order.lesson:
        return _none_fits(turn)
    return _which(turn) if len(turn.orders) > 1 else _ask(turn, order)


def _how_late(turn: Turn) -> list[Effect]:
    """Asked, where there is a lesson that can be late: the number alone is the answer."""
    if not turn.orders[0].lesson:
        return _none_fits(turn)
    return [Ask(ASKS_MINUTES, say("orders.minutes", most=LONGEST_DELAY), {}, pack(turn.orders))]


def order_chosen(turn: Turn) -> list[Effect]:
    """The lesson that they chose by its number."""
    return _ask(turn, turn.orders[0]) if turn.orders else [say("orders.gone")]


def order_yes(turn: Turn) -> list[Effect]:
    """Their YES to the order as they read it. Where the lesson is another by now, they are asked anew."""
    order = turn.orders[0] if turn.orders else None
    lesson = _lesson_of(turn, order) if order else None
    if order is None or lesson is None:
        return [say("orders.gone")]
    stops = _stops(order, lesson)
    if stops:
        return stops
    if order.version != lesson.version:
        return [say("orders.changed"), *_ask(turn, order)]
    reached, unreached = _numbers(order)
    told = say("orders.told", many=reached[0], one=reached[1], unreached=unreached[0], alone=unreached[1])
    return [Announce(order), _shown(turn, lesson), _what(order, lesson, done=True), told]


def order_no(_turn: Turn) -> list[Effect]:
    """Their no: nothing happens."""
    return [say("orders.not_sent")]


def _ask(turn: Turn, order: Order) -> list[Effect]:
    lesson = _lesson_of(turn, order)
    if lesson is None:
        return [say("orders.gone")]
    stops = _stops(order, lesson)
    if stops:
        return [_shown(turn, lesson), *stops]
    (many, one), (unreached, alone) = _numbers(order)
    about = pack([replace(order, version=lesson.version)])
    send = Ask("order", say("orders.send", unreached=unreached, alone=alone), TO_SEND, about)
    return [_shown(turn, lesson), _what(order, lesson, many=many, one=one), send]


def _stops(order: Order, lesson: Lesson) -> list[Effect]:
    """What stands in the way, said; nothing where it can be done."""
    if lesson.cancelled:
        return [say("orders.cancelled_already")]
    return [say("orders.cannot", why=_sentence(order.trouble))] if order.trouble else []


def _which(turn: Turn) -> list[Effect]:
    shown = turn.orders[:MOST_SHOWN]
    values: dict[str, str | datetime] = {}
    for place in range(MOST_SHOWN):
        lesson = _lesson_of(turn, shown[place]) if place < len(shown) else None
        values |= {
            f"course_{place + 1}": lesson.course if lesson else "",
            f"title_{place + 1}": lesson.title if lesson else "",
            f"at_{place + 1}": lesson.starts_at if lesson else "",
        }
    more = [] if len(turn.orders) <= MOST_SHOWN else [say("orders.by_code")]
    options = {str(place + 1): name for place, name in enumerate(TO_CHOOSE[: len(shown)])}
    return [*more, Ask("order_lesson", say("orders.which", **values), options, pack(shown))]


def _none_fits(turn: Turn) -> list[Effect]:
    coming = next((lesson for lesson in turn.lessons if not lesson.cancelled), None)
    if coming is None:
        return [say("orders.none_at_all")]
    return [say("orders.none_then", course=coming.course, title=coming.title, starts_at=coming.starts_at)]


def _shown(turn: Turn, lesson: Lesson) -> Say:
    """The lesson, with "today" and "tomorrow" where they say more than a date."""
    start, now = lesson.starts_at.astimezone(LONDON), turn.now.astimezone(LONDON)
    days = (start.date() - now.date()).days
    if days not in (0, 1):
        return say("orders.lesson", course=lesson.course, title=lesson.title, starts_at=lesson.starts_at)
    key = "orders.lesson_tomorrow" if days else "orders.lesson_today"
    return say(key, course=lesson.course, title=lesson.title, time=_clock(lesson.starts_at))


def _what(order: Order, lesson: Lesson, *, done: bool = False, **values: str) -> Say:
    """What the order changes: what they will be told, or what is done."""
    linked = order.kind == "place" and order.words.lower().startswith(LINKS)
    kind = "link" if linked else order.kind
    later = _clock(lesson.starts_at + timedelta(minutes=order.minutes))
    wanted: dict[str, str] = {} if kind == "cancelled" else {"words": _words(order, kind)}
    wanted = {"time": later} if kind == "late" else wanted
    return say(f"orders.{kind}_done" if done else f"orders.{kind}_tell", **values, **wanted)


def _words(order: Order, kind: str) -> str:
    """Their words without the mark that ends them: the text has one of its own. A link stays whole."""
    return order.words if kind == "link" else order.words.rstrip(" .!") or order.words


def _sentence(why: str) -> str:
    """What stands in the way, as a sentence without its full stop."""
    return why[:1].upper() + why[1:]


def _numbers(order: Order) -> tuple[tuple[str, str], tuple[str, str]]:
    """Reached and not reached: how many as a plural, and as a singular; the line of the other is left out."""
    reached = ("", "1") if order.reached == 1 else (str(order.reached), "")
    unreached = ("", "1") if order.unreached == 1 else (str(order.unreached or ""), "")
    return reached, unreached


def _clock(at: datetime) -> str:
    return at.astimezone(LONDON).strftime("%H:%M")


def _lesson_of(turn: Turn, order: Order) -> Lesson | None:
    return next((one for one in turn.lessons if one.code == order.lesson), None)
