"""The check-in desk, and what was counted."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for

from consult_app import policy
from consult_app.attendance import actions, labels, live, queries
from consult_app.attendance.actions import ScanAnswer
from consult_app.attendance.forms import UndoForm, WalkInForm
from consult_app.attendance.join import show_join_code
from consult_app.attendance.why import why
from consult_app.db import db, now
from consult_app.errors import Invalid
from consult_app.events.models import Event
from consult_app.events.queries import load_event
from consult_app.i18n import gettext, local, reading
from consult_app.policy import require
from consult_app.registrations import queries as registrations
from consult_app.registrations.models import RegistrationState
from consult_app.sheets import XLSX_TYPE, write_xlsx
from consult_app.web import Answer, download, is_htmx, paginate

bp = Blueprint("attendance", __name__)


def _figures(event: Event) -> dict[str, Any]:
    return {"arrived": queries.count_arrived(event), "registered": registrations.counts(event).registered}


def _desk(event: Event, answer: ScanAnswer | None) -> Answer:
    """The desk with an answer on it; htmx gets the answer alone, with a fresh nonce for the next scan."""
    template = "attendance/_answer.html" if is_htmx() else "attendance/scan.html"
    return render_template(
        template,
        event=event,
        answer=answer,
        labels=labels,
        nonce=secrets.token_urlsafe(12),
        today=event.day_of(now()),
        why=why,
        **_figures(event),
    )


@bp.route("/events/<slug>/desk", methods=["GET", "POST"])
def scan(slug: str) -> Answer:
    """A code typed, or sent by a keyboard scanner."""
    event = load_event(slug)
    require("checkin.scan", event)
    if request.method == "GET":
        return _desk(event, None)
    answer = actions.scan(
        event, request.form.get("code", "")[:200], by=g.actor, nonce=request.form.get("nonce", "")[:64] or secrets.token_hex(8)
    )
    db.session.commit()
    return _desk(event, answer)


@bp.get("/events/<slug>/desk/find")
def find(slug: str) -> Answer:
    """People by name, for whoever comes without a ticket."""
    event = load_event(slug)
    require("checkin.scan", event)
    typed = request.args.get("q", "")
    query = registrations.search(event, {"q": typed, "state": RegistrationState.CONFIRMED.value}).limit(12)
    people = list(db.session.scalars(query)) if len(typed.strip()) > 1 else []
    arrived = set(db.session.scalars(queries.arrived_ids(event, event.day_of(now()))))
    return render_template(
        "attendance/_found.html", event=event, people=people, arrived=arrived, typed=typed, nonce=secrets.token_urlsafe(12)
    )


@bp.post("/events/<slug>/desk/check-in/<public_id>")
def check_in(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("checkin.scan", event)
    registration = registrations.load_registration(event, public_id)
    answer = actions.check_in(event, registration, by=g.actor, nonce=request.form.get("nonce", "")[:64] or secrets.token_hex(8))
    db.session.commit()
    return _desk(event, answer)


@bp.post("/events/<slug>/desk/join/<public_id>")
def join_code(slug: str, public_id: str) -> Answer:
    """The code for the guest's own phone, after a check-in; it works once, for ten minutes."""
    event = load_event(slug)
    require("checkin.join", event)
    registration = registrations.load_registration(event, public_id)
    shown = show_join_code(event, registration, by=g.actor)
    db.session.commit()
    return render_template("attendance/join_code.html", event=event, registration=registration, shown=shown)


@bp.route("/events/<slug>/desk/walk-in", methods=["GET", "POST"])
def walk_in(slug: str) -> Answer:
    """Five fields, then checked in."""
    event = load_event(slug)
    require("registration.add", event)
    form = WalkInForm.of(event, registrations.stakeholder_types(event.consultation_id), nonce=secrets.token_urlsafe(12))
    if form.validate_on_submit():
        answer = actions.walk_in(event, form.details(event), by=g.actor, nonce=form.nonce.data or secrets.token_hex(8))
        db.session.commit()
        return _desk(event, answer)
    names = registrations.institutions(event.consultation)
    return render_template("attendance/walk_in.html", form=form, event=event, institutions=names), 422 if form.is_submitted() else 200


