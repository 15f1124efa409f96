"""A participant's own data, and the organisers' list of requests."""

from __future__ import annotations

import json

from flask import Blueprint, flash, g, redirect, render_template, url_for

from consult_app.consultations.queries import load_consultation
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import gettext
from consult_app.once import once
from consult_app.policy import require
from consult_app.privacy import actions, labels, queries
from consult_app.privacy.forms import AnswerForm, RequestForm
from consult_app.privacy.models import DataRequest, RequestKind, RequestState
from consult_app.registrations.actions import set_consents
from consult_app.registrations.models import Purpose, Registration, Source
from consult_app.web import Answer, download, paginate

bp = Blueprint("privacy", __name__)


@bp.route("/my/data", methods=["GET", "POST"])
def own() -> Answer:
    """What is held on the participant, what they agreed to, and a form to ask for more."""
    require("privacy.own", g.actor)
    registration: Registration = g.actor
    form = RequestForm()
    if form.validate_on_submit():
        try:
            said = (RequestKind(form.kind.data), form.words.data or "")
            once(DataRequest, lambda: actions.ask(registration, *said, by=registration))
            db.session.commit()
            flash(gettext("Your request is with the organisers. They answer within 72 hours, by mail and here."), "success")
            return redirect(url_for("privacy.own"), 303)
        except Invalid as problem:
            form.words.errors = [str(problem.message)]
    names = {
        "data": queries.how_much(registration.person),
        "given": {consent.purpose: consent for consent in registration.consents},
        "requests": queries.own_requests(registration.person),
        "registration": registration, "event": registration.event, "labels": labels, "form": form, "Purpose": Purpose,
    }  # fmt: skip
    return render_template("privacy/own.html", **names), 422 if form.is_submitted() else 200


@bp.get("/my/data.json")
def take_along() -> Answer:
    """Everything as a file that machines can read."""
    require("privacy.own", g.actor)
    person = g.actor.person
    held = queries.own_data(person) | {"history": queries.history(person)}
    data = json.dumps(held, ensure_ascii=False, indent=2, default=str)
    return download(data.encode(), "my-data.json", "application/json")


@bp.post("/my/data/consents/<any(photo, follow_up):purpose>/<any(give, withdraw):verb>")
def change_consent(purpose: str, verb: str) -> Answer:
    """Give or withdraw one consent; the history of both stays."""
    require("privacy.own", g.actor)
    set_consents(g.actor, {Purpose(purpose): verb == "give"}, by=g.actor, channel=Source.PUBLIC)
    db.session.commit()
    flash(gettext("Your choice is recorded."), "success")
    return redirect(url_for("privacy.own"), 303)


@bp.get("/consultations/<slug>/data-requests")
def requests(slug: str) -> Answer:
    """What participants asked about their data, the most urgent first."""
    consultation = load_consultation(slug)
    require("privacy.answer", consultation)
    page = paginate(queries.requests(consultation))
    names = queries.names(list(page.items))
    return render_template("privacy/requests.html", consultation=consultation, page=page, names=names, labels=labels, now=now())


@bp.route("/consultations/<slug>/data-requests/<public_id>", methods=["GET", "POST"])
def answer(slug: str, public_id: str) -> Answer:
    consultation = load_consultation(slug)
    require("privacy.answer", consultation)
    request = queries.load_request(consultation, public_id)
    form = AnswerForm()
    if form.validate_on_submit():
        try:
            actions.answer(request, RequestState(form.state.data), form.reply.data or "", by=g.actor)
            db.session.commit()
            flash(gettext("The request is answered."), "success")
            return redirect(url_for("privacy.requests", slug=slug), 303)
        except Invalid as problem:
            form.reply.errors = [str(problem.message)]
    elif form.is_submitted() and request.state is not RequestState.OPEN:
        raise Conflict(gettext("This request was answered already."))
    names = queries.names([request])
    return render_template(
        "privacy/answer.html", consultation=consultation, asked=request, names=names, labels=labels, form=form, now=now()
    ), 422 if form.is_submitted() else 200
