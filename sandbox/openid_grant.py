"""Authlib's OpenID Connect provider, given this organisation's client, codes, people and clock."""

import json
import secrets
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer
from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse, Response

from sandbox import directory, sessions, switches, system_log
from sandbox.context import Sandbox
from sandbox.openid_client import SCOPES, ChatClient, Request
from sandbox.sessions import fingerprint

TOKEN_SECONDS = 3600
CODE_SECONDS = 60
CHAT = {
    "id": directory.identifier("0oa", "account-access"),
    "type": "AppInstance",
    "alternateId": "Account Access",
    "displayName": "Account Access",
    "detailEntry": None,
}


@dataclass
class Code:
    """An authorization code that was handed out."""

    row: sqlite3.Row
    session: sqlite3.Row
    code_challenge: str = field(init=False)
    code_challenge_method: str = "S256"

    def __post_init__(self) -> None:
        self.code_challenge = self.row["code_challenge"]

    def get_redirect_uri(self) -> str:
        return self.row["redirect_uri"]

    def get_scope(self) -> str:
        return self.row["scope"]

    def get_nonce(self) -> str | None:
        return self.row["nonce"]

    def get_auth_time(self) -> int:
        return self.session["auth_time"]

    def get_amr(self) -> list[str]:
        return json.loads(self.session["amr"])

    def get_acr(self) -> None:
        return None


