"""A database that is busy for longer than the patience: 503 in words, to everybody, once (docs/reliability.md)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from consult_app import db as database
from consult_app.attendance.devices import create_token
from consult_app.db import db
from consult_app.policy import Role
from tests import factories
from tests.test_postgresql import app, postgresql

__all__ = ["app", "postgresql"]
pytestmark = pytest.mark.xdist_group("postgresql")
PATIENCE = 0.4  # seconds, here


@contextmanager
def locked(consultation_id: int) -> Iterator[None]:
    """Another process writes for long."""
    if db.engine.dialect.name == "sqlite":
        other = sqlite3.connect(str(db.engine.url.database), isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            other.rollback()
            other.close()
    else:
        with db.engine.begin() as connection:
            connection.execute(text("SELECT 1 FROM audit_heads WHERE chain = :chain FOR UPDATE"), {"chain": str(consultation_id)})
            yield


@contextmanager
def without_connections(_consultation_id: int) -> Iterator[None]:
    """Every connection is in use."""
    with ExitStack() as held:
        for _n in range(db.engine.pool.size() + 20):  # type: ignore[attr-defined]
            held.enter_context(db.engine.connect())
        yield


@pytest.mark.parametrize("how", [locked, without_connections])
def test_everybody_is_told_in_words_after_the_patience_and_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch, how: Callable[[int], Any]
) -> None:
    consultation = factories.make_consultation()
    event = factories.make_event(consultation)
    user, person = factories.make_user(Role.ORGANISER, consultation), factories.make_registration(event)
    token = create_token(event, "Desk", by=factories.BY)[1]
    db.session.commit()
    staff, participant, nobody = (app.test_client() for _n in range(3))
    staff.sign_in(user)  # type: ignore[attr-defined]
    db.session.add(person)
    participant.open_link(person)  # type: ignore[attr-defined]
    db.session.add_all([consultation, event])
    team_url, scan_url = f"/consultations/{consultation.slug}/stakeholder-types", f"/api/v1/events/{event.slug}/checkins"
    consultation_id, bearer = consultation.id, {"Authorization": f"Bearer {token}"}
    asked = [
        lambda: staff.post(team_url, data={"name-en": "Schools"}),
        lambda: participant.post("/my/data", data={"kind": "other", "words": "Why?"}),
        lambda: nobody.post(scan_url, json={"code": "x", "nonce": "n"}, headers=bearer),
    ]
    if how is without_connections or db.engine.dialect.name == "sqlite":  # on PostgreSQL it waits for no log
        asked.append(lambda: nobody.post("/open/again", data={"email": "somebody@example.org"}))
    monkeypatch.setattr(database, "WRITE_PATIENCE", PATIENCE)
    monkeypatch.setattr(db.engine.pool, "_timeout", PATIENCE)
    db.session.remove()
    with how(consultation_id):
        for number, ask in enumerate(asked):
            begun = time.monotonic()
            answer = ask()
            took = time.monotonic() - begun
            assert answer.status_code == 503, (number, answer.text)
            assert took < 2 * PATIENCE, (number, took)
            seconds = answer.headers["Retry-After"]
            if answer.is_json:
                assert seconds in answer.json["message"]
            else:
                assert f"{seconds} seconds" in answer.text
                assert "Our mistake" not in answer.text
    assert staff.get("/").status_code == 200
