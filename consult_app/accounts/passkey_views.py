"""Passkeys of one's own account."""

from __future__ import annotations

import time

from flask import flash, g, redirect, render_template, request, session, url_for
from sqlalchemy import select

from consult_app.accounts import passkeys
from consult_app.accounts.factors import answer_options, is_fresh, told
from consult_app.accounts.forms import PasskeyForm
from consult_app.accounts.models import Passkey
from consult_app.accounts.views import bp, half_signed_in, own_account, profile_page
from consult_app.db import db
from consult_app.errors import Conflict, DomainError, Missing
from consult_app.i18n import _, gettext
from consult_app.policy import public
from consult_app.web import Answer, limiter


@bp.post("/account/confirm/passkey")
@limiter.limit("10 per 5 minutes", key_func=lambda: str(g.actor.actor_key))
def confirm_by_passkey() -> Answer:
    public()
    user = own_account()
    return answer_options(lambda: passkeys.request_options(user, passkeys.CONFIRM))


@bp.post("/second-factor/passkey")
@limiter.limit("10 per 5 minutes", key_func=lambda: str(session.get("half", request.remote_addr)))
def sign_in_by_passkey() -> Answer:
    """What the browser asks a passkey at sign-in, once the password was right."""
    public()
    user = half_signed_in()
    return answer_options(lambda: passkeys.request_options(user, passkeys.SIGN_IN))


@bp.post("/account/passkeys/options")
@limiter.limit("20 per 5 minutes", key_func=lambda: str(g.actor.actor_key))
def passkey_options() -> Answer:
    public()
    user = own_account()
    if not is_fresh():
        return told(gettext("Confirm first that it is you: reload this page."), 409)
    return answer_options(lambda: passkeys.registration_options(user))


@bp.post("/account/passkeys")
@limiter.limit("20 per 5 minutes", key_func=lambda: str(g.actor.actor_key))
def add_passkey() -> Answer:
    public()
    user, form = own_account(), PasskeyForm()
    if not is_fresh():
        return redirect(url_for("accounts.confirm", next=url_for("accounts.profile", _anchor="passkeys")), 303)
    if form.validate_on_submit():
        try:
            codes = passkeys.register(user, form.name.data or "", form.credential.data or "", by=user)
            db.session.commit()
            session["factor_at"] = int(time.time())
            if codes:
                return render_template("accounts/recovery_codes.html", codes=codes)
            flash(gettext("The passkey “%(name)s” is added. You can sign in and sign with it.", name=form.name.data), "success")
            return redirect(url_for("accounts.profile", _anchor="passkeys"), 303)
        except DomainError as problem:
            db.session.rollback()
            form.form_errors.append(str(problem.message))
            return profile_page(passkey_form=form, status=problem.status)
    return profile_page(passkey_form=form, status=422)


@bp.route("/account/passkeys/<public_id>/remove", methods=["GET", "POST"])
def remove_passkey(public_id: str) -> Answer:
    """A GET asks whether they mean it; the POST forgets the passkey."""
    public()
    user = own_account()
    passkey = db.session.scalar(select(Passkey).where(Passkey.user_id == user.id, Passkey.public_id == public_id))
    if passkey is None:
        raise Missing(_("There is no such passkey in your account."))
    if not is_fresh():
        return redirect(url_for("accounts.confirm", next=url_for("accounts.remove_passkey", public_id=public_id)), 303)
    if request.method == "POST":
        try:
            passkeys.remove(passkey, by=user)
            db.session.commit()
        except Conflict as problem:
            db.session.rollback()
            return render_template("accounts/remove_passkey.html", passkey=passkey, problem=problem.message), 409
        flash(gettext("The passkey is removed."), "success")
        return redirect(url_for("accounts.profile", _anchor="passkeys"), 303)
    return render_template("accounts/remove_passkey.html", passkey=passkey, problem="")
