"""Which open offer a typed message answers: yes, no, a number or a title become that answer's own intent (X2).

Pure, and used on both sides: the last NLU component resolves with it, and the action server resolves again from the
store, so that nothing a tracker carries decides whose offer is answered.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rapidfuzz import fuzz

NONE = "none"
SEVERAL = "several"
# The question which of several is meant; it is about others.
WHICH = "which"
# A typed title may be misspelt by a letter; a shorter word than a title's never passes for it.
TITLE_LIKENESS = 90
# Where an offer has no Cancel, "cancel" means its No, and the other way round; where it has no Yes, "yes" means the one
# answer of these that it has.
ALIKE = {"cancel": ("deny",), "deny": ("cancel",), "affirm": ("recover_access", "view_answer")}
YES_OR_NO = ("affirm", "deny")
NO = ("cancel", "deny")
# Questions that a bare yes or no does not answer, though people write one: it is asked what they mean by it, even where
# nothing else is open.
NOT_YES_OR_NO = ("password_reminder", "password_expired", "contractor", "unlock_several", "mfa_system")
# The intents of answers that are things by their names, and of the one that takes all of them.
CHOOSE_SYSTEM = "choose_system"
THINGS = ("choose_factor", CHOOSE_SYSTEM)
ALL = "choose_all"
# The intent of words that choose: "the second one"; it becomes that of the answer that they choose.
CHOICE = "choose_option"
# Words that mean every one of several, and those that say nothing more beside them, or beside a thing's name.
ALL_WORDS = frozenset(["both", "all", "everything", "every", "each"])
FILLERS = frozenset(
    (
        *("yes", "yeah", "yep", "ok", "okay", "sure", "please", "pls", "plz", "thanks", "thx", "just", "only"),
        *("the", "my", "a", "one", "ones", "of", "them", "these", "those", "account", "accounts", "unlock", "do", "it"),
        *("for", "me", "i", "d", "want", "need", "would", "like", "go", "ahead", "with", "on", "in", "and", "now"),
    )
)
# What a yes consists of beside the thing that it names.
ASSENT = ("yes", "yeah", "yep", "ok", "okay", "sure", "please", "pls", "then", "it", "now", "my")
NUMBER_WORDS = {"one": 1, "first": 1, "two": 2, "second": 2, "three": 3, "third": 3, "four": 4, "fourth": 4}
NUMBER_WORDS |= {"five": 5, "fifth": 5, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5, "last": -1}
# "No" is never short for "number" here: "no, one" and "no. 1" may be refusals, and no act is built on a guess (X12).
_NUMBER = re.compile(
    r"^(?:(?:the|option|number|nr|choice|pick|take)\s+){0,3}#?"
    r"(\d{1,2}|" + "|".join(NUMBER_WORDS) + r")(?:\s+(?:one|option|choice))?(?:\s+please)?$"
)


@dataclass(frozen=True)
class OpenAnswer:
    """One answer; `names` are others that its thing goes by.

    `question` and `subject` are those of another offer where it stands for an answer of that one.
    """

    id: str
    title: str
    intent: str
    question: str | None = None
    subject: str | None = None
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "OpenAnswer":
        """Reads what is kept with an offer or went through a message's metadata."""
        names = tuple(data.get("names") or ())
        return cls(data["id"], data["title"], data["intent"], data.get("question"), data.get("subject"), names)


@dataclass(frozen=True)
class OpenOffer:
    """An offer as far as resolving needs it; `subject` tells which offers are about the same thing."""

    id: str
    question: str
    subject: str
    answers: tuple[OpenAnswer, ...]

    @classmethod
    def from_metadata(cls, data: Mapping[str, Any]) -> "OpenOffer":
        """Reads what `as_metadata` wrote."""
        return cls(data["id"], data["question"], data["subject"], tuple(map(OpenAnswer.of, data["answers"])))

    def as_metadata(self) -> dict[str, Any]:
        """JSON for a message's metadata; no secret, no account identifier."""
        answers = [asdict(answer) for answer in self.answers]
        return {"id": self.id, "question": self.question, "subject": self.subject, "answers": answers}


@dataclass(frozen=True)
class Resolution:
    """The intent to act on, and the question it answers (`none`, `several`, or an offer's)."""

    intent: str
    question: str
    confidence: float
    offer_id: str | None = None
    answer_id: str | None = None


