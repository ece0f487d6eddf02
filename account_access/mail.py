"""The owner of an account hears by mail, too, what was done to it: somebody else may be reading their chat (M7).

A mail is a row before it is sent. A server that refuses is asked again later; one that fell silent after the mail was
handed over is not, because the mail may have gone: that row is `unsure`, and an admin sees it. Never twice (law 11).
"""

import logging
import smtplib
import ssl
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime

from sqlalchemy import and_, or_, select, update

from account_access import audit, faults, instants, people, tickets, words
from account_access.clock import Clock
from account_access.resets import Resets
from account_access.store import Store, claims, tables
from account_access.verification import LASTING

logger = logging.getLogger(__name__)

WAITING, SENDING, SENT, UNSURE, DEAD = "waiting", "sending", "sent", "unsure", "dead"
REACH = timedelta(hours=24)
CLAIM_SECONDS = 60
TIMEOUT_SECONDS = 10
BACKOFF_SECONDS = (30, 60, 300, 900, 1800, 3600)
MAX_ATTEMPTS = 12


@dataclass(frozen=True)
class Mail:
    """One mail to one address; `response` names its words, `facts` fill them."""

    id: str
    key: str
    person_id: str
    address: str
    response: str
    facts: Mapping[str, str]
    attempts: int


_COLUMNS = [tables.mails.c[name] for name in Mail.__dataclass_fields__]


class NotSent(Exception):
    """The server surely did not take it: later again."""


