"""The public form, the personal link, and the organiser's list."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, abort, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_login import login_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app import qr, web
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.events.queries import load_event
from consult_app.i18n import _, gettext, language, local
from consult_app.policy import public, require
from consult_app.registrations import actions, labels, mails, queries  # noqa: F401  mails: registers its builders
from consult_app.registrations.forms import (
    LinkForm,
    OrganiserRegistrationForm,
    OwnRegistrationForm,
    PublicRegistrationForm,
    ReplacementForm,
)
from consult_app.registrations.models import Registration, Source
from consult_app.registrations.tickets import ticket_code
from consult_app.sheets import XLSX_TYPE, write_csv, write_xlsx
from consult_app.web import Answer, download, go, is_htmx, limiter, paginate, safe_next

bp = Blueprint("registrations", __name__)


def load_participant(public_id: str, link_start: str) -> Registration | None:
    """The participant of a session, as long as the registration stands and its link was not renewed."""
    found = db.session.scalar(
        select(Registration)
        .where(Registration.public_id == public_id)
        .options(joinedload(Registration.event), joinedload(Registration.stakeholder_type), joinedload(Registration.institution))
    )
    return found if found is not None and found.is_live and found.link_hash.startswith(link_start) and link_start else None


web.actor_loaders["participant"] = load_participant


# -- the public form --


@bp.route("/events/<slug>/register", methods=["GET", "POST"])
@limiter.limit("60 per minute", methods=["POST"])
def register(slug: str) -> Answer:
    event = load_event(slug)
    require("event.see", event)
    if not event.takes_registrations:
        return render_template("registrations/closed.html", event=event), 200 if request.method == "GET" else 409
    types = queries.stakeholder_types(event.consultation_id)
    form = PublicRegistrationForm.of(event, types, client_key=secrets.token_urlsafe(16), language=language())
    if form.validate_on_submit():
        actions.register(
            event, form.details(event), by=g.actor, source=Source.PUBLIC, consents=form.consents(), client_key=form.client_key.data or None
        )
        db.session.commit()
        session["registered_email"] = form.email.data
        return redirect(url_for("registrations.registered", slug=slug), 303)
    return render_template("registrations/register.html", form=form, event=event), 422 if form.is_submitted() else 200


@bp.get("/events/<slug>/registered")
def registered(slug: str) -> Answer:
    """The same words for everyone, so that nobody learns who is registered (product.md rule 5)."""
    event = load_event(slug)
    require("event.see", event)
    return render_template("registrations/registered.html", event=event, email=session.get("registered_email", ""))


# -- the personal link --


def _enter(registration: Registration, wanted: str) -> Answer:
    """Open a fresh session for the participant."""
    session.clear()
    session.permanent = True
    session["language"] = registration.language
    actions.opened(registration)
    db.session.commit()
    login_user(registration, force=True)
    return go(wanted)


@bp.route("/open", methods=["GET", "POST"])
@limiter.limit("30 per minute", key_func=lambda: request.form.get("token", "")[:16] or "none", methods=["POST"])
def open_link() -> Answer:
    """A GET shows a page whose script posts the secret from the address's fragment; only the POST opens anything."""
    public()
    form = LinkForm()
    if form.validate_on_submit():
        registration = queries.by_link((form.token.data or "").rsplit("#", 1)[-1])
        if registration is not None:
            return _enter(registration, safe_next(url_for("registrations.own")))
        form.token.errors = [gettext("This link does not work any more. Ask for a new one at the desk, or register again.")]
    then = request.args.get("then", "")
    return render_template("registrations/open.html", form=form, then=then), 422 if form.is_submitted() else 200


@bp.post("/open/demo")
def open_demo() -> Answer:
    """On the demonstration, be one of its participants; on any other site there is nothing here."""
    public()
    registration = queries.demo_participant() if current_app.config["DEMO"] else None
    if registration is None:
        abort(404)
    return _enter(registration, url_for("registrations.own"))


@bp.get("/my/registration")
def own() -> Answer:
    require("registration.own", g.actor)
    registration: Registration = g.actor
    code = ticket_code(registration.seed)
    return render_template("registrations/own.html", registration=registration, event=registration.event, code=code, qr=qr.svg_path(code))


