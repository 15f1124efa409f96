"""Fixtures: a real database per test (a copy of a migrated file), a client per person, real mail files."""

from __future__ import annotations

import contextvars
import email
import email.policy
import os
import shutil
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pyotp
import pytest
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import event as sa_event

from consult_app import audit, create_app, jobs
from consult_app.accounts.models import User
from consult_app.db import db, set_transaction_mode
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import link_secret
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys come last: a worker that has opened a browser keeps its event loop, and sealing runs one of its own."""
    items.sort(key=lambda item: "journeys" in item.path.parts)


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


@pytest.fixture(scope="session")
def template_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file."""
    folder = tmp_path_factory.mktemp("template")
    app = create_app({**SETTINGS, "VAR": folder, "DATABASE_URL": f"sqlite:///{folder / 'consult.db'}"})
    with app.app_context():
        upgrade()
        db.session.remove()
        db.engine.dispose()
    return folder / "consult.db"


@pytest.fixture
def settings() -> dict[str, Any]:
    """Override in a module or class to change the application's settings."""
    return {}


@pytest.fixture
def app(template_database: Path, tmp_path: Path, settings: dict[str, Any]) -> Iterator[Flask]:
    """The application on a fresh database, with a context open for the test itself."""
    shutil.copy(template_database, tmp_path / "consult.db")
    app = create_app({**SETTINGS, "VAR": tmp_path, "DATABASE_URL": f"sqlite:///{tmp_path / 'consult.db'}", **settings})
    app.test_client_class = Client
    set_transaction_mode("deferred")  # a command that an earlier test ran in this process may have chosen another
    with app.app_context():
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


@pytest.fixture
def sent(app: Flask) -> Any:
    """`sent()` runs the jobs that wait and returns all mails so far, oldest first."""

    def read() -> list[EmailMessage]:
        db.session.commit()
        contextvars.Context().run(jobs.drain, app)
        db.session.expire_all()
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
time.tzset()