def resolve(
    text: str, intent: str, confidence: float, offers: Sequence[OpenOffer], last_shown: str | None
) -> Resolution:
    """What a typed message answers; `offers` are those it may answer, the last shown last.

    `last_shown`: the id of what was really shown last, which may be over by now and no more among them.
    """
    said = _plain(text)
    position = _position(said)
    if position is not None and not _titled(said, offers):
        return _numbered(position, offers, last_shown)
    if _means_all(said) and (taken := _all(text, offers)):
        return taken
    if perhaps(text, intent, offers):
        return Resolution(_bare(text, intent, offers) or intent, SEVERAL, confidence)
    found = candidates(text, intent, offers)
    if not found:
        return Resolution(intent, NONE, confidence)
    offer, answer = found[-1]
    # Where one offer says No and another Cancel, both are a no.
    meanings = {
        (chosen.subject or candidate.subject, "no" if chosen.intent in NO else chosen.intent)
        for candidate, chosen in found
    }
    # "Forgot Password" means the same wherever it was shown, a yes does not: the person is asked which.
    meant = "affirm" if intent == "affirm" and answer.intent not in NO else answer.intent
    if len(meanings) > 1 and meant in ("affirm", *NO):
        return Resolution(meant, SEVERAL, confidence)
    return Resolution(answer.intent, answer.question or offer.question, confidence, offer.id, answer.id)


def candidates(text: str, intent: str, offers: Sequence[OpenOffer]) -> list[tuple[OpenOffer, OpenAnswer]]:
    """Every answer that the words may mean: those whose title was typed, else those with the message's intent."""
    bare = _bare(text, intent, offers)
    titled = [] if bare else _called(text, intent, offers)
    if titled or intent in (*THINGS, ALL):
        # No classifier chooses what is touched: it takes the thing's name, its number, or words for all (X12).
        return titled
    return [pair for offer in offers for pair in _answers_with(offer, bare or intent)]


def together(text: str, offers: Sequence[OpenOffer]) -> list[tuple[OpenOffer, OpenAnswer]]:
    """The yes of each open question to unlock, where the words mean all of them: "yes, both" (U9).

    None where fewer than two accounts are asked about, "both" would have to mean more than two, or a yes could be meant
    for something else as well (X12).
    """
    found = [pair for offer in offers if (pair := _answer_with(offer, "affirm"))]
    if not _means_all(_plain(text)) or not only_lockouts(offer for offer, _ in found):
        return []
    asked = {offer.subject: (offer, answer) for offer, answer in found}
    return list(asked.values()) if len(asked) == 2 or "both" not in _plain(text).split() else []


def only_lockouts(offers: Iterable[OpenOffer]) -> bool:
    """Whether these questions are whether to unlock, and about the accounts of several systems."""
    subjects = {offer.subject for offer in offers}
    return len(subjects) > 1 and all(subject.startswith("unlock:") for subject in subjects)


def _all(text: str, offers: Sequence[OpenOffer]) -> Resolution | None:
    """All at once: the answer that says so of the question that has one, else the yes to every question to unlock."""
    for offer in reversed(offers):
        answer = next((answer for answer in offer.answers if answer.intent == ALL), None)
        if answer is not None:
            counted = sum(answer.intent in THINGS for answer in offer.answers)
            if counted == 2 or "both" not in _plain(text).split():
                return Resolution(ALL, answer.question or offer.question, 1.0, offer.id, answer.id)
    return Resolution(ALL, SEVERAL, 1.0) if together(text, offers) else None


def _means_all(said: str) -> bool:
    words = set(said.split())
    return bool(words & ALL_WORDS) and words <= ALL_WORDS | FILLERS


def perhaps(text: str, intent: str, offers: Sequence[OpenOffer]) -> list[tuple[OpenOffer, OpenAnswer]]:
    """What a bare yes or no may mean beside the `candidates`: each answer of the question shown last, none surely.

    So it is where that question has neither: people answer what they read last, and a yes to what they read before
    would do what they did not mean (X12). A "which one?" that has it is the last word on it. The same with words that
    choose, which nobody could tell one of its things by.
    """
    bare = _bare(text, intent, offers)
    asked = [offer for offer in offers if offer.question != WHICH]
    if intent == CHOICE and asked and any(answer.intent in THINGS for answer in asked[-1].answers):
        return [] if _called(text, intent, offers) else [(asked[-1], answer) for answer in asked[-1].answers]
    if bare is None or not asked or _answer_with(offers[-1], bare) or _answer_with(asked[-1], bare):
        return []
    earlier = any(_answer_with(offer, bare) for offer in asked)
    if not earlier and asked[-1].question not in NOT_YES_OR_NO:
        return []
    return [(asked[-1], answer) for answer in asked[-1].answers]


