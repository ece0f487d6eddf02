"""Which texts are nearly the same, and which were made by one template. Thousands of texts take about a second."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from rapidfuzz import fuzz, process

# so many texts are compared with all others at a time: 1000 against 10,000 take 10 MB
CHUNK = 1000


def normal(text: str) -> str:
    """Small letters without punctuation; a text of nothing else stays as it is."""
    words = re.findall(r"\w+", re.sub("['’]", "", text.casefold()))  # noqa: RUF001 - people's phones write it
    return " ".join(words) or text.strip()


def alike(texts: Sequence[str], others: Sequence[str], threshold: float) -> Iterator[tuple[int, int, int]]:
    """(number in texts, number in others, likeness) wherever the likeness is at least the threshold.

    The likeness, 0 to 100, is that of the letters once the words are in alphabetical order; 100 means the same words.
    """
    ours, theirs = ([" ".join(sorted(normal(text).split())) for text in some] for some in (texts, others))
    for start in range(0, len(ours), CHUNK):
        table = process.cdist(
            ours[start : start + CHUNK], theirs, scorer=fuzz.ratio, score_cutoff=threshold, dtype=np.uint8
        )
        for row, column in np.argwhere(table):
            yield start + int(row), int(column), int(table[row, column])


def skeletons(texts: Sequence[str], shortest: int = 3) -> dict[str, list[int]]:
    """The texts that share all words but one, by what they share; texts of fewer words than `shortest` do not count."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for number, text in enumerate(texts):
        words = normal(text).split()
        for at in range(len(words) if len(words) >= shortest else 0):
            found[" ".join([*words[:at], "…", *words[at + 1 :]])].setdefault(words[at], number)
    return {skeleton: list(numbers.values()) for skeleton, numbers in found.items()}
