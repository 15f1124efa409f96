"""The review desk: comments with their answers, for whoever decides and whoever edits; and the comment matrix."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from sqlalchemy import select

from consult_app import policy
from consult_app.comments import answers, labels, queries
from consult_app.comments.attribution import byline
from consult_app.comments.forms import DecideForm, ResolveForm
from consult_app.comments.models import Comment, DispositionKind
from consult_app.consultations.models import Consultation
from consult_app.consultations.queries import load_consultation, load_section
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import _, gettext, local
from consult_app.policy import require
from consult_app.registrations.queries import stakeholder_types
from consult_app.sheets import XLSX_TYPE, write_csv, write_xlsx
from consult_app.web import Answer, download, paginate

bp = Blueprint("desk", __name__)


def _desk(consultation: Consultation, chosen: Comment | None, form: DecideForm | None = None, status: int = 200) -> Answer:
    filters = {key: value for key, value in request.args.items() if key in ("section", "state", "kind", "type", "page")}
    page = paginate(queries.review(consultation, filters), 40)
    if chosen is None and page.items:
        chosen = page.items[0]
    held = policy.roles(g.actor, consultation)
    current = chosen.disposition if chosen else None
    if form is None:
        form = DecideForm(formdata=None, data={"kind": current.kind.value, "response": current.response} if current else {})
    return render_template(
        "comments/desk.html",
        consultation=consultation,
        page=page,
        chosen=chosen,
        filters=filters,
        form=form,
        resolve_form=ResolveForm(formdata=None),
        bylines={comment.id: byline(comment, held) for comment in ([*page.items, chosen] if chosen else [])},
        endorsements=queries.endorsement_counts([chosen]) if chosen else {},
        counts=queries.section_counts(consultation),
        untold=len(answers.untold(consultation)),
        types=stakeholder_types(consultation.id),
        labels=labels,
    ), status


@bp.get("/consultations/<slug>/comments")
def review(slug: str) -> Answer:
    """The list on the left, one comment and its answer on the right (`?comment=` chooses it)."""
    consultation = load_consultation(slug)
    require("comment.review", consultation)
    wanted = request.args.get("comment", "")
    return _desk(consultation, queries.load_comment(consultation, wanted) if wanted else None)


@bp.post("/consultations/<slug>/comments/<public_id>/decide")
def decide(slug: str, public_id: str) -> Answer:
    consultation = load_consultation(slug)
    require("comment.review", consultation)
    comment = queries.load_comment(consultation, public_id)
    require("comment.decide", comment)
    form = DecideForm()
    if form.validate():
        try:
            other = _by_number(consultation, form.duplicate_of.data)
            answers.decide(comment, DispositionKind(form.kind.data), form.response.data or "", by=g.actor, duplicate_of=other)
            db.session.commit()
            flash(gettext("Comment %(number)s is answered.", number=comment.number), "success")
            return redirect(url_for("desk.review", slug=slug, comment=_next(consultation, comment), **_filters()), 303)
        except Invalid as problem:
            db.session.rollback()
            form[problem.field].errors = [str(problem.message)]
            consultation = load_consultation(slug)
            comment = queries.load_comment(consultation, public_id)
    return _desk(consultation, comment, form, 422)


def _filters() -> dict[str, Any]:
    return {key: value for key, value in request.args.items() if key in ("section", "state", "kind", "type")}


def _by_number(consultation: Consultation, number: int | None) -> Comment | None:
    return db.session.scalar(select(Comment).where(Comment.consultation_id == consultation.id, Comment.number == number))


def _next(consultation: Consultation, comment: Comment) -> str | None:
    """The next comment of the filtered list that still waits for an answer, after this one; else this one."""
    rows = queries.review(consultation, {**_filters(), "state": "open"}).where(Comment.id > comment.id)
    found = db.session.scalars(rows.limit(1)).first()
    return found.public_id if found else comment.public_id


@bp.post("/consultations/<slug>/comments/<public_id>/resolve")
def resolve(slug: str, public_id: str) -> Answer:
    consultation = load_consultation(slug)
    require("comment.review", consultation)
    comment = queries.load_comment(consultation, public_id)
    require("comment.decide", comment)
    form = ResolveForm()
    if comment.objection is None:
        raise Conflict(gettext("Nobody objects to this answer."))
    answers.resolve(comment.objection, form.resolution.data or "", by=g.actor)
    db.session.commit()
    flash(gettext("The objection to comment %(number)s is resolved.", number=comment.number), "success")
    return redirect(url_for("desk.review", slug=slug, comment=public_id), 303)


@bp.post("/consultations/<slug>/sections/<int:number>/carry")
def carry(slug: str, number: int) -> Answer:
    """Name the section's current revision as the one that carries the ticked comments."""
    consultation = load_consultation(slug)
    require("section.edit", consultation)
    section = load_section(consultation, number)
    if section.revision is None:
        raise Conflict(gettext("This section has no revision yet."))
    comments = [queries.load_comment(consultation, public_id) for public_id in request.form.getlist("comment")[:500]]
    if not comments:
        raise Invalid(gettext("Tick at least one comment."))
    answers.carry(comments, section.revision, by=g.actor)
    db.session.commit()
    flash(gettext("Revision %(number)s is named as the one that carries these changes.", number=section.revision.number), "success")
    return redirect(url_for("desk.review", slug=slug, section=number, state="revision"), 303)