def _bare(text: str, intent: str, offers: Sequence[OpenOffer]) -> str | None:
    """`affirm` or `deny` where the message says that and no more.

    "Yes" is the title of one answer and an answer to every question; "Open a ticket" names its own.
    """
    titled = _called(text, intent, offers)
    if not titled:
        return intent if intent in YES_OR_NO else None
    bare = [answer.intent for _, answer in titled if answer.intent in YES_OR_NO and " " not in _plain(answer.title)]
    return bare[-1] if bare else None


def _called(text: str, intent: str, offers: Sequence[OpenOffer]) -> list[tuple[OpenOffer, OpenAnswer]]:
    said = _plain(text)
    return _titled(said, offers) or _named(said, offers) or (_yes_to(said, offers) if intent == "affirm" else [])


def _yes_to(said: str, offers: Sequence[OpenOffer]) -> list[tuple[OpenOffer, OpenAnswer]]:
    """The entry of the question shown last that a yes names by how its title begins: "yes, unlock" of Unlock Account.

    Not where that question has a yes itself; an entry leads to a question, so nothing is done by this (X12).
    """
    words = [word for word in said.split() if word not in ASSENT]
    if not words or not offers or _answer_with(offers[-1], "affirm"):
        return []
    entries = [answer for answer in offers[-1].answers if answer.intent not in (*THINGS, ALL)]
    return [(offers[-1], answer) for answer in entries if _plain(answer.title).split()[: len(words)] == words]


def _titled(said: str, offers: Sequence[OpenOffer]) -> list[tuple[OpenOffer, OpenAnswer]]:
    return [(offer, answer) for offer in offers for answer in offer.answers if _is_title(said, answer.title)]


def _named(said: str, offers: Sequence[OpenOffer]) -> list[tuple[OpenOffer, OpenAnswer]]:
    """The one answer with these words in its title, where answers are things: "pixel 8" of "Okta Verify (Pixel 8)".

    Only there: "reset MFA" is part of "Yes, reset MFA", and is no yes (X12). "Just the store one" is "store".
    """
    things = [(offer, answer) for offer in offers for answer in offer.answers if answer.intent in THINGS]
    word = _word(said)
    if len(word) < 3:
        return []
    called = [pair for pair in things if word in [_word(_plain(n)) for n in (pair[1].title, *pair[1].names)]]
    found = called or [pair for pair in things if f" {word} " in f" {_plain(pair[1].title)} "]
    return found if len(found) == 1 else []


def _word(said: str) -> str:
    """What is left without words that say nothing more: "store" of "just the store one please"."""
    return " ".join(word for word in said.split() if word not in FILLERS)


def _numbered(position: int, offers: Sequence[OpenOffer], last_shown: str | None) -> Resolution:
    """A number answers what was shown last and nothing else: where that is over, the number is of no other list."""
    if offers and offers[-1].id == last_shown:
        answers = offers[-1].answers
        index = len(answers) - 1 if position == -1 else position - 1
        if 0 <= index < len(answers):
            chosen = answers[index]
            return Resolution(chosen.intent, chosen.question or offers[-1].question, 1.0, offers[-1].id, chosen.id)
    return Resolution(CHOICE, NONE, 1.0)


def _answer_with(offer: OpenOffer, intent: str) -> tuple[OpenOffer, OpenAnswer] | None:
    return next(iter(_answers_with(offer, intent)), None)


def _answers_with(offer: OpenOffer, intent: str) -> list[tuple[OpenOffer, OpenAnswer]]:
    """The offer's answer with that intent; of a "which one?" each, for they stand for answers of several questions."""
    for wanted in (intent, *ALIKE.get(intent, ())):
        found = [(offer, answer) for answer in offer.answers if answer.intent == wanted]
        if found:
            return found if offer.question == WHICH else found[:1]
    return []


def _plain(text: str) -> str:
    return re.sub(r"[^\w#]+", " ", text.casefold()).strip()


def _is_title(said: str, title: str) -> bool:
    plain = _plain(title)
    if said == plain:
        return True
    return len(plain) >= 6 and abs(len(said) - len(plain)) <= 2 and fuzz.ratio(said, plain) >= TITLE_LIKENESS


def _position(said: str) -> int | None:
    match = _NUMBER.match(said)
    if not match:
        return None
    word = match.group(1)
    return int(word) if word.isdigit() else NUMBER_WORDS[word]
