"""A turn that failed is undone and tried again; stock Rasa carries on and says something false.

Rasa 3.6 logs an action that crashed, goes on with no events, and lets rules read the outcome of an earlier turn: the
person could hear "it is unlocked" of an unlock that never ran. It likewise answers 200 for a tracker it could only
keep in memory. Both become TurnFailed here, which passes Rasa's `except Exception`, leaves the tracker unsaved, and
lets the channel's caller try the same message again: everything in our store is keyed on it.
"""

import functools
import os
from typing import Any

from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.shared.core.events import SlotSet
from rasa.utils.endpoints import EndpointConfig

from channels.action_calls import ActionCalls, call_of

SECRET_HEADER = "X-Action-Secret"  # noqa: S105 (the name of a header)


class TurnFailed(BaseException):
    """This turn did not happen. Not an Exception on purpose: Rasa would swallow it."""


def install() -> None:
    """Makes failing remote actions fail their turn, and their calls quick.

    The secret of the action server (ACTION_SECRET) and where it stands (ACTIONS_WEBHOOK) come from the environment
    here, not by `${…}` in endpoints.yml, which Rasa's every command would refuse to read without them.
    """
    if getattr(RemoteAction.run, "fails_the_turn", False):
        return
    stock_run = RemoteAction.run

    secret, url = os.environ.get("ACTION_SECRET"), os.environ.get("ACTIONS_WEBHOOK")

    @functools.wraps(stock_run)
    async def run(self, *arguments, **keywords):
        if not secret:
            # `rasa shell` and the like: there is no action server that would listen to us, and nobody is signed in.
            return [SlotSet("outcome", "signed_out")]
        self.action_endpoint = _authenticated(self.action_endpoint, url, secret)
        try:
            return await stock_run(self, *arguments, **keywords)
        except ActionExecutionRejection:
            raise
        except Exception as error:
            raise TurnFailed(f"action {self.name()} failed: {error}") from error

    run.fails_the_turn = True
    RemoteAction.run = run
    RemoteAction._validate_action_result = _validate
    RemoteAction._action_call_format = call_of


@functools.lru_cache(maxsize=1)
def _required_keys() -> dict[str, set[str]]:
    """Of each event that an action server may send, the keys it must have, as Rasa's own schema says."""
    kinds = RemoteAction.action_response_format_spec()["properties"]["events"]["items"]["oneOf"]
    return {kind["properties"]["event"]["const"]: set(kind.get("required", ())) for kind in kinds}


def _validate(_action: RemoteAction, result: Any) -> bool:
    """What Rasa's schema demands of an answer, in microseconds: jsonschema takes 19 ms, or 3 with a kept validator.

    Raises ValueError.
    """
    for part in ("events", "responses"):
        found = result.get(part, []) if isinstance(result, dict) else None
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise ValueError(f"the action server's answer has no list of objects under {part!r}")
    for event in result.get("events", []):
        required = _required_keys().get(event.get("event"))
        if required is None or not required <= event.keys():
            raise ValueError(f"the action server's answer has an event that Rasa does not take: {event}")
    return True


def _authenticated(endpoint: EndpointConfig, url: str | None, secret: str) -> EndpointConfig:
    """The endpoint of endpoints.yml with our secret on every call, called as action_calls.py does."""
    endpoint.headers[SECRET_HEADER] = secret
    endpoint.url = url or endpoint.url
    if type(endpoint) is EndpointConfig:
        endpoint.__class__ = ActionCalls
    return endpoint
