"""Asking the action server for a one-time link: it holds the identity system's token, the door never does (law 3)."""

import httpx
from pydantic import SecretStr

SECRET_HEADER = "X-Link-Secret"  # noqa: S105 (the name of a header)
# Policy and the call to the system, each within its time-outs.
TIMEOUT = httpx.Timeout(2, read=25)


class Unavailable(Exception):
    """The action server cannot be asked; the text names the setting or the trouble."""


class Minting:
    """The internal route of the action server that mints."""

    def __init__(self, url: str, secret: SecretStr | None):
        self.url = url.rstrip("/")
        self.secret = secret

    async def mint(self, link_id: str, person_id: str) -> tuple[str, str | None]:
        """How it ended (`minted`, or why not) and the one-time link, for its owner's eyes only. Raises Unavailable."""
        if self.secret is None:
            raise Unavailable("door.link_secret is not set; set it here and LINK_SECRET for the actions")
        try:
            async with httpx.AsyncClient(timeout=TIMEOUT, trust_env=False) as client:
                answer = await client.post(
                    f"{self.url}/links/mint",
                    json={"link": link_id, "person": person_id},
                    headers={SECRET_HEADER: self.secret.get_secret_value()},
                )
            if answer.status_code != 200:
                raise Unavailable(f"the action server answered {answer.status_code}")
            body = answer.json()
            return body["outcome"], body.get("target")
        except (httpx.HTTPError, ValueError, KeyError) as error:
            raise Unavailable(f"{type(error).__name__} from the action server at {self.url}") from None
