"""Importing a list of invitations: upload, look, save."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, url_for

from consult_app.consultations.models import ImportKind
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.events.queries import load_event
from consult_app.i18n import gettext, ngettext
from consult_app.invitations import imports
from consult_app.policy import require
from consult_app.registrations import drafts
from consult_app.registrations.forms import UploadForm
from consult_app.sheets import read
from consult_app.web import Answer, pause_transaction, resume_writing

bp = Blueprint("invitation_import", __name__)


@bp.route("/events/<slug>/invitations/import", methods=["GET", "POST"])
def upload(slug: str) -> Answer:
    event = load_event(slug)
    require("invitation.import", event)
    form = UploadForm()
    if form.validate_on_submit():
        file = form.file.data
        try:
            pause_transaction()
            judged = imports.judge(file.filename or "", read(file.filename or "", file.read()), imports.ground(event))
            resume_writing()
            draft = drafts.keep(event, ImportKind.INVITATIONS, file.filename or "", judged.as_json(), by=g.actor)
            db.session.commit()
            return redirect(url_for("invitation_import.preview", slug=slug, public_id=draft.public_id), 303)
        except Invalid as problem:
            db.session.rollback()
            form.file.errors = [str(problem.message)]
            event = load_event(slug)
    return render_template(
        "invitations/import.html", form=form, event=event, headings=imports.HEADINGS
    ), 422 if form.is_submitted() else 200


@bp.get("/events/<slug>/invitations/import/<public_id>")
def preview(slug: str, public_id: str) -> Answer:
    """What will happen to every row; nothing is saved yet."""
    event = load_event(slug)
    require("invitation.import", event)
    draft = drafts.load(event, ImportKind.INVITATIONS, public_id)
    return render_template("invitations/preview.html", event=event, draft=draft, rows=draft.rows["rows"], faults=draft.rows["faults"])


@bp.post("/events/<slug>/invitations/import/<public_id>")
def apply(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("invitation.import", event)
    rows = drafts.take(event, ImportKind.INVITATIONS, public_id)
    new = imports.apply_list(event, rows, by=g.actor)
    db.session.commit()
    words = ngettext("%(num)s invitation is on the list.", "%(num)s invitations are on the list.", new)
    flash(f"{words} {gettext('Nothing is sent yet.')}", "success")
    return redirect(url_for("invitations.list_invitations", slug=slug), 303)


@bp.post("/events/<slug>/invitations/import/<public_id>/drop")
def drop(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("invitation.import", event)
    db.session.delete(drafts.load(event, ImportKind.INVITATIONS, public_id))
    db.session.commit()
    flash(gettext("Nothing of this list was saved."), "info")
    return redirect(url_for("invitations.list_invitations", slug=slug), 303)
