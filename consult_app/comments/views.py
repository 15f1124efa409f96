"""The indicator on a phone: read, comment, endorse, take a position; and what became of it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from consult_app import policy
from consult_app.attendance.queries import arrived_ids
from consult_app.comments import actions, answers, deadlines, drafts, evidence, heat, labels, mails, queries  # noqa: F401  some register mails and jobs
from consult_app.comments.attribution import must_suppress, shown
from consult_app.comments.forms import CommentForm, ObjectForm, PositionForm, RecordForm
from consult_app.comments.models import Comment, CommentKind, Position, PositionValue, Reply
from consult_app.consultations.actions import full
from consult_app.consultations.labels import ANSWER, LANGUAGE
from consult_app.consultations.models import NOT_SHOWN, Consultation, Dimension, Indicator, Revision, Section
from consult_app.consultations.queries import as_shown, load_at, load_consultation
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.events.models import Event
from consult_app.i18n import gettext, language, local
from consult_app.policy import require
from consult_app.registrations.models import Institution, Registration, RegistrationState
from consult_app.web import Answer, is_htmx, limiter, paginate, pause_transaction, resume_writing, takes_files

bp = Blueprint("comments", __name__)


PAGE = 20  # comments on one page of an indicator


def who() -> str:
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
        shown=as_shown(consultation),
        taken=taken,
        labels=labels,
    )


@bp.get("/consultations/<slug>/positions")
def heat_map(slug: str) -> Answer:
    """Where the positions stand: indicators by stakeholder type, of people or (`?by=institution`) of institutions."""
    consultation = load_consultation(slug)
    require("comment.see", consultation)
    suppress = must_suppress(consultation.attribution, policy.roles(g.actor, consultation))
    now_at = {section.dimension_id: section.revision_number for section in consultation.sections}
    names: dict[str, Any] = {"consultation": consultation, "labels": labels, "is_suppressed": suppress, "now_at": now_at}
    names["shown"] = as_shown(consultation)
    if request.args.get("by") == "institution":
        if suppress:
            return render_template("comments/positions_of_institutions.html", found=None, **names)
        found = heat.institution_map(consultation)
        sections = _by_dimension(consultation, found.rows)
        return render_template("comments/positions_of_institutions.html", found=found, types=found.types, by_dimension=sections, **names)
    types, rows = heat.heat_map(consultation, suppress=suppress)
    return render_template("comments/positions.html", types=types, by_dimension=_by_dimension(consultation, rows), **names)


def _by_dimension(consultation: Consultation, rows: list[heat.HeatRow]) -> list[tuple[Dimension, list[heat.HeatRow]]]:
    return [(d, [row for row in rows if row.indicator.dimension_id == d.id]) for d in consultation.dimensions]


def _comment_list(indicator: Indicator) -> dict[str, Any]:
    """The names that `_list.html` needs: the page includes it, htmx gets it alone."""
    held = policy.roles(g.actor, indicator)
    page = paginate(queries.on_indicator(indicator).options(*queries.WITH), PAGE)
    comments = list(page.items)
    endorsements, endorsed = queries.endorsed(comments, g.actor if g.actor.is_participant else None)
    return {
        "consultation": indicator.consultation,
        "indicator": indicator,
        "page": page,
        **shown(comments, held),
        "endorsements": endorsements,
        "endorsed": endorsed,
        "labels": labels,
    }


def seen() -> list[str]:
    """What a form says of the revision that was on the screen: one for each section that the page shows."""
    return (request.form.getlist("holds") or request.form.getlist("revision"))[:100]


def _revision(section: Section, named: Sequence[str]) -> Revision | None:
    """The revision of the section that is named, if one is."""
    if section.revision is not None and section.revision.public_id in named:
        return section.revision
    query = select(Revision).where(Revision.section_id == section.id, Revision.public_id.in_(named))
    found: Revision | None = db.session.scalar(query.order_by(Revision.number.desc()).limit(1)) if named else None
    return found


def held_on(section: Section) -> str | None:
    """The revision of a form that is shown again, where it is one of the section; else what is typed is of the one that is shown now."""
    found = _revision(section, seen()) if request.method == "POST" else None
    return found.public_id if found is not None else None


def since(row: Comment | Position | Reply) -> str:
    """What is added to an answer where what was sent stands on an earlier revision."""
    section = row.revision.section
    if row.revision.number == section.revision_number:
        return ""
    words = {"old": row.revision.number, "new": section.revision_number}
    return " " + gettext(
        "It stands with revision %(old)s, which you read; the text has changed since, and is now revision %(new)s.", **words
    )


def _page(consultation: Consultation, indicator: Indicator, form: Any = None, position_form: Any = None, status: int = 200) -> Answer:
    section = indicator.dimension.section
    held = policy.roles(g.actor, indicator)
    suppress = must_suppress(consultation.attribution, held)
    mine = queries.position_of(indicator, g.actor) if g.actor.is_participant else None
    held_of_it = queries.positions(indicator, suppress=suppress)
    is_recorder = policy.can(g.actor, "comment.record", consultation)
    draft = drafts.draft_of(indicator, g.actor) if g.actor.is_participant and form is None else None
    held_revision = held_on(section) if form is not None else None
    if draft is not None:
        held_revision = draft["values"].get("revision", "")
    if form is None:
        kept = draft["values"] if draft else {}
        form = _comment_form(consultation, RecordForm if is_recorder else CommentForm, indicator, kept, formdata=None)
    if is_recorder:
        form.speaker.choices = _speakers(consultation)
    before, after = _neighbours(indicator)
    return render_template(
        "comments/indicator.html",
        section=section,
        form=form,
        position_form=position_form or PositionForm(formdata=None, data={"value": mine.value.value, "reason": mine.reason} if mine else {}),
        mine=mine,
        everyone=held_of_it.everyone,
        by_type=held_of_it.rows,
        told=held_of_it,
        revisions=held_of_it.revisions,
        text=indicator.shown,
        working=_working(indicator),
        before=before,
        after=after,
        texts=texts_to_edit(indicator, held_revision or ""),
        draft=draft,
        held=held_revision,
        position_held=held_on(section) if position_form is not None else None,
        names_of_languages=LANGUAGE,
        answers=ANSWER,
        most_bytes=evidence.MOST_BYTES,
        **_comment_list(indicator),
    ), status


def _working(indicator: Indicator) -> dict[str, Any] | None:
    """The text that the staff work on, where it differs from what participants read; None for everybody else."""
    if not policy.can(g.actor, "section.see_working", indicator):
        return None
    working = {name: getattr(indicator, name) for name in NOT_SHOWN}
    kept = {name: full(value) if isinstance(value, dict) else value for name, value in working.items()}
    shown_now = {name: value for name, value in (indicator.shown or {}).items() if name in NOT_SHOWN}
    return working if kept != shown_now else None


def _comment_form(
    consultation: Consultation, kind: type[CommentForm], indicator: Indicator, kept: dict[str, str] | None = None, **more: Any
) -> Any:
    """The composer, with what is `kept` in it; `?propose=en` starts the wording from the text, for browsers without scripts."""
    form = kind.of(consultation.languages, language(), {"client_key": secrets.token_urlsafe(16), **(kept or {})}, **more)
    wanted = request.args.get("propose", "")
    if request.method == "GET" and wanted in consultation.languages:
        form.proposed_language.data, form.proposed.data = wanted, texts_to_edit(indicator).get(wanted, "")
    return form


def texts_to_edit(indicator: Indicator, held: str = "") -> dict[str, str]:
    """What a proposed wording can start from, by language: the finding of the revision that is `held`, else of the current one."""
    section = indicator.dimension.section
    revision = _revision(section, [held] if held else []) or section.revision
    found = {code: actions.text_to_edit(revision, indicator.code, code) for code in indicator.consultation.languages} if revision else {}
    return {code: words for code, words in found.items() if words}


def _neighbours(indicator: Indicator) -> tuple[str | None, str | None]:
    """The codes of the indicators before and after, in the framework's order."""
    base = select(Indicator.code).where(Indicator.consultation_id == indicator.consultation_id).limit(1)
    before = base.where(Indicator.place < indicator.place).order_by(Indicator.place.desc()).scalar_subquery()
    after = base.where(Indicator.place > indicator.place).order_by(Indicator.place).scalar_subquery()
    return db.session.execute(select(before, after)).one()._tuple()


