"""Contractor notices: whose contracts end, how to extend or end them, more of them (C4-C10)."""

from datetime import date, timedelta
from typing import Any

from account_access import directory_facts, instants, reminders
from account_access.articles import END_CONTRACT, EXTEND_CONTRACT
from account_access.cadence import contractors
from account_access.cadence.audience import no_worker
from account_access.cadence.contractors import ContractorPlanner
from account_access.cadence.directory import folded
from account_access.directory_facts import Known
from account_access.words import fill
from actions.asking import AskAction
from actions.base import Turn
from actions.notices import Announcement
from actions.reminders import STALE, calendar_of
from actions.support import StoreAction

SHOW_MORE = "show_more"
ANSWERS = {
    "ask_how_to_extend": contractors.HOW_TO_EXTEND,
    "ask_how_to_terminate": contractors.HOW_TO_TERMINATE,
    "acknowledge": contractors.UNDERSTOOD,
    SHOW_MORE: contractors.SHOW_MORE,
}


class AskContractor(AskAction, Announcement):
    """These contracts end: one message with all of them, so many shown at a time (C4, C9)."""

    question = "contractor"

    async def act(self, turn: Turn) -> str:
        if turn.notice is None or turn.notice.kind != reminders.CONTRACTOR_EXPIRY:
            return "notice_dropped"
        facts = turn.notice.facts
        workers = await self.runtime.in_store(self.standing, turn, facts)
        if not workers:
            await self.runtime.in_store(self.drop, turn, "none of these contracts is still this person's to hear of")
            return "notice_dropped"
        about = {**facts, "notice": turn.notice.id, "shown": 0}
        return await self.show_page(turn, "utter_ask_contractor", about, workers)

    async def show_page(self, turn: Turn, response: str, about: dict[str, Any], workers: list[Known]) -> str:
        """Shows the next of these workers, and offers more if there are any."""
        begin = about["shown"]
        page = workers[begin : begin + self.planner.pages(len(workers) - begin)[0]]
        turn.slots["workers_listed"] = "\n".join(self._line(turn, known) for known in page)
        turn.slots["workers_total"] = str(len(workers))
        turn.slots["workers_shown"] = str(begin + len(page))
        return await self.ask(turn, response, {**about, "shown": begin + len(page)})

    def lasts(self, turn: Turn, subject: dict[str, Any]) -> timedelta:
        """Until midnight of the day in the organisation's zone (C8, X12)."""
        calendar = calendar_of(self.runtime)
        return calendar.begin(calendar.date(self.now) + timedelta(days=1)) - self.now

    def choice(self, turn: Turn, response: str) -> list[tuple[str, str]]:
        every = super().choice(turn, response)
        if turn.slots["workers_shown"] == turn.slots["workers_total"]:
            return [(title, intent) for title, intent in every if intent != SHOW_MORE]
        return every

    @property
    def planner(self) -> ContractorPlanner:
        return ContractorPlanner(self.runtime.settings.contractor, calendar_of(self.runtime))

    def standing(self, turn: Turn, facts: dict[str, Any]) -> list[Known]:
        """The notice's workers of whom this person is still to hear: soonest end first, then by login."""
        ends_on = {worker["external_id"]: worker["ends_on"] for worker in facts["workers"]}
        planner, today = self.planner, calendar_of(self.runtime).date(self.now)
        found = []
        with self.runtime.store.reading() as connection:
            for one in directory_facts.by_ids(connection, facts["system"], ends_on).values():
                entry = one.entry
                if no_worker(entry, planner.audience) or entry.contract_ends_on < today:
                    continue
                if entry.contract_ends_on.isoformat() == ends_on[one.external_id]:
                    found.append(one)
            theirs = self._theirs(connection, turn, facts, found)
        return sorted(theirs, key=lambda one: (one.entry.contract_ends_on, one.entry.key))

    def _theirs(self, connection, turn: Turn, facts: dict[str, Any], workers: list[Known]) -> list[Known]:
        """Those of these workers who report to this person, or, for an admin, to nobody (C13)."""
        if facts["unmanaged"]:
            if not self._is_admin(turn):
                return []
            managers = directory_facts.managers_of(connection, facts["system"], workers)
            entries = {name: known.entry for name, known in managers.items()}
            return [one for one in workers if contractors.recipient(one.entry, entries) is None]
        me = directory_facts.of_person(connection, facts["system"], turn.person.id)
        if me is None or not me.entry.reachable:
            return []
        return [
            one
            for one in workers
            if one.external_id != me.external_id and me.is_called(one.entry.manager_login) is not None
        ]

    def _is_admin(self, turn: Turn) -> bool:
        return folded(turn.person.login) in {folded(login) for login in self.runtime.settings.contractor.admins}

    def _line(self, turn: Turn, known: Known) -> str:
        entry = known.entry
        return line(turn, known, entry.contract_ends_on, calendar_of(self.runtime).date(self.now))


def line(turn: Turn, known: Known, ends_on: date, today: date) -> str:
    """One worker in a designer's words (C10)."""
    entry = known.entry
    facts = {
        "worker_name": entry.name or entry.login,
        "worker_login": entry.login,
        "worker_title": entry.title or "",
        "worker_department": entry.department or "",
        "worker_type": entry.worker_type,
        "ends_on": instants.day(ends_on),
        "days_left": str((ends_on - today).days),
    }
    return fill(turn.domain["responses"], "utter_contractor_line", facts)


class ShowMoreContractors(AskContractor):
    """The next of them (C9); showing more resolves nothing."""

    def name(self) -> str:
        return "action_show_more_contractors"

    async def act(self, turn: Turn) -> str:
        if turn.answered is None or turn.answered.offer.question != self.question:
            return STALE
        about = turn.answered.offer.subject
        workers = await self.runtime.in_store(self.standing, turn, about)
        if about["shown"] >= len(workers):
            return STALE
        await self.runtime.in_store(self._record, turn)
        return await self.show_page(turn, "utter_ask_contractor_more", about, workers)

    def _record(self, turn: Turn) -> None:
        with self.runtime.store.begin() as connection:
            record(connection, self, turn)


class RecordContractorAnswer(StoreAction):
    """How to Extend, How to Terminate, Understood: resolved for the day (C5-C8), and the article sent if there is one.

    The buttons stay until midnight: who extends one contract may have to end another.
    """

    TOPICS = {"ask_how_to_extend": EXTEND_CONTRACT, "ask_how_to_terminate": END_CONTRACT}

    def name(self) -> str:
        return "action_record_contractor_answer"

    def in_store(self, turn: Turn) -> str:
        if turn.answered is None or turn.answered.offer.question != AskContractor.question:
            return STALE
        with self.runtime.store.begin() as connection:
            record(connection, self, turn)
        topic = self.TOPICS.get(turn.answered.answer.intent)
        article = self.runtime.articles.find(topic, [turn.system.name]) if topic else None
        if article is None:
            return "recorded"
        for text in article.messages():
            turn.say("utter_article", article_text=text)
        return "article_sent"


def record(connection, action, turn: Turn) -> None:
    """Writes the answer of this turn down; the first that resolves counts, whatever comes after it."""
    subject = turn.answered.offer.subject
    answer = ANSWERS[turn.answered.answer.intent]
    reminders.record(connection, action.now, turn.person.id, subject["system"], answer, turn.cause, subject["notice"])
