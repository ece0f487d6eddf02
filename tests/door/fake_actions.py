"""The action server's routes that the door knows: they answer as they are told."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

WAITING = {
    "outcome": "waiting",
    "factors": [{"id": "app", "kind": "google_authenticator", "name": None, "sent": False}],
    "going": [{"id": "key", "kind": "security_key", "name": "YubiKey", "sent": False}],
}


class FakeActions:
    """`asked` is what was asked of it to mint, `proofs` (path, what was asked) what was asked of the codes.

    `answer` is what it says to the former, `proof` by path to the latter, with `status`.
    """

    def __init__(self):
        self.secret = "the-secret-of-the-links"
        self.asked: list[dict] = []
        self.proofs: list[tuple[str, dict]] = []
        self.answer = {"outcome": "minted", "target": "https://acme.example/reset/one-time"}
        self.proof = {"look": WAITING, "send": {"outcome": "sent"}, "check": {"outcome": "proven"}}
        self.status = 200
        self.app = Starlette(
            routes=[
                Route("/links/mint", self.mint, methods=["POST"]),
                Route("/proofs/{step}", self.prove, methods=["POST"]),
            ]
        )

    async def mint(self, request: Request) -> JSONResponse:
        if request.headers.get("x-link-secret") != self.secret:
            return JSONResponse({"error": "unauthorized"}, 401)
        self.asked.append(await request.json())
        return JSONResponse(self.answer, self.status)

    async def prove(self, request: Request) -> JSONResponse:
        if request.headers.get("x-link-secret") != self.secret:
            return JSONResponse({"error": "unauthorized"}, 401)
        step = request.path_params["step"]
        self.proofs.append((step, await request.json()))
        return JSONResponse(self.proof[step], self.status)
