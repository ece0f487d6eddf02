"""What somebody meant who wrote a word that is not known."""

from collections.abc import Iterable

from rapidfuzz import fuzz, process

LIKENESS = 60  # of 100; below it nothing is alike


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The remedy: the known word that is nearest, or all of them where none is near."""
    known = list(known)
    found = nearest(word, known)
    return f"did you mean {found}?" if found else f"known are {', '.join(sorted(known))}"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is nearest, None where none is near."""
    found = process.extractOne(word, list(known), scorer=fuzz.WRatio, processor=str.casefold, score_cutoff=LIKENESS)
    return found[0] if found else None
