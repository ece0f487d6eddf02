"""What more training data would bring: trained on growing shares of it, measured on the messages held aside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nlu.evaluation import cards, figures
from nlu.evaluation.compare import Say, label, load, nested, part, trained_and_asked
from nlu.evaluation.evaluate import ROOT
from nlu.evaluation.examples import read_examples, read_names

SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
KEYS = ("account_macro_f1", "macro_f1", "in_scope_falls_back")


def curve(
    config: Path, data: Path, held_aside: Path, say: Say, shares: Sequence[float] = SHARES
) -> list[dict[str, Any]]:
    """A point for each share: its number of examples, and what a model of them understands.

    A share holds the examples of all smaller ones.
    """
    everything, asked = load(data), read_examples(held_aside, ROOT)
    names = read_names(data, ROOT)
    examples = everything.intent_examples
    labels = [label(message) for message in examples]
    points = []
    for share in shares:
        chosen = [examples[index] for index in nested(labels, share)]
        say(f"{share:.0%}: {len(chosen)} examples ...")
        parsed, seconds = trained_and_asked(config, part(everything, chosen), asked, names)
        measured = {one["key"]: one for one in figures.report(asked, parsed, names)["metrics"]}
        point = {key: {name: measured[key][name] for name in ("value", "interval")} for key in KEYS}
        points.append({"share": share, "examples": len(chosen), "training_seconds": seconds, **point})
    return points


def summary(points: Sequence[dict[str, Any]]) -> str:
    """The points for the terminal, with their 95 % intervals."""
    head = ["", "examples", "account F1", "95 % interval", "all F1", "95 % interval", "falls back", "train s"]
    rows = []
    for point in points:
        account, everything, falls = (point[key] for key in KEYS)
        rows.append(
            [
                f"{point['share']:.0%}",
                str(point["examples"]),
                *(
                    text
                    for one in (account, everything)
                    for text in (cards.figure(one["value"]), cards.between(one["interval"]))
                ),
                cards.figure(falls["value"]),
                f"{point['training_seconds']:.1f}",
            ]
        )
    return cards.table(head, rows)
