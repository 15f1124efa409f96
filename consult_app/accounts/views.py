"""Sign-in, second factor, password, profile."""

from __future__ import annotations

import base64
import io
from typing import Any

import pyotp
import qrcode
from flask import Blueprint, Flask, abort, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_login import login_user, logout_user
from qrcode.image.svg import SvgPathImage
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from consult_app import mail, web
from consult_app.accounts import actions
from consult_app.accounts.forms import AskResetForm, CodeForm, PasswordForm, ProfileForm, SignInForm
from consult_app.accounts.models import User
from consult_app.accounts.passwords import is_password
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.i18n import gettext
from consult_app.policy import public
from consult_app.web import Answer, go, limiter, safe_next

bp = Blueprint("accounts", __name__)


def load_user(public_id: str, number: str) -> User | None:
    user = db.session.scalar(
        select(User).where(User.public_id == public_id).options(selectinload(User.memberships), selectinload(User.focal_points))
    )
    return user if user is not None and user.is_enabled and str(user.session_number) == number else None


web.actor_loaders["user"] = load_user


def _typed_email() -> str:
    return f"{request.form.get('email', '').strip().lower()}|{request.remote_addr}"


def _enter(user: User) -> Answer:
    """Open a fresh session for the account and go where they wanted to."""
    wanted = session.get("next")
    session.clear()
    session.permanent = True
    session["language"] = user.language
    login_user(user)
    return go(wanted or url_for("overview.home"))


def demo_users() -> list[User]:
    """The demo's accounts; there are none on a site that is not the demo."""
    if not current_app.config["DEMO"]:
        return []
    return list(db.session.scalars(select(User).where(User.is_demo).order_by(User.id)))


@bp.route("/sign-in", methods=["GET", "POST"])
@limiter.limit("10 per 5 minutes", key_func=_typed_email, methods=["POST"])
def sign_in() -> Answer:
    public()
    if g.actor.is_user:
        return redirect(url_for("overview.home"))
    form = SignInForm()
    if request.method == "GET":
        session["next"] = safe_next("")
    if form.validate_on_submit():
        user = actions.find_user(form.email.data or "")
        kept = user.password_hash if user is not None and user.is_enabled else None
        db.session.rollback()  # no transaction is held while the hash is computed
        if is_password(form.password.data or "", kept):
            assert user is not None
            session["half"] = user.get_id()
            if user.has_second_factor:
                return go(url_for("accounts.second_factor"))
            if user.must_have_second_factor:
                return go(url_for("accounts.set_up_second_factor"))
            return _enter(user)
        form.password.errors = [gettext("This e-mail address and password do not go together.")]
    return render_template("accounts/sign_in.html", form=form, demo_users=demo_users()), 422 if form.is_submitted() else 200


@bp.post("/sign-in/demo")
def sign_in_demo() -> Answer:
    public()
    user = next((user for user in demo_users() if user.public_id == request.form.get("user")), None)
    if user is None:
        abort(404)
    return _enter(user)


def _half_signed_in() -> User:
    """Who gave the right password, and still owes the second factor."""
    kind, _sep, rest = str(session.get("half", "")).partition(":")
    public_id, _sep, number = rest.partition(":")
    user = load_user(public_id, number) if kind == "user" else None
    if user is None:
        abort(401)
    return user


@bp.route("/second-factor", methods=["GET", "POST"])
@limiter.limit("5 per 5 minutes", key_func=lambda: str(session.get("half", request.remote_addr)), methods=["POST"])
def second_factor() -> Answer:
    public()
    user, form = _half_signed_in(), CodeForm()
    if form.validate_on_submit():
        try:
            actions.use_second_factor(user, form.code.data or "")
            db.session.commit()
            return _enter(user)
        except Invalid as problem:
            form.code.errors = [str(problem.message)]
    return render_template("accounts/second_factor.html", form=form), 422 if form.is_submitted() else 200


def _qr(words: str) -> str:
    """A QR as SVG in a data address."""
    buffer = io.BytesIO()
    qrcode.make(words, image_factory=SvgPathImage, box_size=10, border=3).save(buffer)
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()


