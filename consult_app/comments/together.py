"""Several comments at once: one answer for all of them, or one that stays and the others its duplicates. All of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import flash, g, redirect, render_template, request, url_for

from consult_app import policy
from consult_app.accounts.models import User
from consult_app.comments import answers, labels, queries
from consult_app.comments.attribution import shown
from consult_app.comments.desk import bp, by_number
from consult_app.comments.forms import DecideForm, MergeForm
from consult_app.comments.models import Comment, DispositionKind
from consult_app.consultations.models import Consultation
from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.errors import Conflict, DomainError, Invalid
from consult_app.i18n import _, gettext, ngettext
from consult_app.policy import require
from consult_app.web import Answer

MOST = 200  # comments at once


def _each(comments: Sequence[Comment], act: Callable[[Comment], object], *, by: User) -> None:
    """Do it to each comment. Raises Conflict with a line for every comment that refuses, by its number."""
    refused = []
    for comment in comments:
        try:
            if not policy.can(by, "comment.decide", comment):
                raise Conflict(_("You are not named for section %(section)s.", section=comment.section.number))
            act(comment)
        except DomainError as problem:
            words = {"number": comment.number, "code": comment.indicator.code, "reason": problem.message}
            refused.append(gettext("No. %(number)s (%(code)s): %(reason)s", **words))
    if refused:
        raise Conflict(_("Nothing was saved: these comments cannot be answered so."), refused)


def answer_all(comments: Sequence[Comment], kind: DispositionKind, response: str, duplicate_of: Comment | None, *, by: User) -> None:
    """Give all of them the same answer. Raises Invalid where it lacks something, Conflict where a comment refuses."""
    if kind is not DispositionKind.ACCEPTED and not response.strip():
        raise Invalid(_("Give the reason: the author reads it."), field="response")
    if kind is DispositionKind.DUPLICATE and duplicate_of is None:
        raise Invalid(_("Give the number of the other comment."), field="duplicate_of")
    _each(comments, lambda comment: answers.decide(comment, kind, response, by=by, duplicate_of=duplicate_of), by=by)


def merge(comments: Sequence[Comment], stays: Comment, response: str, *, by: User) -> None:
    """Make all but one duplicates of the one that stays, which is answered by itself. Raises Invalid, Conflict."""
    others = [comment for comment in comments if comment.id != stays.id]
    if not others:
        raise Invalid(_("Tick at least two comments."), field="stays")
    if stays.disposition is not None and stays.disposition.kind is DispositionKind.DUPLICATE:
        raise Invalid(_("Comment %(number)s is a duplicate itself.", number=stays.number), field="stays")
    words = response.strip() or gettext("See comment %(number)s, which says the same.", number=stays.number)
    _each(others, lambda comment: answers.decide(comment, DispositionKind.DUPLICATE, words, by=by, duplicate_of=stays), by=by)


def _chosen(consultation: Consultation) -> list[Comment]:
    """The comments that were ticked, or (`all`) those of the filter. Raises Invalid where there are none, or too many."""
    unshown = policy.can(g.actor, "comment.see_unshown", consultation)
    if request.values.get("all") == "1":
        query = queries.review(consultation, request.args, unshown=unshown)
    else:
        ids = list(dict.fromkeys(request.values.getlist("comment")))[: MOST + 1]
        query = queries.review(consultation, {}, unshown=unshown).where(Comment.public_id.in_(ids))
    found = list(db.session.scalars(query.limit(MOST + 1).options(*queries.WITH)))
    if not found:
        raise Invalid(_("Tick at least one comment."))
    if len(found) > MOST:
        raise Invalid(_("At most %(most)s comments at once: choose a narrower filter.", most=MOST))
    return found


def _page(consultation: Consultation, comments: list[Comment], form: DecideForm, merge_form: MergeForm, status: int = 200) -> Answer:
    merge_form.stays.choices = [(comment.public_id, str(comment.number)) for comment in comments]
    names = shown(comments, policy.roles(g.actor, consultation))
    return render_template(
        "comments/together.html", consultation=consultation, comments=comments, form=form, merge_form=merge_form, labels=labels, **names
    ), status


def _load(slug: str) -> tuple[Consultation, list[Comment]]:
    consultation = load_consultation(slug)
    require("comment.review", consultation)
    comments = _chosen(consultation)
    if not any(policy.can(g.actor, "comment.decide", comment) for comment in comments):
        require("comment.decide", comments[0])
    return consultation, comments


@bp.get("/consultations/<slug>/comments/together")
def together(slug: str) -> Answer:
    """The ticked comments under each other, and one answer for them."""
    return _page(*_load(slug), DecideForm(formdata=None), MergeForm(formdata=None))


@bp.post("/consultations/<slug>/comments/together")
def answer_together(slug: str) -> Answer:
    consultation, comments = _load(slug)
    form = DecideForm()
    if form.validate():
        try:
            other = by_number(consultation, form.duplicate_of.data)
            answer_all(comments, DispositionKind(form.kind.data), form.response.data or "", other, by=g.actor)
            return _saved(slug, len(comments))
        except Invalid as problem:
            db.session.rollback()
            form[problem.field].errors = [str(problem.message)]
            consultation, comments = _load(slug)
    return _page(consultation, comments, form, MergeForm(formdata=None), 422)


@bp.post("/consultations/<slug>/comments/merge")
def merge_together(slug: str) -> Answer:
    consultation, comments = _load(slug)
    form = MergeForm()
    form.stays.choices = [(comment.public_id, str(comment.number)) for comment in comments]
    if form.validate():
        try:
            stays = next(comment for comment in comments if comment.public_id == form.stays.data)
            merge(comments, stays, form.words.data or "", by=g.actor)
            return _saved(slug, len(comments) - 1)
        except Invalid as problem:
            db.session.rollback()
            form.stays.errors = [str(problem.message)]
            consultation, comments = _load(slug)
    return _page(consultation, comments, DecideForm(formdata=None), form, 422)


def _saved(slug: str, number: int) -> Answer:
    db.session.commit()
    flash(ngettext("%(num)s comment is answered.", "%(num)s comments are answered.", number), "success")
    return redirect(url_for("desk.review", slug=slug, state="open"), 303)
