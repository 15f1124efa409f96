"""What somebody invited does: accept, decline, pass it on; and the contact of an institution with its delegates."""

from __future__ import annotations

from sqlalchemy import func, select

from consult_app import audit
from consult_app.addresses import address_key
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.events.models import Event, EventState
from consult_app.i18n import _
from consult_app.invitations import sending
from consult_app.invitations.actions import Guest, invite, set_state
from consult_app.invitations.models import Channel, EventInvitation, InvitationKind, InvitationState
from consult_app.registrations import actions as registrations
from consult_app.registrations.answers import Given
from consult_app.registrations.models import LIVE, Purpose, Registration, Source
from consult_app.registrations.people import Details


def takes_answers(event: Event) -> bool:
    """Whether somebody invited may still register. They need not wait for the day when registration opens to the public."""
    return event.state is EventState.PUBLISHED and now() < (event.registration_closes_at or event.ends)


def _begin(invitation: EventInvitation, *, registering: bool = False) -> None:
    """One answer at a time; the state that counts is the one under the lock. Raises Conflict."""
    audit.take_turn(invitation.consultation_id, invitation)
    if invitation.state is InvitationState.WITHDRAWN:
        raise Conflict(_("This invitation was withdrawn."))
    if invitation.state is InvitationState.DELEGATED:
        raise Conflict(_("You passed this invitation on to a colleague."))
    if invitation.event.is_cancelled:
        raise Conflict(_("This event was cancelled."))
    if registering and not takes_answers(invitation.event):
        raise Conflict(_("Registration for this event is closed."))


def opened(invitation: EventInvitation) -> None:
    """Remember that the link was used."""
    invitation.opened_at = invitation.opened_at or now()


def registration_of(invitation: EventInvitation) -> Registration | None:
    """The place that somebody invited holds or waits for: made from this invitation, or before it with the same address."""
    made = select(Registration).where(Registration.invitation_id == invitation.id, Registration.state.in_(LIVE)).limit(1)
    found = db.session.scalar(made)
    return found or (registrations.find_live(invitation.event, invitation.email) if invitation.email else None)


def _link(registration: Registration, invitation: EventInvitation) -> None:
    if registration.invitation_id is None:
        registration.invitation_id = invitation.id
        audit.record(invitation, "registration.link", registration, "to the invitation")


# -- a person --


def accept(
    invitation: EventInvitation,
    details: Details,
    consents: dict[Purpose, bool],
    *,
    given: Given | None = None,
    client_key: str | None = None,
) -> Registration | None:
    """Accept and register, with the ticket by mail; who is registered already keeps that place (product.md rule 5).

    None where the address typed belongs to somebody registered: the invitation does not prove that it is theirs.
    """
    _begin(invitation, registering=True)
    held = registration_of(invitation)
    if held is None:
        _at_home(details, invitation)
        details.email = invitation.email or details.email
        held, is_new = registrations.register(
            invitation.event,
            details,
            by=invitation,
            source=Source.INVITATION,
            consents=consents,
            answers=given,
            client_key=client_key,
        )
        if not is_new and not invitation.email:
            _answer(invitation, InvitationState.ACCEPTED, "invitation.accept")
            return None
    _link(held, invitation)
    _answer(invitation, InvitationState.ACCEPTED, "invitation.accept")
    return held


def _at_home(details: Details, invitation: EventInvitation) -> None:
    """Whoever comes from an invitation comes from its institution."""
    details.institution = invitation.institution.key  # found by it, whatever its name is in the reader's language
    details.stakeholder_type = invitation.institution.stakeholder_type


def _answer(invitation: EventInvitation, state: InvitationState, verb: str, note: str = "") -> None:
    if (invitation.state, invitation.state_note) != (state, note):
        set_state(invitation, state, note)
        audit.record(invitation, verb, invitation)


def decline(invitation: EventInvitation, reason: str = "") -> None:
    """Say no; a place taken before is given up. An institution withdraws its delegates first."""
    _begin(invitation)
    if invitation.kind is InvitationKind.INSTITUTION:
        if _delegates(invitation):
            raise Conflict(_("Delegates of yours are registered. Withdraw them first, then decline."))
    elif (held := registration_of(invitation)) is not None:
        registrations.cancel(held, by=invitation, reason="declined the invitation")
    _answer(invitation, InvitationState.DECLINED, "invitation.decline", reason)


