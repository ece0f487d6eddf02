"""What the sandbox needs to know, all of it from the environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.people import ACME, COMPANIES, Company


class ConfigError(Exception):
    """One sentence that says which variable is wrong and what to do."""


@dataclass(frozen=True)
class Config:
    """Where the sandbox listens and keeps its state, and the secrets its two clients know."""

    okta_token: str
    client_secret: str
    database: Path = Path("var/sandbox.db")
    clock_file: Path = Path("var/clock-offset")
    port: int = 8080
    door_url: str = "http://127.0.0.1:8000"
    client_id: str = "account-access"
    company: Company = ACME

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Config":
        """Reads the variables listed in docs/sandbox.md. Raises ConfigError."""
        for name in ("OKTA_TOKEN", "OIDC_CLIENT_SECRET"):
            if not environ.get(name):
                raise ConfigError(
                    f"{name} is not set: `make run` generates it; by hand, export {name}=<a long random text>."
                )
        port = environ.get("SANDBOX_PORT", "8080")
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise ConfigError(f"SANDBOX_PORT is {port!r}: set it to a number from 1 to 65535, or unset it for 8080.")
        door_url = environ.get("DOOR_URL", cls.door_url).rstrip("/")
        if not door_url.startswith(("http://", "https://")):
            raise ConfigError(f"DOOR_URL is {door_url!r}: set it to the chat's address, such as {cls.door_url}.")
        company = environ.get("SANDBOX_COMPANY", "acme")
        if company not in COMPANIES:
            raise ConfigError(f"SANDBOX_COMPANY is {company!r}: set it to {' or '.join(COMPANIES)}, or unset it.")
        return cls(
            okta_token=environ["OKTA_TOKEN"],
            client_secret=environ["OIDC_CLIENT_SECRET"],
            database=Path(environ.get("SANDBOX_DB", "var/sandbox.db")),
            clock_file=Path(environ.get("SANDBOX_CLOCK", "var/clock-offset")),
            port=int(port),
            door_url=door_url,
            company=COMPANIES[company],
        )
