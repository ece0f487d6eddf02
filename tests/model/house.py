"""The assistant in one process, to be put back to an earlier state: real store, actions, channel and resolver.

The store is SQLite in memory, the identity system a fake, and threads are left out: everything happens in its order.
What the channel, the dialogue policies and Rasa do with one message is done here one after the other.
"""

import asyncio
import pickle
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rasa.shared.nlu.constants import INTENT, METADATA, TEXT
from rasa.shared.nlu.training_data.message import Message as Understood
from rasa_sdk import Tracker
from rasa_sdk.executor import ActionExecutor, CollectingDispatcher
from sqlalchemy.engine import Connection

from account_access import breaker, conversation, freezes, notices, people, requests
from account_access.clock import ManualClock
from account_access.connectors.base import FactorKind
from account_access.connectors.registry import System
from account_access.settings import Settings
from account_access.store import Store, migrate, tables
from account_access.store import engine as engines
from actions import runtime
from actions.runtime import Runtime
from channels.inbox import InboxInput, InboxOutput
from nlu.answers import AnswerResolver
from tests.account_access.world import START, World, directory_person
from tests.actions.stage import domain
from tests.model.laws import Laws, Speech, WatchedSystem, instant, offers_in
from tests.model.states import REMEMBERED, Looks, Snapshot, Spoken, looks_of
from tests.model.talk import LISTEN, Rules, Said, Slot, Talk, new_session, slots_of

OWNER = "dana"
OTHER = "eli"
EVERYBODY = (OWNER, OTHER, "mona")
# A second system, in which the owner alone may have an account.
SECOND, SECOND_ACCOUNT = "store", "00s-dana"
# The owner is the other's manager, whose word on a reset of the other's MFA is wanted (M9).
MANAGED = "Managed"
SESSION = timedelta(minutes=60)
ACTIONS_AT_MOST = 10
ACTS = ("unlock", "reset_mfa")
TABLES = tuple(tables.metadata.sorted_tables)


class TurnFailed(Exception):
    """An action raised something."""


class InOrder(Runtime):
    """Without threads: what is asked for is done before anything else goes on."""

    async def in_store(self, function: Callable, *arguments: Any) -> Any:
        return function(*arguments)

    async def on_system(self, system: System, function: Callable, *arguments: Any) -> Any:
        return function(*arguments)

    async def written(self, function: Callable[[Connection], Any]) -> Any:
        with self.store.repeatable() as connection:
            return function(connection)


def empty_store(folder: Path) -> Path:
    """A store that knows the people and nothing else, in small pages, which is quick to copy."""
    path, address = folder / "model.db", f"sqlite:///{folder / 'model.db'}"
    migrate(address)
    store = Store.open(address)
    people.merge(store, ManualClock(START), "okta", [directory_person(name) for name in EVERYBODY])
    store.close()
    with sqlite3.connect(path, isolation_level=None) as raw:
        raw.execute("PRAGMA journal_mode=DELETE")
        raw.execute("PRAGMA page_size=512")
        raw.execute("VACUUM")
    raw.close()
    return path


