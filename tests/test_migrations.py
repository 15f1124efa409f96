"""A site that was there before: its rows, checks and log survive the way up, down and up again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, text

from consult_app import audit, create_app
from consult_app.db import db, transaction_mode
from tests import factories
from tests.conftest import SETTINGS


@pytest.fixture
def app(tmp_path: Path) -> Any:
    app = create_app({**SETTINGS, "VAR": tmp_path, "DATABASE_URL": f"sqlite:///{tmp_path / 'consult.db'}"})
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def schema() -> dict[str, Any]:
    found = {}
    for table in inspect(db.engine).get_table_names():
        look = inspect(db.engine)
        checks = {check["name"]: check["sqltext"] for check in look.get_check_constraints(table)}
        indexes = {index["name"]: (index["column_names"], index["unique"]) for index in look.get_indexes(table)}
        columns = {column["name"]: (str(column["type"]), column["nullable"]) for column in look.get_columns(table)}
        keys = sorted(str(key["constrained_columns"]) + key["referred_table"] for key in look.get_foreign_keys(table))
        found[table] = (checks, indexes, columns, keys)
    return found


def test_up_down_up_keeps_rows_and_the_log(app: Any) -> None:
    upgrade(revision="0001")
    first = schema()
    upgrade()
    newest = schema()
    factories.make_registration(name="Somebody")
    db.session.commit()
    assert audit.verify()[1] == []
    db.session.commit()
    downgrade(revision="0001")
    assert schema() == first
    assert db.session.execute(text("SELECT name FROM registrations")).scalar() == "Somebody"
    db.session.commit()
    upgrade()
    assert schema() == newest
    assert audit.verify()[1] == []


def test_a_command_that_only_read_does_not_stop_the_next_migration(app: Any) -> None:
    with transaction_mode("read"):
        upgrade()
    assert db.session.execute(text("SELECT count(*) FROM registrations")).scalar() == 0
