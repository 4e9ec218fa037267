"""A linear classifier whose confidence means something: two views of a message, blended, then made honest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

Dense = NDArray[np.float64]
Labels = NDArray[np.int64]
Names = NDArray[np.str_]
SEED = 20_261_123
FOLDS = 3


@dataclass(frozen=True)
class View:
    """One linear model: a weight for each feature (row) and label (column), and a bias for each label."""

    weights: Dense
    bias: Dense

    def log_chances(self, rows: Dense | csr_matrix) -> Dense:
        """The logarithm of each label's chance, one row for each message."""
        return log_softmax(np.asarray(rows @ self.weights) + self.bias, axis=1)


@dataclass(frozen=True)
class Blend:
    """A view of the meaning and a view of the spelling. `spelling_share` is the second one's part, from 0 to 1."""

    labels: tuple[str, ...]
    meaning: View
    spelling: View
    spelling_share: float
    temperature: float

    def chances(self, meaning: Dense, spelling: csr_matrix) -> Dense:
        """The chance of each label, in the order of `labels`; each row adds up to 1."""
        return softmax(self.mixed(meaning, spelling) / self.temperature, axis=1)

    def mixed(self, meaning: Dense, spelling: csr_matrix) -> Dense:
        """The logarithm of each label's chance, up to a constant for each row, before the temperature."""
        own = 1 - self.spelling_share
        return own * self.meaning.log_chances(meaning) + self.spelling_share * self.spelling.log_chances(spelling)

    def save(self, folder: Path) -> None:
        """Write everything the blend is made of into the folder."""
        about = {"labels": self.labels, "spelling_share": self.spelling_share, "temperature": self.temperature}
        (folder / "blend.json").write_text(json.dumps(about), encoding="utf-8")
        for name, view in (("meaning", self.meaning), ("spelling", self.spelling)):
            np.save(folder / f"{name}_weights.npy", view.weights.astype(np.float32))
            np.save(folder / f"{name}_bias.npy", view.bias)

    @classmethod
    def read(cls, folder: Path) -> Blend:
        """The blend that `save` wrote."""
        about = json.loads((folder / "blend.json").read_text(encoding="utf-8"))
        meaning, spelling = (_read_view(folder, name) for name in ("meaning", "spelling"))
        return cls(tuple(about["labels"]), meaning, spelling, about["spelling_share"], about["temperature"])


def _read_view(folder: Path, name: str) -> View:
    weights, bias = (np.load(folder / f"{name}_{part}.npy", allow_pickle=False) for part in ("weights", "bias"))
    return View(weights, bias)


def fit_meaning(rows: Dense, names: Names, strength: float) -> View:
    """All labels against each other: slower, and better where features are dense."""
    return _view(LogisticRegression(C=strength, max_iter=300, tol=1e-3, random_state=SEED).fit(rows, names))


def fit_spelling(rows: csr_matrix, names: Names, strength: float) -> View:
    """Each label against the rest: ten times as fast where features are many and sparse, and as good."""
    return _view(LogisticRegression(C=strength, solver="liblinear", tol=1e-3, random_state=SEED).fit(rows, names))


def _view(model: LogisticRegression) -> View:
    weights, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn keeps one row of weights for two labels
        weights, bias = np.vstack([-weights, weights]) / 2, np.concatenate([-bias, bias]) / 2
    return View(np.ascontiguousarray(weights.T), bias)  # else each message would copy all the weights


@dataclass(frozen=True)
class Recipe:
    """How to fit: `strength` is C of the logistic regressions (higher follows the examples more closely)."""

    strength: float
    spelling_share: float


def fit(meaning: Dense, spelling: csr_matrix, names: list[str], recipe: Recipe) -> Blend:
    """Fit both views on all examples, and the temperature on examples that the views it judges had not seen.

    The same examples in the same order give the same blend. Raises ValueError when there are fewer than two labels,
    or fewer than FOLDS examples of one.
    """
    labels, wanted = np.unique(np.array(names), return_inverse=True)
    if len(labels) < 2 or np.bincount(wanted).min() < FOLDS:
        raise ValueError(f"needs two labels or more, and {FOLDS} examples or more of each")
    blend = _fit_once(meaning, spelling, np.array(names), recipe)
    unseen = np.empty((len(names), len(labels)))
    for train, test in _folds(wanted):
        trial = _fit_once(meaning[train], spelling[train], np.array(names)[train], recipe)
        unseen[test] = trial.mixed(meaning[test], spelling[test])
    return replace(blend, temperature=temperature(unseen, wanted))


def _fit_once(meaning: Dense, spelling: csr_matrix, names: Names, recipe: Recipe) -> Blend:
    labels = tuple(np.unique(names).tolist())
    views = fit_meaning(meaning, names, recipe.strength), fit_spelling(spelling, names, recipe.strength)
    return Blend(labels, *views, recipe.spelling_share, temperature=1.0)


def _folds(wanted: Labels) -> Iterator[tuple[Labels, Labels]]:
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=SEED)
    return folds.split(np.zeros(len(wanted)), wanted)


def temperature(table: Dense, wanted: Labels) -> float:
    """What to divide log chances by so that they are least surprised by the truth."""

    def surprise(log_divisor: float) -> float:
        return float(-log_softmax(table / np.exp(log_divisor), axis=1)[np.arange(len(wanted)), wanted].mean())

    return float(np.exp(minimize_scalar(surprise, bounds=(-3, 3), method="bounded").x))
