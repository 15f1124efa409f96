"""What is done with registrations. Seats are counted under a lock, so that none is given twice (product.md rule 4)."""

from __future__ import annotations

import datetime as dt

from blinker import Signal
from sqlalchemy import select

from consult_app import audit
from consult_app.addresses import address_key
from consult_app.db import db, now
from consult_app.errors import Conflict
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.answers import Given, set_answers
from consult_app.registrations.limits import check_again, check_group, check_options
from consult_app.registrations.models import LIVE, Consent, Institution, Person, Purpose, Registration, RegistrationState, Source
from consult_app.registrations.people import Details, details_of, fill, find_institution, find_person, set_secrets
from consult_app.registrations.seats import move_up, seats_left, set_quota, set_state, state_for
from consult_app.registrations.speakers import speaker_of
from consult_app.registrations.telling import tell

__all__ = ["Details", "details_of", "find_institution", "move_up", "seats_left", "set_quota", "tell"]  # used from here by other features

NOTICE_VERSION = "2026-11"
# Sent with the registration and `by`: its institution and type were wrong from the beginning, and what was said follows.
corrected = Signal()
# Sent with the registration, the `institution` that it spoke for and left, and `by`.
institution_left = Signal()


def find_live(event: Event, email: str) -> Registration | None:
    """The registration that somebody with this e-mail holds or waits with."""
    return db.session.scalar(
        select(Registration)
        .join(Person, Person.id == Registration.person_id)
        .where(
            Registration.event_id == event.id,
            Person.email == address_key(email),
            Registration.state.in_(LIVE),
        )
    )


@audit.in_turn
def register(
    event: Event,
    details: Details,
    *,
    by: Actor,
    source: Source,
    consents: dict[Purpose, bool] | None = None,
    answers: Given | None = None,
    client_key: str | None = None,
    send: bool = True,
    sent_at: dt.datetime | None = None,
) -> tuple[Registration, bool]:
    """Register somebody; returns the registration and whether it is new.

    Whoever is registered already gets a mail with the existing registration instead (product.md rule 5); the caller
    must answer both cases alike to the public. At an event with approval, whoever uses the public form waits for an
    organiser's yes. `sent_at` is when the form was sent, if not now: a place in the waiting list counts from then. Raises
    Conflict where registration is closed to the public, Invalid where a group or an option is full.
    """
    if source is Source.PUBLIC and not event.takes_registrations:
        raise Conflict(_("Registration for this event is closed."))
    if event.is_cancelled:
        raise Conflict(_("This event was cancelled."))
    sent_before = db.session.scalar(select(Registration).where(Registration.client_key == client_key)) if client_key else None
    if sent_before is not None and sent_before.event_id != event.id:
        raise Conflict(_("This form was opened for another event. Open it again, and send it from there."))
    if sent_before is None:  # asked before we look who it is, so that the answer tells nobody who is registered
        check_group(event, details.dimension_id, details.role)
        check_options(event, answers or {})
    held = sent_before or (find_live(event, details.email) if details.email.strip() else None)
    if held is not None:
        if send and sent_before is None:
            tell(held, "again", key=f"{now():%Y%m%d%H}")  # at most one an hour, whoever asks
        return held, False
    registration = Registration(
        consultation_id=event.consultation_id,
        event=event,
        person=find_person(event.consultation_id, details.email, by=by),
        source=source,
        client_key=client_key,
        state=RegistrationState.WAITING,
    )
    if sent_at is not None:
        registration.created_at = registration.state_changed_at = sent_at
    set_secrets(registration)
    with db.session.no_autoflush:
        fill(registration, details, by=by)
    is_held_up = source is Source.PUBLIC and event.needs_approval
    registration.state = RegistrationState.PENDING if is_held_up else state_for(event, registration)
    db.session.add(registration)
    audit.record(by, "registration.register", registration)
    set_consents(registration, consents or {}, by=by, channel=source)
    set_answers(registration, answers or {}, by=by)
    if send:
        tell(registration, "pending" if is_held_up else "ticket")
    return registration, True


@audit.in_turn
def set_consents(registration: Registration, answers: dict[Purpose, bool], *, by: Actor, channel: Source) -> None:
    """Record each answer; one that says the same as the last is not recorded again."""
    last = {consent.purpose: consent.is_given for consent in registration.consents}
    for purpose, is_given in answers.items():
        if last.get(purpose) is not is_given:
            consent = Consent(
                consultation_id=registration.consultation_id,
                registration=registration,
                purpose=purpose,
                is_given=is_given,
                notice_version=NOTICE_VERSION,
                language=registration.language,
                channel=channel,
            )
            db.session.add(consent)
            audit.record(by, "consent.give" if is_given else "consent.refuse", consent)


