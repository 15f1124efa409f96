"""Deputies: who acts in whose place and until when; named by a focal point, taken back by them or an organiser."""

from __future__ import annotations

from flask import flash, g, redirect, render_template, url_for
from sqlalchemy.orm import joinedload

from consult_app import mail, web
from consult_app.consultations import deputies
from consult_app.consultations.deputies import candidates, delegations_of, load_delegation
from consult_app.consultations.forms import DelegationForm
from consult_app.consultations.models import Consultation, Delegation, today_in
from consult_app.consultations.queries import load_consultation
from consult_app.consultations.views import bp
from consult_app.db import db
from consult_app.errors import DomainError
from consult_app.forms import mark
from consult_app.i18n import gettext, local
from consult_app.policy import require
from consult_app.web import Answer


@bp.get("/consultations/<slug>/deputies", endpoint="deputies")
def show_deputies(slug: str) -> Answer:
    consultation = load_consultation(slug)
    require("signoff.delegate", consultation)
    return _page(consultation, DelegationForm(data={"starts_on": today_in(consultation)}))


def _page(consultation: Consultation, form: DelegationForm, status: int = 200) -> Answer:
    possible = candidates(consultation, g.actor)
    form.deputy.choices = [("", gettext("Choose one")), *((user.public_id, user.name) for user in possible)]
    return render_template(
        "consultations/deputies.html",
        consultation=consultation,
        delegations=[d for d in delegations_of(consultation) if d.principal_id == g.actor.id],
        is_named=any(point.consultation_id == consultation.id for point in g.actor.focal_points),
        possible=possible,
        form=form,
    ), status


@bp.post("/consultations/<slug>/deputies/name")
def name_deputy(slug: str) -> Answer:
    consultation = load_consultation(slug)
    require("signoff.delegate", consultation)
    form = DelegationForm()
    deputy = next((user for user in candidates(consultation, g.actor) if user.public_id == form.deputy.data), None)
    if not form.validate_on_submit() or deputy is None:
        if deputy is None and not form.deputy.errors:
            form.deputy.errors = [gettext("Choose who acts in your place.")]
        return _page(consultation, form, 422)
    try:
        deputies.delegate(consultation, deputy, form.starts_on.data, form.ends_on.data, form.reason.data or "", by=g.actor)
        db.session.commit()
    except DomainError as problem:
        db.session.rollback()
        return _page(load_consultation(slug), form, mark(form, problem))
    flash(gettext("%(name)s is your deputy on these days, and is told by mail.", name=deputy.name), "success")
    return redirect(url_for("consultations.deputies", slug=slug), 303)


@bp.post("/consultations/<slug>/deputies/<public_id>/revoke")
def revoke_deputy(slug: str, public_id: str) -> Answer:
    consultation = load_consultation(slug)
    require("signoff.revoke", consultation)
    delegation = load_delegation(consultation, public_id)
    name, is_own = delegation.deputy.name, delegation.principal_id == g.actor.id
    deputies.revoke(delegation, by=g.actor)
    db.session.commit()
    flash(gettext("%(name)s is no longer a deputy. What was signed before stands.", name=name), "success")
    return redirect(url_for("consultations.deputies" if is_own else "signoff.sections", slug=slug), 303)


@mail.builder("consultations.deputy")
def deputy_mail(delegation_id: int) -> mail.Parts:
    """To the deputy: for whom, when and why."""
    delegation = db.session.get_one(Delegation, delegation_id, options=[joinedload(Delegation.deputy), joinedload(Delegation.consultation)])
    if delegation.is_over:
        raise mail.NotNeeded("the delegation is over")
    subject = gettext("You are the deputy of %(name)s", name=delegation.principal.name)
    url = web.external_url("signoff.sections", slug=delegation.consultation.slug)
    names = {"delegation": delegation, "consultation": delegation.consultation, "title": local(delegation.consultation.title), "url": url}
    return mail.Parts(subject, "consultations/email/deputy", names)
