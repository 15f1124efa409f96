"""What is done after validation: steps recorded and taken back, follow-ups taken from the report, assigned and reported on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Sequence
from itertools import zip_longest

from sqlalchemy import func, select

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.comments.actions import check_link
from consult_app.consultations.models import Consultation, Section, SectionState
from consult_app.db import db, new_public_id, now
from consult_app.errors import Conflict, Invalid
from consult_app.forms import clean
from consult_app.i18n import Texts, _
from consult_app.outcomes.models import FollowUp, FollowUpNote, FollowUpStatus, OutcomeStep, StepKind
from consult_app.outcomes.queries import standing_steps
from consult_app.policy import Actor
from consult_app.registrations.models import Institution
from consult_app.reports.actions import report_withdrawn
from consult_app.reports.models import Report
from consult_app.reports.queries import IN_FORCE
from consult_app.signoff import gate
from consult_app.signoff.standing import sections_of

ORDER = list(StepKind)


def _lock(consultation: Consultation) -> None:
    """One at a time records steps and counts numbers in a consultation; no report is sealed or withdrawn meanwhile."""
    audit.take_turn(consultation.id)


def newest_report(consultation: Consultation) -> Report | None:
    """The newest sealed report that was not withdrawn."""
    query = select(Report).where(Report.consultation_id == consultation.id, *IN_FORCE)
    return db.session.scalar(query.order_by(Report.number.desc()).limit(1))


def missing_for(
    consultation: Consultation, kind: StepKind, standing: Container[StepKind], sections: Sequence[Section], sealed: Report | None
) -> list[str]:
    """What stands between now and a step, in words, with the sections and the newest sealed report; nothing: it can be recorded."""
    if kind is StepKind.COMMENTS_CLOSED:
        early = [s for s in sections if s.state in (SectionState.DRAFT, SectionState.OPEN)]
        return [str(_("Comments on section %(number)s are not closed.", number=section.number)) for section in early]
    reasons = []
    before = ORDER[ORDER.index(kind) - 1]
    if before not in standing:
        reasons.append(str(NEEDS[before]))
    if kind is StepKind.COUNTERPART_ACCEPTED and gate.report_missing(consultation, sections):
        reasons.append(str(_("The report is not validated: sections are open again, or sign-offs are missing.")))
    if kind is StepKind.PUBLISHED and sealed is None:
        reasons.append(str(_("No report is sealed yet.")))
    return reasons


NEEDS = {
    StepKind.COMMENTS_CLOSED: _("It is not recorded yet that comments are closed."),
    StepKind.COUNTERPART_ACCEPTED: _("It is not recorded yet that the counterpart has accepted the report."),
    StepKind.CONSENT_GIVEN: _("Consent to publication is not recorded yet."),
}


@audit.in_turn
def record_step(consultation: Consultation, kind: StepKind, happened_on: dt.date, decided_by: str, note: str, *, by: Actor) -> OutcomeStep:
    """Record that a step was taken (rule 19). Raises Conflict where it cannot be yet, Invalid for a day to come or nobody named."""
    _lock(consultation)
    standing = standing_steps(consultation)
    if kind in standing:
        raise Conflict(_("This step is recorded already."))
    sealed = newest_report(consultation)
    reasons = missing_for(consultation, kind, standing, sections_of(consultation), sealed)
    if reasons:
        raise Conflict(_("This step cannot be recorded yet."), reasons)
    if happened_on > now().date() + dt.timedelta(days=1):  # it may be tomorrow already where they are
        raise Invalid(_("This day is still to come."), field="happened_on")
    if not clean(decided_by):
        raise Invalid(_("Say who decided it."), field="decided_by")
    report = None if kind is StepKind.COMMENTS_CLOSED else sealed
    step = OutcomeStep(
        consultation_id=consultation.id, kind=kind, happened_on=happened_on, decided_by=clean(decided_by), note=clean(note),
        report=report, recorded_by=by if isinstance(by, User) else None,
    )  # fmt: skip
    db.session.add(step)
    audit.record(by, f"outcome.{kind.value}", step)
    return step


@audit.in_turn
def undo_step(consultation: Consultation, step: OutcomeStep, reason: str, *, by: Actor) -> None:
    """Take a step back; it stays in the record with the reason. Raises Conflict while a later step stands on it."""
    _lock(consultation)
    if not step.stands:
        raise Conflict(_("This step was taken back already."))
    later = [kind for kind in standing_steps(consultation) if ORDER.index(kind) > ORDER.index(step.kind)]
    if later:
        raise Conflict(_("A later step stands on this one. Take that back first."))
    if not clean(reason):
        raise Invalid(_("Say why it is taken back."), field="reason")
    step.undone_at, step.undo_reason = now(), clean(reason)
    audit.record(by, "outcome.undo", step)


def _no_longer_published(report: Report, by: Actor) -> None:
    """A report that was withdrawn is not published any more: the step is taken back, with the reason."""
    published = OutcomeStep.kind == StepKind.PUBLISHED
    query = select(OutcomeStep).where(OutcomeStep.report_id == report.id, published, OutcomeStep.undone_at.is_(None))
    for step in db.session.scalars(query):
        step.undone_at, step.undo_reason = now(), report.withdraw_reason
        audit.record(by, "outcome.undo", step)


report_withdrawn.connect(_no_longer_published, weak=False)


# -- follow-ups --


def _add(consultation: Consultation, text: Texts, source: str, *, by: Actor, section: Section | None = None) -> FollowUp:
    last = db.session.scalar(select(func.max(FollowUp.number)).where(FollowUp.consultation_id == consultation.id)) or 0
    row = FollowUp(consultation_id=consultation.id, number=last + 1, section=section, source=source, text=text)
    db.session.add(row)
    return row


def recommendations(section: Section) -> list[Texts]:
    """The recommendations of a section's current revision: a line each, the same line in every language."""
    words: Texts = section.revision.content.get("recommendations", {}) if section.revision is not None else {}
    lines = {code: [line.strip(" •-\t") for line in text.split("\n") if line.strip()] for code, text in words.items() if text}
    return [{code: line for code, line in zip(lines, row, strict=True) if line} for row in zip_longest(*lines.values(), fillvalue="")]


