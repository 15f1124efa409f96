"""Who waits for news of a consultation, inside this process.

News is the number of the last entry in the consultation's log: every change that a room shows is an entry, numbered
without a gap in the order of the commits. A stream sends what now stands, with that number as its id; a client that
comes back with an older one gets what stands now at once, so that nothing is missed. Another process's changes are found
by looking at the number every two seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

LOOK = 2.0  # seconds between two looks at the database, for all that wait together


@dataclass(frozen=True)
class Fragment:
    """What one audience sees, as of an entry of the log."""

    number: int
    html: str


class Hub:
    """Wakes those who wait, and keeps what was rendered last for each audience."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._numbers: dict[str, int] = {}
        self._looked: dict[str, float] = {}
        self._kept: dict[tuple[str, ...], Fragment] = {}
        self._locks: dict[tuple[str, ...], threading.Lock] = {}

    def tell(self, chain: str, number: int) -> None:
        """An entry was committed."""
        with self._news:
            if number > self._numbers.get(chain, -1):
                self._numbers[chain] = number
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
                self._news.wait(min(left, LOOK))
                number = self._numbers.get(chain, -1)
                mine = number <= after and time.monotonic() - self._looked.get(chain, 0.0) >= LOOK
                if mine:
                    self._looked[chain] = time.monotonic()
            if mine:
                self.tell(chain, look())

    def fragment(self, audience: tuple[str, ...], at_least: int, render: Callable[[], Fragment]) -> Fragment:
        """What the audience sees, rendered once for all of it."""
        with self._news:
            lock = self._locks.setdefault(audience, threading.Lock())
        with lock:
            kept = self._kept.get(audience)
            if kept is None or kept.number < at_least:
                kept = self._kept[audience] = render()
            return kept
