"""The migrations up, down and up again over a site that is full: the same rows are there, and the log ends where it did."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask_migrate import downgrade, upgrade

from consult_app import audit, create_app
from consult_app.comments.actions import write_comment
from consult_app.comments.models import CommentKind
from consult_app.consultations.actions import open_section
from consult_app.db import db, new_public_id
from proofs import Finding
from tests import factories
from tests.conftest import SETTINGS
from tests.factories import BY
from tests.postgresql import postgresql_server

FIRST = "0001"  # the schema of the first release; below it there is nothing
PART = 5000  # rows in one statement


def _copies(table: sa.Table, row: dict[str, Any], count: int, **own: Any) -> Iterable[dict[str, Any]]:
    """The row over and over, with keys of its own, and the columns that `own` makes of a number."""
    for n in range(count):
        yield {**row, "id": row["id"] + 1 + n, "public_id": new_public_id(), **{name: make(n) for name, make in own.items()}}


def _fill(people: int, comments: int) -> None:
    """So many people at an event, and comments by them; one of each is made as the product makes it, and stands in the log."""
    event = factories.make_event()
    open_section(event.consultation.sections[0], by=BY)
    somebody = factories.make_registration(event)
    indicator = event.consultation.sections[0].dimension.indicators[0]
    comment = write_comment(indicator, somebody, CommentKind.CONTEXT, "The first", by=BY, client_key="first-of-all-comments")
    db.session.commit()
    connection = db.session.connection()

    def insert(row: Any, count: int, **own: Any) -> None:
        table = row.__table__
        first = dict(connection.execute(sa.select(table).where(table.c.id == row.id)).mappings().one())
        part: list[dict[str, Any]] = []
        for copy in _copies(table, first, count, **own):
            part.append(copy)
            if len(part) == PART:
                connection.execute(table.insert(), part)
                part.clear()
        if part:
            connection.execute(table.insert(), part)

    person_id, registration_id, number = somebody.person_id, somebody.id, comment.number
    insert(somebody.person, people - 1, email=lambda n: f"copy{n}@example.org")
    insert(
        somebody,
        people - 1,
        person_id=lambda n: person_id + 1 + n,
        client_key=lambda n: f"copy{n}",
        ticket_hash=lambda n: f"{n:064x}",
        link_hash=lambda n: f"{n:064x}",
    )
    insert(
        comment,
        comments - 1,
        number=lambda n: number + 1 + n,
        client_key=lambda n: f"copy{n}",
        registration_id=lambda n: registration_id + n % people,
        person_id=lambda n: person_id + n % people,
    )
    db.session.commit()


def _counts() -> dict[str, int]:
    """Rows of every table of the first schema; what later ones add is gone on the way down."""
    with db.engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return {name: connection.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}


def migrations(*, people: int, comments: int) -> Finding:
    """On both databases."""
    figures, holds = [], True
    for name, server in (("SQLite", contextlib.nullcontext()), ("PostgreSQL", postgresql_server())):
        with tempfile.TemporaryDirectory() as folder, server as url:
            address = url or f"sqlite:///{Path(folder) / 'consult.db'}"
            app = create_app({**SETTINGS, "VAR": Path(folder), "DATABASE_URL": address})
            with app.app_context():
                upgrade()
                _fill(people, comments)
                before, heads = _counts(), db.session.execute(sa.select(audit.HEADS)).all()
                db.session.remove()
                downgrade(revision=FIRST)
                down = _counts()
                upgrade()
                same = _counts() == before and all(
                    count == before[table] for table, count in down.items() if table in before.keys() - {"alembic_version"}
                )
                same_head = db.session.execute(sa.select(audit.HEADS)).all() == heads
                faults = [fault for fault in audit.verify()[1] if "never recorded" not in fault.what]  # the copies were made past the log
                db.session.remove()
                db.engine.dispose()
        holds = holds and same and same_head and not faults
        figures.append(
            f"{name}: {before['people']:,} people, {before['comments']:,} comments, {'same counts' if same else 'OTHER COUNTS'}, "
            f"{'same head' if same_head else 'ANOTHER HEAD'}{f', {faults[:2]}' if faults else ''}"
        )
    return Finding("; ".join(figures), holds)
