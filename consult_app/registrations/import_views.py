"""Importing a list of people: upload, look, save."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from sqlalchemy import select

from consult_app.accounts.models import User
from consult_app.consultations.models import ImportDraft, ImportKind
from consult_app.db import db
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.events.models import Event
from consult_app.events.queries import load_event
from consult_app.i18n import gettext
from consult_app.policy import require
from consult_app.registrations import imports
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
            people = imports.read_list(file.filename or "", file.read(), event)
            resume_writing()
            draft = ImportDraft(
                consultation_id=event.consultation_id,
                event_id=event.id,
                kind=ImportKind.REGISTRATIONS,
                filename=(file.filename or "")[:200],
                rows=people.as_json(),
                created_by_id=g.actor.id if isinstance(g.actor, User) else None,
            )
            db.session.add(draft)
            db.session.commit()
            return redirect(url_for("people_import.preview", slug=slug, public_id=draft.public_id), 303)
        except Invalid as problem:
            form.file.errors = [str(problem.message)]
    return render_template(
        "registrations/import.html", form=form, event=event, headings=imports.HEADINGS
    ), 422 if form.is_submitted() else 200


def _load_draft(event: Event, public_id: str) -> ImportDraft:
    draft = db.session.scalar(select(ImportDraft).where(ImportDraft.public_id == public_id, ImportDraft.event_id == event.id))
    if draft is None:
        raise Missing(gettext("This list was saved or dropped already."))
    return draft


@bp.get("/events/<slug>/registrations/import/<public_id>")
def preview(slug: str, public_id: str) -> Answer:
    """What will happen to every row; nothing is saved yet."""
    event = load_event(slug)
    require("registration.import", event)
    draft = _load_draft(event, public_id)
    page = Page.of(draft.rows["rows"], size=200)
    faults = {row["row"] for row in draft.rows["faults"]}
    return render_template(
        "registrations/preview.html", event=event, draft=draft, rows=draft.rows["rows"], page=page, faults=draft.rows["faults"], bad=faults
    )


@bp.post("/events/<slug>/registrations/import/<public_id>")
def apply(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.import", event)
    draft = _load_draft(event, public_id)
    if draft.rows["faults"]:
        raise Conflict(gettext("This list has errors. Correct them in the file, and upload it again."))
    new, waiting = imports.apply_list(event, draft.rows["rows"], by=g.actor, send=request.form.get("send") == "1")
    db.session.delete(draft)
    db.session.commit()
    flash(gettext("%(new)s people are registered, %(waiting)s of them on the waiting list.", new=new, waiting=waiting), "success")
    return redirect(url_for("registrations.list_registrations", slug=slug), 303)


@bp.post("/events/<slug>/registrations/import/<public_id>/drop")
def drop(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("registration.import", event)
    db.session.delete(_load_draft(event, public_id))
    db.session.commit()
    flash(gettext("Nothing of this list was saved."), "info")
    return redirect(url_for("registrations.list_registrations", slug=slug), 303)
