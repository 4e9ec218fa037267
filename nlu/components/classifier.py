"""The linear classifier as a step of Rasa's pipeline."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, INTENT_RANKING_KEY, PREDICTED_CONFIDENCE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, vstack

from linear import Blend, Recipe, fit


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class CalibratedLinearClassifier(GraphComponent, IntentClassifier):
    """Names the intent of each message, with a chance for every intent there is; the chances add up to 1.

    `strength` and `spelling_share` are those of `linear.Recipe`.
    """

    def __init__(
        self, config: dict[str, Any], storage: ModelStorage, resource: Resource, blend: Blend | None = None
    ) -> None:
        self._config, self._storage, self._resource, self._blend = config, storage, resource, blend

    @classmethod
    def required_components(cls) -> list[type]:
        """It reads what featurizers before it have added."""
        return [Featurizer]

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        """Measured on BANKING77 and on our own data: docs/adr/0002."""
        return {"strength": 16.0, "spelling_share": 0.5}

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> CalibratedLinearClassifier:
        """A classifier that has learnt nothing yet."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> CalibratedLinearClassifier:
        """The classifier as it was when its model was trained."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, Blend.read(folder))

    def train(self, training_data: TrainingData) -> Resource:
        """Learns from every example that has an intent, in an order that does not hang on that of the files."""
        examples = sorted(training_data.intent_examples, key=lambda message: (message.get(INTENT), message.get(TEXT)))
        names = [message.get(INTENT) for message in examples]
        recipe = Recipe(self._config["strength"], self._config["spelling_share"])
        self._blend = fit(*_features(examples), names, recipe)
        with self._storage.write_to(self._resource) as folder:
            self._blend.save(folder)
        return self._resource

    def process(self, messages: list[Message]) -> list[Message]:
        """Sets intent and ranking of every message that has a text."""
        having = [message for message in messages if message.get(TEXT) is not None]
        if not having or self._blend is None:
            return messages
        for message, chances in zip(having, self._blend.chances(*_features(having)), strict=True):
            ranking = _ranking(self._blend.labels, chances)
            message.set(INTENT, ranking[0], add_to_output=True)
            message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        return messages


def _features(messages: list[Message]) -> tuple[NDArray[np.float64], csr_matrix]:
    dense = [message.get_dense_features(TEXT)[1].features for message in messages]
    sparse = [message.get_sparse_features(TEXT)[1].features for message in messages]
    return np.vstack(dense), vstack(sparse, format="csr")


def _ranking(labels: tuple[str, ...], chances: NDArray[np.float64]) -> list[dict[str, Any]]:
    order = np.argsort(-chances, kind="stable")
    return [{INTENT_NAME_KEY: labels[index], PREDICTED_CONFIDENCE_KEY: float(chances[index])} for index in order]
