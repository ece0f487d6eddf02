"""Domains by their names: Rasa sends each once, for a whole domain in every call would be most of the call.

The other side is channels/action_calls.py.
"""

from collections import OrderedDict
from typing import Any

# A few models may be in use at once, while one takes over from another.
KEPT = 4
# The answer to a name that is not known (yet, after a restart): the same call comes again with the whole domain.
WANTED = 428


class Domains:
    """The domains that were sent, the latest of them."""

    def __init__(self) -> None:
        self._by_name: OrderedDict[str, dict[str, Any]] = OrderedDict()

    def filled_in(self, call: dict[str, Any]) -> bool:
        """Puts the whole domain into a call that names it; False if it has to be sent. Other calls stay as they are."""
        domain = call.get("domain")
        if not isinstance(domain, dict) or "name" not in domain:
            return True
        name, whole = domain["name"], domain.get("whole")
        if whole is not None:
            self._by_name[name] = whole
            while len(self._by_name) > KEPT:
                self._by_name.popitem(last=False)
        if name not in self._by_name:
            return False
        call["domain"] = self._by_name[name]
        return True
