"""The pages behind the link of an invitation: one for a person, one for an institution. Only a POST opens them.

Who comes by the link acts as the invitation itself, on these pages alone: an organiser who tries a link stays signed in.
"""

from __future__ import annotations

import secrets

from flask import Blueprint, abort, flash, g, redirect, render_template, session, url_for

from consult_app import qr
from consult_app.db import db
from consult_app.errors import Invalid, Missing
from consult_app.i18n import _, gettext
from consult_app.invitations import answers, queries
from consult_app.invitations.forms import AcceptForm, ColleagueForm, DeclineForm, DelegateForm
from consult_app.invitations.models import EventInvitation, InvitationKind
from consult_app.policy import public, require
from consult_app.registrations import labels as people_labels
from consult_app.registrations.forms import LinkForm
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import personal_link, ticket_code
from consult_app.web import Answer, go, limiter, secret_key

bp = Blueprint("invitation", __name__)
_SESSION = "invitation"  # the hash of the link: a new link ends the session


@bp.route("/invitation", methods=["GET", "POST"])
@limiter.limit("30 per minute", key_func=secret_key, methods=["POST"])
def open_link() -> Answer:
    """A GET shows a page whose script posts the secret from the address's fragment; only the POST opens anything."""
    public()
    form = LinkForm()
    if form.validate_on_submit():
        invitation = queries.by_link((form.token.data or "").rsplit("#", 1)[-1])
        if invitation is not None:
            session[_SESSION] = invitation.link_hash
            session["language"] = invitation.language
            answers.opened(invitation)
            db.session.commit()
            return go(url_for("invitation.own"))
        form.token.errors = [gettext("This link does not work any more. Please ask the organisers for a new one.")]
    return render_template("invitations/open.html", form=form), 422 if form.is_submitted() else 200


def _own(kind: InvitationKind | None = None) -> EventInvitation:
    """The invitation of this session, which acts from here on; who has none is sent to the page that opens one."""
    invitation = queries.by_link_hash(session.get(_SESSION, ""))
    if invitation is None:
        public()
        abort(redirect(url_for("invitation.open_link"), 303))
    g.actor = invitation
    require("invitation.own", invitation)
    if kind is not None and invitation.kind is not kind:
        raise Missing(_("There is no such page for this invitation."))
    return invitation


@bp.get("/my/invitation")
def own() -> Answer:
    invitation = _own()
    if invitation.kind is InvitationKind.INSTITUTION:
        return _institution_page(invitation)
    return _person_page(invitation, AcceptForm.of(invitation, secrets.token_urlsafe(16)))


def _person_page(invitation: EventInvitation, form: AcceptForm) -> Answer:
    registration = answers.registration_of(invitation)
    code = ticket_code(registration.seed) if registration is not None and registration.is_confirmed else ""
    return render_template(
        "invitations/own_person.html",
        invitation=invitation,
        event=invitation.event,
        form=form,
        registration=registration,
        shown=_may_show(invitation, registration),
        code=code,
        qr=qr.svg_path(code) if code else None,
        link=personal_link(registration.seed) if registration is not None and not registration.email else "",
        colleague=queries.delegated_to(invitation),
        is_taking=answers.takes_answers(invitation.event),
    ), 422 if form.is_submitted() else 200


def _may_show(invitation: EventInvitation, registration: Registration | None) -> bool:
    """Only what went to the address that was invited is shown; a ticket to an address typed since comes by mail alone."""
    return registration is not None and registration.email in ("", invitation.email)


@bp.post("/my/invitation/accept")
def accept() -> Answer:
    invitation = _own(InvitationKind.PERSON)
    form = AcceptForm.of(invitation, "")
    if not form.validate_on_submit():
        return _person_page(invitation, form)
    try:
        answers.accept(invitation, form.details(invitation), form.consents(), given=form.answers(), client_key=form.client_key.data or None)
        db.session.commit()
    except Invalid as problem:  # a choice whose last seat went to somebody else meanwhile
        db.session.rollback()
        form[problem.field].errors = [str(problem.message)]
        return _person_page(_own(InvitationKind.PERSON), form)
    return redirect(url_for("invitation.own"), 303)


