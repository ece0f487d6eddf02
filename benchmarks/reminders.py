"""Reminders due at once against stock Rasa's bare trigger_intent: `python -m benchmarks.reminders [--people 10000]`.

An installation with so many people whose passwords expire in 14 days; its clock comes to the morning's run, and their
reminders are counted as they reach their inboxes. In the same run, with the same model, stock Rasa triggers a rule that
only speaks. The rates depend on what else the machine does; the CPU seconds of each process do not.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp

from benchmarks.stock import stock_rasa
from ops.train import train
from tests.e2e.installation import Installation, eventually

ZONE = ZoneInfo("America/Los_Angeles")
MAX_AGE_DAYS, FIRST_DAY = 90, 14
MANY = 10_000_000
TRIGGERS = 1_000
CONCURRENT_TRIGGERS = 8
# The beginning is the run being planned, the end the last stragglers; what lies between is the rate.
EDGE = 0.05
PATIENCE_SECONDS = 3600
WRITTEN = "SELECT count(*) AS n FROM inbox WHERE notice_id IS NOT NULL"


def main() -> int:
    """Runs it, a few minutes for ten thousand."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reminders", description=__doc__)
    parser.add_argument("--people", type=int, default=10_000, help="how many are due at once, default 10000")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measured(Path(folder), options.people)
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 0


def measured(home: Path, people: int) -> dict:
    """The rates, and the CPU seconds that each process took for one."""
    model = train()
    settings = {"lockout": {"poll_seconds": 3600}, "schedulers": {"sync_minutes": 60}}
    installation = Installation(home / "ours", settings).start()
    try:
        limits = dict.fromkeys(("users", "user", "update", "logs", "other"), MANY)
        installation.control.post("rate-limits", **limits)
        for begin in range(0, people, 1000):
            logins = installation.control.post("people", count=min(1000, people - begin))["logins"]
            # Tomorrow morning it is the first day of the cadence.
            installation.control.post("password-age", logins=logins, days=MAX_AGE_DAYS - FIRST_DAY - 1)
        secret = json.loads((installation.home / "run" / "actions.env.json").read_text())["ACTION_SECRET"]
        with stock_rasa(home, model, installation.actions_url, secret) as stock:
            bare = asyncio.run(_triggers(stock))
        return {"people": people, "stock": bare, "ours": _reminders(installation, people)}
    finally:
        installation.stop()


async def _triggers(stock: str) -> dict:
    """Stock trigger_intent of a rule that only speaks, a second, each for somebody new."""
    gate = asyncio.Semaphore(CONCURRENT_TRIGGERS)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:

        async def trigger(number: int) -> None:
            async with gate:
                address = f"{stock}/conversations/trigger-{number}/trigger_intent?output_channel=latest"
                async with client.post(address, json={"name": "greet"}) as reply:
                    assert reply.status == 200, await reply.text()

        await asyncio.gather(*(trigger(-number) for number in range(1, 50)))
        pid = _listener(stock)
        cpu, begun = cpu_seconds(pid), time.perf_counter()
        await asyncio.gather(*(trigger(number) for number in range(TRIGGERS)))
        seconds = time.perf_counter() - begun
    return {"a second": TRIGGERS / seconds, "CPU ms": {"rasa": (cpu_seconds(pid) - cpu) / TRIGGERS * 1000}}


def _reminders(installation: Installation, people: int) -> dict:
    now = installation.now().astimezone(ZONE)
    morning = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), ZONE).replace(hour=10, second=1)
    names = ("rasa", "actions", "schedulers", "sandbox", "door")
    installation.control.post("clock", seconds=round((morning - now).total_seconds()))
    first, last = round(people * EDGE), round(people * (1 - EDGE))
    eventually(lambda: installation.rows(WRITTEN)[0]["n"] >= first, PATIENCE_SECONDS, "no reminders came")
    before, begun = {name: cpu_seconds(installation.pid(name)) for name in names}, time.perf_counter()
    count = installation.rows(WRITTEN)[0]["n"]
    eventually(lambda: installation.rows(WRITTEN)[0]["n"] >= last, PATIENCE_SECONDS, "the reminders stopped")
    seconds, done = time.perf_counter() - begun, installation.rows(WRITTEN)[0]["n"] - count
    took = {name: (cpu_seconds(installation.pid(name)) - before[name]) / done * 1000 for name in names}
    eventually(lambda: installation.rows(WRITTEN)[0]["n"] >= people, 60, "some reminders never came")
    return {"a second": done / seconds, "CPU ms": took}


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _listener(url: str) -> int:
    """The pid of the process of ours that listens at this address's port."""
    port = f"-p {url.rpartition(':')[2]} "
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if port in entry.read_bytes().replace(b"\0", b" ").decode(errors="replace") + " ":
                return int(entry.parent.name)
        except OSError:
            continue
    raise AssertionError(f"nobody was started with {port}")


def table(figures: dict) -> str:
    """The figures for people."""
    stock, ours = figures["stock"], figures["ours"]
    lines = [f"{figures['people']:,} reminders due at once"]
    lines.append(f"{'':24} {'stock':>8} {'ours':>8} {'ratio':>6}  wanted")
    ratio = ours["a second"] / stock["a second"]
    lines.append(f"{'a second':24} {stock['a second']:>8.1f} {ours['a second']:>8.1f} {ratio:>6.2f}  >= 0.8")
    for name, milliseconds in ours["CPU ms"].items():
        theirs = stock["CPU ms"].get(name)
        lines.append(f"{'CPU ms each, ' + name:24} {f'{theirs:.2f}' if theirs else '-':>8} {milliseconds:>8.2f}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
