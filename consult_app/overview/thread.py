"""The thread: the seven knots of a consultation, each with its state and one figure, from the one register."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import current_app, url_for
from sqlalchemy import Select, String, bindparam, cast, func, select
from sqlalchemy.orm import aliased

from consult_app.attendance.models import CheckIn
from consult_app.attendance.queries import arrived_ids
from consult_app.audit import HEADS
from consult_app.comments.models import Comment
from consult_app.comments.queries import counts_by, number_where
from consult_app.consultations.models import Consultation, Dimension, Indicator, Section, SectionState
from consult_app.db import db, now
from consult_app.events.models import Event, EventKind
from consult_app.i18n import gettext, ngettext
from consult_app.policy import Actor, can
from consult_app.registrations.models import Registration, RegistrationState
from consult_app.reports.models import Report
from consult_app.reports.queries import IN_FORCE


@dataclass(frozen=True)
class Knot:
    """One knot: `state` is "done", "now" or "waiting"."""

    key: str
    label: str
    state: str
    figure: str
    url: str


@dataclass(frozen=True)
class Figures:
    """The numbers of a consultation."""

    main_event: Event | None  # its validation workshop, else its newest event
    registered: int  # for that event
    arrived: int
    indicators: int
    dimensions: int
    is_sealed: bool
    sections: int
    opened: int  # that have a revision
    taking: int  # that take comments or will
    signed: int
    comments: int
    unanswered: int
    waiting_for_revision: int
    objections: int


def figures_of(consultations: Sequence[Consultation]) -> dict[int, Figures]:
    """The numbers of several consultations, in one statement; in two where something was recorded since they were counted last.

    Whatever they count is recorded: while the log of a consultation ends as it did, they are as they were.
    """
    counted: dict[int, tuple[str, Sequence[Any]]] = current_app.extensions["figures"]
    now_at, counts = _statements()
    here = {"ids": [consultation.id for consultation in consultations]}
    shown = db.session.execute(now_at, here).tuples().all()
    if changed := [one for one, end, _event in shown if end is None or counted.get(one, ("",))[0] != end]:
        ends = {one: end for one, end, _event in shown}
        for one, *numbers in db.session.execute(counts, {"ids": changed}).tuples():
            counted[one] = (ends[one], numbers)
    return {one: Figures(event, *counted[one][1]) for one, _end, event in shown}


@cache
def _statements() -> tuple[Select[Any], Select[Any]]:
    """Where the log ends, with the main event; and the numbers. Built once: to build them takes longer than to ask."""
    ids: Any = bindparam("ids", expanding=True)
    one = aliased(Event)
    newest = (one.kind == EventKind.VALIDATION).desc(), one.starts_on.desc(), one.id.desc()
    main = select(one.id).where(one.consultation_id == Consultation.id).order_by(*newest).limit(1).scalar_subquery()
    now_at = (
        select(Consultation.id, HEADS.c.hash, Event)
        .outerjoin(HEADS, HEADS.c.chain == cast(Consultation.id, String))
        .outerjoin(Event, Event.id == main)
        .where(Consultation.id.in_(ids))
    )
    registered = select(func.count()).where(Registration.event_id == Event.id, Registration.state == RegistrationState.CONFIRMED)
    came = arrived_ids(Event).with_only_columns(func.count(func.distinct(CheckIn.registration_id)))
    sealed = select(Report.id).where(Report.consultation_id == Consultation.id, *IN_FORCE).exists()
    states = (Section.revision_number > 0, Section.state.in_([SectionState.DRAFT, SectionState.OPEN]), Section.state == SectionState.SIGNED)
    of_sections = select(func.count().label("all"), *map(number_where, states)).where(Section.consultation_id.in_(ids))
    parts = of_sections.add_columns(Section.consultation_id).group_by(Section.consultation_id).subquery()
    said = counts_by(Comment.consultation_id, ids).subquery()
    counts = (
        select(
            Consultation.id, registered.scalar_subquery(), came.scalar_subquery(), _counted(Indicator), _counted(Dimension), sealed,
            *(func.coalesce(column, 0) for column in (*list(parts.c)[:4], *list(said.c)[1:])),
        )
        .select_from(Consultation)
        .outerjoin(Event, Event.id == main)
        .outerjoin(parts, parts.c.consultation_id == Consultation.id)
        .outerjoin(said, said.c.consultation_id == Consultation.id)
        .where(Consultation.id.in_(ids))
    )  # fmt: skip
    return now_at, counts


def _counted(kind: type[Indicator | Dimension]) -> Any:
    return select(func.count()).where(kind.consultation_id == Consultation.id).scalar_subquery()


def thread(consultation: Consultation, known: Figures, actor: Actor) -> list[Knot]:
    """The seven knots; the first that is not done is the one of now. A knot leads where the actor may go."""
    slug, main = consultation.slug, known.main_event
    is_over = main is not None and main.ends < now()
    open_for_comments, total = known.taking > 0, known.sections
    done = {
        "prepare": bool(known.indicators) and known.opened == total,
        "invite": is_over or (main is not None and known.registered > 0 and main.starts < now()),
        "checkin": is_over and known.arrived > 0,
        "comment": known.comments > 0 and not open_for_comments,
        "answer": known.comments > 0 and not open_for_comments and not (known.unanswered or known.waiting_for_revision or known.objections),
        "sign": total > 0 and known.signed == total,
        "seal": known.is_sealed,
    }
    labels = {
        "prepare": gettext("Prepare"),
        "invite": gettext("Invite"),
        "checkin": gettext("Check in"),
        "comment": gettext("Comment"),
        "answer": gettext("Answer"),
        "sign": gettext("Sign"),
        "seal": gettext("Seal"),
    }
    figures = {
        "prepare": ngettext("%(num)s indicator", "%(num)s indicators", known.indicators),
        "invite": gettext("%(count)s registered", count=known.registered),
        "checkin": gettext("%(arrived)s of %(registered)s arrived", arrived=known.arrived, registered=known.registered),
        "comment": ngettext("%(num)s comment", "%(num)s comments", known.comments),
        "answer": gettext("%(open)s of %(total)s open", open=known.unanswered, total=known.comments),
        "sign": gettext("%(signed)s of %(total)s signed", signed=known.signed, total=total),
        "seal": gettext("sealed") if known.is_sealed else gettext("not sealed"),
    }
    where = {
        "prepare": ("consultation.work", url_for("consultations.sections", slug=slug)),
        "invite": ("consultation.see", url_for("events.list_events", slug=slug)),
        "checkin": ("attendance.table", url_for("attendance.show", slug=main.slug) if main else ""),
        "comment": ("indicator.see", url_for("comments.indicators", slug=slug)),
        "answer": ("comment.review", url_for("desk.review", slug=slug)),
        "sign": ("signoff.see", url_for("signoff.sections", slug=slug)),
        "seal": ("report.see", url_for("reports.index", slug=slug)),
    }
    current = next((key for key, is_done in done.items() if not is_done), None)
    return [
        Knot(
            key,
            labels[key],
            "done" if done[key] else "now" if key == current else "waiting",
            figures[key],
            url if can(actor, action, consultation) else "",
        )
        for key, (action, url) in where.items()
    ]
