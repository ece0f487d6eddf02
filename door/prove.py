"""/prove/<id>: where a code of another factor shows that an MFA reset is its owner's wish (M7, law 6, law 7).

The page belongs to the session of the chat that asked for it. Codes go on to the action server and are in no log, table
or message; whether one is right, and how many may be tried, is decided there.
"""

import logging
import re

from pydantic import SecretStr
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from door import forms, pages, rates, sign_in, visitors
from door.action_server import Unavailable
from door.visitors import Visitor

CODE = re.compile(r"[0-9A-Za-z]{4,12}")
# What prove.html calls the ends, with their HTTP status; anything else is trouble.
ENDS = {"proven": 200, "over": 410, "held": 403, "none": 403, "too_many": 403}
# What it says above the fields that are still there: a code was sent, or the last one did not do.
REMARKS = {"sent": 200, "wait": 429, "wrong": 403, "choose": 409, "shape": 422, "": 200}
log = logging.getLogger("door.prove")


async def page(request: Request) -> Response:
    """GET /prove/ID: the factors to choose from. Whoever is not signed in does so first. Changes nothing."""
    if request.method == "HEAD":
        return Response(status_code=200)
    found = await visitors.visitor(request)
    if found is None:
        return RedirectResponse(sign_in.sign_in_path(request.url.path), 302)
    # Each look asks the identity system, whose patience is everybody's (law 4).
    request.app.state.door.rates.check(rates.SENDING, "look_at_proof", found.person.id)
    return await _show(request, found)


async def send(request: Request) -> Response:
    """POST /prove/ID/send: has a code sent to a factor that does not show one by itself."""
    found, form = await forms.pressed(request, "prove")
    server = request.app.state.door.actions
    try:
        outcome = await server.send_code(_prover(request, found), str(form.get("factor", "")))
    except Unavailable as error:
        return _trouble(request, found, error)
    return await _show(request, found, outcome)


async def check(request: Request) -> Response:
    """POST /prove/ID: the code."""
    found, form = await forms.pressed(request, "prove")
    code = re.sub(r"[\s-]", "", str(form.get("code", "")))
    if not CODE.fullmatch(code):
        return await _show(request, found, "shape")
    server, factor = request.app.state.door.actions, str(form.get("factor", ""))
    try:
        outcome = await server.check_code(_prover(request, found), factor, SecretStr(code))
    except Unavailable as error:
        return _trouble(request, found, error)
    return await _show(request, found, outcome)


def _prover(request: Request, found: Visitor) -> dict[str, str]:
    """Who is asking, from the session alone."""
    return {"request": request.path_params["request_id"], "person": found.person.id, "session": found.session.id}


async def _show(request: Request, found: Visitor, outcome: str = "") -> Response:
    """The page after an outcome: its end, or the fields again with a remark."""
    if outcome not in REMARKS:
        return _end(request, found, outcome)
    try:
        seen = await request.app.state.door.actions.look_at_proof(_prover(request, found))
    except Unavailable as error:
        return _trouble(request, found, error)
    if seen["outcome"] != "waiting":
        return _end(request, found, seen["outcome"])
    status = REMARKS[outcome]
    return _render(request, found, "waiting", status, factors=seen["factors"], going=seen["going"], remark=outcome)


def _end(request: Request, found: Visitor, outcome: str) -> Response:
    """No fields any more; an outcome that the page has no words for is trouble of ours."""
    what = outcome if outcome in ENDS else "down"
    return _render(request, found, what, ENDS.get(what, 503))


def _trouble(request: Request, found: Visitor, error: Unavailable) -> Response:
    log.error("no code could be checked: %s", error)
    return _end(request, found, "down")


def _render(request: Request, found: Visitor, what: str, status: int, **values) -> Response:
    shown = {"factors": [], "going": [], "remark": "", **values}
    path = f"/prove/{request.path_params['request_id']}"
    return pages.render(request, "prove.html", status, what=what, path=path, csrf=found.session.csrf, **shown)
