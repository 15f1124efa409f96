"""After validation: the recorded steps up to publication, and the page that shows who owes what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from sqlalchemy.orm import selectinload

from consult_app.consultations.models import Consultation
from consult_app.consultations.queries import load_consultation
from consult_app.db import db, now
from consult_app.errors import Invalid
from consult_app.forms import Form, mark
from consult_app.i18n import gettext, local
from consult_app.once import once
from consult_app.outcomes import actions, labels, queries
from consult_app.outcomes.forms import FollowUpForm, ProgressForm, StepForm, UndoStepForm
from consult_app.outcomes.models import FollowUp, FollowUpNote, FollowUpStatus, StepKind
from consult_app.policy import require
from consult_app.sheets import XLSX_TYPE, write_csv, write_xlsx
from consult_app.signoff.standing import sections_of
from consult_app.web import Answer, download, paginate

bp = Blueprint("outcomes", __name__)


def _load(slug: str, action: str) -> Consultation:
    consultation = load_consultation(slug)
    require(action, consultation)
    return consultation


def _submit(form: Form, act: Callable[[], Any], words: str, url: str) -> Answer | None:
    """Act on a valid form and go on; None: the form is shown again with what is wrong."""
    if not form.validate():
        return None
    try:
        act()
        db.session.commit()
    except Invalid as problem:
        db.session.rollback()
        mark(form, problem)
        return None
    flash(words, "success")
    return redirect(url, 303)


@bp.get("/consultations/<slug>/after")
def index(slug: str) -> Answer:
    return _index(_load(slug, "outcome.see"))


def _index(consultation: Consultation, forms: dict[StepKind, Form] | None = None, status: int = 200) -> Answer:
    filters = {key: value for key, value in request.args.items() if key in ("institution", "state")}
    today, steps, sections, sealed = (
        now().date(),
        queries.steps_of(consultation),
        sections_of(consultation),
        actions.newest_report(consultation),
    )
    standing = queries.standing(steps)
    return render_template(
        "outcomes/index.html",
        consultation=consultation,
        standing=standing,
        missing={kind: actions.missing_for(consultation, kind, standing, sections, sealed) for kind in StepKind if kind not in standing},
        undone=[step for step in steps if not step.stands],
        newest=sealed,
        forms=forms or {},
        form=StepForm(formdata=None, data={"happened_on": today}),
        undo_form=UndoStepForm(formdata=None),
        page=paginate(queries.follow_ups(consultation, filters, today)),
        owed=queries.owed(consultation, today),
        recommended=actions.not_taken(consultation, sections),
        filters=filters,
        today=today,
        labels=labels,
    ), status


@bp.post("/consultations/<slug>/after/<any(comments_closed, counterpart_accepted, consent_given, published):kind>")
def record_step(slug: str, kind: str) -> Answer:
    consultation, form, step = _load(slug, "outcome.record"), StepForm(), StepKind(kind)

    def act() -> None:
        actions.record_step(consultation, step, form.happened_on.data, form.decided_by.data or "", form.note.data or "", by=g.actor)

    done = _submit(form, act, gettext("The step is recorded."), url_for("outcomes.index", slug=slug))
    return done or _index(load_consultation(slug), {step: form}, 422)


@bp.route("/consultations/<slug>/steps/<public_id>/undo", methods=["GET", "POST"])
def undo_step(slug: str, public_id: str) -> Answer:
    consultation = _load(slug, "outcome.record")
    step, form = queries.load_step(consultation, public_id), UndoStepForm()
    if request.method == "POST":
        done = _submit(
            form, lambda: actions.undo_step(consultation, step, form.reason.data or "", by=g.actor), gettext("The step is taken back."),
            url_for("outcomes.index", slug=slug),
        )  # fmt: skip
        if done:
            return done
    status = 422 if request.method == "POST" else 200
    return render_template("outcomes/undo.html", consultation=load_consultation(slug), step=step, form=form, labels=labels), status


# -- follow-ups --


@bp.post("/consultations/<slug>/follow-up/recommendations")
def take_recommendations(slug: str) -> Answer:
    consultation = _load(slug, "followup.edit")
    count = actions.take_recommendations(consultation, by=g.actor)
    db.session.commit()
    flash(gettext("%(count)s recommendations are follow-ups now. Say who is responsible, and until when.", count=count), "success")
    return redirect(url_for("outcomes.index", slug=slug, _anchor="follow-up"), 303)


@bp.route("/consultations/<slug>/follow-up/add", methods=["GET", "POST"])
def add_follow_up(slug: str) -> Answer:
    consultation = _load(slug, "followup.edit")
    form = FollowUpForm.of(consultation)
    if request.method == "POST":

        def act() -> None:
            said = (form.text.data, form.owner, form.contact.data or "", form.due_on.data)
            once(FollowUp, lambda: actions.add_follow_up(consultation, *said, by=g.actor))

        done = _submit(form, act, gettext("The follow-up is added."), url_for("outcomes.index", slug=slug, _anchor="follow-up"))
        if done:
            return done
    status = 422 if request.method == "POST" else 200
    return render_template("outcomes/add.html", consultation=consultation, form=form), status


def _row(slug: str, public_id: str, action: str) -> tuple[Consultation, FollowUp]:
    consultation = load_consultation(slug)
    require(action, consultation)
    return consultation, queries.load_follow_up(consultation, public_id)


def _show(
    consultation: Consultation, row: FollowUp, *, form: Form | None = None, progress: Form | None = None, status: int = 200
) -> Answer:
    return render_template(
        "outcomes/show.html",
        consultation=consultation,
        row=row,
        form=form or FollowUpForm.of(consultation, row),
        progress=progress or ProgressForm(formdata=None, data={"status": row.status.value}),
        today=now().date(),
        labels=labels,
    ), status


@bp.get("/consultations/<slug>/follow-up/<public_id>")
def follow_up(slug: str, public_id: str) -> Answer:
    return _show(*_row(slug, public_id, "outcome.see"))


@bp.post("/consultations/<slug>/follow-up/<public_id>/change")
def change_follow_up(slug: str, public_id: str) -> Answer:
    consultation, row = _row(slug, public_id, "followup.edit")
    form = FollowUpForm.of(consultation)

    def act() -> None:
        actions.change_follow_up(row, form.text.data, form.owner, form.contact.data or "", form.due_on.data, by=g.actor)

    here = url_for("outcomes.follow_up", slug=slug, public_id=public_id)
    return _submit(form, act, gettext("The follow-up is changed."), here) or _show(consultation, row, form=form, status=422)


@bp.post("/consultations/<slug>/follow-up/<public_id>/progress")
def report_progress(slug: str, public_id: str) -> Answer:
    _consultation, row = _row(slug, public_id, "followup.report")
    form = ProgressForm()

    def act() -> None:
        said = (FollowUpStatus(form.status.data), form.text.data or "", form.link.data or "")
        once(FollowUpNote, lambda: actions.report_progress(row, *said, by=g.actor))

    here = url_for("outcomes.follow_up", slug=slug, public_id=public_id)
    done = _submit(form, act, gettext("What you reported is recorded."), here)
    return done or _show(*_row(slug, public_id, "followup.report"), progress=form, status=422)


@bp.get("/consultations/<slug>/follow-up.<any(csv, xlsx):kind>")
def export(slug: str, kind: str) -> Answer:
    """Every follow-up with how it stands."""
    consultation = _load(slug, "outcome.see")
    header = [gettext("No."), gettext("Section"), gettext("What is to be done"), gettext("Responsible institution"), gettext("Until when"),
              gettext("How it stands"), gettext("Last said"), gettext("Evidence")]  # fmt: skip
    found = db.session.scalars(queries.follow_ups(consultation, {}, now().date()).options(selectinload(FollowUp.notes)))
    rows = []
    for row in found:
        last = row.notes[-1] if row.notes else None
        who, until = local(row.institution.name) if row.institution else "", row.due_on.isoformat() if row.due_on else ""
        said = [str(labels.STATUS[row.status]), last.text if last else "", last.link if last else ""]
        rows.append([row.number, row.section.number if row.section else "", local(row.text), who, until, *said])
    name = f"{slug}-follow-up.{kind}"
    if kind == "csv":
        return download(write_csv(header, rows), name, "text/csv")
    return download(write_xlsx({gettext("Follow-up"): (header, rows)}), name, XLSX_TYPE)
