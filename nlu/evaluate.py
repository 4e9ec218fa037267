"""Tells how well the model hears messages that it was not trained on, and chooses thresholds on one half of them.

Rasa must be running: its address and token come from --url and --token, or from NLU_URL and NLU_TOKEN.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import httpx
import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table

from nlu import scores
from nlu.scores import Judged
from nlu.thresholds import Thresholds, load_thresholds
from nlu.training_data import read_examples, same

NLU = Path(__file__).resolve().parent
THRESHOLDS = NLU / "thresholds.yml"
SHOWN = 25  # confusions


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a report, or choose thresholds. Exit status: 0 done, 1 accuracy below --at-least, 3 Rasa does not answer."""
    given = read_arguments(arguments)
    console = Console()
    try:
        judged = ask_all(given.messages, given.url, given.token)
    except httpx.HTTPError as error:
        print(f"Rasa does not answer at {given.url}: {error.__class__.__name__}. Is it running?", file=sys.stderr)  # noqa: T201
        return 3
    if given.choose:
        limits = choose_and_write([one for one in judged if one.half == "choose"])
        console.print(f"chosen on one half, written to {THRESHOLDS.name}: {limits}")
    wanted = judged if given.half == "all" else [one for one in judged if one.half == given.half]
    report(wanted, load_thresholds(THRESHOLDS), console)
    return 0 if scores.accuracy(wanted) >= given.at_least else 1


def read_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, with the environment's settings as defaults."""
    port = os.environ.get("NLU_PORT", "5005")
    parser = argparse.ArgumentParser(prog="python -m nlu.evaluate", description=__doc__)
    parser.add_argument("messages", type=Path, help="a file of JSON lines: text, intent, note")
    parser.add_argument("--url", default=os.environ.get("NLU_URL", f"http://127.0.0.1:{port}").split(",")[0])
    parser.add_argument("--token", default=os.environ.get("NLU_TOKEN", "demo-nlu-token"))
    parser.add_argument("--half", choices=("all", "choose", "report"), default="all", help="which messages to report on")
    parser.add_argument("--choose", action="store_true", help="choose thresholds on the half `choose` and write them down")
    parser.add_argument("--at-least", type=float, default=0.0, help="fail when accuracy is below this")
    return parser.parse_args(arguments)


def ask_all(messages: Path, url: str, token: str) -> list[Judged]:
    """Every unseen message of the file with what Rasa makes of it. Raises httpx.HTTPError."""
    lines = unseen(messages)
    with httpx.Client(base_url=url, params={"token": token}, timeout=10) as http:
        return [judge(http, line) for line in track(lines, "asking Rasa", console=Console(stderr=True), transient=True)]


def unseen(messages: Path) -> list[dict[str, str]]:
    """The file's messages, without those that somebody thought of for the training data too: they would prove nothing."""
    seen = {same(example.text) for example in read_examples(NLU.parent / "data" / "nlu")}
    lines = [json.loads(line) for line in messages.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [line for line in lines if same(line["text"]) not in seen]


def judge(http: httpx.Client, line: dict[str, str]) -> Judged:
    """One message with what Rasa makes of it."""
    answer = http.post("/model/parse", json={"text": line["text"]}).raise_for_status().json()
    chances = {one["name"]: float(one["confidence"]) for one in answer["intent_ranking"]}
    return Judged(line["text"], line["intent"], scores.tags_of(line.get("note", "")), chances)


def choose_and_write(judged: Sequence[Judged]) -> Thresholds:
    """Choose thresholds and put them in the file, leaving the reasons there as they are."""
    text = THRESHOLDS.read_text(encoding="utf-8")
    chosen = scores.choose(judged)
    entries = yaml.safe_load(text)
    for name, value in asdict(chosen).items():
        entries[name]["value"] = value
    heading = "".join(line for line in text.splitlines(keepends=True) if line.startswith("#"))
    body = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=115)
    THRESHOLDS.write_text(heading + body, encoding="utf-8")
    return chosen


def report(judged: Sequence[Judged], limits: Thresholds, console: Console) -> None:
    """Print everything there is to know, as tables."""
    console.print(table("all messages", ("what", "how much"), overall(judged, limits)))
    console.print(table("by family", ("family", "messages", "accuracy", "macro F1"), by_family(judged)))
    rows = [(wanted, heard, str(times)) for wanted, heard, times in scores.confusions(judged)[:SHOWN]]
    console.print(table("most frequent confusions", ("is", "taken for", "times"), rows))


def overall(judged: Sequence[Judged], limits: Thresholds) -> list[tuple[str, str]]:
    """The figures over all messages, as the model alone decides them (the rules before it do better on opting out)."""
    stop = [one for one in judged if one.wants("opt_out")]
    risk = [one for one in judged if one.wants("safeguarding_disclosure")]
    calm = [one for one in judged if not one.wants("safeguarding_disclosure")]
    going_on = scores.going_on(judged)
    negated = [one for one in judged if "negation" in one.tags]
    answered = [one for one in judged if one.confidence >= limits.accept]
    return [
        ("messages", str(len(judged))),
        ("accuracy", f"{scores.accuracy(judged):.3f}"),
        ("macro F1", f"{scores.macro_f1(judged):.3f}"),
        ("expected calibration error", f"{scores.calibration_error(judged):.3f}"),
        ("sure enough to answer", f"{len(answered) / max(len(judged), 1):.3f}"),
        ("accuracy of those", f"{scores.accuracy(answered):.3f}"),
        (f"opt-outs taken at once, of {len(stop)}", f"{scores.share(stop, lambda one: scores.stops(one, limits)):.3f}"),
        ("opt-outs taken or paused", f"{scores.share(stop, lambda one: scores.pauses(one, limits)):.3f}"),
        ("others opted out", f"{scores.share(going_on, lambda one: scores.stops(one, limits)):.3f}"),
        ("others opted out or paused", f"{scores.share(going_on, lambda one: scores.pauses(one, limits)):.3f}"),
        (
            f"`do not stop` taken for its opposite, of {len(negated)}",
            f"{scores.share(negated, lambda one: scores.pauses(one, limits)):.3f}",
        ),
        (f"disclosures noticed, of {len(risk)}", f"{scores.share(risk, lambda one: scores.alarms(one, limits)):.3f}"),
        ("false alarms", f"{scores.share(calm, lambda one: scores.alarms(one, limits)):.3f}"),
    ]


def by_family(judged: Sequence[Judged]) -> list[tuple[str, str, str, str]]:
    """A row for each family of intents; the family of an intent is the file its examples are in."""
    family = {one.intent: Path(one.file).stem for one in read_examples(NLU.parent / "data" / "nlu")}
    groups: dict[str, list[Judged]] = defaultdict(list)
    for one in judged:
        groups[family.get(one.intent, "?")].append(one)
    return [
        (name, str(len(held)), f"{scores.accuracy(held):.3f}", f"{scores.macro_f1(held):.3f}")
        for name, held in sorted(groups.items())
    ]


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Rows of text under a title."""
    made = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number and number == len(columns) - 1 else "left")
    for row in rows:
        made.add_row(*row)
    return made


if __name__ == "__main__":
    sys.exit(main())
