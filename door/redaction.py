"""Takes secrets out of a message before it is stored, logged or understood (P3).

A pure function over text. It errs on the side of taking out: what it takes out is answered with "never share it",
what it leaves in stays in the transcript. Tickets, error codes, dates, phone extensions and numbered answers stay.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

MASK = "•••"


class Redacted(NamedTuple):
    """The text that may be kept, and whether anything was taken out of it."""

    text: str
    found: bool


def redact(text: str) -> Redacted:
    """The message without passwords, one-time codes, tokens and card numbers."""
    kept = text
    for rule in _RULES:
        kept = rule(kept)
    return Redacted(kept, kept != text)


# Tokens that no sentence contains by chance.
_TOKENS = re.compile(
    r"""
    -----BEGIN\ [A-Z ]*PRIVATE\ KEY-----.*?(?:-----END\ [A-Z ]*PRIVATE\ KEY-----|\Z)
    | \beyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?                       # JSON web tokens
    | \b(?:sk|pk|rk)[-_][\w-]{16,}
    | \bxox[a-z]-[\w-]{8,}
    | \bgh[a-z]_\w{20,} | \bgithub_pat_\w{20,} | \bglpat-[\w-]{16,}
    | \bAKIA[0-9A-Z]{16}\b | \bAIza[\w-]{30,}
    | \b00[\w-]{38,44}(?![\w-])                                    # Okta API tokens
    | (?<=[?&])(?:token|code|key|password|access_token)=[^&\s]{6,}
    | (?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{40,}   # long random text
    """,
    re.VERBOSE | re.DOTALL,
)
_SCHEMES = re.compile(r"\b(bearer|basic|ssws)(\s+)([\w.~+/=-]{12,})", re.IGNORECASE)
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")

_LABEL = r"(?:pass\s?-?(?:word|phrase|code)|passwd|pwd|pw|pass|secret|pin(?:\s(?:code|number))?)"
# Words that describe a password instead of being one.
_DESCRIPTIONS = frozenset((Path(__file__).parent / "words_about_passwords.txt").read_text(encoding="utf-8").split())
_ENDING = re.compile(r"(?:ing|ed|n't|ly)$")
_PRODUCTS = re.compile(
    r"^(?:windows|office|iphone|ipad|ios|android|galaxy|pixel|outlook|excel|okta|adobe|server|macos|m365|o365|wifi|"
    r"teams|zoom|vpn|room|floor|laptop|desktop|level|step|option|version|v|mfa|otp|sso|x86|log4j|b2b|web3)-?\d",
    re.IGNORECASE,
)
# AA-1042, INC0012345, E0000011, 0x80070005, KB5034441, 53003
_REFERENCE = re.compile(r"^(?:[A-Z]{1,12}[-_]?\d+(?:[-_][A-Z0-9]+)*|0x[0-9a-fA-F]+|\d+)$")
_ADDRESS = re.compile(
    r"^(?:[\w.+-]+@[\w-]+\.[\w.-]+|\w+://\S+|www\.\S+|[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|io|example))$"
)
_DATE_OR_TIME = re.compile(
    r"^(?:\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?|\d{1,2}(?:[:.]\d{2})?(?:am|pm|h|hrs?|mins?|s|st|nd|rd|th|x|k|gb|mb|%)?|"
    r"\d{4}-\d\d-\d\dT[\d:.]+Z?|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\d{1,4})$",
    re.IGNORECASE,
)
# Every pair of quotation marks that keyboards and phones make.
_OPENING, _CLOSING = "\"'\u201c\u2018`\u00ab", "\"'\u201d\u2019`\u00bb"
_MARKS = _OPENING + _CLOSING + "()[]<>"
_QUOTED = "|".join(f"{o}[^{c}\n]{{3,}}{c}" for o, c in zip(_OPENING, _CLOSING, strict=True))
_VALUE = rf"(?P<value>{_QUOTED}|\S+)"

_LABELLED = re.compile(
    rf"\b{_LABEL}\b"
    rf"(?:(?:\s+(?:for|of|on|in|at|to\s+(?:my|the|our))(?:\s+[\w'-]+){{1,4}}?|\s+(?:i\s+(?:use|used|typed|have|set)|"
    rf"still|now|currently|again))?"
    rf"(?P<sign>\s*(?:[:=]|->|=>|[\u2013\u2014])\s*|\s+-\s+|\s+(?:is|was|are|were|be|should\s+be|to)\s*:?\s+|'s\s+)|(?P<gap>\s+))"
    rf"(?:(?:still|now|just|currently|probably|maybe)\s+)?{_VALUE}",
    re.IGNORECASE,
)
_REVERSED = re.compile(
    rf"(?P<value>\S+)(?P<rest>\s+(?:is|was|as|for)\s+(?:my|the|our|his|her|a)\s+(?:[\w-]+\s+){{0,2}}{_LABEL}\b)",
    re.IGNORECASE,
)
_TYPED = re.compile(
    r"\b(?P<lead>(?:typed|typing|type|tried|trying|try|used|using|use|entered|entering|enter|(?:log|sign|logged|signed|"
    r"logging|signing)\s+in\s+with|(?:changed?|set|reset|update[d]?)\s+(?:it|them|that)\s+to|it'?s|it\s+is|it\s+was|"
    rf"that'?s|this\s+is|here\s+(?:it\s+)?is|here\s+you\s+go)\s*:?\s+)(?P<value>{_QUOTED}|\S+)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s*(?:$|[.,;:!?)\n]|(?:and|but|can|could|please|pls|plz|why|what|so|or|help|for|it|i|thanks|still)\b)", re.I
)

_CODE_LABEL = (
    r"(?:(?:one[- ]time|verification|security|sms|text|mfa|2fa|otp|okta|login|sign-?in|authenticator|auth|backup|"
    r"recovery|access|temporary|the|my|a|this|that)\s+)*(?:code|otp|totp|passcode|pin|one[- ]time\s+password|token)"
)
_DIGITS = r"(?P<value>\d{3}[ -]\d{3,5}|\d{4,10}|\d(?:[ -]\d){3,9})(?![\w-]|\.\d)"
_NOT_A_CODE = (
    r"(?<!error )(?<!status )(?<!area )(?<!zip )(?<!postal )(?<!country )(?<!exit )(?<!http )(?<!response )(?<!source )"
    r"(?<!reason )(?<!event )(?<!result )(?<!dress )(?<!post )(?<!cost )(?<!fault )(?<!stop )(?<!failure )"
)
_CODES = re.compile(
    rf"\b{_NOT_A_CODE}(?P<label>{_CODE_LABEL})(?P<sign>\s*(?:[:=]|->|[\u2013\u2014])?\s*(?:(?:from|on|in|for)(?:\s+[\w'-]+){{1,3}}?\s+)?"
    rf"(?:it\s+(?:says|shows|gave)\s+|(?:is|was|says|reads|shows)\s*:?\s*)?(?:me\s+)?[\"'\u201c]?){_DIGITS}",
    re.IGNORECASE,
)
_CODES_REVERSED = re.compile(
    rf"(?<![\w-]){_DIGITS}(?P<rest>[\"'\u201d]?\s+(?:is|was|as)\s+{_NOT_A_CODE}{_CODE_LABEL}\b)", re.IGNORECASE
)
_CODES_SENT = re.compile(
    r"\b(?P<lead>(?:texted|sent|got|received|entered|entering|typed|typing|shows|showing|says|gave)(?:\s+(?:me|us|is|was|in|"
    r"it|the|a|this|:))*\s+[\"'\u201c]?)(?P<value>\d{6}|\d{3}[ -]\d{3})(?![\w-])",
    re.IGNORECASE,
)
_ONLY_A_CODE = re.compile(r"^\W*(?:g-)?(?:\d{6}|\d{8}|\d{3}[ -]\d{3}|\d{4}[ -]\d{4})\W*$", re.IGNORECASE)


def _tokens(text: str) -> str:
    text = _SCHEMES.sub(lambda m: m.group(0) if m.group(3).isalpha() else f"{m.group(1)}{m.group(2)}{MASK}", text)
    return _TOKENS.sub(MASK, text)


def _cards(text: str) -> str:
    return _CARD.sub(lambda m: MASK if _is_card(m.group(0)) else m.group(0), text)


def _is_card(written: str) -> bool:
    digits = [int(character) for character in written if character.isdigit()]
    if re.fullmatch(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}", written):
        return True
    doubled = [d if i % 2 == 0 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(reversed(digits))]
    return len(digits) >= 13 and sum(doubled) % 10 == 0 and any(digits)


def _codes(text: str) -> str:
    if _ONLY_A_CODE.match(text):
        return MASK
    text = _CODES.sub(lambda m: f"{m.group('label')}{m.group('sign')}{MASK}", text)
    text = _CODES_REVERSED.sub(lambda m: f"{MASK}{m.group('rest')}", text)
    return _CODES_SENT.sub(lambda m: f"{m.group('lead')}{MASK}", text)


def _labelled(text: str) -> str:
    """ "my password is hunter2", "pw: hunter2", "password hunter2"."""

    def replace(match: re.Match) -> str:
        value, sign = match.group("value"), (match.group("sign") or "").strip().lower()
        word = _bare(value)
        if sign in ("", "to"):
            secret = _mixed(word) or (sign == "to" and _is_quoted(value))
        elif _is_quoted(value):
            secret = word.lower() not in _DESCRIPTIONS
        else:
            secret = _unlike_words(word) or _lone_word(word, match, plain_sign=sign in (":", "="))
        before = match.group(0)[: match.start("value") - match.start()]
        return before + _mask(value) if secret and not value.startswith(MASK) else match.group(0)

    return _replace_last_group(_LABELLED, text, replace)


def _reversed(text: str) -> str:
    """ "hunter2 is my password"."""
    return _REVERSED.sub(
        lambda m: f"{_mask(m.group('value'))}{m.group('rest')}" if _mixed(_bare(m.group("value"))) else m.group(0), text
    )


def _typed(text: str) -> str:
    """ "it's Summer2024! can you check", "I keep typing hunter2!x"."""

    def replace(match: re.Match) -> str:
        value = match.group("value")
        word = _bare(value)
        secret = (_mixed(word) and len(word) >= 6 and not word.islower()) or _strong(value)
        return f"{match.group('lead')}{_mask(value)}" if secret else match.group(0)

    return _TYPED.sub(replace, text)


def _standing_alone(text: str) -> str:
    """A word that only a password generator or a careful person writes, wherever it stands."""
    words = text.split()
    if len(words) == 1 and len(words[0]) >= 7 and any(c.isdigit() for c in text) and _mixed(_bare(words[0])):
        return MASK
    return re.sub(r"\S+", lambda m: _mask(m.group(0)) if _strong(m.group(0)) else m.group(0), text)


_RULES: tuple[Callable[[str], str], ...] = (_tokens, _cards, _labelled, _reversed, _typed, _codes, _standing_alone)


def _replace_last_group(pattern: re.Pattern, text: str, replace: Callable[[re.Match], str]) -> str:
    """As `sub`, but looks for the next label right after a label that was left alone."""
    at, out = 0, []
    while match := pattern.search(text, at):
        new = replace(match)
        end = match.end() if new != match.group(0) else match.end() - len(match.group("value"))
        out.append(text[at : match.start()] + (new if new != match.group(0) else text[match.start() : end]))
        at = end
    return "".join(out) + text[at:]


def _is_quoted(value: str) -> bool:
    return len(value) > 2 and value[0] in _OPENING and value[-1] in _CLOSING


def _bare(value: str) -> str:
    """Without the quotes and the sentence's punctuation around it."""
    return value.strip(_MARKS).rstrip(".,;:?!").strip(_MARKS)


def _mask(value: str) -> str:
    """The mask, with the sentence's punctuation after it kept (a "!" may belong to the password, so it goes)."""
    return MASK + value[len(value.rstrip(".,;:?")) :]


def _innocent(word: str) -> bool:
    return bool(
        MASK in word
        or _PRODUCTS.match(word)
        or _REFERENCE.match(word)
        or _ADDRESS.match(word)
        or _DATE_OR_TIME.match(word)
    )


def _mixed(word: str) -> bool:
    """Letters and digits, or letters around a symbol that words do not contain."""
    if len(word) < 4 or _innocent(word) or not any(c.isalpha() for c in word):
        return False
    return any(c.isdigit() for c in word) or any(c in "!@#$%^&*+=~?|\\{}<>" for c in word)


def _unlike_words(word: str) -> bool:
    """What no word of a sentence looks like, right after "my password is"."""
    if len(word) < 4 or _DATE_OR_TIME.match(word):
        return False
    return any(c.isdigit() for c in word) or _mixed(word)


def _lone_word(word: str, match: re.Match, plain_sign: bool) -> bool:
    """A plain word said to be the password, and not said about it: "my password is sunshine and it fails"."""
    lowered = word.lower()
    parts = re.split(r"[^\w]+", lowered)
    if len(word) < 3 or parts[0] in _DESCRIPTIONS or _innocent(word) or _ENDING.search(lowered):
        return False
    return plain_sign or bool(_AFTER.match(match.string, match.end()))


def _strong(value: str) -> bool:
    """At least eight characters with capitals, small letters, digits and a symbol among them."""
    word = value.strip(_MARKS + ".,;:")
    return (
        8 <= len(word) <= 64
        and any(c.isupper() for c in word)
        and any(c.islower() for c in word)
        and any(c.isdigit() for c in word)
        and any(c in "!@#$%^&*+=~?|" for c in word)
        and not _innocent(_bare(word))
        and not word.count("-") >= 3
    )
