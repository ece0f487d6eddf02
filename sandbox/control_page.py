"""The control page: the same acts as the JSON API, by forms that work without a script."""

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import control
from sandbox.context import of
from sandbox.enrolment import CHOICES
from sandbox.pages import render
from sandbox.switches import KINDS, TARGETS

NUMBERS = {"seconds": float, "minutes": float, "hours": float, "days": float, "times": int, "count": int,
           "max_age_days": int, "auto_unlock_minutes": int}  # fmt: skip


def page(request: Request, message: str = "", problem: str = "") -> Response:
    """GET /control."""
    return render(
        request,
        "control.html",
        400 if problem else 200,
        state=control.state(of(request), request.app.state.limits),
        kinds={kind: text for kind, (text, _) in KINDS.items()},
        targets=list(TARGETS),
        choices={name: words for name, (words, _, _) in CHOICES.items()},
        message=message,
        problem=problem,
    )


async def act(request: Request) -> Response:
    """POST /control: `act` names what to do, the other fields are its options; empty ones are left out."""
    form = await request.form()
    fields = {name: str(value) for name, value in form.items() if value != ""}
    return await run_in_threadpool(_act, request, fields)


def _act(request: Request, fields: dict[str, str]) -> Response:
    name = fields.pop("act", "")
    try:
        if name not in control.ACTS:
            raise control.Unable(f"there is no {name!r} to do")
        if name == "switch":
            fields = _of_this_kind(fields)
        done = control.perform(request, name, _typed(fields))
    except control.Unable as error:
        return page(request, problem=f"{str(error)[:1].upper()}{str(error)[1:]}.")
    return page(request, message=_told(name, done))


def _of_this_kind(fields: dict[str, str]) -> dict[str, str]:
    """The form has the options of every kind of switch; only the chosen kind's count."""
    options = KINDS[fields["kind"]][1] if fields.get("kind") in KINDS else {}
    return {name: value for name, value in fields.items() if name in ("kind", "target", "times", *options)}


def _typed(fields: dict[str, str]) -> dict[str, Any]:
    typed: dict[str, Any] = dict(fields)
    for field, number in NUMBERS.items():
        if field in fields:
            try:
                typed[field] = number(fields[field])
            except ValueError as error:
                raise control.Unable(f"{field} is not a number: {fields[field]!r}") from error
    return typed


def _told(name: str, done: dict[str, Any]) -> str:
    """What was done, in a sentence."""
    if name == "clock":
        return f"It is now {done['now']} for every process."
    if name == "reset":
        return "The organisation is as on its first day."
    if name == "people":
        return f"{len(done['logins'])} people added; their password is {done['password']}."
    if name == "switch":
        return f"{done['kind']} is on for {done['target']}."
    if name == "switch-off":
        return f"{done['turned_off']} switched off."
    if name == "password-policy":
        return "Every policy is changed."
    verb, logins = next(iter(done.items()))
    return f"{verb.capitalize()}: {', '.join(logins)}." if logins else f"Nothing to do: nobody was {verb}."


ROUTES = [
    Route("/control", page),
    Route("/control", act, methods=["POST"]),
]
