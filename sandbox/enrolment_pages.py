"""Setting up a factor: a signed-in person names a new phone or key, which then proves that it is theirs."""

import sqlite3
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox import directory, enrolment, factors
from sandbox.context import of
from sandbox.factors import described
from sandbox.pages import current_session, render, safe_goal


def _who(connection: sqlite3.Connection, request: Request) -> sqlite3.Row | None:
    session = current_session(request)
    return directory.find(connection, session["user_id"]) if session else None


def _to_sign_in(goal: str) -> Response:
    return RedirectResponse(f"/signin?{urlencode({'goal': goal})}", 303)


def choice_page(request: Request, goal: str = "", problem: str = "") -> Response:
    """GET /enrol: which kind of factor, on what."""
    goal = safe_goal(goal or request.query_params.get("goal"))
    with of(request).database.read() as connection:
        user = _who(connection, request)
        methods = factors.active(connection, user["id"]) if user else []
    if user is None:
        return _to_sign_in("/enrol")
    return render(
        request,
        "enrol.html",
        400 if problem else 200,
        goal=goal,
        first=not methods,
        choices={name: words for name, (words, _, _) in enrolment.CHOICES.items()},
        longest=enrolment.LONGEST_NAME,
        message=problem,
    )


async def choose(request: Request) -> Response:
    """POST /enrol: kind, name (the phone's, the key's or the number), goal."""
    form = await request.form()
    given = {name: str(form.get(name, "")).strip() for name in ("kind", "name", "goal")}
    return await run_in_threadpool(_choose, request, given["kind"], given["name"], safe_goal(given["goal"]))


def _choose(request: Request, kind: str, name: str, goal: str) -> Response:
    sandbox = of(request)
    problem = enrolment.problem_with(kind, name)
    if problem:
        return choice_page(request, goal, problem)
    with sandbox.database.write() as connection:
        user = _who(connection, request)
        if user is None:
            return _to_sign_in("/enrol")
        factor = enrolment.begin(connection, user, kind, name, sandbox.now())
    return RedirectResponse(f"/enrol/{factor['id']}?{urlencode({'goal': goal})}", 303)


def proof_page(request: Request, problem: str = "") -> Response:
    """GET /enrol/{factor}: the new phone or key proves that it is the person's."""
    sandbox = of(request)
    with sandbox.database.read() as connection:
        user = _who(connection, request)
        row = factors.find(connection, user["id"], request.path_params["factor"]) if user else None
    if row is None or described(row)["active"]:
        return RedirectResponse("/portal", 303)
    factor = described(row)
    return render(
        request,
        "enrol_proof.html",
        400 if problem else 200,
        goal=safe_goal(request.query_params.get("goal")),
        factor=factor,
        code=factors.code(row, sandbox.now()) if factor["asks_code"] else "",
        message=problem,
    )


async def prove(request: Request) -> Response:
    """POST /enrol/{factor}: code, or answer=approve|deny from the phone; goal."""
    form = await request.form()
    given = {name: str(form.get(name, "")).strip() for name in ("code", "answer", "goal")}
    return await run_in_threadpool(_prove, request, given["code"], given["answer"], safe_goal(given["goal"]))


def _prove(request: Request, code: str, answer: str, goal: str) -> Response:
    sandbox = of(request)
    with sandbox.database.write() as connection:
        user, now = _who(connection, request), sandbox.now()
        row = factors.find(connection, user["id"], request.path_params["factor"]) if user else None
        if row is None or described(row)["active"]:
            return RedirectResponse("/portal", 303)
        if answer == "deny":
            factors.give_up(connection, row)
            return RedirectResponse(f"/enrol?{urlencode({'goal': goal})}", 303)
        asks_code = described(row)["asks_code"]
        right = factors.code_is_right(row, code, now) if asks_code else answer == "approve"
        if right:
            enrolment.complete(connection, user, row, now)
    return RedirectResponse(goal, 303) if right else proof_page(request, "That code is not right. Check it again.")


async def later(request: Request) -> Response:
    """POST /enrol/later: goes on without; the next sign-in asks again."""
    return RedirectResponse(safe_goal(str((await request.form()).get("goal", ""))), 303)


ROUTES = [
    Route("/enrol", choice_page),
    Route("/enrol", choose, methods=["POST"]),
    Route("/enrol/later", later, methods=["POST"]),
    Route("/enrol/{factor}", proof_page),
    Route("/enrol/{factor}", prove, methods=["POST"]),
]
