"""Teaches the sentence encoder to tell our intents apart, and keeps what it learned in nlu/adapter.safetensors.

    python -m nlu.tuning [--data FOLDER] [--out FILE]

Takes some minutes, so no training of a model does it: `make tune` is run now and then, and the adapter is committed. It
reads the training data alone. Each of the encoder's matrices may change by the product of two thin ones, which keeps
the adapter small and the published meaning of words in place. Every drop of chance comes from the seed.
"""

import argparse
import json
import math
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

from nlu import assets
from nlu.encoder import CHANGE, DOWN, UP, load_tokenizer, published_weights
from nlu.encoder_graph import EPSILON, HEAD_WIDTH, HEADS, LAYERS, MATRICES, NORMS, WIDTH
from nlu.evaluation.examples import BadData, read_examples, read_names
from nlu.evaluation.typos import with_typo
from nlu.spelling import Speller, SpellingCorrector, word_counts

ROOT = Path(__file__).resolve().parents[1]
# Adam, with the usual memories; matrices shrink a little at each step.
MEMORY, SQUARE_MEMORY, TINY, SHRINK = 0.9, 0.999, 1e-8, 0.01
# Steps grow during this share of the training, then become smaller until its end.
WARM_UP = 0.1
LONGEST_GRADIENT = 1.0
# Batches are cut from so many batches' examples in order of length: little padding, and still mixed.
POOL = 20
HEAD = "head"


@dataclass(frozen=True)
class Plan:
    """How to teach.

    `rank`: the thinner side of the two matrices; `rate`: the size of a step, and how many times that for the intents'
    own weights (`head_pace`) and for what is no matrix (`vector_pace`); `dropout`: the share of numbers left out by
    chance; `smoothing`: the share of belief that no example gets; `slips`: how often an example is shown with a typing
    error; `batch`: examples a step.
    """

    epochs: int = 5
    rank: int = 8
    rate: float = 3e-3
    head_pace: float = 1.0
    vector_pace: float = 0.15
    dropout: float = 0.1
    smoothing: float = 0.1
    slips: float = 0.3
    batch: int = 32
    seed: int = 1


