"""A participant moves to another institution: at once, or, where that is represented already, when an organiser confirms it (rule 28)."""

from __future__ import annotations

from blinker import Signal
from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from consult_app import audit
from consult_app.accounts.models import Membership
from consult_app.consultations.models import FocalPoint
from consult_app.db import db, now
from consult_app.errors import Conflict, Missing
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations import actions
from consult_app.registrations.answers import Given
from consult_app.registrations.models import LIVE, Institution, InstitutionChange, Registration, RegistrationState, StakeholderType
from consult_app.registrations.people import Details, details_of, find_institution, names_of
from consult_app.registrations.telling import tell
from consult_app.sheets import fold

# Sent with an institution: whether it has seats elsewhere (an invitation), as a receiver answers with True.
has_seats = Signal()


def named(consultation_id: int, words: str) -> Institution | None:
    """The institution that goes by these words in any language, or by its short name."""
    wanted = fold(words)
    rows = db.session.scalars(select(Institution).where(Institution.consultation_id == consultation_id).order_by(Institution.id))
    return next((one for one in rows if wanted in names_of(one)), None)


def _is_represented(registration: Registration, words: str, institution: Institution | None) -> bool:
    """Whether others have a seat for the institution, speak for it, are invited for it, or sign for it as a focal point."""
    names = {fold(words)} | (names_of(institution) if institution is not None else set())
    of_consultation = registration.consultation_id
    signing = select(FocalPoint.institution).where(FocalPoint.consultation_id == of_consultation)
    working = select(Membership.institution).where(Membership.consultation_id == of_consultation)
    if any(fold(one) in names for one in db.session.scalars(signing.union(working))):
        return True
    if institution is None:
        return False
    others = (Registration.institution_id == institution.id, Registration.person_id != registration.person_id)
    seat = select(Registration.id).where(*others, Registration.state == RegistrationState.CONFIRMED)
    return db.session.scalar(seat.limit(1)) is not None or any(answer for _receiver, answer in has_seats.send(institution))


def waiting_of(registration: Registration) -> InstitutionChange | None:
    """The change that waits for an organiser."""
    query = select(InstitutionChange).where(InstitutionChange.registration_id == registration.id, InstitutionChange.decided_at.is_(None))
    query = query.options(joinedload(InstitutionChange.institution), joinedload(InstitutionChange.stakeholder_type))
    return db.session.scalar(query.order_by(InstitutionChange.id.desc()).limit(1))


def waiting_at(event: Event) -> list[InstitutionChange]:
    """The changes that wait for an organiser of the event, the oldest first."""
    waits = (Registration.event_id == event.id, Registration.state.in_(LIVE), InstitutionChange.decided_at.is_(None))
    query = select(InstitutionChange).join(InstitutionChange.registration).where(*waits).order_by(InstitutionChange.id)
    around = (contains_eager(InstitutionChange.registration), joinedload(InstitutionChange.institution))
    return list(db.session.scalars(query.options(*around)))


def load_change(registration: Registration, public_id: str) -> InstitutionChange:
    """A change that this registration asked for. Raises Missing."""
    query = select(InstitutionChange).where(InstitutionChange.registration_id == registration.id)
    found = db.session.scalar(query.where(InstitutionChange.public_id == public_id))
    if found is None:
        raise Missing(_("There is no such change."))
    return found


@audit.in_turn
def change_own(registration: Registration, details: Details, *, by: Actor, answers: Given | None = None) -> InstitutionChange | None:
    """What a participant changes of their own; returns the change of institution that waits for an organiser, if any.

    All else is changed at once. Raises Conflict and Invalid as `actions.change`.
    """
    own, wanted = registration.institution, named(registration.consultation_id, details.institution)
    if fold(details.institution) in names_of(own):
        wanted = own  # in whichever language its name was shown
    if wanted is own or not _is_represented(registration, details.institution, wanted):
        _close_waiting(registration, by)
        actions.change(registration, details, by=by, answers=answers, institution=wanted)
        return None
    asked = _ask(registration, details.institution, wanted, details.stakeholder_type, by)
    details.stakeholder_type = registration.stakeholder_type
    actions.change(registration, details, by=by, answers=answers, institution=own)
    return asked


def _close_waiting(registration: Registration, by: Actor) -> None:
    waiting = waiting_of(registration)
    if waiting is not None:
        waiting.decided_at = now()
        audit.record(by, "institution_change.take_back", waiting)


def _ask(registration: Registration, words: str, institution: Institution | None, kind: StakeholderType, by: Actor) -> InstitutionChange:
    institution = institution or find_institution(registration.consultation_id, words, kind, by=by)
    waiting = waiting_of(registration)
    if waiting is not None and (waiting.institution_id, waiting.stakeholder_type_id) == (institution.id, kind.id):
        return waiting
    _close_waiting(registration, by)
    asked = InstitutionChange(
        consultation_id=registration.consultation_id, registration=registration, institution=institution, stakeholder_type=kind
    )
    db.session.add(asked)
    audit.record(by, "institution_change.ask", asked)
    return asked


def _decide(asked: InstitutionChange, is_accepted: bool) -> None:
    if asked.decided_at is not None:
        raise Conflict(_("This change was decided already, or taken back."))
    asked.decided_at, asked.is_accepted = now(), is_accepted


@audit.in_turn
def accept(asked: InstitutionChange, *, by: Actor) -> None:
    """From now on they stand under the institution that they asked for. Raises Conflict where it is decided, or no seat is left."""
    _decide(asked, is_accepted=True)
    details = details_of(asked.registration)
    details.stakeholder_type = asked.stakeholder_type
    actions.change(asked.registration, details, by=by, institution=asked.institution)
    audit.record(by, "institution_change.accept", asked)
    tell(asked.registration, "moved", key=asked.public_id)


@audit.in_turn
def refuse(asked: InstitutionChange, *, by: Actor) -> None:
    """They stay under the institution that they have. Raises Conflict where it is decided already."""
    _decide(asked, is_accepted=False)
    audit.record(by, "institution_change.refuse", asked)
    tell(asked.registration, "not_moved", key=asked.public_id)
