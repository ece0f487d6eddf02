"""The chat as a client of the OpenID provider, and its requests as Authlib wants them."""

import hmac
from dataclasses import dataclass

from authlib.oauth2.rfc6749 import ClientMixin, OAuth2Payload, OAuth2Request

from sandbox.context import Sandbox

SCOPES = ("openid", "profile", "email")


@dataclass
class Request(OAuth2Request):
    """A request as Authlib wants it: its parameters were read from the query or the form."""

    verb: str
    url: str
    given: list[tuple]
    sent_headers: dict[str, str]
    code_hash: str = ""

    def __post_init__(self) -> None:
        super().__init__(self.verb, self.url, headers=self.sent_headers)
        self.payload = Payload(self.given)

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data

    args = form


class Payload(OAuth2Payload):
    """Parameters, each possibly given several times."""

    def __init__(self, given: list[tuple]):
        self._datalist: dict[str, list] = {}
        for name, value in given:
            self._datalist.setdefault(name, []).append(value)

    @property
    def data(self) -> dict[str, str]:
        return {name: values[-1] for name, values in self._datalist.items()}

    @property
    def datalist(self) -> dict[str, list]:
        return self._datalist


class ChatClient(ClientMixin):
    """The one registered client: the chat."""

    id_token_signed_response_alg = "RS256"  # noqa: S105 - an algorithm's name

    def __init__(self, sandbox: Sandbox):
        self.config = sandbox.config

    def get_client_id(self) -> str:
        return self.config.client_id

    def get_default_redirect_uri(self) -> str:
        return f"{self.config.door_url}/signin/callback"

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(name for name in SCOPES if name in (scope or "").split())

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self.get_default_redirect_uri()

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(client_secret.encode(), self.config.client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"

    def may_return_to(self, url: str) -> bool:
        """Whether a sign-out may lead to this address afterwards."""
        return url.rstrip("/") in (self.config.door_url, f"{self.config.door_url}/signin")
