"""The queue: a job runs once its transaction has committed, and never where it was rolled back."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from consult_app import create_app, jobs
from consult_app.db import db
from tests.conftest import SETTINGS


@pytest.fixture
def ran(app: Any, monkeypatch: Any) -> list[tuple[str, tuple[int, ...]]]:
    """What the jobs "first" and "second" were run with, in order."""
    done: list[tuple[str, tuple[int, ...]]] = []
    monkeypatch.setattr(jobs, "_jobs", dict(jobs._jobs))
    for name in ("first", "second"):
        jobs.job(name)(lambda *ids, name=name: done.append((name, ids)))
    db.session.commit()
    jobs.drain(app)
    return done


def test_a_job_waits_for_the_commit_and_runs_in_the_order_asked_for(app: Any, ran: list[Any]) -> None:
    jobs.after_commit("second", 2, 3)
    jobs.after_commit("first", 1)
    assert jobs.waiting(app) == 0
    db.session.execute(text("SELECT 1"))
    db.session.commit()
    assert jobs.waiting(app) == 2
    assert jobs.drain(app) == 2
    assert ran == [("second", (2, 3)), ("first", (1,))]
    db.session.execute(text("SELECT 1"))
    db.session.commit()
    assert jobs.drain(app) == 0


def test_a_rollback_forgets_what_was_asked_for(app: Any, ran: list[Any]) -> None:
    jobs.after_commit("first", 1)
    db.session.execute(text("SELECT 1"))
    db.session.rollback()
    db.session.execute(text("SELECT 1"))
    db.session.commit()
    assert (jobs.waiting(app), ran) == (0, [])


def test_a_job_that_nobody_registered_cannot_be_asked_for(app: Any) -> None:
    with pytest.raises(AssertionError, match="no such job"):
        jobs.after_commit("no such job", 1)


def test_a_queue_that_cannot_be_written_undoes_nothing(app: Any, ran: list[Any], monkeypatch: Any, caplog: Any, capfd: Any) -> None:
    def broken(*_what: Any) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setitem(app.extensions, "run_task", broken)
    jobs.after_commit("first", 1)
    db.session.execute(text("CREATE TABLE kept (id INTEGER)"))
    db.session.commit()
    assert db.session.scalar(text("SELECT count(*) FROM kept")) == 0  # the deed itself is done
    assert ran == []


def test_a_job_may_write_and_commits_by_itself(app: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(jobs, "_jobs", dict(jobs._jobs))

    @jobs.job("write")
    def write(number: int) -> None:
        db.session.execute(text("CREATE TABLE written (id INTEGER)"))
        db.session.execute(text("INSERT INTO written VALUES (:n)"), {"n": number})
        db.session.commit()

    db.session.rollback()
    jobs.run(app, "write", 7)
    assert db.session.scalar(text("SELECT id FROM written")) == 7


def test_where_one_periodic_job_fails_the_others_run_and_the_failure_is_told(app: Any) -> None:
    done = []

    def fails() -> None:
        raise RuntimeError("a mistake of one")

    db.session.rollback()
    with pytest.raises(RuntimeError, match="a mistake of one"):
        jobs.run_all(app, [lambda: done.append(1), fails, lambda: done.append(2)])
    assert done == [1, 2]
    jobs.run_all(app, [lambda: done.append(3)])
    assert done == [1, 2, 3]


def test_every_minute_and_every_hour_what_is_registered_runs(app: Any, monkeypatch: Any) -> None:
    done: list[str] = []
    monkeypatch.setattr(jobs, "_sweeps", [])
    monkeypatch.setattr(jobs, "_hourly", [])
    jobs.sweep(lambda: done.append("minute"))
    jobs.hourly(lambda: done.append("hour"))
    db.session.rollback()
    tasks = {str(name).rpartition(".")[2]: task for name, task in jobs.huey_of(app)._registry._registry.items()}
    for name in ("sweep", "hourly"):
        jobs.huey_of(app).execute(tasks[name]())
    assert done == ["minute", "hour"]


def test_only_an_address_of_redis_is_taken_for_the_queue(tmp_path: Any) -> None:
    with pytest.raises(RuntimeError, match="CONSULT_JOBS"):
        create_app({**SETTINGS, "VAR": tmp_path, "DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "JOBS": "http://queue"})


def test_what_a_failed_periodic_job_began_is_not_committed_by_the_next(app: Any) -> None:
    db.session.execute(text("CREATE TABLE begun (id INTEGER)"))
    db.session.commit()

    def begins() -> None:
        db.session.execute(text("INSERT INTO begun VALUES (1)"))
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        jobs.run_all(app, [begins, lambda: db.session.commit()])
    assert db.session.scalar(text("SELECT count(*) FROM begun")) == 0


def test_a_registered_function_can_still_be_called_by_its_name(app: Any, monkeypatch: Any) -> None:
    for name in ("_jobs", "_sweeps", "_hourly"):
        monkeypatch.setattr(jobs, name, type(getattr(jobs, name))(getattr(jobs, name)))

    def function() -> None:
        pass

    assert jobs.job("x")(function) is jobs.sweep(function) is jobs.hourly(function) is function


def test_the_journal_holds_nothing_after_it_was_forgotten(app: Any) -> None:
    db.session.execute(text("CREATE TABLE told (words TEXT)"))
    db.session.execute(text("INSERT INTO told VALUES ('uniknama')"))
    db.session.commit()
    journal = Path(app.config["DATABASE_URL"].removeprefix("sqlite:///") + "-wal")
    assert b"uniknama" in journal.read_bytes()
    db.session.execute(text("SELECT 1"))
    jobs.after_commit(jobs.FORGET_JOURNAL)
    db.session.commit()
    jobs.drain(app)
    assert not journal.exists() or b"uniknama" not in journal.read_bytes()
