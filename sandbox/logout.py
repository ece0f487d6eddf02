"""Tells the chat that a session has ended (OpenID Connect back-channel logout), again and again until it has heard."""

import logging
import secrets
import sqlite3
import threading

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from sandbox.context import Sandbox

log = logging.getLogger(__name__)
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOOK_EVERY_SECONDS = 0.2
MAX_ATTEMPTS = 12


def logout_token(sandbox: Sandbox, key: RSAKey, session_id: str, user_id: str) -> str:
    """The signed statement that a session is over."""
    now = int(sandbox.now().timestamp())
    claims = {
        "iss": sandbox.config.issuer,
        "aud": sandbox.config.client_id,
        "sub": user_id,
        "sid": session_id,
        "iat": now,
        "exp": now + 120,
        "jti": secrets.token_urlsafe(24),
        "events": {EVENT: {}},
    }
    return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "logout+jwt"}, claims, key, ["RS256"])


class Messenger:
    """A thread that sends the queued logouts."""

    def __init__(self, sandbox: Sandbox, key: RSAKey, client: httpx.Client | None = None):
        self.sandbox, self.key = sandbox, key
        # The chat is on this machine: a proxy in the environment is meant for other traffic.
        self.client = client or httpx.Client(timeout=3, trust_env=False)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="back-channel logout", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)
        self.client.close()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_SECONDS):
            try:
                self.send_due()
            except sqlite3.Error:
                # A full disk or a held lock passes; the rows are still there.
                log.exception("back-channel logouts could not be sent this time")

    def send_due(self) -> None:
        """Sends every logout whose time has come, and notes what became of it."""
        now = self.sandbox.now().timestamp()
        with self.sandbox.database.read() as connection:
            rows = connection.execute("SELECT * FROM logouts WHERE state = 'waiting' AND due <= ?", (now,)).fetchall()
        for row in rows:
            state, problem = self._send(row["session_id"], row["user_id"])
            attempts = row["attempts"] + 1
            if state == "waiting" and attempts == MAX_ATTEMPTS:
                state = "given_up"
            with self.sandbox.database.write() as connection:
                connection.execute(
                    "UPDATE logouts SET state = ?, last_error = ?, attempts = ?, due = ? WHERE id = ?",
                    (state, problem, attempts, now + min(2 ** (attempts - 1), 60), row["id"]),
                )

    def _send(self, session_id: str, user_id: str) -> tuple:
        token = logout_token(self.sandbox, self.key, session_id, user_id)
        url = f"{self.sandbox.config.door_url}/signin/backchannel-logout"
        try:
            answer = self.client.post(url, data={"logout_token": token})
        except httpx.HTTPError as error:
            return "waiting", type(error).__name__
        if answer.status_code in (200, 204):
            return "sent", None
        return ("refused" if answer.status_code == 400 else "waiting"), f"HTTP {answer.status_code}"
