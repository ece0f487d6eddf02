"""Honesty about an account: why it was locked, this wasn't me, it locked again (X6, X8-X10)."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from account_access import freezes, notices, offers, people, words
from account_access.connectors.base import Account, AccountNotFound, SystemFailure
from account_access.connectors.lockout_cause import LockoutCause, Source, cause_of
from account_access.connectors.registry import System
from account_access.unlocks import Look
from actions.asking import AskAction, AskHelp
from actions.base import AccountAction, Turn, turn_to
from actions.notices import Announcement, AskLockout
from actions.own_accounts import own_systems
from actions.support import StoreAction
from actions.unlock import close_answered, tell_ticket

# How far back a lockout's own history is read.
HISTORY = timedelta(hours=24)
# A lockout that is over is still explained for so long, a manager's no that came after it for so long.
PAST = timedelta(days=7)
REFUSED = timedelta(hours=24)


class ReportNotMe(StoreAction):
    """This wasn't me: frozen, and security is called (X10). Words that answer nothing are asked about first."""

    def name(self) -> str:
        return "action_report_not_me"

    def in_store(self, turn: Turn) -> str:
        if not self._confirmed(turn):
            return "reported_already" if self._called(turn) else "unconfirmed"
        offer = turn.answered.offer
        close_answered(self, turn)
        about = f"Said of: {offer.question} {offer.subject.get('locked_at') or offer.subject.get('request') or ''}"
        with self.runtime.store.begin() as connection:
            freeze, fresh = freezes.report(connection, self.now, turn.person, turn.cause, about.strip())
            self.told(turn, freezes.ticket_of(connection, freeze))
        return "reported" if fresh else "reported_already"

    def _confirmed(self, turn: Turn) -> bool:
        """A click, or words that answer an open question; the classifier's word alone freezes nobody (X12)."""
        if turn.answered is None:
            return False
        intent = turn.answered.answer.intent
        return intent == "report_not_me" or (intent == "affirm" and turn.answered.offer.question == "not_me")

    def _called(self, turn: Turn) -> bool:
        """Whether security is called already: then nobody is asked whether to call them."""
        with self.runtime.store.reading() as connection:
            freeze = freezes.standing(connection, turn.person.id)
            if freeze is not None:
                self.told(turn, freezes.ticket_of(connection, freeze))
        return freeze is not None


class AskNotMe(AskAction):
    """Somebody else was at it? Asked before self-service stops on words that answer nothing."""

    question = "not_me"


class CheckFreeze(StoreAction):
    """It was me after all: is self-service stopped? No chat answer lifts that (X10)."""

    def name(self) -> str:
        return "action_check_freeze"

    def in_store(self, turn: Turn) -> str:
        with self.runtime.store.reading() as connection:
            return "frozen" if freezes.standing(connection, turn.person.id) else "not_frozen"


class TellFreeze(StoreAction):
    """Self-service is stopped for this person: since when, and who allows it again."""

    def name(self) -> str:
        return "action_tell_freeze"

    def in_store(self, turn: Turn) -> str:
        with self.runtime.store.reading() as connection:
            freeze = freezes.standing(connection, turn.person.id)
            if freeze is not None:
                self.told(turn, freezes.ticket_of(connection, freeze))
        if freeze is None:
            turn.say("utter_tell_freeze_lifted")
            return "told"
        turn.slots["frozen_since"] = self.spoken(turn, freeze.reported_at)
        turn.say("utter_tell_freeze")
        return "told"


