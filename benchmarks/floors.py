"""What a figure cannot be better than: bare programs that do only the unavoidable, on the same server and database.

`gunicorn benchmarks.floors:app`: a Flask view with one indexed SELECT and one durable INSERT through SQLAlchemy Core.
"""

from __future__ import annotations

import os
import threading

from flask import Flask, Response, jsonify, request
from sqlalchemy import Connection, MetaData, create_engine, event, insert, select
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
    """The floor of a check-in."""
    app = Flask("floor")
    engine, writers = _engine()
    metadata.reflect(engine, only=("registrations", "floor_rows"))
    registrations, rows = metadata.tables["registrations"], metadata.tables["floor_rows"]

    @app.post("/checkins")
    def check_in() -> Response:
        asked = request.get_json()
        if writers is not None:
            writers.acquire()
        try:
            with engine.begin() as connection:
                found = connection.execute(
                    select(registrations.c.id, registrations.c.name).where(registrations.c.ticket_hash == asked["hash"])
                ).one()
                connection.execute(insert(rows), {"registration_id": found.id, "nonce": asked["nonce"]})
        finally:
            if writers is not None:
                writers.release()
        return jsonify(result="ok", name=found.name)

    return app


if "FLOOR" in os.environ:
    app = make_app()
