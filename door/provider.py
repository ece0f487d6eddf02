"""The organisation's OpenID provider as the door sees it: where to send people, and whose word counts.

Authlib does code, PKCE, state and nonce; here is what it leaves to its user: the issuer must be the one in
settings.yml, only asymmetric signatures count, and every time is compared with the installation's clock.
"""

import logging
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import httpx2
from authlib.integrations.starlette_client import OAuth, OAuthError, StarletteOAuth2App
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from account_access import sessions
from account_access.clock import Clock
from account_access.settings import SignInSection

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
LEEWAY = 120
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_AGE = timedelta(minutes=5)
METADATA_SECONDS = 600
# Anybody can send a token that names an unknown key: the provider is asked for new keys only so often because of it.
KEYS_SECONDS = 10
log = logging.getLogger("door.provider")


class ProviderUnavailable(Exception):
    """The provider cannot be reached or does not speak OpenID Connect right now."""


class ProviderRefused(Exception):
    """The sign-in did not end with an identity we may believe; the text is for the log."""


class LogoutRefused(Exception):
    """The logout token is not one we may believe; the text is for the log."""


class Logout(NamedTuple):
    """A session (sid) or everything of a person (subject) has ended at the provider."""

    sid: str | None
    subject: str | None
    jti: str


class _Client(StarletteOAuth2App):
    """Authlib's client with the two checks of the discovery document that it does not make itself."""

    issuer: str
    metadata_seconds = METADATA_SECONDS

    async def load_server_metadata(self):
        if time.time() - self.server_metadata.get("_loaded_at", 0) > self.metadata_seconds:
            self.server_metadata.pop("_loaded_at", None)
        try:
            metadata = await super().load_server_metadata()
        except ValueError as error:
            raise ProviderUnavailable(f"its discovery document is not JSON: {error}") from error
        if metadata.get("issuer") != self.issuer:
            self.server_metadata.clear()
            raise ProviderUnavailable(f"the provider calls itself {metadata.get('issuer')!r}, not {self.issuer!r}")
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [name for name in offered if name in ALGORITHMS]
        return metadata


