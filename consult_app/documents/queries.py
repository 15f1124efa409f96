"""Selects for documents. All numbers come from registrations and attendance (product.md rule 23)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from consult_app.attendance.labels import told_words
from consult_app.attendance.queries import arrived_ids, count_arrived, participation
from consult_app.consultations.models import Attribution
from consult_app.db import db
from consult_app.documents.models import Certificate, Letterhead, Printout
from consult_app.errors import Conflict, Missing
from consult_app.events.models import Event
from consult_app.i18n import _, gettext, local
from consult_app.registrations import labels
from consult_app.registrations import queries as registrations
from consult_app.registrations.models import Registration, RegistrationState


def letterhead_of(event: Event) -> Letterhead:
    """The letterhead of an event; one with what can be guessed, not kept anywhere, while nobody has made it."""
    found = db.session.scalar(select(Letterhead).where(Letterhead.event_id == event.id))
    return found or Letterhead(
        consultation_id=event.consultation_id,
        event_id=event.id,
        heading=dict(event.consultation.title),
        place="",
        signatory_name="",
        signatory_position={},
        hours=None,
        number_pattern="{number}",
    )


def heading(event: Event, letterhead: Letterhead | None = None) -> list[str]:
    """The lines at the head of a page, in the reader's language."""
    words = local((letterhead or letterhead_of(event)).heading) or local(event.consultation.title)
    return [line.strip() for line in words.split("\n") if line.strip()]


def selected(event: Event, filters: Mapping[str, str], ids: Sequence[str]) -> list[Registration]:
    """Those chosen one by one, or else those found by the filters of the list of registrations; only who holds a place."""
    if ids:
        query = registrations.search(event, {}).where(Registration.public_id.in_(ids))
        people = list(db.session.scalars(query).unique())
        if len(people) < len(set(ids)):
            raise Missing(_("There is no such registration at this event."))
        without = [r.full_name for r in people if not r.is_confirmed]
        if without:
            raise Conflict(_("Papers are printed only for those who hold a place."), without)
    else:
        found = registrations.search(event, filters).where(Registration.state == RegistrationState.CONFIRMED)
        people = list(db.session.scalars(found).unique())
    if not people:
        raise Conflict(_("Nobody who holds a place is among those chosen."))
    return people


def by_ids(event: Event, ids: Sequence[int]) -> list[Registration]:
    """The registrations with these ids, in this order; what is gone since is left out."""
    query = registrations.search(event, {}).where(Registration.id.in_(ids))
    found = {person.id: person for person in db.session.scalars(query).unique()}
    return [found[number] for number in ids if number in found]


def arrived_among(event: Event, people: Sequence[Registration]) -> list[Registration]:
    arrived = set(db.session.scalars(arrived_ids(event)))
    return [person for person in people if person.id in arrived]


# -- certificates --

_WITH = (
    joinedload(Certificate.registration).joinedload(Registration.institution),
    joinedload(Certificate.event).joinedload(Event.consultation),
)


def certificates(event: Event) -> Select[Certificate]:
    return select(Certificate).where(Certificate.event_id == event.id).order_by(Certificate.number).options(*_WITH)


def certificates_for(people: Sequence[Registration]) -> list[Certificate]:
    """Those issued to these people and not revoked, by number."""
    query = select(Certificate).where(Certificate.registration_id.in_([p.id for p in people]), Certificate.revoked_at.is_(None))
    return list(db.session.scalars(query.order_by(Certificate.number).options(*_WITH)))


def certificate_of(registration: Registration) -> Certificate | None:
    return db.session.scalar(select(Certificate).where(Certificate.registration_id == registration.id).options(*_WITH))


def load_certificate(code: str) -> Certificate:
    """By the code of its public page. Raises Missing."""
    found = find_certificate(code)
    if found is None:
        raise Missing(_("No certificate with this code was issued here."))
    return found


def find_certificate(code: str) -> Certificate | None:
    """By the code of its public page; None where there is none."""
    return db.session.scalar(select(Certificate).where(Certificate.public_id == code).options(*_WITH))


def count_certificates(event: Event) -> int:
    return db.session.scalar(select(func.count()).where(Certificate.event_id == event.id, Certificate.revoked_at.is_(None))) or 0


def load_printout(event: Event, public_id: str) -> Printout:
    found = db.session.scalar(select(Printout).where(Printout.event_id == event.id, Printout.public_id == public_id))
    if found is None:
        raise Missing(_("This print is gone. Prints are kept for a day."))
    return found


# -- lists --


@dataclass(frozen=True)
class Listed:
    """The lines of a participant list, what they count, and what is said about them."""

    basis: str
    header: list[str]
    widths: tuple[float, ...]
    rows: list[list[Any]]
    notes: list[str] = field(default_factory=list)


def basis_of(event: Event) -> str:
    """What a document about an event shows: who arrived, or who is registered as long as nobody has."""
    return "arrived" if count_arrived(event) else "registered"


def people_of(event: Event, basis: str) -> list[Registration]:
    """Everybody that is counted, by stakeholder type, institution and name."""
    query = registrations.search(event, {})
    if basis == "arrived":
        query = query.where(Registration.id.in_(arrived_ids(event)))
    else:
        query = query.where(Registration.state == RegistrationState.CONFIRMED)
    people = db.session.scalars(query).unique()
    return sorted(people, key=lambda r: (r.stakeholder_type.place, r.institution.key, r.name.casefold()))


def participant_list(event: Event, basis: str) -> Listed:
    """For a report: names, institutions or stakeholder types, as the consultation's attribution says; never a phone or e-mail."""
    rule = event.consultation.attribution
    kind, count = gettext("Stakeholder type"), gettext("People")
    if rule is Attribution.BY_STAKEHOLDER_TYPE:
        table = participation(event, basis, suppress=True)
        rows = [[local(row.name), row.total] for row in (*table.rows, table.total)]
        note = gettext("Under this consultation’s rule of attribution, the list tells stakeholder types only.")
        return Listed(basis, [kind, count], (120, 30), rows, [note, *told_words([table], event.timezone)])
    people = people_of(event, basis)
    if rule is Attribution.BY_INSTITUTION:
        groups: dict[int, list[Registration]] = {}
        for person in people:
            groups.setdefault(person.institution_id, []).append(person)
        rows = [
            [n, local(group[0].institution.name), local(group[0].stakeholder_type.name), len(group)]
            for n, group in enumerate(groups.values(), start=1)
        ]
        note = gettext("Under this consultation’s rule of attribution, the list tells institutions and no names.")
        return Listed(basis, [gettext("No."), gettext("Institution"), kind, count], (12, 90, 46, 22), rows, [note])
    rows = [
        [n, p.full_name, local(p.institution.name), p.position, local(p.stakeholder_type.name), str(labels.ROLE[p.role])]
        for n, p in enumerate(people, start=1)
    ]
    header = [gettext("No."), gettext("Name"), gettext("Institution"), gettext("Position"), kind, gettext("Role")]
    return Listed(basis, header, (10, 42, 45, 30, 24, 20), rows)
