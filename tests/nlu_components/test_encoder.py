"""The sentence encoder: the right numbers, repeatable, from installed packages alone."""

import numpy as np
import pytest

from nlu import assets, encoder_graph
from nlu.encoder import SentenceEncoder, graph_file

# The graph of the weights that the lock file pins. A change here changes what every model was trained on.
GRAPH = "3aa7479c72668f69"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache folder of its own."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def encoder(cache):
    """The encoder, with its graph built afresh."""
    return SentenceEncoder(cache)


def test_the_numbers_are_those_the_model_is_published_with(encoder):
    expected = [0.0676569, 0.0634959, 0.0487131, 0.0793049]
    assert encoder.encode("This is an example sentence")[:4] == pytest.approx(expected, abs=1e-5)


def test_a_vector_has_length_1_and_type_float32(encoder):
    vector = encoder.encode("locked out")
    assert vector.shape == (384,) and vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_the_same_meaning_lies_closer_than_another(encoder):
    wish, same, other = map(
        encoder.encode, ("I'm locked out of my account", "sign-in is blocked", "It's sunny outside")
    )
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
