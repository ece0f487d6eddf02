"""What only the action server can do, for it holds the identity systems' tokens and the door never does (law 3)."""

from typing import Any

import httpx
from pydantic import SecretStr

SECRET_HEADER = "X-Link-Secret"  # noqa: S105 (the name of a header)
# Policy and the call to the system, each within its time-outs.
TIMEOUT = httpx.Timeout(2, read=25)


class Unavailable(Exception):
    """The action server cannot be asked; the text names the setting or the trouble."""


class ActionServer:
    """The internal routes of the action server that are the door's: one-time links, and codes that prove a reset."""

    def __init__(self, url: str, secret: SecretStr | None):
        self.url = url.rstrip("/")
        self.secret = secret

    async def mint(self, link_id: str, person_id: str) -> tuple[str, str | None]:
        """How it ended (`minted`, or why not) and the one-time link, for its owner's eyes only. Raises Unavailable."""
        body = await self._ask("/links/mint", {"link": link_id, "person": person_id})
        return body["outcome"], body.get("target")

    async def look_at_proof(self, prover: dict[str, str]) -> dict[str, Any]:
        """What the page for a code shows: `outcome`, `factors`, `going`. Raises Unavailable.

        `prover` names the request, the person and the session, each of which the action server checks.
        """
        return {"factors": [], "going": [], **await self._ask("/proofs/look", prover)}

    async def send_code(self, prover: dict[str, str], factor: str) -> str:
        """How it ended that a code was asked for: `sent`, or why not. Raises Unavailable."""
        return (await self._ask("/proofs/send", {**prover, "factor": factor}))["outcome"]

    async def check_code(self, prover: dict[str, str], factor: str, code: SecretStr) -> str:
        """`proven`, or why not. Raises Unavailable."""
        asked = {**prover, "factor": factor, "code": code.get_secret_value()}
        return (await self._ask("/proofs/check", asked))["outcome"]

    async def _ask(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        """The answer, which has an `outcome`."""
        if self.secret is None:
            raise Unavailable("door.link_secret is not set; set it here and LINK_SECRET for the actions")
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
                headers = {SECRET_HEADER: self.secret.get_secret_value()}
                answer = await client.post(self.url + path, json=body, headers=headers)
            if answer.status_code != 200:
                raise Unavailable(f"the action server answered {answer.status_code}")
            told = answer.json()
            if not isinstance(told["outcome"], str):
                raise ValueError
            return told
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"{type(error).__name__} from the action server at {self.url}") from None