class Learner:
    """The encoder as TensorFlow computes it: published matrices, what is learned beside them, and the intents' weights.

    `weights`: how much an example of each intent counts.
    """

    def __init__(self, plan: Plan, weights: np.ndarray) -> None:
        self.plan = plan
        published = published_weights()
        chance = np.random.default_rng(plan.seed)
        self._words = tf.constant(published["embeddings.word_embeddings.weight"])
        self._positions = tf.constant(
            published["embeddings.position_embeddings.weight"] + published["embeddings.token_type_embeddings.weight"][0]
        )
        self._first = [tf.constant(published[f"embeddings.LayerNorm.{kind}"]) for kind in ("weight", "bias")]
        self._matrices: dict[str, tf.Tensor] = {}
        self._published: dict[str, np.ndarray] = {}
        self.learned: dict[str, tf.Variable] = {}
        for layer in range(LAYERS):
            for name in (f"encoder.layer.{layer}.{part}" for part in MATRICES):
                matrix = published[f"{name}.weight"].T
                self._matrices[name] = tf.constant(matrix)
                thin = chance.standard_normal((len(matrix), plan.rank)) / math.sqrt(len(matrix))
                self.learned[name + DOWN] = tf.Variable(thin.astype(np.float32))
                self.learned[name + UP] = tf.Variable(np.zeros((plan.rank, matrix.shape[1]), np.float32))
                self._start(f"{name}.bias", published)
            for part in NORMS:
                self._start(f"encoder.layer.{layer}.{part}.weight", published)
                self._start(f"encoder.layer.{layer}.{part}.bias", published)
        self.learned[f"{HEAD}.matrix"] = tf.Variable(np.zeros((WIDTH, len(weights)), np.float32))
        self.learned[f"{HEAD}.bias"] = tf.Variable(np.zeros(len(weights), np.float32))
        self._weights = tf.constant(weights, tf.float32)
        self._memory = {
            name: (tf.Variable(tf.zeros_like(variable)), tf.Variable(tf.zeros_like(variable)))
            for name, variable in self.learned.items()
        }
        number, whole = tf.TensorSpec([]), tf.TensorSpec([None], tf.int32)
        signature = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([None, None]), whole, number, number]
        self.step = tf.function(self._step, input_signature=signature, autograph=False)

    def _start(self, name: str, published: dict[str, np.ndarray]) -> None:
        self._published[name] = published[name]
        self.learned[name] = tf.Variable(published[name])

    def adapter(self) -> dict[str, np.ndarray]:
        """What was learned of the encoder, by the names that nlu.encoder.adapted reads."""
        changes = {name + CHANGE: self.learned[name].numpy() - before for name, before in self._published.items()}
        thin = {name: variable.numpy() for name, variable in self.learned.items() if name.endswith((DOWN, UP))}
        # half as exact is exact enough, and half as large
        return {name: values.astype(np.float16) for name, values in sorted({**changes, **thin}.items())}

    def _step(self, ids, mask, intents, rate, count) -> None:
        with tf.GradientTape() as tape:
            sentence = self._drop(self.sentence(ids, mask, tf.cast(count, tf.int32)), tf.cast(count, tf.int32), LAYERS)
            scores = tf.matmul(sentence, self.learned[f"{HEAD}.matrix"]) + self.learned[f"{HEAD}.bias"]
            classes = scores.shape[1]
            wanted = tf.one_hot(intents, classes) * (1 - self.plan.smoothing) + self.plan.smoothing / classes
            losses = tf.nn.softmax_cross_entropy_with_logits(wanted, scores)
            loss = tf.reduce_mean(losses * tf.gather(self._weights, intents))
        gradients = tape.gradient(loss, list(self.learned.values()))
        gradients, _ = tf.clip_by_global_norm(gradients, LONGEST_GRADIENT)
        for (name, variable), gradient in zip(self.learned.items(), gradients, strict=True):
            mean, square = self._memory[name]
            mean.assign(MEMORY * mean + (1 - MEMORY) * gradient)
            square.assign(SQUARE_MEMORY * square + (1 - SQUARE_MEMORY) * tf.square(gradient))
            change = (mean / (1 - MEMORY**count)) / (tf.sqrt(square / (1 - SQUARE_MEMORY**count)) + TINY)
            shrink = SHRINK * variable if len(variable.shape) == 2 else 0.0
            variable.assign_sub(rate * self._pace(name) * (change + shrink))

    def _pace(self, name: str) -> float:
        if name.startswith(HEAD):
            return self.plan.head_pace
        return 1.0 if name.endswith((DOWN, UP)) else self.plan.vector_pace

    def sentence(self, ids, mask, count=None):
        """The mean of the last layer's vectors; `count` numbers the random drops, None drops nothing."""
        size, length = tf.shape(ids)[0], tf.shape(ids)[1]
        x = tf.gather(self._words, ids) + self._positions[:length]
        x = _normalised(tf.reshape(x, [-1, WIDTH]), *self._first)
        for layer in range(LAYERS):
            x = self._layer(x, mask, layer, count, (size, length))
        x = tf.reshape(x, [size, length, WIDTH]) * mask[:, :, None]
        return tf.reduce_sum(x, axis=1) / tf.reduce_sum(mask, axis=1, keepdims=True)

    def _layer(self, x, mask, layer, count, shape):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            tf.transpose(tf.reshape(self._linear(x, f"{name}.{part}"), [*shape, HEADS, HEAD_WIDTH]), [0, 2, 1, 3])
            for part in MATRICES[:3]
        )
        looks = tf.matmul(query, key, transpose_b=True) * HEAD_WIDTH**-0.5 + (mask[:, None, None, :] - 1) * 1e9
        mixed = tf.matmul(self._drop(tf.nn.softmax(looks), count, layer, 0), value)
        flat = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [-1, WIDTH])
        added = self._drop(self._linear(flat, f"{name}.{MATRICES[3]}"), count, layer, 1)
        x = self._norm(x + added, f"{name}.{NORMS[0]}")
        wide = tf.nn.gelu(self._linear(x, f"{name}.{MATRICES[4]}"))
        added = self._drop(self._linear(wide, f"{name}.{MATRICES[5]}"), count, layer, 2)
        return self._norm(x + added, f"{name}.{NORMS[1]}")

    def _linear(self, x, name: str):
        thin = tf.matmul(tf.matmul(x, self.learned[name + DOWN]), self.learned[name + UP])
        return tf.matmul(x, self._matrices[name]) + thin + self.learned[f"{name}.bias"]

    def _norm(self, x, name: str):
        return _normalised(x, self.learned[f"{name}.weight"], self.learned[f"{name}.bias"])

    def _drop(self, x, count, layer: int, place: int = 0):
        if count is None:
            return x
        seed = tf.stack([count, self.plan.seed * 1000 + layer * 10 + place])
        return tf.nn.experimental.stateless_dropout(x, self.plan.dropout, seed)


