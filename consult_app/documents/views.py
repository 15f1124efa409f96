"""The papers of an event: one page that lists them all, and the routes that make them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, abort, g, redirect, render_template, request, url_for
from werkzeug.datastructures import CombinedMultiDict, ImmutableMultiDict

from consult_app import policy
from consult_app.attendance import queries as attendance
from consult_app.attendance.sheet import attendance_sheet
from consult_app.db import db
from consult_app.documents import actions, jobs, labels, make, queries  # noqa: F401  jobs: registers itself
from consult_app.documents.forms import LetterheadForm, PrintForm
from consult_app.documents.lists import list_pdf, list_xlsx, participation_pdf
from consult_app.documents.minutes import minutes
from consult_app.documents.models import Printout
from consult_app.documents.record import official_record
from consult_app.documents.word import DOCX_TYPE
from consult_app.errors import Invalid, Missing
from consult_app.events.models import Event
from consult_app.events.queries import load_event
from consult_app.i18n import _, gettext, language
from consult_app.invitations.queries import counts as invitation_counts
from consult_app.policy import require
from consult_app.registrations import queries as registrations
from consult_app.registrations.models import Registration, RegistrationState
from consult_app.sheets import XLSX_TYPE
from consult_app.web import Answer, download, is_htmx

bp = Blueprint("documents", __name__)
PDF = "application/pdf"
NOT_FILTERS = {"lang", "page", "csrf_token", "paper", "per_sheet", "language", "start", "registration", "everybody"}


def _filters() -> dict[str, str]:
    """What the address asks of the list of registrations, so that a paper can be printed for what is shown there."""
    return {name: words for name, words in request.values.items() if name not in NOT_FILTERS and words}


def _paper() -> str:
    asked = request.args.get("paper", "a4")
    if asked not in labels.PAPER:
        abort(404)
    return asked


@bp.get("/events/<slug>/documents")
def index(slug: str) -> Answer:
    """Every paper of the event, what it is and what it counts."""
    event = load_event(slug)
    require("document.print", event)
    filters = _filters()
    chosen = None
    if filters:
        found = registrations.search(event, filters).where(Registration.state == RegistrationState.CONFIRMED)
        chosen = db.session.scalar(db.select(db.func.count()).select_from(found.order_by(None).subquery()))
    forms = {kind: PrintForm.of(kind) for kind in labels.PRINT_KIND}
    return render_template(
        "documents/index.html",
        event=event,
        letterhead=queries.letterhead_of(event),
        forms=forms,
        filters=filters,
        chosen=chosen,
        labels=labels,
        languages=PrintForm.of("badges").language.choices,
        issued=queries.count_certificates(event),
        invited=invitation_counts(event).invited,
        registered=registrations.counts(event).registered,
        arrived=attendance.count_arrived(event),
        basis=queries.basis_of(event),
    )


# -- badges, tent cards, certificates --


@bp.post("/events/<slug>/documents/<any('badges', 'tent-cards', 'certificates'):kind>")
def print_papers(slug: str, kind: str) -> Answer:
    """For the filters in the address, or for the people chosen (`registration`); a long print is made by the worker."""
    event = load_event(slug)
    if kind == make.BADGES:
        require("document.badge", event)
    else:
        require("document.print", event)
    form = PrintForm.of(kind, CombinedMultiDict([request.form, request.args]))
    if not form.validate():
        raise Invalid(_("These options cannot be printed."), reasons=[words for part in form for words in part.errors])
    ticked = request.form.getlist("registration") if request.form.get("everybody") != "1" else []
    people = queries.selected(event, _filters(), ticked)
    if kind == make.CERTIFICATES:
        if not ticked:
            people = queries.arrived_among(event, people)
        actions.issue(event, people, by=g.actor)
    return _answer(event, kind, people, form.options())


def _answer(event: Event, kind: str, people: list[Registration], options: dict[str, Any]) -> Answer:
    """The file itself, or the page that waits for it."""
    if len(people) > make.SHORT:
        printout = actions.queue_print(event, kind, people, options, by=g.actor)
        db.session.commit()
        return redirect(url_for("documents.printout", slug=event.slug, public_id=printout.public_id), 303)
    data = make.make(kind, event, people, options)
    db.session.commit()
    return download(data, make.filename(event, kind), PDF, inline=True)


@bp.get("/events/<slug>/registrations/<public_id>/badge.pdf")
def badge(slug: str, public_id: str) -> Answer:
    """One person's badge, for the desk; `?start=3` prints it on the third place of a sheet that is partly used."""
    event = load_event(slug)
    require("document.badge", event)
    form = PrintForm.of(make.BADGES, ImmutableMultiDict({"language": language(), "paper": "a4", "per_sheet": "8", **request.args}))
    if not form.validate():
        abort(404)
    people = queries.selected(event, {}, [public_id])
    return download(make.make(make.BADGES, event, people, form.options()), f"{event.slug}-badge.pdf", PDF, inline=True)


# -- long prints --


