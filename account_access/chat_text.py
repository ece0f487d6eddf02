"""Markdown as plain chat text: steps keep their numbers, links their addresses, and nothing is markup any more."""

from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

# About what one bubble holds without scrolling on a phone.
MESSAGE_LENGTH = 700
BULLET = "•"
# Raw HTML stays text, and links lead nowhere but to pages and mail.
MARKDOWN = MarkdownIt("commonmark", {"html": False})


@dataclass(frozen=True)
class Block:
    """A paragraph, a heading, or one step of a list (`item`), as text."""

    text: str
    item: bool = False
    heading: bool = False


def messages(title: str, markdown: str, length: int = MESSAGE_LENGTH) -> list[str]:
    """The text in pieces of about `length` characters, cut between paragraphs or steps; the first has the title.

    A heading stays with what it is over; a single paragraph longer than that stays whole.
    """
    pieces: list[str] = []
    last = None
    for block in [Block(title, heading=True), *blocks(markdown)]:
        joined = "\n" if last and last.item and block.item else "\n\n"
        if pieces and (last.heading or len(pieces[-1]) + len(joined) + len(block.text) <= length):
            pieces[-1] += joined + block.text
        else:
            pieces.append(block.text)
        last = block
    return pieces


def blocks(markdown: str) -> list[Block]:
    """The paragraphs, headings and steps of a Markdown text, in their order."""
    return _Reader().read(MARKDOWN.parse(markdown))


class _Reader:
    def __init__(self):
        self.found: list[Block] = []
        self.lists: list[int | None] = []  # the next number of each list we are in; None: bullets
        self.marker = ""

    def read(self, tokens: list[Token]) -> list[Block]:
        for token, before in zip(tokens, [None, *tokens], strict=False):
            if token.type in ("ordered_list_open", "bullet_list_open"):
                self.lists.append(int(token.attrGet("start") or 1) if token.type.startswith("ordered") else None)
            elif token.type in ("ordered_list_close", "bullet_list_close"):
                self.lists.pop()
            elif token.type == "list_item_open":
                self.marker = self._next_marker()
            elif token.type == "inline":
                self._add(_inline(token.children or []), heading=before.type == "heading_open")
            elif token.type in ("fence", "code_block"):
                self._add(token.content.rstrip("\n"))
        return self.found

    def _next_marker(self) -> str:
        number = self.lists[-1]
        if number is None:
            return f"{BULLET} "
        self.lists[-1] = number + 1
        return f"{number}. "

    def _add(self, text: str, heading: bool = False) -> None:
        # What a step says in further paragraphs stands below it, without a number of its own.
        indent = "   " * (len(self.lists) - 1 if self.marker else len(self.lists))
        self.found.append(Block(indent + self.marker + text, bool(self.lists), heading))
        self.marker = ""


def _inline(tokens: list[Token]) -> str:
    said, addresses = "", []
    for token in tokens:
        if token.type == "link_open":
            addresses.append((token.attrGet("href") or "", len(said)))
        elif token.type == "link_close":
            address, begins = addresses.pop()
            address = address.removeprefix("mailto:")
            said += _told(said[begins:], address)
        elif token.type == "softbreak":
            said += " "
        elif token.type == "hardbreak":
            said += "\n"
        else:
            said += token.content
    return said


def _told(words: str, address: str) -> str:
    """What follows a link's words: its address, unless they are it."""
    if words == address:
        return ""
    return f" ({address})" if words else address
