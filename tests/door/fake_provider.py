"""An OpenID provider that does what a test tells it to: signs in whoever is named, well or badly."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.routing import Route

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class FakeProvider:
    """State and knobs; `app` is what to serve at `issuer`."""

    def __init__(self, issuer: str, client_id: str = "account-access", client_secret: str = "s3cret"):
        self.issuer, self.client_id, self.client_secret = issuer, client_id, client_secret
        self.user = {"sub": "00u-dana", "email": "dana@acme.example", "email_verified": True, "name": "Dana"}
        self.sid = "sid-1"
        self.claims: dict = {}
        self.down = False
        self.error = ""
        self.wrong_key = False
        self.algorithm = "RS256"
        self.announced_issuer = issuer
        self.lifetime = 3600
        self.offset = 0.0
        self.codes: dict[str, dict] = {}
        self.authorized: list[dict] = []
        self.rotate()
        self.app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self.discovery),
                Route("/authorize", self.authorize),
                Route("/token", self.token, methods=["POST"]),
                Route("/keys", self.keys),
            ]
        )

    def rotate(self) -> None:
        """A new signing key under a new id; the old one is gone."""
        self.key = RSAKey.generate_key(2048, parameters={"kid": secrets.token_hex(4), "use": "sig", "alg": "RS256"})

    async def discovery(self, request: Request):
        if self.down:
            return PlainTextResponse("maintenance", 503)
        return JSONResponse(
            {
                "issuer": self.announced_issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "end_session_endpoint": f"{self.issuer}/logout",
                "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            }
        )

    async def authorize(self, request: Request):
        asked = dict(request.query_params)
        self.authorized.append(asked)
        if self.error:
            return RedirectResponse(
                f"{asked['redirect_uri']}?{urlencode({'error': self.error, 'state': asked['state']})}"
            )
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}")

    async def token(self, request: Request):
        if self.down:
            return PlainTextResponse("maintenance", 503)
        expected = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return JSONResponse({"error": "invalid_client"}, 401)
        form = await request.form()
        asked = self.codes.pop(form["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode()
        if asked is None or asked["code_challenge"] != challenge.rstrip("="):
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "at", "token_type": "Bearer", "id_token": self.id_token(asked["nonce"])})

    async def keys(self, request: Request):
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    def now(self) -> int:
        return int(time.time() + self.offset)

    def id_token(self, nonce: str) -> str:
        now = self.now()
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + self.lifetime,
            "auth_time": now,
            "nonce": nonce,
            "sid": self.sid,
            "amr": ["pwd", "otp"],
            **self.user,
            **self.claims,
        }
        return self.signed({name: value for name, value in claims.items() if value is not None})

    def signed(self, claims: dict, typ: str = "JWT") -> str:
        """Signed as the knobs say: properly, by a stranger's key, with a public secret, or not at all."""
        header = {"alg": self.algorithm, "typ": typ, "kid": self.key.kid}
        if self.algorithm == "none":
            return _unsigned(header, claims) + "."
        key = self.key
        if self.algorithm == "HS256":
            return self.signed_with_public_key(header, claims)
        elif self.wrong_key:
            key = RSAKey.generate_key(2048, parameters={"kid": self.key.kid})
        return jwt.encode(header, claims, key, algorithms=[self.algorithm])

    def signed_with_public_key(self, header: dict, claims: dict) -> str:
        """The classic confusion: the public key, which everybody has, taken for a shared secret."""
        body = _unsigned(header, claims)
        mac = hmac.digest(self.key.as_pem(private=False), body.encode(), "sha256")
        return f"{body}.{_base64(mac)}"

    def logout_token(self, **changes) -> str:
        """A back-channel logout token for the current sid; a change to None leaves a claim out."""
        now = self.now()
        claims = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_hex(8),
            "events": {LOGOUT_EVENT: {}},
            "sid": self.sid,
            **changes,
        }
        return self.signed({name: value for name, value in claims.items() if value is not None}, "logout+jwt")

    def log_out(self, door_url: str, token: str | None = None) -> httpx.Response:
        """Tells the door that the session is over."""
        return httpx.post(f"{door_url}/signin/backchannel-logout", data={"logout_token": token or self.logout_token()})


def _unsigned(header: dict, claims: dict) -> str:
    return ".".join(_base64(json.dumps(part).encode()) for part in (header, claims))


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