def _speakers(consultation: Consultation) -> list[tuple[str, str]]:
    """People with a place at an event of the consultation, those of the newest event first; the arrived are marked."""
    of_consultation = (Registration.consultation_id == consultation.id, Registration.state == RegistrationState.CONFIRMED)
    newest = select(Event.id).join(Registration).where(*of_consultation).order_by(Event.starts_on.desc(), Event.id.desc()).limit(1)
    is_here = Registration.id.in_(arrived_ids(Event).correlate(Event))
    rows = db.session.scalars(
        select(Registration)
        .join(Registration.event)
        .where(*of_consultation, Event.id == newest.scalar_subquery())
        .order_by(is_here.desc(), Registration.name)
        .options(joinedload(Registration.institution).load_only(Institution.name))
        .limit(500)
    )
    return [("", gettext("Choose one")), *((r.public_id, f"{r.full_name} – {local(r.institution.name)}") for r in rows)]


@bp.get("/consultations/<slug>/indicators/<code>")
def indicator(slug: str, code: str) -> Answer:
    consultation, found = load_at(slug, code)
    require("indicator.see", consultation)
    if is_htmx():
        return render_template("comments/_list.html", **_comment_list(found))
    return _page(consultation, found)


@bp.post("/consultations/<slug>/indicators/<code>/comments")
@limiter.limit("30 per minute", key_func=who)
@takes_files(evidence.MOST_REQUEST)
def write(slug: str, code: str) -> Answer:
    """A comment, with its files; sent twice, it appears once."""
    consultation, found = load_at(slug, code)
    require("comment.write", consultation)
    form = _comment_form(consultation, CommentForm, found)
    return _keep(slug, code, form, lambda: g.actor) if form.validate() else _refused(consultation, found, form)