class TellWhyLocked(AccountAction):
    """Why was I locked? When, how often, from where, with what, and when it ends, as far as the system tells (X9)."""

    def name(self) -> str:
        return "action_tell_why_locked"

    async def act(self, turn: Turn) -> str:
        own = await own_systems(self, turn, "unlock")
        if len(own.meant) > 1 or own.meant[0] is not turn.system:
            turn_to(turn, await self.runtime.in_store(self._locked_last, turn, own.meant))
        try:
            seen = await self.runtime.on_system(turn.system, self._read, turn.system, turn.person.id)
        except (asyncio.TimeoutError, SystemFailure):
            seen = None
        await self.runtime.in_store(self._tell, turn, seen)
        return "told"

    def _locked_last(self, turn: Turn, systems: Sequence[System]) -> System:
        """The system with the person's last lockout that was noted; the first of them where there is none."""
        long_ago = datetime.min.replace(tzinfo=timezone.utc)
        return max(systems, key=lambda system: self._told_last(turn.person.id, system.key) or long_ago)

    def _read(self, system: System, person_id: str) -> tuple[Look, LockoutCause | None, datetime | None]:
        """A look, the cause of the lockout that stands or the last one, and when it ends by itself (UTC)."""
        look = self.runtime.unlocks.look(system, person_id)
        if look.outcome not in ("locked", "not_locked"):
            return look, None, None
        try:
            account = system.connector.account(look.external_id)
        except AccountNotFound:
            return look, None, None
        locked_at = account.locked_at or self._told_last(person_id, system.key)
        if locked_at is None:
            return look, None, None
        return look, self._cause(system, look.external_id, locked_at), self._ends(system, account)

    def _told_last(self, person_id: str, system_key: str) -> datetime | None:
        with self.runtime.store.reading() as connection:
            return notices.last_lockout(connection, person_id, system_key, self.now - PAST)

    def _cause(self, system: System, external_id: str, locked_at: datetime) -> LockoutCause:
        history = ()
        if system.can("history"):
            # Without it the rest is told all the same.
            with contextlib.suppress(SystemFailure):
                history = system.connector.sign_in_history(external_id, locked_at - HISTORY)
        return cause_of(history, locked_at)

    def _ends(self, system: System, account: Account) -> datetime | None:
        if not system.can("password_rules"):
            return None
        try:
            rules = system.connector.password_rules(account)
        except SystemFailure:
            return None
        return rules.unlocks_at(account) if rules else None

    def _tell(self, turn: Turn, seen) -> None:
        look, cause, ends = seen or (None, None, None)
        if (look is None or look.outcome != "locked") and self._told_of_a_no(turn, cause):
            return
        if look is None or look.outcome == "down":
            turn.say("utter_tell_why_locked_down")
        elif cause is None:
            turn.say("utter_tell_why_locked_in_general")
        else:
            self._tell_cause(turn, look, cause, ends)

    def _told_of_a_no(self, turn: Turn, cause: LockoutCause | None) -> bool:
        """Whether the last thing that ended for this person is a manager's no or silence; then that is told (M9)."""
        since = max(self.now - REFUSED, cause.locked_at if cause else self.now - REFUSED)
        with self.runtime.store.reading() as connection:
            found = self.runtime.approvals.turned_down(connection, turn.person.id, since)
        if found is None:
            return False
        request, at = found
        approver = people.get(self.runtime.store, request.approver_id)
        turn.slots["approver_name"] = approver.name or approver.login
        turn.slots["decided_at"] = self.spoken(turn, at)
        turn.say(f"utter_tell_why_locked_{request.outcome}")
        return True

    def _tell_cause(self, turn: Turn, look: Look, cause: LockoutCause, ends: datetime | None) -> None:
        turn.slots["locked_since"] = self.spoken(turn, cause.locked_at)
        counted = "utter_tell_why_locked_attempts_one" if cause.failures == 1 else "utter_tell_why_locked_attempts_many"
        turn.slots["attempts"] = words.fill(turn.domain["responses"], counted, {"count": str(cause.failures)})
        source = cause.stale_device or next(iter(cause.sources), None)
        if source:
            turn.slots["attempts_from"] = _where(source)
            turn.slots["attempts_with"] = source.client or ""
            turn.slots["last_attempt"] = self.spoken(turn, source.last_at)
        turn.say(f"utter_tell_why_locked_{self._case(cause, source)}")
        if look.outcome == "not_locked":
            turn.say("utter_tell_why_locked_over")
        elif ends and ends > self.now:
            turn.slots["unlocks_at"] = self.spoken(turn, ends)
            turn.say("utter_tell_why_locked_ends")

    def _case(self, cause: LockoutCause, source: Source | None) -> str:
        """What the log is able to tell: nothing, only how often, from where, or even which device."""
        if not cause.failures or source is None:
            return "unknown"
        if cause.stale_device:
            return "device"
        return "place" if _where(source) and source.client else "count"


def _where(source: Source) -> str:
    """`Lisbon, Portugal`, or the address where no place is known; empty where neither is."""
    return ", ".join(part for part in (source.city, source.country) if part) or source.ip or ""


class AskRelapse(AskLockout):
    """It locked again after the unlock: once more? With the device, where the log names one (X8, U8)."""

    question = "relapse"
    kind = notices.RELAPSE
    told_by = ("unlock", "unlock_several", "lockout")

    def response(self, turn: Turn) -> str:
        return "utter_ask_relapse_device" if turn.notice.facts.get("device") else "utter_ask_relapse"

    async def act(self, turn: Turn) -> str:
        if turn.notice is not None and turn.notice.kind == self.kind:
            turn.slots["attempts_with"] = turn.notice.facts.get("device") or ""
            await self.runtime.in_store(tell_ticket, self, turn, turn.notice.facts["request"])
            if turn.notice.facts.get("act") != "unlock":
                return "relapsed"
        return await super().act(turn)


class AnnounceAvailable(Announcement):
    """The system answers again: what was it that you needed? (X6)"""

    def name(self) -> str:
        return "action_announce_available"

    async def act(self, turn: Turn) -> str:
        if turn.notice is None or turn.notice.kind != notices.AVAILABLE:
            return "notice_dropped"
        await self.runtime.in_store(self._end_of_the_wait, turn)
        return "available"

    def _end_of_the_wait(self, turn: Turn) -> None:
        """A ticket was offered because the system was silent; a yes from now on means something else."""
        with self.runtime.store.begin() as connection:
            offers.overtake(connection, self.now, turn.person.id, turn.notice.facts["system"], (AskHelp.question,))
