"""The team of a consultation: members, invitations, focal points; and the page an invitation's link opens."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, g, redirect, render_template, url_for

from consult_app import audit
from consult_app.accounts.actions import create_user, find_user
from consult_app.accounts.models import Invitation, User
from consult_app.accounts.sessions import open_session
from consult_app.consultations import labels, queries, team
from consult_app.consultations.forms import FocalPointForm, InvitationForm, JoinForm, SigningForm
from consult_app.consultations.invitations import load_by_token, sections_of
from consult_app.consultations.models import Consultation, SigningOrder
from consult_app.consultations.views import bp
from consult_app.db import db
from consult_app.errors import Conflict, DomainError, Invalid
from consult_app.forms import mark
from consult_app.i18n import gettext
from consult_app.policy import Role, public, require
from consult_app.web import Answer, limiter


def _page(consultation: Consultation, form: InvitationForm, status: int = 200, signing: SigningForm | None = None) -> Answer:
    members, sections = queries.members(consultation), queries.sections(consultation)
    forms = {section.number: SigningForm.of(section, formdata=None) for section in sections if section.focal_points}
    return render_template(
        "consultations/team.html",
        consultation=consultation,
        members=members,
        candidates=[member for member in members if member.is_focal_point],
        invitations=queries.open_invitations(consultation),
        sections=sections,
        form=form,
        signing=forms if signing is None else forms | {int(signing._prefix[1:-1]): signing},
        labels=labels,
    ), status


@bp.get("/consultations/<slug>/team", endpoint="team")
def show_team(slug: str) -> Answer:
    consultation = queries.load_consultation(slug)
    require("consultation.team", consultation)
    return _page(consultation, InvitationForm.of(consultation, queries.sections(consultation)))


@bp.post("/consultations/<slug>/team/invite")
def invite(slug: str) -> Answer:
    consultation = queries.load_consultation(slug)
    require("consultation.team", consultation)
    form = InvitationForm.of(consultation, queries.sections(consultation))
    if form.validate_on_submit():
        chosen = form.sections.data if form.sections is not None else []
        details: dict[str, Any] = {"institution": form.institution.data or "", "section_ids": chosen, "language": form.language.data}
        try:
            team.invite(consultation, form.email.data, Role(form.role.data), by=g.actor, **details)
            db.session.commit()
            flash(gettext("The invitation to %(email)s is on its way.", email=form.email.data), "success")
            return redirect(url_for("consultations.team", slug=slug), 303)
        except DomainError as problem:
            return _page(consultation, form, mark(form, problem))
    return _page(consultation, form, 422)


@bp.post("/consultations/<slug>/team/invitations/<public_id>/withdraw")
def withdraw_invitation(slug: str, public_id: str) -> Answer:
    consultation = queries.load_consultation(slug)
    require("consultation.team", consultation)
    team.withdraw_invitation(queries.load_invitation(consultation, public_id), by=g.actor)
    db.session.commit()
    flash(gettext("The invitation is taken back, and its link no longer works."), "success")
    return redirect(url_for("consultations.team", slug=slug), 303)


@bp.post("/consultations/<slug>/team/<public_id>/remove")
def remove_member(slug: str, public_id: str) -> Answer:
    consultation = queries.load_consultation(slug)
    require("consultation.team", consultation)
    membership = queries.load_member(consultation, public_id)
    name, is_self = membership.user.name, membership.user is g.actor
    team.remove_member(membership, by=g.actor)
    db.session.commit()
    flash(gettext("%(name)s no longer has this role.", name=name), "success")
    return redirect(url_for("overview.home") if is_self else url_for("consultations.team", slug=slug), 303)


@bp.post("/consultations/<slug>/team/focal-points")
def name_focal_point(slug: str) -> Answer:
    """Fields: `section` (public id), `user` (public id), `institution`."""
    consultation = queries.load_consultation(slug)
    require("signoff.name", consultation)
    form = FocalPointForm()
    found = {section.public_id: section for section in queries.sections(consultation)}
    members = {member.user.public_id: member for member in queries.members(consultation)}
    section, member = found.get(form.section.data or ""), members.get(form.user.data or "")
    if not form.validate_on_submit() or section is None or member is None:
        abort(422)
    team.name_focal_point(section, member.user, form.institution.data or member.institution, by=g.actor)
    db.session.commit()
    words = gettext("%(name)s answers for section %(number)s.", name=member.user.name, number=section.number)
    flash(words, "success")
    return redirect(url_for("consultations.team", slug=slug, _anchor=f"section-{section.number}"), 303)


@bp.post("/consultations/<slug>/team/focal-points/<public_id>/remove")
def unname_focal_point(slug: str, public_id: str) -> Answer:
    consultation = queries.load_consultation(slug)
    require("signoff.name", consultation)
    focal_point = queries.load_focal_point(consultation, public_id)
    name, number = focal_point.user.name, focal_point.section.number
    team.unname_focal_point(focal_point, by=g.actor)
    db.session.commit()
    flash(gettext("%(name)s no longer answers for section %(number)s.", name=name, number=number), "success")
    return redirect(url_for("consultations.team", slug=slug, _anchor=f"section-{number}"), 303)


@bp.post("/consultations/<slug>/team/sections/<int:number>/signing")
def set_signing(slug: str, number: int) -> Answer:
    """Who leads, and in which order the section is signed."""
    consultation = queries.load_consultation(slug)
    require("signoff.name", consultation)
    section = queries.load_section(consultation, number)
    form = SigningForm.of(section)
    status = 422
    if form.validate_on_submit():
        try:
            team.set_signatories(section, SigningOrder(form.order.data), form.wanted(), by=g.actor)
            db.session.commit()
            flash(gettext("It is set how section %(number)s is signed.", number=number), "success")
            return redirect(url_for("consultations.team", slug=slug, _anchor=f"section-{number}"), 303)
        except DomainError as problem:
            db.session.rollback()
            status = problem.status
            form.form_errors.append(str(problem.message))
    return _page(consultation, InvitationForm.of(consultation, queries.sections(consultation)), status, form)


# -- the link of an invitation --


@bp.route("/join/<token>", methods=["GET", "POST"])
@limiter.limit("20 per 5 minutes", methods=["POST"])
def accept_invitation(token: str) -> Answer:
    """A GET shows what is offered and changes nothing. New people make their account here; others sign in first."""
    public()
    invitation = load_by_token(token)
    known = find_user(invitation.email)
    form = JoinForm(language=invitation.language)
    try:
        team.check_open(invitation)
    except Conflict as problem:
        return _join_page(invitation, token, form, known, problem), 409
    if g.actor.is_user and form.is_submitted():
        team.accept(invitation, g.actor, by=g.actor)
        return _joined(invitation, g.actor)
    if known is None and not g.actor.is_user and form.validate_on_submit():
        try:
            audit.take_turn(invitation.consultation_id, invitation)  # before that of the accounts
            team.check_open(invitation)
            typed: dict[str, Any] = {"password": form.password.data, "title": form.title.data or ""}
            user = create_user(invitation.email, form.name.data, by=g.actor, language=invitation.language, **typed)
            team.accept(invitation, user, by=user)
            return _joined(invitation, user)
        except Invalid as problem:
            mark(form, problem)
    if known is not None and not g.actor.is_user and form.is_submitted():
        return redirect(url_for("accounts.sign_in", next=url_for("consultations.accept_invitation", token=token)), 303)
    return _join_page(invitation, token, form, known), 422 if form.is_submitted() else 200


def _join_page(invitation: Invitation, token: str, form: JoinForm, known: User | None, problem: Conflict | None = None) -> str:
    return render_template(
        "consultations/join.html",
        invitation=invitation,
        token=token,
        consultation=db.session.get_one(Consultation, invitation.consultation_id),
        sections=sections_of(invitation),
        form=form,
        known=known,
        is_theirs=g.actor.is_user and g.actor.email == invitation.email,
        problem=problem.message if problem is not None else "",
        labels=labels,
    )


def _joined(invitation: Invitation, user: User) -> Answer:
    """Let them in; a new account gets its session here, and its second factor at the next page if the role asks for one."""
    consultation = db.session.get_one(Consultation, invitation.consultation_id)
    slug, role = consultation.slug, invitation.role
    if not g.actor.is_user:
        open_session(user, user.language)
    db.session.commit()
    flash(gettext("Welcome. You are in the team of this consultation."), "success")
    home = role is Role.CHECK_IN
    return redirect(url_for("overview.home") if home else url_for("overview.consultation", slug=slug), 303)