@bp.post("/consultations/<slug>/comments/tell")
def tell(slug: str) -> Answer:
    """Write to the authors: one message each, with all their new answers."""
    consultation = load_consultation(slug)
    require("comment.tell", consultation)
    told = answers.tell_authors(consultation, by=g.actor)
    db.session.commit()
    flash(gettext("%(told)s authors are being written to.", told=told), "success")
    return redirect(url_for("desk.review", slug=slug), 303)


MATRIX_HEADER = (
    _("No."),
    _("Dimension"),
    _("Indicator"),
    _("Question"),
    _("Kind"),
    _("Comment"),
    _("Proposed wording"),
    _("Evidence"),
    _("Submitted by"),
    _("Endorsed by"),
    _("Answer"),
    _("Response"),
    _("Carried by revision"),
    _("Made on revision"),
)


def matrix_header() -> list[str]:
    """The columns of the comment matrix (domain.md), in the reader's language."""
    return [str(words) for words in MATRIX_HEADER]


def matrix_rows(consultation: Consultation, held: frozenset[policy.Role]) -> Iterator[list[Any]]:
    """The comment matrix of domain.md, as somebody with these roles may see it."""
    comments = list(db.session.scalars(queries.review(consultation, {})))
    endorsements = queries.endorsement_counts(comments)
    names = {dimension.id: local(dimension.name) for dimension in consultation.dimensions}
    for comment in comments:
        answer = comment.disposition
        yield [
            comment.number,
            f"{comment.section.number}. {names[comment.indicator.dimension_id]}",
            comment.indicator.code,
            local(comment.indicator.question),
            str(labels.KIND[comment.kind]),
            comment.text,
            comment.proposed,
            comment.link,
            str(byline(comment, held)),
            endorsements.get(comment.id, 0),
            str(labels.DISPOSITION[answer.kind]) if answer else "",
            answer.response if answer else "",
            answer.revision.number if answer and answer.revision else "",
            comment.revision.number,
        ]


@bp.get("/consultations/<slug>/comment-matrix.<any(csv, xlsx):kind>")
def matrix(slug: str, kind: str) -> Answer:
    consultation = load_consultation(slug)
    require("comment.see", consultation)
    held = policy.roles(g.actor, consultation)
    header, rows = matrix_header(), list(matrix_rows(consultation, held))
    name = f"{slug}-comments.{kind}"
    if kind == "csv":
        return download(write_csv(header, rows), name, "text/csv")
    return download(write_xlsx({gettext("Comments"): (header, rows)}), name, XLSX_TYPE)
