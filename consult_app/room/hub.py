"""Who waits for news of a consultation, inside this process.

News is the number of the last entry in the consultation's log: every change that a room shows is an entry, numbered
without a gap in the order of the commits. A stream sends what now stands, with that number as its id; a client that
comes back with an older one gets what stands now at once, so that nothing is missed. Another process's changes are found
by looking at the number: at once where a hint comes (`bus.py`), and every few seconds in any case.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

LOOK = 2.0  # seconds between two looks at the database, for all that wait together, while nobody tells of other processes


@dataclass(frozen=True)
class Fragment:
    """What one audience sees, as of an entry of the log."""

    number: int
    html: str


class Hub:
    """Wakes those who wait, and keeps what was rendered last for each audience."""

    def __init__(self, look: float = LOOK) -> None:
        self._news = threading.Condition()
        self._numbers: dict[str, int] = {}
        self._looked: dict[str, float] = {}
        self._kept: dict[tuple[str, ...], Fragment] = {}
        self._locks: dict[tuple[str, ...], threading.Lock] = {}
        self._look = look
        self._is_told = False

    @property
    def is_told(self) -> bool:
        """Whether another process's changes are told here; else they are looked for."""
        return self._is_told

    @is_told.setter
    def is_told(self, now: bool) -> None:
        with self._news:
            if now != self._is_told:
                self._is_told = now
                self._looked.clear()  # what was told meanwhile may have been missed
                self._news.notify_all()

    def tell(self, chain: str, number: int) -> None:
        """An entry was committed."""
        with self._news:
            if number > self._numbers.get(chain, -1):
                self._numbers[chain] = number
                self._news.notify_all()

    def hint(self, chain: str, number: int) -> None:
        """Another process says that it committed an entry: whoever waits looks, and believes only the database."""
        with self._news:
            if number > self._numbers.get(chain, -1):
                self._looked.pop(chain, None)
                self._news.notify_all()

    def wait(self, chain: str, after: int, seconds: float, look: Callable[[], int]) -> int:
        """The number of the last entry, as soon as it is greater than `after`, or when the seconds are over."""
        end = time.monotonic() + seconds
        while True:
            with self._news:
                number = self._numbers.get(chain, -1)
                left = end - time.monotonic()
                if number > after or left <= 0:
                    return number
                self._news.wait(max(0.0, min(left, self._next_look(chain))))
                number = self._numbers.get(chain, -1)
                mine = number <= after and self._next_look(chain) <= 0
                if mine:
                    self._looked[chain] = time.monotonic()
            if mine:
                self.tell(chain, look())

    def _next_look(self, chain: str) -> float:
        """Seconds until somebody has to look at the database."""
        between = self._look if self._is_told else min(self._look, LOOK)
        return self._looked.get(chain, -math.inf) + between - time.monotonic()

    def fragment(self, audience: tuple[str, ...], at_least: int, render: Callable[[], Fragment]) -> Fragment:
        """What the audience sees, rendered once for all of it."""
        with self._news:
            lock = self._locks.setdefault(audience, threading.Lock())
        with lock:
            kept = self._kept.get(audience)
            if kept is None or kept.number < at_least:
                kept = self._kept[audience] = render()
            return kept
