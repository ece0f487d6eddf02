"""Stock Rasa beside ours: the same model, its own REST channel and action client, a SQL tracker store."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import yaml

from tests.e2e.installation import ROOT, eventually
from tests.ports import free_port

START_SECONDS = 90


@contextlib.contextmanager
def stock_rasa(home: Path, model: Path, actions_url: str, action_secret: str) -> Iterator[str]:
    """A running stock server; yields its address. Nothing of channels/ is loaded into it."""
    port = free_port()
    credentials, endpoints = home / "stock-credentials.yml", home / "stock-endpoints.yml"
    credentials.write_text(yaml.safe_dump({"rest": None}))
    action = {"url": f"{actions_url}/webhook", "headers": {"X-Action-Secret": action_secret}}
    tracker = {"type": "SQL", "dialect": "sqlite", "db": str(home / "stock-trackers.db")}
    endpoints.write_text(yaml.safe_dump({"action_endpoint": action, "tracker_store": tracker}))
    command = [sys.executable, "-m", "rasa", "run", "--enable-api", "-i", "127.0.0.1", "-p", str(port)]
    command += ["--model", str(model), "--credentials", str(credentials), "--endpoints", str(endpoints)]
    with open(home / "stock.log", "w") as log:
        process = subprocess.Popen(  # noqa: S603 (our own arguments)
            command,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, "SQLALCHEMY_SILENCE_UBER_WARNING": "1", "RASA_TELEMETRY_ENABLED": "false"},
        )
    url = f"http://127.0.0.1:{port}"
    try:
        eventually(lambda: _ready(url, process), START_SECONDS, f"stock Rasa did not start; see {home / 'stock.log'}")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _ready(url: str, process: subprocess.Popen) -> bool:
    assert process.poll() is None, "stock Rasa ended"
    try:
        return bool(httpx.get(f"{url}/status", timeout=2).json().get("model_file"))
    except (httpx.HTTPError, json.JSONDecodeError):
        return False
