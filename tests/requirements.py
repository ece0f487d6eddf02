"""Which tests show which requirement: `python -m tests.requirements` prints the table.

A test shows a requirement if its name, its docstring or its class's docstring cites the number: test_e2_…, "(X3)".
What a file's docstring cites is its subject and shows nothing. A test story shows what its name or the comment above it
cites.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NUMBER = re.compile(r"\b([GUNIPMECX])(\d+)(b?)\b")
IN_A_NAME = re.compile(r"_([gunipmecx])(\d+)(b?)(?=_|$)")
RANGE = re.compile(r"\b([GUNIPMECX])(\d+)-\1?(\d+)\b")
STATED = re.compile(r"\*\*([GUNIPMECX]\d+b?)\*\*")
PENDING = re.compile(r"^- \*\*([GUNIPMECX]\d+b?)\*\*:? (.+)$", re.MULTILINE)


def stated(root: Path = ROOT) -> list[str]:
    """All numbers of docs/requirements.md, in its order."""
    text = (root / "docs" / "requirements.md").read_text(encoding="utf-8")
    return list(dict.fromkeys(STATED.findall(text)))


def pending(root: Path = ROOT) -> dict[str, str]:
    """The numbers of docs/pending.md, each with its reason."""
    return dict(PENDING.findall((root / "docs" / "pending.md").read_text(encoding="utf-8")))


def shown(root: Path = ROOT) -> dict[str, list[str]]:
    """For each number the ids of the tests that cite it, sorted."""
    found = defaultdict(set)
    for test, numbers in _all(root):
        for number in numbers:
            found[number].add(test)
    return {number: sorted(tests) for number, tests in found.items()}


def cited(text: str) -> set[str]:
    """The numbers in a name or a text; U1-U3 and U1-3 are three."""
    plain = {f"{letter}{digits}{b}" for letter, digits, b in NUMBER.findall(text)}
    named = {f"{letter.upper()}{digits}{b}" for letter, digits, b in IN_A_NAME.findall(text)}
    ranges = {f"{letter}{n}" for letter, a, z in RANGE.findall(text) for n in range(int(a), int(z) + 1)}
    return plain | named | ranges


def _all(root: Path) -> Iterator[tuple[str, set[str]]]:
    for file in sorted((root / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        yield from _of(tree, str(file.relative_to(root)), set())
    for file in sorted((root / "tests" / "stories").rglob("test_*.yml")):
        yield from _of_stories(file.read_text(encoding="utf-8"), str(file.relative_to(root)))


def _of(node: ast.Module | ast.ClassDef, name: str, above: set[str]) -> Iterator[tuple[str, set[str]]]:
    mine = above | (cited(ast.get_docstring(node) or "") if isinstance(node, ast.ClassDef) else set())
    for child in node.body:
        if isinstance(child, ast.ClassDef):
            yield from _of(child, f"{name}::{child.name}", mine)
        elif isinstance(child, ast.FunctionDef) and child.name.startswith("test_"):
            yield f"{name}::{child.name}", mine | cited(child.name) | cited(ast.get_docstring(child) or "")


def _of_stories(text: str, name: str) -> Iterator[tuple[str, set[str]]]:
    comment: set[str] = set()
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("#"):
            comment |= cited(stripped)
        elif stripped.startswith("- story:"):
            title = stripped.removeprefix("- story:").strip()
            yield f"{name}::{title}", comment | cited(title)
        elif stripped and not stripped.startswith(("version", "stories")):
            comment = set()


def main() -> None:
    """Prints every number with its tests, or why there is none yet."""
    found, waiting = shown(), pending()
    for number in stated():
        print(
            f"{number}  {len(found.get(number, []))} tests"
            + (f"  pending: {waiting[number]}" if number in waiting else "")
        )
        for test in found.get(number, []):
            print(f"    {test}")


if __name__ == "__main__":
    main()
