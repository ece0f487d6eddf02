"""Trains, loads and asks models through Rasa's own graph, as its server does."""

import asyncio
import contextlib
import logging
import os
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from nlu.evaluation.examples import BadData, Names
from nlu.evaluation.metrics import Entity

FALLBACK = "nlu_fallback"
# made by the last component for the rules, never read from the text
MADE = "question"
WARM_UP = 5


@dataclass(frozen=True)
class Parsed:
    """What a message was taken for, and how long that took.

    `guess` is the classifier's first choice, also where the message then fell back; `confidence` belongs to it.
    """

    intent: str
    guess: str
    confidence: float
    entities: tuple[Entity, ...]
    seconds: float


@contextlib.contextmanager
def one_core() -> Iterator[None]:
    """Everything that is loaded and computed inside runs on one core, where the system can do that."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def silence() -> None:
    """Rasa logs errors alone from now on, in this process; it would print every message it parses."""
    with _quiet():
        from rasa.utils.log_utils import configure_structlog

        configure_structlog(logging.ERROR)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What Rasa and its libraries say inside is dropped, errors in its log aside."""
    logger = logging.getLogger("rasa")
    before = logger.level
    logger.setLevel(logging.ERROR)
    # warnings are recorded, not filtered: some libraries undo filters when they are imported
    with (
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        warnings.catch_warnings(record=True),
    ):
        try:
            yield
        finally:
            logger.setLevel(before)


class Model:
    """A loaded model. Its answers are those of the last component, without any open question."""

    def __init__(self, file: Path, names: Names) -> None:
        if not file.is_file():
            raise BadData(f"{file}: there is no such model; make train makes one")
        self._names = names
        with _quiet():
            from rasa.core.agent import Agent

            self._agent = Agent.load(str(file))
        if not self._agent.is_ready():
            raise BadData(f"{file}: Rasa cannot load this model")

    def parse(self, texts: Sequence[str]) -> list[Parsed]:
        """Each text by itself, as in a conversation; the first few are asked twice, so that all are asked warm."""
        return asyncio.run(self._parse_all(texts))

    async def _parse_all(self, texts: Sequence[str]) -> list[Parsed]:
        with _quiet():
            for text in texts[:WARM_UP]:
                await self._parse(text)
            return [await self._parse(text) for text in texts]

    async def _parse(self, text: str) -> Parsed:
        from rasa.core.channels.channel import UserMessage

        message = UserMessage(text)
        started = time.perf_counter()
        found = await self._agent.processor.parse_message(message)
        seconds = time.perf_counter() - started
        return parsed(found, self._names, seconds)


def parsed(found: dict[str, Any], names: Names, seconds: float) -> Parsed:
    """Rasa's answer, read for measuring; no intent at all counts as a fallback."""
    intent = found["intent"].get("name") or FALLBACK
    ranking = found.get("intent_ranking") or [found["intent"]]
    nothing = {"name": FALLBACK, "confidence": 0.0}
    first = next((one for one in ranking if one.get("name") not in (None, FALLBACK)), nothing)
    entities = tuple(
        Entity(entity["entity"], names.canonical(str(entity["value"])), entity["start"], entity["end"])
        for entity in found.get("entities") or []
        if entity["entity"] != MADE
    )
    return Parsed(intent, first["name"], float(first["confidence"]), entities, seconds)


def train(config: Path, data: Path, domain: Path, folder: Path) -> tuple[Path, float]:
    """Trains the language side into the folder, with nothing kept from earlier trainings; the model and the seconds.

    A process of its own does it, so that what it leaves behind in memory and threads does not slow the measuring.
    BadData if Rasa refuses.
    """
    if not config.is_file():
        raise BadData(f"{config}: there is no such pipeline")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        return child.submit(_train, config, data, domain, folder).result()


def _train(config: Path, data: Path, domain: Path, folder: Path) -> tuple[Path, float]:
    os.environ |= {"RASA_CACHE_DIRECTORY": str(folder / "cache"), "SQLALCHEMY_SILENCE_UBER_WARNING": "1"}
    silence()
    with _quiet():
        from rasa.engine.exceptions import GraphComponentException
        from rasa.model_training import train_nlu
        from rasa.shared.exceptions import RasaException

    started = time.perf_counter()
    try:
        with _quiet():
            model = train_nlu(str(config), str(data), str(folder), domain=str(domain))
    except GraphComponentException as problem:
        raise BadData(f"{config}: Rasa cannot train this: {problem} {problem.__cause__!r}") from None
    except RasaException as problem:
        raise BadData(f"{config}: Rasa cannot train this: {problem}") from None
    if not model:
        raise BadData(f"{config}: Rasa made no model of {data}")
    return Path(model), time.perf_counter() - started
