"""Report cards: whole, escaped, readable without anything else; and what changed since the one before."""

import json
from html.parser import HTMLParser

import pytest

from nlu.evaluation import __main__ as command
from nlu.evaluation import cards, evaluate, figures, models
from nlu.evaluation.examples import Example, Names
from nlu.evaluation.models import Parsed

EVIL = "<script>alert('x')</script>"


def card(*pairs, model="m1", date="2026-01-01", missed=(), floor=None):
    examples = [Example(text, wanted, (), "tests/nurse.yml", line) for line, (text, wanted, _) in enumerate(pairs, 1)]
    found = [Parsed(got, got, 0.9, (), 0.01) for _, _, got in pairs]
    report = figures.report(examples, found, Names())
    for one in report["metrics"]:
        one["floor"] = floor if one["key"] == "accuracy" else None
    about = {"name": "exam", "path": "tests/nlu/exam", "sha256": "abc", "skipped": 0}
    return {
        "set": about,
        "model": {"name": model, "sha256": "def"},
        "data_sha256": "123",
        "revision": "456+",
        "date": date,
        "missed": list(missed),
        **report,
    }


class Page(HTMLParser):
    """Counts tags, and checks that what was opened is closed."""

    EMPTY = {"meta", "rect", "path", "circle", "link", "br"}

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.attributes = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


MIXED = [(EVIL, "greet", "thank"), ("yes", "affirm", "deny"), ("hi", "greet", "greet"), ("hm", "greet", "nlu_fallback")]


def test_a_page_needs_nothing_else_and_runs_nothing():
    text = cards.page(card(*MIXED), None)
    page = Page(text)
    assert EVIL not in text and "&lt;script&gt;" in text
    assert not {"script", "link", "img", "iframe"} & set(page.seen)
    assert not [value for name, value in page.attributes if name in ("src", "href", "onclick")]
    assert "prefers-color-scheme: dark" in text and 'name="viewport"' in text


def test_tables_have_headers_and_pictures_have_titles():
    text = cards.page(card(*MIXED), None)
    page = Page(text)
    assert page.seen.count("caption") == page.seen.count("table") == page.seen.count("thead")
    ids = [value for name, value in page.attributes if name == "id"]
    described = [value for name, value in page.attributes if name == "aria-labelledby"]
    assert len(described) == text.count('<svg role="img"') == 3 and set(described) <= set(ids)


def test_what_is_missed_is_said_first():
    assert "All floors are held." in cards.page(card(*MIXED, floor=0.1), None)
    missed = cards.page(card(*MIXED, floor=0.9, missed=["accuracy: 0.250, but the floor is 0.9"]), None)
    assert "1 floor is missed." in missed and "but the floor is 0.9" in missed
    assert "There are no floors for this set." in cards.page(card(*MIXED), None)


def test_yes_and_no_mixed_up_are_listed():
    assert "Yes taken for no" in cards.page(card(*MIXED), None)
    assert "Yes taken for no" not in cards.page(card(MIXED[0]), None)
    assert "affirm taken for deny: yes (tests/nurse.yml:2)" in cards.summary(card(*MIXED), None)


def test_a_perfect_and_an_empty_report_can_be_shown():
    Page(cards.page(card(("hi", "greet", "greet")), None))
    Page(cards.page(card(("hi", "greet", "nlu_fallback")), None))


def test_both_files_are_written_and_nothing_else(tmp_path):
    written = cards.write(card(*MIXED), None, tmp_path / "m1.report")
    assert sorted(tmp_path.iterdir()) == sorted(written) == [tmp_path / "m1.report.html", tmp_path / "m1.report.json"]
    assert json.loads(written[1].read_text())["model"]["name"] == "m1"


def test_the_summary_shows_value_floor_and_the_value_before():
    now, earlier = card(*MIXED, floor=0.2), card(*[(text, wanted, wanted) for text, wanted, _ in MIXED], model="m0")
    since = evaluate.changes(now, earlier)
    line = next(line for line in cards.summary(now, since).splitlines() if line.startswith("All intents, accuracy"))
    assert line.split()[3:] == ["0.250", "0.000", "to", "0.750", "≥", "0.200", "1.000"]


