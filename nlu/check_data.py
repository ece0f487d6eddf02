"""Finds what `rasa data validate` lets pass: make lint-data, or python -m nlu.check_data [folder] [--json].

Prints file, line and remedy of each slip. Faults make the exit code 1: unused intents, responses and actions; buttons
that would be shown without an offer, or whose intent does not exist; the same example in two intents, or twice in one;
names annotated as something the domain does not know. Warnings are for a human to judge: nearly the same text in two
intents, or in the training data and in a set that is measured on; intents with few examples, or with many of one
template; names that no lookup knows, and lookups that no example shows.
"""

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from nlu.evaluation.examples import BadData, Example, Names, blocks, parse, read_examples, read_names, read_yaml
from nlu.evaluation.similar import alike, normal, skeletons

# action_ask_<question> utters utter_ask_<question>, or one of utter_ask_<question>_<cause>; where several questions are
# open, utter_which_<question> is what a button calls it
ASKS = "action_ask_"
# action_tell_<thing> utters utter_tell_<thing> or one of utter_tell_<thing>_<case>, as it finds things
TELLS = "action_tell_"
# said by an action: lines and names in a list, mails, an article
PARTS = (
    *("utter_receipt_", "utter_mail_", "utter_contractor_line", "utter_factor_", "utter_article"),
    *("utter_also_", "utter_lockout_line", "utter_unlock_result_"),
)
# Intents that nobody types: made by Rasa, by a click that came too late, by the schedulers.
UNTYPED = re.compile("nlu_fallback|stale_answer|choose_factor|choose_system|choose_all|EXTERNAL_.*")
# An entity that the last component makes for the rules, so that nobody annotates it.
MADE = "question"

THIN = 15
# so many examples that differ in one word alone teach little more than one of them
TEMPLATE = 6
# likeness, 0 to 100, from which two texts are told
ACROSS_INTENTS, LIKE_MEASURED = 90, 92
# shorter messages coincide by nature: everybody says "thank you so much"
MEASURED_WORDS = 5
MEASURED = ("tests/nlu", "tests/nlu_components/holdout.yml")


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
        self.entities: dict[str, Place] = {}
        self.examples: list[tuple[str, str, Place]] = []
        self.used_intents: dict[str, Place] = {}
        self.used_actions: dict[str, Place] = {}
        self._read_domain(folder / "domain.yml")
        for file in sorted((folder / "data").rglob("*.yml")):
            self._read_data(file)
        self._read_config(folder / "config.yml")

    def _load(self, file: Path) -> tuple[CommentedMap, str]:
        name = file.relative_to(self._folder).as_posix()
        return read_yaml(file, name), name

    def _read_domain(self, file: Path) -> None:
        domain, name = self._load(file)
        for key, names in (("intents", self.intents), ("actions", self.actions), ("entities", self.entities)):
            for item, place in _items(domain.get(key), name):
                names[item if isinstance(item, str) else next(iter(item))] = place
        for response, variations in domain.get("responses", {}).items():
            self.responses[response] = Place(name, domain["responses"].lc.key(response)[0] + 1)
            for variation, _ in _items(variations, name):
                for button, place in _items(variation.get("buttons"), name):
                    self.buttons.append((response, str(button.get("payload", "")), place))

    def _read_data(self, file: Path) -> None:
        data, name = self._load(file)
        for kind, label, line, lines in blocks(data, name):
            if kind == "intent":
                self.examples += [(raw, label, Place(name, line + offset)) for offset, raw in lines]
        for block, _ in [*_items(data.get("rules"), name), *_items(data.get("stories"), name)]:
            for step, place in _items(block.get("steps"), name):
                self._read_step(step, place)

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
    checks = (_intents, _actions, _responses, _buttons, _examples, _entities)
    return sorted(fault for check in checks for fault in check(project))


def warnings(folder: Path) -> list[Fault]:
    """Everything in the folder's data/ that a human should look at, by file and line."""
    project = Project(folder)
    examples = [parse(raw, intent, place.file, place.line) for raw, intent, place in project.examples]
    names = read_names(folder / "data", folder)
    measured = [
        example for path in MEASURED if (folder / path).exists() for example in read_examples(folder / path, folder)
    ]
    return sorted(
        [
            *_thin(project),
            *_templates(examples),
            *_alike_across_intents(examples),
            *_like_measured(examples, measured),
            *_names(project, examples, names),
        ]
    )


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
    names = [action.removeprefix(kind) for kind in (ASKS, TELLS) for action in project.used_actions if kind in action]
    for response, place in project.responses.items():
        said = any(re.fullmatch(f"utter_((ask|tell)_{name}(_.+)?|which_{name})", response) for name in names)
        said = said or response.startswith(PARTS)
        if response not in project.used_actions and not said:
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
        same = seen[_plain(example)]
        for earlier, earlier_intent, earlier_place in same:
            where = f"{earlier_place.file}:{earlier_place.line}"
            if earlier_intent != intent:
                yield place.fault(f"{example!r} is an example of {earlier_intent} too ({where}); keep one")
            elif earlier == example:
                yield place.fault(f"{example!r} is there already ({where}); remove one")
        same.append((example, intent, place))


