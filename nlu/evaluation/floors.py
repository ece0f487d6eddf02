"""Reads nlu/floors.yml, and says which figures lie below their floors (or above their ceilings)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlu.evaluation.examples import BadData, read_yaml, shown
from nlu.evaluation.figures import METRICS


@dataclass(frozen=True)
class Miss:
    """A figure on the wrong side of its floor; `value` is None where nothing was measured."""

    title: str
    value: float | None
    floor: float
    lower_is_better: bool

    def __str__(self) -> str:
        bound = "ceiling" if self.lower_is_better else "floor"
        value = "not measured" if self.value is None else f"{self.value:.3f}"
        return f"{self.title}: {value}, but the {bound} is {self.floor:g}"


def read_floors(file: Path, root: Path) -> dict[str, dict[str, float]]:
    """{path of a set: {metric: floor}}. BadData names file, line and key of whatever cannot be a floor."""
    name = shown(file, root)
    content = read_yaml(file, name)
    floors: dict[str, dict[str, float]] = {}
    for path, listed in content.items():
        place = f"{name}:{content.lc.key(path)[0] + 1}"
        if not (root / str(path)).exists():
            raise BadData(f"{place}: {path} is no set: there is no such file or folder")
        if not isinstance(listed, dict):
            raise BadData(f"{place}: {path} needs metrics with their floors, like `accuracy: 0.8`")
        floors[str(path)] = {}
        for key, value in listed.items():
            floors[str(path)][key] = _floor(key, value, f"{name}:{listed.lc.key(key)[0] + 1}")
    return floors


def _floor(key: Any, value: Any, place: str) -> float:
    if key not in METRICS:
        raise BadData(f"{place}: {key} is no metric; there are {', '.join(METRICS)}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadData(f"{place}: {key} needs a number, not {value!r}")
    if value < 0 or (METRICS[key].unit == "share" and value > 1):
        most = " to 1" if METRICS[key].unit == "share" else " or more"
        raise BadData(f"{place}: {key} needs a number from 0{most}, not {value:g}")
    return float(value)


def for_set(floors: dict[str, dict[str, float]], path: Path, root: Path) -> dict[str, float]:
    """The floors of a set, by its path as seen from the root; none for a set that has none."""
    return floors.get(shown(path.resolve(), root), {})


def misses(figures: list[dict[str, Any]], floors: dict[str, float]) -> list[Miss]:
    """What lies on the wrong side; a figure that has a floor and could not be measured misses it."""
    values = {figure["key"]: figure["value"] for figure in figures}
    found = []
    for key, floor in floors.items():
        metric, value = METRICS[key], values[key]
        if value is None or (value > floor if metric.lower_is_better else value < floor):
            found.append(Miss(metric.title, value, floor, metric.lower_is_better))
    return found