def test_what_changed_since_the_card_before(tmp_path):
    earlier = card(("a", "greet", "greet"), ("b", "greet", "thank"), ("c", "greet", "thank"), model="m0")
    older = card(("a", "greet", "thank"), ("b", "greet", "thank"), ("c", "greet", "thank"), model="m9", date="2025")
    now = card(("a", "greet", "thank"), ("b", "greet", "greet"), ("c", "greet", "deny"), model="m1")
    for one in (older, earlier, now):
        cards.write(one, None, tmp_path / f"{one['model']['name']}.report")
    (tmp_path / "m2.report.json").write_text("{half")
    (tmp_path / "m3.report.json").write_text("[]")
    found = evaluate.before(now, tmp_path)
    assert found["model"]["name"] == "m0"
    since = evaluate.changes(now, found)
    assert [one["text"] for one in since["gained"]] == ["b"]
    assert [one["text"] for one in since["lost"]] == ["a"]
    assert since["values"]["accuracy"] == pytest.approx(1 / 3)
    Page(cards.page(now, since))


def test_cards_on_other_messages_are_not_compared(tmp_path):
    earlier, now = card(*MIXED, model="m0"), card(*MIXED)
    earlier["set"]["sha256"] = "changed"
    cards.write(earlier, None, tmp_path / "m0.report")
    assert evaluate.before(now, tmp_path) is None


@pytest.fixture
def run(tmp_path, monkeypatch, capsys, model_file):
    """The command on a small set, with the floors given: its exit code, output, errors and the model's folder."""
    monkeypatch.setattr(models, "silence", lambda: None)
    model = tmp_path / "m1.tar.gz"
    model.write_bytes(model_file.read_bytes())
    messages = tmp_path / "small.yml"
    messages.write_text(
        "nlu:\n- intent: greet\n  examples: |\n    - hi\n    - hello\n- intent: thank\n  examples: |\n    - thanks\n"
    )

    def run(*arguments, floor="", replace=None):
        if replace:
            messages.write_text(messages.read_text().replace(*replace))
        (tmp_path / "floors.yml").write_text(f"{messages}:\n  {floor}\n" if floor else "")
        given = ["evaluate", "--model", str(model), "--set", str(messages), "--floors", str(tmp_path / "floors.yml")]
        code = command.main([*given, *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err, tmp_path

    return run


def test_the_command_writes_the_card_beside_the_model(run):
    code, told, _, folder = run(floor="accuracy: 0.9")
    assert code == 0 and "small.yml: 3 messages; model m1" in told
    assert json.loads((folder / "m1.small.report.json").read_text())["messages"] == 3
    assert (folder / "m1.small.report.html").exists()


def test_the_command_fails_below_a_floor(run):
    code, told, errors, folder = run("--json", floor="model_megabytes: 0.001")
    assert code == 1
    assert "Missed: Model size" in errors
    assert json.loads(told)["missed"] == json.loads((folder / "m1.small.report.json").read_text())["missed"] != []


def test_seconds_of_training_come_from_the_note_beside_the_model(run, tmp_path):
    (tmp_path / "m1.training.json").write_text('{"seconds": 21.5}')
    _, told, _, _ = run("--json")
    assert [one["value"] for one in json.loads(told)["metrics"] if one["key"] == "training_seconds"] == [21.5]
    (tmp_path / "m1.training.json").write_text("{}")
    code, _, errors, _ = run()
    assert code == 1 and "m1.training.json: this should hold the seconds of training" in errors


WRONG = [
    (["--set", "nowhere"], {}, "nowhere: there is no such file or folder"),
    (["--model", "nowhere.tar.gz"], {}, "nowhere.tar.gz: there is no such model; make train makes one"),
    (["--floors", "nowhere.yml"], {}, "nowhere.yml: No such file"),
    ([], {"floor": "beauty: 1"}, "beauty is no metric"),
    ([], {"replace": ("greet", "sing")}, "small.yml:4: intent sing is not in domain.yml"),
]


@pytest.mark.parametrize("arguments, options, expected", WRONG, ids=[case[2] for case in WRONG])
def test_what_cannot_be_done_is_one_line(run, arguments, options, expected):
    code, told, errors, _ = run(*arguments, **options)
    assert (code, told) == (1, "")
    assert expected in errors and len(errors.splitlines()) == 1


def test_unknown_intents_can_be_left_out(run):
    code, told, _, _ = run("--skip-unknown", replace=("greet", "sing"))
    assert code == 0 and "1 messages, 2 left out" in told
