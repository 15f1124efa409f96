"""The organiser's list, and what is exported of it."""

from __future__ import annotations

from typing import Any

from flask import render_template, request

from consult_app.db import db
from consult_app.events.models import Event
from consult_app.events.queries import load_event
from consult_app.i18n import _, gettext, local
from consult_app.policy import require
from consult_app.registrations import labels, queries
from consult_app.registrations.blueprint import bp
from consult_app.sheets import XLSX_TYPE, write_csv, write_xlsx
from consult_app.web import Answer, download, is_htmx, paginate


def _list_names(event: Event) -> dict[str, Any]:
    page = paginate(queries.search(event, request.args))
    return {"event": event, "page": page, "states": labels.STATE, "tones": labels.TONE, "filters": request.args}


@bp.get("/events/<slug>/registrations")
def list_registrations(slug: str) -> Answer:
    event = load_event(slug)
    require("registration.list", event)
    if is_htmx():
        return render_template("registrations/_rows.html", **_list_names(event))
    types = queries.stakeholder_types(event.consultation_id)
    return render_template("registrations/list.html", types=types, counts=queries.counts(event), **_list_names(event))


EXPORT_HEADER = (
    _("Name"),
    _("Institution"),
    _("Stakeholder type"),
    _("Position"),
    _("Sex"),
    _("E-mail address"),
    _("Phone"),
    _("Takes part"),
    _("Role"),
    _("State"),
    _("Diet"),
    _("Accommodations"),
)


@bp.get("/events/<slug>/registrations.<any(csv, xlsx):kind>")
def export(slug: str, kind: str) -> Answer:
    """The filtered list as a file; what is exported never runs as a formula."""
    event = load_event(slug)
    require("registration.export", event)
    header = [str(words) for words in EXPORT_HEADER]
    rows = [
        [
            r.full_name,
            local(r.institution.name),
            local(r.stakeholder_type.name),
            r.position,
            labels.SEX[r.sex],
            r.email,
            r.phone,
            labels.ATTENDANCE[r.attendance],
            labels.ROLE[r.role],
            labels.STATE[r.state],
            r.diet,
            r.accommodations,
        ]
        for r in db.session.scalars(queries.search(event, request.args))
    ]
    name = f"{event.slug}-registrations.{kind}"
    if kind == "csv":
        return download(write_csv(header, rows), name, "text/csv")
    return download(write_xlsx({gettext("Registrations"): (header, rows)}), name, XLSX_TYPE)
