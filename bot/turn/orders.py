"""Orders as one short text and back: a question about an order carries it, so that a YES is a yes to that and no other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast, get_args

from bot.turn.values import Order
from bot.turn.words import NoticeKind


def pack(orders: Sequence[Order]) -> str:
    """What is ordered of which lesson at which version, and how many they were told it reaches."""
    return json.dumps([_packed(one) for one in orders], ensure_ascii=False)


def unpack(text: str) -> tuple[Order, ...]:
    """The orders of a text that `pack` made. Raises ValueError for any other."""
    found = json.loads(text)
    if not isinstance(found, list):
        raise ValueError("these are no orders")
    return tuple(_order(*one) for one in found)


def _packed(one: Order) -> list[str | int]:
    return [one.kind, one.lesson, one.version, one.minutes, one.words, one.reached, one.unreached]


def _order(kind: str, *rest: Any) -> Order:
    if kind not in get_args(NoticeKind):
        raise ValueError("there is no such order")
    return Order(cast(NoticeKind, kind), *rest)
