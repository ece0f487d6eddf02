"""The sentence encoder (all-MiniLM-L6-v2) as an ONNX graph, built from weights by the names of its package.

BERT for one sentence at a time: token ids in, one vector out: of each layer the first token's numbers and the mean of
all tokens'; the last mean is what the model is published for. Building takes a second or two and is byte for byte
repeatable, so the 90 MB graph is kept beside the models, never inside one.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

LAYERS, HEADS, WIDTH = 6, 12, 384
HEAD_WIDTH = WIDTH // HEADS
# numbers of a sentence's vector
SENTENCE = 2 * LAYERS * WIDTH
OPSET, IR_VERSION = 17, 8
EPSILON = 1e-12
# the matrices of a layer, and what brings its vectors to one length, in the order in which they are used
MATRICES = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)
NORMS = ("attention.output.LayerNorm", "output.LayerNorm")


class _Graph:
    """Nodes and constants in the order in which they are made."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def node(self, kind: str, *inputs: str, **attributes: object) -> str:
        output = f"{kind}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [output], **attributes))
        return output

    def constant(self, value: np.ndarray) -> str:
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, name: str) -> np.ndarray:
        return self.weights[name]

    def linear(self, x: str, name: str, scale: float = 1.0) -> str:
        kernel = self.constant(self.weight(f"{name}.weight").T * np.float32(scale))
        bias = self.constant(self.weight(f"{name}.bias") * np.float32(scale))
        return self.node("Add", self.node("MatMul", x, kernel), bias)

    def normalise(self, x: str, name: str) -> str:
        scale, shift = self.constant(self.weight(f"{name}.weight")), self.constant(self.weight(f"{name}.bias"))
        return self.node("LayerNormalization", x, scale, shift, axis=-1, epsilon=EPSILON)

    def heads(self, x: str, order: list[int]) -> str:
        shape = self.constant(np.array([-1, HEADS, HEAD_WIDTH], dtype=np.int64))
        return self.node("Transpose", self.node("Reshape", x, shape), perm=order)


def build(weights: Mapping[str, np.ndarray], graph_file: Path) -> None:
    """Writes the graph of these weights."""
    graph = _Graph(weights)
    x = _embeddings(graph)
    first = graph.constant(np.array([0], dtype=np.int64))
    found = []
    for layer in range(LAYERS):
        x = _attention(graph, x, f"encoder.layer.{layer}.attention")
        x = _feed_forward(graph, x, f"encoder.layer.{layer}")
        found += [graph.node("Gather", x, first, axis=0), graph.node("ReduceMean", x, axes=[0], keepdims=1)]
    flat = graph.constant(np.array([-1], dtype=np.int64))
    graph.nodes.append(helper.make_node("Reshape", [graph.node("Concat", *found, axis=1), flat], ["sentence"]))
    inputs = [helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"])]
    outputs = [helper.make_tensor_value_info("sentence", TensorProto.FLOAT, [SENTENCE])]
    model = helper.make_model(
        helper.make_graph(graph.nodes, "sentence_encoder", inputs, outputs, graph.constants),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    graph_file.write_bytes(model.SerializeToString(deterministic=True))


def _embeddings(graph: _Graph) -> str:
    words = graph.constant(graph.weight("embeddings.word_embeddings.weight"))
    # every token of a single sentence is of type 0, so its embedding is added to the positions here
    kind = graph.weight("embeddings.token_type_embeddings.weight")[0]
    positions = graph.constant(graph.weight("embeddings.position_embeddings.weight") + kind)
    start = graph.constant(np.array([0], dtype=np.int64))
    used = graph.node("Slice", positions, start, graph.node("Shape", "ids"), start)
    return graph.normalise(graph.node("Add", graph.node("Gather", words, "ids"), used), "embeddings.LayerNorm")


def _attention(graph: _Graph, x: str, name: str) -> str:
    query = graph.heads(graph.linear(x, f"{name}.self.query", HEAD_WIDTH**-0.5), [1, 0, 2])
    key = graph.heads(graph.linear(x, f"{name}.self.key"), [1, 2, 0])
    value = graph.heads(graph.linear(x, f"{name}.self.value"), [1, 0, 2])
    weights = graph.node("Softmax", graph.node("MatMul", query, key), axis=-1)
    mixed = graph.node("Transpose", graph.node("MatMul", weights, value), perm=[1, 0, 2])
    flat = graph.node("Reshape", mixed, graph.constant(np.array([-1, WIDTH], dtype=np.int64)))
    added = graph.node("Add", x, graph.linear(flat, f"{name}.output.dense"))
    return graph.normalise(added, f"{name}.output.LayerNorm")


def _feed_forward(graph: _Graph, x: str, name: str) -> str:
    wide = graph.linear(x, f"{name}.intermediate.dense")
    error = graph.node("Erf", graph.node("Mul", wide, graph.constant(np.float32(0.5**0.5))))
    half = graph.node("Mul", wide, graph.constant(np.float32(0.5)))
    gelu = graph.node("Mul", half, graph.node("Add", error, graph.constant(np.float32(1.0))))
    added = graph.node("Add", x, graph.linear(gelu, f"{name}.output.dense"))
    return graph.normalise(added, f"{name}.output.LayerNorm")
