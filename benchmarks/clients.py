"""The people of a benchmark: at stock Rasa one POST a turn, at the door a POST and the answer on the event stream.

They share two cores with what they measure, so they are as light as can be: aiohttp, and no JSON that is not needed.
"""

import asyncio
import json
import time
import uuid

import aiohttp

PATIENCE = 60


class StockUser:
    """Somebody at the stock REST channel."""

    def __init__(self, client: aiohttp.ClientSession, url: str, name: str):
        self.client, self.url, self.name = client, url, name

    async def turn(self, text: str) -> float:
        """Seconds from the message to its answer."""
        begun = time.perf_counter()
        body = {"sender": self.name, "message": text}
        async with self.client.post(f"{self.url}/webhooks/rest/webhook", json=body) as reply:
            assert reply.status == 200 and await reply.json(), await reply.text()
        return time.perf_counter() - begun


class DoorUser:
    """Somebody at the chat, with one tab open; `session` is the cookie's value."""

    def __init__(self, client: aiohttp.ClientSession, url: str, session: str, csrf: str):
        self.client, self.url = client, url
        self.headers = {"Cookie": f"account_access_session={session}", "X-CSRF-Token": csrf}
        self.answers: asyncio.Queue = asyncio.Queue()
        self.listening = asyncio.Event()

    async def listen(self, after: int) -> None:
        """Reads the event stream until cancelled; every entry of the assistant is put into `answers`."""
        address = f"{self.url}/api/stream?after={after}"
        forever = aiohttp.ClientTimeout(total=None)
        async with self.client.get(address, headers=self.headers, timeout=forever) as stream:
            assert stream.status == 200, stream.status
            self.listening.set()
            event = b""
            async for line in stream.content:
                if line.startswith(b"event:"):
                    event = line[6:].strip()
                elif line.startswith(b"data:") and event == b"entry":
                    entry = json.loads(line[5:])
                    if entry["from"] == "assistant":
                        await self.answers.put((time.perf_counter(), entry))

    async def turn(self, text: str) -> float:
        """Seconds from the message to its answer on the stream."""
        begun = time.perf_counter()
        body = {"key": uuid.uuid4().hex, "text": text}
        async with self.client.post(f"{self.url}/api/messages", json=body, headers=self.headers) as reply:
            assert reply.status == 202, await reply.text()
            seq = (await reply.json())["seq"]
        while True:
            arrived, entry = await asyncio.wait_for(self.answers.get(), PATIENCE)
            if entry["seq"] > seq:
                return arrived - begun
