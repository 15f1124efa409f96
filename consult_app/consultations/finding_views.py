"""The page on which a finding is edited."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from consult_app.consultations import findings, labels, queries
from consult_app.consultations.diff import Change, changes_of
from consult_app.consultations.forms import FindingForm
from consult_app.consultations.models import Indicator
from consult_app.consultations.views import bp
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.forms import mark
from consult_app.i18n import gettext
from consult_app.policy import require
from consult_app.web import Answer

MOST = 500  # comments that one change can answer


def answering() -> list[str]:
    """The comments that are ticked on an editing page."""
    return request.form.getlist("answers")[:MOST]


def _state(indicator: Indicator) -> dict[str, Any]:
    return {part: getattr(indicator, part) for part in findings.PARTS}


def _since_revision(indicator: Indicator) -> list[Change]:
    """How the finding differs from the section's current revision; one that the revision does not know differs in all."""
    revision = indicator.dimension.section.revision
    if revision is None:
        return []
    before: dict[str, Any] = next((row for row in revision.content["indicators"] if row["code"] == indicator.code), {})
    return list(changes_of(indicator.code, before, _state(indicator), findings.PARTS))


@bp.route("/consultations/<slug>/indicators/<code>/edit", methods=["GET", "POST"])
def edit_finding(slug: str, code: str) -> Answer:
    """A finding with its answer and evidence. Whoever saves on an older one is shown both, and keeps what they typed."""
    consultation = queries.load_consultation(slug)
    indicator = queries.load_indicator(consultation, code)
    section = indicator.dimension.section
    require("section.edit", section)
    form = FindingForm.of(indicator, consultation.languages, findings.scale(consultation))
    back = url_for("consultations.section", slug=slug, number=section.number, _anchor=f"indicator-{code}")
    status = 200
    theirs: list[Change] = []
    if form.validate_on_submit():
        try:
            findings.edit_finding(indicator, form.values(indicator), form.edit_number.data, by=g.actor, answering=answering())
            db.session.commit()
            flash(gettext("The finding of %(code)s is saved.", code=code), "success")
            return redirect(back, 303)
        except (Conflict, Invalid) as problem:
            db.session.rollback()
            consultation = queries.load_consultation(slug)
            indicator = queries.load_indicator(consultation, code)
            section = indicator.dimension.section
            status = mark(form, problem)
            if isinstance(problem, Conflict):
                theirs = list(changes_of(code, _state(indicator), form.values(indicator), findings.PARTS))
                form.edit_number.raw_data = None  # the next save is on the newest text, knowingly
                form.edit_number.data = indicator.edit_number
    elif form.is_submitted():
        status = 422
    elif not section.is_editable:
        flash(gettext("Section %(number)s is frozen for signature. Reopen it before changing its text.", number=section.number), "warning")
        return redirect(back, 303)
    return render_template(
        "consultations/edit_finding.html",
        form=form,
        consultation=consultation,
        section=section,
        indicator=indicator,
        theirs=theirs,
        changes=_since_revision(indicator),
        ticked=answering(),
        labels=labels,
    ), status
