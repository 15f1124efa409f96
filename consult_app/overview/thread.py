"""The thread: the seven knots of a consultation, each with its state and one figure, from the one register."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for
from sqlalchemy import func, select

from consult_app.attendance.queries import count_arrived
from consult_app.comments.queries import section_counts
from consult_app.consultations.models import Consultation, Indicator, Section, SectionState
from consult_app.db import db, now
from consult_app.events.models import Event, EventKind
from consult_app.events.queries import events_of
from consult_app.i18n import gettext, ngettext
from consult_app.policy import Actor, can
from consult_app.registrations.queries import counts as registration_counts
from consult_app.reports.models import Report, ReportState


@dataclass(frozen=True)
class Knot:
    """One knot: `state` is "done", "now" or "waiting"."""

    key: str
    label: str
    state: str
    figure: str
    url: str


@dataclass(frozen=True)
class Facts:
    """Every number that a consultation's first page shows."""

    indicators: int
    dimensions: int
    events: list[Event]
    main_event: Event | None  # its validation workshop, else its newest event
    registered: int
    arrived: int
    comments: int
    unanswered: int
    objections: int
    waiting_for_revision: int
    sections: list[Section]
    report: Report | None

    @property
    def signed(self) -> int:
        return sum(section.is_signed for section in self.sections)

    @property
    def opened(self) -> int:
        """Sections that have a revision."""
        return sum(section.revision_number > 0 for section in self.sections)


def facts(consultation: Consultation) -> Facts:
    """The numbers of a consultation, in a constant number of statements."""
    events = events_of(consultation)
    main = next((event for event in reversed(events) if event.kind is EventKind.VALIDATION), events[-1] if events else None)
    by_section = section_counts(consultation).values()
    return Facts(
        indicators=db.session.scalar(select(func.count()).where(Indicator.consultation_id == consultation.id)) or 0,
        dimensions=len(consultation.dimensions),
        events=events,
        main_event=main,
        registered=registration_counts(main).registered if main else 0,
        arrived=count_arrived(main) if main else 0,
        comments=sum(c.comments for c in by_section),
        unanswered=sum(c.open for c in by_section),
        objections=sum(c.objections for c in by_section),
        waiting_for_revision=sum(c.waiting_for_revision for c in by_section),
        sections=list(consultation.sections),
        report=db.session.scalar(
            select(Report)
            .where(Report.consultation_id == consultation.id, Report.state == ReportState.SEALED)
            .order_by(Report.number.desc())
            .limit(1)
        ),
    )


def thread(consultation: Consultation, known: Facts, actor: Actor) -> list[Knot]:
    """The seven knots; the first that is not done is the one of now. A knot leads where the actor may go."""
    slug, main = consultation.slug, known.main_event
    is_over = main is not None and main.ends < now()
    open_for_comments = any(section.state in (SectionState.DRAFT, SectionState.OPEN) for section in known.sections)
    total = len(known.sections)
    done = {
        "prepare": bool(known.indicators) and known.opened == total,
        "invite": is_over or (main is not None and known.registered > 0 and main.starts < now()),
        "checkin": is_over and known.arrived > 0,
        "comment": known.comments > 0 and not open_for_comments,
        "answer": known.comments > 0 and not open_for_comments and not (known.unanswered or known.waiting_for_revision or known.objections),
        "sign": total > 0 and known.signed == total,
        "seal": known.report is not None,
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
        "seal": gettext("sealed") if known.report else gettext("not sealed"),
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
