"""Writes report cards: figures to JSON, the same to one HTML page, and a short table for the terminal."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

HERE = Path(__file__).resolve().parent
WORST = 10
FALLBACK = "nlu_fallback"
YES_AND_NO = {"affirm", "deny"}


def write(card: dict[str, Any], since: dict[str, Any] | None, file: Path) -> list[Path]:
    """Writes `file`.html and `file`.json, each whole or not at all; their paths."""
    texts = {".html": page(card, since), ".json": json.dumps(card, ensure_ascii=False, indent=1) + "\n"}
    written = []
    for ending, text in texts.items():
        target = file.with_name(file.name + ending)
        aside = target.with_name(f".{target.name}.{os.getpid()}")
        aside.write_text(text, encoding="utf-8")
        os.replace(aside, target)
        written.append(target)
    return written


def page(card: dict[str, Any], since: dict[str, Any] | None) -> str:
    """The report card as one page that needs nothing else."""
    worst = [mistake for mistake in card["mistakes"] if mistake["got"] != FALLBACK][:WORST]
    return drawing("report.html.j2", card=card, since=since, worst=worst, mixed_up=mixed_up(card))


def drawing(template: str, **content: Any) -> str:
    """A template of this folder, filled in; whatever comes from data is escaped."""
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"figure": figure, "between": between, "percent": percent}
    return environment.get_template(template).render(**content)


def figure(value: float | None, unit: str = "share") -> str:
    """A figure as people read it: shares with three digits, counts whole, the rest with one digit and its unit."""
    if value is None:
        return "-"
    if unit == "share":
        return f"{value:.3f}"
    return f"{value:.0f}" if unit == "messages" else f"{value:.1f} {unit}"


def between(interval: Sequence[float] | None, unit: str = "share") -> str:
    """An interval, without repeating the unit."""
    if interval is None:
        return ""
    digits = {"share": 3, "messages": 0}.get(unit, 1)
    return f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def percent(value: float | None) -> str:
    """A share in per cent, without digits after the point."""
    return "-" if value is None else f"{100 * value:.0f} %"


def mixed_up(card: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages in which a yes was taken for a no, or a no for a yes."""
    return [mistake for mistake in card["mistakes"] if {mistake["wanted"], mistake["got"]} == YES_AND_NO]


def summary(card: dict[str, Any], since: dict[str, Any] | None) -> str:
    """The figures for the terminal: value, interval, floor, and the value before where there is one."""
    head = ["", "value", "95 % interval", "floor", *(["before"] if since else [])]
    rows = []
    for one in card["metrics"]:
        unit = one["unit"]
        bound = "" if one["floor"] is None else f"{'≤' if one['lower_is_better'] else '≥'} {figure(one['floor'], unit)}"
        row = [one["title"], figure(one["value"], unit), between(one["interval"], unit), bound]
        rows.append(row + ([figure(since["values"].get(one["key"]), unit)] if since else []))
    left = f", {card['set']['skipped']} left out" if card["set"]["skipped"] else ""
    lines = [f"{card['set']['path']}: {card['messages']} messages{left}; model {card['model']['name']}", ""]
    lines += [table(head, rows)]
    for one in mixed_up(card):
        lines += [f"{one['wanted']} taken for {one['got']}: {one['text']} ({one['file']}:{one['line']})"]
    if since:
        lines += [
            "",
            f"Since model {since['model']}: {len(since['gained'])} messages are understood that were not, "
            f"{len(since['lost'])} no longer.",
        ]
    return "\n".join(lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns, the first to the left and the others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    )