def _normalised(x, weight, bias):
    mean, variance = tf.nn.moments(x, axes=-1, keepdims=True)
    return (x - mean) * tf.math.rsqrt(variance + EPSILON) * weight + bias


def teach(texts: Sequence[str], intents: Sequence[int], speller: Speller, plan: Plan, say=print) -> Learner:
    """Learns from texts as they were typed, read as they were meant. `intents`: numbers from 0 on, none left out."""
    tokenizer = load_tokenizer()
    classes = max(intents) + 1
    counts = np.bincount(intents, minlength=classes)
    learner = Learner(plan, np.sqrt(counts.mean() / counts))
    chance = random.Random(plan.seed)  # noqa: S311 - repeatable on purpose
    steps = plan.epochs * math.ceil(len(texts) / plan.batch)
    count = 0
    for epoch in range(plan.epochs):
        shown = []
        for text, intent in zip(texts, intents, strict=True):
            slipped = with_typo(text, plan.seed + epoch) if chance.random() < plan.slips else text
            shown.append((tokenizer.encode(speller.text(slipped)).ids, intent))
        for batch in _batches(shown, plan.batch, chance):
            count += 1
            rate = plan.rate * min(1.0, count / (steps * WARM_UP)) * max(0.0, 1 - count / steps)
            learner.step(*batch, np.float32(rate), np.float32(count))
        say(f"{epoch + 1} of {plan.epochs} rounds")
    return learner


def _batches(shown: list[tuple[list[int], int]], size: int, chance: random.Random) -> Iterator[tuple[np.ndarray, ...]]:
    chance.shuffle(shown)
    batches = []
    for start in range(0, len(shown), size * POOL):
        pool = sorted(shown[start : start + size * POOL], key=lambda one: len(one[0]))
        batches += [pool[at : at + size] for at in range(0, len(pool), size)]
    chance.shuffle(batches)
    for batch in batches:
        yield *padded([ids for ids, _ in batch]), np.array([intent for _, intent in batch], np.int32)


def padded(rows: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Rows of token ids as one array, and a mask of 1 where there is a token."""
    length = max(map(len, rows))
    ids, mask = np.zeros((len(rows), length), np.int32), np.zeros((len(rows), length), np.float32)
    for row, content in enumerate(rows):
        ids[row, : len(content)], mask[row, : len(content)] = content, 1
    return ids, mask


def main(arguments: list[str]) -> int:
    """Writes the adapter; 1 if the training data cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m nlu.tuning", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT / "data" / "nlu", help="the training data")
    parser.add_argument("--out", type=Path, default=assets.ADAPTER)
    options = parser.parse_args(arguments)
    try:
        examples, names = read_examples(options.data, ROOT), read_names(options.data, ROOT)
    except BadData as problem:
        print(problem, file=sys.stderr)
        return 1
    texts = [example.text for example in examples]
    intents = sorted({example.intent for example in examples})
    counts = word_counts(texts, [name for listed in names.lookups.values() for name in listed])
    speller = Speller(counts, **SpellingCorrector.get_default_config())
    plan = Plan()
    learner = teach(texts, [intents.index(example.intent) for example in examples], speller, plan)
    # one text, because the format keeps several in no particular order
    made = json.dumps({"data": assets.folder_hash(options.data), "examples": len(examples), **asdict(plan)})
    save_file(learner.adapter(), options.out, metadata={"made": made})
    print(f"{options.out}: learned from {len(examples)} examples; now make evaluate, and commit it if it is better")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
