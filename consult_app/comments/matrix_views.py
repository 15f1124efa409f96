"""The comment matrix: out as a file, and back in: uploaded, looked at, saved or dropped."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, url_for
from sqlalchemy import func, select

from consult_app import elsewhere, policy
from consult_app.comments import matrix, matrix_import
from consult_app.comments.desk import bp
from consult_app.comments.models import Comment
from consult_app.consultations.forms import ImportForm
from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.documents.word import DOCX_TYPE
from consult_app.errors import Invalid
from consult_app.i18n import gettext
from consult_app.policy import require
from consult_app.sheets import XLSX_TYPE, write_csv, write_xlsx
from consult_app.web import Answer, Page, download, pause_transaction, resume_writing

QUICK = 200  # comments: so many are written in less time than a process needs to begin


@bp.get("/consultations/<slug>/comment-matrix.<any(csv, xlsx, docx):kind>", endpoint="matrix")
def export_matrix(slug: str, kind: str) -> Answer:
    consultation = load_consultation(slug)
    require("comment.see", consultation)
    count = db.session.scalar(select(func.count()).where(Comment.consultation_id == consultation.id)) or 0
    if (answer := elsewhere.made(is_large=count > QUICK)) is not None:
        return answer
    held = policy.roles(g.actor, consultation)
    name = f"{slug}-comments.{kind}"
    if kind == "docx":
        return download(matrix.paper(consultation, held), name, DOCX_TYPE)
    desk = policy.can(g.actor, "comment.import", consultation)
    header, rows = matrix.header(desk=desk), list(matrix.rows(matrix.comments_of(consultation, desk=desk), consultation, held, desk=desk))
    if kind == "csv":
        return download(write_csv(header, rows), name, "text/csv")
    return download(write_xlsx({gettext("Comments"): (header, rows)}), name, XLSX_TYPE)


@bp.route("/consultations/<slug>/comments/import", methods=["GET", "POST"])
def import_matrix(slug: str) -> Answer:
    """Read a filled matrix; nothing is saved but what is shown next (product.md rule 2)."""
    consultation = load_consultation(slug)
    require("comment.import", consultation)
    form = ImportForm()
    if form.validate_on_submit():
        file = form.file.data
        name, data = file.filename or gettext("file"), file.read()
        try:
            pause_transaction()
            rows = matrix_import.read_matrix(name, data)
            resume_writing()
            consultation = load_consultation(slug)
            kept = matrix_import.keep(consultation, name, matrix_import.judge(consultation, rows, by=g.actor), by=g.actor)
            db.session.commit()
            return redirect(url_for("desk.preview_matrix", slug=slug, public_id=kept.public_id), 303)
        except Invalid as problem:
            form.file.errors = [str(problem.message)]
    return render_template("comments/import_matrix.html", form=form, consultation=consultation), 422 if form.is_submitted() else 200


@bp.get("/consultations/<slug>/comments/import/<public_id>")
def preview_matrix(slug: str, public_id: str) -> Answer:
    """What each row would change, old and new."""
    consultation = load_consultation(slug)
    require("comment.import", consultation)
    kept = matrix_import.load(consultation, public_id, by=g.actor)
    judged = matrix_import.Judged.of(kept.rows)
    page = Page.of([row for row in judged.rows if row["verdict"] != "unchanged"], size=200)
    return render_template(
        "comments/preview_matrix.html", consultation=consultation, kept=kept, judged=judged, page=page, headings=matrix_import.HEADINGS
    )


@bp.post("/consultations/<slug>/comments/import/<public_id>")
def apply_matrix(slug: str, public_id: str) -> Answer:
    consultation = load_consultation(slug)
    require("comment.import", consultation)
    changed = matrix_import.apply(consultation, matrix_import.load(consultation, public_id, by=g.actor), by=g.actor)
    db.session.commit()
    flash(gettext("The matrix is saved: %(changed)s comments changed.", changed=changed), "success")
    return redirect(url_for("desk.review", slug=slug), 303)


@bp.post("/consultations/<slug>/comments/import/<public_id>/drop")
def drop_matrix(slug: str, public_id: str) -> Answer:
    consultation = load_consultation(slug)
    require("comment.import", consultation)
    db.session.delete(matrix_import.load(consultation, public_id, by=g.actor))
    db.session.commit()
    flash(gettext("The file was dropped; nothing was saved."), "success")
    return redirect(url_for("desk.import_matrix", slug=slug), 303)