def _load_printout(slug: str, public_id: str) -> Printout:
    event = load_event(slug)
    found = queries.load_printout(event, public_id) if policy.can(g.actor, "document.badge", event) else None
    if found is not None and found.kind == make.BADGES:
        require("document.badge", event)
    else:
        require("document.print", event)
    assert found is not None  # whoever may print may also make badges
    return found


@bp.get("/events/<slug>/documents/prints/<public_id>")
def printout(slug: str, public_id: str) -> Answer:
    """Asks again by itself until the file is there."""
    found = _load_printout(slug, public_id)
    template = "documents/_printout.html" if is_htmx() else "documents/printout.html"
    return render_template(template, printout=found, event=found.event, labels=labels)


@bp.get("/events/<slug>/documents/prints/<public_id>/print.pdf")
def printout_file(slug: str, public_id: str) -> Answer:
    found = _load_printout(slug, public_id)
    if found.data is None:
        raise Missing(_("This print is not ready yet."))
    return download(found.data, found.filename, PDF)


# -- sheets and lists --


@bp.get("/events/<slug>/attendance-sheet.pdf")
def sheet(slug: str) -> Answer:
    """One day's sheet; `?public=1` masks phone and e-mail."""
    event = load_event(slug)
    require("attendance.documents", event)
    try:
        day = dt.date.fromisoformat(request.args.get("day", event.starts_on.isoformat()))
    except ValueError:
        abort(404)
    if day not in event.days:
        abort(404)
    letterhead = queries.letterhead_of(event)
    data = attendance_sheet(
        event,
        day,
        public=request.args.get("public") == "1",
        heading=queries.heading(event, letterhead),
        organiser=(letterhead.signatory_name, letterhead.signatory_position),
    )
    return download(data, f"{event.slug}-{day.isoformat()}.pdf", PDF, inline=True)


@bp.get("/events/<slug>/participation.pdf")
def participation(slug: str) -> Answer:
    """The participation table; `?public=1` hides small numbers from everybody."""
    event = load_event(slug)
    require("attendance.table", event)
    suppress = request.args.get("public") == "1" or attendance.must_suppress(event.consultation, policy.roles(g.actor, event))
    tables = [attendance.participation(event, basis, suppress=suppress) for basis in ("arrived", "registered")]
    data = participation_pdf(event, tables, queries.heading(event), _paper())
    return download(data, f"{event.slug}-participation.pdf", PDF, inline=True)


@bp.get("/events/<slug>/documents/participants.<any(pdf, xlsx):kind>")
def participants(slug: str, kind: str) -> Answer:
    """The list for a report, as the consultation's rule of attribution lets it be told."""
    event = load_event(slug)
    require("document.print", event)
    basis = request.args.get("basis") or queries.basis_of(event)
    if basis not in labels.BASIS:
        abort(404)
    listed = queries.participant_list(event, basis)
    if kind == "xlsx":
        return download(list_xlsx(listed), f"{event.slug}-participants.xlsx", XLSX_TYPE)
    data = list_pdf(event, listed, queries.heading(event), _paper())
    return download(data, f"{event.slug}-participants.pdf", PDF, inline=True)


@bp.get("/events/<slug>/documents/minutes.docx", endpoint="minutes")
def minutes_docx(slug: str) -> Answer:
    event = load_event(slug)
    require("document.print", event)
    return download(minutes(event, queries.letterhead_of(event)), f"{event.slug}-{gettext('minutes')}.docx", DOCX_TYPE)


@bp.get("/events/<slug>/documents/official-record.docx")
def record(slug: str) -> Answer:
    event = load_event(slug)
    require("document.print", event)
    data = official_record(event, queries.letterhead_of(event))
    return download(data, f"{event.slug}-{gettext('official-record')}.docx", DOCX_TYPE)


# -- letterhead --


@bp.route("/events/<slug>/documents/letterhead", methods=["GET", "POST"])
def letterhead(slug: str) -> Answer:
    event = load_event(slug)
    require("document.print", event)
    form = LetterheadForm.of(event, queries.letterhead_of(event))
    if form.validate_on_submit():
        actions.save_letterhead(event, form.values(), by=g.actor)
        db.session.commit()
        return redirect(url_for("documents.index", slug=slug), 303)
    preview = _number_preview(event, form.number_pattern.data or "")
    return render_template("documents/letterhead.html", event=event, form=form, preview=preview), 422 if form.is_submitted() else 200


def _number_preview(event: Event, pattern: str) -> str:
    try:
        return ", ".join(actions.number_text(pattern, number, event) for number in (1, 2, 12))
    except Invalid as problem:
        return str(problem.message)


@bp.get("/events/<slug>/documents/number")
def number_preview(slug: str) -> Answer:
    """What a pattern would give, while it is typed."""
    event = load_event(slug)
    require("document.print", event)
    preview = _number_preview(event, request.args.get("number_pattern", "")[:80])
    return render_template("documents/_number.html", preview=preview)
