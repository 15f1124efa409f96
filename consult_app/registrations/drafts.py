"""Lists of people that were read and wait to be looked at: one way for registrations and for invitations (product.md rule 2)."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.consultations.models import ImportDraft, ImportKind
from consult_app.db import db
from consult_app.errors import Conflict, Missing
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.policy import Actor


@audit.in_turn
def keep(event: Event, kind: ImportKind, filename: str, rows: dict[str, Any], *, by: Actor) -> ImportDraft:
    """Keep what was read; nothing of it is saved."""
    draft = ImportDraft(
        consultation_id=event.consultation_id, event_id=event.id, kind=kind, filename=filename[:200], rows=rows,
        created_by_id=by.id if isinstance(by, User) else None,
    )  # fmt: skip
    db.session.add(draft)
    return draft


def load(event: Event, kind: ImportKind, public_id: str) -> ImportDraft:
    """A draft of this event and kind. Raises Missing."""
    query = select(ImportDraft).where(ImportDraft.public_id == public_id, ImportDraft.event_id == event.id, ImportDraft.kind == kind)
    draft = db.session.scalar(query)
    if draft is None:
        raise Missing(_("This list was saved or dropped already."))
    return draft


def take(event: Event, kind: ImportKind, public_id: str) -> list[dict[str, Any]]:
    """The rows of a draft without errors, which is gone with this transaction. Raises Missing, Conflict."""
    query = select(ImportDraft.id).where(ImportDraft.public_id == public_id, ImportDraft.event_id == event.id, ImportDraft.kind == kind)
    audit.take_turn(event.consultation_id, event)
    if db.session.scalar(query) is None:  # of two clicks at once, the second waits here and finds nothing
        raise Missing(_("This list was saved or dropped already."))
    draft = load(event, kind, public_id)
    if draft.rows["faults"]:
        raise Conflict(_("This list has errors. Correct them in the file, and upload it again."))
    rows: list[dict[str, Any]] = draft.rows["rows"]
    db.session.delete(draft)
    return rows
