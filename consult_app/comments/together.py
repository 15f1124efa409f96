"""Several comments at once: one answer for all of them, or one that stays and the others its duplicates. All of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from flask import flash, g, redirect, render_template, request, url_for

from consult_app import policy
from consult_app.accounts.models import User
from consult_app.comments import answers, labels, queries
from consult_app.comments.attribution import shown, told_as_one
from consult_app.comments.desk import bp, by_number
from consult_app.comments.forms import MergeForm, TogetherForm
from consult_app.comments.models import Comment, DispositionKind
from consult_app.consultations.labels import LANGUAGE
from consult_app.consultations.models import Consultation
from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.errors import Conflict, DomainError, Invalid
from consult_app.i18n import _, gettext, ngettext, reading
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


def is_decided(comment: Comment) -> bool:
    """Whether somebody has decided it, so that it is answered anew only where that is asked for."""
    return comment.disposition is not None or (comment.proposal is not None and comment.proposal.waits_for_second)


def _to_answer(comments: Sequence[Comment], replace: Collection[str], field: str) -> list[Comment]:
    """Those that have no answer, and those whose answer is to be replaced. Raises Invalid where there are none."""
    found = [comment for comment in comments if not is_decided(comment) or comment.public_id in replace]
    if not found:
        raise Invalid(_("All of these have an answer. Tick those whose answer is to be replaced."), field=field)
    return found


def languages_of(comments: Sequence[Comment]) -> list[str]:
    """The languages in which the authors are written to."""
    return sorted({comment.registration.language for comment in comments})


def answer_all(
    comments: Sequence[Comment],
    kind: DispositionKind,
    words: Mapping[str, str],
    duplicate_of: Comment | None,
    *,
    by: User,
    seen: Mapping[str, str],
    replace: Collection[str] = (),
) -> int:
    """Give all of them the same answer, each author in their language; returns how many.

    `words` is the reason by language ("" for all), `seen` the `answer_state` that was shown of each. An answer that stands is
    left, unless `replace` names its comment. Raises Invalid where something lacks, Conflict where a comment refuses.
    """
    wanted = _to_answer(comments, replace, "kind")
    for code in languages_of(wanted):
        if kind is not DispositionKind.ACCEPTED and not (words.get(code) or words.get("", "")).strip():
            raise Invalid(_("Give the reason: the author reads it."), field=f"response_{code}" if code in words else "response")
    if kind is DispositionKind.DUPLICATE and duplicate_of is None:
        raise Invalid(_("Give the number of the other comment."), field="duplicate_of")

    def act(comment: Comment) -> None:
        response = words.get(comment.registration.language) or words.get("", "")
        answers.decide(comment, kind, response, by=by, duplicate_of=duplicate_of, seen=seen.get(comment.public_id, ""))

    _each(wanted, act, by=by)
    return len(wanted)


def merge(
    comments: Sequence[Comment],
    stays: Comment,
    words: Mapping[str, str],
    *,
    by: User,
    seen: Mapping[str, str],
    replace: Collection[str] = (),
) -> int:
    """Make all but one duplicates of the one that stays, which is answered by itself. The rest is as in `answer_all`."""
    others = [comment for comment in comments if comment.id != stays.id]
    if not others:
        raise Invalid(_("Tick at least two comments."), field="stays")
    if stays.disposition is not None and stays.disposition.kind is DispositionKind.DUPLICATE:
        raise Invalid(_("Comment %(number)s is a duplicate itself.", number=stays.number), field="stays")
    wanted = _to_answer(others, replace, "stays")

    def act(comment: Comment) -> None:
        with reading(comment.registration.language):
            said = gettext("See comment %(number)s, which says the same.", number=stays.number)
        response = (words.get(comment.registration.language) or words.get("", "")).strip() or said
        known = seen.get(comment.public_id, "")
        answers.decide(comment, DispositionKind.DUPLICATE, response, by=by, duplicate_of=stays, seen=known)

    _each(wanted, act, by=by)
    return len(wanted)


def _chosen(consultation: Consultation) -> list[Comment]:
    """The comments that were ticked, or (`all`) those of the filter. Raises Invalid where there are none, or too many."""
    unshown = policy.can(g.actor, "comment.see_unshown", consultation)
    if request.values.get("all") == "1":
        wide = told_as_one(consultation, policy.roles(g.actor, consultation))
        query = queries.review(consultation, request.args, unshown=unshown, wide=wide)
    else:
        ids = list(dict.fromkeys(request.values.getlist("comment")))[: MOST + 1]
        query = queries.review(consultation, {}, unshown=unshown).where(Comment.public_id.in_(ids))
    found = list(db.session.scalars(query.limit(MOST + 1).options(*queries.WITH)))
    if not found:
        raise Invalid(_("Tick at least one comment."))
    if len(found) > MOST:
        raise Invalid(_("At most %(most)s comments at once: choose a narrower filter.", most=MOST))
    return found


def _seen() -> dict[str, str]:
    """What stood of each comment when the page was made: "id state", as often as there are comments."""
    pairs = (words.partition(" ") for words in request.form.getlist("seen_of")[: MOST + 1])
    return {public_id: state for public_id, _space, state in pairs}


def _page(
    consultation: Consultation,
    comments: list[Comment],
    form: TogetherForm,
    merge_form: MergeForm,
    status: int = 200,
    problem: DomainError | None = None,
) -> Answer:
    merge_form.stays.choices = [(comment.public_id, str(comment.number)) for comment in comments]
    names = shown(comments, policy.roles(g.actor, consultation))
    return render_template(
        "comments/together.html",
        consultation=consultation,
        comments=comments,
        form=form,
        merge_form=merge_form,
        problem=problem,
        replace=set(request.form.getlist("replace")),
        is_decided=is_decided,
        names_of_languages=LANGUAGE,
        labels=labels,
        **names,
    ), status


def _load(slug: str) -> tuple[Consultation, list[Comment]]:
    consultation = load_consultation(slug)
    require("comment.review", consultation)
    comments = _chosen(consultation)
    if not any(policy.can(g.actor, "comment.decide", comment) for comment in comments):
        require("comment.decide", comments[0])
    return consultation, comments


def _fresh(comments: list[Comment]) -> TogetherForm:
    made: TogetherForm = TogetherForm.of(languages_of(comments), formdata=None)
    return made


def _fresh_merge(comments: list[Comment]) -> MergeForm:
    made: MergeForm = MergeForm.of(languages_of(comments), formdata=None)
    return made


@bp.get("/consultations/<slug>/comments/together")
def together(slug: str) -> Answer:
    """The ticked comments under each other, whole, and one answer for them."""
    consultation, comments = _load(slug)
    return _page(consultation, comments, _fresh(comments), _fresh_merge(comments))


@bp.post("/consultations/<slug>/comments/together")
def answer_together(slug: str) -> Answer:
    consultation, comments = _load(slug)
    form = TogetherForm.of(languages_of(comments))
    if not form.validate():
        return _page(consultation, comments, form, _fresh_merge(comments), 422)
    try:
        other = by_number(consultation, form.duplicate_of.data)
        kind, replace = DispositionKind(form.kind.data), request.form.getlist("replace")
        done = answer_all(comments, kind, form.words(), other, by=g.actor, seen=_seen(), replace=replace)
        return _saved(slug, done, len(comments) - done)
    except DomainError as problem:
        db.session.rollback()
        if isinstance(problem, Invalid):
            form[problem.field].errors = [str(problem.message)]
        told = None if isinstance(problem, Invalid) else problem
        consultation, comments = _load(slug)
        return _page(consultation, comments, form, _fresh_merge(comments), problem.status, told)


@bp.post("/consultations/<slug>/comments/merge")
def merge_together(slug: str) -> Answer:
    consultation, comments = _load(slug)
    form = MergeForm.of(languages_of(comments))
    form.stays.choices = [(comment.public_id, str(comment.number)) for comment in comments]
    if not form.validate():
        return _page(consultation, comments, _fresh(comments), form, 422)
    try:
        stays = next(comment for comment in comments if comment.public_id == form.stays.data)
        done = merge(comments, stays, form.said(), by=g.actor, seen=_seen(), replace=request.form.getlist("replace"))
        return _saved(slug, done, len(comments) - 1 - done)
    except DomainError as problem:
        db.session.rollback()
        if isinstance(problem, Invalid):
            form.stays.errors = [str(problem.message)]
        told = None if isinstance(problem, Invalid) else problem
        consultation, comments = _load(slug)
        return _page(consultation, comments, _fresh(comments), form, problem.status, told)


def _saved(slug: str, number: int, left: int) -> Answer:
    db.session.commit()
    words = ngettext("%(num)s comment is answered.", "%(num)s comments are answered.", number)
    if left:
        words += " " + ngettext("%(num)s keeps the answer it has.", "%(num)s keep the answers they have.", left)
    flash(words, "success")
    return redirect(url_for("desk.review", slug=slug, state="open"), 303)
