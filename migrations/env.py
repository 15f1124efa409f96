"""How alembic runs here: online, on the application's own engine."""

from __future__ import annotations

from typing import Any

from alembic import context
from flask import current_app
from flask_migrate import Migrate

from consult_app.db import UTCDateTime, transaction_mode

migrate: Migrate = current_app.extensions["migrate"]


def render_item(kind: str, thing: Any, _autogen: Any) -> str | bool:
    """Migrations stand on their own: our column types are written as what they are in the database."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(thing, UTCDateTime) else False


# whatever this thread did before: a command that only read has left its mode behind
with transaction_mode("deferred"), migrate.db.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=migrate.db.metadata,
        render_item=render_item,
        **current_app.extensions["migrate"].configure_args,
    )
    # SQLite changes a table by building it anew: references must not be followed while the old one is dropped
    raw = connection.connection.driver_connection if connection.dialect.name == "sqlite" else None
    if raw is not None:
        raw.execute("PRAGMA foreign_keys=OFF")
    with context.begin_transaction():
        context.run_migrations()
        if raw is not None and (broken := raw.execute("PRAGMA foreign_key_check").fetchall()):
            raise RuntimeError(f"references are broken: {broken[:5]}")
    connection.commit()
    if raw is not None:
        raw.execute("PRAGMA foreign_keys=ON")
