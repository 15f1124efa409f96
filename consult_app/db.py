"""The database: session, base class, column types, and how a transaction begins.

SQLite (WAL, synchronous=FULL) by default, PostgreSQL by `DATABASE_URL`. On SQLite a transaction that will write begins
IMMEDIATE and waits in a queue inside the process rather than on the file's lock, where waiting processes starve one
another. A transaction that serves a GET is read-only in the database itself, on both (a GET changes nothing).
"""

from __future__ import annotations

import datetime as dt
import enum
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import JSON, DateTime, Dialect, Engine, Enum, MetaData, event
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, registry
from sqlalchemy.types import TypeDecorator

CONVENTION = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

# How long a writer waits for its turn before the answer is 503 with Retry-After, in seconds.
WRITE_PATIENCE = 5.0
PAUSE = 0.02  # seconds between two tries to get the lock of the file, which another process holds
BUSY = 5000  # milliseconds that SQLite itself waits where nobody else would have to: commands, jobs


_clock: ContextVar[dt.datetime | None] = ContextVar("clock", default=None)


def now() -> dt.datetime:
    """This moment, in UTC."""
    return _clock.get() or dt.datetime.now(dt.UTC)


@contextmanager
def clock_at(moment: dt.datetime) -> Iterator[None]:
    """Let `now()` be another moment inside the block: the demonstration plays in 2023."""
    token = _clock.set(moment)
    try:
        yield
    finally:
        _clock.reset(token)


LETTERS = "23456789abcdefghijkmnpqrstuvwxyz"  # readable aloud: no 0, 1, o, l


def random_letters(count: int) -> str:
    """So many letters and digits by chance, five bits each."""
    bits = secrets.randbits(5 * count)
    return "".join([LETTERS[bits >> place & 31] for place in range(0, 5 * count, 5)])


def new_public_id() -> str:
    """An opaque id for URLs: 12 characters, 60 random bits."""
    return random_letters(12)


class UTCDateTime(TypeDecorator[dt.datetime]):
    """A moment: aware in Python, UTC in the database; a naive value is a programming error."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was given to the database")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def enum_type(kind: type[enum.StrEnum]) -> Enum:
    """A column type that keeps the enum's value as text, with a CHECK constraint named after the enum."""
    return Enum(
        kind,
        native_enum=False,
        create_constraint=True,
        length=32,
        name=kind.__name__.lower(),
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    registry = registry(
        metadata=MetaData(naming_convention=CONVENTION),
        type_annotation_map={dict[str, str]: JSON, dict[str, Any]: JSON, list[str]: JSON, dt.datetime: UTCDateTime},
    )


db = SQLAlchemy(model_class=Base)
migrate = Migrate()

if TYPE_CHECKING:

    class Model(Base):
        __abstract__ = True

        def __init__(self, **columns: Any) -> None: ...
else:
    Model = db.Model


class Public:
    """Mixin for rows that a URL may name."""

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=new_public_id)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)


Row = TypeVar("Row")


def copy_of(model: type[Row], **columns: Any) -> Row:
    """A row to be read outside any session, with these columns and no others: to ask for another is an AttributeError.

    It is made past SQLAlchemy's instrumentation, which takes twenty times as long: the desk makes a few with each scan.
    """
    row = model.__new__(model)
    vars(row).update(columns)
    return row


_mode: ContextVar[str] = ContextVar("transaction_mode", default="deferred")
_writers = threading.Lock()
_patience_ends: ContextVar[float] = ContextVar("patience_ends", default=0.0)  # of a request, by time.monotonic()


def _patience() -> float:
    """Seconds that this request still waits for its turn; a job, which begins no request, waits for the whole time each time."""
    ends = _patience_ends.get()
    return min(max(ends - time.monotonic(), PAUSE), WRITE_PATIENCE) if ends else WRITE_PATIENCE


@contextmanager
def transaction_mode(mode: str) -> Iterator[None]:
    """Choose how transactions begin inside the block: "read" (cannot write), "write" (queues first) or "deferred"."""
    token = _mode.set(mode)
    try:
        yield
    finally:
        _mode.reset(token)


def set_transaction_mode(mode: str) -> None:
    """As `transaction_mode`, for the rest of this context (a request), whose patience begins now."""
    _mode.set(mode)
    _patience_ends.set(time.monotonic() + WRITE_PATIENCE)


def is_alone() -> bool:
    """Whether nobody else can have written since this transaction began: on SQLite one that writes waits before it reads."""
    return _mode.get() == "write" and db.engine.dialect.name == "sqlite"


@contextmanager
def alone() -> Iterator[Connection]:
    """A connection for one statement that reads and has no part in the request's transaction."""
    # PostgreSQL needs no BEGIN and ROLLBACK around it; SQLite's transactions are begun by us, below
    options = {"isolation_level": "AUTOCOMMIT"} if db.engine.dialect.name == "postgresql" else {}
    with transaction_mode("deferred"), db.engine.connect().execution_options(**options) as connection:
        yield connection


