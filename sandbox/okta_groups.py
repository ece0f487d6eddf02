"""The Groups API, as far as reading goes: every group, and a group's members, page by page."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import directory
from sandbox.context import of
from sandbox.okta_errors import OktaError
from sandbox.okta_users import MAX_PAGE, listing, whole_number


def list_groups(request: Request) -> Response:
    """GET /groups: in the order of their ids."""
    limit = whole_number(request, "limit", MAX_PAGE, MAX_PAGE) or MAX_PAGE
    after = request.query_params.get("after", "")
    with of(request).database.read() as connection:
        rows = connection.execute(
            "SELECT id, document FROM groups WHERE id > ? ORDER BY id LIMIT ?", (after, limit + 1)
        ).fetchall()
    following = {"after": rows[limit - 1]["id"], "limit": str(limit)} if len(rows) > limit else {}
    return listing(request, [json.loads(row["document"]) for row in rows[:limit]], following)


def list_members(request: Request) -> Response:
    """GET /groups/{group}/users: in the order of their ids."""
    limit = whole_number(request, "limit", MAX_PAGE, MAX_PAGE) or MAX_PAGE
    group, after = request.path_params["group"], request.query_params.get("after", "")
    with of(request).database.read() as connection:
        if connection.execute("SELECT 1 FROM groups WHERE id = ?", (group,)).fetchone() is None:
            raise OktaError("E0000007", f"{group} (UserGroup)")
        rows = connection.execute(
            "SELECT users.* FROM users JOIN members ON members.user_id = users.id"
            " WHERE members.group_id = ? AND users.id > ? ORDER BY users.id LIMIT ?",
            (group, after, limit + 1),
        ).fetchall()
    following = {"after": rows[limit - 1]["id"], "limit": str(limit)} if len(rows) > limit else {}
    return listing(request, [directory.document(row) for row in rows[:limit]], following)


ROUTES = [
    Route("/groups", list_groups),
    Route("/groups/{group}/users", list_members),
]
