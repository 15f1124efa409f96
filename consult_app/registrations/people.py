"""Who takes part: the details of one person at one event, the person and the institution behind them, their secrets."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Select, delete, select
from sqlalchemy.exc import IntegrityError

from consult_app import audit
from consult_app.addresses import address_key
from consult_app.db import db
from consult_app.i18n import Texts
from consult_app.policy import Actor
from consult_app.registrations.models import (
    Attendance,
    Institution,
    LinkOpening,
    ParticipantRole,
    Person,
    Registration,
    Sex,
    StakeholderType,
)
from consult_app.registrations.tickets import link_secret, new_seed, ticket_code, token_hash
from consult_app.sheets import fold

Row = TypeVar("Row")


@dataclass
class Details:
    """What is known of a participant at one event; `institution` is a name as typed."""

    name: str
    institution: str
    stakeholder_type: StakeholderType
    salutation: str = ""
    title_before: str = ""
    title_after: str = ""
    email: str = ""
    phone: str = ""
    unit: str = ""
    position: str = ""
    sex: Sex = Sex.UNDISCLOSED
    attendance: Attendance = Attendance.IN_PERSON
    days: list[str] = field(default_factory=list)
    dimension_id: int | None = None
    role: ParticipantRole = ParticipantRole.PARTICIPANT
    assignment_letter: str = ""
    accommodations: str = ""
    diet: str = ""
    language: str = "en"


def details_of(registration: Registration) -> Details:
    """The details as they stand, to fill a form or to be changed."""
    values: dict[str, Any] = {f.name: getattr(registration, f.name) for f in dataclasses.fields(Details) if f.name not in ("institution",)}
    return Details(**values, institution=next(iter(registration.institution.name.values())))


def find_institution(
    consultation_id: int, name: str, kind: StakeholderType, *, by: Actor, names: Texts | None = None, short: str = ""
) -> Institution:
    """The institution of that name (case, accents and punctuation do not matter), made if it is new."""
    audit.take_turn(consultation_id)
    key = fold(name)
    query = select(Institution).where(Institution.consultation_id == consultation_id, Institution.key == key)
    found = db.session.scalar(query)
    if found is None:
        new = Institution(
            consultation_id=consultation_id, key=key, name=names or {"en": name, "id": name}, short=short, stakeholder_type=kind
        )
        found = _add_or_find(new, query)
        if found is new:
            audit.record(by, "institution.add", new)
    return found


def _add_or_find(new: Row, query: Select[Row]) -> Row:
    """Add a row that another transaction may be adding too (at another event, which has another lock); theirs if it was first."""
    try:
        with db.session.begin_nested():
            db.session.add(new)
    except IntegrityError:
        return db.session.scalars(query).one()
    return new


def find_person(consultation_id: int, email: str, *, by: Actor) -> Person:
    """The person with that e-mail; somebody without one is a new person each time."""
    audit.take_turn(consultation_id)
    wanted = address_key(email) or None
    query = select(Person).where(Person.consultation_id == consultation_id, Person.email == wanted)
    found = db.session.scalar(query) if wanted else None
    if found is None:
        new = Person(consultation_id=consultation_id, email=wanted)
        found = _add_or_find(new, query)
        if found is new:
            audit.record(by, "person.add", new)
    return found


def names_of(institution: Institution) -> set[str]:
    """Everything that an institution is called, folded for comparison."""
    return {institution.key, *(fold(words) for words in (*institution.name.values(), institution.short))} - {""}


def fill(registration: Registration, details: Details, *, by: Actor, institution: Institution | None = None) -> None:
    """Set the details. The institution is the one that is given, else the one they have, in whichever language it is named, else found."""
    for name in (f.name for f in dataclasses.fields(Details) if f.name not in ("institution", "email")):
        setattr(registration, name, getattr(details, name))
    registration.email = address_key(details.email)
    own: Institution | None = registration.institution
    if institution is None and own is not None and fold(details.institution) in names_of(own):
        institution = own
    if institution is None:
        institution = find_institution(registration.consultation_id, details.institution, details.stakeholder_type, by=by)
    registration.institution = institution
    texts = registration.institution.name.values()
    words = [details.name, details.title_before, details.title_after, *texts, registration.institution.short, details.email]
    registration.search = fold(" ".join(words)) + " " + "".join(c for c in details.phone if c.isdigit())


def set_secrets(registration: Registration) -> None:
    """A new ticket and a new link, known to no phone yet."""
    if registration.id is not None:
        db.session.execute(delete(LinkOpening).where(LinkOpening.registration_id == registration.id))
    registration.seed = new_seed()
    registration.ticket_hash = token_hash(ticket_code(registration.seed))
    registration.link_hash = token_hash(link_secret(registration.seed))