@bp.post("/my/registration/here")
def here_online() -> Answer:
    """A participant who takes part online says "I am here"."""
    require("checkin.self", g.actor)
    actions.check_in_online(g.actor, by=g.actor)
    db.session.commit()
    flash(gettext("You are checked in. Thank you."), "success")
    return redirect(url_for("registrations.own"), 303)


@bp.post("/events/<slug>/check-ins/<public_id>/undo")
def undo(slug: str, public_id: str) -> Answer:
    event = load_event(slug)
    require("checkin.undo", event)
    form = UndoForm()
    arrival = queries.load_check_in(event, public_id)
    if not form.validate():
        raise Invalid(gettext("Say why, in a few words."), field="reason")
    actions.undo(arrival, form.reason.data or "", by=g.actor)
    db.session.commit()
    flash(gettext("The check-in of %(name)s is undone.", name=arrival.registration.full_name), "success")
    return redirect(url_for("attendance.show", slug=slug), 303)


@bp.get("/events/<slug>/attendance")
def show(slug: str) -> Answer:
    """The participation table, and for the desk the list of arrivals."""
    event = load_event(slug)
    require("attendance.table", event)
    suppress = queries.must_suppress(event.consultation, policy.roles(g.actor, event))
    tables = [queries.participation(event, basis, suppress=suppress) for basis in ("arrived", "registered")]
    page = paginate(queries.arrivals(event), 100) if policy.can(g.actor, "registration.list", event) else None
    odd = queries.to_look_at(event) if page is not None else []
    return render_template(
        "attendance/show.html", event=event, tables=tables, page=page, odd=odd, labels=labels, form=UndoForm(), **_figures(event)
    )


@bp.get("/events/<slug>/arrivals")
def arrivals(slug: str) -> Answer:
    """The counter of one list, and who is missing or in the room; asked again every few seconds."""
    event = load_event(slug)
    require("registration.list", event)
    place = live.place_of(event, request.args.get("list", ""))
    who = "inside" if request.args.get("who") == "inside" else "missing"
    page = paginate(live.people(place, who), 50)
    template = "attendance/_live.html" if is_htmx() else "attendance/live.html"
    return render_template(
        template, event=event, place=place, places=live.places(event), live=live.count(place), who=who, page=page, at=now()
    )


@bp.get("/events/<slug>/arrivals/screen")
def hall(slug: str) -> Answer:
    """The same for the projector in the hall: no names, no small cells, in the consultation's languages."""
    event = load_event(slug)
    require("attendance.table", event)
    place = live.place_of(event, request.args.get("list", ""))
    template = "attendance/_hall.html" if is_htmx() else "attendance/hall.html"
    return render_template(template, event=event, place=place, live=live.count(place, suppress=True), words=_hall_words(event))


def _hall_words(event: Event) -> list[dict[str, str]]:
    """What the hall's screen says, once for each language."""
    said = []
    for code in event.consultation.languages:
        with reading(code):
            said.append({
                "code": code, "arrived": gettext("arrived"), "room": gettext("in the room"), "online": gettext("online"),
                "women": gettext("Women"), "men": gettext("Men"), "other": gettext("Other or undisclosed"), "total": gettext("Total"),
            })  # fmt: skip
    return said


@bp.get("/events/<slug>/participation.xlsx")
def participation_xlsx(slug: str) -> Answer:
    event = load_event(slug)
    require("attendance.table", event)
    suppress = queries.must_suppress(event.consultation, policy.roles(g.actor, event))
    header = [
        gettext("Stakeholder type"),
        gettext("Women"),
        gettext("Men"),
        gettext("Other or undisclosed"),
        gettext("Total"),
        gettext("% women"),
        gettext("Institutions"),
        gettext("Online"),
    ]
    sheets = {}
    for basis, name in (("arrived", gettext("Arrived")), ("registered", gettext("Registered"))):
        table = queries.participation(event, basis, suppress=suppress)
        rows = [
            [
                local(r.name),
                *("–" if n is None else n for n in (r.women, r.men, r.other, r.total, r.share_of_women, r.institutions, r.online)),
            ]
            for r in (*table.rows, table.total)
        ]
        sheets[name] = (header, rows)
    return download(write_xlsx(sheets), f"{event.slug}-participation.xlsx", XLSX_TYPE)
