"""The chat in a terminal: a client of the door's HTTP API like any other, for people and (JSON lines) for scripts."""

import contextlib
import json
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import urljoin

import httpx
from httpx_sse import SSEError, connect_sse

from door.visitors import COOKIE

HISTORY = 10
SEND_TRIES = 5
# After the last line of input, answers that are still awaited get so long to arrive.
LAST_ANSWER_SECONDS = 60.0
_WORDS = dict(
    line.split(": ", 1)
    for line in (Path(__file__).parent / "templates" / "terminal.txt").read_text(encoding="utf-8").splitlines()
)


def run(base_url: str, session: str, as_json: bool = False) -> int:
    """Chats as the person whose session token this is, from standard input to standard output.

    Returns 0 after the end of the input, once everything sent is answered; 1 if the session ended before, or if the
    last answers did not come in time.
    """
    with httpx.Client(cookies={COOKIE: session}, timeout=15, trust_env=False) as client:
        return Terminal(client, base_url, as_json, sys.stdin, sys.stdout).run()


class Terminal:
    """One conversation: a thread shows what comes in while this one reads what is typed."""

    def __init__(self, client: httpx.Client, base_url: str, json_lines: bool, lines: TextIO, out: TextIO):
        self.client, self.base_url = client, base_url.rstrip("/")
        self.json_lines, self.lines, self.out = json_lines, lines, out
        self.headers: dict[str, str] = {}
        self.cursor = 0
        self.offers: dict[int, dict] = {}
        self.sent: set[str] = set()
        self.typing = False
        self.last_sent_seq = 0
        self.seen_seq = 0
        self.over = threading.Event()
        self._printing = threading.Lock()

    def run(self) -> int:
        """See `run` above."""
        person = self.client.get(f"{self.base_url}/api/me").raise_for_status().json()
        self.headers["X-CSRF-Token"] = person["csrf"]
        if not self.json_lines:
            self._print(_WORDS["welcome"].format(name=person["name"]))
        history = self.client.get(f"{self.base_url}/api/history?limit={HISTORY}").raise_for_status().json()
        for entry in history["entries"]:
            self._show(entry)
        self.cursor = history["cursor"]
        threading.Thread(target=self._listen, daemon=True).start()
        for line in self.lines:
            if self.over.is_set():
                break
            if line.strip():
                self._typed(line.strip())
        answered = self._wait_for_answers()
        self.over.set()
        return 0 if answered else 1

    def _wait_for_answers(self) -> bool:
        deadline = time.monotonic() + LAST_ANSWER_SECONDS
        while not self.over.is_set() and time.monotonic() < deadline:
            # Our own message has come back, and nobody is typing an answer to it any more.
            if self.seen_seq >= self.last_sent_seq and not self.typing:
                return True
            time.sleep(0.05)
        return False

    def _typed(self, line: str) -> None:
        path, body = ("/api/messages", {"text": line}) if not self.json_lines else self._from_json(line)
        if not self.json_lines and line.isdigit():
            path, body = self._numbered(int(line)) or (path, body)
        if body is not None:
            self._send(path, body)

    def _from_json(self, line: str) -> tuple[str, dict | None]:
        with contextlib.suppress(ValueError):
            body = json.loads(line)
            if isinstance(body, dict) and "text" in body:
                return "/api/messages", body
            if isinstance(body, dict) and {"offer", "answer"} <= set(body):
                return "/api/clicks", body
        self._emit("error", {"error": "not_json", "message": _WORDS["not-json"]})
        return "", None

    def _numbered(self, number: int) -> tuple[str, dict] | None:
        """The click that a number means: that button of the last open offer."""
        open_offers = [offer for _, offer in sorted(self.offers.items()) if offer["state"] == "open"]
        if not open_offers or not 1 <= number <= len(open_offers[-1]["answers"]):
            return None
        offer = open_offers[-1]
        return "/api/clicks", {"offer": offer["id"], "answer": offer["answers"][number - 1]["id"]}

    def _send(self, path: str, body: dict) -> None:
        body = {"key": uuid.uuid4().hex, **body}
        self.sent.add(body["key"])
        for attempt in range(SEND_TRIES):
            try:
                answer = self.client.post(f"{self.base_url}{path}", json=body, headers=self.headers)
            except httpx.TransportError:
                time.sleep(2**attempt)
                continue
            if answer.status_code == 429 or answer.status_code >= 500:
                time.sleep(float(answer.headers.get("Retry-After", 2**attempt)))
                continue
            self._sent(answer)
            return
        self._emit("error", {"error": "unreachable", "message": _WORDS["unsent"]})

    def _sent(self, answer: httpx.Response) -> None:
        if answer.status_code == 202:
            self.last_sent_seq = max(self.last_sent_seq, answer.json()["seq"])
            return
        self._emit("error", answer.json())
        if answer.status_code == 401:
            self.over.set()

    def _listen(self) -> None:
        waits = 0
        while not self.over.is_set():
            try:
                self._listen_once()
                waits = 0
            except httpx.HTTPStatusError as error:
                if error.response.status_code == 401:
                    self._end()
            except RuntimeError:
                # The client was closed under a stream that is no longer needed.
                if not self.over.is_set():
                    raise
            except (httpx.TransportError, SSEError):
                if not self.json_lines and waits == 0:
                    self._print(_WORDS["reconnecting"])
            time.sleep(min(5, 0.2 * 2**waits))
            waits += 1

    def _listen_once(self) -> None:
        # Heartbeats come every 15 s; a connection that is silent for longer is dead.
        timeout = httpx.Timeout(10, read=45)
        address = f"{self.base_url}/api/stream?after={self.cursor}"
        with connect_sse(self.client, "GET", address, timeout=timeout) as source:
            source.response.raise_for_status()
            for event in source.iter_sse():
                # After the first id, httpx-sse makes an event without data of each heartbeat.
                if event.data:
                    self._received(event.event, json.loads(event.data), event.id)

    def _received(self, kind: str, data: dict[str, Any], cursor: str) -> None:
        if kind == "entry":
            self._show(data)
            self.cursor = max(self.cursor, int(cursor))
        elif kind == "typing":
            if not self.json_lines and data["waiting"]:
                self._print(_WORDS["waiting"])
            if self.json_lines:
                self._emit("typing", data)
            self.typing = data["on"]
        elif kind == "signed-out":
            self._end()

    def _end(self) -> None:
        self._emit("signed-out", {"message": _WORDS["signed-out"]})
        self.over.set()

    def _show(self, entry: dict) -> None:
        changed = entry["seq"] in self.offers
        if entry["offer"]:
            self.offers[entry["seq"]] = entry["offer"]
        if self.json_lines:
            self._emit("entry", entry)
        elif not changed and entry["key"] not in self.sent:
            self._print_entry(entry)
        if entry["from"] == "me":
            self.typing = True
            self.seen_seq = max(self.seen_seq, entry["seq"])

    def _print_entry(self, entry: dict) -> None:
        who = _WORDS["me" if entry["from"] == "me" else "notice" if entry["notice"] else "assistant"]
        lines = [f"{who}: {printable(entry['text'])}"]
        if entry["link"]:
            address = urljoin(f"{self.base_url}/", entry["link"]["url"])
            lines.append(f"  {printable(entry['link']['title'])}: {printable(address)}")
        offer = entry["offer"]
        for number, answer in enumerate(offer["answers"] if offer else [], start=1):
            mark = ""
            if offer["state"] != "open":
                mark = _WORDS["chosen"] if answer["id"] == offer["chosen"] else _WORDS["closed"]
            lines.append(f"  [{number}] {printable(answer['title'])} {mark}".rstrip())
        self._print("\n".join(lines))

    def _emit(self, kind: str, data: dict) -> None:
        """A JSON line, or for a person its sentence."""
        if self.json_lines:
            self._print(json.dumps({"type": kind, **data}, ensure_ascii=False))
        else:
            self._print(printable(data["message"]))

    def _print(self, text: str) -> None:
        with self._printing:
            print(text, file=self.out, flush=True)


def printable(text: str) -> str:
    """Text without what a terminal would obey: escape sequences and other control characters."""
    return "".join(character for character in text if character == "\n" or character.isprintable())
