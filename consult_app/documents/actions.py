"""Letterheads, certificates and long prints: one function per verb."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from consult_app import audit, jobs
from consult_app.accounts.models import User
from consult_app.attendance.queries import arrived_ids
from consult_app.db import db, now
from consult_app.documents.models import Certificate, Letterhead, Printout, PrintState
from consult_app.documents.queries import letterhead_of
from consult_app.errors import Conflict, Invalid
from consult_app.events.models import Event
from consult_app.i18n import _, local
from consult_app.policy import Actor
from consult_app.registrations.models import Registration

ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")
_MARK = re.compile(r"\{([^{}]*)\}")


def number_text(pattern: str, number: int, event: Event) -> str:
    """The number of a certificate as printed. In the pattern {number} or {001} is the number, {year} and {month} are the event's."""
    values = {
        "number": str(number),
        "001": f"{number:03}",
        "0001": f"{number:04}",
        "year": str(event.ends_on.year),
        "month": ROMAN[event.ends_on.month - 1],
    }
    names = _MARK.findall(pattern)
    if set(names) - set(values) or "{" in _MARK.sub("", pattern) or "}" in _MARK.sub("", pattern):
        raise Invalid(_("Only {number}, {001}, {0001}, {year} and {month} can stand in braces."), field="number_pattern")
    if not {"number", "001", "0001"} & set(names):
        raise Invalid(_("The pattern needs {number} or {001}, so that no two certificates have the same number."), field="number_pattern")
    return _MARK.sub(lambda mark: values[mark[1]], pattern)


@audit.in_turn
def save_letterhead(event: Event, values: dict[str, Any], *, by: Actor) -> Letterhead:
    """Keep whose paper it is and who signs. Certificates that were issued stay as they are."""
    number_text(values["number_pattern"], 1, event)
    letterhead = letterhead_of(event)
    for name, value in values.items():
        setattr(letterhead, name, value)
    db.session.add(letterhead)
    audit.record(by, "letterhead.save", letterhead)
    return letterhead


@audit.in_turn
def issue(event: Event, people: Sequence[Registration], *, by: Actor) -> list[Certificate]:
    """A certificate for each who does not have one; only for those who arrived. Returns those that are new."""
    letterhead = letterhead_of(event)
    if not letterhead.signatory_name:
        raise Conflict(_("Say first, under Letterhead, who signs the certificates."))
    arrived = set(db.session.scalars(arrived_ids(event)))
    absent = [person.full_name for person in people if person.id not in arrived]
    if absent:
        raise Conflict(_("A certificate is only for those who arrived. No check-in stands for:"), absent)
    have = set(db.session.scalars(select(Certificate.registration_id).where(Certificate.event_id == event.id)))
    last = db.session.scalar(select(func.max(Certificate.number)).where(Certificate.event_id == event.id)) or 0
    fresh = []
    for number, person in enumerate((p for p in people if p.id not in have), start=last + 1):
        certificate = Certificate(
            consultation_id=event.consultation_id,
            event=event,
            registration=person,
            number=number,
            number_text=number_text(letterhead.number_pattern, number, event),
            name=person.full_name,
            institution=local(person.institution.name),
            role=person.role.value,
            hours=letterhead.hours,
            signatory_name=letterhead.signatory_name,
            signatory_position=local(letterhead.signatory_position),
            issued_at=now(),
        )
        db.session.add(certificate)
        audit.record(by, "certificate.issue", certificate)
        fresh.append(certificate)
    return fresh


@audit.in_turn
def correct(certificate: Certificate, *, by: Actor) -> None:
    """Take name, institution and role from the register anew; number and code stay."""
    if certificate.revoked_at is not None:
        raise Conflict(_("This certificate is revoked."))
    person = certificate.registration
    certificate.name, certificate.institution, certificate.role = person.full_name, local(person.institution.name), person.role.value
    audit.record(by, "certificate.correct", certificate)


@audit.in_turn
def revoke(certificate: Certificate, reason: str, *, by: Actor) -> None:
    """Its public page says so from now on; the reason stands in the log."""
    if not reason.strip():
        raise Invalid(_("Say why, in a few words."), field="reason")
    if certificate.revoked_at is not None:
        raise Conflict(_("This certificate is revoked already."))
    certificate.revoked_at = now()
    audit.record(by, "certificate.revoke", certificate, note=reason.strip()[:200])


@audit.in_turn
def queue_print(event: Event, kind: str, people: Sequence[Registration], options: dict[str, Any], *, by: Actor) -> Printout:
    """A print too long to wait for: the worker makes it."""
    printout = Printout(
        consultation_id=event.consultation_id,
        event=event,
        kind=kind,
        options={**options, "ids": [person.id for person in people]},
        made_by_id=by.id if isinstance(by, User) else None,
        state=PrintState.QUEUED,
    )
    db.session.add(printout)
    db.session.flush()
    jobs.after_commit("documents.print", printout.id)
    return printout
