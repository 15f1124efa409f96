"""What is done with registrations. Seats are counted under a lock, so that none is given twice (product.md rule 4)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from consult_app import audit, mail
from consult_app.db import db, now
from consult_app.errors import Conflict
from consult_app.events.actions import event_changed
from consult_app.events.models import Event
from consult_app.i18n import Texts, _
from consult_app.policy import Actor
from consult_app.registrations.models import (
    Attendance,
    Consent,
    Institution,
    ParticipantRole,
    Person,
    Purpose,
    Quota,
    Registration,
    RegistrationState,
    Sex,
    Source,
    StakeholderType,
)
from consult_app.registrations.tickets import link_secret, new_seed, ticket_code, token_hash
from consult_app.sheets import fold

NOTICE_VERSION = "2023-11"
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


def find_institution(
    consultation_id: int, name: str, kind: StakeholderType, *, by: Actor, names: Texts | None = None, short: str = ""
) -> Institution:
    """The institution of that name (case, accents and punctuation do not matter), made if it is new."""
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


def set_quota(event: Event, kind: StakeholderType, seats: int, *, by: Actor) -> Quota:
    """How many seats a stakeholder type has at an event; those who wait move up if there are more."""
    quota = db.session.scalar(select(Quota).where(Quota.event_id == event.id, Quota.stakeholder_type_id == kind.id))
    if quota is None:
        quota = Quota(consultation_id=event.consultation_id, event_id=event.id, stakeholder_type=kind, seats=seats)
        db.session.add(quota)
    quota.seats = seats
    audit.record(by, "quota.set", quota)
    move_up(event, by=by)
    return quota


# -- seats --


def _lock(event: Event) -> None:
    """Only one at a time counts the seats of an event (on SQLite the transaction itself is that lock)."""
    db.session.execute(select(Event.id).where(Event.id == event.id).with_for_update())


def _taken(event: Event) -> dict[int, int]:
    """Seats held, by stakeholder type."""
    rows = db.session.execute(
        select(Registration.stakeholder_type_id, func.count())
        .where(
            Registration.event_id == event.id,
            Registration.state == RegistrationState.CONFIRMED,
            Registration.role != ParticipantRole.ASSISTANT,
            Registration.attendance == Attendance.IN_PERSON,
        )
        .group_by(Registration.stakeholder_type_id)
    )
    return dict(rows.tuples().all())


def seats_left(event: Event, kind: StakeholderType) -> int | None:
    """How many more of this type may come in person; None: no limit."""
    taken = _taken(event)
    quota = db.session.scalar(select(Quota.seats).where(Quota.event_id == event.id, Quota.stakeholder_type_id == kind.id))
    limits = []
    if event.capacity is not None:
        limits.append(event.capacity - sum(taken.values()))
    if quota is not None:
        limits.append(quota - taken.get(kind.id, 0))
    return max(0, min(limits)) if limits else None


def _state_for(event: Event, registration: Registration) -> RegistrationState:
    left = seats_left(event, registration.stakeholder_type) if registration.takes_a_seat else None
    return RegistrationState.WAITING if left == 0 else RegistrationState.CONFIRMED


def move_up(event: Event, *, by: Actor) -> list[Registration]:
    """Give free seats to those who wait, in order, and tell them."""
    _lock(event)
    moved = []
    waiting = db.session.scalars(
        select(Registration)
        .where(Registration.event_id == event.id, Registration.state == RegistrationState.WAITING)
        .order_by(Registration.state_changed_at, Registration.id)
    )
    for registration in waiting.all():
        if _state_for(event, registration) is RegistrationState.CONFIRMED:
            _set_state(registration, RegistrationState.CONFIRMED)
            audit.record(by, "registration.move_up", registration)
            tell(registration, "seat")
            moved.append(registration)
    return moved


@event_changed.connect
def _seats_changed(event: Event, by: Actor) -> None:
    move_up(event, by=by)


def _set_state(registration: Registration, state: RegistrationState, note: str = "") -> None:
    registration.state, registration.state_changed_at, registration.state_note = state, now(), note
    db.session.flush()  # the next count of seats has to see it


# -- registering --


def _person(consultation_id: int, email: str, *, by: Actor) -> Person:
    """The person with that e-mail; somebody without one is a new person each time."""
    wanted = email.strip().lower() or None
    query = select(Person).where(Person.consultation_id == consultation_id, Person.email == wanted)
    found = db.session.scalar(query) if wanted else None
    if found is None:
        new = Person(consultation_id=consultation_id, email=wanted)
        found = _add_or_find(new, query)
        if found is new:
            audit.record(by, "person.add", new)
    return found


def _fill(registration: Registration, details: Details, *, by: Actor) -> None:
    for name in (f.name for f in dataclasses.fields(Details) if f.name not in ("institution", "email")):
        setattr(registration, name, getattr(details, name))
    registration.email = details.email.strip().lower()
    registration.institution = find_institution(registration.consultation_id, details.institution, details.stakeholder_type, by=by)
    texts = registration.institution.name.values()
    words = [details.name, details.title_before, details.title_after, *texts, registration.institution.short, details.email]
    registration.search = fold(" ".join(words)) + " " + "".join(c for c in details.phone if c.isdigit())


def _set_secrets(registration: Registration) -> None:
    registration.seed = new_seed()
    registration.ticket_hash = token_hash(ticket_code(registration.seed))
    registration.link_hash = token_hash(link_secret(registration.seed))


def find_live(event: Event, email: str) -> Registration | None:
    """The registration that somebody with this e-mail holds or waits with."""
    return db.session.scalar(
        select(Registration)
        .join(Person, Person.id == Registration.person_id)
        .where(
            Registration.event_id == event.id,
            Person.email == email.strip().lower(),
            Registration.state.in_([RegistrationState.CONFIRMED, RegistrationState.WAITING]),
        )
    )


def register(
    event: Event,
    details: Details,
    *,
    by: Actor,
    source: Source,
    consents: dict[Purpose, bool] | None = None,
    client_key: str | None = None,
    send: bool = True,
) -> tuple[Registration, bool]:
    """Register somebody; returns the registration and whether it is new.

    Whoever is registered already gets a mail with the existing registration instead (product.md rule 5); the caller
    must answer both cases alike to the public. Raises Conflict where registration is closed to the public.
    """
    if source is Source.PUBLIC and not event.takes_registrations:
        raise Conflict(_("Registration for this event is closed."))
    if event.is_cancelled:
        raise Conflict(_("This event was cancelled."))
    _lock(event)
    sent_before = db.session.scalar(select(Registration).where(Registration.client_key == client_key)) if client_key else None
    held = sent_before or (find_live(event, details.email) if details.email.strip() else None)
    if held is not None:
        if send and sent_before is None:
            tell(held, "again", key=f"{now():%Y%m%d%H}")  # at most one an hour, whoever asks
        return held, False
    registration = Registration(
        consultation_id=event.consultation_id,
        event=event,
        person=_person(event.consultation_id, details.email, by=by),
        source=source,
        client_key=client_key,
        state=RegistrationState.WAITING,
    )
    _set_secrets(registration)
    with db.session.no_autoflush:
        _fill(registration, details, by=by)
    registration.state = _state_for(event, registration)
    db.session.add(registration)
    audit.record(by, "registration.register", registration)
    set_consents(registration, consents or {}, by=by, channel=source)
    if send:
        tell(registration, "ticket")
    return registration, True


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


def change(registration: Registration, details: Details, *, by: Actor) -> None:
    """Change the details. The e-mail is who they are, and stays; a seat in person is given only if one is free."""
    if not registration.is_live:
        raise Conflict(_("This registration was cancelled or replaced and can no longer be changed."))
    _lock(registration.event)
    held_seat = registration.takes_a_seat and registration.is_confirmed
    before = registration.stakeholder_type_id
    details.email = registration.email
    _fill(registration, details, by=by)
    needs_seat = registration.takes_a_seat and (not held_seat or before != registration.stakeholder_type.id)
    if needs_seat and registration.is_confirmed:
        registration.state = RegistrationState.WAITING  # its own seat does not count while we look for another
        db.session.flush()
        if _state_for(registration.event, registration) is RegistrationState.WAITING:
            raise Conflict(_("There is no seat left for this. Your registration stays as it was."))
        registration.state = RegistrationState.CONFIRMED
    elif registration.is_waiting and not registration.takes_a_seat:
        _set_state(registration, RegistrationState.CONFIRMED)
    audit.record(by, "registration.change", registration)
    move_up(registration.event, by=by)


def cancel(registration: Registration, *, by: Actor, reason: str = "") -> None:
    """Give the place up; the next who waits moves up. The ticket answers "cancelled" from now on."""
    if not registration.is_live:
        raise Conflict(_("This registration was cancelled or replaced already."))
    _lock(registration.event)
    _set_state(registration, RegistrationState.CANCELLED, reason)
    audit.record(by, "registration.cancel", registration)
    tell(registration, "cancelled")
    move_up(registration.event, by=by)


def restore(registration: Registration, *, by: Actor) -> None:
    """Undo a cancellation: they get a seat again if one is free, else they wait at the end of the list."""
    if registration.state is not RegistrationState.CANCELLED:
        raise Conflict(_("Only a cancelled registration can be restored."))
    if registration.email and find_live(registration.event, registration.email):
        raise Conflict(_("This person has registered again since."))
    _lock(registration.event)
    _set_state(registration, _state_for(registration.event, registration))
    audit.record(by, "registration.restore", registration)
    tell(registration, "ticket", key=f"{now():%Y%m%d%H%M%S}")


def replace(old: Registration, details: Details, *, by: Actor) -> Registration:
    """Let a colleague take the seat: the old ticket stops, the seat and the history stay (product.md rule 6)."""
    if not old.is_live:
        raise Conflict(_("This registration was cancelled or replaced already."))
    _lock(old.event)
    if details.email and find_live(old.event, details.email):
        raise Conflict(_("The colleague is registered for this event already."))
    state, since = old.state, old.state_changed_at
    details.stakeholder_type, details.institution = (
        old.stakeholder_type,
        old.institution.name.get("en") or next(iter(old.institution.name.values())),
    )
    details.attendance, details.role = old.attendance, old.role
    _set_state(old, RegistrationState.REPLACED)
    audit.record(by, "registration.replaced", old)
    new = Registration(
        consultation_id=old.consultation_id,
        event=old.event,
        person=_person(old.consultation_id, details.email, by=by),
        source=Source.REPLACEMENT,
        replaces=old,
        invitation_id=old.invitation_id,
        state=state,
        state_changed_at=since,  # a place in the waiting list is kept too
    )
    _set_secrets(new)
    with db.session.no_autoflush:
        _fill(new, details, by=by)
        new.institution = old.institution
    db.session.add(new)
    audit.record(by, "registration.replace", new)
    tell(new, "ticket")
    tell(old, "replaced")
    return new


def renew_secrets(registration: Registration, *, by: Actor) -> None:
    """Make a new ticket and a new link; the old ones stop working, and sessions opened by the old link end."""
    _set_secrets(registration)
    audit.record(by, "registration.renew", registration)
    tell(registration, "again", key=f"{now():%Y%m%d%H%M%S%f}")


def send_again(registration: Registration) -> None:
    """Send the mail with ticket and link again, at most once in ten minutes."""
    tell(registration, "again", key=f"{now():%Y%m%d%H%M}"[:-1])


def tell(registration: Registration, about: str, key: str = "") -> None:
    """Queue a mail to the participant; somebody without an e-mail address is not told."""
    if registration.email:
        unique = f"registration:{about}:{registration.public_id}:{key or registration.state_changed_at.isoformat()}"
        mail.queue(
            f"registrations.{about}",
            registration.email,
            registration.language,
            unique,
            registration.consultation_id,
            registration_id=registration.id,
        )


def opened(registration: Registration, at: dt.datetime | None = None) -> None:
    """Remember that the personal link was used."""
    registration.opened_at = at or now()


def details_of(registration: Registration) -> Details:
    """The details as they stand, to fill a form or to be changed."""
    values: dict[str, Any] = {f.name: getattr(registration, f.name) for f in dataclasses.fields(Details) if f.name not in ("institution",)}
    return Details(**values, institution=next(iter(registration.institution.name.values())))
