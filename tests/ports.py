"""Ports for servers that tests start: below those that the kernel lends to clients, which could take one in between."""

import os
import socket

FIRST, LAST = 11000, 30000
# Each test process begins elsewhere and goes on from there, so that it never hands out the same port twice in a row.
_next = FIRST + (os.getpid() * 997) % (LAST - FIRST)


def free_port() -> int:
    """A port that nothing listens on right now."""
    return free_port_block(1)


def free_port_block(length: int) -> int:
    """The first of so many neighbouring ports that nothing listens on right now."""
    global _next
    for _ in range(500):
        first = _next if _next + length <= LAST else FIRST
        _next = first + length
        try:
            for port in range(first, first + length):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")
