"""The sentence encoder: the right numbers, repeatable, from installed packages alone."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from nlu import assets, encoder_graph
from nlu.encoder import CHANGE, DOWN, UP, SentenceEncoder, adapted, graph_file
from nlu.encoder_graph import SENTENCE, WIDTH

# The graph of the weights that the lock file pins. A change here changes what every model was trained on.
GRAPH = "834d4dc497c8645c"


@pytest.fixture(scope="module", autouse=True)
def nothing_taught(tmp_path_factory):
    """An adapter that changes nothing, so that the encoder is as it was published."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assets, "ADAPTER", tmp_path_factory.mktemp("adapter") / "adapter.safetensors")
        save_file({}, assets.ADAPTER)
        yield


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache folder of its own."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def encoder(cache):
    """The encoder, with its graph built afresh."""
    return SentenceEncoder(cache)


def meaning(encoder, text):
    """The part of the vector that the model is published for, of length 1."""
    mean = encoder.encode(text)[-WIDTH:]
    return mean / np.linalg.norm(mean)


def test_the_numbers_are_those_the_model_is_published_with(encoder):
    expected = [0.0676569, 0.0634959, 0.0487131, 0.0793049]
    assert meaning(encoder, "This is an example sentence")[:4] == pytest.approx(expected, abs=1e-5)


def test_a_vector_has_a_mean_and_a_first_token_of_each_layer(encoder):
    vector = encoder.encode("locked out")
    assert vector.shape == (SENTENCE,) and vector.dtype == np.float32
    # each of the twelve is of its own
    assert len({part.tobytes() for part in vector.reshape(-1, WIDTH)}) == 12


def test_the_same_meaning_lies_closer_than_another(encoder):
    texts = ("I'm locked out of my account", "sign-in is blocked", "It's sunny outside")
    wish, same, other = (meaning(encoder, text) for text in texts)
    assert wish @ same > wish @ other + 0.2


@pytest.mark.parametrize("text", ["", " ", "🙂", "x" * 5000, "word " * 500, "日本語", "\u202etrick\x00"])
def test_no_text_is_too_strange(encoder, text):
    assert np.isfinite(encoder.encode(text)).all()


def test_a_vector_does_not_depend_on_what_was_encoded_before(encoder):
    first = encoder.encode("unlock my account")
    encoder.encode("word " * 200)
    assert np.array_equal(first, encoder.encode("unlock my account"))


def test_the_graph_is_built_once_and_is_byte_for_byte_the_same(cache, encoder, tmp_path):
    built = graph_file(cache)
    assert [path for path in cache.iterdir()] == [built]
    assert assets.file_hash(built).startswith(GRAPH)
    assert assets.file_hash(graph_file(tmp_path)) == assets.file_hash(built)


def test_a_build_that_fails_leaves_nothing_behind(tmp_path, monkeypatch):
    def no_space(weights, graph):
        graph.write_bytes(b"half")
        raise OSError("No space left on device")

    monkeypatch.setattr(encoder_graph, "build", no_space)
    with pytest.raises(OSError, match="No space"):
        graph_file(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_adapter_adds_to_the_weights(tmp_path, encoder, monkeypatch):
    weights = {"a.weight": np.ones((2, 3), np.float32), "a.bias": np.zeros(2, np.float32)}
    down, up = np.array([[1], [2], [3]], np.float16), np.array([[10, 20]], np.float16)
    changed = adapted(weights, {"a" + DOWN: down, "a" + UP: up, "a.bias" + CHANGE: np.array([0.5, 0], np.float16)})
    assert changed["a.weight"].tolist() == [[11, 21, 31], [21, 41, 61]]
    assert changed["a.bias"].tolist() == [0.5, 0]
    other = tmp_path / "other.safetensors"
    save_file({"encoder.layer.5.output.LayerNorm.bias" + CHANGE: np.ones(384, np.float16)}, other)
    monkeypatch.setattr(assets, "ADAPTER", other)
    assert not np.allclose(SentenceEncoder(tmp_path).encode("locked"), encoder.encode("locked"), atol=1e-3)
