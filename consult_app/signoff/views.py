"""The overview of sign-offs, the signing page, and taking a signature back."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, url_for

from consult_app.accounts.views import demo_code
from consult_app.consultations import labels as words_of_sections
from consult_app.consultations.models import SECTION_PARTS, Section
from consult_app.consultations.queries import load_consultation, load_section
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.i18n import gettext
from consult_app.policy import require
from consult_app.signoff import actions, gate, labels, mails, queries, standing  # noqa: F401  mails: registers its builders
from consult_app.signoff.forms import SignForm, WithdrawForm
from consult_app.signoff.models import Decision
from consult_app.web import Answer, limiter

bp = Blueprint("signoff", __name__)


@bp.get("/consultations/<slug>/sign-off")
def sections(slug: str) -> Answer:
    consultation = load_consultation(slug)
    require("signoff.see", consultation)
    found = standing.sections_of(consultation)
    return render_template(
        "signoff/sections.html",
        consultation=consultation,
        sections=found,
        places=standing.places_of(found),
        missing=gate.missing_of(found),
        signed=standing.is_fully_signed,
        sign_offs=standing.sign_offs_of(found),
        labels=labels,
        words=words_of_sections,
        form=WithdrawForm(),
    )


@bp.route("/consultations/<slug>/sections/<int:number>/sign", methods=["GET", "POST"])
@limiter.limit("10 per 5 minutes", key_func=lambda: str(g.actor.actor_key), methods=["POST"])
def sign(slug: str, number: int) -> Answer:
    section = load_section(load_consultation(slug), number)
    require("signoff.sign", section)
    form = SignForm()
    if form.validate_on_submit():
        try:
            actions.sign_off(
                section, Decision(form.decision.data), form.shown_sha256.data or "", form.text.data or "", form.code.data or "", by=g.actor
            )
            db.session.commit()
        except Invalid as problem:
            db.session.rollback()
            {"text": form.text, "code": form.code}[problem.field].errors = [str(problem.message)]
        else:
            words = gettext("Your decision on section %(number)s is recorded, with its time and the SHA-256 of the text.", number=number)
            flash(words, "success")
            return redirect(url_for("signoff.sections", slug=slug), 303)
    return _signing_page(section, form), 422 if form.is_submitted() else 200


def _signing_page(section: Section, form: SignForm) -> str:
    revision = section.revision
    if revision is not None and not form.is_submitted():
        form.shown_sha256.data = revision.sha256
    own = next(place for place in standing.places(section) if place.focal_point.user_id == g.actor.id)
    return render_template(
        "signoff/sign.html",
        consultation=section.consultation,
        section=section,
        revision=revision,
        parts=SECTION_PARTS,
        missing=gate.missing(section),
        difference=queries.difference_for(section, g.actor),
        own=own,
        statement=actions.statement(revision, own.focal_point.institution) if revision is not None else "",
        history=queries.history(section),
        labels=labels,
        words=words_of_sections,
        form=form,
        demo_code=demo_code(),
        is_stale=revision is not None and form.shown_sha256.data != revision.sha256,
    )


@bp.post("/consultations/<slug>/sign-offs/<public_id>/withdraw")
def withdraw(slug: str, public_id: str) -> Answer:
    sign_off = queries.load_sign_off(load_consultation(slug), public_id)
    require("signoff.sign", sign_off)
    form = WithdrawForm()
    if form.validate_on_submit():
        actions.withdraw(sign_off, form.reason.data or "", by=g.actor)
        db.session.commit()
        flash(gettext("Your signature is withdrawn. It stays in the record, with your reason."), "success")
        return redirect(url_for("signoff.sections", slug=slug), 303)
    return render_template("signoff/withdraw.html", sign_off=sign_off, consultation=sign_off.section.consultation, form=form), 422
