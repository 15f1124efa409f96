"""Writing to participants, and seeing what became of each mail."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from consult_app import mail
from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.events.models import Event
from consult_app.events.queries import load_event
from consult_app.i18n import gettext, ngettext, reading
from consult_app.messages import actions, labels, queries
from consult_app.messages.forms import MessageForm
from consult_app.messages.mails import parts
from consult_app.policy import require
from consult_app.registrations.models import LIVE, Registration
from consult_app.registrations.queries import search
from consult_app.web import Answer, is_htmx, paginate, safe_next

bp = Blueprint("messages", __name__)


def _recipients(event: Event) -> list[Registration]:
    """The people of the list as it was filtered, or those ticked; without a filter by state, those who hold or await a place."""
    query = search(event, request.values)
    ticked = request.values.getlist("registration") if request.values.get("everybody") != "1" else []
    if ticked:
        query = query.where(Registration.public_id.in_(ticked))
    elif not request.values.get("state"):
        query = query.where(Registration.state.in_(LIVE))
    return list(db.session.scalars(query).unique())


def _previews(form: MessageForm, first: Registration) -> list[dict[str, Any]]:
    """The first person's copy, in each language."""
    found = []
    for code in ("en", "id"):
        with reading(code):
            copy = parts(form.subject.data, form.body.data, first)
        found.append({"code": code, "subject": copy.subject, **copy.names})
    return found


@bp.route("/events/<slug>/messages/write", methods=["GET", "POST"])
def write(slug: str) -> Answer:
    """Write, look at it as the first person will read it, then send: three steps of one page, and nothing typed is lost."""
    event = load_event(slug)
    require("message.send", event)
    form = MessageForm(client_key=secrets.token_urlsafe(16)) if request.method == "GET" else MessageForm()
    people = _recipients(event)
    previews: list[dict[str, Any]] = []
    is_valid = form.validate_on_submit()
    if is_valid:
        try:
            for field in (form.subject, form.body):
                actions.check(field.data, field.short_name)
            if request.form.get("step") == "send":
                message = actions.send(event, people, form.subject.data, form.body.data, by=g.actor, client_key=form.client_key.data or "")
                db.session.commit()
                count = len(message.recipients)
                flash(
                    ngettext("The message is on its way to %(num)s person.", "The message is on its way to %(num)s people.", count),
                    "success",
                )
                return redirect(url_for("messages.show", slug=slug, public_id=message.public_id), 303)
            if people and request.form.get("step") == "preview":
                previews = _previews(form, people[0])
        except Invalid as problem:
            is_valid = False
            form[problem.field].form.en.errors = [str(problem.message)]
    names = {
        "form": form, "event": event, "people": people, "reachable": [r for r in people if r.email], "previews": previews,
        "placeholders": labels.PLACEHOLDERS,
        "kept": [(name, value) for name, value in request.values.items(multi=True) if name in KEPT],
    }  # fmt: skip
    return render_template("messages/write.html", **names), 422 if form.is_submitted() and not is_valid else 200


# the filters of the list of registrations, which travel with the form
KEPT = ("q", "state", "type", "sex", "attendance", "role", "institution", "answer", "registration", "everybody")


@bp.get("/events/<slug>/messages")
def list_messages(slug: str) -> Answer:
    event = load_event(slug)
    require("message.send", event)
    page = paginate(queries.messages(event))
    return render_template("messages/list.html", event=event, page=page, states=queries.states(page.items), labels=labels)


@bp.get("/events/<slug>/messages/<public_id>")
def show(slug: str, public_id: str) -> Answer:
    """One message, and how far its copies are."""
    event = load_event(slug)
    require("message.send", event)
    message = queries.load_message(event, public_id)
    page = paginate(queries.mails(event.consultation, {"batch": message.public_id}))
    template = "messages/_progress.html" if is_htmx() else "messages/show.html"
    counts = queries.states([message])[message.public_id]
    return render_template(template, event=event, message=message, page=page, counts=counts, labels=labels, State=mail.MailState)


@bp.get("/consultations/<slug>/mail")
def outbox(slug: str) -> Answer:
    """Every mail of the consultation: to whom, about what, waiting, sent or failed and why."""
    consultation = load_consultation(slug)
    require("message.send", consultation)
    page = paginate(queries.mails(consultation, request.args))
    names = {"counts": queries.mail_counts(consultation), "labels": labels, "State": mail.MailState}
    return render_template("messages/outbox.html", consultation=consultation, page=page, filters=request.args, **names)


@bp.post("/consultations/<slug>/mail/<public_id>/again")
def send_again(slug: str, public_id: str) -> Answer:
    """Try a mail that failed once more."""
    consultation = load_consultation(slug)
    require("message.send", consultation)
    mail.send_again(queries.load_mail(consultation, public_id))
    db.session.commit()
    flash(gettext("It is tried again now."), "success")
    return redirect(safe_next(url_for("messages.outbox", slug=slug)), 303)
