"""Sending: by mail, by WhatsApp, as letters; one by one or all that are filtered."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload

from consult_app.db import db
from consult_app.errors import Conflict, Missing
from consult_app.events.queries import load_event
from consult_app.i18n import _, gettext, ngettext
from consult_app.invitations import labels, mails, queries, sending  # noqa: F401  mails: registers its builders
from consult_app.invitations.letters import letters
from consult_app.invitations.links import whatsapp_link
from consult_app.invitations.models import Channel, EventInvitation, InvitationState
from consult_app.invitations.views import here
from consult_app.policy import require
from consult_app.web import Answer, download, safe_next

bp = Blueprint("invitation_sending", __name__)
MOST_LETTERS = 500


@bp.get("/events/<slug>/invitations/send")
def overview(slug: str) -> Answer:
    """What is to be sent, by the way that reaches each best, and who has to be reminded."""
    event = load_event(slug)
    require("invitation.edit", event)
    waiting = sending.waiting_for(event, request.args)
    unsent = sending.unsent(event, request.args)
    return render_template(
        "invitations/send.html",
        event=event,
        labels=labels,
        filters=request.args,
        by_mail=unsent[Channel.MAIL],
        by_letter=unsent[Channel.LETTER],
        by_whatsapp=[(found, whatsapp_link(found)) for found in unsent[Channel.WHATSAPP][:100]],
        more_by_whatsapp=len(unsent[Channel.WHATSAPP][100:]),
        waiting=waiting,
        to_remind=[found for found in waiting if found.email and sending.can_remind(found)],
    )


@bp.post("/events/<slug>/invitations/send")
def send_all(slug: str) -> Answer:
    """Send the filtered drafts by mail, or note that their letters were sent."""
    event = load_event(slug)
    require("invitation.edit", event)
    channel = _channel(Channel.MAIL, Channel.LETTER)
    number = sending.send_all(event, request.args, channel, by=g.actor)
    db.session.commit()
    if channel is Channel.MAIL:
        flash(ngettext("%(num)s invitation is on its way.", "%(num)s invitations are on their way.", number), "success")
    else:
        flash(ngettext("%(num)s letter is noted as sent.", "%(num)s letters are noted as sent.", number), "success")
    return redirect(url_for("invitations.list_invitations", slug=slug), 303)


@bp.post("/events/<slug>/invitations/remind")
def remind_all(slug: str) -> Answer:
    event = load_event(slug)
    require("invitation.edit", event)
    number = sending.remind_all(event, request.args, by=g.actor)
    db.session.commit()
    flash(ngettext("%(num)s reminder is on its way.", "%(num)s reminders are on their way.", number), "success")
    return redirect(url_for("invitations.list_invitations", slug=slug), 303)


def _channel(*allowed: Channel) -> Channel:
    given = request.form.get("channel", Channel.MAIL.value)
    if given not in {channel.value for channel in allowed}:
        raise Missing(_("There is no such way of sending."))
    return Channel(given)


@bp.post("/events/<slug>/invitations/<public_id>/send")
def send(slug: str, public_id: str) -> Answer:
    """One invitation by mail; or the note that it was sent by WhatsApp or as a letter."""
    event = load_event(slug)
    require("invitation.edit", event)
    invitation, channel = queries.load_invitation(event, public_id), _channel(*Channel)
    sending.send(invitation, channel, by=g.actor)
    db.session.commit()
    words = gettext("The invitation of %(name)s is on its way.") if channel is Channel.MAIL else gettext("Noted: %(name)s was invited.")
    flash(words % {"name": invitation.addressed_to}, "success")
    return redirect(safe_next(here(event, invitation)), 303)


@bp.post("/events/<slug>/invitations/<public_id>/remind")
def remind(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("invitation.edit", event)
    invitation, channel = queries.load_invitation(event, public_id), _channel(*Channel)
    sending.remind(invitation, channel, by=g.actor)
    db.session.commit()
    words = gettext("A reminder to %(name)s is on its way.") if channel is Channel.MAIL else gettext("Noted: %(name)s was reminded.")
    flash(words % {"name": invitation.addressed_to}, "success")
    return redirect(safe_next(here(event, invitation)), 303)


@bp.post("/events/<slug>/invitations/<public_id>/renew")
def renew(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("invitation.edit", event)
    invitation = queries.load_invitation(event, public_id)
    sending.renew(invitation, by=g.actor)
    db.session.commit()
    flash(gettext("The invitation has a new link; the old one no longer works."), "success")
    return redirect(here(event, invitation), 303)


@bp.get("/events/<slug>/invitations/<public_id>/letter.pdf")
def letter(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("invitation.edit", event)
    invitation = queries.load_invitation(event, public_id)
    if not invitation.is_open:
        raise Conflict(_("This invitation was withdrawn or passed on already."))
    return download(letters(event, [invitation]), f"{event.slug}-invitation.pdf", "application/pdf", inline=True)


@bp.get("/events/<slug>/invitations/letters.pdf")
def letters_pdf(slug: str) -> Answer:
    """One page for each filtered invitation that has not been answered; by default for those with no other address."""
    event = load_event(slug)
    require("invitation.edit", event)
    filters = request.args if "reach" in request.args else {**request.args, "reach": Channel.LETTER.value}
    query = queries.search(event, filters).where(EventInvitation.state.in_([InvitationState.DRAFT, InvitationState.SENT]))
    found = db.session.scalars(query.options(joinedload(EventInvitation.event)).limit(MOST_LETTERS + 1)).all()
    if not found:
        raise Missing(_("There is no letter to print here."))
    if len(found) > MOST_LETTERS:
        raise Conflict(gettext("These are more than %(most)s letters. Filter the list first.", most=MOST_LETTERS))
    return download(letters(event, found), f"{event.slug}-letters.pdf", "application/pdf", inline=True)