def delegate(invitation: EventInvitation, guest: Guest) -> EventInvitation:
    """Pass it on to a colleague of the same institution, who gets an invitation of their own."""
    _begin(invitation, registering=True)
    if invitation.kind is InvitationKind.INSTITUTION:
        raise Conflict(_("An institution names its delegates here, and passes nothing on."))
    if registration_of(invitation) is not None:
        raise Conflict(_("You are registered. Open your registration with the link in your mail, and send a colleague instead there."))
    if guest.email and address_key(guest.email) == invitation.email:
        raise Invalid(_("This is your own address."), "email")
    guest.institution, guest.stakeholder_type = invitation.institution.key, invitation.institution.stakeholder_type
    guest.kind, guest.language = InvitationKind.PERSON, invitation.language
    colleague = _already_invited(invitation.event, guest.email)
    if colleague is None:
        colleague = invite(invitation.event, guest, by=invitation, delegated_from=invitation, is_judged=True)
    if colleague.state is InvitationState.DRAFT and colleague.email:
        sending.send(colleague, Channel.MAIL, by=invitation)
    _answer(invitation, InvitationState.DELEGATED, "invitation.delegate")
    return colleague


def _already_invited(event: Event, email: str) -> EventInvitation | None:
    """The open invitation of a colleague who has one; the one who passes theirs on does not learn of it."""
    states = (InvitationState.DRAFT, InvitationState.SENT, InvitationState.ACCEPTED)
    query = select(EventInvitation).where(EventInvitation.event_id == event.id, EventInvitation.kind == InvitationKind.PERSON)
    query = query.where(EventInvitation.email == address_key(email), EventInvitation.state.in_(states)).limit(1)
    return db.session.scalar(query) if email.strip() else None


# -- an institution --


def _delegates(invitation: EventInvitation) -> int:
    query = select(func.count()).select_from(Registration)
    return db.session.scalar(query.where(Registration.invitation_id == invitation.id, Registration.state.in_(LIVE))) or 0


def seats_left(invitation: EventInvitation) -> int | None:
    """How many more delegates the institution may name; None: no limit of its own."""
    return None if invitation.seats is None else max(0, invitation.seats - _delegates(invitation))


def _require_institution(invitation: EventInvitation) -> None:
    if invitation.kind is not InvitationKind.INSTITUTION:
        raise Conflict(_("This invitation is for one person."))


def add_delegate(
    invitation: EventInvitation, details: Details, *, given: Given | None = None, client_key: str | None = None
) -> Registration:
    """Register one of the institution's people; they get their ticket by mail."""
    _begin(invitation, registering=True)
    _require_institution(invitation)
    sent_before = db.session.scalar(select(Registration).where(Registration.client_key == client_key)) if client_key else None
    if sent_before is not None and sent_before.invitation_id == invitation.id:
        return sent_before
    if seats_left(invitation) == 0:
        raise Conflict(_("All seats of your institution are taken. Replace a delegate, or withdraw one first."))
    held = registrations.find_live(invitation.event, details.email) if details.email.strip() else None
    if held is not None and (held.institution_id != invitation.institution_id or held.invitation_id not in (None, invitation.id)):
        raise Invalid(_("This address cannot be registered from here. Please ask the organisers."), "email")
    _at_home(details, invitation)
    consents = {Purpose.TAKING_PART: True}  # the contact says that the delegate was informed
    registration, _new = registrations.register(
        invitation.event,
        details,
        by=invitation,
        source=Source.INVITATION,
        consents={} if held else consents,
        answers=given,
        client_key=client_key,
    )
    _link(registration, invitation)
    _answer(invitation, InvitationState.ACCEPTED, "invitation.accept")
    return registration


def replace_delegate(invitation: EventInvitation, old: Registration, details: Details) -> Registration:
    """Another of the institution's people takes the seat (product.md rule 6)."""
    _require_institution(invitation)
    _begin(invitation)
    if now() > invitation.event.ends:
        raise Conflict(_("This event is over."))
    _at_home(details, invitation)
    return registrations.replace(old, details, by=invitation)


def withdraw_delegate(invitation: EventInvitation, registration: Registration) -> None:
    _require_institution(invitation)
    _begin(invitation)
    registrations.cancel(registration, by=invitation, reason="by the institution")
