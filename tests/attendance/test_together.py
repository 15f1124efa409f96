"""Scans made together: where one fails, nobody else pays for it, and none waits for ever."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from consult_app.attendance import together
from consult_app.attendance.actions import ScanAnswer, Shown, scan_all
from consult_app.attendance.models import CheckIn, ScanResult
from consult_app.attendance.together import Turn, Work
from consult_app.db import db
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import ticket_code
from tests import factories

pytestmark = pytest.mark.usefixtures("audit_ok")


@pytest.fixture
def people(app: Any) -> list[Registration]:
    day = dt.datetime.now(dt.timezone(dt.timedelta(hours=7))).date()
    event = factories.make_event(starts_on=day, ends_on=day)
    made = [factories.make_registration(event) for _n in range(3)]
    db.session.commit()
    return made


def shown(people: Sequence[Registration]) -> list[Work]:
    staff = factories.make_user(Role.CHECK_IN, people[0].event.consultation)
    db.session.commit()
    codes = [ticket_code(person.seed) for person in people]
    return [Work(Shown(people[0].event, staff, f"nonce-{number}-of-the-test", code)) for number, code in enumerate(codes)]


def make(works: list[Work]) -> Turn:
    """The first of them has the turn; the others wait."""
    turn = Turn()
    turn.waiting.extend(works)
    together._do(turn, works[0])
    return turn


def waits(work: Work) -> bool:
    return work.gate.locked()


def arrivals() -> int:
    db.session.rollback()
    return len(db.session.scalars(db.select(CheckIn).where(CheckIn.is_arrival)).all())


def failing_for(work: Work, problem: Exception) -> Callable[[list[Shown]], list[ScanAnswer]]:
    def made(some: list[Shown]) -> list[ScanAnswer]:
        answers = scan_all(some)
        if work.shown in some:
            raise problem
        return answers

    return made


def test_all_that_wait_are_made_and_let_go(people: list[Registration]) -> None:
    works = shown(people)
    make(works)
    assert [work.answer.result for work in works if work.answer] == [ScanResult.OK] * 3
    assert [waits(work) for work in works] == [True, False, False]  # the first never waited
    assert arrivals() == 3


def test_one_that_fails_takes_nobody_along(people: list[Registration], monkeypatch: Any) -> None:
    works, problem = shown(people), RuntimeError("a mistake of one scan")
    monkeypatch.setattr(together, "scan_all", failing_for(works[1], problem))
    make(works)
    assert [bool(work.answer) for work in works] == [True, False, True]
    assert [work.problem for work in works] == [None, problem, None]
    assert all(work.is_done for work in works)
    assert [waits(work) for work in works[1:]] == [False, False]
    assert arrivals() == 2


def test_a_busy_database_is_told_to_all_that_wait_and_nothing_is_made(people: list[Registration], monkeypatch: Any) -> None:
    works = shown(people)
    problem = OperationalError("INSERT", {}, Exception("database is locked"))
    monkeypatch.setattr(together, "scan_all", failing_for(works[0], problem))
    monkeypatch.setattr(together, "MOST", 1)  # the other two are not in this transaction, and do not wait for another either
    turn = make(works)
    assert [work.problem for work in works] == [problem] * 3
    assert [waits(work) for work in works[1:]] == [False, False]
    assert not turn.waiting
    assert arrivals() == 0


def test_who_brought_the_scan_is_told_what_went_wrong_with_it(people: list[Registration], app: Any, monkeypatch: Any) -> None:
    (work, *_others), problem = shown(people), RuntimeError("a mistake")
    monkeypatch.setattr(together, "scan_all", failing_for(work, problem))
    with pytest.raises(RuntimeError, match="a mistake"):
        together.together(work.shown)
    turn = app.extensions["turns"][people[0].consultation_id]
    assert not turn.is_taken  # the next one finds the way free
    monkeypatch.undo()
    assert together.together(work.shown).result is ScanResult.OK


def test_no_more_than_fit_are_taken_at_once_and_the_turn_goes_to_the_next(people: list[Registration], monkeypatch: Any) -> None:
    works = shown(people)
    monkeypatch.setattr(together, "MOST", 2)
    turn = make(works)
    assert [work.is_done for work in works] == [True, True, False]
    turn.give_on()
    assert turn.is_taken
    assert not waits(works[2])
