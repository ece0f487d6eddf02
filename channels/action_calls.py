"""Calls of the action server on connections that are kept, and without the domain in each.

Stock Rasa 3.6 opens a connection for every call and sends the whole domain along, 80 kB of it: together more work than
the call itself. The domain goes along once; from then on its name is enough, until the action server says that it does
not know it (actions/domains.py).
"""

import hashlib
import json
from typing import Any

import aiohttp
import rasa
from rasa.core.actions.action import RemoteAction
from rasa.core.constants import DEFAULT_REQUEST_TIMEOUT
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

from channels.kept_tracker import last_events

# Shorter than the five seconds after which the action server's Sanic closes an idle connection.
IDLE_SECONDS = 3.0
# The action server's answer to the name of a domain that it has not been sent.
DOMAIN_WANTED = 428


def call_of(action: RemoteAction, tracker: DialogueStateTracker, domain: Domain) -> dict[str, Any]:
    """What an action is told: as stock Rasa, but of a long conversation only the end."""
    state = tracker.current_state(EventVerbosity.NONE)
    state["events"] = [event.as_dict() for event in last_events(tracker)]
    return {
        "next_action": action.name(),
        "sender_id": tracker.sender_id,
        "tracker": state,
        "version": rasa.__version__,
        "domain": domain.as_dict(),
    }


class ActionCalls(EndpointConfig):
    """The action server as Rasa calls it."""

    _kept: aiohttp.ClientSession | None = None
    _named: tuple[dict, str] | None = None

    def session(self) -> "ActionCalls":
        """What Rasa enters, calls and leaves for each request."""
        return self

    async def __aenter__(self) -> aiohttp.ClientSession:
        if self._kept is None:
            self._kept = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=DEFAULT_REQUEST_TIMEOUT),
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
            )
        return self._kept

    async def __aexit__(self, *_error) -> None:
        """The session stays open until the process ends."""

    async def request(self, *arguments: Any, **keywords: Any) -> Any:
        """As Rasa's own, with the domain by its name; whole where the action server does not know it yet."""
        call = keywords.pop("json")
        domain = call.get("domain")
        if not domain:
            return await super().request(*arguments, json=call, **keywords)
        name = self._name_of(domain)
        try:
            return await super().request(*arguments, json={**call, "domain": {"name": name}}, **dict(keywords))
        except ClientResponseError as error:
            if error.status != DOMAIN_WANTED:
                raise
        whole = {"name": name, "whole": domain}
        return await super().request(*arguments, json={**call, "domain": whole}, **dict(keywords))

    def _name_of(self, domain: dict[str, Any]) -> str:
        """A hash of its content, worked out once for each model."""
        if self._named is None or self._named[0] is not domain:
            content = json.dumps(domain, sort_keys=True, default=str)
            self._named = domain, hashlib.sha256(content.encode()).hexdigest()
        return self._named[1]
