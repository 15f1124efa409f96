"""What a figure cannot be better than: bare programs that do only the unavoidable, on the same server and database.

`gunicorn benchmarks.floors:app`: a Flask view with one indexed SELECT and one durable INSERT through SQLAlchemy Core.
`gunicorn benchmarks.floors:bare`: a process that has imported Flask and SQLAlchemy, and answers.
"""

from __future__ import annotations

import hashlib
import os
import threading
from contextlib import nullcontext

from flask import Flask, Response, jsonify, request
from sqlalchemy import Connection, MetaData, create_engine, event, insert, select, text, update
from sqlalchemy.engine import Engine

metadata = MetaData()


def _engine() -> tuple[Engine, threading.Lock | None]:
    url = os.environ["DATABASE_URL"]
    if not url.startswith("sqlite"):
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://"), pool_size=20, max_overflow=20), None
    engine = create_engine(url, pool_size=20, max_overflow=20)

    @event.listens_for(engine, "connect")
    def connect(raw: object, _record: object) -> None:
        raw.isolation_level = None  # type: ignore[attr-defined]
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000"):
            raw.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine, threading.Lock()


def make_app() -> Flask:
    """The floor of a check-in; `/logged` keeps a hash chain besides, as the product promises: its end is read and moved, an entry added."""
    app = Flask("floor")
    engine, writers = _engine()
    metadata.reflect(engine, only=("registrations", "floor_rows", "floor_log", "floor_ends"))
    registrations, rows, log, ends = (metadata.tables[name] for name in ("registrations", "floor_rows", "floor_log", "floor_ends"))

    def work(asked: dict[str, str], *, is_logged: bool) -> str:
        with writers or nullcontext(), engine.begin() as connection:
            end = connection.execute(select(ends).with_for_update()).one() if is_logged else None
            found = connection.execute(
                select(registrations.c.id, registrations.c.name).where(registrations.c.ticket_hash == asked["hash"])
            ).one()
            connection.execute(insert(rows), {"registration_id": found.id, "nonce": asked["nonce"]})
            if end is not None:
                digest = hashlib.sha256(f"{end.hash}{found.id}{asked['nonce']}".encode()).hexdigest()
                connection.execute(insert(log), {"number": end.number + 1, "hash": digest, "state": asked["nonce"] * 10})
                connection.execute(update(ends).values(number=end.number + 1, hash=digest))
            return str(found.name)

    @app.post("/checkins")
    def check_in() -> Response:
        return jsonify(result="ok", name=work(request.get_json(), is_logged=False))

    @app.post("/logged")
    def check_in_logged() -> Response:
        return jsonify(result="ok", name=work(request.get_json(), is_logged=True))

    return app


def make_tables(connection: Connection) -> None:
    """What the floor writes to, on SQLite or PostgreSQL."""
    key = "SERIAL" if connection.dialect.name == "postgresql" else "INTEGER"
    for statement in (
        f"CREATE TABLE floor_rows (id {key} PRIMARY KEY, registration_id INTEGER, nonce TEXT UNIQUE)",
        "CREATE TABLE floor_log (number INTEGER PRIMARY KEY, hash TEXT UNIQUE, state TEXT)",
        "CREATE TABLE floor_ends (number INTEGER, hash TEXT)",
        "INSERT INTO floor_ends VALUES (0, '0')",
    ):
        connection.execute(text(statement))


bare = Flask("bare")


@bare.get("/")
def nothing() -> str:
    """What a server that does nothing answers."""
    return "nothing"


if "FLOOR" in os.environ:
    app = make_app()
