"""python -m nlu.evaluation evaluate|compare|learning-curve: how well messages are understood."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from nlu.evaluation import cards, compare, curve, evaluate, models
from nlu.evaluation.examples import BadData

ROOT = evaluate.ROOT


def main(arguments: list[str]) -> int:
    """Runs a command; 1 if a floor is missed or something cannot be read."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    models.silence()
    try:
        return options.run(options)
    except BadData as problem:
        print(problem, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m nlu.evaluation", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    one = commands.add_parser("evaluate", help="a model on a set of messages, against the floors")
    one.add_argument("--model", type=Path, required=True, help="the .tar.gz; `make evaluate` trains the current one")
    one.add_argument("--set", type=Path, default=evaluate.EXAM, help="an NLU file or a folder of them")
    one.add_argument("--floors", type=Path, default=evaluate.FLOORS)
    one.add_argument("--skip-unknown", action="store_true", help="leave out messages whose intent the domain lacks")
    one.add_argument("--publish", action="store_true", help="write the report card to docs/ as well")
    one.set_defaults(run=_evaluate)

    many = commands.add_parser("compare", help="pipelines side by side, each trained and measured in the same way")
    many.add_argument("--configs", type=Path, nargs="+", default=compare.CONFIGS)
    many.add_argument("--folds", type=_folds, default=3, help="parts of the training data, each measured once")
    many.set_defaults(run=_compare)

    shares = commands.add_parser("learning-curve", help="what more training data would bring")
    shares.add_argument("--config", type=Path, default=ROOT / "config.yml")
    shares.add_argument("--out", type=Path, default=ROOT / "results" / "learning-curve.svg", help="the picture")
    shares.set_defaults(run=_curve)

    for command in (one, many, shares):
        command.add_argument("--json", action="store_true", help="print JSON instead of a table")
    for command in (many, shares):
        command.add_argument("--data", type=Path, default=ROOT / "data" / "nlu", help="the training data")
        command.add_argument("--held-aside", type=Path, default=compare.HELD_ASIDE, help="never trained on")
    return parser


def _folds(text: str) -> int:
    if not text.isdigit() or not 2 <= int(text) <= 20:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of folds from 2 to 20")
    return int(text)


def _evaluate(options: argparse.Namespace) -> int:
    card = evaluate.evaluate(options.model, options.set, options.floors, options.skip_unknown)
    earlier = evaluate.before(card, options.model.parent)
    since = evaluate.changes(card, earlier) if earlier else None
    target = evaluate.card_file(options.model, card["set"]["name"])
    written = cards.write(card, since, target)
    if options.publish:
        published = target.name.removeprefix(evaluate.stem(options.model)).removesuffix(".report")
        written += cards.write(card, since, ROOT / "docs" / f"report-card{published}")
    if options.json:
        _print_json(card)
    else:
        print(cards.summary(card, since))
        print("\nReport card: " + ", ".join(os.path.relpath(path) for path in written))
    for miss in card["missed"]:
        print(f"Missed: {miss}", file=sys.stderr)
    return 1 if card["missed"] else 0


def _compare(options: argparse.Namespace) -> int:
    rows = compare.compare(options.configs, options.data, options.held_aside, options.folds, _progress)
    if options.json:
        _print_json(rows)
    else:
        print(compare.summary(rows))
    return 0


def _curve(options: argparse.Namespace) -> int:
    points = curve.curve(options.config, options.data, options.held_aside, _progress)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(cards.drawing("curve.svg.j2", points=points), encoding="utf-8")
    if options.json:
        _print_json(points)
    else:
        print(curve.summary(points))
        print(f"\nPicture: {os.path.relpath(options.out)}")
    return 0


def _progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _print_json(content: Any) -> None:
    print(json.dumps(content, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
