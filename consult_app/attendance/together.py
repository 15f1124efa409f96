"""Scans that wait for one another are made in one transaction (a group commit).

At a desk thirty people come at once, and all their scans want the same lock. Whoever gets the turn works for all that wait:
one lock, one commit, and each answer is given only after it. Where one of them fails, each is made alone, so that nobody
pays for another's mistake. It works inside one process; several processes take turns at the database's lock.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

from flask import current_app
from sqlalchemy.exc import OperationalError

from consult_app.db import db

Result = TypeVar("Result")
MOST = 40  # in one transaction, so that the first does not wait long for the last


class Work(Generic[Result]):
    """One scan: what to do, then what came of it."""

    def __init__(self, act: Callable[[], Result]) -> None:
        self.act = act
        self.is_done = False
        self.result: Result | None = None
        self.problem: Exception | None = None

    def alone(self) -> None:
        """Do it in a transaction of its own."""
        try:
            self.result = self.act()
            db.session.commit()
        except Exception as problem:  # told to the one who asked
            db.session.rollback()
            self.problem = problem


class Turn:
    """Those who wait for the log of one consultation."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: deque[Work[Any]] = deque()


def together(consultation_id: int, act: Callable[[], Result]) -> Result:
    """Run `act` and commit, with others that wait; returns what it returned, or raises what it raised.

    `act` may run in another request's context: it must not use the request, and what it returns must stand outside the session.
    """
    turn: Turn = current_app.extensions["turns"].setdefault(consultation_id, Turn())
    work = Work(act)
    turn.waiting.append(work)
    time.sleep(0)  # let the others that have come so far stand in the queue too
    while not work.is_done:
        with turn.lock:
            if not work.is_done:
                _do([turn.waiting.popleft() for _n in range(min(MOST, len(turn.waiting)))])
    if work.problem is not None:
        raise work.problem
    return cast(Result, work.result)


def _do(part: list[Work[Any]]) -> None:
    try:
        results = [work.act() for work in part]
        db.session.commit()
        for work, result in zip(part, results, strict=True):
            work.result = result
    except OperationalError as problem:  # the database is busy: it is for all of them
        db.session.rollback()
        for work in part:
            work.problem = problem
    except Exception:
        db.session.rollback()
        for work in part:
            work.alone()
    finally:
        for work in part:
            work.is_done = True
