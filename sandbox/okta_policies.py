"""The Policy API, as far as passwords go: list by type, read one."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox import policies
from sandbox.context import of
from sandbox.okta_errors import OktaError
from sandbox.okta_users import listing

TYPES = ("OKTA_SIGN_ON", "PASSWORD", "MFA_ENROLL", "IDP_DISCOVERY", "ACCESS_POLICY", "PROFILE_ENROLLMENT")


def _with_links(request: Request, policy: dict[str, Any]) -> dict[str, Any]:
    own = f"{of(request).config.issuer}/api/v1/policies/{policy['id']}"
    return {**policy, "_links": {"self": {"href": own, "hints": {"allow": ["GET"]}}}}


def list_policies(request: Request) -> Response:
    """GET /policies: `type` is required; of the others than PASSWORD there are none here."""
    kind, status = request.query_params.get("type"), request.query_params.get("status", "ACTIVE")
    if kind not in TYPES:
        raise OktaError("E0000001", "type", [f"type: must be one of {', '.join(TYPES)}"])
    found = []
    if kind == "PASSWORD":
        with of(request).database.read() as connection:
            found = [policy for policy in policies.every(connection) if policy["status"] == status]
    return listing(request, [_with_links(request, policy) for policy in found], {})


def get_policy(request: Request) -> Response:
    wanted = request.path_params["policy"]
    with of(request).database.read() as connection:
        found = next((policy for policy in policies.every(connection) if policy["id"] == wanted), None)
    if found is None:
        raise OktaError("E0000007", f"{wanted} (Policy)")
    return JSONResponse(_with_links(request, found))


ROUTES = [
    Route("/policies", list_policies),
    Route("/policies/{policy}", get_policy),
]
