"""Rights are taken from anybody who claims them."""

from __future__ import annotations

import pytest

from actions import rights
from bot.effects import OpenCase, say
from tests.builders import a_stranger_turn, a_turn

RIGHTS = {
    "data_access_request": (rights.data_access_request, "rights.access"),
    "data_erasure_request": (rights.data_erasure_request, "rights.erasure"),
    "data_correction": (rights.data_correction, "rights.correction"),
    "accessibility_request": (rights.accessibility_request, "rights.access_needs"),
}


@pytest.mark.parametrize("intent", RIGHTS)
def test_a_learners_request_is_a_case_from_the_first_word(intent: str) -> None:
    handler, text = RIGHTS[intent]
    assert handler(a_turn()) == [OpenCase(intent), say(text)]


@pytest.mark.parametrize("intent", RIGHTS)
def test_a_strangers_request_is_a_case_too_and_tells_them_nothing(intent: str) -> None:
    handler, _ = RIGHTS[intent]
    assert handler(a_stranger_turn()) == [OpenCase(intent), say("office.passed_on_stranger")]
