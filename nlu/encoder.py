"""Sentences as vectors: messages that mean the same lie close together, however they are spelt.

Runs all-MiniLM-L6-v2 in ONNX Runtime, on one thread, from weights that an installed package carries: nothing is
downloaded, and no torch is needed.
"""

import os
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from nlu import assets, encoder_graph

WIDTH = encoder_graph.WIDTH
# as the model was trained; a chat message is far shorter
MAX_TOKENS = 128


class SentenceEncoder:
    """Encodes one sentence at a time, so that a vector never depends on what else was encoded with it."""

    def __init__(self, cache: Path) -> None:
        folder = assets.encoder_folder()
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        graph = str(graph_file(cache))
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def encode(self, text: str) -> np.ndarray:
        """The sentence's vector: float32, 384 numbers, length 1."""
        ids = np.array(self._tokenizer.encode(text).ids, dtype=np.int64)
        return self._session.run(["sentence"], {"ids": ids})[0]


def fingerprint() -> str:
    """What the vectors depend on: the weights, the tokenizer, and how the graph is built from them."""
    return f"{assets.encoder_hash()[:16]}-{assets.file_hash(Path(encoder_graph.__file__))[:8]}"


def graph_file(cache: Path) -> Path:
    """The encoder's graph in the cache folder, built on first use; its name tells what it was built from."""
    path = cache / f"encoder-{fingerprint()}.onnx"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=cache, suffix=".unfinished")
        os.close(handle)
        try:
            encoder_graph.build(assets.encoder_folder() / "model.safetensors", Path(unfinished))
            os.replace(unfinished, path)
        except BaseException:
            Path(unfinished).unlink()
            raise
    return path
