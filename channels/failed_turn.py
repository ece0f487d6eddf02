"""A turn that failed is undone and tried again; stock Rasa carries on and says something false.

Rasa 3.6 logs an action that crashed, goes on with no events, and lets rules read the outcome of an earlier turn: the
person could hear "it is unlocked" of an unlock that never ran. It likewise answers 200 for a tracker it could only
keep in memory. Both become TurnFailed here, which passes Rasa's `except Exception`, leaves the tracker unsaved, and
lets the channel's caller try the same message again: everything in our store is keyed on it.
"""

import functools
import os

from jsonschema import Draft202012Validator
from rasa.core.actions.action import ActionExecutionRejection, RemoteAction
from rasa.shared.core.events import SlotSet
from rasa.utils.endpoints import EndpointConfig

SECRET_HEADER = "X-Action-Secret"  # noqa: S105 (the name of a header)


class TurnFailed(BaseException):
    """This turn did not happen. Not an Exception on purpose: Rasa would swallow it."""


def install() -> None:
    """Makes failing remote actions fail their turn, and checks their answers with a validator that is built once.

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
    # jsonschema.validate checks the constant schema again on every call: 19 ms of each action call.
    validator = Draft202012Validator(RemoteAction.action_response_format_spec())

    def validate(self, result) -> bool:
        validator.validate(result)
        return True

    RemoteAction._validate_action_result = validate


def _authenticated(endpoint: EndpointConfig, url: str | None, secret: str) -> EndpointConfig:
    """The endpoint of endpoints.yml with our secret on every call."""
    endpoint.headers[SECRET_HEADER] = secret
    endpoint.url = url or endpoint.url
    return endpoint
