"""The organisation's articles: Markdown with a few lines in front, checked at start (I1, M5, M6, P4).

Every error names the file, the key and the remedy, like those of the settings.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from account_access import chat_text, plain_yaml, setting_values
from account_access.settings import SettingsError
from account_access.spelling import did_you_mean

# What an article can be for.
UNLOCK, RELOCKED, PASSWORD, MFA = "unlock", "relocked", "reset_password", "reset_mfa"
EXTEND_CONTRACT, END_CONTRACT = "extend_contract", "end_contract"
TOPICS = (UNLOCK, RELOCKED, PASSWORD, MFA, EXTEND_CONTRACT, END_CONTRACT)
KEYS = ("title", "for", "systems", "factors", "audience", "url")
_FRONT = re.compile(r"\A---[ ]*\r?\n(.*?)^---[ ]*\r?\n(.*)\Z", re.DOTALL | re.MULTILINE)
_WORD = re.compile(r"\{([a-z_]+)\}")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")


@dataclass(frozen=True)
class Article:
    """One article. `systems`, `factors` and `groups` are casefolded; none of them means all.

    `name` is its file's, without the ending; `url` is where the organisation keeps it, if not here.
    """

    name: str
    title: str
    topics: frozenset[str]
    systems: frozenset[str]
    factors: frozenset[str]
    groups: frozenset[str]
    url: str | None
    body: str

    @property
    def address(self) -> str:
        """Where it can be read whole: the organisation's page, or ours at the door."""
        return self.url or f"/articles/{self.name}"

    def html(self) -> str:
        """Its text for a page; nothing in it is taken for HTML."""
        return chat_text.MARKDOWN.render(self.body)

    def messages(self) -> list[str]:
        """Its text in chat-sized pieces, in their order."""
        return chat_text.messages(self.title, self.body)


class Articles:
    """All articles of an installation."""

    def __init__(self, articles: Iterable[Article] = ()):
        self._by_name = {article.name: article for article in articles}

    def get(self, name: str) -> Article | None:
        """The article with this name."""
        return self._by_name.get(name)

    def find(
        self,
        topic: str,
        systems: Iterable[str],
        factor: str | None = None,
        groups: Iterable[str] | None = None,
        general: bool = True,
    ) -> Article | None:
        """The article on the topic for one of these systems' names and the factor, the most particular first.

        `groups` are the reader's, None where nobody knows them: then only what is for everyone. Without `general` it
        has to name the system itself.
        """
        named, member = _folded(systems), _folded(groups or ())
        fitting = [
            article
            for article in self._by_name.values()
            if topic in article.topics
            and (article.systems & named or (general and not article.systems))
            and (not article.groups or article.groups & member)
            and (not article.factors or (factor or "").casefold() in article.factors)
        ]
        return max(fitting, key=_particular, default=None)

    def systems_told_of(self, topic: str) -> frozenset[str]:
        """The systems' names (casefolded) for which there is an article on the topic."""
        return frozenset().union(*(a.systems for a in self._by_name.values() if topic in a.topics))

    def depend_on_groups(self) -> bool:
        """Whether any article is for some people only, so that finding one needs the reader's groups."""
        return any(article.groups for article in self._by_name.values())


def _particular(article: Article) -> tuple[bool, bool, bool]:
    return bool(article.groups), bool(article.factors), bool(article.systems)


def _folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)


def load(section) -> Articles:
    """The articles of the folder that the settings' section `knowledge` names.

    Raises SettingsError with every error of every file.
    """
    if section.folder is None:
        return Articles()
    folder = Path(section.folder)
    if not folder.is_dir():
        raise SettingsError([f"{folder}: not found; create it, or correct knowledge.folder in the settings"])
    found, problems = [], []
    for path in sorted(folder.glob("*.md")):
        article, wrong = _read(path, section.words)
        problems += [f"{path}: {text}" for text in wrong]
        found += [article] if article else []
    if problems:
        raise SettingsError(problems)
    return Articles(found)


def _read(path: Path, words: Mapping[str, str]) -> tuple[Article | None, list[str]]:
    """The article, or what is wrong with its file: (key: what; remedy)."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        return None, [f"file: cannot be read ({error}); check its permissions and encoding (UTF-8)"]
    parts = _FRONT.match(text)
    if parts is None:
        return None, ["front matter: is missing; begin with lines between two lines of ---, see docs/articles.md"]
    try:
        front = plain_yaml.load(parts.group(1)) or {}
    except yaml.YAMLError as error:
        return None, [f"front matter: not YAML ({getattr(error, 'problem', error)}); check the indentation"]
    if not isinstance(front, dict):
        return None, ["front matter: is not a list of `key: value` lines; see docs/articles.md"]
    body, problems = _filled(parts.group(2).strip(), words)
    problems = [*_wrong_keys(path.stem, front), *problems]
    if problems:
        return None, problems
    return _article(path.stem, front, body), []


def _wrong_keys(name: str, front: Mapping[str, Any]) -> list[str]:
    problems = [f"{key}: unknown key; {did_you_mean(str(key), KEYS)}" for key in front if key not in KEYS]
    if not _NAME.fullmatch(name):
        problems.append("file name: becomes an address; use lower case letters, digits and hyphens")
    if not isinstance(front.get("title"), str) or not front["title"].strip():
        problems.append("title: is missing; write e.g. title: Reset your VPN password")
    problems += _wrong_list(front, "for", required=True)
    problems += [
        f"for: {topic!r} is not known; {did_you_mean(topic, TOPICS)}"
        for topic in _texts(front, "for")
        if topic not in TOPICS
    ]
    problems += [*_wrong_list(front, "systems"), *_wrong_list(front, "factors")]
    audience = front.get("audience", {})
    if not isinstance(audience, dict) or set(audience) - {"groups"}:
        problems.append("audience: is not known; write e.g. audience: {groups: [Sales]}")
    else:
        problems += [f"audience.{text}" for text in _wrong_list(audience, "groups")]
    if front.get("url") is not None:
        problems += _wrong_address(front["url"])
    return problems


def _wrong_list(front: Mapping[str, Any], key: str, required: bool = False) -> list[str]:
    if key not in front:
        return [f"{key}: is missing; write e.g. {key}: [{PASSWORD}]"] if required else []
    try:
        return [] if setting_values.texts(front[key]) else [f"{key}: is empty; write what it is for, or leave it out"]
    except ValueError as error:
        return [f"{key}: {error}"]


def _wrong_address(url: Any) -> list[str]:
    try:
        setting_values.web_address(str(url))
    except ValueError as error:
        return [f"url: {error}"]
    return []


def _texts(front: Mapping[str, Any], key: str) -> list[str]:
    value = front.get(key)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _filled(body: str, words: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text with the organisation's own words in the place of {…}."""
    unknown = sorted({word for word in _WORD.findall(body) if word not in words})
    problems = [
        f"{{{word}}}: has no value; add it under knowledge.words in the settings ({did_you_mean(word, words)})"
        if words
        else f"{{{word}}}: has no value; add it under knowledge.words in the settings"
        for word in unknown
    ]
    if not body:
        problems.append("text: is missing; write the steps below the second ---")
    return _WORD.sub(lambda found: words.get(found.group(1), found.group(0)), body), problems


def _article(name: str, front: Mapping[str, Any], body: str) -> Article:
    return Article(
        name,
        front["title"].strip(),
        frozenset(front["for"]),
        _folded(_texts(front, "systems")),
        _folded(_texts(front, "factors")),
        _folded(_texts(front.get("audience", {}), "groups")),
        front.get("url"),
        body,
    )
