"""Buttons on our own pages that are not the chat: a press counts only from the person's own session and page."""

import hmac

from starlette.datastructures import FormData
from starlette.requests import Request

from door import rates, visitors
from door.errors import ApiError
from door.visitors import Visitor


async def pressed(request: Request, name: str) -> tuple[Visitor, FormData]:
    """Who pressed, and what the form holds; `name` is what the presses are counted by.

    Raises ApiError for a press that is not theirs, not of our page, or one too many.
    """
    found = await visitors.required(request)
    request.app.state.door.rates.check(rates.SENDING, name, found.person.id)
    # No Origin to go by: pages that send no referrer name none with a form.
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ApiError(403, "foreign_origin", "Requests from other sites are refused.")
    form = await request.form()
    given = form.get("csrf")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), found.session.csrf.encode()):
        raise ApiError(403, "csrf", "This page is from an earlier session; open the link again.")
    return found, form
