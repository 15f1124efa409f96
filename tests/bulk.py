"""Many rows out of few: each participant of a consultation, with all that hangs on them, so many times, inside the database.

For measurements and for tests that count; the log is not written, so that it does not verify afterwards.
"""

from __future__ import annotations

from typing import Any

from flask import current_app
from sqlalchemy import Integer, String, Table, UniqueConstraint, func, insert, literal, select
from sqlalchemy.orm import Session

from consult_app.db import Base

# what belongs to one participant, or to one comment of theirs
OF_PEOPLE = (
    "institutions", "people", "event_invitations", "registrations", "check_ins", "certificates", "comments", "comment_drafts", "consents",
    "drawn_signatures", "join_codes", "positions", "question_answers", "assignments", "attachments", "change_links", "dispositions",
    "endorsements", "objections", "proposed_answers", "replies", "hands", "mails", "link_requests", "data_requests", "follow_ups",
    "follow_up_notes", "messages", "printouts", "devices",
)  # fmt: skip
# the consultation itself, with all that is made before anybody comes
OF_CONSULTATIONS = (
    "consultations", "dimensions", "events", "indicators", "sections", "revisions", "sessions", "stakeholder_types", "rooms", "questions",
    "quotas", "letterheads", "memberships", "focal_points",
)  # fmt: skip


def multiply(session: Session, times: int, tables: tuple[str, ...] = OF_PEOPLE) -> dict[str, int]:
    """Copy every row of the tables `times` times, references among them included; how many rows each has then."""
    current_app.extensions["figures"].clear()  # the log does not tell that what was counted is no longer so
    metadata = Base.metadata
    copied = [table for table in metadata.sorted_tables if table.name in tables]
    first = {table.name: session.scalar(select(func.coalesce(func.max(table.c.id), 0)).select_from(table)) or 0 for table in copied}
    numbers = select(literal(1).label("i")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.i + 1).where(numbers.c.i < times))
    i = numbers.c.i
    for table in copied:
        columns = list(table.columns)
        taken = select(*(_copied(one, table, i, first) for one in columns)).select_from(table.join(numbers, literal(True)))
        session.execute(insert(table).from_select([one.name for one in columns], taken.where(table.c.id <= first[table.name])))
        if session.get_bind().dialect.name == "postgresql":  # its numbering goes on behind what was copied
            session.execute(
                select(func.setval(func.pg_get_serial_sequence(table.name, "id"), select(func.max(table.c.id)).scalar_subquery()))
            )
    return {table.name: first[table.name] * (times + 1) for table in copied}


def _copied(one: Any, table: Table, i: Any, first: dict[str, int]) -> Any:
    """What stands in a column of copy `i`."""
    if one.name == "id":
        return one + i * first[table.name]
    for key in one.foreign_keys:
        if key.column.table.name in first:
            return one + i * first[key.column.table.name]
    if one.name not in _alone(table, first):
        return one
    if isinstance(one.type, Integer):
        return one + i * 1000 * first[table.name]
    return one.op("||")(f"~{first[table.name]}~").op("||")(i.cast(String))


def _alone(table: Table, first: dict[str, int]) -> set[str]:
    """Columns whose value has to be another one in each copy, since no reference to a copied row tells the copies apart."""
    keys = [key for key in table.constraints if isinstance(key, UniqueConstraint)] + [index for index in table.indexes if index.unique]
    found: set[str] = set()
    for key in keys:
        if not any(ref.column.table.name in first for one in key.columns for ref in one.foreign_keys):
            found |= {one.name for one in key.columns if not one.foreign_keys}
    return found
