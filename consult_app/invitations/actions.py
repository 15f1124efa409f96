"""What organisers do with invitations: add, change, withdraw. Sending is in sending.py, answering in answers.py."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from sqlalchemy import select

from consult_app import audit
from consult_app.addresses import address_key
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.invitations.links import set_secret
from consult_app.invitations.models import Channel, EventInvitation, InvitationKind, InvitationState
from consult_app.policy import Actor
from consult_app.registrations.models import LIVE, Institution, Registration, Sex, StakeholderType
from consult_app.registrations.moves import has_seats
from consult_app.registrations.people import find_institution
from consult_app.registrations.titles import name_key
from consult_app.sheets import fold


@has_seats.connect
def _is_invited(institution: Institution) -> bool:
    """Whether an institution is invited to an event: its seats are its own to give."""
    open_ones = (EventInvitation.institution_id == institution.id, EventInvitation.state != InvitationState.WITHDRAWN)
    return db.session.scalar(select(EventInvitation.id).where(*open_ones).limit(1)) is not None


@dataclass
class Guest:
    """Who is invited; of an institution, the contact that names its people. `institution` is a name as typed."""

    kind: InvitationKind
    institution: str
    stakeholder_type: StakeholderType
    seats: int | None = None
    salutation: str = ""
    title_before: str = ""
    name: str = ""
    title_after: str = ""
    position: str = ""
    email: str = ""
    phone: str = ""
    sex: Sex = Sex.UNDISCLOSED
    language: str = "en"


def lock_event(event: Event) -> None:
    """One at a time changes the list of an event."""
    audit.take_turn(event.consultation_id, event)


@audit.in_turn
def invite(
    event: Event, guest: Guest, *, by: Actor, delegated_from: EventInvitation | None = None, is_judged: bool = False
) -> EventInvitation:
    """Put somebody on the list; nothing is sent. An import has judged all its rows already (`is_judged`)."""
    if event.is_cancelled:
        raise Conflict(_("This event was cancelled."))
    if not is_judged:
        _refuse_twice(event, guest)
    invitation = EventInvitation(
        consultation_id=event.consultation_id, event=event, kind=guest.kind, delegated_from=delegated_from, state=InvitationState.DRAFT
    )
    set_secret(invitation)
    with db.session.no_autoflush:
        _fill(invitation, guest, by=by)
    db.session.add(invitation)
    audit.record(by, "invitation.add", invitation)
    return invitation


def _fill(invitation: EventInvitation, guest: Guest, *, by: Actor) -> None:
    for name in (f.name for f in dataclasses.fields(Guest) if f.name not in ("kind", "institution", "stakeholder_type")):
        setattr(invitation, name, getattr(guest, name))
    invitation.email = address_key(guest.email)
    if invitation.kind is InvitationKind.PERSON:
        invitation.seats = None
    invitation.institution = find_institution(invitation.consultation_id, guest.institution, guest.stakeholder_type, by=by)
    texts = invitation.institution.name.values()
    words = [guest.title_before, guest.name, guest.title_after, *texts, invitation.institution.short, invitation.email]
    invitation.search = fold(" ".join(words)) + " " + "".join(c for c in guest.phone if c.isdigit())


def _refuse_twice(event: Event, guest: Guest, but: EventInvitation | None = None) -> None:
    """The same person, or the same institution, is not invited to one event twice."""
    open_ones = db.session.scalars(
        select(EventInvitation)
        .join(EventInvitation.institution)
        .where(
            EventInvitation.event_id == event.id,
            EventInvitation.kind == guest.kind,
            EventInvitation.state.not_in([InvitationState.WITHDRAWN, InvitationState.DELEGATED]),
        )
    )
    email, place, key = address_key(guest.email), fold(guest.institution), name_key(guest.name)
    for other in open_ones:
        if other is but:
            continue
        if guest.kind is InvitationKind.INSTITUTION:
            if other.institution.key == place:
                raise Invalid(_("This institution is invited already."), "institution")
        elif email and other.email == email:
            raise Invalid(_("Somebody with this address is invited already."), "email")
        elif other.institution.key == place and name_key(other.name) == key:
            raise Invalid(_("This person is invited already."), "name")


@audit.in_turn
def change(invitation: EventInvitation, guest: Guest, *, by: Actor) -> None:
    """Change the details. Where the address changes by which it was sent, the old link stops and it has to be sent again."""
    if not invitation.is_open:
        raise Conflict(_("This invitation was withdrawn or passed on and can no longer be changed."))
    guest.kind = invitation.kind
    _refuse_twice(invitation.event, guest, invitation)
    moved = (invitation.channel is Channel.MAIL and address_key(guest.email) != invitation.email) or (
        invitation.channel is Channel.WHATSAPP and guest.phone != invitation.phone
    )
    _fill(invitation, guest, by=by)
    if moved:
        set_secret(invitation)
        if invitation.state is InvitationState.SENT:
            set_state(invitation, InvitationState.DRAFT)
    audit.record(by, "invitation.change", invitation)


@audit.in_turn
def withdraw(invitation: EventInvitation, *, by: Actor) -> None:
    """Take an invitation back; its link answers so from now on. Who registered from it has to be cancelled first."""
    if not invitation.is_open:
        raise Conflict(_("This invitation was withdrawn or passed on already."))
    live = select(Registration.id).where(Registration.invitation_id == invitation.id, Registration.state.in_(LIVE)).limit(1)
    if db.session.scalar(live) is not None:
        raise Conflict(_("Somebody is registered from this invitation. Cancel the registration first, then withdraw the invitation."))
    set_state(invitation, InvitationState.WITHDRAWN)
    audit.record(by, "invitation.withdraw", invitation)


def set_state(invitation: EventInvitation, state: InvitationState, note: str = "") -> None:
    invitation.state, invitation.state_changed_at, invitation.state_note = state, now(), note
