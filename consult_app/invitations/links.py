"""The link of an invitation, and the ways it is handed over: an address, and a WhatsApp message that the organiser sends."""

from __future__ import annotations

from urllib.parse import quote

from consult_app import web
from consult_app.i18n import clock, days, gettext, local, reading
from consult_app.invitations.models import EventInvitation, InvitationKind
from consult_app.registrations.tickets import new_seed, secret, token_hash

PURPOSE = "invitation"


def set_secret(invitation: EventInvitation) -> None:
    """A new link; the one before stops working."""
    invitation.seed = new_seed()
    invitation.link_hash = token_hash(secret(PURPOSE, invitation.seed))


def invitation_link(invitation: EventInvitation) -> str:
    """The full address that answers it; the secret stands behind the #, where no server and no preview sees it."""
    return web.external_url("invitation.open_link") + "#" + secret(PURPOSE, invitation.seed)


def whatsapp_link(invitation: EventInvitation) -> str:
    """An address of wa.me that opens a chat with the number, the message ready to send in the reader's language."""
    event = invitation.event
    with reading(invitation.language):
        names = {
            "name": invitation.full_name or local(invitation.institution.name),
            "event": local(event.title),
            "when": f"{days(event.starts_on, event.ends_on)}, {clock(event.starts, event.timezone)}",
            "where": f", {event.venue}" if event.venue else "",
            "link": invitation_link(invitation),
        }
        if invitation.kind is InvitationKind.INSTITUTION:
            words = gettext(
                "Dear %(name)s,\n\nyour institution is invited to “%(event)s”: %(when)s%(where)s.\n\n"
                "Please name your delegates here:\n%(link)s",
                **names,
            )
        else:
            words = gettext(
                "Dear %(name)s,\n\nyou are invited to “%(event)s”: %(when)s%(where)s.\n\nPlease answer here:\n%(link)s", **names
            )
    return f"https://wa.me/{''.join(c for c in invitation.phone if c.isdigit())}?text={quote(words)}"
