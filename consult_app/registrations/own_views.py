"""The public form, and what a participant does by the personal link."""

from __future__ import annotations

import secrets
from functools import cache

from flask import abort, current_app, flash, g, redirect, render_template, request, session, url_for
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as BaseResponse

from consult_app import qr, web
from consult_app.accounts.sessions import open_session, sid_hash, was_signed_out
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.events.queries import load_event
from consult_app.forms import mark
from consult_app.i18n import gettext, language
from consult_app.policy import public, require
from consult_app.registrations import actions, moves, queries, submissions
from consult_app.registrations.blueprint import bp
from consult_app.registrations.forms import LinkForm, OwnRegistrationForm, PublicRegistrationForm, ReplacementForm
from consult_app.registrations.models import Registration, Source
from consult_app.registrations.openings import opened_on
from consult_app.registrations.ticket_pdf import ticket_pdf
from consult_app.registrations.tickets import ticket_code
from consult_app.web import Answer, download, go, limiter, safe_next, secret_key


@cache
def _of_session() -> Select[Registration]:
    around = (joinedload(Registration.event), joinedload(Registration.stakeholder_type), joinedload(Registration.institution))
    return select(Registration).where(Registration.public_id == bindparam("public_id"), ~was_signed_out()).options(*around)


def load_participant(public_id: str, link_start: str) -> Registration | None:
    """The participant of a session, as long as the registration stands and its link was not renewed."""
    found = db.session.scalar(_of_session(), {"public_id": public_id, "sid": sid_hash()})
    return found if found is not None and found.is_live and found.link_hash.startswith(link_start) and link_start else None


web.actor_loaders["participant"] = load_participant


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
        try:
            submissions.submit(event, form.details(event), form.consents(), form.answers(), form.client_key.data or None)
            db.session.commit()
            session["registered_email"] = form.email.data
            return redirect(url_for("registrations.registered", slug=slug), 303)
        except Invalid as problem:
            db.session.rollback()
            event = load_event(slug)
            mark(form, problem)
    return render_template("registrations/register.html", form=form, event=event), 422 if form.is_submitted() else 200


@bp.get("/events/<slug>/registered")
def registered(slug: str) -> Answer:
    """The same words for everyone, so that nobody learns who is registered (product.md rule 5)."""
    event = load_event(slug)
    require("event.see", event)
    return render_template("registrations/registered.html", event=event, email=session.get("registered_email", ""))


def _phone(answer: BaseResponse) -> str:
    """The name that this browser goes by: random, for itself only, and the same the next time."""
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    cookie = "__Host-consult-phone" if secure else "consult-phone"
    phone = request.cookies.get(cookie, "")
    if not 20 <= len(phone) <= 64:
        phone = secrets.token_urlsafe(24)
    answer.set_cookie(cookie, phone, max_age=365 * 24 * 3600, secure=secure, httponly=True, samesite="Lax")
    return phone


def enter(registration: Registration, wanted: str) -> Answer:
    """Open a fresh session for the participant."""
    answer = go(wanted)
    opened_on(registration, _phone(answer))
    actions.opened(registration)
    db.session.commit()
    open_session(registration, registration.language)
    return answer


@bp.route("/open", methods=["GET", "POST"])
@limiter.limit("30 per minute", key_func=secret_key, methods=["POST"])
def open_link() -> Answer:
    """A GET shows a page whose script posts the secret from the address's fragment; only the POST opens anything."""
    public()
    form = LinkForm()
    if form.validate_on_submit():
        registration = queries.by_link((form.token.data or "").rsplit("#", 1)[-1])
        if registration is not None:
            return enter(registration, safe_next(url_for("registrations.own")))
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
    return enter(registration, url_for("registrations.own"))


@bp.route("/my/registration/link", methods=["GET", "POST"])
def renew_own() -> Answer:
    """Somebody else has the link: make a new one. It comes by mail, and nothing that the old one opened stays open."""
    require("registration.own", g.actor)
    registration: Registration = g.actor
    if not registration.email:
        raise Conflict(gettext("A new link goes by mail, and we have no address of yours. Give one first, or ask the organisers."))
    if request.method == "POST":
        actions.renew_secrets(registration, by=registration)
        db.session.commit()
        session.clear()
        flash(gettext("Your old link and ticket have stopped working. The new ones are on their way to you by mail."), "success")
        return redirect(url_for("events.show", slug=registration.event.slug), 303)
    return render_template("registrations/renew_own.html", registration=registration)


@bp.get("/my/registration")
def own() -> Answer:
    require("registration.own", g.actor)
    registration: Registration = g.actor
    code = ticket_code(registration.seed)
    return render_template(
        "registrations/own.html", registration=registration, event=registration.event, code=code, qr=qr.svg_path(code),
        waiting=moves.waiting_of(registration),
    )  # fmt: skip


@bp.get("/my/registration/ticket.pdf")
def ticket_file() -> Answer:
    """The ticket on paper, for as long as it holds a place."""
    require("registration.own", g.actor)
    if not g.actor.is_confirmed:
        raise Conflict(gettext("There is no ticket yet: this registration waits."))
    return download(ticket_pdf(g.actor), f"ticket-{g.actor.event.slug}.pdf", "application/pdf", inline=True)


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
        try:
            asked = moves.change_own(registration, details, by=registration, answers=form.answers())
            actions.set_consents(registration, form.consents(), by=registration, channel=Source.PUBLIC)
            db.session.commit()
            if asked is not None:
                words = gettext(
                    "All is saved but your institution: others come for it too, so the organisers confirm it first. You get a mail."
                )
            else:
                words = gettext("Your registration is changed.")
            flash(words, "success" if asked is None else "info")
            return redirect(url_for("registrations.own"), 303)
        except Invalid as problem:
            db.session.rollback()
            mark(form, problem)
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
        actions.replace(registration, form.details(registration), by=registration)
        db.session.commit()
        session.clear()
        flash(gettext("Your colleague has your place, and a mail with the ticket. Your own ticket no longer works."), "success")
        return redirect(url_for("events.show", slug=slug), 303)
    return render_template(
        "registrations/replace.html", form=form, registration=registration, own=True
    ), 422 if form.is_submitted() else 200