class Mails:
    """The outgoing mails of one installation, for the schedulers. `section` is the settings' mail section."""

    def __init__(self, store: Store, clock: Clock, settings):
        self.store = store
        self.clock = clock
        self.settings = settings
        self.section = settings.mail

    def plan(self) -> int:
        """Writes the mails of every act that was or may have been done and has none yet; returns how many.

        None without a server. Given up while the system was silent is one of those: its last call may have been heard,
        or some of its calls (X10).
        """
        if not self.section.server:
            return 0
        table, mails = tables.requests, tables.mails
        told = [outcome for outcomes in LASTING.values() for outcome in outcomes] + [Resets.given_up]
        known = select(mails.c.id).where(mails.c.key.startswith(table.c.id)).exists()
        columns = (table.c.id, table.c.act, table.c.state, table.c.person_id, table.c.system, table.c.finished_at)
        query = select(*columns).where(
            or_(
                # Given up, and done all the same: by half.
                and_(table.c.state == "done", table.c.outcome.in_(told)),
                and_(table.c.state == "handed_over", table.c.called.is_(True)),
            ),
            table.c.finished_at > self.clock.now() - REACH,
            ~known,
        )
        with self.store.reading() as connection:
            found = connection.execute(query).all()
        return sum(self._write(row) for row in found)

    def _write(self, request) -> int:
        now, written = self.clock.now(), 0
        with self.store.begin() as connection:
            person = people.find(connection, request.person_id)
            second = select(tables.people.c.second_email).where(tables.people.c.id == request.person_id)
            for address in dict.fromkeys((person.email, connection.execute(second).scalar())):
                key = f"{request.id}:{address}"
                known = connection.execute(select(tables.mails.c.id).where(tables.mails.c.key == key)).first()
                if not address or known:
                    continue
                ticket = tickets.of_request(connection, request.id)
                values = dict(
                    id=str(uuid.uuid4()),
                    key=key[:200],
                    person_id=request.person_id,
                    address=address,
                    response=f"utter_mail_{request.act}{'_unsure' if request.state == 'handed_over' else ''}",
                    facts=self._facts(person, request, ticket),
                    state=WAITING,
                    created_at=now,
                    due_at=now,
                    attempts=0,
                )
                connection.execute(tables.mails.insert().values(**values))
                written += 1
        return written

    def _facts(self, person, request, ticket) -> dict[str, str]:
        section = self.settings.systems.get(request.system)
        return {
            "person_name": person.given_name or person.name or person.login,
            "system_name": section.name if section else request.system,
            "at": instants.whole(request.finished_at, person.time_zone, self.settings.time_zone),
            "ticket_reference": ticket.reference(self.settings.desk.prefix) if ticket else "",
        }

    def due(self, limit: int = 50) -> list[Mail]:
        """Mails whose time has come and that nobody is sending."""
        table, now = tables.mails, self.clock.now()
        query = select(*_COLUMNS).where(table.c.state == WAITING, table.c.due_at <= now).limit(limit)
        with self.store.reading() as connection:
            return [Mail(*row) for row in connection.execute(query)]

    def send(self, mail: Mail) -> bool:
        """Sends it, unless somebody else is at it; False if it was not sent now."""
        if not self._claim(mail):
            return False
        try:
            self._hand_over(mail)
        except NotSent as error:
            self._end(mail, DEAD if mail.attempts + 1 >= MAX_ATTEMPTS else WAITING, str(error))
            return False
        except (OSError, smtplib.SMTPException) as error:
            self._end(mail, UNSURE, f"may have been sent: {type(error).__name__}: {error}")
            return False
        faults.point("mail_taken")
        self._end(mail, SENT, None)
        return True

    def settle_the_dead(self) -> int:
        """Mails whose sender was killed with one under way: perhaps sent, so never again; returns how many."""
        table, now = tables.mails, self.clock.now()
        left = (table.c.state == SENDING) & or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now)
        with self.store.reading() as connection:
            found = [Mail(*row) for row in connection.execute(select(*_COLUMNS).where(left))]
        for mail in found:
            self._end(mail, UNSURE, "may have been sent: its sender was killed")
        return len(found)

    def _claim(self, mail: Mail) -> bool:
        table, now = tables.mails, self.clock.now()
        with self.store.begin() as connection:
            taken = connection.execute(
                update(table)
                .where(table.c.id == mail.id, table.c.state == WAITING)
                .values(
                    state=SENDING,
                    claimed_until=now + timedelta(seconds=CLAIM_SECONDS),
                    claimed_by=claims.holder(),
                    attempts=table.c.attempts + 1,
                )
            )
            return taken.rowcount == 1

    def _end(self, mail: Mail, state: str, reason: str | None) -> None:
        table, now = tables.mails, self.clock.now()
        pause = BACKOFF_SECONDS[min(mail.attempts, len(BACKOFF_SECONDS) - 1)]
        values = dict(state=state, reason=reason and reason[:300], claimed_until=None)
        if state == WAITING:
            values["due_at"] = now + timedelta(seconds=pause)
        elif state == SENT:
            values["sent_at"] = now
        with self.store.begin() as connection:
            changed = connection.execute(
                update(table).where(table.c.id == mail.id, table.c.state == SENDING).values(**values)
            )
            if changed.rowcount == 1 and state != WAITING:
                about = f"{mail.response} to {mail.address}"
                audit.write(connection, now, "schedulers", "mail", about, state, mail.person_id, reason)
        if reason:
            level = logging.WARNING if state == WAITING else logging.ERROR
            logger.log(level, "The mail %s is %s: %s", mail.id, state, reason)

    def _hand_over(self, mail: Mail) -> None:
        """Raises NotSent where the server surely has not got it; SMTPException or OSError where it may have."""
        message = self._message(mail)
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(f"{type(error).__name__}: {error}")
        with server:
            try:
                server.send_message(message)
            except (
                smtplib.SMTPRecipientsRefused,
                smtplib.SMTPSenderRefused,
                smtplib.SMTPDataError,
                smtplib.SMTPHeloError,
                smtplib.SMTPNotSupportedError,
            ) as error:
                raise NotSent(f"{type(error).__name__}: {error}")

    def _connected(self) -> smtplib.SMTP:
        host, _, port = self.section.server.rpartition(":")
        kind = smtplib.SMTP_SSL if self.section.security == "tls" else smtplib.SMTP
        more = {"context": ssl.create_default_context()} if self.section.security == "tls" else {}
        server = kind(host, int(port), timeout=TIMEOUT_SECONDS, **more)
        try:
            if self.section.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if self.section.user:
                server.login(
                    self.section.user, self.section.password.get_secret_value() if self.section.password else ""
                )
        except BaseException:
            server.close()
            raise
        return server

    def _message(self, mail: Mail) -> EmailMessage:
        subject, _, text = words.fill(words.responses(), mail.response, mail.facts).partition("\n")
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.section.sender, mail.address, subject.strip()
        message["Date"] = format_datetime(self.clock.now())
        # The same for every try, so that a server or a reader can tell a second one.
        message["Message-ID"] = f"<{mail.id}@{self.section.sender.rpartition('@')[2]}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text.strip() + "\n")
        return message
