"""Selects over recorded steps and follow-ups."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import joinedload, selectinload

from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.errors import Missing
from consult_app.i18n import _
from consult_app.outcomes.models import FollowUp, FollowUpNote, FollowUpStatus, OutcomeStep, StepKind
from consult_app.registrations.models import Institution
from consult_app.reports.models import Report

OVER = (FollowUpStatus.DONE, FollowUpStatus.DROPPED)


def steps_of(consultation: Consultation) -> list[OutcomeStep]:
    """Every step that was ever recorded, the oldest first."""
    query = select(OutcomeStep).where(OutcomeStep.consultation_id == consultation.id).order_by(OutcomeStep.id)
    return list(db.session.scalars(query.options(joinedload(OutcomeStep.report), joinedload(OutcomeStep.recorded_by))))


def standing_steps(consultation: Consultation) -> dict[StepKind, OutcomeStep]:
    """The steps that stand."""
    return standing(steps_of(consultation))


def standing(steps: Iterable[OutcomeStep]) -> dict[StepKind, OutcomeStep]:
    """Those of the steps that were not taken back."""
    return {step.kind: step for step in steps if step.stands}


def load_step(consultation: Consultation, public_id: str) -> OutcomeStep:
    """A recorded step of this consultation. Raises Missing."""
    query = select(OutcomeStep).where(OutcomeStep.consultation_id == consultation.id, OutcomeStep.public_id == public_id)
    found = db.session.scalar(query)
    if found is None:
        raise Missing(_("There is no such step in this consultation."))
    return found


def load_follow_up(consultation: Consultation, public_id: str) -> FollowUp:
    """A follow-up of this consultation with its notes. Raises Missing."""
    found = db.session.scalar(
        select(FollowUp)
        .where(FollowUp.consultation_id == consultation.id, FollowUp.public_id == public_id)
        .options(joinedload(FollowUp.institution), joinedload(FollowUp.section), selectinload(FollowUp.notes).joinedload(FollowUpNote.by))
    )
    if found is None:
        raise Missing(_("There is no such follow-up in this consultation."))
    return found


def follow_ups(consultation: Consultation, filters: Mapping[str, str], today: dt.date) -> Select[FollowUp]:
    """The follow-ups for the filters `institution` (public id, or "none") and `state` (open, late, over), by what is due first."""
    query = (
        select(FollowUp)
        .where(FollowUp.consultation_id == consultation.id)
        .order_by(FollowUp.status.in_(OVER), FollowUp.due_on.is_(None), FollowUp.due_on, FollowUp.number)
        .options(joinedload(FollowUp.institution), joinedload(FollowUp.section))
    )
    wanted = filters.get("institution", "")
    if wanted == "none":
        query = query.where(FollowUp.institution_id.is_(None))
    elif wanted:
        query = query.where(FollowUp.institution_id.in_(select(Institution.id).where(Institution.public_id == wanted)))
    state = filters.get("state", "")
    if state == "open":
        query = query.where(FollowUp.status.not_in(OVER))
    elif state == "late":
        query = query.where(FollowUp.status.not_in(OVER), FollowUp.due_on < today)
    elif state == "over":
        query = query.where(FollowUp.status.in_(OVER))
    return query


@dataclass(frozen=True)
class Owed:
    """What one institution owes; None: follow-ups for which nobody is named."""

    institution: Institution | None
    open: int
    late: int
    over: int


def owed(consultation: Consultation, today: dt.date) -> list[Owed]:
    """Who owes what, whoever is latest first."""
    is_over = FollowUp.status.in_(OVER)
    late = func.sum(case((~is_over & (FollowUp.due_on < today), 1), else_=0))
    rows = db.session.execute(
        select(Institution, func.sum(case((is_over, 0), else_=1)), late, func.sum(case((is_over, 1), else_=0)))
        .select_from(FollowUp)
        .outerjoin(FollowUp.institution)
        .where(FollowUp.consultation_id == consultation.id)
        .group_by(Institution.id)
    ).tuples()
    found = [Owed(institution, *counts) for institution, *counts in rows]
    return sorted(found, key=lambda row: (-row.late, -row.open, row.institution.key if row.institution else ""))


def published_reports() -> list[Report]:
    """The sealed reports that their consultations have published, the newest first."""
    query = (
        select(Report)
        .join(OutcomeStep, OutcomeStep.report_id == Report.id)
        .where(OutcomeStep.kind == StepKind.PUBLISHED, OutcomeStep.undone_at.is_(None), Report.withdrawn_at.is_(None))
        .order_by(Report.id.desc())
        .limit(10)
        .options(joinedload(Report.consultation))
    )
    return list(db.session.scalars(query))
