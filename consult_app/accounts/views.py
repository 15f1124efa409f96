"""Sign-in, second factor, password, profile."""

from __future__ import annotations

import base64
import io
from functools import cache
from typing import Any

import pyotp
import qrcode
import structlog
from flask import Blueprint, Flask, abort, current_app, flash, g, redirect, render_template, request, session, url_for
from flask_babel import format_timedelta
from qrcode.image.svg import SvgPathImage
from sqlalchemy import Select, bindparam, select
from sqlalchemy.orm import aliased, contains_eager

from consult_app import mail, web
from consult_app.accounts import actions, passkeys, sessions
from consult_app.accounts.factors import is_fresh, limited, second_factor_given
from consult_app.accounts.forms import AskResetForm, CodeForm, PasskeyForm, PasswordForm, ProfileForm, SignInForm
from consult_app.accounts.models import Membership, User
from consult_app.accounts.passwords import is_password
from consult_app.addresses import address_key
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.forms import mark
from consult_app.i18n import gettext
from consult_app.policy import Role, public
from consult_app.web import Answer, go, limiter, safe_next

bp = Blueprint("accounts", __name__)
log = structlog.get_logger()


@cache
def _of_session() -> Select[User]:
    """With their roles, and the sections that they are named for: a row for each, since who is named has the role in that consultation."""
    point = aliased(User.focal_points.property.mapper.class_)
    is_point = (point.consultation_id == Membership.consultation_id) & (Membership.role == Role.FOCAL_POINT)
    query = select(User).outerjoin(User.memberships).outerjoin(User.focal_points.of_type(point).and_(is_point))
    loaded = (contains_eager(User.memberships), contains_eager(User.focal_points.of_type(point)))
    return query.options(*loaded).where(User.public_id == bindparam("public_id"), ~sessions.was_signed_out())


def load_user(public_id: str, number: str) -> User | None:
    user = db.session.scalars(_of_session(), {"public_id": public_id, "sid": sessions.sid_hash()}).unique().one_or_none()
    return user if user is not None and user.is_enabled and str(user.session_number) == number else None


def load_signed_in(public_id: str, number: str) -> User | None:
    """The account of a session that has not ended: it was used in the last three hours, and began in the last twelve."""
    if sessions.is_over():
        session.clear()
        return None
    return load_user(public_id, number)


web.actor_loaders["user"] = load_signed_in


def _typed_email() -> str:
    return f"{address_key(request.form.get('email', '')[:400])}|{request.remote_addr}"


def _enter(user: User) -> Answer:
    """Open a fresh session for the account and go where they wanted to. Whoever has a second factor has just given it."""
    wanted = session.get("next")
    log.info("account.signed_in", user=user.public_id, second_factor=user.has_second_factor)
    sessions.open_session(user, user.language)
    db.session.commit()
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
        known = user.public_id if user is not None else ""
        db.session.rollback()  # no transaction is held while the hash is computed
        if is_password(form.password.data or "", kept):
            assert user is not None
            log.info("account.password", user=known, fits=True)
            session["half"] = user.get_id()
            if user.has_second_factor:
                return go(url_for("accounts.second_factor"))
            if user.must_have_second_factor:
                return go(url_for("accounts.set_up_second_factor"))
            return _enter(user)
        log.warning("account.password", user=known, fits=False)
        form.password.errors = [gettext("This e-mail address and password do not go together.")]
    return render_template("accounts/sign_in.html", form=form, demo_users=demo_users()), 422 if form.is_submitted() else 200


@bp.post("/sign-in/demo")
def sign_in_demo() -> Answer:
    public()
    user = next((user for user in demo_users() if user.public_id == request.form.get("user")), None)
    if user is None:
        abort(404)
    return _enter(user)


def half_signed_in() -> User:
    """Who gave the right password, and still owes the second factor."""
    kind, _sep, rest = str(session.get("half", "")).partition(":")
    public_id, _sep, number = rest.partition(":")
    user = load_user(public_id, number) if kind == "user" else None
    if user is None:
        abort(401)
    return user


