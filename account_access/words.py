"""Words of domain.yml for what no Rasa turn says: mails, and the lines of a list (law 8)."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from account_access import plain_yaml

DOMAIN = Path(__file__).parents[1] / "domain.yml"


def fill(responses: Mapping[str, Any], name: str, facts: Mapping[str, str]) -> str | None:
    """The text of a response with its {facts} in it, None if the domain has no such response.

    Raises KeyError naming the response and the fact that nobody gave.
    """
    variations = responses.get(name)
    if not variations:
        return None
    text = variations[0]["text"]
    try:
        return text.format(**facts)
    except KeyError as missing:
        raise KeyError(f"{name} in domain.yml wants {missing}, which nobody gives it")


@cache
def responses(path: Path = DOMAIN) -> Mapping[str, Any]:
    """The responses of domain.yml, read once a process."""
    return plain_yaml.load(path.read_text(encoding="utf-8"))["responses"]
