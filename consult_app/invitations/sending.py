"""Sending invitations and reminders: by mail, by WhatsApp, as letters. Nothing is sent twice."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import joinedload

from consult_app import audit, mail
from consult_app.db import db, now
from consult_app.errors import Conflict
from consult_app.events.models import Event, EventState
from consult_app.i18n import _
from consult_app.invitations.actions import set_state
from consult_app.invitations.links import set_secret
from consult_app.invitations.models import Channel, EventInvitation, InvitationState
from consult_app.invitations.queries import search
from consult_app.policy import Actor


def require_sendable(event: Event) -> None:
    """Raises Conflict where nobody could answer."""
    if event.is_cancelled:
        raise Conflict(_("This event was cancelled."))
    if event.state is not EventState.PUBLISHED:
        raise Conflict(_("Publish the event first: until then nobody could accept."))
    if now() > event.ends:
        raise Conflict(_("This event is over."))


def _tell(invitation: EventInvitation, about: str, key: str) -> None:
    unique = f"invitation:{about}:{invitation.public_id}:{key}"
    mail.queue(
        f"invitations.{about}",
        invitation.email,
        invitation.language,
        unique,
        invitation.consultation_id,
        about=invitation.public_id,
        invitation_id=invitation.id,
    )


def _require_address(invitation: EventInvitation, channel: Channel) -> None:
    if channel is Channel.MAIL and not invitation.email:
        raise Conflict(_("There is no e-mail address. Send it by WhatsApp, or print a letter."))
    if channel is Channel.WHATSAPP and not invitation.phone:
        raise Conflict(_("There is no phone number. Send it by mail, or print a letter."))


@audit.in_turn
def send(invitation: EventInvitation, channel: Channel, *, by: Actor) -> None:
    """Send it by mail, or note that it was sent by WhatsApp or as a letter."""
    require_sendable(invitation.event)
    _require_address(invitation, channel)
    if not invitation.is_unanswered:
        raise Conflict(_("This invitation was answered or withdrawn already."))
    if invitation.state is InvitationState.SENT and invitation.channel is channel:
        raise Conflict(_("This invitation was sent already. You can remind them tomorrow."))
    if channel is Channel.MAIL:
        _tell(invitation, "invite", invitation.link_hash[:16])
    if invitation.state is InvitationState.DRAFT:
        set_state(invitation, InvitationState.SENT)
    invitation.channel, invitation.sent_at = channel, now()
    audit.record(by, "invitation.send", invitation, channel.value)


def can_remind(invitation: EventInvitation) -> bool:
    """Whether no invitation and no reminder was sent today, by the event's own calendar."""
    last = max((at for at in (invitation.sent_at, invitation.reminded_at) if at is not None), default=None)
    return invitation.state is InvitationState.SENT and (last is None or invitation.event.day_of(last) < invitation.event.day_of(now()))


@audit.in_turn
def remind(invitation: EventInvitation, channel: Channel, *, by: Actor) -> None:
    """Remind somebody who has not answered, at most once a day."""
    require_sendable(invitation.event)
    _require_address(invitation, channel)
    if invitation.state is not InvitationState.SENT:
        raise Conflict(_("Only who was invited and has not answered is reminded."))
    if not can_remind(invitation):
        raise Conflict(_("They were written to today already. A reminder goes out at most once a day."))
    invitation.reminders += 1
    invitation.reminded_at = now()
    if channel is Channel.MAIL:
        _tell(invitation, "remind", f"{invitation.event.day_of(now()):%Y%m%d}")
    audit.record(by, "invitation.remind", invitation, channel.value)


@audit.in_turn
def renew(invitation: EventInvitation, *, by: Actor) -> None:
    """A new link, by mail where there is an address; the old one, forwarded to the wrong people, stops working."""
    if not invitation.is_open:
        raise Conflict(_("This invitation was withdrawn or passed on already."))
    set_secret(invitation)
    if invitation.state is InvitationState.SENT and not invitation.email:
        set_state(invitation, InvitationState.DRAFT)
    audit.record(by, "invitation.renew", invitation)
    if invitation.email and invitation.state is not InvitationState.DRAFT:
        _tell(invitation, "invite", invitation.link_hash[:16])


def _filtered(event: Event, filters: Mapping[str, str], state: InvitationState) -> list[EventInvitation]:
    query = search(event, filters).where(EventInvitation.state == state).options(joinedload(EventInvitation.event))
    return list(db.session.scalars(query))


@audit.in_turn
def send_all(event: Event, filters: Mapping[str, str], channel: Channel, *, by: Actor) -> int:
    """Send all drafts among the filtered ones that this channel reaches best; returns how many."""
    require_sendable(event)
    chosen = [found for found in _filtered(event, filters, InvitationState.DRAFT) if found.reached_by is channel]
    for invitation in chosen:
        send(invitation, channel, by=by)
    return len(chosen)


@audit.in_turn
def remind_all(event: Event, filters: Mapping[str, str], *, by: Actor) -> int:
    """Remind by mail all filtered ones who have not answered and were not written to today; returns how many."""
    require_sendable(event)
    chosen = [found for found in _filtered(event, filters, InvitationState.SENT) if found.email and can_remind(found)]
    for invitation in chosen:
        remind(invitation, Channel.MAIL, by=by)
    return len(chosen)


def waiting_for(event: Event, filters: Mapping[str, str]) -> list[EventInvitation]:
    """The filtered ones that were sent and not answered."""
    query = search(event, filters).where(EventInvitation.state == InvitationState.SENT).options(joinedload(EventInvitation.event))
    return list(db.session.scalars(query))


def unsent(event: Event, filters: Mapping[str, str]) -> dict[Channel, list[EventInvitation]]:
    """The filtered drafts by the channel that reaches them best."""
    query = search(event, filters).where(EventInvitation.state == InvitationState.DRAFT).options(joinedload(EventInvitation.event))
    found: dict[Channel, list[EventInvitation]] = {channel: [] for channel in Channel}
    for invitation in db.session.scalars(query):
        found[invitation.reached_by].append(invitation)
    return found