@bp.route("/second-factor", methods=["GET", "POST"])
@limited
def second_factor() -> Answer:
    public()
    user, form = half_signed_in(), CodeForm()
    if form.validate_on_submit():
        try:
            second_factor_given(user, form, passkeys.SIGN_IN)
            db.session.commit()
            return _enter(user)
        except Invalid as problem:
            db.session.rollback()
            log.warning("account.second_factor", user=user.public_id, fits=False)
            mark(form, problem)
    options, can = url_for("accounts.sign_in_by_passkey"), bool(user.passkeys) and passkeys.are_possible()
    names = {"user": user, "form": form, "options": options, "next": "", "can_passkey": can}
    return render_template("accounts/second_factor.html", **names), 422 if form.is_submitted() else 200


def _qr(words: str) -> str:
    """A QR as SVG in a data address."""
    buffer = io.BytesIO()
    qrcode.make(words, image_factory=SvgPathImage, box_size=10, border=3).save(buffer)
    return "data:image/svg+xml;base64," + base64.b64encode(buffer.getvalue()).decode()


@bp.route("/second-factor/set-up", methods=["GET", "POST"])
@limiter.limit("10 per 5 minutes", methods=["POST"])
def set_up_second_factor() -> Answer:
    public()
    user = g.actor if g.actor.is_user else half_signed_in()
    if user.has_second_factor and not g.actor.is_user:
        abort(401)  # with a second factor in place, only its code opens this page
    if g.actor.is_user and not is_fresh():
        return redirect(url_for("accounts.confirm", next=url_for("accounts.set_up_second_factor")), 303)
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
    sessions.end_session()
    db.session.commit()
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
        try:
            actions.set_password(user, form.password.data or "", by=user)
            db.session.commit()
            flash(gettext("Your new password is set. Sign in with it."), "success")
            return redirect(url_for("accounts.sign_in"), 303)
        except Invalid as problem:
            mark(form, problem)
    return render_template("accounts/reset_password.html", form=form, user=user), 422 if form.is_submitted() else 200


def own_account() -> User:
    if not g.actor.is_user:
        abort(401)
    user: User = g.actor
    return user


@bp.route("/account", methods=["GET", "POST"])
def profile() -> Answer:
    public()
    form = ProfileForm(obj=own_account())
    if form.validate_on_submit():
        try:
            actions.change_profile(g.actor, form.name.data or "", form.title.data or "", form.language.data, by=g.actor)
            db.session.commit()
            session["language"] = g.actor.language
            flash(gettext("Your account is saved."), "success")
            return redirect(url_for("accounts.profile"), 303)
        except Conflict as problem:
            db.session.rollback()
            form.name.errors = [str(problem.message)]
            return profile_page(form, problem.status)
    return profile_page(form, 422 if form.is_submitted() else 200)


def profile_page(form: ProfileForm | None = None, status: int = 200, passkey_form: PasskeyForm | None = None) -> Answer:
    return render_template(
        "accounts/profile.html",
        form=form or ProfileForm(formdata=None, obj=g.actor),
        passkey_form=passkey_form or PasskeyForm(formdata=None),
        can_passkey=passkeys.are_possible(),
        is_fresh=is_fresh(),
        sessions=[
            (opened, format_timedelta(opened.created_at - now(), granularity="minute", add_direction=True), sessions.is_this(opened))
            for opened in sessions.sessions_of(g.actor)
        ],
        has_short_codes=actions.has_short_codes(g.actor),
    ), status


@mail.builder("accounts.reset")
def reset_mail(user_id: int) -> mail.Parts:
    user = db.session.get_one(User, user_id)
    url = web.external_url("accounts.reset_password", token=actions.reset_token(user))
    return mail.Parts(gettext("Choose a new password"), "accounts/email/reset", {"user": user, "url": url})


def _ask_for_second_factor() -> Any:
    """Whoever was given a role that needs a second factor sets it up before anything else."""
    free = {"accounts.set_up_second_factor", "accounts.confirm", "accounts.sign_out", "web.set_language", "static", None}
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