def _source(section: Section, text: Texts) -> str:
    return f"section-{section.number}:{audit.sha256(audit.canonical(text))}"


def not_taken(consultation: Consultation, sections: Sequence[Section]) -> list[tuple[Section, Texts]]:
    """The recommendations of signed sections that are no follow-up yet."""
    known = set(db.session.scalars(select(FollowUp.source).where(FollowUp.consultation_id == consultation.id)))
    signed = [section for section in sections if section.is_signed]
    return [(section, text) for section in signed for text in recommendations(section) if _source(section, text) not in known]


@audit.in_turn
def take_recommendations(consultation: Consultation, *, by: Actor) -> int:
    """Make a follow-up of each recommendation of the signed sections; those taken before are left as they are."""
    _lock(consultation)
    found = not_taken(consultation, sections_of(consultation))
    for section, text in found:
        row = _add(consultation, text, _source(section, text), by=by, section=section)
        audit.record(by, "follow_up.add", row)
    return len(found)


@audit.in_turn
def add_follow_up(
    consultation: Consultation, text: Texts, institution: Institution | None, contact: str, due_on: dt.date | None, *, by: Actor
) -> FollowUp:
    """Add one by hand."""
    _lock(consultation)
    row = _add(consultation, text, new_public_id(), by=by)
    row.institution, row.contact, row.due_on = institution, contact, due_on
    audit.record(by, "follow_up.add", row)
    return row


@audit.in_turn
def change_follow_up(
    row: FollowUp, text: Texts, institution: Institution | None, contact: str, due_on: dt.date | None, *, by: Actor
) -> None:
    """Say anew what is to be done, by whom and until when."""
    row.text, row.institution, row.contact, row.due_on = text, institution, contact, due_on
    audit.record(by, "follow_up.change", row)


@audit.in_turn
def report_progress(row: FollowUp, status: FollowUpStatus, text: str, link: str, *, by: Actor) -> FollowUpNote:
    """Say how it stands. What is done names its evidence, what is dropped its reason (Invalid otherwise)."""
    words, address = clean(text), check_link(link.strip())
    if status is FollowUpStatus.DONE and not (words or address):
        raise Invalid(_("Say what shows that it is done, or link to it."), field="text")
    if status is FollowUpStatus.DROPPED and not words:
        raise Invalid(_("Say why it is dropped."), field="text")
    note = FollowUpNote(
        consultation_id=row.consultation_id, follow_up=row, status=status, text=words, link=address, by=by if isinstance(by, User) else None
    )
    row.status = status
    db.session.add(note)
    audit.record(by, "follow_up.report", note)
    audit.record(by, "follow_up.status", row)
    return note
