"""The organiser's list of invitations, and one invitation."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.events.models import Event
from consult_app.events.queries import load_event
from consult_app.i18n import gettext
from consult_app.invitations import actions, labels, queries, sending
from consult_app.invitations.forms import InvitationForm
from consult_app.invitations.links import whatsapp_link
from consult_app.invitations.models import EventInvitation
from consult_app.once import once
from consult_app.policy import can, require
from consult_app.registrations import labels as people_labels
from consult_app.registrations.queries import stakeholder_types
from consult_app.web import Answer, is_htmx, paginate

bp = Blueprint("invitations", __name__)


def here(event: Event, invitation: EventInvitation) -> str:
    return url_for("invitations.show", slug=event.slug, public_id=invitation.public_id)


@bp.get("/events/<slug>/invitations")
def list_invitations(slug: str) -> Answer:
    event = load_event(slug)
    require("invitation.list", event)
    names: dict[str, Any] = {"event": event, "page": paginate(queries.search(event, request.args)), "labels": labels}
    if is_htmx():
        return render_template("invitations/_rows.html", **names, filters=request.args)
    return render_template("invitations/list.html", **names, counts=queries.counts(event), filters=request.args)


@bp.get("/events/<slug>/invitations/institutions")
def by_institution(slug: str) -> Answer:
    """How far each institution is: invited, opened, answered, registered."""
    event = load_event(slug)
    require("invitation.list", event)
    page = paginate(queries.invited_institutions(event))
    return render_template(
        "invitations/institutions.html",
        event=event,
        page=page,
        counts=queries.counts(event),
        progress=queries.progress(event, page.items),
    )


@bp.route("/events/<slug>/invitations/add", methods=["GET", "POST"])
def add(slug: str) -> Answer:
    event = load_event(slug)
    require("invitation.edit", event)
    form = InvitationForm.of(event, stakeholder_types(event.consultation_id))
    if form.validate_on_submit():
        try:
            invitation = once(EventInvitation, lambda: actions.invite(event, form.guest(), by=g.actor))
            db.session.commit()
            flash(gettext("%(name)s is on the list. Nothing is sent yet.", name=invitation.addressed_to), "success")
            return redirect(here(event, invitation), 303)
        except Invalid as problem:
            event = _mark(form, problem, slug)
    return render_template("invitations/form.html", form=form, event=event, invitation=None), 422 if form.is_submitted() else 200


def _mark(form: InvitationForm, problem: Invalid, slug: str) -> Event:
    db.session.rollback()
    form[problem.field].errors = [str(problem.message)]
    return load_event(slug)


@bp.get("/events/<slug>/invitations/<public_id>")
def show(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("invitation.list", event)
    invitation = queries.load_invitation(event, public_id)
    sends = can(g.actor, "invitation.edit", event) and invitation.is_open
    return render_template(
        "invitations/show.html",
        event=event,
        invitation=invitation,
        labels=labels,
        people_labels=people_labels,
        registrations=queries.registrations_of(invitation, all_states=True),
        colleague=queries.delegated_to(invitation),
        can_remind=sending.can_remind(invitation),
        whatsapp=whatsapp_link(invitation) if sends and invitation.phone else "",
    )


@bp.route("/events/<slug>/invitations/<public_id>/edit", methods=["GET", "POST"])
def edit(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("invitation.edit", event)
    invitation = queries.load_invitation(event, public_id)
    form = InvitationForm.of(event, stakeholder_types(event.consultation_id), invitation)
    if form.validate_on_submit():
        try:
            actions.change(invitation, form.guest(), by=g.actor)
            db.session.commit()
            flash(gettext("The invitation is saved."), "success")
            return redirect(here(event, invitation), 303)
        except Invalid as problem:
            event = _mark(form, problem, slug)
            invitation = queries.load_invitation(event, public_id)
    return render_template("invitations/form.html", form=form, event=event, invitation=invitation), 422 if form.is_submitted() else 200


@bp.post("/events/<slug>/invitations/<public_id>/withdraw")
def withdraw(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("invitation.edit", event)
    invitation = queries.load_invitation(event, public_id)
    actions.withdraw(invitation, by=g.actor)
    db.session.commit()
    flash(gettext("The invitation is withdrawn. Its link says so."), "success")
    return redirect(here(event, invitation), 303)
