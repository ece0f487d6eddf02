"""Measures a model on a set of messages, and compares that with the report card before."""

import json
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from nlu.assets import file_hash, folder_hash
from nlu.evaluation import figures, floors
from nlu.evaluation.examples import BadData, read_intents, read_names, read_set, shown
from nlu.evaluation.models import Model, Parsed, one_core
from nlu.evaluation.typos import with_typo

ROOT = Path(__file__).resolve().parents[2]
EXAM = ROOT / "tests" / "nlu" / "exam"
FLOORS = ROOT / "nlu" / "floors.yml"
ENDING = ".tar.gz"


def evaluate(model_file: Path, path: Path, floors_file: Path = FLOORS, skip_unknown: bool = False) -> dict[str, Any]:
    """The report card of a model on a set, as it is written to JSON. BadData if something cannot be read.

    Typing errors are measured on the exam alone.
    """
    path = path.absolute()
    bounds = floors.for_set(floors.read_floors(floors_file, ROOT), path, ROOT)
    examples, skipped = read_set(path, ROOT, read_intents(ROOT / "domain.yml"), skip_unknown)
    names = read_names(ROOT / "data" / "nlu", ROOT)
    typos: list[Parsed] | None = None
    with one_core():
        model = Model(model_file, names)
        found = model.parse([example.text for example in examples])
        if path == EXAM:
            account = [example.text for example in examples if example.intent in figures.ACCOUNT]
            typos = model.parse([with_typo(text) for text in account])
    measured = figures.report(
        examples, found, names, typos, _training_seconds(model_file), model_file.stat().st_size / 1e6
    )
    for figure in measured["metrics"]:
        figure["floor"] = bounds.get(figure["key"])
    missed = floors.misses(measured["metrics"], bounds)
    return {
        "set": {"name": path.stem, "path": shown(path, ROOT), "sha256": _set_hash(path), "skipped": skipped},
        "model": {"name": stem(model_file), "sha256": file_hash(model_file)},
        "data_sha256": folder_hash(ROOT / "data" / "nlu"),
        "revision": _revision(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "missed": [str(miss) for miss in missed],
        **measured,
    }


def stem(model_file: Path) -> str:
    """A model's name without .tar.gz."""
    return model_file.name.removesuffix(ENDING)


def card_file(model_file: Path, set_name: str) -> Path:
    """Where a model's report card goes, without its ending: beside the model; other sets than the exam are named."""
    middle = "" if set_name == EXAM.stem else f".{set_name}"
    return model_file.with_name(f"{stem(model_file)}{middle}.report")


def before(card: dict[str, Any], folder: Path) -> dict[str, Any] | None:
    """The latest report card in the folder of another model on the very same messages, if there is any."""
    found = []
    for file in folder.glob("*.report.json"):
        try:
            other = json.loads(file.read_text(encoding="utf-8"))
            same = other["set"] == card["set"] and other["model"]["name"] != card["model"]["name"]
            found += [(other["date"], other)] if same else []
        except (ValueError, KeyError, TypeError, OSError):
            continue  # half written or of another kind: then there is nothing to compare with
    return max(found, key=lambda one: one[0])[1] if found else None


def changes(card: dict[str, Any], earlier: dict[str, Any]) -> dict[str, Any]:
    """What became of the figures and messages since an earlier report card on the same messages."""

    def wrong(report: dict[str, Any]) -> dict[tuple[str, int], dict[str, Any]]:
        return {(one["file"], one["line"]): one for one in report["mistakes"]}

    now, then = wrong(card), wrong(earlier)
    return {
        "model": earlier["model"]["name"],
        "date": earlier["date"],
        "values": {figure["key"]: figure["value"] for figure in earlier["metrics"]},
        "gained": [mistake for place, mistake in then.items() if place not in now],
        "lost": [mistake for place, mistake in now.items() if place not in then],
    }


def _training_seconds(model_file: Path) -> float | None:
    """What `make train` noted beside the model; None for a model that was trained otherwise."""
    note = model_file.with_name(f"{stem(model_file)}.training.json")
    try:
        return float(json.loads(note.read_text(encoding="utf-8"))["seconds"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as problem:
        raise BadData(
            f"{note}: this should hold the seconds of training; remove it, or train with --force"
        ) from problem


def _set_hash(path: Path) -> str:
    return file_hash(path) if path.is_file() else folder_hash(path)


def _revision() -> str:
    """The commit, with a + where files differ from it; empty where there is no git."""
    try:
        command = ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - all constant
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