class QueuedConnection(sqlite3.Connection):
    """A connection that gives up its place in the writers' queue only once its commit is durable."""

    queued = False
    only_reads: bool | None = None  # as `PRAGMA query_only` was set last
    waits = True  # whether SQLite itself waits for the lock of the file

    def may_write(self, may: bool) -> None:
        if self.only_reads is not (not may):
            self.execute(f"PRAGMA query_only={'OFF' if may else 'ON'}")
            self.only_reads = not may

    def wait_for_lock(self, wait: bool) -> None:
        if self.waits is not wait:
            self.execute(f"PRAGMA busy_timeout={BUSY if wait else 0}")
            self.waits = wait

    def begin_writing(self) -> None:
        """Wait for the turn, and for another process that may hold the file. Raises sqlite3.OperationalError after WRITE_PATIENCE."""
        patience = _patience()
        end = time.monotonic() + patience
        if not _writers.acquire(timeout=patience):
            raise sqlite3.OperationalError("database is locked")
        self.queued = True
        try:
            while not self._has_begun(is_last_try=time.monotonic() >= end):
                time.sleep(PAUSE)
        except BaseException:
            self.leave_queue()
            raise

    def _has_begun(self, *, is_last_try: bool) -> bool:
        """SQLite's own waiting would hold up the whole process, readers too: under gevent all requests share one thread."""
        self.wait_for_lock(False)
        try:
            self.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as problem:
            if problem.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or is_last_try:
                raise
            return False
        return True

    def commit(self) -> None:
        super().commit()
        self.leave_queue()

    def rollback(self) -> None:
        super().rollback()
        self.leave_queue()

    def leave_queue(self) -> None:
        if self.queued:
            self.queued = False
            _writers.release()


def _on_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # we begin transactions ourselves, below
        # secure_delete: what is erased is overwritten, and not only unlinked until its page is needed again
        # wal_autocheckpoint: pages, 16 MB; a crowd at the desk then waits a quarter as often for the journal to be moved into the file
        pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON", "wal_autocheckpoint=4000")
        for pragma in (*pragmas, f"busy_timeout={BUSY}"):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        mode = _mode.get()
        raw = connection.connection.dbapi_connection
        assert isinstance(raw, QueuedConnection)
        raw.may_write(mode != "read")
        if mode == "write":
            try:
                raw.begin_writing()
            except sqlite3.OperationalError as problem:
                raise OperationalError("BEGIN IMMEDIATE", {}, problem) from problem
        else:
            raw.wait_for_lock(True)
            raw.execute("BEGIN")


def forget_journal() -> None:
    """Empty SQLite's journal into the database, so that nothing of what was overwritten stands there; outside a transaction."""
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            raw = connection.connection.dbapi_connection
            assert isinstance(raw, QueuedConnection)
            raw.wait_for_lock(True)
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _on_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if _mode.get() == "read":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        elif _mode.get() == "write":  # a request's; a job waits as long as it takes
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(1000 * _patience())}")


def _let_go(_problem: BaseException | None = None) -> None:
    """End the session. The answer is made by now: a connection that was lost since, as it was to be rolled back, takes nothing from it."""
    try:
        db.session.remove()
    except DBAPIError as problem:
        if not problem.connection_invalidated:
            raise
        db.session.registry.clear()


def url_of(address: str) -> str:
    """The address as SQLAlchemy knows it: PostgreSQL by psycopg."""
    if address.startswith(("postgres://", "postgresql://")):
        return "postgresql+psycopg://" + address.split("://", 1)[1]
    return address


def init_app(app: Flask) -> None:
    """Bind the engine that `DATABASE_URL` names and the migrations in `migrations/`."""
    url = url_of(app.config["DATABASE_URL"])
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    # pool_timeout: a crowd waits a little for a connection rather than failing at once
    # hide_parameters: what a statement was given is somebody's name and address, and an error stands in the log
    # pool_use_lifo: the one that was used last, whose pages SQLite still has; in turn, each of twenty would fill a cache of its own
    options: dict[str, Any] = {"pool_size": 20, "max_overflow": 20, "pool_timeout": 5, "pool_use_lifo": True, "hide_parameters": True}
    if url.startswith("sqlite:///"):
        options["connect_args"] = {"factory": QueuedConnection}
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options
    db.init_app(app)
    app.teardown_appcontext(_let_go)
    with app.app_context():
        (_on_sqlite if db.engine.dialect.name == "sqlite" else _on_postgresql)(db.engine)
    migrate.init_app(app, db, directory=str(app.config["MIGRATIONS"]), render_as_batch=True)