@bp.post("/consultations/<slug>/indicators/<code>/record")
@limiter.limit("60 per minute", key_func=who)
@takes_files(evidence.MOST_REQUEST)
def record(slug: str, code: str) -> Answer:
    """A comment that was spoken in the room: who recorded it and for whom both stay on it (rule 12)."""
    consultation, found = load_at(slug, code)
    require("comment.record", consultation)
    form = _comment_form(consultation, RecordForm, found)
    form.speaker.choices = _speakers(consultation)
    theirs = select(Registration).where(Registration.public_id == form.speaker.data, Registration.consultation_id == consultation.id)
    return _keep(slug, code, form, lambda: db.session.scalars(theirs).one()) if form.validate() else _refused(consultation, found, form)


def _keep(slug: str, code: str, form: CommentForm, author: Callable[[], Registration]) -> Answer:
    """Put the files into the store while nobody waits for us, then keep the comment with them."""
    given: list[evidence.Given] = []
    try:
        if any(file.filename for file in request.files.getlist("files")):
            pause_transaction()
            given = evidence.receive(request.files.getlist("files"))
            resume_writing()
        consultation, found = load_at(slug, code)
        comment = actions.write_comment(
            found,
            author(),
            CommentKind(form.kind.data),
            form.text.data or "",
            by=g.actor,
            client_key=form.client_key.data or "",
            proposed=form.proposed.data or "",
            proposed_language=form.proposed_language.data or "",
            link=form.link.data or "",
            language=language(),
            seen=seen(),
        )
        evidence.attach(comment, given, by=g.actor)
        db.session.commit()
        given = []  # a row names them now
        return _written(consultation, found, comment)
    except Invalid as problem:
        db.session.rollback()
        resume_writing()
        evidence.drop(given)
        form[problem.field or "text"].errors = [str(problem.message)]
        return _refused(*load_at(slug, code), form)
    except BaseException:
        evidence.drop(given)
        raise


def _written(consultation: Consultation, found: Indicator, comment: Comment) -> Answer:
    if comment.waits_for_facilitator:
        words = gettext("Your comment is kept. It waits for the facilitator, who shows it to the others.")
    else:
        words = gettext("Your comment is kept, and the organisers have it.")
    flash(words + since(comment), "success")
    return redirect(url_for("comments.indicator", slug=consultation.slug, code=found.code, _anchor="comments"), 303)


def _refused(consultation: Consultation, found: Indicator, form: CommentForm) -> Answer:
    return _page(consultation, found, form, status=422)


@bp.post("/consultations/<slug>/indicators/<code>/position")
@limiter.limit("60 per minute", key_func=who)
def take_position(slug: str, code: str) -> Answer:
    consultation, found = load_at(slug, code)
    require("position.take", consultation)
    form = PositionForm()
    if form.validate():
        try:
            value, reason = PositionValue(form.value.data), form.reason.data or ""
            taken = actions.take_position(found, g.actor, value, reason, by=g.actor, seen=seen())
            db.session.commit()
            flash(gettext("Your position is kept. You can change it as long as comments are open.") + since(taken), "success")
            return redirect(url_for("comments.indicator", slug=slug, code=code, _anchor="position"), 303)
        except Invalid as problem:
            db.session.rollback()
            form[problem.field or "value"].errors = [str(problem.message)]
            consultation, found = load_at(slug, code)
    return _page(consultation, found, position_form=form, status=422)


@bp.post("/consultations/<slug>/comments/<public_id>/endorse")
@limiter.limit("60 per minute", key_func=who)
def endorse(slug: str, public_id: str) -> Answer:
    consultation = load_consultation(slug)
    require("comment.write", consultation)
    comment = queries.load_comment(consultation, public_id)
    actions.endorse(comment, g.actor, by=g.actor)
    db.session.commit()
    if is_htmx():
        counts, mine = queries.endorsed([comment], g.actor)
        return render_template("comments/_endorse.html", c=comment, consultation=consultation, endorsements=counts, endorsed=mine)
    return redirect(where(comment), 303)


def where(comment: Comment, anchor: str = "") -> str:
    """The address of a comment in its list."""
    page = queries.page_of(comment, PAGE)
    return url_for(
        "comments.indicator", slug=comment.section.consultation.slug, code=comment.indicator.code, page=page if page > 1 else None,
        _anchor=anchor or f"comment-{comment.public_id}",
    )  # fmt: skip


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
    comments, replies = queries.by_person(registration), queries.replies_by(registration)
    names = shown(comments, policy.roles(registration, registration.event.consultation))
    return render_template(
        "comments/mine.html",
        registration=registration,
        comments=comments,
        replies=replies,
        event=registration.event,
        labels=labels,
        **names,
    )
