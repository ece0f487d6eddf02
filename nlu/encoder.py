"""Sentences as vectors: messages that mean the same lie close together, however they are spelt.

Runs all-MiniLM-L6-v2 in ONNX Runtime, on one thread, from weights that an installed package carries and from our
adapter (nlu/tuning.py): nothing is downloaded, and no torch is needed.
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

# as the model was trained; a chat message is far shorter
MAX_TOKENS = 128
# In an adapter: what is added to a weight, or the two thin matrices whose product is added to <name>.weight.
CHANGE, DOWN, UP = ".change", ".down", ".up"


class SentenceEncoder:
    """Encodes one sentence at a time, so that a vector never depends on what else was encoded with it."""

    def __init__(self, cache: Path) -> None:
        self._tokenizer = load_tokenizer()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        graph = str(graph_file(cache))
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def encode(self, text: str) -> np.ndarray:
        """The sentence's vector: float32, nlu.encoder_graph.SENTENCE numbers, those of the last layer last."""
        ids = np.array(self._tokenizer.encode(text).ids, dtype=np.int64)
        return self._session.run(["sentence"], {"ids": ids})[0]


def load_tokenizer() -> Tokenizer:
    """Cuts a text into the tokens that the encoder knows, MAX_TOKENS at most."""
    tokenizer = Tokenizer.from_file(str(assets.encoder_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def published_weights() -> dict[str, np.ndarray]:
    """All weights of the installed package, float32, by name."""
    return load_file(assets.encoder_folder() / "model.safetensors")


def adapted(weights: Mapping[str, np.ndarray], adapter: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The weights with an adapter's changes, float32."""
    changed = dict(weights)
    for key, values in adapter.items():
        values = values.astype(np.float32)
        if key.endswith(CHANGE):
            name = key.removesuffix(CHANGE)
            changed[name] = weights[name] + values
        elif key.endswith(DOWN):
            name = key.removesuffix(DOWN)
            product = values @ adapter[name + UP].astype(np.float32)
            changed[f"{name}.weight"] = weights[f"{name}.weight"] + product.T
    return changed


def fingerprint() -> str:
    """What the vectors depend on: the weights, the tokenizer, the adapter, and how the graph is built from them."""
    code = [assets.file_hash(Path(file))[:8] for file in (__file__, encoder_graph.__file__)]
    return "-".join((assets.encoder_hash()[:16], assets.adapter_hash()[:8], *code))


def graph_file(cache: Path) -> Path:
    """The encoder's graph in the cache folder, built on first use; its name tells what it was built from."""
    path = cache / f"encoder-{fingerprint()}.onnx"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=cache, suffix=".unfinished")
        os.close(handle)
        try:
            encoder_graph.build(adapted(published_weights(), load_file(assets.ADAPTER)), Path(unfinished))
            os.replace(unfinished, path)
        except BaseException:
            Path(unfinished).unlink()
            raise
    return path