def _entities(project: Project) -> Iterator[Fault]:
    for raw, intent, place in project.examples:
        for mark in parse(raw, intent, place.file, place.line).annotations:
            if mark.kind not in project.entities:
                yield place.fault(f"{mark.text!r} is a {mark.kind}, which is no entity of domain.yml; correct the name")


def _thin(project: Project) -> Iterator[Fault]:
    count = Counter(intent for _, intent, _ in project.examples)
    for intent, number in count.items():
        if number < THIN and intent in project.intents:
            place = project.intents[intent]
            yield place.fault(f"intent {intent} has {number} examples; with fewer than {THIN} it is a matter of luck")


def _templates(examples: list[Example]) -> Iterator[Fault]:
    by_intent: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        by_intent[example.intent].append(example)
    for intent, some in by_intent.items():
        for skeleton, numbers in skeletons([example.text for example in some]).items():
            if len(numbers) >= TEMPLATE:
                yield _at(some[numbers[0]]).fault(
                    f"{len(numbers)} examples of {intent} are {skeleton!r} with another word;"
                    " replace most of them by unlike ones"
                )


def _alike_across_intents(examples: list[Example]) -> Iterator[Fault]:
    texts = [example.text for example in examples]
    for one, other, likeness in alike(texts, texts, ACROSS_INTENTS):
        first, second = examples[one], examples[other]
        # exactly the same text is a fault, told elsewhere
        if one > other and first.intent != second.intent and _plain(first.text) != _plain(second.text):
            yield _at(first).fault(
                f"{first.text!r} ({first.intent}) is much like {second.text!r} ({second.intent}, {second.place};"
                f" likeness {likeness}); could a stranger tell them apart?"
            )


def _like_measured(examples: list[Example], measured: list[Example]) -> Iterator[Fault]:
    measured = [example for example in measured if len(example.text.split()) >= MEASURED_WORDS]
    texts = [example.text for example in examples]
    for one, other, likeness in alike(texts, [example.text for example in measured], LIKE_MEASURED):
        first, second = examples[one], measured[other]
        same = normal(first.text) == normal(second.text)
        how = "word for word" if same else f"almost (likeness {likeness})"
        # the other text is not shown: who sees it will teach it
        yield _at(first).fault(
            f"{first.text!r} is {how} the message at {second.place}, which is there to measure;"
            " if it was copied, remove it"
        )


def _names(project: Project, examples: list[Example], names: Names) -> Iterator[Fault]:
    shown: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        for mark in example.annotations:
            said = mark.text.casefold()
            if said not in names.lookups.get(mark.kind, {}) and said not in shown[mark.kind]:
                yield _at(example).fault(
                    f"no lookup of {mark.kind} has {mark.text!r}, so it is not recognised; add it to data/nlu/names.yml"
                )
            shown[mark.kind].add(said)
    for kind, place in project.entities.items():
        if kind != MADE and kind not in names.lookups and kind not in shown:
            yield place.fault(f"entity {kind} is in no lookup and in no example; write some, or remove it")
    for kind, listed in names.lookups.items():
        unseen = [name for name in listed if name not in shown[kind]]
        if unseen:
            file, _, line = listed[unseen[0]].rpartition(":")
            which = "none" if len(unseen) == len(listed) else f"all but {len(unseen)}"
            yield Place(file, int(line)).fault(
                f"of the {len(listed)} names of lookup {kind}, {which} are annotated in an example;"
                f" missing: {', '.join(unseen)}"
            )


def _at(example: Example) -> Place:
    return Place(example.file, example.line)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _items(items: CommentedSeq | None, file: str) -> Iterator[tuple[CommentedMap, Place]]:
    for index, item in enumerate(items or []):
        yield item, Place(file, items.lc.item(index)[0] + 1)


def main(arguments: list[str]) -> int:
    """Prints the slips, faults first; the exit code is 1 if there are faults."""
    parser = argparse.ArgumentParser(prog="python -m nlu.check_data", description="slips in domain.yml and data/")
    parser.add_argument("folder", type=Path, nargs="?", default=Path.cwd())
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")
    options = parser.parse_args(arguments)
    try:
        wrong, doubtful = faults(options.folder.absolute()), warnings(options.folder.absolute())
    except BadData as problem:
        print(problem, file=sys.stderr)
        return 1
    if options.json:
        found = {"faults": wrong, "warnings": doubtful}
        print(json.dumps({kind: [asdict(one) for one in some] for kind, some in found.items()}, indent=1))
    else:
        for fault in wrong:
            print(fault)
        for warning in doubtful:
            print(f"{warning.file}:{warning.line}: warning: {warning.text}")
        print(f"{len(wrong)} faults, {len(doubtful)} warnings")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
