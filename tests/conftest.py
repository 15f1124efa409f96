"""Fixtures: a real database per test (a copy of a migrated file), a client per person, real mail files."""

from __future__ import annotations

import atexit
import contextvars
import email
import email.policy
import gc
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import pyotp
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from flask import Flask, current_app, has_app_context
from flask.testing import FlaskClient
from flask_migrate import upgrade
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event as sa_event
from werkzeug.routing import Map, RuleFactory
from whitenoise import WhiteNoise

import consult_app
from consult_app import audit, create_app, jobs
from consult_app.accounts.models import User
from consult_app.db import db, set_transaction_mode, transaction_mode
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import link_secret
from consult_app.reports import seal
from tests.factories import PASSWORD

SETTINGS: dict[str, Any] = {
    "TESTING": True,
    "WTF_CSRF_ENABLED": False,
    "RATELIMIT_ENABLED": False,
    "BASE_URL": "http://127.0.0.1:8000",
    "SECRET_KEY": "secret-of-the-tests",
    "TOKEN_KEY": "token-key-of-the-tests",
    "MAIL_URL": "",
    "DEMO": False,
}


RECOVERY_CODE = r"\b[2-9a-z]{4}(?:-[2-9a-z]{4}){5}\b"


class OnceMap(Map):
    """The addresses of all tests' applications: to compile 250 of them takes longer than most tests."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.known: set[tuple[str, str, frozenset[str]]] = set()

    def add(self, rulefactory: RuleFactory) -> None:
        for rule in rulefactory.get_rules(self):
            key = (rule.rule, rule.endpoint, frozenset(rule.methods or ()))
            if key not in self.known:
                self.known.add(key)
                super().add(rule)


class OnceWhiteNoise(WhiteNoise):  # type: ignore[misc]
    """The built files, whose size and headers all tests' applications share: to look at them takes a third of making an application."""

    looked: dict[tuple[str, str], dict[str, Any]] = {}

    def update_files_dictionary(self, root: str, prefix: str) -> None:
        if (root, prefix) not in self.looked:
            super().update_files_dictionary(root, prefix)
            self.looked[root, prefix] = dict(self.files)
        self.files.update(self.looked[root, prefix])


@pytest.fixture(scope="session", autouse=True)
def compiled_addresses() -> Iterator[None]:
    """One map, and one look at the built files, for every application of this process."""
    addresses = OnceMap()
    gc.freeze()  # what is imported stays; the collector need not look at it after every few tests
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Flask, "url_map_class", staticmethod(lambda **_options: addresses))
        patch.setattr(consult_app, "WhiteNoise", OnceWhiteNoise)
        yield


