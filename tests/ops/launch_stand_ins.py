"""Runs the launcher's own code over stand-ins: python launch_stand_ins.py HOME NAME=PORT:MANNER[:later] ..."""

import os
import sys
import time
from pathlib import Path

from account_access.settings import DoorSection, SignInSection
from ops import launch
from ops.plan import Plan, Process, check_ports

STAND_IN = str(Path(__file__).with_name("stand_in.py"))


def process(argument: str) -> Process:
    name, _, rest = argument.partition("=")
    port, manner, *later = rest.split(":")
    return Process(
        name,
        (sys.executable, STAND_IN, port, manner),
        {"PATH": os.environ["PATH"], "ONLY_MINE": f"of {name} 100%"},
        health_url=f"http://127.0.0.1:{port}/",
        listens_on=("127.0.0.1", int(port)),
        remedy="change the test",
        first=not later,
    )


def main(home: str, *arguments: str) -> int:
    sign_in = SignInSection(issuer="http://127.0.0.1:1", client_id="x", client_secret="x")
    door = DoorSection(url="https://door.example", secret="x", cookie_secret="x", sign_in=sign_in)
    plan = Plan(tuple(process(argument) for argument in arguments), door, "", (), (), {})
    launch._heed_signals()
    try:
        with launch._only_one(Path(home)):
            check_ports(plan)
            return launch.Installation(plan, Path(home), time.monotonic()).live()
    except launch.CannotContinue as problem:
        print(problem)
        return 1


sys.exit(main(*sys.argv[1:]))
