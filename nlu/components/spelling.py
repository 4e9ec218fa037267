"""Words and runs of characters as a Rasa featurizer: exact wording, misspellings, and languages no encoder has learnt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.featurizer import Featurizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer

from wording import plain, spelt_out

COUNTED = ("runs", "words")


def vectoriser(counted: str, vocabulary: dict[str, int] | None = None) -> TfidfVectorizer:
    """Counts words and pairs of words as spelt out, or runs of 2 to 5 characters as typed, weighted by rarity."""
    common: dict[str, Any] = {"lowercase": False, "sublinear_tf": True, "dtype": np.float32, "vocabulary": vocabulary}
    if counted == "words":
        return TfidfVectorizer(preprocessor=spelt_out, ngram_range=(1, 2), token_pattern=r"\S+", **common)
    fewest = 1 if vocabulary else 2  # a run seen once would be learnt by heart
    return TfidfVectorizer(preprocessor=plain, analyzer="char_wb", ngram_range=(2, 5), min_df=fewest, **common)


def save(counted: str, learnt: TfidfVectorizer, folder: Path) -> None:
    """Write what a vectoriser has learnt into the folder."""
    terms = sorted(learnt.vocabulary_, key=learnt.vocabulary_.__getitem__)
    (folder / f"{counted}.json").write_text(json.dumps(terms, ensure_ascii=False), encoding="utf-8")
    np.save(folder / f"{counted}.npy", learnt.idf_)


def read(counted: str, folder: Path) -> TfidfVectorizer:
    """The vectoriser that `save` wrote."""
    terms = json.loads((folder / f"{counted}.json").read_text(encoding="utf-8"))
    learnt = vectoriser(counted, {term: index for index, term in enumerate(terms)})
    learnt.idf_ = np.load(folder / f"{counted}.npy", allow_pickle=False)
    return learnt


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SpellingFeaturizer(Featurizer[csr_matrix], GraphComponent):
    """Learns the words and runs of characters of the training examples; adds one sparse row to each message."""

    def __init__(
        self,
        name: str,
        config: dict[str, Any],
        storage: ModelStorage,
        resource: Resource,
        learnt: list[TfidfVectorizer] | None = None,
    ) -> None:
        super().__init__(name, config)
        self._storage, self._resource = storage, resource
        self._vectorisers = learnt or [vectoriser(counted) for counted in COUNTED]

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> SpellingFeaturizer:
        """A featurizer that has learnt nothing yet."""
        return cls(execution_context.node_name, config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **_: Any,
    ) -> SpellingFeaturizer:
        """The featurizer as it was when its model was trained."""
        with model_storage.read_from(resource) as folder:
            learnt = [read(counted, folder) for counted in COUNTED]
        return cls(execution_context.node_name, config, model_storage, resource, learnt)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing can be configured."""

    def train(self, training_data: TrainingData) -> Resource:
        """Learns which words and runs there are and how rare each is."""
        texts = [message.get(TEXT) for message in training_data.intent_examples]
        with self._storage.write_to(self._resource) as folder:
            for counted, learning in zip(COUNTED, self._vectorisers, strict=True):
                save(counted, learning.fit(texts), folder)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Adds the rows to all training examples."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds a row to every message that has a text, if only an empty one."""
        having = [message for message in messages if message.get(TEXT) is not None]
        if not having:
            return messages
        texts = [message.get(TEXT) for message in having]
        rows = hstack([learnt.transform(texts) for learnt in self._vectorisers], format="csr")
        for message, row in zip(having, rows, strict=True):
            message.add_features(Features(row, FEATURE_TYPE_SENTENCE, TEXT, self._identifier))
        return messages
