"""Runs pytest in many folders: `python runner.py` reads JSON jobs, forks a child for each, and prints how they ended.

What takes long is importing libraries; it is done here once. Nothing of ours is imported before a child stands in its
own folder.
"""

import gc
import importlib
import io
import json
import os
import sys
import time

# Those that the tests of mutants.py use; a job that needs another one imports it itself.
LIBRARIES = (
    "pytest",
    "hypothesis",
    "alembic.command",
    "sqlalchemy",
    "requests",
    "tenacity",
    "pydantic",
    "yaml",
    "rapidfuzz.fuzz",
    "httpx",
    "apscheduler.schedulers.background",
    "rasa_sdk.executor",
    "uvicorn",
    "starlette.testclient",
    "authlib.integrations.starlette_client",
    "rasa.core.agent",
    "rasa.core.tracker_store",
)
SECONDS = 60


def child(folder: str, arguments: list[str], report: str) -> int:
    """Runs pytest in the folder and returns its exit code; what it prints goes into the report."""
    import pytest

    os.chdir(folder)
    sys.path.insert(0, folder)
    os.environ["PYTHONPATH"] = folder
    handle = os.open(report, os.O_CREAT | os.O_WRONLY, 0o600)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", 0), write_through=True)
    sys.stderr = sys.stdout
    return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", f"--timeout={SECONDS}", *arguments]))


def main() -> None:
    """Each job is {folder, arguments, report}; the answer is a list of exit codes in their order."""
    order = json.load(sys.stdin)
    for name in LIBRARIES:
        importlib.import_module(name)
    # pytest collects garbage at its end: what all children share is none.
    gc.freeze()
    codes: dict[int, int] = {}
    running: dict[int, int] = {}
    waiting = list(enumerate(order["jobs"]))
    while waiting or running:
        while waiting and len(running) < order["at_once"]:
            number, job = waiting.pop(0)
            pid = os.fork()
            if pid == 0:
                os._exit(child(job["folder"], job["arguments"], job["report"]))
            running[pid] = number
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid in running:
            codes[running.pop(pid)] = os.waitstatus_to_exitcode(status)
        else:
            time.sleep(0.01)
    json.dump([codes[number] for number in sorted(codes)], sys.stdout)


if __name__ == "__main__":
    main()
