"""What guards one's own account: giving a factor again, the password, recovery codes, and where one is signed in."""

from __future__ import annotations

import time

from flask import flash, g, redirect, render_template, session, url_for
from sqlalchemy import select

from consult_app.accounts import actions, passkeys, sessions
from consult_app.accounts.factors import is_fresh, limited, second_factor_given
from consult_app.accounts.forms import ChangePasswordForm, CodeForm, OldPasswordForm
from consult_app.accounts.models import OpenSession, User
from consult_app.accounts.passwords import is_password
from consult_app.accounts.views import bp, own_account
from consult_app.db import db
from consult_app.errors import DomainError, Invalid, Missing
from consult_app.forms import mark
from consult_app.i18n import _, gettext
from consult_app.policy import public
from consult_app.web import Answer, limiter, pause_transaction, resume_writing, safe_next


def _confirm_first(endpoint: str) -> Answer:
    return redirect(url_for("accounts.confirm", next=url_for(endpoint)), 303)


def _check_old(user: User, password: str) -> None:
    """Raises Invalid where it is not the account's password. Nobody waits for the transaction while it is hashed."""
    kept = user.password_hash
    pause_transaction()
    fits = is_password(password, kept)
    resume_writing()
    if not fits:
        raise Invalid(_("This is not your password."), field="old")


@bp.route("/account/confirm", methods=["GET", "POST"])
@limited
def confirm() -> Answer:
    """Give the second factor again, or the password where there is none; then go on to where they wanted to (`next`)."""
    public()
    user = own_account()
    form = CodeForm() if user.has_second_factor else OldPasswordForm()
    if form.validate_on_submit():
        try:
            if isinstance(form, CodeForm):
                second_factor_given(user, form, passkeys.CONFIRM)
            else:
                _check_old(user, form.old.data or "")
            db.session.commit()
            session["factor_at"] = int(time.time())
            return redirect(safe_next(url_for("accounts.profile")), 303)
        except DomainError as problem:
            db.session.rollback()
            mark(form, problem)
    options, wanted = url_for("accounts.confirm_by_passkey"), safe_next(url_for("accounts.profile"))
    names = {"user": user, "form": form, "options": options, "next": wanted, "can_passkey": bool(user.passkeys) and passkeys.are_possible()}
    return render_template("accounts/second_factor.html", **names), 422 if form.is_submitted() else 200


@bp.route("/account/password", methods=["GET", "POST"])
@limiter.limit("10 per 5 minutes", key_func=lambda: str(g.actor.actor_key), methods=["POST"])
def change_password() -> Answer:
    """Choose a new password; every other session of the account ends."""
    public()
    user, form = own_account(), ChangePasswordForm()
    if user.has_second_factor and not is_fresh():
        return _confirm_first("accounts.change_password")
    if form.validate_on_submit():
        try:
            _check_old(user, form.old.data or "")
            actions.set_password(user, form.password.data or "", by=user)
            sessions.open_session(user, user.language)
            db.session.commit()
            flash(gettext("Your new password is set. You are signed out everywhere else."), "success")
            return redirect(url_for("accounts.profile"), 303)
        except Invalid as problem:
            db.session.rollback()
            mark(form, problem)
    return render_template("accounts/change_password.html", form=form, user=user), 422 if form.is_submitted() else 200


@bp.post("/account/recovery-codes")
@limiter.limit("10 per 5 minutes", key_func=lambda: str(g.actor.actor_key))
def renew_recovery_codes() -> Answer:
    public()
    user = own_account()
    if not is_fresh():
        return _confirm_first("accounts.profile")
    codes = actions.renew_recovery_codes(user, by=user)
    db.session.commit()
    return render_template("accounts/recovery_codes.html", codes=codes)


@bp.post("/account/signed-in/<public_id>/end")
def end_session(public_id: str) -> Answer:
    """Sign out one other browser."""
    public()
    user = own_account()
    opened = db.session.scalar(select(OpenSession).where(OpenSession.user_id == user.id, OpenSession.public_id == public_id))
    if opened is None or sessions.is_this(opened):
        raise Missing(_("This browser is signed out already."))
    if not is_fresh():
        return _confirm_first("accounts.profile")
    sessions.end(opened)
    db.session.commit()
    flash(gettext("That browser is signed out."), "success")
    return redirect(url_for("accounts.profile", _anchor="signed-in"), 303)


@bp.post("/account/signed-in/end")
def end_other_sessions() -> Answer:
    """Sign out every browser but this one."""
    public()
    user = own_account()
    if not is_fresh():
        return _confirm_first("accounts.profile")
    actions.end_sessions(user, by=user)
    sessions.open_session(user, user.language)
    db.session.commit()
    flash(gettext("You are signed out everywhere else."), "success")
    return redirect(url_for("accounts.profile", _anchor="signed-in"), 303)