@bp.route("/my/registration/change", methods=["GET", "POST"])
def change() -> Answer:
    require("registration.own", g.actor)
    registration: Registration = g.actor
    types = queries.stakeholder_types(registration.consultation_id)
    given = {consent.purpose.value: consent.is_given for consent in registration.consents}
    form = OwnRegistrationForm.of(registration.event, types, registration, **given)
    if form.validate_on_submit():
        details = form.details(registration.event)
        details.role = registration.role
        actions.change(registration, details, by=registration)
        actions.set_consents(registration, form.consents(), by=registration, channel=Source.PUBLIC)
        db.session.commit()
        flash(gettext("Your registration is changed."), "success")
        return redirect(url_for("registrations.own"), 303)
    return render_template(
        "registrations/change.html", form=form, event=registration.event, registration=registration
    ), 422 if form.is_submitted() else 200


@bp.post("/my/registration/cancel")
def cancel_own() -> Answer:
    require("registration.own", g.actor)
    registration: Registration = g.actor
    slug = registration.event.slug
    actions.cancel(registration, by=registration, reason="by the participant")
    db.session.commit()
    session.clear()
    flash(gettext("Your registration is cancelled. Thank you for telling us."), "success")
    return redirect(url_for("events.show", slug=slug), 303)


@bp.route("/my/registration/replace", methods=["GET", "POST"])
def replace_own() -> Answer:
    """A delegate who cannot come names the colleague who will."""
    require("registration.own", g.actor)
    registration: Registration = g.actor
    form = ReplacementForm()
    if form.validate_on_submit():
        slug = registration.event.slug
        actions.replace(registration, _replacement(form, registration), by=registration)
        db.session.commit()
        session.clear()
        flash(gettext("Your colleague has your place, and a mail with the ticket. Your own ticket no longer works."), "success")
        return redirect(url_for("events.show", slug=slug), 303)
    return render_template(
        "registrations/replace.html", form=form, registration=registration, own=True
    ), 422 if form.is_submitted() else 200


def _replacement(form: ReplacementForm, old: Registration) -> actions.Details:
    names = ("title_before", "name", "title_after", "position", "email")
    given: dict[str, Any] = {name: form[name].data or "" for name in names}
    return actions.Details(
        **given,
        sex=form.sex.data,
        institution="",
        stakeholder_type=old.stakeholder_type,
        language=old.language,
    )


# -- the organiser's list --


def _list_names(event: Event) -> dict[str, Any]:
    page = paginate(queries.search(event, request.args))
    return {"event": event, "page": page, "states": labels.STATE, "tones": labels.TONE, "filters": request.args}


@bp.get("/events/<slug>/registrations")
def list_registrations(slug: str) -> Answer:
    event = load_event(slug)
    require("registration.list", event)
    if is_htmx():
        return render_template("registrations/_rows.html", **_list_names(event))
    types = queries.stakeholder_types(event.consultation_id)
    return render_template("registrations/list.html", types=types, counts=queries.counts(event), **_list_names(event))


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
        new = actions.replace(registration, _replacement(form, registration), by=g.actor)
        db.session.commit()
        flash(gettext("%(name)s has taken the place.", name=new.full_name), "success")
        return redirect(url_for("registrations.show", slug=slug, public_id=new.public_id), 303)
    return render_template(
        "registrations/replace.html", form=form, registration=registration, own=False
    ), 422 if form.is_submitted() else 200


EXPORT_HEADER = (
    _("Name"),
    _("Institution"),
    _("Stakeholder type"),
    _("Position"),
    _("Sex"),
    _("E-mail address"),
    _("Phone"),
    _("Takes part"),
    _("Role"),
    _("State"),
    _("Diet"),
    _("Accommodations"),
)


@bp.get("/events/<slug>/registrations.<any(csv, xlsx):kind>")
def export(slug: str, kind: str) -> Answer:
    """The filtered list as a file; what is exported never runs as a formula."""
    event = load_event(slug)
    require("registration.export", event)
    header = [str(words) for words in EXPORT_HEADER]
    rows = [
        [
            r.full_name,
            local(r.institution.name),
            local(r.stakeholder_type.name),
            r.position,
            labels.SEX[r.sex],
            r.email,
            r.phone,
            labels.ATTENDANCE[r.attendance],
            labels.ROLE[r.role],
            labels.STATE[r.state],
            r.diet,
            r.accommodations,
        ]
        for r in db.session.scalars(queries.search(event, request.args))
    ]
    name = f"{event.slug}-registrations.{kind}"
    if kind == "csv":
        return download(write_csv(header, rows), name, "text/csv")
    return download(write_xlsx({gettext("Registrations"): (header, rows)}), name, XLSX_TYPE)
