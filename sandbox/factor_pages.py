"""The organisation's sign-in, second step: a factor on "the phone", which the page itself plays."""

import base64
import json
import secrets
import sqlite3
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import directory, organisation, sessions, system_log
from sandbox.context import Sandbox, of
from sandbox.pages import SIGN_IN_COOKIE, client_of, render
from sandbox.sign_in_flow import MESSAGES, STATUS_OF, complete, password_page

SIGN_IN_SECONDS = 600
AMR = {"push": "swk", "token:software:totp": "otp", "sms": "sms", "webauthn": "hwk"}


def begin_factor(connection: sqlite3.Connection, sandbox: Sandbox, user: sqlite3.Row, goal: str) -> Response:
    """The password was right: asks for the person's first factor."""
    sign_in_id = secrets.token_urlsafe(32)
    first = directory.factors(connection, user["id"])[0]
    connection.execute(
        "INSERT INTO sign_ins (id, user_id, goal, factor_id, challenge, expires) VALUES (?, ?, ?, ?, ?, ?)",
        (
            sessions.fingerprint(sign_in_id),
            user["id"],
            goal,
            first["id"],
            _challenge(),
            sandbox.now().timestamp() + SIGN_IN_SECONDS,
        ),
    )
    response = RedirectResponse("/signin/factor", 303)
    response.set_cookie(SIGN_IN_COOKIE, sign_in_id, max_age=SIGN_IN_SECONDS, httponly=True, samesite="lax")
    return response


def _challenge() -> str:
    return f"{secrets.randbelow(10**6):06d}"


def _pending(connection: sqlite3.Connection, sandbox: Sandbox, request: Request) -> sqlite3.Row | None:
    """The sign-in that waits for its factor, by the request's cookie."""
    return connection.execute(
        "SELECT * FROM sign_ins WHERE id = ? AND expires > ?",
        (sessions.fingerprint(request.cookies.get(SIGN_IN_COOKIE, "")), sandbox.now().timestamp()),
    ).fetchone()


def described(row: sqlite3.Row) -> dict[str, Any]:
    """A factor in words."""
    factor = json.loads(row["document"])
    kind, profile = factor["factorType"], factor["profile"]
    names = {
        "push": f"Okta Verify push ({profile.get('name')})",
        "token:software:totp": f"{'Google Authenticator' if factor['provider'] == 'GOOGLE' else 'Okta Verify'} code",
        "sms": f"SMS to {profile.get('phoneNumber', '')[:2]}•••{profile.get('phoneNumber', '')[-4:]}",
        "webauthn": f"Security key ({profile.get('authenticatorName')})",
    }
    return {"id": row["id"], "type": kind, "name": names[kind], "asks_code": kind in ("token:software:totp", "sms")}


def factor_page(request: Request, problem: str = "") -> Response:
    """GET /signin/factor."""
    sandbox = of(request)
    with sandbox.database.read() as connection:
        pending = _pending(connection, sandbox, request)
        if pending is None:
            return RedirectResponse("/signin", 303)
        user = directory.find(connection, pending["user_id"])
        rows = directory.factors(connection, user["id"])
    chosen = next((row for row in rows if row["id"] == pending["factor_id"]), None)
    if chosen is None:  # removed by an admin meanwhile
        return password_page(request, pending["goal"], problem="expired")
    factor = described(chosen)
    return render(
        request,
        "factor.html",
        STATUS_OF.get(problem, 200),
        profile=json.loads(user["profile"]),
        factor=factor,
        others=[described(row) for row in rows if row["id"] != chosen["id"]],
        code=_code(sandbox, chosen, pending) if factor["asks_code"] else "",
        message=MESSAGES.get(problem, ""),
    )


def _totp(secret: str) -> TOTP:
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # noqa: S303 - what authenticator apps use (RFC 6238)