@pytest.fixture(scope="session", autouse=True)
def keys_of_seals() -> Iterator[None]:
    """Three keys for all seals of this process, in turn: real ones are larger, and take longer than what is tested with them."""

    def pem() -> bytes:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())

    keys = itertools.cycle([pem() for _n in range(3)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seal, "_new_key", lambda: next(keys))
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys come last: a worker that has opened a browser keeps its event loop, and sealing runs one of its own.

    The demonstration takes half a minute to load. One test that wants it begins, and the rest wait until those that do not are run.
    """
    demo = [item for item in items if {"demo_site", "own_demo_site"} & set(getattr(item, "fixturenames", ()))]
    order = dict.fromkeys(demo, 3) | dict.fromkeys(demo[:1], 1)
    items.sort(key=lambda item: order.get(item, 2) if "journeys" in item.path.parts else 0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Before any fixture: a command or request that an earlier test ran in this process may have chosen another mode."""
    set_transaction_mode("deferred")


class Client(FlaskClient):
    """A browser without a screen: each request runs in a context of its own, as on a server."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if not has_app_context():  # a redirect that is followed: we are inside the request's own context
            return super().open(*args, **kwargs)
        db.session.commit()  # what the test prepared is there, and nothing of it is locked
        try:
            return contextvars.Context().run(super().open, *args, **kwargs)
        finally:
            db.session.expire_all()

    def sign_in(self, user: User) -> Client:
        """Sign in as staff do, with password and second factor."""
        answer = self.post("/sign-in", data={"email": user.email, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        if user.totp_secret:
            user.totp_last_step = 0
            answer = self.post("/second-factor", data={"code": totp(user)})
            assert answer.status_code == 303, answer.text
        return self

    def open_link(self, registration: Registration) -> Client:
        """Open a participant's personal link."""
        answer = self.post("/open", data={"token": link_secret(registration.seed)})
        assert answer.status_code == 303, answer.text
        return self


def totp(user: User) -> str:
    """The code that the user's authenticator shows now, usable even if it was used a moment ago."""
    assert user.totp_secret is not None
    user.totp_last_step = 0
    db.session.commit()
    return pyotp.TOTP(user.totp_secret).now()


@cache
def template_database() -> Path:
    """A migrated, empty SQLite file: made once in a process, since to migrate takes a second, and gone with it."""
    folder = Path(tempfile.mkdtemp(prefix="consult-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    app = create_app({**SETTINGS, "VAR": folder, "DATABASE_URL": f"sqlite:///{folder / 'consult.db'}"})
    with app.app_context(), transaction_mode("deferred"):
        upgrade()
        db.session.remove()
        db.engine.dispose()
    return folder / "consult.db"


def empty_database(var: Path) -> str:
    """Put a migrated, empty database into the folder; its address."""
    shutil.copy(template_database(), var / "consult.db")
    return f"sqlite:///{var / 'consult.db'}"


@pytest.fixture
def settings() -> dict[str, Any]:
    """Override in a module or class to change the application's settings."""
    return {}


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates are compiled once for all tests of all workers: each test has an application of its own."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "templates"
    folder.mkdir(exist_ok=True)
    return FileSystemBytecodeCache(str(folder))


@pytest.fixture(scope="session")
def compiled_statements() -> dict[str, Any]:
    """The dialect, with what SQL was compiled for it, that the engines of a worker's tests share: each test has an engine of its own."""
    return {"cache": {}}


@pytest.fixture
def app(
    compiled_templates: FileSystemBytecodeCache,
    compiled_statements: dict[str, Any],
    tmp_path: Path,
    settings: dict[str, Any],
) -> Iterator[Flask]:
    """The application on a fresh database, with a context open for the test itself."""
    app = create_app({**SETTINGS, "VAR": tmp_path, "DATABASE_URL": empty_database(tmp_path), **settings})
    app.test_client_class = Client
    app.jinja_env.bytecode_cache = compiled_templates
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            sa_event.listen(db.engine, "connect", lambda raw, _record: raw.execute("PRAGMA synchronous=OFF"))  # no test here cuts the power
            db.engine.dialect = compiled_statements.setdefault("dialect", db.engine.dialect)
            db.engine.update_execution_options(compiled_cache=compiled_statements["cache"])
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> Client:
    """Somebody who is not signed in."""
    return app.test_client()  # type: ignore[return-value]


@pytest.fixture
def browse(app: Flask) -> Any:
    """`browse(user)`, `browse(registration)` or `browse()`: a new client, signed in as that person."""

    def make(who: User | Registration | None = None) -> Client:
        db.session.commit()
        client: Any = app.test_client()
        if isinstance(who, User):
            client.sign_in(who)
        elif who is not None:
            client.open_link(who)
        return client  # type: ignore[no-any-return]

    return make


def run_jobs() -> None:
    """Do what waits for the worker."""
    db.session.commit()
    contextvars.Context().run(jobs.drain, current_app._get_current_object())  # type: ignore[attr-defined]
    db.session.expire_all()


@pytest.fixture
def sent(app: Flask) -> Any:
    """`sent()` runs the jobs that wait and returns all mails so far, oldest first."""

    def read() -> list[EmailMessage]:
        run_jobs()
        files = sorted((app.config["VAR"] / "mail").glob("*.eml"))
        return [email.message_from_bytes(f.read_bytes(), policy=email.policy.default) for f in files]

    return read


@pytest.fixture
def audit_ok(app: Flask) -> Iterator[None]:
    """After the test, the log verifies: whatever was changed was recorded."""
    yield
    db.session.commit()
    _count, faults = audit.verify()
    assert faults == []


@pytest.fixture
def last_entry(app: Flask) -> Any:
    """`last_entry("registration.cancel")`: the newest entry of that action, or None."""

    def find(action: str) -> audit.AuditEntry | None:
        found: audit.AuditEntry | None = db.session.scalar(
            db.select(audit.AuditEntry).where(audit.AuditEntry.action == action).order_by(audit.AuditEntry.id.desc()).limit(1)
        )
        return found

    return find


@pytest.fixture
def count_queries(app: Flask) -> Any:
    """`with count_queries() as statements: …`: the SELECTs and writes in between."""

    class Counter:
        def __enter__(self) -> list[str]:
            self.statements: list[str] = []
            sa_event.listen(db.engine, "before_cursor_execute", self.note)
            return self.statements

        def note(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
                self.statements.append(statement)

        def __exit__(self, *_error: object) -> None:
            sa_event.remove(db.engine, "before_cursor_execute", self.note)

    return Counter


os.environ["TZ"] = "UTC"
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the hundred processes that tests start keep what the first one compiled
time.tzset()
