"""Runs inside the virtual environment of Okta's own SDK: one JSON call a line in, one JSON answer a line out.

A call is {"method", "args", "kwargs"}.
"""

import asyncio
import json
import os
import sys

# The SDK refuses http addresses unless told that it is being tested.
os.environ["OKTA_TESTING_TESTINGDISABLEHTTPSCHECK"] = "true"

from okta.client import Client


def plain(value):
    """A model of the SDK as JSON data."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if hasattr(value, "model_dump"):
        return {"model": type(value).__name__, **value.model_dump(mode="json", by_alias=True)}
    return value


def told(values: tuple) -> dict:
    """What a call returned: (data, response, error), or (response, error) when a call without a body failed."""
    error, response = values[-1], values[-2]
    answer = {"error": None, "status": getattr(response, "status_code", getattr(response, "status", None))}
    if error is not None:
        answer["error"] = {"type": type(error).__name__, "text": str(error), "code": getattr(error, "error_code", None)}
        return answer
    answer["data"] = plain(values[0])
    headers = {str(name).lower(): str(value) for name, value in dict(response.headers or {}).items()}
    answer["link"] = headers.get("link", "")
    return answer


async def serve(url: str, token: str) -> None:
    settings = {"orgUrl": url, "token": token, "rateLimit": {"maxRetries": 2}, "requestTimeout": 5}
    async with Client(settings) as client:
        for line in sys.stdin:
            call = json.loads(line)
            try:
                answer = told(await getattr(client, call["method"])(*call["args"], **call["kwargs"]))
            except Exception as problem:  # noqa: BLE001 - whatever the SDK raises is what the test wants to see
                answer = {"raised": type(problem).__name__, "text": str(problem)}
            print(json.dumps(answer, default=str), flush=True)


asyncio.run(serve(sys.argv[1], sys.argv[2]))
