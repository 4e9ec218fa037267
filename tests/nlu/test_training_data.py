"""What is wrong with training data is named with its place; ours is right, and has nothing of what it is judged by."""

from __future__ import annotations

from pathlib import Path

import pytest

from actions import HANDLERS
from bot.settings import ROOT
from nlu.evaluate import unseen
from nlu.training_data import FEWEST, Example, problems, read_examples, read_intents, same

DATA = ROOT / "data" / "nlu"
INTENTS = read_intents(ROOT / "nlu" / "intents.txt")
FILE = """version: "3.1"

nlu:
- intent: greet
  examples: |
    - hello
    - "quoted": with a colon

    - hiya
- intent: thanks
  examples: |
    - ta
"""


def enough(intent: str) -> list[Example]:
    return [Example(f"{intent} {number}", intent, "a.yml", number) for number in range(FEWEST)]


def test_our_own_examples_have_no_faults() -> None:
    assert problems(read_examples(DATA), INTENTS) == []


def test_there_are_56_intents_and_each_has_a_handler() -> None:
    assert len(INTENTS) == 56
    assert set(HANDLERS) >= INTENTS


def test_the_model_is_not_judged_by_what_it_was_trained_on() -> None:
    trained_on = {same(example.text) for example in read_examples(DATA)}
    held_out = ROOT / "tests" / "nlu" / "held_out.jsonl"
    judged_by = [same(line["text"]) for line in unseen(held_out)]
    assert not trained_on & set(judged_by)
    assert len(judged_by) > 0.9 * len(held_out.read_text(encoding="utf-8").splitlines())


def test_an_example_knows_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(FILE, encoding="utf-8")
    assert read_examples(tmp_path) == [
        Example("hello", "greet", "a.yml", 6),
        Example('"quoted": with a colon', "greet", "a.yml", 7),
        Example("hiya", "greet", "a.yml", 9),
        Example("ta", "thanks", "a.yml", 12),
    ]


@pytest.mark.parametrize("text", ["", "just words", "nlu: 3", "nlu:\n- intent: greet\n", "- a\n- b\n"])
def test_a_file_of_another_form_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "odd.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"odd\.yml is not Rasa training data"):
        read_examples(tmp_path)


def test_an_intent_without_examples_is_named() -> None:
    assert problems(enough("greet"), frozenset({"greet", "thanks"})) == ["thanks has no examples"]


def test_an_intent_that_nobody_knows_is_named_with_its_place() -> None:
    assert problems([*enough("greet"), *enough("gret")], frozenset({"greet"})) == ["a.yml:0: gret is not an intent"]


def test_an_intent_with_too_few_examples_is_named() -> None:
    assert problems(enough("greet")[1:], frozenset({"greet"})) == [f"greet has only {FEWEST - 1} examples"]


def test_a_text_that_is_two_things_is_named_with_both_places() -> None:
    torn = [Example("Ta  love", "greet", "a.yml", 90), Example("ta love", "thanks", "b.yml", 7)]
    assert problems([*enough("greet"), *enough("thanks"), *torn], frozenset({"greet", "thanks"})) == [
        "'Ta  love' is several things: greet (a.yml:90), thanks (b.yml:7)"
    ]


def test_a_text_that_is_the_same_thing_twice_is_no_fault() -> None:
    twice = [Example("Ta", "thanks", "a.yml", 90), Example("ta", "thanks", "b.yml", 7)]
    assert problems([*enough("thanks"), *twice], frozenset({"thanks"})) == []


def test_what_rasa_would_read_as_an_entity_is_named() -> None:
    marked = Example("see [this](link)", "greet", "a.yml", 3)
    assert problems([*enough("greet"), marked], frozenset({"greet"})) == [
        "a.yml:3: square brackets before a bracket mean an entity to Rasa"
    ]
