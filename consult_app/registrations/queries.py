"""Selects over registrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from consult_app.consultations.models import Consultation, Section, SectionState
from consult_app.db import db
from consult_app.errors import Missing
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.registrations.models import (
    Attendance,
    Consent,
    Institution,
    ParticipantRole,
    Purpose,
    Question,
    QuestionAnswer,
    Registration,
    RegistrationState,
    Sex,
    StakeholderType,
)
from consult_app.registrations.tickets import token_hash
from consult_app.registrations.titles import split_titles
from consult_app.sheets import fold


def load_registration(event: Event, public_id: str) -> Registration:
    """A registration of this event, whatever its state. Raises Missing."""
    found = db.session.scalar(
        select(Registration).where(Registration.event_id == event.id, Registration.public_id == public_id).options(*_WITH)
    )
    if found is None:
        raise Missing(_("There is no such registration at this event."))
    return found


_WITH = (joinedload(Registration.institution), joinedload(Registration.stakeholder_type))


def agreeing(purpose: Purpose) -> Select[int]:
    """The ids of the registrations that agreed to a purpose, and still do: the last word counts."""
    last = select(func.max(Consent.id)).where(Consent.purpose == purpose).group_by(Consent.registration_id)
    return select(Consent.registration_id).where(Consent.id.in_(last), Consent.is_given)


def by_link(secret: str) -> Registration | None:
    """The live registration that a personal link's secret opens."""
    found = db.session.scalar(
        select(Registration).where(Registration.link_hash == token_hash(secret)).options(*_WITH, joinedload(Registration.event))
    )
    return found if found is not None and found.is_live else None


def demo_participant() -> Registration | None:
    """Somebody who takes part in the demonstration, where comments are open; None on a site that is not the demo."""
    return db.session.scalar(
        select(Registration)
        .join(Consultation, Consultation.id == Registration.consultation_id)
        .join(Section, Section.consultation_id == Consultation.id)
        .join(Event, Event.id == Registration.event_id)
        .where(Consultation.is_illustrative, Section.state == SectionState.OPEN, Registration.state == RegistrationState.CONFIRMED)
        .order_by(Event.starts_on.desc(), Registration.id)
        .limit(1)
        .options(*_WITH, joinedload(Registration.event))
    )


def search(event: Event, filters: Mapping[str, str]) -> Select[Registration]:
    """Registrations by name, for what the list can be filtered by; unknown values find all.

    `q` finds words in any order in name, institution, mail and phone, without accents, case and academic titles;
    `answer` is "question:value" of a choice.
    """
    query = select(Registration).where(Registration.event_id == event.id).options(*_WITH).order_by(Registration.name, Registration.id)
    for word in searched(filters.get("q", "")):
        query = query.where(Registration.search.contains(word, autoescape=True))
    for name, kind in (("state", RegistrationState), ("sex", Sex), ("attendance", Attendance), ("role", ParticipantRole)):
        if filters.get(name) in set(kind):
            query = query.where(getattr(Registration, name) == filters[name])
    if filters.get("type"):
        query = query.join(StakeholderType, StakeholderType.id == Registration.stakeholder_type_id)
        query = query.where(StakeholderType.code == filters["type"])
    if filters.get("institution"):
        query = query.where(Registration.institution.has(Institution.public_id == filters["institution"]))
    question, _colon, value = filters.get("answer", "").partition(":")
    if value:
        wanted = select(QuestionAnswer.registration_id).join(Question, Question.id == QuestionAnswer.question_id)
        query = query.where(Registration.id.in_(wanted.where(Question.public_id == question, QuestionAnswer.value == value)))
    return query


def searched(words: str) -> list[str]:
    """The words to search for: folded, without academic titles unless there is nothing else; a phone number as its digits."""
    digits = "".join(c for c in words if c.isdigit())
    if len(digits) >= 5 and not any(c.isalpha() for c in words):
        return [digits.removeprefix("0")]
    _salutation, _before, name, _after = split_titles(words)
    return fold(name).split() or fold(words).split()


def stakeholder_types(consultation_id: int) -> list[StakeholderType]:
    return list(
        db.session.scalars(
            select(StakeholderType).where(StakeholderType.consultation_id == consultation_id).order_by(StakeholderType.place)
        )
    )


def types_and_institutions(consultation: Consultation) -> tuple[list[StakeholderType], list[Institution]]:
    """Both lists, each in its order, in one statement."""
    of_type = (Institution.stakeholder_type_id == StakeholderType.id) & (Institution.consultation_id == consultation.id)
    query = select(StakeholderType, Institution).outerjoin(Institution, of_type)
    rows = (
        db.session.execute(query.where(StakeholderType.consultation_id == consultation.id).order_by(StakeholderType.place)).tuples().all()
    )
    types = list(dict.fromkeys(kind for kind, _institution in rows))
    return types, sorted((one for _kind, one in rows if one is not None), key=lambda one: one.key)


def institutions(consultation: Consultation) -> list[Institution]:
    return list(
        db.session.scalars(
            select(Institution)
            .where(Institution.consultation_id == consultation.id)
            .options(joinedload(Institution.stakeholder_type))
            .order_by(Institution.key)
        )
    )


COUNTED = ("CONFIRMED", "WAITING", "CANCELLED", "REPLACED", "PENDING", "REFUSED")  # in the order of `Counts`


@dataclass(frozen=True)
class Counts:
    """How many registrations of an event stand in each state; `registered` holds a seat or takes part online."""

    registered: int
    waiting: int
    cancelled: int
    replaced: int
    pending: int
    refused: int


def counts(event: Event) -> Counts:
    rows = dict(
        db.session.execute(select(Registration.state, func.count()).where(Registration.event_id == event.id).group_by(Registration.state))
        .tuples()
        .all()
    )
    return Counts(*(rows.get(RegistrationState[name], 0) for name in COUNTED))
