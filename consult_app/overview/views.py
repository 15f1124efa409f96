"""The pages that mix features: the first page of each role, and a consultation at a glance."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, g, redirect, render_template, url_for
from sqlalchemy import select

from consult_app.accounts.models import Membership
from consult_app.consultations.models import Consultation
from consult_app.consultations.queries import load_consultation
from consult_app.events import labels as event_labels
from consult_app.events.queries import public_events
from consult_app.outcomes.queries import published_reports
from consult_app.overview.next_steps import Step, known_of, steps
from consult_app.overview.thread import figures_of, thread
from consult_app.policy import public, require
from consult_app.web import Answer, paginate

bp = Blueprint("overview", __name__)


@bp.get("/")
def home() -> Answer:
    """The public's, the participant's and each role's first page."""
    public()
    if g.actor.is_participant:
        return redirect(url_for("registrations.own"))
    if not g.actor.is_user:
        events = public_events(dt.datetime.now(dt.UTC).date())
        return render_template("overview/front.html", events=events, reports=published_reports())
    query = select(Consultation).order_by(Consultation.id.desc())
    if not g.actor.is_administrator:
        query = query.where(Consultation.id.in_(select(Membership.consultation_id).where(Membership.user_id == g.actor.id)))
    rows = []
    todo: list[Step] = []
    page = paginate(query, 10)
    numbers, known = figures_of(page.items), known_of(page.items, g.actor)
    for consultation in page.items:
        figures = numbers[consultation.id]
        rows.append((consultation, figures, thread(consultation, figures, g.actor)))
        todo += steps(consultation, figures, known, g.actor)
    return render_template("overview/home.html", rows=rows, todo=todo, page=page)


@bp.get("/consultations/<slug>")
def consultation(slug: str) -> Answer:
    """A consultation at a glance: what is next, the thread, the figures."""
    found = load_consultation(slug)
    require("consultation.work", found)
    figures, known = figures_of([found])[found.id], known_of([found], g.actor)
    return render_template(
        "overview/consultation.html",
        consultation=found,
        facts=figures,
        events=known.events[found.id],
        sections=known.sections[found.id],
        knots=thread(found, figures, g.actor),
        todo=steps(found, figures, known, g.actor),
        event_labels=event_labels,
    )
