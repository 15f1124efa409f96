"""Importing a list of invitations: upload, look, save."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, url_for
from sqlalchemy import select

from consult_app.accounts.models import User
from consult_app.consultations.models import ImportDraft, ImportKind
from consult_app.db import db
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.events.models import Event
from consult_app.events.queries import load_event
from consult_app.i18n import gettext, ngettext
from consult_app.invitations import imports
from consult_app.policy import require
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
            draft = ImportDraft(
                consultation_id=event.consultation_id,
                event_id=event.id,
                kind=ImportKind.INVITATIONS,
                filename=(file.filename or "")[:200],
                rows=judged.as_json(),
                created_by_id=g.actor.id if isinstance(g.actor, User) else None,
            )
            db.session.add(draft)
            db.session.commit()
            return redirect(url_for("invitation_import.preview", slug=slug, public_id=draft.public_id), 303)
        except Invalid as problem:
            db.session.rollback()
            form.file.errors = [str(problem.message)]
            event = load_event(slug)
    return render_template(
        "invitations/import.html", form=form, event=event, headings=imports.HEADINGS
    ), 422 if form.is_submitted() else 200


def _load_draft(event: Event, public_id: str) -> ImportDraft:
    draft = db.session.scalar(
        select(ImportDraft).where(
            ImportDraft.public_id == public_id, ImportDraft.event_id == event.id, ImportDraft.kind == ImportKind.INVITATIONS
        )
    )
    if draft is None:
        raise Missing(gettext("This list was saved or dropped already."))
    return draft


@bp.get("/events/<slug>/invitations/import/<public_id>")
def preview(slug: str, public_id: str) -> Answer:
    """What will happen to every row; nothing is saved yet."""
    event = load_event(slug)
    require("invitation.import", event)
    draft = _load_draft(event, public_id)
    return render_template("invitations/preview.html", event=event, draft=draft, rows=draft.rows["rows"], faults=draft.rows["faults"])


@bp.post("/events/<slug>/invitations/import/<public_id>")
def apply(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("invitation.import", event)
    draft = _load_draft(event, public_id)
    if draft.rows["faults"]:
        raise Conflict(gettext("This list has errors. Correct them in the file, and upload it again."))
    new = imports.apply_list(event, draft.rows["rows"], by=g.actor)
    db.session.delete(draft)
    db.session.commit()
    words = ngettext("%(num)s invitation is on the list.", "%(num)s invitations are on the list.", new)
    flash(f"{words} {gettext('Nothing is sent yet.')}", "success")
    return redirect(url_for("invitations.list_invitations", slug=slug), 303)


@bp.post("/events/<slug>/invitations/import/<public_id>/drop")
def drop(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("invitation.import", event)
    db.session.delete(_load_draft(event, public_id))
    db.session.commit()
    flash(gettext("Nothing of this list was saved."), "info")
    return redirect(url_for("invitations.list_invitations", slug=slug), 303)
