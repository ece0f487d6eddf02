"""Teaches the sentence encoder's last layers to tell the intents apart (TensorFlow, while training alone).

The layers below stay as published, so each example goes through them once. Every drop of chance comes from the seed,
and nothing of TensorFlow's global state is touched: the same examples give the same weights.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf

from nlu.encoder_graph import EPSILON, HEAD_WIDTH, HEADS, LAYERS, LOWER, WIDTH

# Adam, with the usual memories; weight matrices shrink a little at each step.
MEMORY, SQUARE_MEMORY, TINY, SHRINK = 0.9, 0.999, 1e-8, 0.01
# Steps grow during this share of the training, then become smaller until its end.
WARM_UP = 0.1
LONGEST_GRADIENT = 1.0
# Batches are cut from so many batches' examples in order of length: little padding, and still mixed.
POOL = 20
PARTS = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
PARTS += ("attention.output.LayerNorm", "intermediate.dense", "output.dense", "output.LayerNorm")
KINDS = ("weight", "bias")


@dataclass(frozen=True)
class Plan:
    """How to teach.

    `rate`: the size of a step, `head_rate`: the same for the intents' own weights; `dropout`: the share
    of numbers left out by chance; `smoothing`: the share of belief that no example gets; `slips`: how often an example
    is shown with its typing error; `batch`: examples a step.
    """

    epochs: int
    rate: float
    head_rate: float
    dropout: float
    smoothing: float
    slips: float
    batch: int = 32
    seed: int = 1


@dataclass
class Taught:
    """The last layers' weights by name, and the weights that make scores of a sentence's vector."""

    layers: dict[str, np.ndarray]
    head: np.ndarray
    bias: np.ndarray


@dataclass
class _Example:
    intent: int
    plain: np.ndarray
    slipped: np.ndarray


@dataclass
class _Learner:
    """The layers as TensorFlow variables; `chance` counts the random drops, so that no two are alike."""

    plan: Plan
    variables: dict[str, tf.Variable]
    weights: tf.Tensor
    memory: dict[str, tuple[tf.Variable, tf.Variable]] = field(init=False)

    def __post_init__(self) -> None:
        self.memory = {
            name: (tf.Variable(tf.zeros_like(variable)), tf.Variable(tf.zeros_like(variable)))
            for name, variable in self.variables.items()
        }
        vectors, mask = tf.TensorSpec([None, None, WIDTH]), tf.TensorSpec([None, None])
        number, whole = tf.TensorSpec([]), tf.TensorSpec([None], tf.int32)
        signature = [vectors, mask, whole, number, number]
        self.step = tf.function(self._step, input_signature=signature, autograph=False)

    def _step(self, vectors, mask, intents, rate, count) -> None:
        with tf.GradientTape() as tape:
            scores = self._scores(vectors, mask, tf.cast(count, tf.int32))
            classes = scores.shape[1]
            wanted = tf.one_hot(intents, classes) * (1 - self.plan.smoothing) + self.plan.smoothing / classes
            losses = tf.nn.softmax_cross_entropy_with_logits(wanted, scores)
            loss = tf.reduce_mean(losses * tf.gather(self.weights, intents))
        gradients = tape.gradient(loss, list(self.variables.values()))
        gradients, _ = tf.clip_by_global_norm(gradients, LONGEST_GRADIENT)
        for (name, variable), gradient in zip(self.variables.items(), gradients, strict=True):
            mean, square = self.memory[name]
            mean.assign(MEMORY * mean + (1 - MEMORY) * gradient)
            square.assign(SQUARE_MEMORY * square + (1 - SQUARE_MEMORY) * tf.square(gradient))
            change = (mean / (1 - MEMORY**count)) / (tf.sqrt(square / (1 - SQUARE_MEMORY**count)) + TINY)
            shrink = SHRINK * variable if len(variable.shape) == 2 else 0.0
            own = self.plan.head_rate / self.plan.rate if name.startswith("head") else 1.0
            variable.assign_sub(rate * own * (change + shrink))

    def _scores(self, x, mask, count):
        for layer in range(LOWER, LAYERS):
            x = self._layer(x, mask, layer, count)
        pooled = tf.reduce_sum(x * mask[:, :, None], axis=1) / tf.reduce_sum(mask, axis=1, keepdims=True)
        dropped = self._drop(pooled, count, LAYERS)
        return tf.matmul(dropped, self.variables["head.weight"]) + self.variables["head.bias"]

    def _layer(self, x, mask, layer, count):
        name = f"encoder.layer.{layer}"
        size, length = tf.shape(x)[0], tf.shape(x)[1]
        query, key, value = (
            tf.transpose(tf.reshape(self._linear(x, f"{name}.{part}"), [size, length, HEADS, HEAD_WIDTH]), [0, 2, 1, 3])
            for part in PARTS[:3]
        )
        looks = tf.matmul(query, key, transpose_b=True) * HEAD_WIDTH**-0.5 + (mask[:, None, None, :] - 1) * 1e9
        mixed = tf.matmul(self._drop(tf.nn.softmax(looks), count, layer, 0), value)
        flat = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [size, length, WIDTH])
        added = self._drop(self._linear(flat, f"{name}.attention.output.dense"), count, layer, 1)
        x = self._normalised(x + added, f"{name}.attention.output.LayerNorm")
        wide = tf.nn.gelu(self._linear(x, f"{name}.intermediate.dense"))
        added = self._drop(self._linear(wide, f"{name}.output.dense"), count, layer, 2)
        return self._normalised(x + added, f"{name}.output.LayerNorm")

    def _drop(self, x, count, layer: int, place: int = 0):
        seed = tf.stack([count, self.plan.seed * 1000 + layer * 10 + place])
        return tf.nn.experimental.stateless_dropout(x, self.plan.dropout, seed)

    def _linear(self, x, name: str):
        return tf.matmul(x, self.variables[f"{name}.weight"], transpose_b=True) + self.variables[f"{name}.bias"]

    def _normalised(self, x, name: str):
        mean, variance = tf.nn.moments(x, axes=-1, keepdims=True)
        scaled = (x - mean) * tf.math.rsqrt(variance + EPSILON)
        return scaled * self.variables[f"{name}.weight"] + self.variables[f"{name}.bias"]


def teach(
    published: dict[str, np.ndarray],
    plain: Sequence[np.ndarray],
    slipped: Sequence[np.ndarray],
    intents: Sequence[int],
    plan: Plan,
) -> Taught:
    """Learns from the lower layers' vectors of each example, as written and with a typing error.

    `intents` are numbers from 0 on, none left out; rare ones count more.
    """
    classes = max(intents) + 1
    counts = np.bincount(intents, minlength=classes)
    names = [f"encoder.layer.{n}.{part}.{kind}" for n in range(LOWER, LAYERS) for part in PARTS for kind in KINDS]
    variables = {name: tf.Variable(published[name]) for name in names}
    variables |= {"head.weight": tf.Variable(tf.zeros([WIDTH, classes])), "head.bias": tf.Variable(tf.zeros([classes]))}
    learner = _Learner(plan, variables, tf.constant(np.sqrt(counts.mean() / counts), tf.float32))
    examples = [_Example(*each) for each in zip(intents, plain, slipped, strict=True)]
    chance = random.Random(plan.seed)  # noqa: S311 - repeatable on purpose
    steps = plan.epochs * math.ceil(len(examples) / plan.batch)
    count = 0
    for _ in range(plan.epochs):
        for batch in _batches(examples, plan, chance):
            count += 1
            rate = plan.rate * min(1.0, count / (steps * WARM_UP)) * max(0.0, 1 - count / steps)
            learner.step(*batch, np.float32(rate), np.float32(count))
    learned = {name: variable.numpy() for name, variable in variables.items()}
    head, bias = learned.pop("head.weight"), learned.pop("head.bias")
    return Taught(learned, head, bias)


def _batches(examples: list[_Example], plan: Plan, chance: random.Random):
    shown = [
        (example.slipped if chance.random() < plan.slips else example.plain, example.intent) for example in examples
    ]
    chance.shuffle(shown)
    batches = []
    for start in range(0, len(shown), plan.batch * POOL):
        pool = sorted(shown[start : start + plan.batch * POOL], key=lambda one: len(one[0]))
        batches += [pool[at : at + plan.batch] for at in range(0, len(pool), plan.batch)]
    chance.shuffle(batches)
    for batch in batches:
        length = max(len(vectors) for vectors, _ in batch)
        padded, mask = np.zeros((len(batch), length, WIDTH), np.float32), np.zeros((len(batch), length), np.float32)
        for row, (vectors, _) in enumerate(batch):
            padded[row, : len(vectors)], mask[row, : len(vectors)] = vectors, 1
        yield padded, mask, np.array([intent for _, intent in batch], np.int32)
