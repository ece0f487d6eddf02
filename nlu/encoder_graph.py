"""The sentence encoder (all-MiniLM-L6-v2) as an ONNX graph, built from the weights in its package.

BERT with mean pooling, for one sentence at a time: token ids in, one vector of length 1 out. Building takes a second
or two and is byte for byte repeatable, so the 90 MB graph is kept beside the models, never inside one.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

LAYERS, HEADS, WIDTH = 6, 12, 384
HEAD_WIDTH = WIDTH // HEADS
OPSET, IR_VERSION = 17, 8
EPSILON = 1e-12


class _Graph:
    """Nodes and constants in the order in which they are made."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
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


def build(weights_file: Path, graph_file: Path) -> None:
    """Writes the graph for the given safetensors file."""
    graph = _Graph(load_file(weights_file))
    x = _embeddings(graph)
    for layer in range(LAYERS):
        x = _attention(graph, x, f"encoder.layer.{layer}.attention")
        x = _feed_forward(graph, x, f"encoder.layer.{layer}")
    pooled = graph.node("ReduceMean", x, axes=[0], keepdims=0)
    length = graph.node("ReduceL2", pooled, axes=[0], keepdims=1)
    graph.nodes.append(helper.make_node("Div", [pooled, length], ["sentence"]))
    inputs = [helper.make_tensor_value_info("ids", TensorProto.INT64, ["tokens"])]
    outputs = [helper.make_tensor_value_info("sentence", TensorProto.FLOAT, [WIDTH])]
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
