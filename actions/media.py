"""Messages without words to understand: pictures, files, voice, places, cards. Each has a reply or a chosen silence."""

from __future__ import annotations

from bot.effects import Effect, OpenCase, say
from bot.turn import Turn


def file(turn: Turn) -> list[Effect]:
    """A picture, document or video. Somebody we know has it passed to the office; a stranger's is not kept (P14)."""
    if not turn.person.known:
        return [say("media.file_stranger")]
    return [OpenCase("submit_work"), say("media.file")]


def voice(turn: Turn) -> list[Effect]:
    """A voice note cannot be listened to, so the reply says what to do in an emergency (F25)."""
    if not turn.person.known:
        return [say("media.voice_stranger")]
    return [OpenCase("voice"), say("media.voice")]


def sticker(_turn: Turn) -> list[Effect]:
    """A sticker says nothing that waits for an answer."""
    return []


def location(_turn: Turn) -> list[Effect]:
    """Locations are not kept."""
    return [say("media.location")]


def contact(_turn: Turn) -> list[Effect]:
    """Another person's details are not kept."""
    return [say("media.contact")]


def unsupported(_turn: Turn) -> list[Effect]:
    """A kind of message that did not reach us whole."""
    return [say("media.unsupported")]


def empty(_turn: Turn) -> list[Effect]:
    """Nothing in it."""
    return [say("media.empty")]
