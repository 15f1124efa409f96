"""Settings of registration, the balance, stakeholder types and questions: the organiser's side of the form."""

from __future__ import annotations

from typing import Any

from flask import flash, g, redirect, render_template, request, url_for

from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.errors import DomainError, Invalid
from consult_app.events.queries import load_event
from consult_app.i18n import gettext, language, local
from consult_app.once import once
from consult_app.policy import Role, can, require, roles
from consult_app.registrations import labels, queries, questions, stakeholders
from consult_app.registrations.balance import balance
from consult_app.registrations.blueprint import bp
from consult_app.registrations.forms import PublicRegistrationForm
from consult_app.registrations.models import Question, StakeholderType
from consult_app.registrations.settings import quotas_of, save_settings
from consult_app.registrations.settings_forms import QuestionForm, SettingsForm, TypeForm
from consult_app.web import Answer, attempt, is_htmx


@bp.route("/events/<slug>/registrations/settings", methods=["GET", "POST"])
def settings(slug: str) -> Answer:
    """Seats, window, approval, quotas and targets: one form, one save."""
    event = load_event(slug)
    require("registration.settings", event)
    form = SettingsForm.of(event, queries.stakeholder_types(event.consultation_id), quotas_of(event))
    if form.validate_on_submit():
        try:
            save_settings(event, form.settings(event), by=g.actor)
            db.session.commit()
            flash(gettext("The settings are saved."), "success")
            return redirect(url_for("registrations.settings", slug=slug), 303)
        except Invalid as problem:
            db.session.rollback()
            event = load_event(slug)
            form[problem.field].errors = [str(problem.message)]
    return render_template("registrations/settings.html", form=form, event=event), 422 if form.is_submitted() else 200


@bp.get("/events/<slug>/registrations/balance")
def show_balance(slug: str) -> Answer:
    """Who is registered against quotas and targets, as of now; those who see no names see no small numbers either."""
    event = load_event(slug)
    require("registration.balance", event)
    told = balance(event, suppress=not can(g.actor, "registration.list", event) or Role.OBSERVER in roles(g.actor, event))
    template = "registrations/_balance.html" if is_htmx() else "registrations/balance.html"
    return render_template(template, event=event, balance=told)


# -- stakeholder types of the consultation --


@bp.route("/consultations/<slug>/stakeholder-types", methods=["GET", "POST"])
def types(slug: str) -> Answer:
    consultation = load_consultation(slug)
    require("registration.settings", consultation)
    form = TypeForm()
    if form.validate_on_submit():
        try:
            once(StakeholderType, lambda: stakeholders.new_stakeholder_type(consultation, form.texts(), by=g.actor))
            db.session.commit()
            return redirect(url_for("registrations.types", slug=slug), 303)
        except DomainError as problem:
            db.session.rollback()
            consultation = load_consultation(slug)
            form.name.form.en.errors = [str(problem.message)]
    names = {"types": queries.stakeholder_types(consultation.id), "uses": stakeholders.uses_of_types(consultation)}
    return render_template("registrations/types.html", form=form, consultation=consultation, **names), 422 if form.is_submitted() else 200


@bp.route("/consultations/<slug>/stakeholder-types/<public_id>", methods=["GET", "POST"])
def rename_type(slug: str, public_id: str) -> Answer:
    consultation = load_consultation(slug)
    require("registration.settings", consultation)
    kind = stakeholders.load_stakeholder_type(consultation, public_id)
    form = TypeForm(data={"name": kind.name})
    if form.validate_on_submit():
        try:
            stakeholders.rename_stakeholder_type(kind, consultation, form.texts(), by=g.actor)
            db.session.commit()
            return redirect(url_for("registrations.types", slug=slug), 303)
        except DomainError as problem:
            db.session.rollback()
            consultation = load_consultation(slug)
            form.name.form.en.errors = [str(problem.message)]
    return render_template(
        "registrations/rename_type.html", form=form, consultation=consultation, kind=kind
    ), 422 if form.is_submitted() else 200


@bp.post("/consultations/<slug>/stakeholder-types/<public_id>/<any(up, down, remove):verb>")
def change_type(slug: str, public_id: str, verb: str) -> Answer:
    consultation = load_consultation(slug)
    require("registration.settings", consultation)
    kind = stakeholders.load_stakeholder_type(consultation, public_id)
    if verb == "remove":
        stakeholders.remove_stakeholder_type(kind, consultation, by=g.actor)
    else:
        stakeholders.move_stakeholder_type(kind, consultation, -1 if verb == "up" else 1, by=g.actor, seen=request.args.get("at", type=int))
    db.session.commit()
    return redirect(url_for("registrations.types", slug=slug), 303)


# -- questions of an event --


@bp.get("/events/<slug>/questions")
def list_questions(slug: str) -> Answer:
    event = load_event(slug)
    require("registration.settings", event)
    names: dict[str, Any] = {
        "questions": questions.questions_of(event, retired=True),
        "counts": questions.counts_of_answers(event),
        "kinds": labels.QUESTION_KIND,
        "types": {kind.code: local(kind.name) for kind in queries.stakeholder_types(event.consultation_id)},
    }
    return render_template("registrations/questions.html", event=event, **names)


@bp.get("/events/<slug>/questions/preview")
def preview_form(slug: str) -> Answer:
    """The public form as it now stands; it sends nothing."""
    event = load_event(slug)
    require("registration.settings", event)
    form = PublicRegistrationForm.of(event, queries.stakeholder_types(event.consultation_id), language=language())
    return render_template("registrations/preview_form.html", event=event, form=form)


@bp.route("/events/<slug>/questions/add", methods=["GET", "POST"])
def add_question(slug: str) -> Answer:
    return _edit_question(slug, None)


@bp.route("/events/<slug>/questions/<public_id>", methods=["GET", "POST"])
def edit_question(slug: str, public_id: str) -> Answer:
    return _edit_question(slug, public_id)


def _edit_question(slug: str, public_id: str | None) -> Answer:
    event = load_event(slug)
    require("registration.settings", event)
    question = questions.load_question(event, public_id) if public_id else None
    form = QuestionForm.of(queries.stakeholder_types(event.consultation_id), question)
    if form.validate_on_submit():
        try:
            if question is None:
                once(Question, lambda: questions.add_question(event, form.details(), by=g.actor))
            else:
                questions.change_question(question, event, form.details(), by=g.actor)
            db.session.commit()
            flash(gettext("The question is saved."), "success")
            return redirect(url_for("registrations.list_questions", slug=slug), 303)
        except Invalid as problem:
            db.session.rollback()
            event = load_event(slug)
            question = questions.load_question(event, public_id) if public_id else None
            form[problem.field or "options"].errors = [str(problem.message)]
    return render_template("registrations/question.html", form=form, event=event, question=question), 422 if form.is_submitted() else 200


@bp.post("/events/<slug>/questions/<public_id>/<any(up, down, retire, ask):verb>")
def change_question(slug: str, public_id: str, verb: str) -> Answer:
    event = load_event(slug)
    require("registration.settings", event)
    question = questions.load_question(event, public_id)
    seen = request.args.get("at", type=int)
    act = {
        "up": lambda: questions.move_question(question, event, -1, by=g.actor, seen=seen),
        "down": lambda: questions.move_question(question, event, 1, by=g.actor, seen=seen),
        "retire": lambda: questions.retire_question(question, by=g.actor),
        "ask": lambda: questions.ask_again(question, by=g.actor),
    }[verb]
    if attempt(act):
        db.session.commit()
    return redirect(url_for("registrations.list_questions", slug=slug), 303)
