"""Importing a list of people: upload, look, save."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from consult_app.consultations.models import ImportKind
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.events.queries import load_event
from consult_app.i18n import gettext
from consult_app.policy import require
from consult_app.registrations import drafts, imports
from consult_app.registrations.forms import UploadForm
from consult_app.web import Answer, Page, pause_transaction, resume_writing

bp = Blueprint("people_import", __name__)


@bp.route("/events/<slug>/registrations/import", methods=["GET", "POST"])
def upload(slug: str) -> Answer:
    event = load_event(slug)
    require("registration.import", event)
    form = UploadForm()
    if form.validate_on_submit():
        file = form.file.data
        try:
            pause_transaction()
            judged = imports.read_list(file.filename or "", file.read(), event)
            resume_writing()
            draft = drafts.keep(event, ImportKind.REGISTRATIONS, file.filename or "", judged.as_json(), by=g.actor)
            db.session.commit()
            return redirect(url_for("people_import.preview", slug=slug, public_id=draft.public_id), 303)
        except Invalid as problem:
            form.file.errors = [str(problem.message)]
    return render_template(
        "registrations/import.html", form=form, event=event, headings=imports.HEADINGS
    ), 422 if form.is_submitted() else 200


@bp.get("/events/<slug>/registrations/import/<public_id>")
def preview(slug: str, public_id: str) -> Answer:
    """What will happen to every row; nothing is saved yet."""
    event = load_event(slug)
    require("registration.import", event)
    draft = drafts.load(event, ImportKind.REGISTRATIONS, public_id)
    page = Page.of(draft.rows["rows"], size=200)
    faults = {row["row"] for row in draft.rows["faults"]}
    return render_template(
        "registrations/preview.html", event=event, draft=draft, rows=draft.rows["rows"], page=page, faults=draft.rows["faults"], bad=faults
    )


@bp.post("/events/<slug>/registrations/import/<public_id>")
def apply(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.import", event)
    rows = drafts.take(event, ImportKind.REGISTRATIONS, public_id)
    new, waiting = imports.apply_list(event, rows, by=g.actor, send=request.form.get("send") == "1")
    db.session.commit()
    flash(gettext("%(new)s people are registered, %(waiting)s of them on the waiting list.", new=new, waiting=waiting), "success")
    return redirect(url_for("registrations.list_registrations", slug=slug), 303)


@bp.post("/events/<slug>/registrations/import/<public_id>/drop")
def drop(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.import", event)
    db.session.delete(drafts.load(event, ImportKind.REGISTRATIONS, public_id))
    db.session.commit()
    flash(gettext("Nothing of this list was saved."), "info")
    return redirect(url_for("registrations.list_registrations", slug=slug), 303)
