"""The indicator on a phone: read, comment, endorse, take a position; and what became of it."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from consult_app import policy
from consult_app.attendance.queries import arrived_ids
from consult_app.comments import actions, answers, heat, labels, mails, queries  # noqa: F401  mails: registers its builders
from consult_app.comments.attribution import byline, must_suppress
from consult_app.comments.forms import CommentForm, ObjectForm, PositionForm, RecordForm
from consult_app.comments.models import Comment, CommentKind, PositionValue
from consult_app.consultations.models import Consultation, Dimension, Indicator
from consult_app.consultations.queries import load_consultation, load_indicator
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.events.models import Event
from consult_app.i18n import gettext, language, local
from consult_app.policy import require
from consult_app.registrations.models import Registration, RegistrationState
from consult_app.web import Answer, is_htmx, limiter, paginate

bp = Blueprint("comments", __name__)


def _who() -> str:
    """Limits count by participant and not by address: a hall shares one."""
    return str(g.actor.actor_key)


@bp.get("/consultations/<slug>/take-part")
def indicators(slug: str) -> Answer:
    """All indicators by dimension, with what the participant has done so far."""
    consultation = load_consultation(slug)
    require("indicator.see", consultation)
    dimensions = db.session.scalars(
        select(Dimension)
        .where(Dimension.consultation_id == consultation.id)
        .order_by(Dimension.number)
        .options(selectinload(Dimension.indicators), joinedload(Dimension.section))
    ).all()
    taken = queries.positions_taken(g.actor) if g.actor.is_participant else {}
    return render_template(
        "comments/indicators.html",
        consultation=consultation,
        dimensions=dimensions,
        counts=queries.indicator_counts(consultation),
        taken=taken,
        labels=labels,
    )


@bp.get("/consultations/<slug>/positions")
def heat_map(slug: str) -> Answer:
    """Where the positions stand: indicators by stakeholder type."""
    consultation = load_consultation(slug)
    require("comment.see", consultation)
    suppress = must_suppress(consultation.attribution, policy.roles(g.actor, consultation))
    types, rows = heat.heat_map(consultation, suppress=suppress)
    by_dimension = [(d, [row for row in rows if row.indicator.dimension_id == d.id]) for d in consultation.dimensions]
    return render_template(
        "comments/positions.html", consultation=consultation, types=types, by_dimension=by_dimension, labels=labels, is_suppressed=suppress
    )


def _load(slug: str, code: str) -> tuple[Consultation, Indicator]:
    consultation = load_consultation(slug)
    return consultation, load_indicator(consultation, code)


def _comment_list(indicator: Indicator) -> dict[str, Any]:
    """The names that `_list.html` needs: the page includes it, htmx gets it alone."""
    held = policy.roles(g.actor, indicator)
    page = paginate(queries.on_indicator(indicator), 30)
    comments = list(page.items)
    participant = g.actor if g.actor.is_participant else None
    return {
        "indicator": indicator,
        "page": page,
        "bylines": {comment.id: byline(comment, held) for comment in comments},
        "endorsements": queries.endorsement_counts(comments),
        "endorsed": queries.endorsed_by(participant, comments) if participant else set(),
        "labels": labels,
    }


def _page(consultation: Consultation, indicator: Indicator, form: Any = None, position_form: Any = None, status: int = 200) -> Answer:
    section = indicator.dimension.section
    held = policy.roles(g.actor, indicator)
    suppress = must_suppress(consultation.attribution, held)
    mine = queries.position_of(indicator, g.actor) if g.actor.is_participant else None
    everyone, by_type = queries.positions(indicator, section.revision.id if section.revision else None, suppress=suppress)
    is_recorder = policy.can(g.actor, "comment.record", consultation)
    if form is None:
        form = (RecordForm if is_recorder else CommentForm)(formdata=None, data={"client_key": secrets.token_urlsafe(16)})
    if is_recorder:
        form.speaker.choices = _speakers(consultation)
    before, after = _neighbours(indicator)
    return render_template(
        "comments/indicator.html",
        consultation=consultation,
        section=section,
        form=form,
        position_form=position_form or PositionForm(formdata=None, data={"value": mine.value.value, "reason": mine.reason} if mine else {}),
        mine=mine,
        everyone=everyone,
        by_type=by_type,
        before=before,
        after=after,
        **_comment_list(indicator),
    ), status


def _neighbours(indicator: Indicator) -> tuple[str | None, str | None]:
    """The codes of the indicators before and after, in the framework's order."""
    base = select(Indicator.code).where(Indicator.consultation_id == indicator.consultation_id)
    before = db.session.scalar(base.where(Indicator.place < indicator.place).order_by(Indicator.place.desc()).limit(1))
    return before, db.session.scalar(base.where(Indicator.place > indicator.place).order_by(Indicator.place).limit(1))


def _speakers(consultation: Consultation) -> list[tuple[str, str]]:
    """People with a place at an event of the consultation, those of the newest event first; the arrived are marked."""
    rows = db.session.scalars(
        select(Registration)
        .join(Event)
        .where(Registration.consultation_id == consultation.id, Registration.state == RegistrationState.CONFIRMED)
        .order_by(Event.starts_on.desc(), Registration.name)
        .options(joinedload(Registration.institution), joinedload(Registration.event))
        .limit(500)
    ).all()
    newest = rows[0].event if rows else None
    here = set(db.session.scalars(arrived_ids(newest))) if newest else set()
    people = [r for r in rows if newest and r.event_id == newest.id]
    people.sort(key=lambda r: (r.id not in here, r.name))
    return [("", gettext("Choose one")), *((r.public_id, f"{r.full_name} – {local(r.institution.name)}") for r in people)]


