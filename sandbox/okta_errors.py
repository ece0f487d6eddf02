"""Errors as Okta's API words them."""

import secrets

from starlette.responses import JSONResponse

# code: (HTTP status, summary)
ERRORS = {
    "E0000001": (400, "Api validation failed: {}"),
    "E0000003": (400, "The request body was not well-formed."),
    "E0000006": (403, "You do not have permission to perform the requested action"),
    "E0000007": (404, "Not found: Resource not found: {}"),
    "E0000009": (500, "Internal Server Error"),
    "E0000010": (503, "Service is in read only mode"),
    "E0000011": (401, "Invalid token provided"),
    "E0000022": (405, "The endpoint does not support the provided HTTP method"),
    "E0000031": (400, "Invalid search criteria."),
    "E0000032": (403, "Unlock is not allowed for this user."),
    "E0000033": (400, "Bad request. Can't specify a search query and filter in the same request."),
    "E0000038": (403, "This operation is not allowed in the user's current status."),
    "E0000047": (429, "API call exceeded rate limit due to too many requests."),
    "E0000068": (403, "Invalid Passcode/Answer"),
    "E0000069": (403, "User Locked"),
}


class OktaError(Exception):
    """An answer other than success."""

    def __init__(self, code: str, about: str = "", causes: list[str] | None = None):
        super().__init__(f"{code} {about}")
        self.code, self.about, self.causes = code, about, causes or []

    def response(self) -> JSONResponse:
        status, summary = ERRORS[self.code]
        body = {
            "errorCode": self.code,
            "errorSummary": summary.format(self.about),
            "errorLink": self.code,
            "errorId": "oae" + secrets.token_urlsafe(16),
            "errorCauses": [{"errorSummary": cause} for cause in self.causes],
        }
        return JSONResponse(body, status)
