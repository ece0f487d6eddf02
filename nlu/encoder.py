"""Sentences as vectors: messages that mean the same lie close together, however they are spelt.

Runs all-MiniLM-L6-v2 in ONNX Runtime, on one thread, from weights that an installed package carries: nothing is
downloaded, and no torch is needed.
"""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from nlu import assets, encoder_graph

WIDTH = encoder_graph.WIDTH
# as the model was trained; a chat message is far shorter
MAX_TOKENS = 128


def published_weights() -> dict[str, np.ndarray]:
    """All weights of the installed package, float32, by name."""
    return load_file(assets.encoder_folder() / "model.safetensors")


class LowerLayers:
    """What a sentence's tokens are before their last layers; encodes one sentence at a time, whatever else there is."""

    def __init__(self, cache: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(assets.encoder_folder() / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._session = _session(str(graph_file(cache)))

    def vectors(self, text: str) -> np.ndarray:
        """A row of 384 numbers, float32, for each token."""
        ids = np.array(self._tokenizer.encode(text).ids, dtype=np.int64)
        return self._session.run(["vectors"], {"ids": ids})[0]


class UpperLayers:
    """The last layers, with the weights that training left or the published ones."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        self._session = _session(encoder_graph.upper(weights))

    def sentence(self, vectors: np.ndarray) -> np.ndarray:
        """The sentence's vector: float32, 384 numbers, of any length."""
        return self._session.run(["sentence"], {"vectors": vectors})[0]


def _session(graph: str | bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def fingerprint() -> str:
    """What the vectors depend on: the weights, the tokenizer, and how the graphs are built from them."""
    return f"{assets.encoder_hash()[:16]}-{assets.file_hash(Path(encoder_graph.__file__))[:8]}"


def graph_file(cache: Path) -> Path:
    """The lower graph in the cache folder, built on first use; its name tells what it was built from."""
    path = cache / f"encoder-{fingerprint()}.onnx"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=cache, suffix=".unfinished")
        os.close(handle)
        try:
            Path(unfinished).write_bytes(encoder_graph.lower(published_weights()))
            os.replace(unfinished, path)
        except BaseException:
            Path(unfinished).unlink()
            raise
    return path
