"""The commands behind the Makefile; python -m ops --help lists them."""

import argparse
import contextlib
import os
import subprocess
import sys
from pathlib import Path

from ops.console import CannotContinue, say

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = {"bench": "benchmarks", "bench-reminders": "benchmarks.reminders", "bench-planning": "benchmarks.planning"}
# These read their own arguments.
FORWARDED = ("chat", *BENCHMARKS, "evaluate", "compare", "learning-curve", "lint-data", "tune")


def main(arguments: list[str]) -> int:
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command not in FORWARDED:
        parser.error(f"unknown: {' '.join(rest)}")
    os.chdir(ROOT)
    try:
        return COMMANDS[options.command](options, rest)
    except CannotContinue as problem:
        say(f"\n{problem}")
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ops", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="start everything")
    run.add_argument("--settings", type=Path, default=Path(os.environ.get("SETTINGS", "settings.yml")))
    run.add_argument("--home", type=Path, default=ROOT / "var", help="where the databases, logs and sockets go")
    run.add_argument("--ports-from", type=_first_port, help="door here, all others on the ports after it")
    train = commands.add_parser("train", help="train the model if what it is made of changed")
    train.add_argument("--force", action="store_true", help="train even if nothing changed")
    commands.add_parser("lint", help="style and import rules")
    test = commands.add_parser("test", help="all checks that need no root")
    test.add_argument("--only", help="run the steps whose name contains this")
    real = commands.add_parser("test-real", help="Chromium and real servers")
    real.add_argument("--only", help="run the steps whose name contains this")
    commands.add_parser("lock", help="write requirements.lock from pyproject.toml")
    chat = commands.add_parser("chat", help="the conversation in a terminal")
    chat.add_argument("login")
    for name, told in (
        ("bench", "measure against stock Rasa"),
        ("bench-reminders", "thousands of reminders due at once, against stock Rasa"),
        ("bench-planning", "a morning's plan for a large directory"),
        ("evaluate", "report card of the current model on a set of messages"),
        ("compare", "pipelines side by side"),
        ("learning-curve", "what more training data would bring"),
        ("lint-data", "slips in the training data and the domain"),
        ("tune", "teach the sentence encoder our intents anew"),
    ):
        commands.add_parser(name, help=told, add_help=False)
    return parser


def _first_port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65500:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65500")
    return int(text)


def _run(options, _) -> int:
    from ops.launch import run

    return run(options.settings, options.home.absolute(), options.ports_from)


def _train(options, _) -> int:
    from ops.train import train

    train(force=options.force)
    return 0


def _checks(options, _) -> int:
    from ops import checks

    return checks.run(options.command, getattr(options, "only", None))


def _lock(_, __) -> int:
    target = "requirements.lock"
    command = ["-m", "uv", "pip", "compile", "pyproject.toml", "--group", "dev", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-annotate", "--no-header", "--python-version", "3.10"]
    command += ["--python-platform", "x86_64-unknown-linux-gnu", "--quiet", "-o", target]
    if subprocess.call([sys.executable, *command]):
        raise CannotContinue("The lock file could not be written (the reason stands above).")
    say(f"{target} is up to date; the next command installs it.")
    return 0


def _chat(options, rest) -> int:
    return subprocess.call([sys.executable, "-m", "sandbox.chat", options.login, *rest])


def _bench(options, rest) -> int:
    return subprocess.call([sys.executable, "-m", BENCHMARKS[options.command], *rest])


def _evaluate(_, rest) -> int:
    from ops.train import train

    # its output may be read by a program, so what training says goes elsewhere
    with contextlib.redirect_stdout(sys.stderr):
        model = train()
    return _measure(["evaluate", "--model", str(model), *rest])


def _compare(options, rest) -> int:
    return _measure([options.command, *rest])


def _measure(arguments: list[str]) -> int:
    return subprocess.call([sys.executable, "-W", "ignore", "-m", "nlu.evaluation", *arguments])


def _lint_data(_, rest) -> int:
    return subprocess.call([sys.executable, "-m", "nlu.check_data", *rest])


def _tune(_, rest) -> int:
    return subprocess.call([sys.executable, "-W", "ignore", "-m", "nlu.tuning", *rest])


COMMANDS = {
    "run": _run,
    "train": _train,
    "lint": _checks,
    "test": _checks,
    "test-real": _checks,
    "lock": _lock,
    "chat": _chat,
    **dict.fromkeys(BENCHMARKS, _bench),
    "evaluate": _evaluate,
    "compare": _compare,
    "learning-curve": _compare,
    "lint-data": _lint_data,
    "tune": _tune,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
