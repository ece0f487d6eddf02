"""HTTP to an identity system: timeouts, bounded retries with jitter, and errors that tell the next move (law 4).

A GET is repeated; an act is repeated only where the system surely did not take it (refused connection, 429).
"""

import io
import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random

from account_access import faults
from account_access.connectors.base import (
    AccountNotFound,
    OutcomeUnknown,
    PermissionRefused,
    StateRefused,
    TemporarilyUnavailable,
)

ATTEMPTS = 3
# A system that wants to be left alone for longer than this is not waited for while a person waits.
PATIENCE_SECONDS = 1.5
JITTER_SECONDS = 0.3
# However long the system asks to be left alone, somebody waits for the outcome.
LONGEST_WAIT_SECONDS = 900.0
# A page of 1000 log events is about 4 MB; whoever sends more, or trickles it, is not waited for.
LARGEST_ANSWER_BYTES = 32 * 1024 * 1024
CHUNK_BYTES = 64 * 1024
# Okta's 403 that are about the account and not about our token: password reset failed, forgot password not allowed,
# not allowed in the user's current status, user locked.
STATE_ERRORS = frozenset({"E0000017", "E0000034", "E0000038", "E0000069"})
# A passcode that is wrong, or was used before.
CODE_ERRORS = frozenset({"E0000068", "E0000082"})


class HttpClient:
    """Calls one base address with one credential; never follows a link to another origin with it."""

    def __init__(self, base_url: str, headers: dict[str, str], connect_timeout: float, read_timeout: float, pool: int):
        self.base_url = base_url.rstrip("/")
        self.timeout = (connect_timeout, read_timeout)
        self.session = requests.Session()
        self.session.trust_env = False  # a proxy or netrc of the machine must not get the token
        self.session.headers.update(headers)
        self.session.mount("http://", HTTPAdapter(pool_maxsize=pool))
        self.session.mount("https://", HTTPAdapter(pool_maxsize=pool))

    def get(self, path_or_url: str, params: dict[str, Any] | None = None) -> requests.Response:
        """A GET, repeated a few times while the system is briefly unavailable."""
        return self._retrying()(self._send, "GET", path_or_url, params)

    def act(
        self, method: str, path: str, params: dict[str, Any] | None = None, body: dict[str, str] | None = None
    ) -> requests.Response:
        """A call that changes something. Raises OutcomeUnknown if it may have been taken without an answer."""
        return self._retrying()(self._send, method, path, params, body)

    def _retrying(self) -> Retrying:
        return Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            retry=retry_if_exception(_worth_repeating),
            wait=_wait,
            sleep=time.sleep,
            reraise=True,
        )

    def _send(
        self, method: str, path_or_url: str, params: dict[str, Any] | None, body: dict[str, str] | None = None
    ) -> requests.Response:
        url = self._own(path_or_url)
        name = f"{method} {urlsplit(url).path}"
        acting = method != "GET"
        try:
            response = self.session.request(
                method, url, params=params, json=body, timeout=self.timeout, allow_redirects=False, stream=True
            )
            self._read(response)
        except (requests.ConnectTimeout, requests.exceptions.SSLError) as error:
            raise _Unsent(f"{name}: no connection ({type(error).__name__})") from error
        except requests.ConnectionError as error:
            if _never_sent(error):
                raise _Unsent(f"{name}: connection refused") from error
            raise (OutcomeUnknown if acting else TemporarilyUnavailable)(f"{name}: connection broke") from error
        except requests.RequestException as error:
            kind = OutcomeUnknown if acting else TemporarilyUnavailable
            raise kind(f"{name}: no answer within {self.timeout[1]:g} s ({type(error).__name__})") from error
        if acting:
            faults.point("call_sent")
        return _checked(response, name, acting)

    def is_own(self, url: str) -> bool:
        """Whether an address is one of this system's, so that it may be followed with the credential."""
        try:
            return urlsplit(url)[:2] == urlsplit(self.base_url)[:2]
        except ValueError:
            return False

    def _own(self, path_or_url: str) -> str:
        try:
            url = urljoin(self.base_url + "/", path_or_url)
        except ValueError as error:
            raise TemporarilyUnavailable(f"a link is no address: {error}") from error
        if not self.is_own(url):
            raise TemporarilyUnavailable(f"a link leads to another origin: {urlsplit(url).netloc}")
        return url

    def _read(self, response: requests.Response) -> None:
        """Reads the body within the read timeout as a whole: the timeout itself starts anew with every byte."""
        deadline = time.monotonic() + self.timeout[1]
        body = bytearray()
        try:
            while chunk := response.raw.read1(CHUNK_BYTES, decode_content=True):
                body += chunk
                if len(body) > LARGEST_ANSWER_BYTES:
                    raise requests.exceptions.ContentDecodingError("the answer is too large")
                if time.monotonic() > deadline:
                    raise requests.ReadTimeout("the answer trickles in")
        except urllib3.exceptions.HTTPError as error:
            response.close()
            raise requests.ConnectionError(error) from error
        except requests.RequestException:
            response.close()
            raise
        response.raw = io.BytesIO(bytes(body))


