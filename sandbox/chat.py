"""`python -m sandbox.chat dana`: signs in at the organisation and hands the session to the chat's terminal client."""

import argparse
import os
import sys

import httpx

from sandbox.sign_in import SignInRefused, sign_in

SESSION = "account_access_session"


def session_of(login: str, door_url: str, password: str | None = None, factor: str = "") -> str:
    """The chat session of a person who signed in through the organisation. Raises SignInRefused or httpx.HTTPError."""
    with httpx.Client(trust_env=False, timeout=15) as browser:
        answer = sign_in(browser, login, password, start=f"{door_url}/signin", factor=factor)
        token = browser.cookies.get(SESSION)
        if token is None:
            raise SignInRefused(f"{answer.url} opened no session (HTTP {answer.status_code})")
        return token


def main(arguments: list[str]) -> int:
    """Exit code 2 and one sentence when nobody could be signed in."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.chat", description=__doc__)
    parser.add_argument("login", help="who to be, such as dana")
    parser.add_argument("--json", action="store_true", help="read and write JSON lines")
    parser.add_argument("--password", help="if it is not the one from the first day")
    parser.add_argument("--factor", default="", help="part of the method's name, such as SMS")
    parser.add_argument(
        "--door", default=os.environ.get("DOOR_URL", "http://127.0.0.1:8000"), help="the chat's address"
    )
    options = parser.parse_args(arguments)
    try:
        session = session_of(options.login, options.door.rstrip("/"), options.password, options.factor)
    except SignInRefused as refused:
        print(f"{options.login} could not sign in: {refused}", file=sys.stderr)
        return 2
    except httpx.HTTPError as error:
        print(
            f"No answer at {options.door} ({error}): start everything with `make run` first. "
            "If its chat has another address, set DOOR_URL to it.",
            file=sys.stderr,
        )
        return 2
    from door import terminal

    return terminal.run(options.door.rstrip("/"), session, as_json=options.json)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
