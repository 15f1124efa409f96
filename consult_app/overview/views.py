"""The pages that mix features: the first page of each role, and a consultation at a glance."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, g, redirect, render_template, url_for
from sqlalchemy import select

from consult_app.accounts.models import Membership
from consult_app.consultations.models import Consultation
from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.events import labels as event_labels
from consult_app.events.queries import public_events
from consult_app.overview.next_steps import Step, steps
from consult_app.overview.thread import facts, thread
from consult_app.policy import public, require
from consult_app.reports.models import Report, ReportState
from consult_app.web import Answer

bp = Blueprint("overview", __name__)


@bp.get("/")
def home() -> Answer:
    """The public's, the participant's and each role's first page."""
    public()
    if g.actor.is_participant:
        return redirect(url_for("registrations.own"))
    if not g.actor.is_user:
        sealed = db.session.scalars(select(Report).where(Report.state == ReportState.SEALED).order_by(Report.id.desc()).limit(10)).all()
        return render_template("overview/front.html", events=public_events(dt.datetime.now(dt.UTC).date()), reports=sealed)
    query = select(Consultation).order_by(Consultation.id.desc()).limit(50)
    if not g.actor.is_administrator:
        query = query.where(Consultation.id.in_(select(Membership.consultation_id).where(Membership.user_id == g.actor.id)))
    rows = []
    todo: list[Step] = []
    for consultation in db.session.scalars(query):
        known = facts(consultation)
        rows.append((consultation, known, thread(consultation, known, g.actor)))
        todo += steps(consultation, known, g.actor)
    return render_template("overview/home.html", rows=rows, todo=todo)


@bp.get("/consultations/<slug>")
def consultation(slug: str) -> Answer:
    """A consultation at a glance: what is next, the thread, the figures."""
    found = load_consultation(slug)
    require("consultation.work", found)
    known = facts(found)
    return render_template(
        "overview/consultation.html",
        consultation=found,
        facts=known,
        knots=thread(found, known, g.actor),
        todo=steps(found, known, g.actor),
        event_labels=event_labels,
    )
