"""YAML as people mean it: `10:00` and `2027-01-01` are texts, and a key that is there twice is a mistake.

YAML 1.1 reads the first as 600 and the second as a date, and of two equal keys the second wins in silence.
"""

from collections.abc import Hashable
from typing import Any

import yaml

_INT, _FLOAT, _TIMESTAMP = (f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "timestamp"))


class KeyTwice(yaml.MarkedYAMLError):
    """A mapping has the key `problem` twice; `problem_mark` tells where."""


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            if key is not None and key in seen:
                raise KeyTwice(problem=key, problem_mark=key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


class _NoColons:
    """The pattern of a number, for texts without a colon in them."""

    def __init__(self, pattern):
        self.pattern = pattern

    def match(self, text: str):
        return None if ":" in text else self.pattern.match(text)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, _NoColons(p) if tag in (_INT, _FLOAT) else p) for tag, p in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(text: str) -> Any:
    """The document's value. Raises yaml.YAMLError, with the line as `problem_mark` where it is known."""
    return yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
