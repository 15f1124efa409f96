"""One registration, as the organiser adds and changes it."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request, url_for

from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.events.queries import load_event
from consult_app.forms import mark
from consult_app.i18n import gettext, local
from consult_app.policy import require
from consult_app.registrations import actions, labels, moves, queries, speakers
from consult_app.registrations.answers import words_of
from consult_app.registrations.blueprint import bp
from consult_app.registrations.forms import EditRegistrationForm, OrganiserRegistrationForm, RefusalForm, ReplacementForm
from consult_app.registrations.models import Source
from consult_app.web import Answer


@bp.route("/events/<slug>/registrations/add", methods=["GET", "POST"])
def add(slug: str) -> Answer:
    event = load_event(slug)
    require("registration.add", event)
    types = queries.stakeholder_types(event.consultation_id)
    form = OrganiserRegistrationForm.of(event, types, language=event.consultation.languages[0])
    if form.validate_on_submit():
        try:
            details, given = form.details(event), form.answers()
            key = request.form.get("click_key") or None
            registration, is_new = actions.register(
                event, details, by=g.actor, source=Source.ORGANISER, answers=given, client_key=key and f"click:{event.id}:{key[:64]}"
            )
            db.session.commit()
            words = gettext("%(name)s is registered.") if is_new else gettext("%(name)s was registered already, and is shown here.")
            flash(words % {"name": registration.full_name}, "success" if is_new else "info")
            return redirect(url_for("registrations.show", slug=slug, public_id=registration.public_id), 303)
        except Invalid as problem:
            db.session.rollback()
            event = load_event(slug)
            mark(form, problem)
    return render_template("registrations/add.html", form=form, event=event), 422 if form.is_submitted() else 200


@bp.get("/events/<slug>/registrations/<public_id>")
def show(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.list", event)
    registration = queries.load_registration(event, public_id)
    return render_template(
        "registrations/show.html", registration=registration, event=event, states=labels.STATE, tones=labels.TONE, labels=labels,
        answers=words_of(registration), waiting=moves.waiting_of(registration),
    )  # fmt: skip


@bp.route("/events/<slug>/registrations/<public_id>/edit", methods=["GET", "POST"])
def edit(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.edit", event)
    registration = queries.load_registration(event, public_id)
    form = EditRegistrationForm.of(event, queries.stakeholder_types(event.consultation_id), registration)
    if form.validate_on_submit():
        try:
            wanted, is_correction = form.details(event), bool(form.from_beginning.data)
            actions.change(registration, wanted, by=g.actor, answers=form.answers(), from_beginning=is_correction)
            db.session.commit()
            flash(gettext("The registration is saved."), "success")
            return redirect(url_for("registrations.show", slug=slug, public_id=public_id), 303)
        except Invalid as problem:
            db.session.rollback()
            event = load_event(slug)
            registration = queries.load_registration(event, public_id)
            mark(form, problem)
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


@bp.post("/events/<slug>/registrations/<public_id>/approve")
def approve(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.edit", event)
    registration = queries.load_registration(event, public_id)
    actions.approve(registration, by=g.actor)
    db.session.commit()
    words = gettext("%(name)s is on the waiting list.") if registration.is_waiting else gettext("%(name)s is approved, and has a place.")
    flash(words % {"name": registration.full_name}, "success")
    return redirect(url_for("registrations.show", slug=slug, public_id=public_id), 303)


@bp.route("/events/<slug>/registrations/<public_id>/refuse", methods=["GET", "POST"])
def refuse(slug: str, public_id: str) -> Answer:
    """Say no, with a reason that the person will read."""
    event = load_event(slug)
    require("registration.edit", event)
    registration = queries.load_registration(event, public_id)
    form = RefusalForm()
    if form.validate_on_submit():
        actions.refuse(registration, form.reason.data or "", by=g.actor)
        db.session.commit()
        flash(gettext("The registration of %(name)s is not approved.", name=registration.full_name), "success")
        return redirect(url_for("registrations.show", slug=slug, public_id=public_id), 303)
    return render_template(
        "registrations/refuse.html", form=form, event=event, registration=registration
    ), 422 if form.is_submitted() else 200


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


@bp.post("/events/<slug>/registrations/<public_id>/speaker/<any(name, recall):verb>")
def speaker(slug: str, public_id: str, verb: str) -> Answer:
    """Let somebody's position stand for their institution, or take that back."""
    event = load_event(slug)
    require("registration.edit", event)
    registration = queries.load_registration(event, public_id)
    if verb == "name":
        speakers.let_speak(registration, by=g.actor)
        words = gettext("From now on the position of %(name)s stands for the institution.", name=registration.full_name)
    else:
        speakers.let_speak_no_more(registration, by=g.actor)
        words = gettext("The position of %(name)s no longer stands for the institution.", name=registration.full_name)
    db.session.commit()
    flash(words, "success")
    return redirect(url_for("registrations.show", slug=slug, public_id=public_id), 303)


@bp.post("/events/<slug>/registrations/<public_id>/institution/<change_id>/<any(accept, refuse):verb>")
def decide_move(slug: str, public_id: str, change_id: str, verb: str) -> Answer:
    """Confirm that a participant comes for another institution, or not."""
    event = load_event(slug)
    require("registration.edit", event)
    registration = queries.load_registration(event, public_id)
    asked = moves.load_change(registration, change_id)
    if verb == "accept":
        moves.accept(asked, by=g.actor)
        words = gettext("%(name)s comes for %(institution)s from now on. What was said before stays as it was.")
    else:
        moves.refuse(asked, by=g.actor)
        words = gettext("%(name)s does not come for %(institution)s. The registration stays as it was.")
    db.session.commit()
    flash(words % {"name": registration.full_name, "institution": local(asked.institution.name)}, "success")
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
