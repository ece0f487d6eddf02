"""/articles/<name>: an article of the organisation as a page, for whoever is signed in (M5, M6)."""

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from door import pages, sign_in, visitors


async def article(request: Request) -> Response:
    """GET /articles/NAME: the whole article; its Markdown was rendered with all HTML in it as text."""
    if await visitors.visitor(request) is None:
        return RedirectResponse(sign_in.sign_in_path(request.url.path), 302)
    found = request.app.state.door.articles.get(request.path_params["name"])
    if found is None:
        return pages.trouble(request, "not_found", 404)
    return pages.render(request, "article.html", title=found.title, html=Markup(found.html()))  # noqa: S704