@dataclass
class House:
    """The organisation, its assistant, and the owner who talks to it. Other people only have accounts and questions."""

    rules: Rules
    empty: Path

    def __post_init__(self) -> None:
        self.settings = _settings()
        address = "file:model?mode=memory&cache=shared"
        self.raw = sqlite3.connect(address, uri=True, isolation_level=None)
        self.pristine = sqlite3.connect(self.empty)
        self.pristine.backup(self.raw)
        self.store = Store(engines._engine(f"sqlite:///{address}&uri=true"))
        self.clock = ManualClock(START)
        self.system, self.second = WatchedSystem(self.clock), WatchedSystem(self.clock, SECOND)
        for name in EVERYBODY:
            self.system.add(f"00u-{name}", f"{name}@acme.example")
            self.system.enrol(f"00u-{name}", FactorKind.SMS)
        self.second.add(SECOND_ACCOUNT, OWNER)
        self.fakes = {"okta": self.system, SECOND: self.second}
        self.laws = Laws(self.raw, self.fakes, self.settings)
        self.system.watch = self.second.watch = self.laws.called
        pool = ThreadPoolExecutor(1)
        self.systems = {key: System(key, self.settings.systems[key], fake, pool) for key, fake in self.fakes.items()}
        okta = self.systems["okta"]
        self.world = World(self.store, self.clock, self.settings, self.system, okta)
        self.people = {name: self.world.person(name).id for name in EVERYBODY}
        self.channel = InboxInput(self.store, self.clock, "", "")
        self.resolver = AnswerResolver(AnswerResolver.get_default_config())
        acts = (self.world.unlocks, self.world.resets, self.world.approvals)
        runtime.install(InOrder(self.settings, self.store, self.clock, self.systems, *acts))
        # A fake shows what it did at once.
        requests.READ_BACK_PAUSES = (0.0,)
        executor = ActionExecutor()
        executor.register_package("actions")
        self.actions = executor.actions
        self.loop = asyncio.new_event_loop()
        self.talk: Talk = ()
        self.talk_before: Talk = ()
        self.said_last: Talk = ()
        self.spoken_at = START
        self.last: Spoken | None = None

    def close(self) -> None:
        """Forgets everything."""
        self.store.close()
        self.raw.close()
        self.pristine.close()
        self.loop.close()

    # States.

    def save(self) -> Snapshot:
        rows = {table.name: self.raw.execute(f"SELECT * FROM {table.name}").fetchall() for table in TABLES}
        system = {key: {name: getattr(fake, name) for name in REMEMBERED} for key, fake in self.fakes.items()}
        return Snapshot(
            {name: found for name, found in rows.items() if found},
            pickle.dumps(system),
            self.clock.now(),
            self.talk,
            self.talk_before,
            self.spoken_at,
            self.last,
            self.laws.lawful,
        )

    def load(self, snapshot: Snapshot) -> None:
        self.pristine.backup(self.raw)
        self.raw.execute("PRAGMA foreign_keys=OFF")
        self.raw.execute("BEGIN")
        for name, rows in snapshot.rows.items():
            marks = ",".join("?" * len(rows[0]))
            self.raw.executemany(f"INSERT OR REPLACE INTO {name} VALUES ({marks})", rows)
        self.raw.execute("COMMIT")
        for key, kept in pickle.loads(snapshot.system).items():
            for name, value in kept.items():
                setattr(self.fakes[key], name, value)
            self.fakes[key].calls.clear()
        self.clock.instant = snapshot.now
        self.talk, self.talk_before = snapshot.talk, snapshot.talk_before
        self.spoken_at, self.last = snapshot.spoken_at, snapshot.last
        self.laws.lawful, self.laws.broken = snapshot.lawful, []
        self.said_last = ()
        runtime.current().looks.clear()

    def key(self) -> tuple:
        """What tells one state from another: two with the same key are taken for one.

        The account and its system, the open questions in their order and how old they are, what is under way, what the
        limits have counted, and what holds self-service back. A question that leads to no act and has no yes counts for
        nothing, and neither does the last outcome: both decide what is said, and what is said leads to no act.
        """
        account, now = self.system.accounts[self.world.account(OWNER)], self.clock.now()
        breaker_rows = self._rows("SELECT loud_at FROM breakers WHERE tripped_at IS NOT NULL")
        quiet, window = (
            timedelta(minutes=getattr(self.settings.breaker, n)) for n in ("quiet_minutes", "window_minutes")
        )
        day, moment = timedelta(hours=self.settings.unlock.window_hours), now + timedelta(microseconds=1)
        requested = self._rows(
            "SELECT act, called, due_at FROM requests WHERE state IN ('awaiting', 'confirmed', 'executing')"
        )
        return (
            (account.locked, bool(self.system.memberships[account.external_id]), self.system.down, self.system.lying),
            self.owned(SECOND) and self._second_key(day, moment),
            tuple(looks for offer, looks in self.offers() if self._mine(offer) and looks.matters),
            frozenset((act, called, instant(due_at) <= now) for act, called, due_at in requested),
            tuple(len(self.system.acts_on(account.external_id, act, now - day, moment)) for act in ACTS),
            min(len(self.system.acts_on(None, None, now - window, moment)), self.settings.breaker.max_acts),
            tuple(len(self.system.enrolled.get(self.world.account(name), ())) for name in (OWNER, OTHER)),
            self.system.managers.get(self.world.account(OTHER)) == account.external_id,
            bool(self._rows("SELECT 1 FROM freezes WHERE lifted_at IS NULL")),
            any(now < instant(loud_at) + quiet for (loud_at,) in breaker_rows),
        )

    def _second_key(self, day: datetime, moment: datetime) -> tuple:
        """What tells states apart in the owner's second system."""
        acts = tuple(len(self.second.acts_on(SECOND_ACCOUNT, act, moment - day, moment)) for act in ACTS)
        return self.second.accounts[SECOND_ACCOUNT].locked, acts, len(self.second.enrolled.get(SECOND_ACCOUNT, ()))

    def act_is_near(self) -> bool:
        """Whether a question that leads to an act is open, or a request under way."""
        acts = [offer for offer, looks in self.offers() if (looks.act or _approves(offer)) and looks.state == "open"]
        asked = any(self._mine(offer) for offer in acts)
        return asked or bool(self._rows("SELECT 1 FROM requests WHERE state IN ('confirmed', 'executing')"))

    def offers(self) -> list[tuple[dict, Looks]]:
        """Every offer, the last shown last, with how it looks now."""
        now = self.clock.now()
        since, enrolled = {}, set()
        for key, account in self.accounts().items():
            locked_at = self.fakes[key].accounts[account].locked_at
            since[key] = locked_at.isoformat() if locked_at else None
            enrolled |= {factor.id for factor in self.fakes[key].enrolled.get(account, ())}
        return [(offer, looks_of(offer, now, since, enrolled)) for offer in offers_in(self.raw)]

    def _mine(self, offer: dict) -> bool:
        return offer["person_id"] == self.people[OWNER]

    def _rows(self, query: str, *values: object) -> list[tuple]:
        return self.raw.execute(query, values).fetchall()

    def accounts(self) -> dict[str, str]:
        """Where the owner can have an account: external id by system."""
        return {"okta": self.world.account(OWNER), SECOND: SECOND_ACCOUNT}

    def changes(self) -> int:
        """How often an account was really changed."""
        return sum(len(fake.changed) for fake in self.fakes.values())

    def owned(self, system: str) -> bool:
        """Whether the owner has an account there."""
        return bool(self._rows("SELECT 1 FROM accounts WHERE system = ?", system))

    # The world beside the conversation.

    def join_second(self) -> None:
        """The owner has an account in the second system as well (U9)."""
        with self.store.begin() as connection:
            account = dict(system=SECOND, external_id=SECOND_ACCOUNT, person_id=self.people[OWNER], login=OWNER)
            connection.execute(tables.accounts.insert().values(**account))

    def trouble(self, down: bool = False, lying: bool = False, protected: bool = False) -> None:
        """What is wrong with the system and the owner's account from now on: nothing, if nothing is named."""
        self.system.down, self.system.lying = down, lying
        groups = self.settings.systems["okta"].protected_groups if protected else frozenset()
        self.system.memberships[self.world.account(OWNER)] = frozenset(groups)

    def observe_lockouts(self) -> None:
        """The schedulers look at who is locked out (X11)."""
        locked = [account for account in self.system.accounts.values() if account.locked]
        with self.store.begin() as connection:
            breaker.observe(connection, self.clock.now(), "okta", locked, self.settings.breaker)

    def freeze(self) -> None:
        """The owner has said that it was not them, and security has not answered yet (X10)."""
        with self.store.begin() as connection:
            freezes.report(connection, self.clock.now(), self.world.person(OWNER), "earlier", "Told by telephone.")

    # Turns.

    def types(self, typed) -> None:
        """The owner types something."""
        self._idle()
        person_id = self.people[OWNER]
        inbound = conversation.accept_text(
            self.store, self.clock, person_id, self._client_key(), typed.text, auth_time=START
        ).id
        says = dict(yes=typed.yes, number=typed.number, title=typed.title, every=typed.every)
        self._answer(Spoken(inbound, {"name": typed.intent, "confidence": typed.confidence}, says))

    def clicks(self, offer_id: str, answer_id: str, name: str = OWNER) -> None:
        """Somebody presses a button, perhaps one that is not theirs."""
        self._idle()
        try:
            inbound = conversation.accept_click(
                self.store, self.clock, self.people[name], self._client_key(), offer_id, answer_id, auth_time=START
            ).id
        except conversation.ForeignOffer:
            return
        self._answer(Spoken(inbound, None, dict(click=(offer_id, answer_id))))

    def repeats(self) -> None:
        """The last message is taken to Rasa again, which knows nothing of the first time."""
        if self.last is None:
            return
        self.clock.move(seconds=1)
        self.raw.execute("UPDATE inbound SET state = 'accepted' WHERE id = ?", (self.last.inbound_id,))
        self.talk = self.talk_before
        self._answer(self.last)

    def schedulers(self) -> None:
        """Stuck requests are run, and what is waiting is told."""
        self._idle()
        self.clock.move(seconds=requests.GRACE_SECONDS)
        self.laws.begin(None)
        self.world.resets.expire_waiting()
        for acts in (self.world.unlocks, self.world.resets):
            for request in acts.due():
                acts.execute(self.systems[request.system], request.id)
        for system, external_id in self.accounts().items():
            account = self.fakes[system].accounts[external_id]
            if account.locked and self.owned(system):
                facts = {"system": system, "external_id": external_id, "locked_at": account.locked_at.isoformat()}
                key = notices.lockout_key(self.people[OWNER], system, account.locked_at)
                with self.store.begin() as connection:
                    notices.create(connection, self.clock.now(), key, notices.LOCKOUT, self.people[OWNER], facts)
        self.last = None
        for notice in notices.due(self.store, self.clock):
            message = {"intent": {"name": notice.intent, "confidence": 1.0}}
            message["entities"] = [{"entity": "notice", "value": notice.id}]
            output = InboxOutput(self.store, self.clock, notice.person_id, notice.id, notice.id)
            talk = self.talk
            self._talk_on(Said(notice.intent, "none", ""), message, output)
            if notice.person_id != self.people[OWNER]:
                self.talk = talk
        self.laws.end()

    def _client_key(self) -> str:
        return f"key-{self.raw.execute('SELECT count(*) FROM inbound').fetchone()[0]}"

    def _idle(self) -> None:
        self.clock.move(seconds=1)
        if self.clock.now() - self.spoken_at >= SESSION:
            self.talk = new_session(self.talk)

    def _answer(self, spoken: Spoken) -> None:
        """One message through the channel, the resolver and the policies, to its end."""
        self.laws.begin(self._speech(spoken))
        message = self.channel._user_message(spoken.inbound_id, lambda: None)
        parsed = message.parse_data
        if parsed is None:
            understood = Understood({TEXT: message.text, INTENT: spoken.intent, METADATA: message.metadata})
            self.resolver.process([understood])
            parsed = {"intent": understood.get(INTENT), "entities": understood.get("entities")}
        question = next(e["value"] for e in parsed["entities"] if e["entity"] == "question")
        self.talk_before, self.last = self.talk, spoken
        latest = {**parsed, "metadata": message.metadata}
        self._talk_on(Said(parsed["intent"]["name"], question, message.text), latest, message.output_channel)
        conversation.mark_answered(self.store, self.clock, spoken.inbound_id)
        self.laws.end()

    def _speech(self, spoken: Spoken) -> Speech:
        query = "SELECT person_id, received_at, seq FROM inbound WHERE id = ?"
        ((person_id, received_at, seq),) = self._rows(query, spoken.inbound_id)
        return Speech(person_id, spoken.inbound_id, instant(received_at), seq, **spoken.says)

    def _talk_on(self, said: Said, message: dict, output: InboxOutput) -> None:
        """Action after action, as the policies say, until they wait for the person."""
        self.spoken_at, begun = self.clock.now(), len(self.talk)
        self.talk = (*self.talk, said)
        for _ in range(ACTIONS_AT_MOST):
            did = self.rules.next(self.talk)
            if did.action == LISTEN:
                break
            try:
                set_slots, spoken = self._act(did.action, message, output.person_id)
            except TurnFailed as error:
                # In the installation the message is tried again, and fails again.
                self.laws.broken.append(f"the turn never ends well: {error}")
                break
            for part in spoken:
                with self.store.begin() as connection:
                    output.write(connection, output.parts, part["utter_action"], part)
                output.parts += 1
            self.talk = (*self.talk, did, *set_slots)
        else:
            raise RuntimeError(f"no end to what follows {said}: {self.talk}")
        self.talk = (*self.talk, self.rules.next(self.talk))
        self.said_last += self.talk[begun:]

    def _act(self, action: str, message: dict, person_id: str) -> tuple[list[Slot], list[dict]]:
        if action.startswith("utter_"):
            return [], [{"utter_action": action}]
        slots = slots_of(self.talk)
        before = [
            {"event": "user", "parse_data": {"intent": {"name": i.intent}}} for i in self.talk if isinstance(i, Said)
        ]
        tracker = Tracker(person_id, slots, message, before, False, None, {}, None)
        dispatcher = CollectingDispatcher()
        try:
            happened = self.loop.run_until_complete(self.actions[action](dispatcher, tracker, domain()))
        except Exception as error:
            raise TurnFailed(f"{action} fails with {type(error).__name__}: {error}") from error
        known = self.rules.featurized
        set_slots = [Slot(e["name"], e["value"]) for e in happened if e["event"] == "slot" and e["name"] in known]
        said = [{**m, "utter_action": m["response"]} for m in dispatcher.messages]
        return set_slots, said


def _approves(offer: dict) -> bool:
    return offer["question"] == "approve"


def _settings() -> Settings:
    okta = {"name": "Okta", "url": "http://127.0.0.1:1", "token": "a-token", "portal_url": "https://acme.example"}
    schedulers = {"rasa_url": "http://127.0.0.1:1", "secret": "the-secret-of-the-schedulers"}
    second = {**okta, "name": "Store Okta", "aliases": ["store"]}
    # Limits small enough to be met within a few turns by three people.
    return Settings(
        systems={"okta": okta, SECOND: second},
        schedulers=schedulers,
        unlock={"max_per_window": 1},
        mfa={"max_per_window": 1, "verification_by_group": {MANAGED: "manager_approval"}},
        breaker={"max_lockouts": 1, "max_acts": 2},
    )