@audit.in_turn
def change(
    registration: Registration,
    details: Details,
    *,
    by: Actor,
    answers: Given | None = None,
    from_beginning: bool = False,
    institution: Institution | None = None,
) -> None:
    """Change the details. The e-mail is who they are, and stays; a seat in person is given only if one is free.

    What they have said keeps the institution and type that they had then, but where an organiser mends a mistake: with
    `from_beginning` it was so always. The institution is the one that is given, else that of `details`, by its name.
    """
    if not registration.is_live:
        raise Conflict(_("This registration was cancelled or replaced and can no longer be changed."))
    held_seat = registration.takes_a_seat and registration.is_confirmed
    before = registration.stakeholder_type_id
    if details.dimension_id != registration.dimension_id:
        check_group(registration.event, details.dimension_id, details.role, registration)
    details.email = registration.email
    left = registration.institution
    fill(registration, details, by=by, institution=institution)
    has_moved, spoke = registration.institution is not left, registration.speaks_for_institution
    if has_moved:
        registration.speaks_for_institution = False  # the mandate was the other institution's
    needs_seat = registration.takes_a_seat and (not held_seat or before != registration.stakeholder_type.id)
    if needs_seat and registration.is_confirmed:
        registration.state = RegistrationState.WAITING  # its own seat does not count while we look for another
        db.session.flush()
        if state_for(registration.event, registration) is RegistrationState.WAITING:
            raise Conflict(_("There is no seat left for this. Your registration stays as it was."))
        registration.state = RegistrationState.CONFIRMED
    elif registration.is_waiting and not registration.takes_a_seat:
        set_state(registration, RegistrationState.CONFIRMED)
    audit.record(by, "registration.change", registration, note="from the beginning" if from_beginning else "")
    if from_beginning:
        corrected.send(registration, by=by)
    elif has_moved and spoke:
        institution_left.send(registration, institution=left, by=by)
    set_answers(registration, answers or {}, by=by)
    move_up(registration.event, by=by)


@audit.in_turn
def cancel(registration: Registration, *, by: Actor, reason: str = "") -> None:
    """Give the place up; the next who waits moves up. The ticket answers "cancelled" from now on."""
    if not registration.is_live:
        raise Conflict(_("This registration was cancelled or replaced already."))
    set_state(registration, RegistrationState.CANCELLED, reason)
    audit.record(by, "registration.cancel", registration)
    tell(registration, "cancelled")
    move_up(registration.event, by=by)


@audit.in_turn
def approve(registration: Registration, *, by: Actor) -> None:
    """Say yes to somebody who waits for approval, or was refused: they get a seat if one is free, else they wait for one."""
    was_refused = registration.state is RegistrationState.REFUSED
    if not (registration.is_pending or was_refused):
        raise Conflict(_("This registration does not wait for approval."))
    if was_refused:
        if registration.email and find_live(registration.event, registration.email):
            raise Conflict(_("This person has registered again since."))
        check_again(registration)
    set_state(registration, state_for(registration.event, registration))
    audit.record(by, "registration.approve", registration)
    tell(registration, "approved")


@audit.in_turn
def refuse(registration: Registration, reason: str, *, by: Actor) -> None:
    """Say no to somebody who waits for approval; they are told the reason."""
    if not registration.is_pending:
        raise Conflict(_("This registration does not wait for approval."))
    set_state(registration, RegistrationState.REFUSED, reason)
    audit.record(by, "registration.refuse", registration)
    tell(registration, "refused")


@audit.in_turn
def restore(registration: Registration, *, by: Actor) -> None:
    """Undo a cancellation: they get a seat again if one is free, else they wait at the end of the list."""
    if registration.state is not RegistrationState.CANCELLED:
        raise Conflict(_("Only a cancelled registration can be restored."))
    if registration.email and find_live(registration.event, registration.email):
        raise Conflict(_("This person has registered again since."))
    check_again(registration)
    state = state_for(registration.event, registration)
    if state is not RegistrationState.CONFIRMED or speaker_of(registration) is not None:
        registration.speaks_for_institution = False
    set_state(registration, state)
    audit.record(by, "registration.restore", registration)
    tell(registration, "ticket", key=f"{now():%Y%m%d%H%M%S}")


@audit.in_turn
def replace(old: Registration, details: Details, *, by: Actor) -> Registration:
    """Let a colleague take the seat: the old ticket stops, the seat and the history stay (product.md rule 6)."""
    if not old.is_live:
        raise Conflict(_("This registration was cancelled or replaced already."))
    if details.email and find_live(old.event, details.email):
        raise Conflict(_("The colleague is registered for this event already."))
    state, since = old.state, old.state_changed_at
    details.stakeholder_type, details.institution = (
        old.stakeholder_type,
        old.institution.name.get("en") or next(iter(old.institution.name.values())),
    )
    details.attendance, details.role = old.attendance, old.role
    set_state(old, RegistrationState.REPLACED)
    audit.record(by, "registration.replaced", old)
    new = Registration(
        consultation_id=old.consultation_id,
        event=old.event,
        person=find_person(old.consultation_id, details.email, by=by),
        source=Source.REPLACEMENT,
        replaces=old,
        invitation_id=old.invitation_id,
        speaks_for_institution=old.speaks_for_institution,
        state=state,
        state_changed_at=since,  # a place in the waiting list is kept too
    )
    set_secrets(new)
    with db.session.no_autoflush:
        fill(new, details, by=by)
        new.institution = old.institution
    db.session.add(new)
    audit.record(by, "registration.replace", new)
    tell(new, "ticket")
    tell(old, "replaced")
    return new


@audit.in_turn
def renew_secrets(registration: Registration, *, by: Actor) -> None:
    """Make a new ticket and a new link; the old ones stop working, and sessions opened by the old link end."""
    set_secrets(registration)
    audit.record(by, "registration.renew", registration)
    tell(registration, "again", key=f"{now():%Y%m%d%H%M%S%f}")


def send_again(registration: Registration) -> None:
    """Send the mail with ticket and link again, at most once in ten minutes."""
    tell(registration, "again", key=f"{now():%Y%m%d%H%M}"[:-1])


def opened(registration: Registration, at: dt.datetime | None = None) -> None:
    """Remember that the personal link was used."""
    registration.opened_at = at or now()
