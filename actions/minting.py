"""The one internal call beside Rasa's: the door asks for a one-time link, at the press of the link's owner (P5, law 7).

The answer holds the link and goes to that browser alone; nothing here keeps or logs it.
"""

import asyncio
import logging
from typing import Any

from account_access import links
from account_access.links import Link
from account_access.passwords import Minted
from actions.runtime import Runtime

PATH = "/links/mint"
SECRET_HEADER = "X-Link-Secret"  # noqa: S105 (the name of a header)
log = logging.getLogger(__name__)


async def mint(runtime: Runtime, asked: Any) -> dict[str, str]:
    """Mints for a link that its owner has just clicked; `asked` names both, and the row decides.

    The answer has `outcome` (minted, password_human, no_account, instructions, down) and, for minted, `target`.
    """
    link = await runtime.in_store(_clicked, runtime, asked if isinstance(asked, dict) else {})
    if link is None:
        return {"outcome": "no_account"}
    system = runtime.systems.get(link.system)
    if system is None or system.connector is None:
        return {"outcome": "instructions"}
    try:
        minted: Minted = await runtime.on_system(system, runtime.passwords.mint, system, link)
    except asyncio.TimeoutError:
        log.warning("Minting for link %s takes longer than a person waits", link.id)
        return {"outcome": "down"}
    if minted.link is None:
        return {"outcome": minted.outcome}
    return {"outcome": minted.outcome, "target": minted.link.get_secret_value()}


def _clicked(runtime: Runtime, asked: dict[str, Any]) -> Link | None:
    """The link, if it is that person's, is minted, was clicked, and is still good."""
    with runtime.store.reading() as connection:
        link = links.find(connection, str(asked.get("link")))
    if link is None or link.person_id != asked.get("person") or link.way != links.MINTED or link.clicked_at is None:
        return None
    return link if link.state_at(runtime.clock.now()) == links.READY else None
