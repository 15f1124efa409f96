"""The organiser's list: found as one types, done to many at once, exported in the columns one wants."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, load_only

from consult_app import elsewhere
from consult_app.db import db
from consult_app.errors import DomainError
from consult_app.events.models import Event
from consult_app.events.queries import load_event
from consult_app.i18n import _, gettext, local, ngettext
from consult_app.policy import require
from consult_app.registrations import actions, labels, moves, queries
from consult_app.registrations.answers import values_of, words
from consult_app.registrations.blueprint import bp
from consult_app.registrations.limits import option_names
from consult_app.registrations.models import Institution, Question, QuestionKind, Registration, RegistrationState, StakeholderType
from consult_app.registrations.questions import WITH_OPTIONS, questions_of
from consult_app.sheets import XLSX_TYPE, write_csv, write_xlsx
from consult_app.web import Answer, download, is_htmx, paginate

# What a line of the list shows: a registration has forty columns.
_SHOWN = (
    load_only(
        Registration.title_before,
        Registration.name,
        Registration.title_after,
        Registration.public_id,
        Registration.position,
        Registration.state,
    ),
    joinedload(Registration.institution).load_only(Institution.name),
    joinedload(Registration.stakeholder_type).load_only(StakeholderType.name),
)


def _list_names(event: Event) -> dict[str, Any]:
    page = paginate(queries.search(event, request.args).options(*_SHOWN))
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in ("page", "columns") and value]
    return {"event": event, "page": page, "states": labels.STATE, "tones": labels.TONE, "filters": request.args, "kept": kept}


@bp.get("/events/<slug>/registrations")
def list_registrations(slug: str) -> Answer:
    event = load_event(slug)
    require("registration.list", event)
    if is_htmx():
        return render_template("registrations/_rows.html", **_list_names(event))
    questions = questions_of(event, retired=True)
    names: dict[str, Any] = {
        "types": queries.stakeholder_types(event.consultation_id),
        "counts": queries.counts(event),
        "moving": moves.waiting_at(event),
        "labels": labels,
        "columns": _columns(questions),
        "choices": [(q, option_names(q)) for q in questions if q.kind in WITH_OPTIONS],
    }
    return render_template("registrations/list.html", **names, **_list_names(event))


# -- many at once --

BULK: dict[str, tuple[Callable[..., None], Any, Any]] = {
    "approve": (actions.approve, _("%(num)s person approved."), _("%(num)s people approved.")),
    "cancel": (actions.cancel, _("%(num)s registration cancelled."), _("%(num)s registrations cancelled.")),
}


@bp.post("/events/<slug>/registrations/bulk/<any(approve, cancel):verb>")
def bulk(slug: str, verb: str) -> Answer:
    """Do one thing to everybody ticked, or to everybody found; whoever it cannot be done to is named with the reason."""
    event = load_event(slug)
    require("registration.edit", event)
    query = queries.search(event, request.form)
    if request.form.get("everybody") != "1":
        query = query.where(Registration.public_id.in_(request.form.getlist("registration")))
    act, one, many = BULK[verb]
    done, refused = 0, []
    # who holds a seat comes last, so that cancelling everybody moves nobody up who is cancelled next
    query = query.order_by(None).order_by(Registration.state == RegistrationState.CONFIRMED, Registration.state_changed_at, Registration.id)
    for registration in db.session.scalars(query).unique().all():
        try:
            act(registration, by=g.actor)
            done += 1
        except DomainError as problem:
            refused.append(f"{registration.full_name}: {problem.message}")
    db.session.commit()
    if done:
        flash(ngettext(str(one), str(many), done), "success")
    if refused:
        more = gettext(" … and %(count)s more", count=len(refused) - 5) if len(refused) > 5 else ""
        flash(gettext("Not done for %(count)s: %(names)s", count=len(refused), names="; ".join(refused[:5])) + more, "warning")
    if not done and not refused:
        flash(gettext("Nobody was chosen. Tick people in the list first."), "warning")
    kept: dict[str, Any] = {name: value for name, value in request.form.items() if name in FILTERS and value}
    return redirect(url_for("registrations.list_registrations", slug=slug, **kept), 303)


FILTERS = ("q", "state", "type", "sex", "attendance", "role", "institution", "answer")

# -- export --

Cell = Callable[[Registration], Any]
COLUMNS: dict[str, tuple[Any, Cell]] = {
    "name": (_("Name"), lambda r: r.full_name),
    "institution": (_("Institution"), lambda r: local(r.institution.name)),
    "type": (_("Stakeholder type"), lambda r: local(r.stakeholder_type.name)),
    "position": (_("Position"), lambda r: r.position),
    "unit": (_("Unit or directorate"), lambda r: r.unit),
    "sex": (_("Sex"), lambda r: labels.SEX[r.sex]),
    "email": (_("E-mail address"), lambda r: r.email),
    "phone": (_("Phone"), lambda r: r.phone),
    "attendance": (_("Takes part"), lambda r: labels.ATTENDANCE[r.attendance]),
    "role": (_("Role"), lambda r: labels.ROLE[r.role]),
    "state": (_("State"), lambda r: labels.STATE[r.state]),
    "letter": (_("Assignment letter"), lambda r: r.assignment_letter),
    "diet": (_("Diet"), lambda r: r.diet),
    "accommodations": (_("Accommodations"), lambda r: r.accommodations),
}


def _columns(questions: Sequence[Question]) -> list[tuple[str, str]]:
    """Every column there is: the form's own, then the organiser's questions."""
    own = [(key, str(label)) for key, (label, _cell) in COLUMNS.items()]
    return own + [(q.public_id, local(q.label)) for q in questions]


QUICK = 500  # people: so many are written in less time than a process needs to begin


@bp.get("/events/<slug>/registrations.<any(csv, xlsx):kind>")
def export(slug: str, kind: str) -> Answer:
    """The filtered list as a file, in the columns chosen (`?columns=`, all unless given); it never runs as a formula."""
    event = load_event(slug)
    require("registration.export", event)
    count = db.session.scalar(select(func.count()).where(Registration.event_id == event.id)) or 0
    if (answer := elsewhere.made(is_large=count > QUICK)) is not None:
        return answer
    asked: dict[str, Question] = {q.public_id: q for q in questions_of(event, retired=True)}
    everything = _columns(list(asked.values()))
    wanted = set(request.args.getlist("columns")) or {key for key, _label in everything}
    chosen = [(key, label) for key, label in everything if key in wanted]
    people = list(db.session.scalars(queries.search(event, request.args)).unique())
    answered = values_of([asked[key] for key, _label in chosen if key in asked], people)
    rows = [[_cell(r, key, asked, answered) for key, _label in chosen] for r in people]
    header, name = [label for _key, label in chosen], f"{event.slug}-registrations.{kind}"
    if kind == "csv":
        return download(write_csv(header, rows), name, "text/csv")
    return download(write_xlsx({gettext("Registrations"): (header, rows)}), name, XLSX_TYPE)


def _cell(registration: Registration, key: str, asked: dict[str, Question], answered: dict[tuple[int, int], list[str]]) -> Any:
    if key not in asked:
        return COLUMNS[key][1](registration)
    question = asked[key]
    values = answered.get((registration.id, question.id), [])
    return int(values[0]) if values and question.kind is QuestionKind.NUMBER else words(question, values)
