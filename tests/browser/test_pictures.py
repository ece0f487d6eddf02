"""The documents and their pictures go together: none is missing, left over or large."""

import re
from pathlib import Path

from tests.browser.pictures import FOLDER, MOST_BYTES

ROOT = Path(__file__).parents[2]
PICTURE = re.compile(r"!\[[^\]]+\]\((?:docs/)?pictures/([^)]+)\)")


def test_every_picture_is_shown_somewhere_and_small():
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    shown = {name for document in documents for name in PICTURE.findall(document.read_text(encoding="utf-8"))}
    assert shown == {path.name for path in FOLDER.iterdir()}
    assert [path.name for path in FOLDER.iterdir() if path.stat().st_size > MOST_BYTES] == []