class _Unsent(TemporarilyUnavailable):
    """The call surely never reached the system."""


class _Limited(TemporarilyUnavailable):
    """429: the call was refused for its frequency."""


class _Brief(TemporarilyUnavailable):
    """A 5xx on a read."""


def json_of(response: requests.Response) -> Any:
    """The answer's JSON. Raises TemporarilyUnavailable if it is none: a system that talks nonsense is not believed."""
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise TemporarilyUnavailable(f"{response.request.method} {response.url}: the answer is not JSON") from error


def _checked(response: requests.Response, name: str, acting: bool) -> requests.Response:
    status = response.status_code
    if status < 300:
        return response
    if status == 404:
        raise AccountNotFound(f"{name}: 404")
    if status in (401, 403):
        if _error(response, "errorCode") in CODE_ERRORS:
            raise CodeRefused(f"{name}: {status}")
        if _error(response, "errorCode") in STATE_ERRORS:
            raise StateRefused(f"{name}: {status} {_error(response, 'errorSummary')}")
        raise PermissionRefused(f"{name}: {status} {_error(response, 'errorSummary')}")
    if status == 429:
        raise _Limited(f"{name}: 429", _retry_after(response))
    if status >= 500:
        if acting:
            raise OutcomeUnknown(f"{name}: {status}")
        raise _Brief(f"{name}: {status}", _retry_after(response))
    if status == 400:
        raise BadRequest(f"{name}: 400 {_error(response, 'errorSummary')}")
    raise TemporarilyUnavailable(f"{name}: unexpected status {status}")


class BadRequest(TemporarilyUnavailable):
    """400: the system did not understand, or the state does not allow it."""


class CodeRefused(PermissionRefused):
    """The passcode was wrong; nothing is wrong with our credentials."""


def _error(response: requests.Response, key: str) -> str:
    """What the system's error says under this key, if it is an error of the shape we know."""
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return ""
    return str(body.get(key, ""))[:200] if isinstance(body, dict) else ""


def _never_sent(error: requests.ConnectionError) -> bool:
    return "NewConnectionError" in repr(error)


def _retry_after(response: requests.Response) -> float | None:
    """Seconds to wait, within reason: Retry-After (seconds or a date), else X-Rate-Limit-Reset (epoch) less Date."""
    try:
        wanted = _wanted_pause(response.headers)
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return min(max(0.0, wanted), LONGEST_WAIT_SECONDS) if math.isfinite(wanted) else None


def _wanted_pause(headers: Mapping[str, str]) -> float:
    after = headers.get("Retry-After", "")
    if after.isdigit():
        return float(after)
    there = parsedate_to_datetime(headers["Date"]).timestamp()
    if after:
        return parsedate_to_datetime(after).timestamp() - there
    return float(headers["X-Rate-Limit-Reset"]) - there


def _worth_repeating(error: BaseException) -> bool:
    if not isinstance(error, _Unsent | _Limited | _Brief):
        return False
    return (error.retry_after or 0) <= PATIENCE_SECONDS


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception()
    return (getattr(error, "retry_after", None) or 0.1 * state.attempt_number) + wait_random(0, JITTER_SECONDS)(state)
