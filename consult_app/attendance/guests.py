"""What a device holds of the guests: only what its screen needs, and only what changed since it last asked.

The cursor is the number of the last entry in the consultation's log: entries of a chain are numbered without a gap and in
the order of their commits, so that nothing that changed can be missed.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import func, select

from consult_app import audit
from consult_app.attendance.models import CheckIn, Movement, ScanResult
from consult_app.audit import AuditEntry
from consult_app.db import db
from consult_app.events.models import Event, Session
from consult_app.i18n import local
from consult_app.registrations.models import Attendance, Institution, Registration, StakeholderType

WHOLE = 2000  # with more changes than this, the whole list is sent
CODE_LENGTH = 32  # of the ticket's SHA-256, in hexadecimal: 128 bits, as the ticket itself


def changed_since(event: Event, since: str) -> tuple[str, bool, list[dict[str, Any]]]:
    """The new cursor, whether these are all guests, and the guests."""
    chain = str(event.consultation_id)
    head = audit.last_number(chain)
    cursor = int(since) if since.isascii() and since.isdigit() else None
    if cursor is None or cursor > head or head - cursor > WHOLE:
        return str(head), True, _guests(event, None)
    touched = {
        kind: set(ids.split(","))
        for kind, ids in db.session.execute(
            select(AuditEntry.object_type, func.aggregate_strings(AuditEntry.object_id, ","))
            .where(AuditEntry.chain == chain, AuditEntry.number > cursor, AuditEntry.number <= head)
            .where(AuditEntry.object_type.in_(("Registration", "CheckIn", "Institution")))
            .group_by(AuditEntry.object_type)
        ).tuples()
    }
    if "Institution" in touched:
        return str(head), True, _guests(event, None)
    return str(head), False, _guests(event, touched) if touched else []


def _guests(event: Event, touched: dict[str, set[str]] | None) -> list[dict[str, Any]]:
    query = (
        select(
            Registration.id,
            Registration.public_id,
            Registration.ticket_hash,
            Registration.title_before,
            Registration.name,
            Registration.title_after,
            Registration.state,
            Registration.days,
            Registration.attendance,
            Institution.name,
            StakeholderType.code,
        )
        .join(Institution, Institution.id == Registration.institution_id)
        .join(StakeholderType, StakeholderType.id == Registration.stakeholder_type_id)
        .where(Registration.event_id == event.id)
        .order_by(Registration.id)
    )
    moves = select(
        CheckIn.registration_id, CheckIn.day, Session.public_id, CheckIn.type, CheckIn.scanned_at, CheckIn.device_id, CheckIn.by_id
    )
    moves = moves.outerjoin(Session, Session.id == CheckIn.session_id).where(
        CheckIn.event_id == event.id, CheckIn.result == ScanResult.OK, CheckIn.undone_at.is_(None)
    )
    if touched is not None:
        of_check_ins = select(CheckIn.registration_id).where(CheckIn.public_id.in_(touched.get("CheckIn", set())))
        query = query.where(Registration.public_id.in_(touched.get("Registration", set())) | Registration.id.in_(of_check_ins))
    rows = db.session.execute(query).all()
    if touched is not None:
        moves = moves.where(CheckIn.registration_id.in_([row.id for row in rows]))
    inside: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for registration_id, day, session, kind, at, *_who in db.session.execute(moves.order_by(CheckIn.scanned_at, CheckIn.id)).tuples():
        place = inside[registration_id].setdefault(session or day.isoformat(), {"at": at.isoformat(), "inside": False})
        place["inside"] = kind is Movement.ENTRY
    return [_guest(row, inside.get(row.id, {})) for row in rows]


def _guest(row: Any, inside: dict[str, Any]) -> dict[str, Any]:
    (_id, public_id, ticket, before, name, after, state, days, attendance, institution, kind) = row
    full = f"{before} {name}".strip() + (f", {after}" if after else "")
    return {
        "id": public_id,
        "code": ticket[:CODE_LENGTH],
        "name": full,
        "institution": local(institution),
        "type": kind,
        "state": state.value,
        "days": days,
        "online": attendance is Attendance.ONLINE,
        "in": inside,
    }
