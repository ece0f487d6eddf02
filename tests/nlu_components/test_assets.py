"""Language assets are known by content, to the launcher and to Rasa."""

import os

import pytest
from rasa.engine.training.fingerprinting import calculate_fingerprint_key

from nlu import assets
from nlu.language import SpacyNLP
from nlu.sentence_featurizer import SentenceFeaturizer


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Two packages on the path and an adapter, in place of the real ones."""
    for name, file in (("some_spacy", "tagger"), ("some_encoder", "model/weights"), ("ours", "adapter")):
        path = tmp_path / name / file
        path.parent.mkdir(parents=True)
        path.write_bytes(b"one")
        (tmp_path / name / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(assets, "SPACY_MODEL", "some_spacy")
    monkeypatch.setattr(assets, "ENCODER_PACKAGE", "some_encoder")
    monkeypatch.setattr(assets, "ADAPTER", tmp_path / "ours" / "adapter")
    monkeypatch.setattr(assets.spacy_hash, "__defaults__", ("some_spacy",))
    assets.folder_hash.cache_clear()
    yield tmp_path
    assets.folder_hash.cache_clear()


def changed(file, content=b"two"):
    """Changes a file, size and time of change aside."""
    times = os.stat(file)
    file.write_bytes(content)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assets.folder_hash.cache_clear()


@pytest.mark.parametrize("file", ["some_spacy/tagger", "some_encoder/model/weights", "ours/adapter"])
def test_a_changed_byte_changes_the_hash(installed, file):
    before = assets.content_hash()
    assert assets.content_hash() == before
    changed(installed / file)
    assert assets.content_hash() != before


def test_compiled_python_does_not_count(installed):
    before = assets.content_hash()
    changed_cache = installed / "some_spacy" / "__pycache__" / "x.cpython-310.pyc"
    changed_cache.parent.mkdir()
    changed_cache.write_bytes(b"compiled")
    assets.folder_hash.cache_clear()
    assert assets.content_hash() == before


def test_a_missing_package_is_named_with_the_remedy(monkeypatch):
    monkeypatch.setattr(assets, "ENCODER_PACKAGE", "not_installed_here")
    with pytest.raises(assets.AssetMissing, match=r"not_installed_here is not installed; install requirements\.lock"):
        assets.content_hash()


@pytest.mark.parametrize(
    "component, config, file",
    [
        (SpacyNLP, {"model": "some_spacy"}, "some_spacy/tagger"),
        (SentenceFeaturizer, {"cache": "var/cache"}, "some_encoder/model/weights"),
        (SentenceFeaturizer, {"cache": "var/cache"}, "ours/adapter"),
    ],
)
def test_rasa_trains_again_when_an_asset_changes(installed, component, config, file):
    before = calculate_fingerprint_key(component, config, {})
    changed(installed / file)
    assert calculate_fingerprint_key(component, config, {}) != before
