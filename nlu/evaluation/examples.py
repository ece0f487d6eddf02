"""Reads Rasa's NLU files with the line of every example: training data and sets of messages to be measured on."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

# [text](type), [text](type:value) or [text]{"entity": "type", "value": "name"}, as Rasa reads them
MARKUP = re.compile(r"\[(?P<text>[^\]]+?)\](?:\((?P<kind>[^:)]+?)(?::(?P<value>[^)]+))?\)|\{(?P<json>[^}]+?)\})")


class BadData(Exception):
    """A file that cannot be used: which one, the line where it is known, and what is wrong."""


@dataclass(frozen=True)
class Annotation:
    """A name marked in a text: characters `start` to `end`; `value` only where the markup gives one."""

    kind: str
    text: str
    start: int
    end: int
    value: str | None = None


@dataclass(frozen=True)
class Example:
    """A message with its intent; `text` is without markup, `line` counts from 1, `tag` is the file's stem."""

    text: str
    intent: str
    annotations: tuple[Annotation, ...]
    file: str
    line: int

    @property
    def place(self) -> str:
        """file:line."""
        return f"{self.file}:{self.line}"

    @property
    def tag(self) -> str:
        """What the file is about: a person, a kind of trouble."""
        return Path(self.file).stem


@dataclass
class Names:
    """Lookups as {type: {name: place}}, synonyms as {alias in small letters: canonical name}."""

    lookups: dict[str, dict[str, str]] = field(default_factory=dict)
    synonyms: dict[str, str] = field(default_factory=dict)

    def canonical(self, text: str) -> str:
        """The name that a text or value stands for; itself in small letters where no synonym knows it."""
        return self.synonyms.get(text.casefold(), text).casefold()


def read_yaml(file: Path, name: str) -> CommentedMap:
    """A YAML file's mapping, with line numbers. BadData if it cannot be read or is none."""
    try:
        content = YAML().load(file.read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadData(f"{name}: {problem.strerror or problem}") from problem
    except UnicodeDecodeError as problem:
        raise BadData(f"{name}: this is not UTF-8 text ({problem.reason})") from problem
    except MarkedYAMLError as problem:
        line = f":{problem.problem_mark.line + 1}" if problem.problem_mark else ""
        raise BadData(f"{name}{line}: this is not YAML: {problem.problem}") from problem
    except YAMLError as problem:
        raise BadData(f"{name}: this is not YAML: {problem}") from problem
    content = CommentedMap() if content is None else content
    if not isinstance(content, CommentedMap):
        raise BadData(f"{name}: keys such as `version` and `nlu` are expected at the top")
    return content


def yaml_files(path: Path) -> list[Path]:
    """The file itself, or all .yml and .yaml files below the folder. BadData if there is nothing."""
    if not path.exists():
        raise BadData(f"{path}: there is no such file or folder")
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in (".yml", ".yaml"))
    if not files:
        raise BadData(f"{path}: this folder has no .yml file")
    return files


def read_examples(path: Path, root: Path) -> list[Example]:
    """All examples of a file or folder in order; files are named as seen from `root`. BadData names file and line."""
    examples = []
    for file in yaml_files(path):
        name = shown(file, root)
        for kind, label, line, lines in blocks(read_yaml(file, name), name):
            if kind == "intent":
                examples += [parse(raw, label, name, line + offset) for offset, raw in lines]
    return examples


def read_set(path: Path, root: Path, known: set[str], skip_unknown: bool = False) -> tuple[list[Example], int]:
    """The messages of a set, and how many were left out because the domain does not know their intent.

    BadData names the first message with an unknown intent, unless such are to be skipped; an empty set is an error.
    """
    everything = read_examples(path, root)
    if not skip_unknown:
        for example in everything:
            if example.intent not in known:
                raise BadData(f"{example.place}: intent {example.intent} is not in domain.yml")
    messages = [example for example in everything if example.intent in known]
    if not messages:
        raise BadData(f"{shown(path, root)}: there is no message to measure on")
    return messages, len(everything) - len(messages)


def read_names(path: Path, root: Path) -> Names:
    """Lookups and synonyms of the training data; a value that an annotation gives is a synonym, as in Rasa."""
    names = Names()
    for file in yaml_files(path):
        name = shown(file, root)
        for kind, label, line, lines in blocks(read_yaml(file, name), name):
            for offset, raw in lines:
                if kind == "lookup":
                    names.lookups.setdefault(label, {}).setdefault(raw.casefold(), f"{name}:{line + offset}")
                elif kind == "synonym":
                    names.synonyms[raw.casefold()] = label
                elif kind == "intent":
                    for annotation in parse(raw, label, name, line + offset).annotations:
                        if annotation.value:
                            names.synonyms.setdefault(annotation.text.casefold(), annotation.value)
    return names


def read_intents(domain: Path) -> set[str]:
    """The intents of a domain file."""
    listed = read_yaml(domain, domain.name).get("intents") or []
    return {item if isinstance(item, str) else next(iter(item)) for item in listed}


def blocks(content: CommentedMap, name: str) -> Iterator[tuple[str, str, int, list[tuple[int, str]]]]:
    """Each block under `nlu` as (kind, label, line of `examples:`, [(lines below it, example)])."""
    listed = content.get("nlu") or []
    if not isinstance(listed, list):
        raise BadData(f"{name}:{content.lc.key('nlu')[0] + 1}: a list is expected under `nlu`")
    for index, block in enumerate(listed):
        line = listed.lc.item(index)[0] + 1
        kind = next((key for key in ("intent", "lookup", "synonym") if isinstance(block, dict) and key in block), None)
        if kind is None:
            continue
        examples = block.get("examples")
        if not isinstance(examples, str):
            raise BadData(f"{name}:{line}: {kind} {block[kind]} needs `examples: |` with one example on each line")
        found = [(at, _without_dash(raw)) for at, raw in enumerate(examples.splitlines(), start=1)]
        yield kind, str(block[kind]), block.lc.value("examples")[0] + 1, [(at, raw) for at, raw in found if raw]


def parse(raw: str, intent: str, file: str, line: int) -> Example:
    """An example without its markup. BadData if an annotation's braces hold no JSON with an `entity`."""
    text, annotations, end = "", [], 0
    for match in MARKUP.finditer(raw):
        text += raw[end : match.start()]
        kind, value = match["kind"], match["value"]
        if match["json"]:
            kind, value = _from_json("{" + match["json"] + "}", f"{file}:{line}")
        annotations.append(Annotation(kind, match["text"], len(text), len(text) + len(match["text"]), value))
        text += match["text"]
        end = match.end()
    return Example(text + raw[end:], intent, tuple(annotations), file, line)


def shown(path: Path, root: Path) -> str:
    """A path as seen from the root, or as it is where it lies elsewhere."""
    absolute = path.absolute()
    return absolute.relative_to(root).as_posix() if absolute.is_relative_to(root) else str(path)


def _from_json(text: str, place: str) -> tuple[str, str | None]:
    try:
        data: Any = json.loads(text)
        return str(data["entity"]), str(data["value"]) if "value" in data else None
    except (ValueError, KeyError, TypeError) as problem:
        raise BadData(f'{place}: {text} should be like {{"entity": "system", "value": "Okta"}}') from problem


def _without_dash(raw: str) -> str:
    return raw.strip().removeprefix("- ").strip()
