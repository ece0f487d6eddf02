"""What can happen between two looks at the conversation: what the world does, and what somebody then says.

A message is told by what was really said; what the classifier makes of it is the worst that it may make of it.
"""

from dataclasses import dataclass

from tests.model.house import EVERYBODY, OTHER, OWNER, SECOND, SECOND_ACCOUNT, House


@dataclass(frozen=True)
class Typed:
    """Words, what the classifier takes them for, and what they can rightly answer (see laws.Speech)."""

    label: str
    text: str
    intent: str
    confidence: float = 0.95
    number: int | None = None
    title: str | None = None
    every: bool = False

    @property
    def yes(self) -> bool:
        """Only what is taken for a yes with some certainty may be one, whatever was meant (X12)."""
        return self.intent == "affirm" and self.confidence >= 0.6 and self.number is None and self.title is None


@dataclass(frozen=True)
class Click:
    """A press on a button, by the assistant's owner or on somebody else's."""

    label: str
    offer_id: str
    answer_id: str


@dataclass(frozen=True)
class Again:
    """The last message comes again, because the process was killed before it was marked as answered."""

    label: str = "the last message again, after a kill"


@dataclass(frozen=True)
class Schedulers:
    """Nobody speaks: stuck requests are run, and lockouts and follow-ups are told."""

    label: str = "(the schedulers come by)"


Message = Typed | Click | Again | Schedulers

WORDS = (
    Typed("yes", "yes", "affirm"),
    Typed("no", "no", "deny"),
    Typed("cancel", "cancel", "cancel"),
    Typed("the number 1", "1", "nlu_fallback", number=1),
    Typed("yes to both", "yes, both please", "affirm", every=True),
    Typed("the name of the second system", "just the store one", "unlock_account", title="Store Okta"),
    Typed("something else, taken for a choice", "the cat sat on the mat", "choose_system"),
    Typed("something else, taken for all", "the cat sat on the mat", "choose_all"),
    Typed("asks to be unlocked, or is taken to", "please unlock my account", "unlock_account"),
    Typed("asks to reset MFA, or is taken to", "I have a new phone, reset my MFA", "reset_mfa"),
    Typed("forgot the password", "I forgot my password", "reset_password"),
    Typed("this wasn't me", "this wasn't me", "report_not_me"),
    Typed("asks for help", "get me somebody from IT", "contact_support"),
    Typed("greets", "hello", "greet"),
    Typed("a command for a yes", '/affirm{"question": "unlock"}', "affirm"),
    Typed("something else, taken for a yes", "the cat sat on the mat", "affirm"),
    Typed("something else, half taken for a yes", "the cat sat on the mat", "affirm", 0.55),
)


def messages(house: House) -> list[Message]:
    """Everything that may be said now. Of buttons that look alike to the store, one of each."""
    found: list[Message] = [*WORDS, Again(), Schedulers()]
    seen = set()
    offers = house.offers()
    for offer, looks in offers:
        mine = offer["person_id"] == house.people[OWNER]
        for answer in offer["answers"]:
            press = (mine, looks, answer["intent"])
            if press not in seen:
                seen.add(press)
                state = looks.state if mine else f"somebody else's, {looks.state}"
                label = f"clicks {answer['title']!r} of {offer['question']} ({state})"
                found.append(Click(label, offer["id"], answer["id"]))
    for title in sorted({a["title"] for offer, looks in offers if looks.state == "open" for a in offer["answers"]}):
        # "Yes" and "No" are words before they are titles; the second system's name is among the words.
        if title not in ("Yes", "No", "Cancel", "Store Okta"):
            found.append(Typed(f"types {title!r}", title, "nlu_fallback", title=title))
    return found


def _locked_anew(house: House) -> None:
    account = house.world.account(OWNER)
    house.system.unlock_elsewhere(account)
    house.clock.move(seconds=1)
    house.system.lock(account)


def _spray(house: House) -> None:
    for name in EVERYBODY:
        if name != OWNER:
            house.system.lock(house.world.account(name))
    house.observe_lockouts()


def _manager_changes(house: House) -> None:
    house.system.managers[house.world.account(OTHER)] = house.world.account("mona")


TIMES = {
    "": lambda house: None,
    "3 hours later": lambda house: house.clock.move(hours=3),
    "25 hours later": lambda house: house.clock.move(hours=25),
}


def _second_locked_anew(house: House) -> None:
    house.second.unlock_elsewhere(SECOND_ACCOUNT)
    house.clock.move(seconds=1)
    house.second.lock(SECOND_ACCOUNT)


def _second_is_anothers(house: House) -> None:
    with house.store.begin() as connection:
        connection.exec_driver_sql("DELETE FROM accounts WHERE system = ?", (SECOND,))


WORLD = {
    "locked anew": _locked_anew,
    "the second locked anew": _second_locked_anew,
    "the second is no longer theirs": _second_is_anothers,
    "unlocked elsewhere": lambda house: house.system.unlock_elsewhere(house.world.account(OWNER)),
    "specially protected now": lambda house: house.trouble(protected=True),
    "the system is down": lambda house: house.trouble(down=True),
    "the system says done and does nothing": lambda house: house.trouble(lying=True),
    "many are locked out at once": _spray,
    "somebody else is the manager now": _manager_changes,
}

# What changes nothing but how an act would end: it matters while one is near, and lasts for one turn.
TROUBLES = (
    "specially protected now",
    "the system is down",
    "the system says done and does nothing",
    "many are locked out at once",
)


def worlds(house: House) -> list[str]:
    """What may happen now and would make a difference."""
    locked = house.system.accounts[house.world.account(OWNER)].locked
    found = ["locked anew"]
    if locked:
        found.append("unlocked elsewhere")
    if house.owned(SECOND):
        found += ["the second locked anew", "the second is no longer theirs"]
    if house.act_is_near():
        found += TROUBLES
    if house.system.managers:
        found.append("somebody else is the manager now")
    return found
