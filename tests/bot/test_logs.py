"""A log holds our ids and the program's own words: no name, no number, no text, whoever writes the line."""

from __future__ import annotations

import ast
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from bot.logs import WithoutValues, traced
from bot.settings import ROOT

SECRETS = ("Amina", "447700900123", "zebra")
IDS = {"opportunity", "alert", "case", "inbound", "invitation", "outbound", "person", "row", "sid", "template", "variable"}
WORDS = {
    "because",
    "channel",
    "chore",
    "decided_by",
    "error",
    "intents",
    "kind",
    "outcome",
    "remedy",
    "result",
    "status",
    "table",
    "why",
}
COUNTS = {
    "seconds",
    "owed",
    "attempt",
    "late_s",
    "look_ups",
    "now",
    "done",
    "first",
    "invited",
    "known",
    "messages",
    "reminded",
    "resolved",
    "found",
    "tidied",
    "first_messages",
    "invitations",
    "reminders",
    "lesson_reminders",
    "check_ins",
    "goodbyes",
    "opportunities",
    "revived",
}
SAYS = {*IDS, *WORDS, *COUNTS, "at", "exc_info"}
ENDS = """
import threading, warnings
from bot.logs import set_up_logs
set_up_logs()
import structlog
warnings.warn("Amina wrote zebra")
def fails():
    raise KeyError("+447700900123")
thread = threading.Thread(target=fails)
thread.start()
thread.join()
structlog.get_logger().info("turn.taken", inbound=7, what={"+447700900123"})
raise RuntimeError("Amina wrote zebra")
"""


def a_record(message: object, *values: object, error: BaseException | None = None) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("library", logging.WARNING, "x.py", 1, message, values, info)  # type: ignore[arg-type]


def raised() -> ValueError:
    """What is caught when one error leads to another, with a secret in each."""
    try:
        try:
            raise KeyError("+447700900123")
        except KeyError as error:
            raise ValueError("Amina wrote zebra") from error
    except ValueError as error:
        return error


@pytest.mark.parametrize(
    ("message", "values", "said"),
    [
        ("Retrying after %r: %s", ("zebra", "/Messages.json?To=+447700900123"), "Retrying after …: …"),
        ("Booting worker with pid: %s", (4711,), "Booting worker with pid: 4711"),
        ("took %.2f of %d", (0.5, 447700900123), "took 0.5 of …"),
        ("Invalid request from ip=127.0.0.1: zebra", (), "Invalid request from ip"),
        ("Query Params: {'To': '+447700900123'}", (), "Query Params"),
        ('Job "%s" raised an exception', ("Amina",), 'Job "…" raised an exception'),
        (ValueError("zebra"), (), "ValueError"),
    ],
)
def test_of_a_librarys_line_its_own_words_are_kept_and_values_are_not(
    message: object, values: tuple[object, ...], said: str
) -> None:
    line = json.loads(WithoutValues().format(a_record(message, *values)))
    assert (line["event"], line["logger"], line["level"]) == (said, "library", "warning")
    assert not any(secret in json.dumps(line) for secret in SECRETS)


def test_of_an_error_kind_and_place_are_kept_and_what_it_says_is_not() -> None:
    line = WithoutValues().format(a_record("Exception on %s", "/zebra", error=raised()))
    chain = json.loads(line)["exception"]
    assert [one["error"] for one in chain] == ["ValueError", "KeyError"]
    assert chain[0]["at"][0].startswith("tests/bot/test_logs.py:")
    assert not any(secret in line for secret in SECRETS)


def test_an_error_that_led_to_itself_is_printed_all_the_same() -> None:
    error, other = ValueError("zebra"), KeyError("Amina")
    error.__context__, other.__context__ = other, error
    assert len(traced(error)) <= 5


def test_a_process_its_threads_and_its_warnings_end_without_saying_what_they_held() -> None:
    done = subprocess.run([sys.executable, "-c", ENDS], cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["python.warning", "thread.ended", "turn.taken", "process.ended"]
    assert (lines[2]["inbound"], lines[2]["what"]) == (7, "<set>")
    assert done.returncode == 1
    assert not any(secret in done.stderr for secret in SECRETS)


def test_every_line_of_ours_names_its_facts_by_words_that_are_no_people() -> None:
    calls = list(log_calls())
    assert len(calls) > 15
    for where, call in calls:
        event, *more = call.args
        literals = [event.body, event.orelse] if isinstance(event, ast.IfExp) else [event]
        assert all(isinstance(one, ast.Constant) and "." in str(one.value) for one in literals), (
            f"{where}: an event is a word"
        )
        assert more == [], f"{where}: facts have names"
        assert {word.arg for word in call.keywords} <= SAYS, f"{where}: only what names nobody may be added to SAYS"


def log_calls() -> Iterator[tuple[str, ast.Call]]:
    """Every call of `log.info` and its like in the service, and where it stands."""
    for path in [ROOT / "app.py", *(ROOT / "bot").rglob("*.py"), *(ROOT / "actions").rglob("*.py"), ROOT / "nlu/client.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(("log.", "logger.")):
                yield f"{path.name}:{node.lineno}", node
