"""The pages people see: the chat, and honest ones for when there is no chat to show. Their words are in templates/."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from door import sign_in, visitors

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
)


def render(request: Request, template: str, status: int = 200, **values) -> HTMLResponse:
    """A page from a template, which always knows the organisation's name."""
    organisation = request.app.state.door.organisation
    return HTMLResponse(_TEMPLATES.get_template(template).render(organisation=organisation, **values), status)


def trouble(
    request: Request, what: str, status: int, path: str = "/", headers: dict[str, str] | None = None
) -> HTMLResponse:
    """The page that says what went wrong and what to do; `what` names a section of trouble.html."""
    response = render(request, "trouble.html", status, what=what, again=sign_in.sign_in_path(path), path=path)
    response.headers.update(headers or {})
    return response


async def chat(request: Request) -> Response:
    """GET /: the chat, or off to sign in."""
    found = await visitors.visitor(request)
    if found is None:
        return RedirectResponse(sign_in.sign_in_path("/"), 302)
    return render(request, "chat.html", name=found.person.name or found.person.login, login=found.person.login)


async def health(request: Request) -> Response:
    """GET /health: 200 only if the store answers."""
    try:
        await run_in_threadpool(_ask_store, request.app.state.door)
    except SQLAlchemyError:
        return JSONResponse({"status": "the store does not answer"}, 503)
    return JSONResponse({"status": "ok"})


def _ask_store(door) -> None:
    with door.store.reading() as connection:
        connection.execute(text("SELECT 1 FROM people WHERE 1 = 0"))
