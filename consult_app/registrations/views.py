"""One registration, as the organiser adds and changes it."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, url_for

from consult_app.db import db
from consult_app.events.queries import load_event
from consult_app.i18n import gettext
from consult_app.policy import require
from consult_app.registrations import actions, labels, queries
from consult_app.registrations.blueprint import bp
from consult_app.registrations.forms import OrganiserRegistrationForm, ReplacementForm
from consult_app.registrations.models import Source
from consult_app.web import Answer


@bp.route("/events/<slug>/registrations/add", methods=["GET", "POST"])
def add(slug: str) -> Answer:
    event = load_event(slug)
    require("registration.add", event)
    types = queries.stakeholder_types(event.consultation_id)
    form = OrganiserRegistrationForm.of(event, types, language=event.consultation.languages[0])
    if form.validate_on_submit():
        registration, is_new = actions.register(event, form.details(event), by=g.actor, source=Source.ORGANISER)
        db.session.commit()
        words = gettext("%(name)s is registered.") if is_new else gettext("%(name)s was registered already, and is shown here.")
        flash(words % {"name": registration.full_name}, "success" if is_new else "info")
        return redirect(url_for("registrations.show", slug=slug, public_id=registration.public_id), 303)
    return render_template("registrations/add.html", form=form, event=event), 422 if form.is_submitted() else 200


@bp.get("/events/<slug>/registrations/<public_id>")
def show(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.list", event)
    registration = queries.load_registration(event, public_id)
    return render_template(
        "registrations/show.html", registration=registration, event=event, states=labels.STATE, tones=labels.TONE, labels=labels
    )


@bp.route("/events/<slug>/registrations/<public_id>/edit", methods=["GET", "POST"])
def edit(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.edit", event)
    registration = queries.load_registration(event, public_id)
    form = OrganiserRegistrationForm.of(event, queries.stakeholder_types(event.consultation_id), registration)
    del form.email  # it is who they are: another address is another person, who can replace this one
    if form.validate_on_submit():
        details = form.details(event)
        actions.change(registration, details, by=g.actor)
        db.session.commit()
        flash(gettext("The registration is saved."), "success")
        return redirect(url_for("registrations.show", slug=slug, public_id=public_id), 303)
    return render_template(
        "registrations/edit.html", form=form, event=event, registration=registration
    ), 422 if form.is_submitted() else 200


@bp.post("/events/<slug>/registrations/<public_id>/cancel")
def cancel(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.edit", event)
    registration = queries.load_registration(event, public_id)
    actions.cancel(registration, by=g.actor, reason="by the organiser")
    db.session.commit()
    flash(gettext("The registration of %(name)s is cancelled.", name=registration.full_name), "success")
    return redirect(url_for("registrations.show", slug=slug, public_id=public_id), 303)


@bp.post("/events/<slug>/registrations/<public_id>/restore")
def restore(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.edit", event)
    registration = queries.load_registration(event, public_id)
    actions.restore(registration, by=g.actor)
    db.session.commit()
    flash(gettext("The registration of %(name)s stands again.", name=registration.full_name), "success")
    return redirect(url_for("registrations.show", slug=slug, public_id=public_id), 303)


@bp.post("/events/<slug>/registrations/<public_id>/renew")
def renew(slug: str, public_id: str) -> Answer:
    """A lost phone, a forwarded link: a new ticket and a new link by mail, and the old ones stop working."""
    event = load_event(slug)
    require("registration.edit", event)
    registration = queries.load_registration(event, public_id)
    actions.renew_secrets(registration, by=g.actor)
    db.session.commit()
    flash(gettext("A new ticket and link are on their way; the old ones no longer work."), "success")
    return redirect(url_for("registrations.show", slug=slug, public_id=public_id), 303)


@bp.route("/events/<slug>/registrations/<public_id>/replace", methods=["GET", "POST"])
def replace(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.edit", event)
    registration = queries.load_registration(event, public_id)
    form = ReplacementForm()
    if form.validate_on_submit():
        new = actions.replace(registration, form.details(registration), by=g.actor)
        db.session.commit()
        flash(gettext("%(name)s has taken the place.", name=new.full_name), "success")
        return redirect(url_for("registrations.show", slug=slug, public_id=new.public_id), 303)
    return render_template(
        "registrations/replace.html", form=form, registration=registration, own=False
    ), 422 if form.is_submitted() else 200
