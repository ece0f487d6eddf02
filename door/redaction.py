"""Takes secrets out of a message before it is stored, logged or understood (P3).

A pure function over text. Where a sentence says that something is a secret, it errs on the side of taking it out: what
it takes out is answered with "never share it", what it leaves in stays in the transcript. Tickets, error codes, dates,
phone extensions and numbered answers stay. What it finds and what it misses: tests/door/redaction_corpus.yml.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

from door import secret_patterns as patterns
from door import secret_shapes as shapes

MASK = shapes.HIDDEN * 3
# One pass may uncover the next: in "hunter2, hunter3" the second is known by the first.
_PASSES = 6
_QUOTES = {ord(c): '"' for c in "\u201c\u201d\u201e\u00ab\u00bb\u2033"} | {
    ord(c): "'" for c in "\u2018\u2019\u201a`\u00b4\u2032"
}
# Letters of other alphabets that look like Latin ones.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0458\u0501\u051d\u0410\u0412\u0415\u041a\u041c\u041d\u041e"
    "\u0420\u0421\u0422\u0425\u0405\u0406\u03b1\u03bf\u03c1\u03c5\u03bd\u03b9\u03ba\u0391\u0392\u0395\u0397\u0399\u039a"
    "\u039c\u039d\u039f\u03a1\u03a4\u03a7\u0261\u0131\u0142\u00f8\u0111",
    "aeopcyxisjdwABEKMHOPCTXSIaopuvikABEHIKMNOPTXgilod",
)

Span = tuple[int, int]


class Redacted(NamedTuple):
    """The text that may be kept, and whether anything was taken out of it."""

    text: str
    found: bool


def redact(text: str) -> Redacted:
    """The message without passwords, one-time codes, tokens and card numbers."""
    seen, origins = _seen(text)
    hidden: list[Span] = []
    for _ in range(_PASSES):
        before = seen
        for rule in _RULES:
            for start, end in list(rule(seen)):
                seen = seen[:start] + shapes.HIDDEN * (end - start) + seen[end:]
                hidden.append((origins[start], origins[end - 1] + 1))
        if seen == before:
            break
    return Redacted(_without(text, hidden), bool(hidden))


def _seen(text: str) -> tuple[str, list[int]]:
    """The text as the eye reads it, and where each of its characters stands in the text.

    Invisible characters and accents are dropped, look-alikes become the letters they look like, and a run of blanks
    becomes one blank (or one line break).
    """
    seen: list[str] = []
    origins: list[int] = []
    for at, character in enumerate(text):
        if character.isspace():
            character = "\n" if character == "\n" else " "
            if seen and seen[-1] in " \n":
                seen[-1] = max(seen[-1], character, key="\n".__eq__)
                continue
        elif unicodedata.category(character) in ("Cf", "Mn", "Cc"):
            continue
        else:
            character = _plain(character)
        seen.append(character)
        origins.append(at)
    return "".join(seen), origins


def _plain(character: str) -> str:
    if character.isascii() or character == shapes.HIDDEN:
        return character
    if ord(character) in _QUOTES:
        return _QUOTES[ord(character)]
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    folded = unicodedata.normalize("NFKD", character.translate(_LOOKALIKES))[0]
    return character if folded.isspace() else folded


def _without(text: str, hidden: list[Span]) -> str:
    """The text with one mask for each hidden stretch."""
    out, at = [], 0
    for start, end in sorted(hidden):
        if start > at or not out:
            out.append(text[at:start] + MASK)
        at = max(at, end)
    return "".join(out) + text[at:]


def _tokens(seen: str) -> Iterator[Span]:
    for match in patterns.SCHEMES.finditer(seen):
        if not match["value"].isalpha():
            yield match.span("value")
    for pattern in (patterns.TOKENS, patterns.CREDENTIALS_IN_URL, patterns.CREDENTIALS_OPTION):
        for match in pattern.finditer(seen):
            if shapes.HIDDEN not in match["value"]:
                yield match.span("value")


def _cards(seen: str) -> Iterator[Span]:
    return (match.span() for match in patterns.CARD.finditer(seen) if _is_card(match.group()))


def _is_card(written: str) -> bool:
    digits = [int(character) for character in written if character.isdigit()]
    if re.fullmatch(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}", written):
        return True
    doubled = [d if i % 2 == 0 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(reversed(digits))]
    return len(digits) >= 13 and sum(doubled) % 10 == 0 and any(digits)


def _labelled(seen: str) -> Iterator[Span]:
    """ "my password is hunter2", "pw: hunter2", "my password is correct horse battery staple"."""
    at = 0
    while match := patterns.LABELLED.search(seen, at):
        at = match.start("value")
        span = _said_secret(match, seen)
        if span:
            yield span
            at = span[1]


def _said_secret(match: re.Match, seen: str) -> Span | None:
    value, sign = match["value"], match["sign"].strip().lower()
    start, word = match.start("value"), shapes.bare(value)
    if shapes.HIDDEN in value:
        return None
    if sign in ("to", "as"):
        return _trimmed(match) if shapes.mixed(word) or _is_quoted(value) else None
    if _is_quoted(value):
        return None if word.lower() in shapes.DESCRIPTIONS else _trimmed(match)
    if shapes.unlike_words(word):
        return _trimmed(match)
    words, ends = _clause(seen, start)
    single = next((i for i, each in enumerate(words) if len(each) != 1), len(words))
    if single >= 4:
        return start, ends[single - 1]
    if shapes.passphrase(words):
        return start, ends[-1]
    said = sign in (":", "=") or patterns.AFTER.match(seen, match.end())
    return _trimmed(match) if said and shapes.plain_secret(word) else None


def _clause(seen: str, start: int) -> tuple[list[str], list[int]]:
    """The words from here to the end of the clause, and where each ends."""
    words, ends = [], []
    for match in patterns.WORDS.finditer(seen, start, start + 200):
        if (words and seen[match.start() - 1] == "\n") or patterns.JOINING.match(match.group()):
            break
        word = match.group().rstrip(".,;:?")
        words.append(shapes.bare(word))
        ends.append(match.start() + len(word))
        if len(word) < len(match.group()):
            break
    return words, ends


def _where(pattern: re.Pattern, *tests: Callable[[str], bool]) -> Callable[[str], Iterator[Span]]:
    """The values that the pattern finds and one of the tests takes for secret."""

    def rule(seen: str) -> Iterator[Span]:
        for match in pattern.finditer(seen):
            word = shapes.bare(match["value"])
            if shapes.HIDDEN not in match["value"] and any(test(word) for test in tests):
                yield _trimmed(match)

    return rule


def _firm(word: str) -> bool:
    return (shapes.typed_like(word) and not word.islower()) or shapes.strong(word)


def _typed(seen: str) -> Iterator[Span]:
    """ "I keep typing hunter2", "it keeps rejecting Harbor-Lantern-42"; after "it's" only what is no name."""
    for match in patterns.TYPED.finditer(seen):
        word = shapes.bare(match["value"])
        if shapes.HIDDEN not in word and (_firm(word) or (match["verb"] and shapes.typed_like(word))):
            yield _trimmed(match)


def _among_passwords(seen: str) -> Iterator[Span]:
    """ "my temporary password from IT, Welcome1, fails": in a sentence about passwords, a name with a number."""
    for match in patterns.SENTENCE_WITH_LABEL.finditer(seen):
        for word in patterns.BARE_WORD.finditer(seen, *match.span()):
            if shapes.personal(shapes.bare(word["value"])):
                yield _trimmed(word)


def _codes(seen: str) -> Iterator[Span]:
    for match in patterns.ONLY_A_CODE.finditer(seen):
        yield match.span("value")
    for match in patterns.CODES.finditer(seen):
        yield match.span("value")
    for match in patterns.CODES_REVERSED.finditer(seen):
        yield match.span("value")
    for match in patterns.CODE_ALONE.finditer(seen):
        before = seen[max(0, match.start() - 40) : match.start()]
        if not patterns.NUMBER_OF_SOMETHING.search(before) and not patterns.CALL.search(before):
            yield match.span("value")


def _standing_alone(seen: str) -> Iterator[Span]:
    """A word that only a password generator or a careful person writes, wherever it stands; a line that is one."""
    for match in patterns.ANY_WORD.finditer(seen):
        word = shapes.bare(match["value"])
        alone = seen[match.start() - 1 : match.start()] in ("", "\n") and seen[match.end() :][:1] in ("", "\n")
        last = re.split("[/:]", word)[-1]
        long = len(word) >= 7 and any(c.isdigit() for c in last) and shapes.mixed(last) and shapes.mixed(word)
        if shapes.strong(match["value"]) or (alone and long):
            yield _trimmed(match)


def _continued(seen: str) -> Iterator[Span]:
    """ "hunter2, hunter3 and hunter4": what is listed after a secret and looks like one."""
    for hidden in patterns.HIDDEN_END.finditer(seen):
        at = hidden.end()
        while (match := patterns.CONTINUED.match(seen, at)) and shapes.typed_like(shapes.bare(match["value"])):
            yield _trimmed(match)
            at = _trimmed(match)[1]


_RULES: tuple[Callable[[str], Iterator[Span]], ...] = (
    _tokens,
    _cards,
    _labelled,
    _where(patterns.BESIDE_LABEL, shapes.mixed, shapes.shouted),
    _where(patterns.QUOTED_BESIDE_LABEL, shapes.plain_secret),
    _where(patterns.BELOW_LABEL, shapes.plain_secret),
    _where(patterns.CHANGED, shapes.mixed),
    _where(patterns.REVERSED, shapes.mixed),
    _where(patterns.WORD_REVERSED, shapes.plain_secret),
    _typed,
    _where(patterns.PAIR, shapes.typed_like, shapes.strong),
    _where(patterns.LINE_PAIR, shapes.typed_like),
    _where(patterns.NAMED_PAIR, shapes.plain_secret),
    _where(patterns.REFUSED, shapes.personal),
    _where(patterns.KEYS, shapes.mixed),
    _codes,
    _among_passwords,
    _standing_alone,
    _continued,
)


def _is_quoted(value: str) -> bool:
    return len(value) > 2 and value[0] in "\"'" and value[-1] == value[0]


def _trimmed(match: re.Match) -> Span:
    """Where the value stands, without the sentence's punctuation after it (a "!" may belong to the password)."""
    start, value = match.start("value"), match["value"]
    return start, start + max(1, len(value.rstrip(".,;:?")))
