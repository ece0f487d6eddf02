"""Measures turns, throughput, notices and the way from a lockout to the screen; prints ratios against stock Rasa.

Wall-clock figures vary by a fifth from run to run; the ratios are what counts. Nothing here asserts.
"""

import argparse
import asyncio
import contextlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import aiohttp

from account_access import clock as clocks
from account_access import sessions
from account_access.store import Store
from benchmarks.clients import DoorUser, StockUser
from benchmarks.stock import stock_rasa
from ops.train import train
from tests.e2e.installation import Installation, eventually

TEXT = "what can you do?"
ACTION = "what is the status of my ticket?"
USERS = 100
POLL_SECONDS = 2
CONCURRENT_TRIGGERS = 8
MANY = 10_000_000


def main() -> int:
    """Runs all measurements, a few minutes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = _measured(Path(folder))
    print(table(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1))
    return 0


def _measured(home: Path) -> dict[str, dict]:
    model = train()
    installation = Installation(
        home / "ours",
        {
            "lockout": {"poll_seconds": POLL_SECONDS},
            "schedulers": {"sync_minutes": 0.03},
            # What is measured would look like a password spray.
            "breaker": {"max_lockouts": MANY, "max_acts": MANY},
        },
    ).start()
    try:
        limits = dict.fromkeys(("users", "user", "update", "logs", "other"), MANY)
        installation.control.post("rate-limits", **limits)
        logins = installation.control.post("people", count=2 * USERS)["logins"]
        people = _people(installation, logins)
        secret = json.loads((installation.home / "run" / "actions.env.json").read_text())["ACTION_SECRET"]
        with stock_rasa(home, model, installation.actions_url, secret) as stock:
            return asyncio.run(_all(installation, stock, people, logins))
    finally:
        installation.stop()


def _people(installation: Installation, logins: list[str]) -> dict[str, tuple[str, str]]:
    """Session and CSRF token of each person, opened in the store: signing in is not what is measured."""
    wanted = set(logins)
    query = "SELECT id, login FROM people"

    def known():
        found = {row["login"]: row["id"] for row in installation.rows(query)}
        return found if wanted <= set(found) else None

    ids = eventually(known, 30, "the directory was not read")
    store, clock = Store.open(f"sqlite:///{installation.home / 'store.db'}"), clocks.SystemClock()
    now = clock.now()
    opened = {}
    for login in logins:
        until = now + timedelta(hours=8)
        token = sessions.create(store, clock, ids[login], "benchmark", login, None, now, until)
        opened[login] = (token, sessions.find(store, clock, token).csrf)
    store.close()
    return opened


async def _all(installation: Installation, stock: str, people: dict, logins: list[str]) -> dict[str, dict]:
    patience = aiohttp.ClientTimeout(total=90)
    # No cookie jar: a hundred people share this client, each with their own session.
    jar, wide = aiohttp.DummyCookieJar(), aiohttp.TCPConnector(limit=0)
    async with (
        aiohttp.ClientSession(connector=wide, cookie_jar=jar, timeout=patience) as client,
        contextlib.AsyncExitStack() as tabs,
    ):
        theirs = [StockUser(client, stock, login) for login in logins[:USERS]]
        ours = [DoorUser(client, installation.door_url, *people[login]) for login in logins[:USERS]]
        for user in ours:
            await _open(tabs, user)
        figures = {}
        for name, text in (("text turn", TEXT), ("action turn", ACTION)):
            figures[f"{name}, one user, ms"] = await _compare(_one_by_one, theirs, ours, text, "lower")
            figures[f"{name}s a second, {USERS} users at once"] = await _compare(_at_once, theirs, ours, text, "higher")
        bare = await _triggers(client, stock)
        notices = await _notices(installation, logins[USERS:])
        figures["notices a second"] = {"stock": bare, "ours": notices, "ratio": notices / bare, "wanted": ">= 0.8"}
        figures["lockout to screen, s"] = await _to_screen(installation, ours[0], logins[0])
    return figures


async def _open(tabs: contextlib.AsyncExitStack, user: DoorUser) -> None:
    task = asyncio.create_task(user.listen(0))

    async def close() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    tabs.push_async_callback(close)
    await asyncio.wait_for(user.listening.wait(), 30)


async def _compare(measure: Callable[..., Awaitable[float]], theirs, ours, text: str, better: str) -> dict:
    # Once for warmth, then alternately, so that a busy minute of the machine meets both.
    await measure(theirs[:10], text)
    await measure(ours[:10], text)
    rounds = [(await measure(theirs, text), await measure(ours, text)) for _ in range(3)]
    stock, own = (statistics.median(column) for column in zip(*rounds, strict=True))
    wanted = {"lower": "<= 1.1", "higher": ">= 2" if text == ACTION else ">= 0.95"}[better]
    return {"stock": stock, "ours": own, "ratio": own / stock, "wanted": wanted}


async def _one_by_one(users, text: str) -> float:
    """Median milliseconds of a turn with nobody else there; the users take turns because the door limits each."""
    return statistics.median([await user.turn(text) for user in users]) * 1000


async def _at_once(users, text: str) -> float:
    """Turns a second while everybody talks."""
    begun = time.perf_counter()
    await asyncio.gather(*(user.turn(text) for user in users))
    return len(users) / (time.perf_counter() - begun)


async def _triggers(client: aiohttp.ClientSession, stock: str) -> float:
    """Stock trigger_intent of a rule that only speaks, a second."""
    gate = asyncio.Semaphore(CONCURRENT_TRIGGERS)

    async def trigger(number: int) -> None:
        async with gate:
            address = f"{stock}/conversations/trigger-{number}/trigger_intent?output_channel=latest"
            async with client.post(address, json={"name": "greet"}) as reply:
                assert reply.status == 200, await reply.text()

    await asyncio.gather(*(trigger(-number) for number in range(1, 20)))
    begun = time.perf_counter()
    await asyncio.gather(*(trigger(number) for number in range(USERS)))
    return USERS / (time.perf_counter() - begun)


async def _notices(installation: Installation, logins: list[str]) -> float:
    """Lockout notices written a second, from the first to the last of so many that are due at once."""
    query = "SELECT count(*) AS n FROM inbox WHERE notice_id IS NOT NULL"
    installation.control.post("lock", logins=logins)
    arrivals: list[float] = []
    while len(arrivals) < len(logins):
        count = installation.rows(query)[0]["n"]
        arrivals += [time.perf_counter()] * (count - len(arrivals))
        await asyncio.sleep(0.005)
    # The slow ends are the poll and the last stragglers of the pool; the middle is the rate.
    first, last = len(arrivals) // 10, len(arrivals) - 1
    return (last - first) / (arrivals[last] - arrivals[first])


async def _to_screen(installation: Installation, user: DoorUser, login: str) -> dict:
    begun = time.perf_counter()
    installation.control.post("lock", login=login)
    while True:
        arrived, entry = await asyncio.wait_for(user.answers.get(), 60)
        if entry["notice"]:
            wanted = f"<= {POLL_SECONDS} (poll) + 1"
            return {"stock": None, "ours": arrived - begun, "ratio": None, "wanted": wanted}


def table(figures: dict[str, dict]) -> str:
    """The figures for people."""
    lines = [f"{'':42} {'stock':>8} {'ours':>8} {'ratio':>6}  wanted"]
    for name, row in figures.items():
        stock = f"{row['stock']:.1f}" if row["stock"] is not None else "-"
        ratio = f"{row['ratio']:.2f}" if row["ratio"] is not None else "-"
        lines.append(f"{name:42} {stock:>8} {row['ours']:>8.1f} {ratio:>6}  {row['wanted']}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
