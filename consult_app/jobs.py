"""The job queue: huey, in a SQLite file of its own beside the data, or in Redis (`CONSULT_JOBS`).

A job is a function of ids, registered under a name. It is queued only once the transaction that asks for it has
committed, may run twice, and commits itself. What must not be lost (mail) also stands in a table, and `sweep` picks up
what a crash left behind.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import redis
import structlog
from flask import Flask, current_app
from huey import RedisHuey, SqliteHuey, crontab
from sqlalchemy import event
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from .db import db, forget_journal, transaction_mode

log = structlog.get_logger()
Job = Callable[..., None]
FORGET_JOURNAL = "database.forget_journal"
_jobs: dict[str, Job] = {}
_sweeps: list[Job] = []
_hourly: list[Job] = []


def job(name: str) -> Callable[[Job], Job]:
    """Register a function as the job `name`."""

    def register(function: Job) -> Job:
        _jobs[name] = function
        return function

    return register


def sweep(function: Job) -> Job:
    """Register a function that runs every minute and queues again what was left behind."""
    _sweeps.append(function)
    return function


def hourly(function: Job) -> Job:
    """Register a function that runs once an hour: what is done daily, on machines that are not on at night."""
    _hourly.append(function)
    return function


def after_commit(name: str, *ids: int) -> None:
    """Queue the job `name` once the current transaction has committed; a rollback forgets it."""
    assert name in _jobs, name
    db.session().info.setdefault("jobs", []).append((name, ids))


@job(FORGET_JOURNAL)
def _forget_journal() -> None:
    """After personal data was erased: no file of the database keeps what stood there before."""
    db.session.rollback()
    forget_journal()


def run(app: Flask, name: str, *ids: int) -> None:
    """Run a job now, in an application context and a transaction that may write."""
    with app.app_context(), transaction_mode("write"), bound_contextvars(job=name, ids=ids):
        _jobs[name](*ids)


def run_all(app: Flask, functions: Sequence[Job]) -> None:
    """Run each, also where an earlier one failed; the last failure is raised at the end, so that the queue logs it."""
    failure: Exception | None = None
    with app.app_context(), transaction_mode("write"):
        for function in functions:
            try:
                function()
            except Exception as problem:
                db.session.rollback()
                log.exception("periodic job failed", job=function.__name__)
                failure = problem
    if failure is not None:
        raise failure


def _open(app: Flask) -> Any:
    wanted: str = app.config["JOBS"]
    if not wanted:
        return SqliteHuey("consult", filename=str(app.config["VAR"] / "jobs.db"), fsync=True)
    if not wanted.startswith(("redis://", "rediss://", "unix://")):
        raise RuntimeError("CONSULT_JOBS is redis://…, or empty")
    return RedisHuey("consult", url=wanted)


def init_app(app: Flask) -> None:
    """Open the queue and connect it to the session."""
    app.config["VAR"].mkdir(parents=True, exist_ok=True)
    huey = _open(app)
    app.extensions["huey"] = huey

    @huey.task(retries=8, retry_delay=60, name="run")  # type: ignore[untyped-decorator]
    def run_task(name: str, ids: list[int]) -> None:
        run(app, name, *ids)

    @huey.periodic_task(crontab(minute="*"), name="sweep")  # type: ignore[untyped-decorator]
    def sweep_task() -> None:
        run_all(app, _sweeps)

    @huey.periodic_task(crontab(minute="7"), name="hourly")  # type: ignore[untyped-decorator]
    def hourly_task() -> None:
        run_all(app, _hourly)

    app.extensions["run_task"] = run_task


@event.listens_for(Session, "after_commit")
def _queue(session: Session) -> None:
    for name, ids in session.info.pop("jobs", []):
        try:
            current_app.extensions["run_task"](name, list(ids))
        except (redis.RedisError, sqlite3.Error) as problem:
            # the deed itself is done; what the job is for stands in a table, and `sweep` finds it
            log.error("job not queued", job=name, ids=ids, problem=str(problem))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop("jobs", None)


def huey_of(app: Flask) -> Any:
    """The queue of an application."""
    return app.extensions["huey"]


def waiting(app: Flask) -> int:
    """How many jobs wait now."""
    return int(huey_of(app).pending_count())


def drain(app: Flask) -> int:
    """Run everything that is queued, here and now; return how many. For tests and measurements."""
    huey = huey_of(app)
    done = 0
    while (task := huey.dequeue()) is not None:
        huey.execute(task)
        done += 1
    return done
