"""What a person typed, made safe to keep: no leading slash, no control characters, within the length allowed."""

import unicodedata

from door.errors import ApiError

MAX_CHARACTERS = 1000

# Invisible characters that carry meaning inside emoji and in some scripts; every other format character goes.
_JOINERS = {"\u200c", "\u200d"}
_SLASHES = {"/", "\uff0f", "\u2044", "\u2215", "\u29f8"}


def clean(text: object) -> str:
    """The message as it may be stored (law 2: typed text is text). Raises ApiError if nothing may be."""
    if not isinstance(text, str):
        raise ApiError(400, "invalid", "The field text must be a string.")
    body = "".join(_kept(character) for character in text.replace("\r\n", "\n").replace("\r", "\n"))
    stripped = unicodedata.normalize("NFC", _without_lead(body)).rstrip()
    if not stripped:
        raise ApiError(400, "empty", "There is nothing to send: the message has no text in it.")
    if len(stripped) > MAX_CHARACTERS:
        raise ApiError(
            400, "too_long", f"The message has {len(stripped)} characters; at most {MAX_CHARACTERS} are possible."
        )
    return stripped


def _kept(character: str) -> str:
    if character == "\n" or character in _JOINERS:
        return character
    if character == "\t":
        return " "
    # Cc control, Cf invisible format, Cs lone surrogate (no database can store it), Co private, Cn unassigned.
    return "" if unicodedata.category(character).startswith("C") else character


def _without_lead(text: str) -> str:
    """Without leading blanks and slashes: Rasa would read what follows a slash as a command."""
    start = 0
    while start < len(text) and (text[start].isspace() or text[start] in _SLASHES or text[start] in _JOINERS):
        start += 1
    return text[start:]