@bp.get("/consultations/<slug>/indicators/<code>")
def indicator(slug: str, code: str) -> Answer:
    consultation, found = _load(slug, code)
    require("indicator.see", consultation)
    if is_htmx():
        return render_template("comments/_list.html", **_comment_list(found))
    return _page(consultation, found)


@bp.post("/consultations/<slug>/indicators/<code>/comments")
@limiter.limit("30 per minute", key_func=_who)
def write(slug: str, code: str) -> Answer:
    """A comment; sent twice, it appears once. htmx gets the list with the comment in it."""
    consultation, found = _load(slug, code)
    require("comment.write", consultation)
    form = CommentForm()
    if form.validate():
        try:
            _keep(found, g.actor, form)
            return _written(consultation, found)
        except Invalid as problem:
            db.session.rollback()
            form[problem.field or "text"].errors = [str(problem.message)]
            consultation, found = _load(slug, code)
    return _refused(consultation, found, form)


@bp.post("/consultations/<slug>/indicators/<code>/record")
@limiter.limit("60 per minute", key_func=_who)
def record(slug: str, code: str) -> Answer:
    """A comment that was spoken in the room: who recorded it and for whom both stay on it (rule 12)."""
    consultation, found = _load(slug, code)
    require("comment.record", consultation)
    form = RecordForm()
    form.speaker.choices = _speakers(consultation)
    if form.validate():
        speaker = db.session.scalars(
            select(Registration).where(Registration.public_id == form.speaker.data, Registration.consultation_id == consultation.id)
        ).one()
        try:
            _keep(found, speaker, form)
            return _written(consultation, found)
        except Invalid as problem:
            db.session.rollback()
            form[problem.field or "text"].errors = [str(problem.message)]
            consultation, found = _load(slug, code)
    return _refused(consultation, found, form)


def _keep(found: Indicator, author: Registration, form: CommentForm) -> None:
    actions.write_comment(
        found,
        author,
        CommentKind(form.kind.data),
        form.text.data or "",
        by=g.actor,
        client_key=form.client_key.data or "",
        proposed=form.proposed.data or "",
        link=form.link.data or "",
        language=language(),
    )
    db.session.commit()


def _written(consultation: Consultation, found: Indicator) -> Answer:
    flash(gettext("Your comment is kept, and the organisers have it."), "success")
    return redirect(url_for("comments.indicator", slug=consultation.slug, code=found.code, _anchor="comments"), 303)


def _refused(consultation: Consultation, found: Indicator, form: CommentForm) -> Answer:
    return _page(consultation, found, form, status=422)


@bp.post("/consultations/<slug>/indicators/<code>/position")
@limiter.limit("60 per minute", key_func=_who)
def take_position(slug: str, code: str) -> Answer:
    consultation, found = _load(slug, code)
    require("position.take", consultation)
    form = PositionForm()
    if form.validate():
        try:
            actions.take_position(found, g.actor, PositionValue(form.value.data), form.reason.data or "", by=g.actor)
            db.session.commit()
            flash(gettext("Your position is kept. You can change it as long as comments are open."), "success")
            return redirect(url_for("comments.indicator", slug=slug, code=code, _anchor="position"), 303)
        except Invalid as problem:
            db.session.rollback()
            form[problem.field].errors = [str(problem.message)]
            consultation, found = _load(slug, code)
    return _page(consultation, found, position_form=form, status=422)


@bp.post("/consultations/<slug>/comments/<public_id>/endorse")
@limiter.limit("60 per minute", key_func=_who)
def endorse(slug: str, public_id: str) -> Answer:
    consultation = load_consultation(slug)
    require("comment.write", consultation)
    comment = queries.load_comment(consultation, public_id)
    actions.endorse(comment, g.actor, by=g.actor)
    db.session.commit()
    if is_htmx():
        return render_template("comments/_list.html", **_comment_list(comment.indicator))
    return redirect(url_for("comments.indicator", slug=slug, code=comment.indicator.code, _anchor=f"comment-{public_id}"), 303)


@bp.post("/consultations/<slug>/comments/<public_id>/withdraw")
def withdraw(slug: str, public_id: str) -> Answer:
    comment = _own_comment(slug, public_id, "comment.withdraw")
    actions.withdraw_comment(comment, by=g.actor)
    db.session.commit()
    flash(gettext("Your comment is withdrawn."), "success")
    return redirect(url_for("comments.mine"), 303)


@bp.route("/consultations/<slug>/comments/<public_id>/object", methods=["GET", "POST"])
def object_to(slug: str, public_id: str) -> Answer:
    comment = _own_comment(slug, public_id, "comment.object")
    form = ObjectForm()
    if form.validate_on_submit():
        answers.object_to(comment, form.text.data or "", by=g.actor)
        db.session.commit()
        flash(gettext("Your objection is kept. The section cannot be signed before it is resolved."), "success")
        return redirect(url_for("comments.mine"), 303)
    return render_template("comments/object.html", comment=comment, form=form, labels=labels), 422 if form.is_submitted() else 200


def _own_comment(slug: str, public_id: str, action: str) -> Comment:
    consultation = load_consultation(slug)
    require("consultation.see", consultation)
    comment = queries.load_comment(consultation, public_id)
    require(action, comment)
    return comment


@bp.get("/my/comments")
def mine() -> Answer:
    """What became of each of my comments."""
    require("registration.own", g.actor)
    registration: Registration = g.actor
    comments = queries.by_person(registration)
    return render_template("comments/mine.html", registration=registration, comments=comments, event=registration.event, labels=labels)
