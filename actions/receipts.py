"""What was done, and why the assistant wrote: answered from the rows, in a designer's words (X14)."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from account_access import directory_facts, notices, people, preferences, receipts, reminders, words
from account_access.cadence import contractors
from account_access.cadence.passwords import PasswordPlanner
from account_access.receipts import Receipt
from account_access.store import tables
from actions.asking import AskAction
from actions.base import Turn
from actions.contractors import line
from actions.reminders import calendar_of, whole
from actions.support import StoreAction
from actions.unlock import close_answered

# So many lines fit into one message.
PAGE = 5


class AskHistory(AskAction):
    """What have you done to my account? The latest first, more on demand."""

    question = "history"

    async def act(self, turn: Turn) -> str:
        lines, subject = await self.runtime.in_store(self._page, turn)
        turn.slots["receipts"] = "\n".join(lines)
        if subject is not None:
            return await self.ask(turn, self.response(turn), subject)
        turn.say("utter_tell_history" if lines else "utter_tell_history_none")
        return "told"

    def _page(self, turn: Turn) -> tuple[list[str], dict[str, Any] | None]:
        """The lines of this page, and what the question for more is about, if there is more."""
        about = turn.answered.offer.subject if self._goes_on(turn) else {}
        close_answered(self, turn)
        until = datetime.fromisoformat(about["until"]) if about else self.now
        shown = about.get("shown", 0)
        with self.runtime.store.reading() as connection:
            every = receipts.of(connection, turn.person.id, until)
        lines = [self._line(turn, receipt) for receipt in every[shown : shown + PAGE]]
        more = {"until": until.isoformat(), "shown": shown + PAGE} if len(every) > shown + PAGE else None
        return lines, more

    def _goes_on(self, turn: Turn) -> bool:
        return bool(turn.answered and turn.answered.offer.question == self.question)

    def _line(self, turn: Turn, receipt: Receipt) -> str:
        responses = turn.domain["responses"]
        system = self.runtime.systems.get(receipt.system) if receipt.system else None
        prefix = self.runtime.settings.desk.prefix
        facts = {
            "at": self.spoken(turn, receipt.at),
            "system_name": system.name if system else receipt.system or turn.system.name,
            "ticket_reference": f"{prefix}-{receipt.ticket}" if receipt.ticket else "",
        }
        reason = f"utter_receipt_because_{receipt.question}" if receipt.question else ""
        facts["because"] = words.fill(responses, reason, facts) or words.fill(
            responses, "utter_receipt_because_other", facts
        )
        for name in (receipt.name, receipt.other, "other"):
            what = words.fill(responses, f"utter_receipt_{name}", facts)
            if what:
                return words.fill(responses, "utter_receipt_line", {**facts, "what": what})
        raise KeyError("domain.yml has no response utter_receipt_other")


class TellWhyNotified(StoreAction):
    """Why did I get this? From the notice itself: when, and by which rule."""

    REACH = timedelta(days=30)

    def name(self) -> str:
        return "action_tell_why_notified"

    def in_store(self, turn: Turn) -> str:
        table = tables.notices
        query = (
            select(table.c.kind, table.c.facts, table.c.delivered_at)
            .where(
                table.c.person_id == turn.person.id,
                table.c.state == notices.DELIVERED,
                table.c.delivered_at > self.now - self.REACH,
            )
            .order_by(table.c.delivered_at.desc())
            .limit(1)
        )
        with self.runtime.store.reading() as connection:
            row = connection.execute(query).first()
            limits = preferences.limits_of(connection, turn.person.id, self.runtime.settings.lockout)
        turn.slots.update(
            message_limit=str(limits.max_notifications),
            message_hours=f"{limits.window_hours:g}",
            gap_hours=f"{limits.gap_hours:g}",
        )
        if row is None:
            turn.say("utter_tell_why_notified_none")
            return "told"
        system = self.runtime.systems.get(row.facts.get("system"))
        turn.slots["system_name"] = system.name if system else turn.system.name
        turn.slots["told_at"] = self.spoken(turn, row.delivered_at)
        since = row.facts.get("locked_at")
        turn.slots["locked_since"] = self.spoken(turn, datetime.fromisoformat(since) if since else row.delivered_at)
        turn.slots.update(self._rule(turn, row.kind, row.facts))
        wanted = f"utter_tell_why_notified_{row.kind}"
        turn.say(wanted if wanted in turn.domain["responses"] else "utter_tell_why_notified_other")
        return "told"

    def _rule(self, turn: Turn, kind: str, told: dict[str, Any]) -> dict[str, str]:
        """What this kind of notice goes by, as facts for its response."""
        if kind in (reminders.PASSWORD_EXPIRY, reminders.PASSWORD_EXPIRED):
            days = _days(PasswordPlanner(self.runtime.settings.password, calendar_of(self.runtime)).days)
            return {"password_expires": whole(self, turn, reminders.expiry_in(told)), "reminder_days": days}
        if kind == reminders.CONTRACTOR_EXPIRY:
            return {"workers_listed": self._workers(turn, told), "reminder_days": _days(contractors.DAYS)}
        if kind == notices.APPROVAL:
            request = self.runtime.resets.find(told["request"])
            requester = people.get(self.runtime.store, request.person_id)
            return {"requester_name": requester.name or requester.login}
        return {}

    def _workers(self, turn: Turn, told: dict[str, Any]) -> str:
        """Those of the notice whom the directory still has, with the ends that it told."""
        today, listed = calendar_of(self.runtime).date(self.now), []
        with self.runtime.store.reading() as connection:
            for worker in told["workers"]:
                known = directory_facts.find(connection, told["system"], worker["external_id"])
                if known is not None:
                    listed.append(line(turn, known, date.fromisoformat(worker["ends_on"]), today))
        return "\n".join(listed)


def _days(days: Sequence[int]) -> str:
    return ", ".join(map(str, days))


class ChangeNotifications(StoreAction):
    """Fewer messages, please; or as many as before (N6). Which way is in the words, or in the button."""

    WAYS = {"affirm": preferences.FEWER, "deny": preferences.USUAL}

    def name(self) -> str:
        return "action_change_notifications"

    def in_store(self, turn: Turn) -> str:
        way = self._way(turn)
        if way is None:
            return "unclear"
        close_answered(self, turn)
        section = self.runtime.settings.lockout
        with self.runtime.store.begin() as connection:
            limits, _ = preferences.change(connection, self.now, turn.person.id, way, section, turn.cause)
        turn.slots["message_limit"] = str(limits.max_notifications)
        turn.slots["message_hours"] = f"{limits.window_hours:g}"
        return way

    def _way(self, turn: Turn) -> str | None:
        if turn.answered and turn.answered.offer.question == "notifications":
            return self.WAYS.get(turn.answered.answer.intent)
        return preferences.wanted(turn.inbound.text) if turn.inbound else None


class AskNotifications(AskAction):
    """Fewer, or as usual? Asked where the words do not say."""

    question = "notifications"
