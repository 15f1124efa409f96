"""Events: the organiser's pages and the public one."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from consult_app.consultations.models import Consultation
from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.events import actions, labels, queries
from consult_app.events.calendar import ics
from consult_app.events.forms import EventForm, SessionForm
from consult_app.events.models import Event, Session
from consult_app.events.poster import poster
from consult_app.i18n import gettext
from consult_app.once import once
from consult_app.policy import require
from consult_app.web import Answer, download

bp = Blueprint("events", __name__)


@bp.get("/consultations/<slug>/events")
def list_events(slug: str) -> Answer:
    consultation = load_consultation(slug)
    require("consultation.see", consultation)
    return render_template("events/list.html", consultation=consultation, events=queries.events_of(consultation), labels=labels)


@bp.route("/consultations/<slug>/events/new", methods=["GET", "POST"])
def create(slug: str) -> Answer:
    """Make an event; with `?template=` another one lends its details, its agenda and the settings of its registration."""
    consultation = load_consultation(slug)
    require("event.edit", consultation)
    template = queries.load_event(request.args["template"]) if request.args.get("template") else None
    if template is not None:
        require("event.edit", template)
    soon = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=14)
    given = {"timezone": consultation.timezone, "starts_on": soon, "ends_on": soon, "starts_at": dt.time(8, 30), "ends_at": dt.time(16)}
    if template is not None:
        kept = {name: getattr(template, name) for name in actions.FIELDS if name not in ("starts_on", "ends_on", "registration_closes_at")}
        given |= kept | {"ends_on": soon + (template.ends_on - template.starts_on)}
    form = EventForm.of(None, **given)
    if form.validate_on_submit():
        try:
            event = once(Event, lambda: _make(consultation, form, template))
            db.session.commit()
            flash(gettext("The event is saved as a draft. Add its agenda, then publish it."), "success")
            return redirect(url_for("events.show", slug=event.slug), 303)
        except Invalid as problem:
            _mark(form, problem)
    return _form_page("events/create.html", form, consultation, None)


def _make(consultation: Consultation, form: EventForm, template: Event | None) -> Event:
    event = actions.create_event(consultation, by=g.actor, **form.values())
    if template is not None:
        actions.copy_from(template, event, by=g.actor)
    return event


def _mark(form: EventForm | SessionForm, problem: Invalid) -> None:
    db.session.rollback()
    form[problem.field].errors = [str(problem.message)]


def _form_page(template: str, form: EventForm, consultation: Consultation, event: Event | None) -> Answer:
    return render_template(template, form=form, consultation=consultation, event=event), 422 if form.is_submitted() else 200


@bp.route("/events/<slug>/edit", methods=["GET", "POST"])
def edit(slug: str) -> Answer:
    event = queries.load_event(slug)
    require("event.edit", event)
    form = EventForm.of(event)
    if form.validate_on_submit():
        try:
            actions.change_event(event, by=g.actor, **form.values())
            db.session.commit()
            flash(gettext("The event is saved."), "success")
            return redirect(url_for("events.show", slug=slug), 303)
        except Invalid as problem:
            _mark(form, problem)
            event = queries.load_event(slug)
    return _form_page("events/edit.html", form, event.consultation, event)


@bp.get("/events/<slug>")
def show(slug: str) -> Answer:
    """The public page; organisers see their own buttons on it."""
    event = queries.load_event(slug)
    require("event.see", event)
    return render_template("events/show.html", event=event, labels=labels)


@bp.post("/events/<slug>/publish")
def publish(slug: str) -> Answer:
    event = queries.load_event(slug)
    require("event.edit", event)
    actions.publish_event(event, by=g.actor)
    db.session.commit()
    flash(gettext("The event is public. Share its page, or print the poster."), "success")
    return redirect(url_for("events.show", slug=slug), 303)


@bp.post("/events/<slug>/cancel")
def cancel(slug: str) -> Answer:
    event = queries.load_event(slug)
    require("event.edit", event)
    actions.cancel_event(event, by=g.actor)
    db.session.commit()
    flash(gettext("The event is cancelled. Its page says so."), "success")
    return redirect(url_for("events.show", slug=slug), 303)


@bp.route("/events/<slug>/agenda", methods=["GET", "POST"])
def agenda(slug: str) -> Answer:
    """The agenda and the form for one more item."""
    event = queries.load_event(slug)
    require("event.edit", event)
    form = SessionForm.of(event)
    if form.validate_on_submit():
        try:
            once(Session, lambda: actions.add_session(event, by=g.actor, **form.values(event)))
            db.session.commit()
            return redirect(url_for("events.agenda", slug=slug), 303)
        except Invalid as problem:
            _mark(form, problem)
            event = queries.load_event(slug)
    return render_template("events/agenda.html", form=form, event=event, labels=labels), 422 if form.is_submitted() else 200


@bp.route("/events/<slug>/agenda/<public_id>/edit", methods=["GET", "POST"])
def edit_session(slug: str, public_id: str) -> Answer:
    """One item of the agenda: its words, its time, who leads it and who takes its notes."""
    event = queries.load_event(slug)
    require("event.edit", event)
    item = queries.load_session(event, public_id)
    form = SessionForm.of(event, item)
    if form.validate_on_submit():
        try:
            actions.change_session(item, by=g.actor, **form.values(event))
            db.session.commit()
            flash(gettext("The item is saved."), "success")
            return redirect(url_for("events.agenda", slug=slug), 303)
        except Invalid as problem:
            _mark(form, problem)
            event = queries.load_event(slug)
    return render_template("events/edit_session.html", form=form, event=event), 422 if form.is_submitted() else 200


@bp.post("/events/<slug>/agenda/<public_id>/remove")
def remove_session(slug: str, public_id: str) -> Answer:
    event = queries.load_event(slug)
    require("event.edit", event)
    actions.remove_session(queries.load_session(event, public_id), by=g.actor)
    db.session.commit()
    flash(gettext("The item is off the agenda."), "success")
    return redirect(url_for("events.agenda", slug=slug), 303)


@bp.get("/events/<slug>/event.ics")
def calendar(slug: str) -> Answer:
    event = queries.load_event(slug)
    require("event.see", event)
    return download(ics(event), f"{event.slug}.ics", "text/calendar")


@bp.get("/events/<slug>/poster.pdf")
def poster_pdf(slug: str) -> Answer:
    """One page with the registration QR, to hang up or to send round."""
    event = queries.load_event(slug)
    require("event.see", event)
    return download(poster(event), f"{event.slug}-poster.pdf", "application/pdf", inline=True)
