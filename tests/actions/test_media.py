"""Messages without words."""

from __future__ import annotations

import pytest

from actions import HANDLERS, media
from bot.effects import OpenCase, say
from bot.turn import Kind
from tests.builders import a_message, a_stranger_turn, a_turn


@pytest.mark.parametrize("kind", ["picture", "document", "video"])
def test_a_learners_file_goes_to_the_office_and_a_strangers_is_not_kept(kind: Kind) -> None:
    message = a_message("", kind)
    assert HANDLERS[f"media_{kind}"](a_turn(message=message)) == [OpenCase("submit_work"), say("media.file")]
    assert HANDLERS[f"media_{kind}"](a_stranger_turn(message=message)) == [say("media.file_stranger")]


def test_a_voice_note_goes_to_the_office_and_a_strangers_is_not_kept() -> None:
    assert media.voice(a_turn()) == [OpenCase("voice"), say("media.voice")]
    assert media.voice(a_stranger_turn()) == [say("media.voice_stranger")]


def test_a_sticker_is_met_with_silence() -> None:
    assert media.sticker(a_turn()) == []


@pytest.mark.parametrize("kind", ["location", "contact", "unsupported", "empty"])
def test_what_cannot_be_used_is_answered_kindly_and_kept_by_nobody(kind: str) -> None:
    assert HANDLERS[f"media_{kind}"](a_turn()) == HANDLERS[f"media_{kind}"](a_stranger_turn()) == [say(f"media.{kind}")]
