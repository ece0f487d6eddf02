"""The OpenID provider's endpoints: discovery, authorize, token, keys, userinfo, logout."""

from urllib.parse import urlencode

from authlib.oauth2.rfc6749.errors import OAuth2Error
from joserfc import jwt
from joserfc.errors import JoseError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox import directory, openid_grant, sessions
from sandbox.context import of
from sandbox.keys import public_keys
from sandbox.openid_client import SCOPES
from sandbox.openid_client import Request as AuthorizationRequest
from sandbox.openid_grant import Provider
from sandbox.pages import SESSION_COOKIE, cookie, current_session, render


def provider(request: Request) -> Provider:
    return request.app.state.provider


def discovery(request: Request) -> Response:
    issuer = of(request).config.issuer
    claims = (
        "iss sub aud iat exp auth_time nonce amr sid name given_name family_name preferred_username zoneinfo locale"
    )
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth2/v1/authorize",
        "token_endpoint": f"{issuer}/oauth2/v1/token",
        "userinfo_endpoint": f"{issuer}/oauth2/v1/userinfo",
        "jwks_uri": f"{issuer}/oauth2/v1/keys",
        "end_session_endpoint": f"{issuer}/oauth2/v1/logout",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": list(SCOPES),
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": [*claims.split(), "email", "email_verified"],
        "prompt_values_supported": ["none", "login"],
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }
    return JSONResponse(document)


def keys(request: Request) -> Response:
    return JSONResponse(public_keys(provider(request).key), headers={"Cache-Control": "max-age=3600"})


def authorize(request: Request) -> Response:
    """Hands the chat a code for the session of this browser, after a sign-in if there is none recent enough."""
    asked = _asked(request, list(request.query_params.multi_items()))
    session = current_session(request)
    if session and _too_old(request, session):
        session = None
    server = provider(request)
    try:
        grant = server.get_consent_grant(asked, end_user=session)
    except OAuth2Error as error:
        if error.redirect_uri:
            return server.handle_error_response(asked, error)
        message = error.get_error_description() or error.error
        return render(request, "error.html", 400, title="Sign-in request refused", message=message)
    if grant.prompt == "login":
        # What asked for a fresh sign-in has had it once the person is back here.
        again = [
            (name, value) for name, value in request.query_params.multi_items() if name not in ("prompt", "max_age")
        ]
        goal = f"{request.url.path}?{urlencode(again)}"
        return RedirectResponse(f"/signin?{urlencode({'goal': goal})}", 302)
    return server.create_authorization_response(asked, grant_user=session, grant=grant)


def _asked(request: Request, given: list) -> AuthorizationRequest:
    return AuthorizationRequest(request.method, str(request.url), given, dict(request.headers))


def _too_old(request: Request, session) -> bool:
    max_age = request.query_params.get("max_age", "")
    if not max_age.isascii() or not max_age.isdigit():
        return False
    return of(request).now().timestamp() - session["auth_time"] > int(max_age)


async def token(request: Request) -> Response:
    """Exchanges a code for tokens."""
    async with request.form() as form:
        given = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    headers = {name.title(): value for name, value in request.headers.items()}
    asked = AuthorizationRequest(request.method, str(request.url), given, headers)
    return await run_in_threadpool(provider(request).create_token_response, asked)


def userinfo(request: Request) -> Response:
    """The claims about whoever an access token belongs to."""
    scheme, _, offered = request.headers.get("authorization", "").partition(" ")
    sandbox = of(request)
    with sandbox.database.read() as connection:
        row = connection.execute(
            "SELECT * FROM access_tokens WHERE token_hash = ? AND revoked = 0 AND expires > ?",
            (sessions.fingerprint(offered.strip()), sandbox.now().timestamp()),
        ).fetchone()
        user = directory.find(connection, row["user_id"]) if row and scheme.lower() == "bearer" else None
    if user is None:
        challenge = 'Bearer error="invalid_token", error_description="The access token is invalid."'
        return JSONResponse({"error": "invalid_token"}, 401, headers={"WWW-Authenticate": challenge})
    return JSONResponse(openid_grant.user_info(user, row["scope"]))


def logout(request: Request) -> Response:
    """Ends the session an ID token names and leads on to the chat; without one the person decides at the portal."""
    session_id = _session_of(request, request.query_params.get("id_token_hint", ""))
    if session_id is None:
        return RedirectResponse("/portal", 302)
    sandbox, then = of(request), request.query_params.get("post_logout_redirect_uri", "")
    with sandbox.database.write() as connection:
        session = sessions.get(connection, session_id)
        if session:
            sessions.end(connection, session, sandbox.now())
    target = then if provider(request).client.may_return_to(then) else "/signin"
    state = request.query_params.get("state")
    if state and target == then:
        target += f"{'&' if '?' in target else '?'}{urlencode({'state': state})}"
    response = RedirectResponse(target, 302)
    response.delete_cookie(cookie(sandbox, SESSION_COOKIE))
    return response


def _session_of(request: Request, id_token: str) -> str | None:
    """The session id in an ID token of ours, expired or not: signing out is welcome at any time."""
    try:
        return jwt.decode(id_token, provider(request).key, algorithms=["RS256"]).claims.get("sid")
    except (JoseError, ValueError):
        return None


ROUTES = [
    Route("/.well-known/openid-configuration", discovery),
    Route("/oauth2/v1/authorize", authorize),
    Route("/oauth2/v1/token", token, methods=["POST"]),
    Route("/oauth2/v1/keys", keys),
    Route("/oauth2/v1/userinfo", userinfo, methods=["GET", "POST"]),
    Route("/oauth2/v1/logout", logout),
]
