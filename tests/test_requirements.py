"""Every requirement is shown by a test or listed in docs/pending.md with its reason."""

import pytest

from tests import requirements


def test_every_requirement_is_tested_or_pending_with_a_reason():
    missing = set(requirements.stated()) - set(requirements.shown()) - set(requirements.pending())
    assert missing == set(), "write a test that cites it, or say in docs/pending.md why there is none"


def test_nothing_is_cited_or_pending_that_is_no_requirement():
    known = set(requirements.stated())
    assert set(requirements.shown()) - known == set()
    assert set(requirements.pending()) - known == set()


@pytest.mark.parametrize(
    "text, numbers",
    [
        ("test_e12b_later_than_a_day", {"E12b"}),
        ("says so (U1, X3)", {"U1", "X3"}),
        ("unlock on request (U1-U3)", {"U1", "U2", "U3"}),
        ("every button (N4-6)", {"N4", "N5", "N6"}),
        ("an A4 page, MP3 and X", set()),
        ("test_mixed_e_2", set()),
    ],
)
def test_numbers_are_found(text, numbers):
    assert requirements.cited(text) == numbers


def test_a_number_that_nothing_shows_is_found(tmp_path):
    for folder in ("docs", "tests/stories"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "docs" / "requirements.md").write_text("- **U1** a\n- **E12** b; **E12b** c\n- **X3** d\n- **X9** e\n")
    (tmp_path / "docs" / "pending.md").write_text("- **X9**: needs a log\n")
    (tmp_path / "tests" / "test_a.py").write_text(
        'class TestA:\n    """(E12)"""\n    def test_u1_x(self):\n        pass\n'
    )
    story = "stories:\n# X3\n- story: late\n  steps: []\n"
    (tmp_path / "tests" / "stories" / "test_b.yml").write_text(story)
    assert requirements.stated(tmp_path) == ["U1", "E12", "E12b", "X3", "X9"]
    assert requirements.shown(tmp_path) == {
        "U1": ["tests/test_a.py::TestA::test_u1_x"],
        "E12": ["tests/test_a.py::TestA::test_u1_x"],
        "X3": ["tests/stories/test_b.yml::late"],
    }
    assert requirements.pending(tmp_path) == {"X9": "needs a log"}
