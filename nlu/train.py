"""Trains the model inside Rasa's own environment (`.venv-nlu/bin/python -m nlu.train`, from the project's root).

scripts/setup.py calls it, and decides when, and what the model is called.
"""

# ruff: noqa: T201 (a command that prints)

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import yaml

from nlu.training_data import problems, read_examples, read_intents

NLU = Path(__file__).resolve().parent
ROOT = NLU.parent
QUIET = {
    "RASA_TELEMETRY_ENABLED": "false",
    "RASA_MAX_CACHE_SIZE": "0",  # a cache would make the model depend on what was trained before
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "SQLALCHEMY_SILENCE_UBER_WARNING": "1",
    "LOG_LEVEL": "WARNING",
    "LOG_LEVEL_LIBRARIES": "ERROR",
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),  # same sums, same model
}


def main() -> int:
    """Train one model. Exit status: 0 trained, 1 the data is faulty, 2 Rasa made no model."""
    arguments = read_arguments()
    faults = check(arguments.data)
    if faults:
        print("The training data has faults:", *faults, sep="\n  ", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="training-", dir=arguments.output) as folder:
        trained = train(arguments.data, Path(folder), arguments.name)
        if trained is None:
            print("Rasa made no model.", file=sys.stderr)
            return 2
        shutil.move(trained, arguments.output / f"{arguments.name}.tar.gz")
    return 0


def read_arguments() -> argparse.Namespace:
    """The command line; the folder for the model is made if it is not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "nlu", help="folder with the training examples")
    parser.add_argument("--output", type=Path, default=ROOT / "models", help="folder for the model")
    parser.add_argument("--name", default="e4a-by-hand", help="the model's name, without .tar.gz")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    return arguments


def check(data: Path) -> list[str]:
    """What is wrong with the examples, one sentence each."""
    try:
        examples = read_examples(data)
    except (ValueError, yaml.YAMLError) as error:
        return [str(error)]
    print(f"{len(examples)} examples checked", flush=True)
    return problems(examples, read_intents(NLU / "intents.txt"))


def train(data: Path, folder: Path, name: str) -> str | None:
    """Train with Rasa; the path of the model's archive, or None if there is none."""
    os.environ.update(QUIET)
    os.environ["RASA_CACHE_DIRECTORY"] = str(folder / "cache")
    sys.path.insert(0, str(NLU / "components"))
    from rasa.model_training import train_nlu  # noqa: PLC0415 (it reads the environment set above)
    from rasa.utils.common import configure_logging_and_warnings  # noqa: PLC0415

    configure_logging_and_warnings(logging.WARNING, warn_only_once=True, filter_repeated_logs=True)
    warnings.simplefilter("ignore")
    print("Rasa is loaded; training", flush=True)
    return train_nlu(str(ROOT / "config.yml"), str(data), str(folder), fixed_model_name=name)


if __name__ == "__main__":
    sys.exit(main())