@bp.route("/second-factor/set-up", methods=["GET", "POST"])
@limiter.limit("10 per 5 minutes", methods=["POST"])
def set_up_second_factor() -> Answer:
    public()
    user = g.actor if g.actor.is_user else _half_signed_in()
    if user.has_second_factor and not g.actor.is_user:
        abort(401)  # with a second factor in place, only its code opens this page
    form = CodeForm()
    secret = session.setdefault("totp_secret", actions.new_totp_secret())
    if form.validate_on_submit():
        try:
            codes = actions.confirm_second_factor(user, secret, form.code.data or "", by=user)
            db.session.commit()
            _enter(user)
            return render_template("accounts/recovery_codes.html", codes=codes)
        except Invalid as problem:
            form.code.errors = [str(problem.message)]
    uri = actions.totp_uri(user, secret)
    return render_template(
        "accounts/set_up_second_factor.html", form=form, secret=secret, uri=uri, qr=_qr(uri)
    ), 422 if form.is_submitted() else 200


@bp.post("/sign-out")
def sign_out() -> Answer:
    public()
    language = session.get("language")
    logout_user()
    session.clear()
    if language:
        session["language"] = language
    flash(gettext("You are signed out. Nothing of yours is left on this device."), "success")
    return redirect(url_for("overview.home"), 303)


@bp.route("/password/forgotten", methods=["GET", "POST"])
@limiter.limit("10 per 5 minutes", key_func=_typed_email, methods=["POST"])
def forgotten_password() -> Answer:
    public()
    form = AskResetForm()
    if form.validate_on_submit():
        actions.ask_for_reset(form.email.data or "")
        db.session.commit()
        return render_template("accounts/reset_sent.html", email=form.email.data)
    return render_template("accounts/forgotten_password.html", form=form), 422 if form.is_submitted() else 200


@bp.route("/password/reset/<token>", methods=["GET", "POST"])
@limiter.limit("20 per 5 minutes", methods=["POST"])
def reset_password(token: str) -> Answer:
    public()
    form = PasswordForm()
    try:
        user = actions.user_of_reset(token)
    except Invalid as problem:
        flash(str(problem.message), "danger")
        return redirect(url_for("accounts.forgotten_password"), 303)
    if form.validate_on_submit():
        actions.set_password(user, form.password.data or "", by=user)
        db.session.commit()
        flash(gettext("Your new password is set. Sign in with it."), "success")
        return redirect(url_for("accounts.sign_in"), 303)
    return render_template("accounts/reset_password.html", form=form, user=user), 422 if form.is_submitted() else 200


@bp.route("/account", methods=["GET", "POST"])
def profile() -> Answer:
    public()
    if not g.actor.is_user:
        abort(401)
    form = ProfileForm(obj=g.actor)
    if form.validate_on_submit():
        actions.change_profile(g.actor, form.name.data or "", form.title.data or "", form.language.data, by=g.actor)
        db.session.commit()
        session["language"] = g.actor.language
        flash(gettext("Your account is saved."), "success")
        return redirect(url_for("accounts.profile"), 303)
    return render_template("accounts/profile.html", form=form), 422 if form.is_submitted() else 200


@mail.builder("accounts.reset")
def reset_mail(user_id: int) -> mail.Parts:
    user = db.session.get_one(User, user_id)
    url = web.external_url("accounts.reset_password", token=actions.reset_token(user))
    return mail.Parts(gettext("Choose a new password"), "accounts/email/reset", {"user": user, "url": url})


def _ask_for_second_factor() -> Any:
    """Whoever was given a role that needs a second factor sets it up before anything else."""
    free = {"accounts.set_up_second_factor", "accounts.sign_out", "web.set_language", "static", None}
    if g.actor.is_user and request.endpoint not in free and g.actor.must_have_second_factor and not g.actor.has_second_factor:
        g.before_policy = True
        flash(gettext("Your role needs a second factor. Set it up now; it takes a minute."), "info")
        return redirect(url_for("accounts.set_up_second_factor"))
    return None


def demo_code() -> str:
    """On the demo, the code that the demo account's authenticator would show now; else nothing."""
    user = g.actor
    if not (current_app.config["DEMO"] and user.is_user and user.is_demo and user.totp_secret):
        return ""
    return pyotp.TOTP(user.totp_secret).now()


def init_app(app: Flask) -> None:
    app.register_blueprint(bp)
    app.before_request(_ask_for_second_factor)
    app.jinja_env.globals["demo_code"] = demo_code
