"""The job queue: huey, in a SQLite file of its own beside the database.

A job is a function of ids, registered under a name. It is queued only once the transaction that asks for it has
committed, may run twice, and commits itself. What must not be lost (mail) also stands in a table, and `sweep` picks up
what a crash left behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from flask import Flask, current_app
from huey import SqliteHuey, crontab
from sqlalchemy import event
from sqlalchemy.orm import Session

from .db import db, transaction_mode

log = structlog.get_logger()
Job = Callable[..., None]
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


def run(app: Flask, name: str, *ids: int) -> None:
    """Run a job now, in an application context and a transaction that may write."""
    with app.app_context(), transaction_mode("write"):
        _jobs[name](*ids)


def init_app(app: Flask) -> None:
    """Open the queue and connect it to the session."""
    app.config["VAR"].mkdir(parents=True, exist_ok=True)
    huey = SqliteHuey("consult", filename=str(app.config["VAR"] / "jobs.db"), fsync=True)
    app.extensions["huey"] = huey

    @huey.task(retries=8, retry_delay=60, name="run")  # type: ignore[untyped-decorator]
    def run_task(name: str, ids: list[int]) -> None:
        run(app, name, *ids)

    @huey.periodic_task(crontab(minute="*"), name="sweep")  # type: ignore[untyped-decorator]
    def sweep_task() -> None:
        with app.app_context(), transaction_mode("write"):
            for function in _sweeps:
                function()

    @huey.periodic_task(crontab(minute="7"), name="hourly")  # type: ignore[untyped-decorator]
    def hourly_task() -> None:
        with app.app_context(), transaction_mode("write"):
            for function in _hourly:
                function()

    app.extensions["run_task"] = run_task


@event.listens_for(Session, "after_commit")
def _queue(session: Session) -> None:
    for name, ids in session.info.pop("jobs", []):
        current_app.extensions["run_task"](name, list(ids))


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    session.info.pop("jobs", None)


def huey_of(app: Flask) -> Any:
    """The queue of an application."""
    return app.extensions["huey"]


def drain(app: Flask) -> int:
    """Run everything that is queued, here and now; return how many. For tests and `consult jobs`."""
    huey = huey_of(app)
    done = 0
    while (task := huey.dequeue()) is not None:
        huey.execute(task)
        done += 1
    return done
