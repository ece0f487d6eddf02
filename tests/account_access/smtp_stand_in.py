"""A mail server that speaks as much SMTP as a client needs, on a port of its own, and misbehaves when told to."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import Message


class MailServer(socketserver.ThreadingTCPServer):
    """`mails` are those it took; `trouble` is `full` (452), `refuses` (550), `vanishes` (takes it, never says so)."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[Message] = []
        self.trouble = ""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Session(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 stand-in ESMTP")
        for line in self.rfile:
            word = line.split()[0].upper() if line.split() else b""
            if word == b"QUIT":
                self._say("221 bye")
                return
            if word == b"DATA":
                if not self._take():
                    return
            elif word == b"RCPT" and self.server.trouble == "refuses":
                self._say("550 no such user")
            elif word == b"MAIL" and self.server.trouble == "full":
                self._say("452 later, please")
            else:
                self._say("250 fine")

    def _take(self) -> bool:
        self._say("354 go on")
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line)
        self.server.mails.append(message_from_bytes(b"".join(lines)))
        if self.server.trouble == "vanishes":
            return False
        self._say("250 taken")
        return True

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@contextmanager
def serving() -> Iterator[MailServer]:
    """A running server, stopped at the end."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)
