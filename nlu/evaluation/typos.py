"""One typing error in a message, always the same one for the same message."""

import random
import re

SEED = 7
WORD = re.compile(r"[A-Za-z]{4,}")
ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def _neighbours() -> dict[str, str]:
    """The letters beside, above and below each key of an English keyboard."""
    where = {key: (row, column) for row, keys in enumerate(ROWS) for column, key in enumerate(keys)}
    # each row of keys stands a little to the right of the one above
    near = {(0, -1), (0, 1), (-1, 0), (-1, 1), (1, 0), (1, -1)}
    return {
        key: "".join(other for other, (r, c) in where.items() if (r - row, c - column) in near)
        for key, (row, column) in where.items()
    }


NEIGHBOURS = _neighbours()


def with_typo(text: str, seed: int = SEED) -> str:
    """The text with one edit in one word of at least 4 letters; as it is where there is no such word.

    The edit is a neighbouring key pressed too or instead, a letter left out, or two letters swapped.
    """
    words = list(WORD.finditer(text))
    if not words:
        return text
    chance = random.Random(f"{seed}:{text}")  # noqa: S311 - repeatable on purpose
    word = chance.choice(words)
    edit = chance.choice((_insert, _substitute, _delete, _swap))
    return text[: word.start()] + edit(word.group(), chance) + text[word.end() :]


def _insert(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word))
    return word[: at + 1] + _beside(word[at], chance) + word[at + 1 :]


def _substitute(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word))
    return word[:at] + _beside(word[at], chance) + word[at + 1 :]


def _delete(word: str, chance: random.Random) -> str:
    at = chance.randrange(len(word))
    return word[:at] + word[at + 1 :]


def _swap(word: str, chance: random.Random) -> str:
    unlike = [at for at in range(len(word) - 1) if word[at] != word[at + 1]]
    if not unlike:
        return _delete(word, chance)
    at = chance.choice(unlike)
    return word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _beside(letter: str, chance: random.Random) -> str:
    key = chance.choice(NEIGHBOURS[letter.lower()])
    return key.upper() if letter.isupper() else key
