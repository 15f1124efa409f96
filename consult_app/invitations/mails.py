"""Mails to those invited: the invitation, and a reminder."""

from __future__ import annotations

from functools import partial

from sqlalchemy.orm import joinedload

from consult_app import mail, web
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.i18n import gettext, local
from consult_app.invitations.links import invitation_link
from consult_app.invitations.models import EventInvitation


def _parts(about: str, invitation_id: int) -> mail.Parts:
    invitation = db.session.get_one(
        EventInvitation,
        invitation_id,
        options=[
            joinedload(EventInvitation.event).joinedload(Event.consultation),
            joinedload(EventInvitation.institution),
            joinedload(EventInvitation.delegated_from),
        ],
    )
    event, title = invitation.event, local(invitation.event.title)
    subject = gettext("Invitation: %(event)s", event=title)
    if about == "remind":
        subject = gettext("Please answer your invitation: %(event)s", event=title)
    names = {
        "invitation": invitation,
        "event": event,
        "about": about,
        "link": invitation_link(invitation),
        "url": web.external_url("events.show", slug=event.slug),
    }
    return mail.Parts(subject, "invitations/email/invitation", names)


for _about in ("invite", "remind"):
    mail.builder(f"invitations.{_about}")(partial(_parts, _about))
