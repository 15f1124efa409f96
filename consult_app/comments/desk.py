"""The review desk: comments with their answers, for whoever drafts, decides, confirms and edits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app import policy
from consult_app.comments import answers, labels, queries
from consult_app.comments.attribution import shown, told_as_one
from consult_app.comments.forms import AssignForm, DecideForm, ResolveForm
from consult_app.comments.models import Comment, Disposition, DispositionKind, ProposedAnswer
from consult_app.consultations.labels import LANGUAGE
from consult_app.consultations.models import Consultation, Revision, Section
from consult_app.consultations.queries import load_consultation, load_section
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import gettext, local
from consult_app.policy import require
from consult_app.registrations.models import Institution
from consult_app.registrations.queries import institutions, types_and_institutions
from consult_app.web import Answer, paginate

bp = Blueprint("desk", __name__)


def _desk(
    consultation: Consultation, chosen: Comment | None, form: DecideForm | None = None, status: int = 200, assign_form: Any = None
) -> Answer:
    filters = {key: value for key, value in request.args.items() if key in (*queries.FILTERS, "page")}
    unshown = policy.can(g.actor, "comment.see_unshown", consultation)
    held = policy.roles(g.actor, consultation)
    wide = told_as_one(consultation, held)
    found = queries.review(consultation, filters, unshown=unshown, wide=wide)
    page = paginate(found, 40, shown=queries.in_short(found, consultation))
    if chosen is not None and chosen.moderation is not None and not unshown:
        abort(404)
    if chosen is None and page.items:
        chosen = queries.load_for_desk(consultation, page.items[0].public_id)
    types, owners = types_and_institutions(consultation)
    numbered = select(Section).where(Section.consultation_id == consultation.id).order_by(Section.number)
    sections = db.session.scalars(
        numbered.options(joinedload(Section.dimension), joinedload(Section.revision).load_only(Revision.public_id))
    ).all()
    return render_template(
        "comments/desk.html",
        consultation=consultation,
        page=page,
        chosen=chosen,
        read=chosen.read if chosen else None,
        filters=filters,
        done=_just_done(consultation),
        form=form or DecideForm(formdata=None, data=_stands(chosen) if chosen else {}),
        assign_form=assign_form or _assign_form(owners, chosen, formdata=None),
        resolve_form=ResolveForm(formdata=None),
        **shown([chosen] if chosen else [], held),
        endorsements=queries.endorsement_counts([chosen]) if chosen else {},
        sections=sections,
        untold=answers.count_untold(consultation).get(consultation.id, 0),
        types=[
            *((kind.code, local(kind.name)) for kind in types if kind.id not in wide),
            *([(queries.WIDE, gettext("Participants"))] if wide else []),
        ],
        owners=owners,
        may_decide=any(policy.can(g.actor, "comment.decide", section) for section in sections),
        labels=labels,
        names_of_languages=LANGUAGE,
    ), status


def _stands(comment: Comment) -> dict[str, Any]:
    """What the form starts from: the draft, else the answer as it stands."""
    found: Disposition | ProposedAnswer | None = comment.proposal or comment.disposition
    if found is None:  # what was taken back is not lost, but has to be chosen again
        return {"response": comment.dispositions[-1].response} if comment.dispositions else {}
    number = found.duplicate_of.number if found.duplicate_of is not None else None
    return {"kind": found.kind.value, "response": found.response, "duplicate_of": number, "seen": comment.answer_state}


def _just_done(consultation: Consultation) -> Disposition | ProposedAnswer | None:
    """The decision after which this page came, as long as it stands: it is told on top, with the way back."""
    wanted = request.args.get("done", "")
    kinds: tuple[type[Disposition | ProposedAnswer], ...] = (Disposition, ProposedAnswer)
    for kind in kinds if wanted else ():
        of_id = select(kind).where(kind.consultation_id == consultation.id, kind.public_id == wanted)
        found: Any = db.session.scalar(of_id)
        if found is not None and found is (found.comment.proposal or found.comment.disposition):
            return cast(Disposition | ProposedAnswer, found)
    return None


def _assign_form(owners: list[Institution], comment: Comment | None, **more: Any) -> AssignForm:
    assigned = comment.assignment if comment is not None else None
    known = {"institution": assigned.institution.public_id, "due_on": assigned.due_on} if assigned and assigned.institution else {}
    form = AssignForm(data=known, **more)
    form.institution.choices = [("", gettext("Nobody yet")), *((one.public_id, local(one.name)) for one in owners)]
    return form


@bp.get("/consultations/<slug>/comments")
def review(slug: str) -> Answer:
    """The list on the left, one comment and its answer on the right (`?comment=` chooses it)."""
    consultation = load_consultation(slug)
    require("comment.review", consultation)
    wanted = request.args.get("comment", "")
    return _desk(consultation, queries.load_for_desk(consultation, wanted) if wanted else None)


def _loaded(slug: str, public_id: str, action: str) -> tuple[Consultation, Comment]:
    consultation = load_consultation(slug)
    require("comment.review", consultation)
    comment = queries.load_comment(consultation, public_id)
    if comment.moderation is not None and not policy.can(g.actor, "comment.see_unshown", consultation):
        abort(404)
    require(action, comment)
    return consultation, comment


def _answer(consultation: Consultation, comment: Comment, act: Callable[..., Any]) -> Answer:
    """Decide or draft an answer; then the next comment that waits for one."""
    slug, public_id = consultation.slug, comment.public_id
    form = DecideForm()
    if form.validate():
        try:
            other = by_number(consultation, form.duplicate_of.data)
            kind, response, state = DispositionKind(form.kind.data), form.response.data or "", form.seen.data or ""
            act(comment, kind, response, by=g.actor, duplicate_of=other, seen=state)
            db.session.commit()
            if act is answers.draft:
                words = gettext("The draft answer to comment %(number)s is kept; a focal point decides.", number=comment.number)
                flash(words, "success")
            made = comment.proposal or comment.disposition
            done = made.public_id if made is not None and act is answers.decide else None
            return redirect(url_for("desk.review", slug=slug, comment=_next(consultation, comment), done=done, **_filters()), 303)
        except answers.Answered as problem:  # what was typed stays, and the next send is on the colleague's answer, knowingly
            db.session.rollback()
            comment = queries.load_for_desk(load_consultation(slug), public_id)
            again = gettext("What you typed is below; send it again to replace that answer.")
            form.form_errors.append(f"{problem.message} {again}")
            form.seen.data = comment.answer_state
            return _desk(comment.section.consultation, comment, form, 409)
        except Invalid as problem:
            db.session.rollback()
            form[problem.field].errors = [str(problem.message)]
            consultation = load_consultation(slug)
            comment = queries.load_for_desk(consultation, public_id)
    return _desk(consultation, queries.load_for_desk(consultation, public_id), form, 422)


@bp.post("/consultations/<slug>/comments/<public_id>/decide")
def decide(slug: str, public_id: str) -> Answer:
    return _answer(*_loaded(slug, public_id, "comment.decide"), answers.decide)


@bp.post("/consultations/<slug>/comments/<public_id>/draft-answer")
def draft_answer(slug: str, public_id: str) -> Answer:
    """An answer that is neither told nor counted, for the focal point."""
    return _answer(*_loaded(slug, public_id, "comment.draft"), answers.draft)


@bp.post("/consultations/<slug>/comments/<public_id>/undo")
def undo(slug: str, public_id: str) -> Answer:
    """Take a decision back of which its author was not told; the form names the answer that was seen."""
    _consultation, comment = _loaded(slug, public_id, "comment.decide")
    found = comment.proposal or comment.disposition
    if found is None or found.public_id != request.form.get("answer"):
        raise Conflict(gettext("This answer was changed meanwhile. Look at the comment again."))
    answers.take_back(found, by=g.actor)
    db.session.commit()
    flash(gettext("The answer to comment %(number)s is taken back.", number=comment.number), "success")
    return redirect(url_for("desk.review", slug=slug, comment=public_id, _anchor="chosen", **_filters()), 303)


@bp.post("/consultations/<slug>/comments/<public_id>/confirm")
def confirm(slug: str, public_id: str) -> Answer:
    """The second pair of eyes; the form names the answer that was read."""
    consultation, comment = _loaded(slug, public_id, "comment.confirm")
    proposal = comment.proposal
    if proposal is None or proposal.public_id != request.form.get("proposal"):
        raise Conflict(gettext("This answer does not wait for confirmation any more. Look at the comment again."))
    answers.confirm(proposal, by=g.actor)
    db.session.commit()
    flash(gettext("The answer to comment %(number)s is confirmed, and counts.", number=comment.number), "success")
    made = comment.disposition.public_id if comment.disposition is not None else None
    return redirect(url_for("desk.review", slug=slug, comment=_next(consultation, comment), done=made, **_filters()), 303)


@bp.post("/consultations/<slug>/comments/<public_id>/assign")
def assign(slug: str, public_id: str) -> Answer:
    """Ask an institution for the answer, until a day."""
    consultation, comment = _loaded(slug, public_id, "comment.assign")
    owners = institutions(consultation)
    form = _assign_form(owners, None)
    if form.validate():
        try:
            found = next((one for one in owners if one.public_id == form.institution.data), None)
            answers.assign(comment, found, form.due_on.data, by=g.actor)
            db.session.commit()
            flash(gettext("Who is to answer comment %(number)s is noted.", number=comment.number), "success")
            return redirect(url_for("desk.review", slug=slug, comment=public_id, **_filters()), 303)
        except Invalid as problem:
            db.session.rollback()
            form[problem.field].errors = [str(problem.message)]
            consultation = load_consultation(slug)
            comment = queries.load_for_desk(consultation, public_id)
    return _desk(consultation, comment, status=422, assign_form=form)


@bp.post("/consultations/<slug>/comments/second-pair")
def second_pair(slug: str) -> Answer:
    """Whether an answer counts only once another person has confirmed it."""
    consultation = load_consultation(slug)
    require("consultation.edit", consultation)
    answers.need_second_pair(consultation, request.form.get("wanted") == "1", by=g.actor)
    db.session.commit()
    wanted = consultation.needs_second_pair
    flash(gettext("From now on a second person confirms each answer.") if wanted else gettext("Answers count at once again."), "success")
    return redirect(url_for("desk.review", slug=slug), 303)


def _filters() -> dict[str, Any]:
    return {key: value for key, value in request.args.items() if key in queries.FILTERS}


def by_number(consultation: Consultation, number: int | None) -> Comment | None:
    return db.session.scalar(select(Comment).where(Comment.consultation_id == consultation.id, Comment.number == number))


def _next(consultation: Consultation, comment: Comment) -> str | None:
    """The next comment of the filtered list that still waits for an answer: after this one, else from the beginning; else this one."""
    waits = select(ProposedAnswer.comment_id).where(ProposedAnswer.closed_at.is_(None), ProposedAnswer.decided_at.is_not(None))
    wide = told_as_one(consultation, policy.roles(g.actor, consultation))
    rows = queries.review(consultation, {**_filters(), "state": "open"}, unshown=True, wide=wide).where(
        Comment.id != comment.id, Comment.id.not_in(waits)
    )
    after = rows.order_by(None).order_by((Comment.id < comment.id), Section.number, Comment.number)
    return db.session.scalar(after.with_only_columns(Comment.public_id).limit(1)) or comment.public_id


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
    if section.revision.public_id != request.form.get("revision", section.revision.public_id):
        raise Conflict(gettext("There is a newer revision than the one you saw. Look at it first, then name it."))
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