def _code(sandbox: Sandbox, factor: sqlite3.Row, pending: sqlite3.Row) -> str:
    """What the phone shows at this moment."""
    if factor["secret"]:
        return _totp(factor["secret"]).generate(int(sandbox.now().timestamp())).decode()
    return pending["challenge"]


def _code_is_right(sandbox: Sandbox, factor: sqlite3.Row, pending: sqlite3.Row, offered: str) -> bool:
    """Whether a code is the current one (or, of an authenticator app, the one before)."""
    if not factor["secret"]:
        return secrets.compare_digest(pending["challenge"].encode(), offered.encode())
    for age in (0, 30):
        try:
            _totp(factor["secret"]).verify(offered.encode(), int(sandbox.now().timestamp()) - age)
            return True
        except InvalidToken:
            continue
    return False


async def choose_factor(request: Request) -> Response:
    """POST /signin/choose: factor."""
    chosen = str((await request.form()).get("factor", ""))
    return await run_in_threadpool(_choose_factor, request, chosen)


def _choose_factor(request: Request, chosen: str) -> Response:
    sandbox = of(request)
    with sandbox.database.write() as connection:
        pending = _pending(connection, sandbox, request)
        owned = [row["id"] for row in directory.factors(connection, pending["user_id"])] if pending else []
        if chosen in owned:
            connection.execute(
                "UPDATE sign_ins SET factor_id = ?, challenge = ? WHERE id = ?", (chosen, _challenge(), pending["id"])
            )
    return RedirectResponse("/signin/factor", 303)


async def answer_factor(request: Request) -> Response:
    """POST /signin/factor: code, or answer=approve|deny from the phone."""
    form = await request.form()
    code, answer = str(form.get("code", "")).strip(), str(form.get("answer", ""))
    return await run_in_threadpool(_answer_factor, request, code, answer)


def _answer_factor(request: Request, code: str, answer: str) -> Response:
    sandbox = of(request)
    sandbox.settle()
    with sandbox.database.write() as connection:
        pending = _pending(connection, sandbox, request)
        user = directory.find(connection, pending["user_id"]) if pending else None
        rows: list[sqlite3.Row] = directory.factors(connection, user["id"]) if user else []
        chosen = next((row for row in rows if row["id"] == pending["factor_id"]), None)
        if chosen is None:
            problem, response = "expired", None
        else:
            factor = described(chosen)
            right = _code_is_right(sandbox, chosen, pending, code) if factor["asks_code"] else answer == "approve"
            problem = _judge_factor(connection, sandbox, request, user, right, factor["asks_code"])
            response = None
            if not problem:
                amr = ["pwd", AMR[factor["type"]], "mfa"]
                response = complete(connection, sandbox, request, user, amr, pending["goal"], factor)
            if problem in ("", "locked"):
                connection.execute("DELETE FROM sign_ins WHERE id = ?", (pending["id"],))
    if response:
        return response
    if problem in ("code", "denied"):
        return factor_page(request, problem)
    return password_page(request, pending["goal"] if pending else "/portal", problem=problem)


def _judge_factor(
    connection: sqlite3.Connection, sandbox: Sandbox, request: Request, user: sqlite3.Row, right: bool, code: bool
) -> str:
    now, client, who = sandbox.now(), client_of(request), system_log.person(user)
    if user["status"] != "ACTIVE":
        return "locked" if user["status"] == "LOCKED_OUT" else "wrong"
    if right:
        return ""
    reason = "INVALID_CREDENTIALS" if code else "User rejected Okta push verify"
    kind = "user.authentication.auth_via_mfa"
    system_log.append(connection, now, kind, who, target=[who], reason=reason, failed=True, client=client)
    if not code:
        return "denied"
    return "locked" if organisation.wrong_secret(connection, user, now, client) else "code"


ROUTES = [
    Route("/signin/factor", factor_page),
    Route("/signin/factor", answer_factor, methods=["POST"]),
    Route("/signin/choose", choose_factor, methods=["POST"]),
]
