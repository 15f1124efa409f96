"""Files of evidence: added to an own comment, and handed out to whoever may see the comment."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, request

from consult_app import policy
from consult_app.comments import evidence, labels, queries
from consult_app.comments.attribution import may_see, shown
from consult_app.comments.forms import EvidenceForm
from consult_app.comments.models import Comment
from consult_app.comments.views import bp, where, who
from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.errors import Invalid, Missing
from consult_app.i18n import gettext, ngettext
from consult_app.policy import require
from consult_app.web import Answer, download, limiter, pause_transaction, resume_writing, takes_files


@bp.route("/consultations/<slug>/comments/<public_id>/evidence", methods=["GET", "POST"])
@limiter.limit("20 per minute", key_func=who, methods=["POST"])
@takes_files(evidence.MOST_REQUEST)
def attach(slug: str, public_id: str) -> Answer:
    """Add files to an own comment; also the way of a phone in the room, whose queue holds words alone."""
    comment = _own_comment(slug, public_id)
    form = EvidenceForm()
    if form.validate_on_submit():
        pause_transaction()
        given: list[evidence.Given] = []
        try:
            given = evidence.receive(request.files.getlist("files"))
            resume_writing()
            comment = _own_comment(slug, public_id)
            made = evidence.attach(comment, given, by=g.actor)
            db.session.commit()
            given = []  # a row names them now
            flash(ngettext("%(num)s file is kept with your comment.", "%(num)s files are kept with your comment.", len(made)), "success")
            return redirect(where(comment), 303)
        except Invalid as problem:
            db.session.rollback()
            evidence.drop(given)
            form.files.errors = [str(problem.message)]
            comment = _own_comment(slug, public_id)
        except BaseException:
            evidence.drop(given)
            raise
    names = shown([comment], policy.roles(g.actor, comment))
    page = render_template("comments/attach.html", comment=comment, form=form, labels=labels, most=evidence.MOST_BYTES, **names)
    return page, 422 if form.is_submitted() else 200


def _own_comment(slug: str, public_id: str) -> Comment:
    consultation = load_consultation(slug)
    require("consultation.see", consultation)
    comment = queries.load_comment(consultation, public_id)
    require("comment.attach", comment)
    return comment


@bp.get("/consultations/<slug>/comments/<public_id>/evidence/<int:number>")
def evidence_file(slug: str, public_id: str, number: int) -> Answer:
    """A file, always to be saved and never shown in the page; its name tells the comment and nothing else.

    The staff and its sender get it as it was received, others a copy that does not tell who sent it.
    """
    consultation = load_consultation(slug)
    require("comment.see", consultation)
    comment = queries.load_comment(consultation, public_id)
    if not may_see(comment, g.actor):
        raise Missing(gettext("There is no such file."))
    attachment = evidence.load_attachment(comment, number)
    name = f"comment-{comment.number}-evidence-{number}.{attachment.kind.value}"
    is_whole = policy.can(g.actor, "comment.original_file", comment)
    db.session.expunge(attachment)
    pause_transaction()
    data = evidence.content(attachment) if is_whole else evidence.content_for_others(attachment)
    answer = download(data, name, evidence.TYPES[attachment.kind])
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox; frame-ancestors 'none'"
    return answer
