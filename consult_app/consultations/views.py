"""Consultations themselves, and the list of their indicators. Sections, framework and team have files of their own."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from consult_app.consultations import actions, cloning, labels, queries, territory
from consult_app.consultations.forms import ConsultationForm
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.errors import DomainError
from consult_app.forms import mark
from consult_app.i18n import gettext
from consult_app.once import once
from consult_app.policy import can, require
from consult_app.web import Answer

bp = Blueprint("consultations", __name__)


@bp.route("/consultations/new", methods=["GET", "POST"])
def create() -> Answer:
    """Make a consultation; with `?template=` another one lends its framework and everything that its form holds."""
    require("consultation.create")
    template = queries.load_consultation(request.args["template"]) if request.args.get("template") else None
    if template is not None:
        require("consultation.edit", template)
    form = ConsultationForm.of(template=template)
    if form.validate_on_submit():
        try:
            consultation = once(Consultation, lambda: _make(form, template))
            if template is not None:
                count = sum(len(dimension.indicators) for dimension in consultation.dimensions)
                db.session.commit()
                flash(gettext("The consultation is made with the %(count)s indicators of its template.", count=count), "success")
                return redirect(url_for("overview.consultation", slug=consultation.slug), 303)
            db.session.commit()
            flash(gettext("The consultation is made, and you are its organiser. Import its framework next."), "success")
            return redirect(url_for("consultations.import_framework", slug=consultation.slug), 303)
        except DomainError as problem:
            status = mark(form, problem)
            return render_template("consultations/create.html", form=form, template=template), status
    return render_template("consultations/create.html", form=form, template=template), 422 if form.is_submitted() else 200


def _make(form: ConsultationForm, template: Consultation | None) -> Consultation:
    made = actions.create_consultation(form.slug.data, by=g.actor, **form.values())
    if template is not None:
        cloning.copy_framework(template, made, by=g.actor)
    return made


@bp.route("/consultations/<slug>/edit", methods=["GET", "POST"])
def edit(slug: str) -> Answer:
    consultation = queries.load_consultation(slug)
    require("consultation.edit", consultation)
    form = ConsultationForm.of(consultation)
    if form.validate_on_submit():
        try:
            actions.change_consultation(consultation, by=g.actor, **form.values())
            db.session.commit()
            flash(gettext("The consultation is saved."), "success")
            return redirect(url_for("overview.consultation", slug=slug), 303)
        except DomainError as problem:
            status = mark(form, problem)
            return render_template("consultations/edit.html", form=form, consultation=consultation), status
    return render_template("consultations/edit.html", form=form, consultation=consultation), 422 if form.is_submitted() else 200


@bp.get("/consultations/subdivisions")
def subdivisions() -> Answer:
    """The options of one country, for the form whose country was just chosen."""
    require("consultation.create")
    found = territory.subdivisions(request.args.get("country", "")[:2])
    return render_template("consultations/_subdivisions.html", subdivisions=found)


@bp.get("/consultations/<slug>/indicators")
def indicators(slug: str) -> Answer:
    consultation = queries.load_consultation(slug)
    require("consultation.work", consultation)
    dimensions = queries.dimensions(consultation)
    shown = None if can(g.actor, "section.see_working", consultation) else queries.as_shown(consultation)
    return render_template("consultations/indicators.html", consultation=consultation, dimensions=dimensions, shown=shown, labels=labels)
