"""Scans that wait for one another are made in one transaction (a group commit).

At a desk thirty people come at once, and all their scans want the same lock. Whoever gets the turn works for all that wait:
one lock, one commit, the statements of one scan, and each answer is given only after it. Where one of them fails, each is
made alone, so that nobody pays for another's mistake. It works inside one process; several processes take turns at the
database's lock.
"""

from __future__ import annotations

import threading
import time
from collections import deque

from flask import current_app
from sqlalchemy.exc import OperationalError

from consult_app.attendance.actions import ScanAnswer, Shown, scan_all
from consult_app.db import db

MOST = 40  # in one transaction, so that the first does not wait long for the last
LOOKS = 8  # scans that came alone, after which only every so-manieth looks whether others have come


class Work:
    """One scan, then what came of it."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        self.is_done = False
        self.answer: ScanAnswer | None = None
        self.problem: Exception | None = None
        self.gate = threading.Lock()  # opened for whoever waits: the work is done, or it is their turn to work
        self.gate.acquire()


class Turn:
    """Those who wait for the log of one consultation, and whether one of them works."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.is_taken = False
        self.alone = 0  # how many came alone since several came together
        self.waiting: deque[Work] = deque()

    def join(self, work: Work) -> None:
        """Wait until the work is done by another, or it is the turn of the one who brought it."""
        with self.guard:
            self.waiting.append(work)
            must_wait, self.is_taken = self.is_taken, True
        if must_wait:
            work.gate.acquire()
        elif self.alone < LOOKS or self.alone % LOOKS == 0:
            time.sleep(0)  # let the others that have come so far stand in the queue too

    def take(self, most: int) -> list[Work]:
        with self.guard:
            taken = [self.waiting.popleft() for _n in range(min(most, len(self.waiting)))]
            self.alone = self.alone + 1 if len(taken) == 1 else 0
            return taken

    def give_on(self) -> None:
        """It is the turn of the first of those who wait, or of whoever comes next."""
        with self.guard:
            self.is_taken = bool(self.waiting)
            if self.waiting:
                self.waiting[0].gate.release()


def together(shown: Shown) -> ScanAnswer:
    """Make a scan and commit, with others that wait; returns its answer, or raises what it raised."""
    turn: Turn = current_app.extensions["turns"].setdefault(shown.event.consultation_id, Turn())
    work = Work(shown)
    turn.join(work)
    if not work.is_done:
        try:
            _do(turn, work)
        finally:
            turn.give_on()
    if work.problem is not None:
        raise work.problem
    assert work.answer is not None
    return work.answer


def _do(turn: Turn, own: Work) -> None:
    part = turn.take(MOST)
    try:
        _make(part)
    except OperationalError as problem:  # the database is busy for all of them, also for those who came meanwhile
        db.session.rollback()
        part += turn.take(len(turn.waiting))
        for work in part:
            work.problem = problem
    except Exception:
        db.session.rollback()
        for work in part:
            _make_alone(work)
    finally:
        for work in part:
            work.is_done = True
            if work is not own:
                work.gate.release()


def _make(part: list[Work]) -> None:
    answers = scan_all([work.shown for work in part])
    db.session.commit()
    for work, answer in zip(part, answers, strict=True):
        work.answer = answer


def _make_alone(work: Work) -> None:
    try:
        _make([work])
    except Exception as problem:  # told to the one who asked
        db.session.rollback()
        work.problem = problem
