"""A person at the chat: signs in at the organisation, types, clicks, and sees what comes over the event stream."""

import json
import time
import uuid
from collections.abc import Callable

import httpx
from httpx_sse import connect_sse

from sandbox.sign_in import sign_in
from tests.e2e.installation import Installation, eventually

PATIENCE = 20


class Person:
    """One browser, signed in to the chat; `entries` are known by seq, as a client should."""

    def __init__(self, installation: Installation, login: str):
        self.installation = installation
        self.login = login
        self.browser = httpx.Client(base_url=installation.door_url, timeout=10)
        self.entries: dict[int, dict] = {}
        self.cursor = 0
        self.csrf = ""

    def sign_in(self) -> "Person":
        """Signs in by the organisation's pages; waits until the directory's people have been read at all."""
        eventually(self._signed_in, PATIENCE, f"{self.login} could not sign in to the chat")
        return self

    def _signed_in(self) -> bool:
        sign_in(self.browser, self.login, start=f"{self.installation.door_url}/signin")
        me = self.browser.get("/api/me")
        if me.status_code == 200:
            self.csrf = me.json()["csrf"]
        return me.status_code == 200

    def me(self) -> dict:
        return self.browser.get("/api/me").json()

    @property
    def person_id(self) -> str:
        return self.installation.rows("SELECT id FROM people WHERE login = ?", self.me()["login"])[0]["id"]

    def send(self, text: str, key: str | None = None) -> dict:
        """Types a message; sends again with the same key until it is accepted, as the page does."""
        return self._post("/api/messages", {"key": key or new_key(), "text": text})

    def click(self, entry: dict, title: str, key: str | None = None) -> dict:
        """Clicks the button with this title under an entry."""
        answer = next(a for a in entry["offer"]["answers"] if a["title"] == title)
        body = {"key": key or new_key(), "offer": entry["offer"]["id"], "answer": answer["id"]}
        return self._post("/api/clicks", body)

    def _post(self, path: str, body: dict) -> dict:
        def accepted():
            try:
                reply = self.browser.post(path, json=body, headers={"X-CSRF-Token": self.csrf})
            except httpx.TransportError:
                return None
            return reply if reply.status_code not in (429, 503) else None

        reply = eventually(accepted, PATIENCE, f"{path} was not accepted")
        assert reply.status_code == 202, f"{reply.status_code} {reply.text}"
        return reply.json()

    def wait_for(self, wanted: Callable[[dict], bool], seconds: float = PATIENCE) -> dict:
        """The first entry (the latest seq last) that is as wanted, waiting for it on the event stream."""
        deadline = time.monotonic() + seconds
        while True:
            found = [entry for _, entry in sorted(self.entries.items()) if wanted(entry)]
            if found:
                return found[-1]
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"{self.login} waited {seconds} s and saw only:\n{self.transcript()}")
            self._listen(wanted, left)

    def _listen(self, wanted: Callable[[dict], bool], seconds: float) -> None:
        """Reads the stream until a wanted entry comes, the time is over or the connection breaks."""
        timeout = httpx.Timeout(5, read=seconds)
        try:
            with connect_sse(
                self.browser, "GET", "/api/stream", params={"after": self.cursor}, timeout=timeout
            ) as stream:
                for event in stream.iter_sse():
                    if event.event != "entry":
                        continue
                    entry = json.loads(event.data)
                    self.cursor = int(event.id)
                    self.entries[entry["seq"]] = entry
                    if wanted(entry):
                        return
        except httpx.TransportError:
            time.sleep(0.05)  # the door is away, or the time is over: the caller decides

    def reply_to(self, sent: dict, seconds: float = PATIENCE) -> dict:
        """The assistant's first entry after something sent."""
        return self.wait_for(lambda e: e["from"] == "assistant" and e["seq"] > sent["seq"], seconds)

    def say(self, text: str, seconds: float = PATIENCE) -> dict:
        """Types a message and returns the last entry once the assistant has answered it."""
        return self.answered(self.send(text), seconds)

    def press(self, entry: dict, title: str, seconds: float = PATIENCE) -> dict:
        """Clicks and returns the last entry once the assistant has answered."""
        return self.answered(self.click(entry, title), seconds)

    def answered(self, sent: dict, seconds: float = PATIENCE) -> dict:
        """The last entry once the message is answered and nothing is pending."""
        self.reply_to(sent, seconds)
        eventually(lambda: not self.browser.get("/api/history").json()["typing"], seconds)
        return self.history()[-1]

    def history(self) -> list[dict]:
        """Everything said so far, oldest first, as a reloaded page would show it."""
        entries = self.browser.get("/api/history", params={"limit": 100}).json()["entries"]
        self.entries |= {entry["seq"]: entry for entry in entries}
        return entries

    def notice(self, seconds: float = PATIENCE) -> dict:
        """The notice that came by itself."""
        return self.wait_for(lambda e: e["notice"], seconds)

    def tickets(self) -> list[dict]:
        """The person's tickets, oldest first."""
        query = "SELECT number, state, summary FROM tickets WHERE person_id = ? ORDER BY number"
        return self.installation.rows(query, self.person_id)

    def audited(self) -> list[dict]:
        """What the audit trail tells of this person, oldest first."""
        return self.installation.rows("SELECT * FROM audit WHERE person_id = ? ORDER BY id", self.person_id)

    def lock(self) -> None:
        """Locks this person's account, as a device with an old password does."""
        self.installation.control.post("lock", login=self.login)

    def is_locked(self) -> bool:
        return self.installation.control.status(self.login) == "LOCKED_OUT"

    def transcript(self) -> str:
        return "\n".join(f"  {e['seq']} {e['from']}: {e['text']}" for _, e in sorted(self.entries.items()))


def new_key() -> str:
    return uuid.uuid4().hex


def titles(entry: dict) -> list[str]:
    """What can be clicked under an entry."""
    return [answer["title"] for answer in entry["offer"]["answers"]] if entry["offer"] else []
