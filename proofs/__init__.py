"""What must hold when things go wrong, each shown by doing it: `make prove` in full, `make test` in a short form."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple


class Finding(NamedTuple):
    """What came out of a proof: a figure in words, and whether the promise holds."""

    figure: str
    holds: bool


@dataclass(frozen=True)
class Proof:
    """A promise, and the function that tries to break it. `long` and `short` are its sizes: words by which `run` is called."""

    name: str
    promise: str
    run: Callable[..., Finding]
    long: Mapping[str, Any]
    short: Mapping[str, Any]

    def find(self, *, short: bool) -> Finding:
        """Run it, in a context of its own: how the one before began its transactions is nothing to the next."""
        return contextvars.Context().run(lambda: self.run(**(self.short if short else self.long)))
