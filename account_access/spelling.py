"""What somebody meant who wrote a word that is not known."""

from collections.abc import Iterable

from rapidfuzz import fuzz, process

LIKENESS = 60  # of 100; below it nothing is alike


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The remedy: the known word that is nearest, or all of them where none is near."""
    known = list(known)
    nearest = process.extractOne(word, known, scorer=fuzz.WRatio, processor=str.casefold, score_cutoff=LIKENESS)
    return f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(sorted(known))}"
