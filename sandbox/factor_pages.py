"""The organisation's sign-in, second step: a factor on "the phone", which the page itself plays.

The same step proves who somebody is that forgot their password.
"""

import json
import secrets
import sqlite3

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import directory, factors, organisation, reset_links, sessions, system_log
from sandbox.context import Sandbox, of
from sandbox.factors import described
from sandbox.organisation import FACTOR_STEP
from sandbox.pages import SIGN_IN_COOKIE, client_of, cookie, render
from sandbox.sign_in_flow import MESSAGES, STATUS_OF, complete, password_page

SIGN_IN_SECONDS = 600
AMR = {"push": "swk", "signed_nonce": "swk", "token:software:totp": "otp", "sms": "sms", "call": "tel", "email": "otp",
       "webauthn": "hwk"}  # fmt: skip
SIGN_IN, RECOVER = "sign_in", "recover"


def begin_factor(
    connection: sqlite3.Connection, sandbox: Sandbox, user: sqlite3.Row, goal: str, purpose: str = SIGN_IN
) -> Response:
    """Asks for the person's first factor: to end a sign-in whose password was right, or to begin a recovery."""
    sign_in_id = secrets.token_urlsafe(32)
    first = factors.active(connection, user["id"])[0]
    connection.execute(
        "INSERT INTO sign_ins (id, user_id, purpose, goal, factor_id, challenge, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            sessions.fingerprint(sign_in_id),
            user["id"],
            purpose,
            goal,
            first["id"],
            _challenge(),
            sandbox.now().timestamp() + SIGN_IN_SECONDS,
        ),
    )
    response = RedirectResponse("/signin/factor", 303)
    name = cookie(sandbox, SIGN_IN_COOKIE)
    response.set_cookie(name, sign_in_id, max_age=SIGN_IN_SECONDS, httponly=True, samesite="lax")
    return response


def _challenge() -> str:
    return f"{secrets.randbelow(10**6):06d}"


def _pending(connection: sqlite3.Connection, sandbox: Sandbox, request: Request) -> sqlite3.Row | None:
    """The sign-in that waits for its factor, by the request's cookie."""
    return connection.execute(
        "SELECT * FROM sign_ins WHERE id = ? AND expires > ?",
        (sessions.fingerprint(request.cookies.get(cookie(sandbox, SIGN_IN_COOKIE), "")), sandbox.now().timestamp()),
    ).fetchone()


def factor_page(request: Request, problem: str = "") -> Response:
    """GET /signin/factor."""
    sandbox = of(request)
    with sandbox.database.read() as connection:
        pending = _pending(connection, sandbox, request)
        if pending is None:
            return RedirectResponse("/signin", 303)
        user = directory.find(connection, pending["user_id"])
        rows = factors.active(connection, user["id"])
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
        recovering=pending["purpose"] == RECOVER,
        message=MESSAGES.get(problem, ""),
    )


def _code(sandbox: Sandbox, factor: sqlite3.Row, pending: sqlite3.Row) -> str:
    """What the phone shows at this moment."""
    return factors.code(factor, sandbox.now()) if factor["secret"] else pending["challenge"]


def _code_is_right(sandbox: Sandbox, factor: sqlite3.Row, pending: sqlite3.Row, offered: str) -> bool:
    if factor["secret"]:
        return factors.code_is_right(factor, offered, sandbox.now())
    return secrets.compare_digest(pending["challenge"].encode(), offered.encode())


async def choose_factor(request: Request) -> Response:
    """POST /signin/choose: factor."""
    chosen = str((await request.form()).get("factor", ""))
    return await run_in_threadpool(_choose_factor, request, chosen)


def _choose_factor(request: Request, chosen: str) -> Response:
    sandbox = of(request)
    with sandbox.database.write() as connection:
        pending = _pending(connection, sandbox, request)
        owned = [row["id"] for row in factors.active(connection, pending["user_id"])] if pending else []
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
        rows: list[sqlite3.Row] = factors.active(connection, user["id"]) if user else []
        chosen = next((row for row in rows if row["id"] == pending["factor_id"]), None)
        if chosen is None:
            problem, response = "expired", None
        else:
            asks_code = described(chosen)["asks_code"]
            right = _code_is_right(sandbox, chosen, pending, code) if asks_code else answer == "approve"
            problem = _judge_factor(connection, sandbox, request, user, pending["purpose"], right, asks_code)
            response = None if problem else _proven(connection, sandbox, request, user, pending, chosen)
            if problem in ("", "locked"):
                connection.execute("DELETE FROM sign_ins WHERE id = ?", (pending["id"],))
    if response:
        return response
    if problem in ("code", "denied"):
        return factor_page(request, problem)
    return password_page(request, pending["goal"] if pending else "/portal", problem=problem)


def _proven(
    connection: sqlite3.Connection,
    sandbox: Sandbox,
    request: Request,
    user: sqlite3.Row,
    pending: sqlite3.Row,
    chosen: sqlite3.Row,
) -> Response:
    """The factor was right: the person is in, or may make a new password."""
    factor = described(chosen)
    if pending["purpose"] == SIGN_IN:
        amr = ["pwd", AMR[factor["type"]], "mfa"]
        return complete(connection, sandbox, request, user, amr, pending["goal"], factor)
    now, who = sandbox.now(), system_log.person(user)
    token = reset_links.issue(connection, user["id"], now)
    system_log.append(
        connection, now, "user.account.reset_password", who, [who], factor["name"], client=client_of(request)
    )
    return RedirectResponse(f"/reset_password/{token}", 303)


def _judge_factor(
    connection: sqlite3.Connection,
    sandbox: Sandbox,
    request: Request,
    user: sqlite3.Row,
    purpose: str,
    right: bool,
    code: bool,
) -> str:
    """What stands in the way (a key of MESSAGES), nothing if the factor was right."""
    now, client = sandbox.now(), client_of(request)
    # Who is about to make a new password need not have a valid old one.
    usable = ("ACTIVE", "PASSWORD_EXPIRED") if purpose == RECOVER else ("ACTIVE",)
    if user["status"] not in usable:
        return "locked" if user["status"] == "LOCKED_OUT" else "wrong"
    if right:
        return ""
    if code:
        return "locked" if organisation.wrong_secret(connection, user, now, client, FACTOR_STEP) else "code"
    organisation.sign_in_failed(connection, user, now, "User rejected Okta push verify", client, FACTOR_STEP)
    return "denied"


ROUTES = [
    Route("/signin/factor", factor_page),
    Route("/signin/factor", answer_factor, methods=["POST"]),
    Route("/signin/choose", choose_factor, methods=["POST"]),
]
