"""Nothing is sent past the gate: one place calls Twilio, and one place calls that, with what the gate let through (D01)."""

from __future__ import annotations

import ast

from tests.test_architecture import calls, service

ONLY_TELLS = {  # they ask the gate to say beforehand what will happen, and send nothing
    "bot.preview",
    "bot.opportunities.audience",
    "bot.timetable.notices",
}


def callers(ending: str) -> list[tuple[str, str]]:
    """Where a call that ends so is written in the service, and how."""
    return [(name, call) for name, tree in service().items() for call in calls(tree) if f".{call}".endswith(ending)]


def test_one_place_asks_twilio_to_send() -> None:
    assert callers(".messages.create") == [("bot.whatsapp.send", "self._client.messages.create")]


def test_one_place_hands_a_letter_to_the_sender() -> None:
    assert callers(".whatsapp.send") == [("bot.worker", "self.post.whatsapp.send")]
    assert callers(".Letter") == [("bot.worker", "Letter")]


def test_whatever_else_is_sent_is_mail() -> None:
    others = {call for _, call in callers(".send")} - {"self.post.whatsapp.send"}
    assert others <= {"mail.send", "self.post.mail.send"}


def test_the_sender_is_made_in_one_place() -> None:
    assert callers(".TwilioSender") == [("app", "TwilioSender")]


def test_what_is_sent_was_claimed_and_what_is_claimed_was_asked_of_the_gate() -> None:
    acts = [name for name, _ in callers(".may_send") if name not in ONLY_TELLS]
    assert acts == ["bot.outbox.claim"]
    assert callers("._let_through") == [("bot.outbox.claim", "_let_through")]
    module = service()["bot.outbox.claim"]
    claim = next(node for node in ast.walk(module) if isinstance(node, ast.FunctionDef) and node.name == "_take")
    assert "_let_through" in {ast.unparse(node.func) for node in ast.walk(claim) if isinstance(node, ast.Call)}
    assert {name for name, _ in callers(".Sending")} == {"bot.outbox.claim"}