class CodeGrant(AuthorizationCodeGrant):
    """Codes live a minute and work once; a replay also revokes what the first use obtained."""

    def save_authorization_code(self, code: str, request: Request) -> None:
        sandbox, session, data = self.server.sandbox, request.user, request.payload.data
        with sandbox.database.write() as connection:
            connection.execute(
                "INSERT INTO codes (code_hash, session_id, user_id, redirect_uri, scope, nonce, code_challenge,"
                " expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    fingerprint(code),
                    session["id"],
                    session["user_id"],
                    request.payload.redirect_uri or request.client.get_default_redirect_uri(),
                    request.scope,
                    data.get("nonce"),
                    data["code_challenge"],
                    sandbox.now().timestamp() + CODE_SECONDS,
                ),
            )
            sessions.known_to_client(connection, session["id"])
            user = directory.find(connection, session["user_id"])
            who = system_log.person(user)
            system_log.append(connection, sandbox.now(), "user.authentication.sso", who, target=[CHAT])

    def query_authorization_code(self, code: str, client: ChatClient) -> Code | None:
        sandbox = self.server.sandbox
        with sandbox.database.write() as connection:
            row = connection.execute("SELECT * FROM codes WHERE code_hash = ?", (fingerprint(code),)).fetchone()
            if row is None:
                return None
            if row["used"]:
                connection.execute("UPDATE access_tokens SET revoked = 1 WHERE code_hash = ?", (row["code_hash"],))
                return None
            session = sessions.get(connection, row["session_id"])
        if row["expires"] < sandbox.now().timestamp() or session["ended"] is not None:
            return None
        self.request.code_hash = row["code_hash"]
        return Code(row, session)

    def authenticate_user(self, authorization_code: Code) -> sqlite3.Row | None:
        with self.server.sandbox.database.read() as connection:
            return directory.find(connection, authorization_code.row["user_id"])

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Nothing to do: `save_token` marked it as used in the transaction that decides who was first."""


class PkceS256(CodeChallenge):
    """PKCE is required, and only by S256."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]

    def validate_code_challenge(self, grant: CodeGrant, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is required: send code_challenge with code_challenge_method S256.")
        super().validate_code_challenge(grant, redirect_uri)


class IdToken(OpenIDCode):
    """What an ID token says."""

    def __init__(self, sandbox: Sandbox, key: RSAKey):
        super().__init__(require_nonce=False)
        self.sandbox, self.key = sandbox, key

    def exists_nonce(self, nonce: str, request: Request) -> bool:
        """A nonce proves something to the client alone: a repeated one after `prompt=none` is its business."""
        return False

    def resolve_client_private_key(self, client: ChatClient) -> RSAKey:
        return self.key

    def get_encode_header(self, client: ChatClient) -> dict[str, str]:
        return {"alg": "RS256", "kid": self.key.kid, "typ": "JWT"}

    def get_client_claims(self, client: ChatClient) -> dict[str, Any]:
        now = int(self.sandbox.now().timestamp())
        return {
            "iss": self.sandbox.config.issuer,
            "aud": client.get_client_id(),
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "ver": 1,
            "jti": "ID." + secrets.token_urlsafe(24),
        }

    def get_compatible_claims(self, request: Request) -> dict[str, Any]:
        """Without Authlib's own guess that whoever gets a token has signed in just now."""
        claims = super().get_compatible_claims(request)
        claims.pop("auth_time", None)
        return claims

    def get_authorization_code_claims(self, authorization_code: Code) -> dict[str, Any]:
        claims = super().get_authorization_code_claims(authorization_code)
        with self.sandbox.database.write() as connection:
            if switches.take(connection, "no_auth_time", "POST /oauth2/v1/token") is not None:
                del claims["auth_time"]
        return {
            **claims,
            "sid": authorization_code.session["id"],
            "idp": directory.identifier("00o", "organisation"),
        }

    def generate_user_info(self, user: sqlite3.Row, scope: str) -> dict[str, Any]:
        return user_info(user, scope)


def user_info(user: sqlite3.Row, scope: str) -> dict[str, Any]:
    """The claims about a person that these scopes entitle to."""
    profile, granted = json.loads(user["profile"]), scope.split()
    info: dict[str, Any] = {"sub": user["id"]}
    if "profile" in granted:
        info.update(
            name=profile["displayName"],
            given_name=profile["firstName"],
            family_name=profile["lastName"],
            preferred_username=user["login"],
            zoneinfo=profile["timezone"],
            locale="en_US",
        )
    if "email" in granted:
        info.update(email=profile["email"], email_verified=True)
    return info


class Provider(AuthorizationServer):
    """The organisation's authorization server."""

    def __init__(self, sandbox: Sandbox, key: RSAKey):
        super().__init__(scopes_supported=list(SCOPES))
        self.sandbox, self.key, self.client = sandbox, key, ChatClient(sandbox)
        self.register_token_generator("default", self._bearer_token)
        self.register_grant(CodeGrant, [PkceS256(required=True), IdToken(sandbox, key)])

    def query_client(self, client_id: str) -> ChatClient | None:
        return self.client if client_id == self.client.get_client_id() else None

    def _bearer_token(self, scope: str, **_: Any) -> dict[str, Any]:
        return {
            "token_type": "Bearer",
            "access_token": secrets.token_urlsafe(32),
            "expires_in": TOKEN_SECONDS,
            "scope": scope,
        }

    def save_token(self, token: dict[str, Any], request: Request) -> None:
        """Uses the code up and stores the access token. Raises InvalidGrantError if another request was faster."""
        code = request.authorization_code
        with self.sandbox.database.write() as connection:
            used = connection.execute(
                "UPDATE codes SET used = 1 WHERE code_hash = ? AND used = 0", (request.code_hash,)
            ).rowcount
            if not used:
                raise InvalidGrantError("Invalid 'code' in request.")
            expires = self.sandbox.now().timestamp() + TOKEN_SECONDS
            connection.execute(
                "INSERT INTO access_tokens (token_hash, code_hash, session_id, user_id, scope, expires)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (
                    fingerprint(token["access_token"]),
                    request.code_hash,
                    code.session["id"],
                    code.row["user_id"],
                    token["scope"],
                    expires,
                ),
            )

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens to Authlib's signals here."""

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple]) -> Response:
        kind = JSONResponse if isinstance(body, dict) else Response
        response = kind(body, status_code=status)
        for name, value in headers:
            response.headers[name] = value
        return response