@bp.route("/my/invitation/decline", methods=["GET", "POST"])
def decline() -> Answer:
    invitation = _own()
    form = DeclineForm()
    if form.validate_on_submit():
        answers.decline(invitation, form.reason.data or "")
        db.session.commit()
        return redirect(url_for("invitation.own"), 303)
    held = answers.registration_of(invitation) if invitation.kind is InvitationKind.PERSON else None
    return render_template(
        "invitations/decline.html", invitation=invitation, event=invitation.event, form=form, held=held
    ), 422 if form.is_submitted() else 200


@bp.route("/my/invitation/delegate", methods=["GET", "POST"])
def delegate() -> Answer:
    invitation = _own(InvitationKind.PERSON)
    form = ColleagueForm()
    form._region = invitation.event.consultation.territory[:2]
    if form.validate_on_submit():
        try:
            answers.delegate(invitation, form.guest(invitation))
            db.session.commit()
            return redirect(url_for("invitation.own"), 303)
        except Invalid as problem:
            db.session.rollback()
            form[problem.field].errors = [str(problem.message)]
            invitation = _own(InvitationKind.PERSON)
    return render_template(
        "invitations/delegate.html", invitation=invitation, event=invitation.event, form=form
    ), 422 if form.is_submitted() else 200


# -- the page of an institution --


def _institution_page(invitation: EventInvitation) -> Answer:
    return render_template(
        "invitations/own_institution.html",
        invitation=invitation,
        event=invitation.event,
        delegates=queries.registrations_of(invitation),
        seats_left=answers.seats_left(invitation),
        is_taking=answers.takes_answers(invitation.event),
        labels=people_labels,
    )


def _delegate_page(form: DelegateForm, invitation: EventInvitation, old: Registration | None) -> Answer:
    return render_template(
        "invitations/delegate_form.html", form=form, invitation=invitation, event=invitation.event, old=old
    ), 422 if form.is_submitted() else 200


@bp.route("/my/invitation/delegates/add", methods=["GET", "POST"])
def add_delegate() -> Answer:
    invitation = _own(InvitationKind.INSTITUTION)
    form = DelegateForm.of(invitation, secrets.token_urlsafe(16))
    if form.validate_on_submit():
        try:
            registration = answers.add_delegate(
                invitation, form.details(invitation), given=form.answers(), client_key=form.client_key.data or None
            )
            db.session.commit()
            flash(gettext("%(name)s is registered.", name=registration.full_name), "success")
            return redirect(url_for("invitation.own"), 303)
        except Invalid as problem:
            db.session.rollback()
            form[problem.field].errors = [str(problem.message)]
            invitation = _own(InvitationKind.INSTITUTION)
    return _delegate_page(form, invitation, None)


@bp.route("/my/invitation/delegates/<public_id>/replace", methods=["GET", "POST"])
def replace_delegate(public_id: str) -> Answer:
    invitation = _own(InvitationKind.INSTITUTION)
    old = queries.load_delegate(invitation, public_id)
    form = DelegateForm.instead_of(old, secrets.token_urlsafe(16))
    if form.validate_on_submit():
        new = answers.replace_delegate(invitation, old, form.details(invitation))
        db.session.commit()
        flash(gettext("%(name)s has taken the place.", name=new.full_name), "success")
        return redirect(url_for("invitation.own"), 303)
    return _delegate_page(form, invitation, old)


@bp.post("/my/invitation/delegates/<public_id>/withdraw")
def withdraw_delegate(public_id: str) -> Answer:
    invitation = _own(InvitationKind.INSTITUTION)
    registration = queries.load_delegate(invitation, public_id)
    answers.withdraw_delegate(invitation, registration)
    db.session.commit()
    flash(gettext("%(name)s is withdrawn, and the seat is free again.", name=registration.full_name), "success")
    return redirect(url_for("invitation.own"), 303)
