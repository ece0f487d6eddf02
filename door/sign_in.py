"""Sign-in by the organisation's OpenID provider, sign-out, and the provider's word that a session has ended (N7)."""

import logging
from urllib.parse import urlencode, urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from account_access import people, sessions
from door import pages, rates, visitors
from door.protection import on_one_line
from door.provider import LogoutRefused, ProviderRefused, ProviderUnavailable

STATE_COOKIE = "account_access_sign_in_"
STATE_SECONDS = 900
log = logging.getLogger("door.sign_in")


def local_path(wanted: str | None) -> str:
    """The path to go on to after sign-in: one of our own, or the chat."""
    if not wanted or not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or len(wanted) > 500:
        return "/"
    if "\\" in wanted or any(ord(character) < 33 or ord(character) == 127 for character in wanted):
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc or parts.path.startswith("/sign") else wanted


async def sign_in(request: Request) -> Response:
    """GET /signin?next=: off to the provider; `fresh=1` asks for the password even if its session lives."""
    door = request.app.state.door
    door.rates.check(rates.SIGNING_IN, "sign_in", request.client.host if request.client else "")
    request.scope["session"] = {"next": local_path(request.query_params.get("next"))}
    try:
        response = await door.provider.redirect(request, fresh=request.query_params.get("fresh") == "1")
    except ProviderUnavailable as error:
        log.warning("sign-in: the provider cannot be used: %s", on_one_line(error))
        return pages.trouble(request, "provider_down", 503)
    # One cookie a sign-in: several tabs may start one at the same moment, and each must find its own again.
    state = next(key for key in request.scope["session"] if key != "next")
    response.set_cookie(
        STATE_COOKIE + _short(state),
        _signer(request).dumps(request.scope["session"]),
        max_age=STATE_SECONDS,
        path="/signin",
        httponly=True,
        samesite="lax",
        secure=door.secure,
    )
    return response


async def callback(request: Request) -> Response:
    """GET /signin/callback: the provider sends the browser back with a code."""
    name = STATE_COOKIE + _short(request.query_params.get("state", ""))
    state = _read_state(request, name)
    if state is None:
        # The same address again (back button), or a sign-in begun too long ago: never a session from it.
        found = await visitors.visitor(request)
        return RedirectResponse("/", 303) if found else pages.trouble(request, "sign_in_expired", 400)
    request.scope["session"] = state
    response = await _finish(request, local_path(state.get("next")))
    response.delete_cookie(name, path="/signin", httponly=True, samesite="lax", secure=request.app.state.door.secure)
    return response


async def _finish(request: Request, path: str) -> Response:
    door = request.app.state.door
    try:
        claims = await door.provider.identity(request)
    except ProviderUnavailable as error:
        log.warning("sign-in: the provider cannot be used: %s", on_one_line(error))
        return pages.trouble(request, "provider_down", 503, path)
    except ProviderRefused as error:
        log.warning("sign-in refused: %s", on_one_line(error))
        return pages.trouble(request, "sign_in_refused", 400, path)
    signed_in, ends = door.provider.session_ends(claims)
    seconds = int((ends - door.clock.now()).total_seconds())
    if seconds <= 0:
        log.warning("sign-in refused: the provider's session of subject %s is already over for us", claims["sub"])
        return pages.trouble(request, "too_old", 403, path)
    try:
        token = await run_in_threadpool(_open_session, request, claims, signed_in, ends)
    except people.UnknownPerson as error:
        log.warning(
            "sign-in refused: nobody known for subject %s at %s: %s", claims["sub"], door.provider.issuer, error
        )
        return pages.trouble(request, "unknown_person", 403, path)
    except people.LinkConflict as error:
        log.error(
            "sign-in refused, an admin has to look: subject %s at %s: %s", claims["sub"], door.provider.issuer, error
        )
        return pages.trouble(request, "link_conflict", 403, path)
    response = RedirectResponse(path, 303)
    visitors.set_cookie(request, response, token, seconds)
    return response


def _open_session(request: Request, claims, signed_in, ends) -> str:
    """A new session, always with a new token; one that this browser had before is over (session fixation)."""
    door = request.app.state.door
    issuer, subject = door.provider.issuer, claims["sub"]
    verified = claims.get("email_verified") is True
    person = people.link(
        door.store, door.clock, issuer=issuer, subject=subject, email=claims.get("email"), email_verified=verified
    )
    before = sessions.find(door.store, door.clock, request.cookies.get(visitors.COOKIE, ""))
    if before:
        sessions.revoke(door.store, door.clock, before.id, "signed in again")
    return sessions.create(door.store, door.clock, person.id, issuer, subject, claims.get("sid"), signed_in, ends)


async def sign_out(request: Request) -> Response:
    """POST /signout: ends this chat session, in all tabs."""
    door = request.app.state.door
    found = await visitors.required(request)
    visitors.check_post(request, found)
    await run_in_threadpool(sessions.revoke, door.store, door.clock, found.session.id, "signed out")
    await door.streams.check_sessions()
    response = JSONResponse({"next": "/signed-out"})
    visitors.drop_cookie(request, response)
    return response


async def signed_out(request: Request) -> Response:
    """GET /signed-out: where the page goes after sign-out, since /signin would lead straight back in."""
    address = await request.app.state.door.provider.sign_out_address()
    return pages.render(request, "signed_out.html", organisation_sign_out=address)


async def backchannel_logout(request: Request) -> Response:
    """POST /signin/backchannel-logout: the provider says that a session, or all of a person's, have ended."""
    door = request.app.state.door
    door.rates.check(rates.SIGNING_IN, "logout", request.client.host if request.client else "")
    form = await request.form()
    token = form.get("logout_token")
    try:
        if not isinstance(token, str):
            raise LogoutRefused("no logout_token")
        logout = await door.provider.logout(token)
    except LogoutRefused as error:
        log.warning("back-channel logout refused: %s", on_one_line(error))
        return JSONResponse({"error": "invalid_request", "error_description": "logout_token refused"}, 400)
    except ProviderUnavailable as error:
        log.warning("back-channel logout: the provider's keys cannot be had: %s", error)
        return JSONResponse({"error": "temporarily_unavailable"}, 503)
    ended = await run_in_threadpool(
        sessions.revoke_at_provider,
        door.store,
        door.clock,
        door.provider.issuer,
        sid=logout.sid,
        subject=logout.subject,
    )
    door.provider.logged_out(logout)
    log.info("back-channel logout ended %d sessions", ended)
    await door.streams.check_sessions()
    return Response(status_code=200)


def sign_in_path(path: str) -> str:
    """The address that signs someone in and leads back to that path."""
    return "/signin?" + urlencode({"next": path})


def _signer(request: Request) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(request.app.state.door.cookie_secret, salt="sign-in")


def _read_state(request: Request, name: str) -> dict | None:
    try:
        return _signer(request).loads(request.cookies.get(name, ""), max_age=STATE_SECONDS)
    except BadSignature:
        return None


def _short(state: str) -> str:
    """What tells one sign-in's cookie from another's; the whole state is checked against the cookie's content."""
    return "".join(character for character in state.rsplit("_", 1)[-1] if character.isalnum())[:12]
