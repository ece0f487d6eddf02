"""How the door says no: JSON with a code for programs and a sentence for people."""

from starlette.requests import Request
from starlette.responses import JSONResponse


class ApiError(Exception):
    """Ends a request of the HTTP API with this status, code and sentence."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None):
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


def as_json(request: Request, error: ApiError) -> JSONResponse:
    """The answer documented in docs/door-api.md for every refusal."""
    return JSONResponse({"error": error.code, "message": error.message}, error.status, error.headers)
