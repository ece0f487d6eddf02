"""What the door asks for its page where a code is entered: which factors, send one, is this one right? (M7).

The action server holds the identity systems' tokens, the door never does (law 3). A code is in the call's body alone:
nothing here keeps or logs it.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from pydantic import SecretStr

from account_access import requests
from account_access.connectors.base import SENT_CODES, Factor
from account_access.connectors.registry import System
from account_access.proofs import Page, Prover
from actions.runtime import Runtime

LOOK, SEND, CHECK = "/proofs/look", "/proofs/send", "/proofs/check"
LONGEST_CODE = 20
log = logging.getLogger(__name__)


async def look(runtime: Runtime, asked: Any) -> dict[str, Any]:
    """`outcome` as `proofs.Page` tells it, with `factors` and `going` ({id, kind, name, sent}) where it is waiting."""
    page = await _on_system(runtime, asked, runtime.proofs.look)
    if isinstance(page, str):
        page = Page(page)
    return {
        "outcome": page.outcome,
        "factors": [_told(factor) for factor in page.factors],
        "going": [_told(factor) for factor in page.going],
    }


async def send(runtime: Runtime, asked: Any) -> dict[str, Any]:
    """`outcome` of `proofs.Proofs.send` for the asked `factor`."""
    return {"outcome": await _on_system(runtime, asked, runtime.proofs.send, _text(asked, "factor"))}


async def check(runtime: Runtime, asked: Any) -> dict[str, Any]:
    """`outcome` of `proofs.Proofs.check` for the asked `factor` and `code`."""
    code = SecretStr(_text(asked, "code")[:LONGEST_CODE])
    return {"outcome": await _on_system(runtime, asked, runtime.proofs.check, _text(asked, "factor"), code)}


async def _on_system(runtime: Runtime, asked: Any, function: Callable, *arguments: Any) -> Any:
    """Runs a function of proofs in the threads of the request's system; `over` or `down` where that cannot be."""
    prover = Prover(_text(asked, "request"), _text(asked, "person"), _text(asked, "session"))
    system = await runtime.in_store(_system, runtime, prover.request_id)
    if system is None or system.connector is None:
        return "over"
    try:
        return await runtime.on_system(system, function, system, prover, *arguments)
    except asyncio.TimeoutError:
        log.warning("Proving request %s takes longer than a person waits", prover.request_id[:40])
        return "down"


def _system(runtime: Runtime, request_id: str) -> System | None:
    with runtime.store.reading() as connection:
        request = requests.find(connection, request_id)
    return runtime.systems.get(request.system) if request else None


def _text(asked: Any, key: str) -> str:
    value = asked.get(key) if isinstance(asked, dict) else None
    return value if isinstance(value, str) else ""


def _told(factor: Factor) -> dict[str, Any]:
    return {"id": factor.id, "kind": factor.kind.value, "name": factor.name, "sent": factor.kind in SENT_CODES}
