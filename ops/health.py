"""Is a process ready to work? Asked by its own protocol, never by its pid."""

import subprocess
import urllib.error
import urllib.request

from ops.plan import ROOT, Process


def healthy(process: Process, seconds: float = 2) -> bool:
    """True if the process answers its health check within so many seconds (a command gets ten times as long)."""
    if process.health_url:
        return _answers(process.health_url, seconds)
    try:
        code = subprocess.call(
            process.health_command,
            cwd=ROOT,
            env=dict(process.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=seconds * 10,
        )
    except subprocess.TimeoutExpired:
        return False
    return code == 0


def _answers(url: str, seconds: float) -> bool:
    try:
        with direct.open(url, timeout=seconds) as reply:
            return reply.status == 200
    except OSError:
        return False


# Everything asked here is on this machine: a proxy for the world outside would only be in the way.
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
