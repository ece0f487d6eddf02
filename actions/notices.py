"""What the schedulers let us say: a lockout, and how a promised unlock ended (N2, N8, law 4)."""

from abc import ABC

from account_access import freezes, notices, offers, requests, resets
from account_access.unlocks import Look
from actions.asking import AskAction
from actions.base import AccountAction, Turn
from actions.unlock import look_at, tell_ticket, unlock_subject

# What an unlock can owe a follow-up for; anything else goes to a human.
TOLD_LATER = ("unlocked", "already_unlocked", "relocked", "failed", "handed_over", "limited", "human", "instructions")
TOLD_LATER += ("frozen", "paused")


class Announcement(AccountAction, ABC):
    """Base of what a notice leads to."""

    def drop(self, turn: Turn, reason: str) -> None:
        """Ends the notice unsaid."""
        with self.runtime.store.begin() as connection:
            notices.drop(connection, self.now, turn.notice.id, reason)


class AskLockout(AskAction, Announcement):
    """You are locked out: shall I unlock it? A lockout that is over by now, or another one, is not told."""

    question = "lockout"
    kind = notices.LOCKOUT
    # Other questions that have told of the same lockout.
    told_by: tuple[str, ...] = ("unlock", "unlock_several", "relapse")

    async def act(self, turn: Turn) -> str:
        if turn.notice is None or turn.notice.kind != self.kind:
            return "notice_dropped"
        look = self._seen(turn) or await look_at(self, turn)
        reason = self._no_longer_true(turn, look) or await self.runtime.in_store(self._known_already, turn, look)
        if reason:
            await self.runtime.in_store(self.drop, turn, reason)
            return "notice_dropped"
        if look.outcome in ("down", "no_account"):
            # Not known to be true, so not said; the notice stays and is tried again.
            return "notice_dropped"
        facts = turn.notice.facts
        turn.slots["locked_since"] = self.spoken(turn, notices.locked_at(turn.notice))
        held = await self.runtime.in_store(self._held, turn)
        if held:
            return held
        about = unlock_subject(facts["system"], facts["external_id"], facts["locked_at"])
        return await self.ask(turn, self.response(turn), about)

    def _seen(self, turn: Turn) -> Look | None:
        """What the schedulers saw a moment ago: this very lockout."""
        if not turn.notice.is_seen_true(self.now):
            return None
        return Look("locked", turn.notice.facts["external_id"], notices.locked_at(turn.notice))

    def _no_longer_true(self, turn: Turn, look: Look) -> str | None:
        if look.outcome == "not_locked":
            return "not locked any more when it was about to be told"
        told_of = turn.notice.facts.get("locked_at")
        if look.locked_at and told_of and look.locked_at.isoformat() != told_of:
            return "the account was locked anew; that lockout has its own notice"
        return None

    def _known_already(self, turn: Turn, look: Look) -> str | None:
        """Who asked before the notice came has been told, and has the question in front of them."""
        with self.runtime.store.reading() as connection:
            asked = offers.find_asked(connection, turn.person.id, self.told_by, turn.system.key, look.locked_at)
        return "the person asked first and was told then" if asked else None

    def _held(self, turn: Turn) -> str | None:
        """`frozen` or `paused` where a yes could do nothing: then nothing is asked (X10, X11)."""
        with self.runtime.store.reading() as connection:
            held = self.runtime.unlocks.held(connection, turn.person.id, turn.system.key)
            freeze = freezes.standing(connection, turn.person.id)
            ticket = freezes.ticket_of(connection, freeze) if freeze else None
        if ticket:
            turn.slots["ticket_reference"] = ticket.reference(self.runtime.settings.desk.prefix)
        return held.verdict if held else None


class AnnounceFollowUp(Announcement):
    """How an act ended that we promised to tell about."""

    def name(self) -> str:
        return "action_announce_follow_up"

    async def act(self, turn: Turn) -> str:
        if turn.notice is None or turn.notice.kind != notices.FOLLOW_UP:
            return "notice_dropped"
        return await self.runtime.in_store(self._ended, turn)

    def _ended(self, turn: Turn) -> str:
        with self.runtime.store.reading() as connection:
            request = requests.find(connection, turn.notice.facts["request"])
        if request is not None and request.outcome in resets.BEGIN_ANEW:
            return "stale"
        if request is None or request.outcome not in (*TOLD_LATER, *resets.TOLD_LATER):
            # E.g. locked anew before we came to it: that lockout has its own notice.
            self.drop(turn, f"ended as {request.outcome if request else 'nothing'}, which is not told later")
            return "notice_dropped"
        tell_ticket(self, turn, request.id)
        return request.outcome
