"""The exam is frozen: what is measured on today is what was measured on before."""

import hashlib

import pytest

from tests.nlu_components.conftest import ROOT

FOLDER = ROOT / "tests" / "nlu"
SETS = ("exam", "adversarial")


def frozen(list_of_sums):
    """{file: SHA-256} as sha256sum writes it, with paths as seen from the list or from the root."""
    lines = [line.split(maxsplit=1) for line in list_of_sums.splitlines() if line and not line.startswith("#")]
    return {name.lstrip("*").removeprefix("tests/nlu/").removeprefix("./"): digest for digest, name in lines}


def differences(sums, folder):
    """What is missing, extra or changed, by file."""
    there = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in SETS
        for path in (folder / name).rglob("*")
        if path.is_file()
    }
    found = {name: "missing" for name in sums.keys() - there.keys()}
    found |= {name: "extra" for name in there.keys() - sums.keys()}
    return found | {name: "changed" for name in sums.keys() & there.keys() if sums[name] != there[name]}


def test_the_exam_is_as_it_was():
    sums = frozen((FOLDER / "FROZEN").read_text(encoding="utf-8"))
    assert {name.split("/")[0] for name in sums} == set(SETS)
    assert differences(sums, FOLDER) == {}


@pytest.mark.parametrize("what", ["missing", "extra", "changed", None])
def test_every_difference_is_found(tmp_path, what):
    for name in SETS:
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.yml").write_text(name)
    sums = {f"{name}/a.yml": hashlib.sha256(name.encode()).hexdigest() for name in SETS}
    if what == "missing":
        (tmp_path / "exam" / "a.yml").unlink()
    elif what == "extra":
        sums.pop("exam/a.yml")
    elif what == "changed":
        (tmp_path / "exam" / "a.yml").write_text("exam ")
    assert differences(sums, tmp_path) == ({"exam/a.yml": what} if what else {})


def test_sums_are_read_as_sha256sum_writes_them():
    assert frozen("# note\n\nabc  tests/nlu/exam/a.yml\ndef *./exam/b.yml\n") == {
        "exam/a.yml": "abc",
        "exam/b.yml": "def",
    }
