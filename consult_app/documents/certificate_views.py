"""Certificates: the organiser's list, the participant's own, and the public page of each."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from consult_app.attendance.queries import arrived_ids
from consult_app.db import db
from consult_app.documents import actions, make, queries
from consult_app.documents.forms import RevokeForm
from consult_app.documents.models import Certificate
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.events.queries import load_event
from consult_app.i18n import _, gettext, language
from consult_app.policy import public, require
from consult_app.registrations.models import Registration
from consult_app.web import Answer, download, limiter, paginate

bp = Blueprint("certificates", __name__)


def _load(slug: str, code: str) -> Certificate:
    """A certificate of this event, for who prints its papers."""
    event = load_event(slug)
    require("document.print", event)
    found = queries.load_certificate(code)
    if found.event_id != event.id:
        raise Missing(_("No certificate with this code was issued here."))
    return found


@bp.get("/events/<slug>/documents/certificates")
def issued(slug: str) -> Answer:
    event = load_event(slug)
    require("document.print", event)
    arrived = set(db.session.scalars(arrived_ids(event)))
    page = paginate(queries.certificates(event))
    return render_template("documents/certificates.html", event=event, page=page, arrived=arrived, form=RevokeForm())


@bp.get("/events/<slug>/documents/certificates/<code>.pdf")
def one(slug: str, code: str) -> Answer:
    """The certificate again, under its number."""
    found = _load(slug, code)
    data = make.make(make.CERTIFICATES, found.event, [found.registration], {"paper": "a4", "language": language()})
    return download(data, f"{slug}-{found.number}.pdf", "application/pdf", inline=True)


@bp.post("/events/<slug>/documents/certificates/<code>/correct")
def correct(slug: str, code: str) -> Answer:
    found = _load(slug, code)
    actions.correct(found, by=g.actor)
    db.session.commit()
    flash(gettext("The certificate of %(name)s says what the register says now.", name=found.name), "success")
    return redirect(url_for("certificates.issued", slug=slug), 303)


@bp.post("/events/<slug>/documents/certificates/<code>/revoke")
def revoke(slug: str, code: str) -> Answer:
    found = _load(slug, code)
    form = RevokeForm()
    if not form.validate():
        raise Invalid(_("Say why, in a few words."), field="reason")
    actions.revoke(found, form.reason.data or "", by=g.actor)
    db.session.commit()
    flash(gettext("The certificate of %(name)s is revoked; its public page says so.", name=found.name), "success")
    return redirect(url_for("certificates.issued", slug=slug), 303)


@bp.get("/my/certificate.pdf")
def own() -> Answer:
    """A participant's own certificate, once it is issued."""
    require("registration.own", g.actor)
    registration: Registration = g.actor
    found = queries.certificate_of(registration)
    if found is None:
        raise Missing(_("No certificate has been issued to you for this event."))
    if found.revoked_at is not None:
        raise Conflict(_("This certificate is revoked."))
    data = make.make(make.CERTIFICATES, found.event, [registration], {"paper": "a4", "language": language()})
    return download(data, f"{found.event.slug}-{found.number}.pdf", "application/pdf", inline=request.args.get("open") == "1")


@bp.get("/certificates/<code>")
@limiter.limit("60 per minute")
def verify(code: str) -> Answer:
    """For everybody: whether it stands, whose it is, for what and when; nothing more."""
    public()
    return render_template("documents/certificate.html", certificate=queries.load_certificate(code))
