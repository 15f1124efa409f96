"""Replying to a comment, and taking a reply back."""

from __future__ import annotations

import secrets

from flask import abort, flash, g, redirect, render_template, url_for

from consult_app import policy
from consult_app.comments import labels, queries, replies
from consult_app.comments.attribution import may_see, shown
from consult_app.comments.forms import ReplyForm
from consult_app.comments.views import bp, held_on, seen, since, where, who
from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.i18n import gettext, language
from consult_app.policy import require
from consult_app.web import Answer, is_htmx, limiter, safe_next


@bp.route("/consultations/<slug>/comments/<public_id>/reply", methods=["GET", "POST"])
@limiter.limit("30 per minute", key_func=who, methods=["POST"])
def reply(slug: str, public_id: str) -> Answer:
    """A reply under a comment; htmx gets the form alone, and puts it there."""
    consultation = load_consultation(slug)
    require("comment.reply", consultation)
    comment = queries.load_comment(consultation, public_id)
    if not may_see(comment, g.actor):
        if comment.moderation is None:
            replies.refuse_withdrawn(comment)
        abort(404)
    form = ReplyForm(data={"client_key": secrets.token_urlsafe(16)})
    form.text.id, form.client_key.id = f"reply-text-{public_id}", f"reply-key-{public_id}"  # there may be several in one page
    back = safe_next(where(comment))
    if form.validate_on_submit():
        words, key = form.text.data or "", form.client_key.data or ""
        try:
            made = replies.reply_to(comment, words, by=g.actor, client_key=key, language=language(), seen=seen())
            db.session.commit()
            flash(gettext("Your reply is kept, and stands under the comment.") + since(made), "success")
            return redirect(safe_next(where(comment, f"reply-{made.public_id}")), 303)
        except Invalid as problem:
            db.session.rollback()
            form.text.errors = [str(problem.message)]
            comment = queries.load_comment(load_consultation(slug), public_id)
    names = shown([comment], policy.roles(g.actor, comment))
    template = "comments/_reply_form.html" if is_htmx() else "comments/reply.html"
    page = render_template(
        template,
        consultation=comment.section.consultation,
        comment=comment,
        form=form,
        back=back,
        held=held_on(comment.section),
        labels=labels,
        **names,
    )
    return page, 422 if form.is_submitted() else 200


@bp.post("/consultations/<slug>/replies/<public_id>/withdraw")
def withdraw_reply(slug: str, public_id: str) -> Answer:
    consultation = load_consultation(slug)
    require("consultation.see", consultation)
    found = queries.load_reply(consultation, public_id)
    require("reply.withdraw", found)
    replies.withdraw_reply(found, by=g.actor)
    db.session.commit()
    flash(gettext("Your reply is withdrawn."), "success")
    mine = url_for("comments.mine") if g.actor.is_participant else where(found.comment)
    return redirect(safe_next(mine), 303)
