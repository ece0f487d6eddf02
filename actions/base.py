"""The shape of every action: know the person and the cause from the store, act, report an outcome."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from account_access import conversation, instants, notices, people
from account_access.connectors.registry import System
from account_access.conversation import Inbound
from account_access.notices import Notice
from account_access.people import Person
from account_access.turns import Answered, answered
from actions import runtime
from actions.runtime import Runtime

SIGNED_OUT = "signed_out"


@dataclass
class Turn:
    """One turn as an action sees it. `slots` are facts for responses; they are set and given to every utterance.

    `ranking`: what a typed message may mean, (intent, share of belief from 0 to 1), the likeliest first. `named`: the
    names in the message, (entity, value); they choose what is told, never whose account is touched (law 1).
    `about_one_system`: the answered question, or the notice, is about `system` and no other.
    """

    person: Person
    system: System
    cause: str
    inbound: Inbound | None
    notice: Notice | None
    answered: Answered | None
    intent: str
    outcome: str
    question: str
    domain: Mapping[str, Any]
    dispatcher: CollectingDispatcher
    previous_intent: str
    ranking: Sequence[tuple[str, float]] = ()
    named: Sequence[tuple[str, str]] = ()
    slots: dict[str, str] = field(default_factory=dict)
    about_one_system: bool = False

    def say(self, response: str, **keywords: Any) -> None:
        """Utters a response of the domain with this turn's facts."""
        self.dispatcher.utter_message(response=response, **{**self.slots, **keywords})


class AccountAction(Action, ABC):
    """Base of all actions. Subclasses give a name and `act`, which returns the outcome."""

    def __init__(self) -> None:
        self.runtime: Runtime = runtime.current()

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Mapping[str, Any]) -> list[Any]:
        turn = await self.runtime.in_store(self._turn, dispatcher, tracker, domain)
        if turn is None:
            return [SlotSet("outcome", SIGNED_OUT)]
        outcome = await self.act(turn)
        return [SlotSet("outcome", outcome), *[SlotSet(name, value) for name, value in turn.slots.items()]]

    @abstractmethod
    async def act(self, turn: Turn) -> str:
        """Does the work and returns the outcome that rules and stories read."""

    def _turn(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Mapping[str, Any]) -> Turn | None:
        """The turn, from the store alone; None where nobody is signed in (rasa shell, an invented sender)."""
        message = tracker.latest_message or {}
        intent = (message.get("intent") or {}).get("name") or ""
        with self.runtime.store.reading() as connection:
            person = people.find(connection, tracker.sender_id)
            if person is None:
                return None
            inbound = _inbound(connection, message, person)
            notice = _notice(connection, message, person)
            if inbound is None and notice is None:
                return None
            found = answered(connection, inbound, intent) if inbound else None
        cause = inbound.id if inbound else notice.id
        asked_of = self._system_of(found, notice)
        system = asked_of or self._system_seen(cause) or self.main_system
        return Turn(
            person=person,
            system=system,
            cause=cause,
            inbound=inbound,
            notice=notice,
            answered=found,
            intent=intent,
            outcome=tracker.get_slot("outcome") or "",
            question=tracker.get_slot("question") or "none",
            domain=domain,
            dispatcher=dispatcher,
            previous_intent=_previous_intent(tracker),
            ranking=[(entry["name"], entry["confidence"]) for entry in message.get("intent_ranking") or []],
            named=[(entry["entity"], str(entry["value"])) for entry in message.get("entities") or []],
            slots=self._facts(person, system),
            about_one_system=asked_of is not None,
        )

    def _system_of(self, found: Answered | None, notice: Notice | None) -> System | None:
        """The system that the answer or the notice is about."""
        about = found.about if found else notice.facts if notice else {}
        return self.runtime.systems.get(about.get("system"))

    def _system_seen(self, cause: str) -> System | None:
        """The system that an action of this turn has found to be the one that matters."""
        seen = self.runtime.looks.get(cause)
        return seen[0].system if seen else None

    def _facts(self, person: Person, system: System) -> dict[str, str]:
        facts = {"person_name": person.given_name or person.name or person.login, **facts_of(system)}
        mfa = self.runtime.settings.mfa
        facts["reset_limit"], facts["reset_window_hours"] = str(mfa.max_per_window), f"{mfa.window_hours:g}"
        facts["fresh_hours"], facts["approval_minutes"] = f"{mfa.fresh_hours:g}", f"{mfa.approval_minutes:g}"
        facts["code_minutes"] = f"{mfa.code_minutes:g}"
        facts["unlock_limit"] = str(self.runtime.settings.unlock.max_per_window)
        facts["unlock_window_hours"] = f"{self.runtime.settings.unlock.window_hours:g}"
        return facts

    @property
    def main_system(self) -> System:
        """The organisation's sign-in system: the first of the settings."""
        return next(iter(self.runtime.systems.values()))

    @property
    def now(self) -> datetime:
        return self.runtime.clock.now()

    def spoken(self, turn: Turn, instant: datetime | None) -> str:
        """The instant in the person's zone; where the system does not tell it, now."""
        return instants.spoken(instant or self.now, self.now, turn.person.time_zone, self.runtime.settings.time_zone)


def facts_of(system: System) -> dict[str, str]:
    """What responses say of a system."""
    portal = system.settings.portal_url or system.name
    enrolment = system.settings.enrolment_url or portal
    return {"system_name": system.name, "portal_url": portal, "enrolment_url": enrolment}


def turn_to(turn: Turn, system: System) -> None:
    """Makes the rest of this action, and its responses, speak of this system."""
    turn.system = system
    turn.slots.update(facts_of(system))


def _inbound(connection, message: Mapping[str, Any], person: Person) -> Inbound | None:
    """The stored message behind this turn, if it is this person's."""
    inbound_id = (message.get("metadata") or {}).get("inbound")
    inbound = conversation.find_inbound(connection, inbound_id) if isinstance(inbound_id, str) else None
    return inbound if inbound and inbound.person_id == person.id else None


def _notice(connection, message: Mapping[str, Any], person: Person) -> Notice | None:
    """The notice behind an external event, if it is this person's."""
    for entity in message.get("entities") or []:
        if entity.get("entity") == "notice" and isinstance(entity.get("value"), str):
            notice = notices.find(connection, entity["value"])
            return notice if notice and notice.person_id == person.id else None
    return None


def _previous_intent(tracker: Tracker) -> str:
    """The intent of the message before this one, empty at the beginning."""
    said = [event for event in tracker.events if event.get("event") == "user"]
    if len(said) < 2:
        return ""
    return ((said[-2].get("parse_data") or {}).get("intent") or {}).get("name") or ""