class Provider:
    """One configured issuer and our client at it."""

    def __init__(self, section: SignInSection, redirect_uri: str, clock: Clock):
        self.section = section
        self.redirect_uri = redirect_uri
        self.clock = clock
        self.issuer = section.issuer
        self._seen: dict[str, datetime] = {}
        self._said_undated = False
        self._asked_for_keys: float | None = None
        self.client: _Client = OAuth().register(
            name="organisation",
            client_cls=type("Client", (_Client,), {"issuer": section.issuer}),
            client_id=section.client_id,
            client_secret=section.client_secret.get_secret_value(),
            server_metadata_url=section.issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={"scope": " ".join(section.scopes), "code_challenge_method": "S256", "timeout": 5},
        )

    async def redirect(self, request, fresh: bool):
        """The response that sends the browser to the provider. Raises ProviderUnavailable."""
        # Without max_age a provider's session older than ours may be would open one that is over at once.
        options = {"max_age": int(self.section.max_hours * 3600)}
        if fresh:
            options["prompt"] = "login"
        return await _reaching(self.client.authorize_redirect(request, self.redirect_uri, **options))

    async def identity(self, request) -> Mapping[str, Any]:
        """The verified claims of the id token behind a callback. Raises ProviderUnavailable or ProviderRefused."""
        clock = self.clock

        class Claims(CodeIDToken):
            def validate(self, now=None, leeway=0):
                super().validate(int(clock.now().timestamp()), leeway)

        options = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.section.client_id},
        }
        try:
            token = await _reaching(
                self.client.authorize_access_token(request, claims_cls=Claims, claims_options=options, leeway=LEEWAY)
            )
        except (OAuthError, JoseError, ValueError) as error:
            raise ProviderRefused(f"{type(error).__name__}: {error}") from error
        claims = token.get("userinfo")
        if not claims or not claims.get("sub"):
            raise ProviderRefused("the provider sent no id token")
        return claims

    def session_ends(self, claims: Mapping[str, Any]) -> tuple[datetime, datetime]:
        """When the person signed in and when our session has to end (both UTC): never after the provider's (N7).

        A token that was issued just now may stand for a sign-in of long ago: without `auth_time` none is fresh (M7).
        """
        issued, told = datetime.fromtimestamp(claims["iat"], timezone.utc), claims.get("auth_time")
        signed_in = datetime.fromtimestamp(told, timezone.utc) if told else sessions.UNDATED
        if not told and not self._said_undated:
            self._said_undated = True
            log.error(
                "door.sign_in: %s sends no auth_time, which OpenID Connect requires after max_age: no sign-in is known"
                " to be fresh, and where mfa.verification is fresh_session, a human resets MFA; let the provider send"
                " it, or set mfa.verification",
                self.issuer,
            )
        expiry = datetime.fromtimestamp(claims["exp"], timezone.utc)
        return signed_in, min(expiry, (signed_in if told else issued) + timedelta(hours=self.section.max_hours))

    async def sign_out_address(self) -> str | None:
        """Where people can sign out of the organisation as well, if the provider says so and can be reached."""
        try:
            metadata = await _reaching(self.client.load_server_metadata())
        except ProviderUnavailable:
            return None
        return metadata.get("end_session_endpoint")

    async def logout(self, token: str) -> Logout:
        """What a back-channel logout token ends. Raises LogoutRefused or ProviderUnavailable."""
        try:
            claims = await self._decoded(token)
        except (JoseError, ValueError) as error:
            raise LogoutRefused(f"{type(error).__name__}: {error}") from error
        self._check_logout(claims)
        self._check_replay(claims)
        return Logout(claims.get("sid"), claims.get("sub"), claims["jti"])

    def logged_out(self, logout: Logout) -> None:
        """Its sessions have ended: the same token does not count again."""
        self._seen[logout.jti] = self.clock.now() + 3 * LOGOUT_AGE

    async def _decoded(self, token: str) -> Mapping[str, Any]:
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        keys = KeySet.import_key_set(await _reaching(self.client.fetch_jwk_set()))
        try:
            return jwt.decode(token, keys, registry=registry).claims
        except InvalidKeyIdError:
            asked, self._asked_for_keys = self._asked_for_keys, time.monotonic()
            if asked is not None and self._asked_for_keys - asked < KEYS_SECONDS:
                self._asked_for_keys = asked
                raise
            keys = KeySet.import_key_set(await _reaching(self.client.fetch_jwk_set(force=True)))
            return jwt.decode(token, keys, registry=registry).claims

    def _check_logout(self, claims: Mapping[str, Any]) -> None:
        """OpenID Connect Back-Channel Logout 1.0, section 2.6."""
        now = self.clock.now().timestamp()
        audience = claims.get("aud")
        events = claims.get("events")
        issued = claims.get("iat")
        problems = [
            (claims.get("iss") != self.issuer, "iss is another provider's"),
            (self.section.client_id not in (audience if isinstance(audience, list) else [audience]), "aud is not us"),
            (not isinstance(issued, int | float), "iat is missing"),
            (isinstance(issued, int | float) and abs(now - issued) > LOGOUT_AGE.total_seconds(), "iat is not now"),
            (isinstance(claims.get("exp"), int | float) and claims["exp"] < now - LEEWAY, "exp has passed"),
            (not isinstance(events, dict) or LOGOUT_EVENT not in events, "events names no back-channel logout"),
            ("nonce" in claims, "nonce is not allowed here"),
            (not claims.get("sid") and not claims.get("sub"), "neither sid nor sub"),
            (not isinstance(claims.get("jti"), str), "jti is missing"),
        ]
        for wrong, text in problems:
            if wrong:
                raise LogoutRefused(text)

    def _check_replay(self, claims: Mapping[str, Any]) -> None:
        now = self.clock.now()
        # Older tokens fail by their iat, so nothing has to be remembered for longer.
        self._seen = {jti: until for jti, until in self._seen.items() if until > now}
        if claims["jti"] in self._seen:
            raise LogoutRefused("jti was used before")


async def _reaching(call):
    """Awaits a call to the provider; whatever keeps it from answering properly becomes ProviderUnavailable."""
    try:
        return await call
    except (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError, KeyError) as error:
        raise ProviderUnavailable(f"{type(error).__name__}: {error}") from error
