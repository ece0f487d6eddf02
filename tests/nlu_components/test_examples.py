"""Reading NLU files: as Rasa does, with the line of every example; what cannot be read is named."""

import pytest
from rasa.shared.nlu.training_data.loading import load_data

from nlu.evaluation.examples import Annotation, BadData, parse, read_examples, read_names, read_set
from tests.nlu_components.conftest import ROOT

HEAD = 'version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n'


def test_markup():
    raw = 'my [Okta](system), [sso]{"entity": "system", "value": "Okta"} and [cell](device:phone) [x'
    example = parse(raw, "greet", "f.yml", 3)
    assert example.text == "my Okta, sso and cell [x"
    assert example.annotations == (
        Annotation("system", "Okta", 3, 7),
        Annotation("system", "sso", 9, 12, "Okta"),
        Annotation("device", "cell", 17, 21, "phone"),
    )


@pytest.mark.parametrize("path", ["data/nlu", "tests/nlu/exam"])
def test_reads_what_rasa_reads(path):
    ours = {
        (example.text, example.intent, tuple((m.start, m.end, m.kind, m.value or m.text) for m in example.annotations))
        for example in read_examples(ROOT / path, ROOT)
    }
    theirs = {
        (
            message.get("text"),
            message.get("intent"),
            tuple((e["start"], e["end"], e["entity"], e["value"]) for e in message.get("entities") or []),
        )
        for message in load_data(str(ROOT / path)).intent_examples
    }
    assert ours == theirs


def test_lines_and_tags(tmp_path):
    file = tmp_path / "nurse.yml"
    file.write_text(f"# who\n{HEAD}    - hi\n\n    - hello\n")
    assert [(one.line, one.text, one.tag, one.place) for one in read_examples(tmp_path, tmp_path)] == [
        (6, "hi", "nurse", "nurse.yml:6"),
        (8, "hello", "nurse", "nurse.yml:8"),
    ]


BAD = [
    (None, "set.yml: there is no such file or folder"),
    ("nlu: [", r"set.yml:1: this is not YAML"),
    ("- a list", "set.yml: keys such as `version` and `nlu` are expected"),
    ("nlu: none", "set.yml:1: a list is expected under `nlu`"),
    ("nlu:\n- intent: greet\n  examples:\n  - hi\n", r"set.yml:2: intent greet needs `examples: |`"),
    (HEAD + '    - [okta]{"entity": system}\n', r'set.yml:5: \{"entity": system\} should be like'),
    (HEAD + '    - [okta]{"type": "system"}\n', "set.yml:5: .* should be like"),
    (HEAD.replace("greet", "sing") + "    - la\n", "set.yml:5: intent sing is not in domain.yml"),
    ("", "set.yml: there is no message to measure on"),
    (HEAD, "set.yml: there is no message to measure on"),
    (b"nlu: \xff", "set.yml: this is not UTF-8"),
]


@pytest.mark.parametrize("content, expected", BAD, ids=[case[1] for case in BAD])
def test_what_cannot_be_measured_on_is_named(tmp_path, content, expected):
    file = tmp_path / "set.yml"
    if content is not None:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadData, match=expected):
        read_set(file, tmp_path, {"greet"})


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(BadData, match=r"this folder has no \.yml file"):
        read_set(tmp_path, tmp_path, {"greet"})


def test_unknown_intents_can_be_left_out_and_are_counted(tmp_path):
    file = tmp_path / "set.yml"
    file.write_text(f"{HEAD}    - hi\n- intent: sing\n  examples: |\n    - la\n    - lala\n")
    found, skipped = read_set(file, tmp_path, {"greet"}, skip_unknown=True)
    assert ([one.text for one in found], skipped) == (["hi"], 2)


def test_names_have_one_canonical_form(tmp_path):
    file = tmp_path / "names.yml"
    file.write_text(
        "nlu:\n- lookup: system\n  examples: |\n    - Okta\n    - sso\n- synonym: Okta\n  examples: |\n    - SSO\n"
        '- intent: greet\n  examples: |\n    - hi [o365]{"entity": "system", "value": "Microsoft 365"}\n'
    )
    names = read_names(tmp_path, tmp_path)
    assert names.lookups == {"system": {"okta": "names.yml:4", "sso": "names.yml:5"}}
    assert names.canonical("Sso") == names.canonical("OKTA") == "okta"
    assert names.canonical("O365") == names.canonical("Microsoft 365")
