"""The action server's one route that the door knows: it mints, or answers as it is told."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route


class FakeActions:
    """`asked` is what was asked of it; `answer` what it says, with `status`."""

    def __init__(self):
        self.secret = "the-secret-of-the-links"
        self.asked: list[dict] = []
        self.answer = {"outcome": "minted", "target": "https://acme.example/reset/one-time"}
        self.status = 200
        self.app = Starlette(routes=[Route("/links/mint", self.mint, methods=["POST"])])

    async def mint(self, request: Request) -> JSONResponse:
        if request.headers.get("x-link-secret") != self.secret:
            return JSONResponse({"error": "unauthorized"}, 401)
        self.asked.append(await request.json())
        return JSONResponse(self.answer, self.status)
