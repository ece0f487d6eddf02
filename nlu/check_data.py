"""Finds what `rasa data validate` lets pass: python -m nlu.check_data [folder].

Prints file, line and remedy of each fault; exit code 1 if there is any. Faults are: unused intents, responses and
actions; buttons that would be shown without an offer, or whose intent does not exist; the same example in two intents,
or twice in one.
"""

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

# action_ask_<question> utters utter_ask_<question>, or one of utter_ask_<question>_<cause>; where several questions are
# open, utter_which_<question> is what a button calls it
ASKS = "action_ask_"
# Intents that nobody types: made by Rasa, by a click that came too late, by the schedulers.
UNTYPED = re.compile("nlu_fallback|stale_answer|EXTERNAL_.*")


@dataclass(frozen=True, order=True)
class Fault:
    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Place:
    file: str
    line: int

    def fault(self, text: str) -> Fault:
        return Fault(self.file, self.line, text)


class Project:
    """The domain and data of a folder, each name with the place where it stands."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.intents: dict[str, Place] = {}
        self.actions: dict[str, Place] = {}
        self.responses: dict[str, Place] = {}
        self.buttons: list[tuple[str, str, Place]] = []
        self.examples: list[tuple[str, str, Place]] = []
        self.used_intents: dict[str, Place] = {}
        self.used_actions: dict[str, Place] = {}
        self._read_domain(folder / "domain.yml")
        for file in sorted((folder / "data").rglob("*.yml")):
            self._read_data(file)
        self._read_config(folder / "config.yml")

    def _load(self, file: Path) -> tuple[CommentedMap, str]:
        name = file.relative_to(self._folder).as_posix()
        return YAML().load(file.read_text(encoding="utf-8")) or CommentedMap(), name

    def _read_domain(self, file: Path) -> None:
        domain, name = self._load(file)
        for key, names in (("intents", self.intents), ("actions", self.actions)):
            for item, place in _items(domain.get(key), name):
                names[item if isinstance(item, str) else next(iter(item))] = place
        for response, variations in domain.get("responses", {}).items():
            self.responses[response] = Place(name, domain["responses"].lc.key(response)[0] + 1)
            for variation, _ in _items(variations, name):
                for button, place in _items(variation.get("buttons"), name):
                    self.buttons.append((response, str(button.get("payload", "")), place))

    def _read_data(self, file: Path) -> None:
        data, name = self._load(file)
        for block, place in _items(data.get("nlu"), name):
            if "intent" in block:
                self._read_examples(block, place, block.lc.value("examples")[0] + 1)
        for block, _ in [*_items(data.get("rules"), name), *_items(data.get("stories"), name)]:
            for step, place in _items(block.get("steps"), name):
                self._read_step(step, place)

    def _read_examples(self, block: CommentedMap, place: Place, line: int) -> None:
        # the examples are one block of text whose first line follows `examples: |`
        for offset, text in enumerate(str(block["examples"]).splitlines(), start=1):
            example = text.strip().removeprefix("- ").strip()
            if example:
                self.examples.append((example, block["intent"], Place(place.file, line + offset)))

    def _read_step(self, step: CommentedMap, place: Place) -> None:
        for alternative in step.get("or", [step]):
            if "intent" in alternative:
                self.used_intents.setdefault(alternative["intent"], place)
        if "action" in step:
            self.used_actions.setdefault(step["action"], place)

    def _read_config(self, file: Path) -> None:
        config, name = self._load(file)
        for policy, place in _items(config.get("policies"), name):
            if "core_fallback_action_name" in policy:
                self.used_actions.setdefault(policy["core_fallback_action_name"], place)


def faults(folder: Path) -> list[Fault]:
    """Everything wrong in the folder's domain.yml, config.yml and data/, by file and line."""
    project = Project(folder)
    checks = (_intents, _actions, _responses, _buttons, _examples)
    return sorted(fault for check in checks for fault in check(project))


def _intents(project: Project) -> Iterator[Fault]:
    taught = {intent for _, intent, _ in project.examples}
    for intent, place in project.intents.items():
        if intent not in project.used_intents:
            yield place.fault(f"intent {intent} is in no rule and no story; write one, or remove it")
        if UNTYPED.fullmatch(intent):
            if intent in taught:
                yield place.fault(f"intent {intent} must have no examples: nobody may type it")
        elif intent not in taught:
            yield place.fault(f"intent {intent} has no examples, so it is never understood; write some in data/nlu")
    for intent, place in project.used_intents.items():
        if intent not in project.intents:
            yield place.fault(f"intent {intent} is not in domain.yml; add it there, or correct the name")
    unknown = {intent: place for _, intent, place in reversed(project.examples) if intent not in project.intents}
    for intent, place in unknown.items():
        yield place.fault(f"examples for {intent}, which is not in domain.yml; add it there, or correct the name")


def _actions(project: Project) -> Iterator[Fault]:
    for action, place in project.actions.items():
        if action not in project.used_actions:
            yield place.fault(f"action {action} is in no rule and no story; write one, or remove it")
    for action, place in project.used_actions.items():
        if action not in project.actions and action not in project.responses and action != "action_listen":
            yield place.fault(f"{action} is not in domain.yml; add it there, or correct the name")


def _responses(project: Project) -> Iterator[Fault]:
    questions = [action.removeprefix(ASKS) for action in project.used_actions if action.startswith(ASKS)]
    for response, place in project.responses.items():
        asked = any(re.fullmatch(f"utter_(ask_{name}(_.+)?|which_{name})", response) for name in questions)
        if response not in project.used_actions and not asked:
            yield place.fault(f"response {response} is never said; use it in a rule or story, or remove it")


def _buttons(project: Project) -> Iterator[Fault]:
    with_buttons = {response for response, _, _ in project.buttons}
    for response in sorted(with_buttons & set(project.used_actions)):
        yield project.used_actions[response].fault(
            f"{response} has buttons, so it needs an offer: predict {ASKS}<question> instead"
        )
    for response, payload, place in project.buttons:
        if not payload.startswith("/") or payload[1:] not in project.intents:
            yield place.fault(
                f"a button of {response} has the payload {payload!r}; write / and an intent of domain.yml"
            )


def _examples(project: Project) -> Iterator[Fault]:
    seen: dict[str, list[tuple[str, str, Place]]] = defaultdict(list)
    for example, intent, place in project.examples:
        same = seen[" ".join(example.casefold().split())]
        for earlier, earlier_intent, earlier_place in same:
            where = f"{earlier_place.file}:{earlier_place.line}"
            if earlier_intent != intent:
                yield place.fault(f"{example!r} is an example of {earlier_intent} too ({where}); keep one")
            elif earlier == example:
                yield place.fault(f"{example!r} is there already ({where}); remove one")
        same.append((example, intent, place))


def _items(items: CommentedSeq | None, file: str) -> Iterator[tuple[CommentedMap, Place]]:
    for index, item in enumerate(items or []):
        yield item, Place(file, items.lc.item(index)[0] + 1)


def main(arguments: list[str]) -> int:
    """Prints the faults; the exit code is 1 if there are any."""
    found = faults(Path(arguments[0]) if arguments else Path.cwd())
    for fault in found:
        print(fault)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
