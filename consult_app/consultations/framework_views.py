"""A framework's file: uploaded, shown row by row, applied or dropped; and the same file back."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, url_for
from sqlalchemy import delete

from consult_app.consultations import labels, queries
from consult_app.consultations.forms import ApplyForm, ImportForm
from consult_app.consultations.framework import Draft, apply_framework, read_framework
from consult_app.consultations.framework import export_framework as write_framework
from consult_app.consultations.models import ImportDraft, ImportKind
from consult_app.consultations.views import bp
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.i18n import gettext
from consult_app.policy import can, require
from consult_app.sheets import XLSX_TYPE
from consult_app.web import Answer, download, pause_transaction, resume_writing


@bp.route("/consultations/<slug>/framework/import", methods=["GET", "POST"])
def import_framework(slug: str) -> Answer:
    """Read a file; nothing is saved but what is shown next (product.md rule 2)."""
    consultation = queries.load_consultation(slug)
    require("framework.import", consultation)
    form = ImportForm()
    if form.validate_on_submit():
        file = form.file.data
        try:
            pause_transaction()
            draft = read_framework(file.filename or gettext("file"), file.read(), consultation)
            resume_writing()
        except Invalid as problem:
            form.file.errors = [str(problem.message)]
        else:
            own = (ImportDraft.consultation_id == consultation.id, ImportDraft.kind == ImportKind.FRAMEWORK)
            db.session.execute(delete(ImportDraft).where(*own, ImportDraft.created_by_id == g.actor.id))
            kept = ImportDraft(
                consultation_id=consultation.id,
                kind=ImportKind.FRAMEWORK,
                filename=file.filename or "",
                rows=draft.plain(),
                created_by_id=g.actor.id,
            )
            db.session.add(kept)
            db.session.commit()
            return redirect(url_for("consultations.preview_import", slug=slug, public_id=kept.public_id), 303)
    return render_template("consultations/import_framework.html", form=form, consultation=consultation), 422 if form.is_submitted() else 200


@bp.get("/consultations/<slug>/framework/import/<public_id>")
def preview_import(slug: str, public_id: str) -> Answer:
    consultation = queries.load_consultation(slug)
    require("framework.import", consultation)
    kept = queries.load_draft(consultation, public_id)
    form = ApplyForm(version=consultation.framework_version)
    return render_template(
        "consultations/preview_import.html", consultation=consultation, kept=kept, draft=Draft.of(kept.rows), form=form, labels=labels
    )


@bp.post("/consultations/<slug>/framework/import/<public_id>")
def apply_import(slug: str, public_id: str) -> Answer:
    """Save what the preview showed, all of it or nothing."""
    consultation = queries.load_consultation(slug)
    require("framework.import", consultation)
    kept = queries.load_draft(consultation, public_id)
    form, draft = ApplyForm(), Draft.of(kept.rows)
    if not form.validate_on_submit():
        return render_template(
            "consultations/preview_import.html", consultation=consultation, kept=kept, draft=draft, form=form, labels=labels
        ), 422
    apply_framework(consultation, draft.rows, by=g.actor, version=form.version.data or "")
    db.session.delete(kept)
    db.session.commit()
    flash(gettext("The framework is imported: %(new)s new, %(changed)s changed.", **draft.counts), "success")
    return redirect(url_for("consultations.indicators", slug=slug), 303)


@bp.post("/consultations/<slug>/framework/import/<public_id>/drop")
def drop_import(slug: str, public_id: str) -> Answer:
    consultation = queries.load_consultation(slug)
    require("framework.import", consultation)
    db.session.delete(queries.load_draft(consultation, public_id))
    db.session.commit()
    flash(gettext("The file was dropped; nothing was saved."), "success")
    return redirect(url_for("consultations.import_framework", slug=slug), 303)


@bp.get("/consultations/<slug>/framework.<any(csv, xlsx):kind>")
def export_framework(slug: str, kind: str) -> Answer:
    consultation = queries.load_consultation(slug)
    require("framework.export", consultation)
    media_type = "text/csv" if kind == "csv" else XLSX_TYPE
    working = can(g.actor, "section.see_working", consultation)
    return download(write_framework(consultation, kind, working=working), f"{slug}-framework.{kind}", media_type)
