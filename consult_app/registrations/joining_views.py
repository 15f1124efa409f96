"""Coming in by the code that the desk shows, and having one's links sent again."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for

from consult_app.addresses import address_key
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.forms import clean
from consult_app.i18n import gettext
from consult_app.policy import public
from consult_app.registrations import joining
from consult_app.registrations.blueprint import bp
from consult_app.registrations.forms import AgainForm, JoinForm
from consult_app.registrations.own_views import enter
from consult_app.web import Answer, limiter


def _token() -> str:
    return clean(request.form.get("token", ""))[-43:] or "none"


def _email() -> str:
    return f"again:{address_key(request.form.get('email', '')[:400])}"


@bp.route("/join", methods=["GET", "POST"])
@limiter.limit("30 per minute", key_func=_token, methods=["POST"])
def join() -> Answer:
    """A GET shows a page whose script posts the secret from the address's fragment; only the POST opens anything, and once."""
    public()
    form = JoinForm()
    if form.validate_on_submit():
        try:
            return enter(joining.join((form.token.data or "").rsplit("#", 1)[-1]), url_for("registrations.own"))
        except Conflict as problem:
            db.session.rollback()
            form.token.errors = [str(problem.message)]
    return render_template("registrations/join.html", form=form), 422 if form.is_submitted() else 200


@bp.route("/open/again", methods=["GET", "POST"])
@limiter.limit("300 per 10 minutes", methods=["POST"])
@limiter.limit("5 per hour", key_func=_email, methods=["POST"])
def send_links() -> Answer:
    """Asks for an address and answers everybody alike: who is registered gets a mail, and nobody learns who is."""
    public()
    form = AgainForm()
    if form.validate_on_submit():
        joining.ask_for_links(form.email.data or "")
        db.session.commit()
        flash(
            gettext("If this address has a place at an event, a mail with the personal link is on its way. It may take some minutes."),
            "success",
        )
        return redirect(url_for("registrations.send_links"), 303)
    return render_template("registrations/again.html", form=form), 422 if form.is_submitted() else 200
