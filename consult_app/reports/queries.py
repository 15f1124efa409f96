"""Selects over reports."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.errors import Missing
from consult_app.i18n import _
from consult_app.reports.models import Report, ReportState
from consult_app.signoff.models import SignOff, Withdrawal


def reports_of(consultation: Consultation) -> list[Report]:
    """Every report that was asked for, the newest first."""
    return list(
        db.session.scalars(
            select(Report)
            .where(Report.consultation_id == consultation.id)
            .order_by(Report.number.desc())
            .options(joinedload(Report.requested_by))
        )
    )


def load_sealed(public_id: str) -> Report:
    """A sealed report, for everybody. Raises Missing."""
    found = db.session.scalar(
        select(Report).where(Report.public_id == public_id, Report.state == ReportState.SEALED).options(joinedload(Report.consultation))
    )
    if found is None:
        raise Missing(_("There is no sealed report with this code."))
    return found


def find_by_hash(digest: str) -> Report | None:
    """The sealed report whose file has this SHA-256."""
    return db.session.scalar(
        select(Report).where(Report.sha256 == digest, Report.state == ReportState.SEALED).options(joinedload(Report.consultation))
    )


def superseded_by(report: Report) -> Report | None:
    """The newest later report; the same text and signatures in another language supersede nothing."""
    later = db.session.scalars(
        select(Report)
        .where(Report.consultation_id == report.consultation_id, Report.state == ReportState.SEALED, Report.number > report.number)
        .order_by(Report.number.desc())
    )
    for other in later:
        if other.language == report.language or other.manifest["sections"] != report.manifest["sections"]:
            return other
    return None


def withdrawn_since(report: Report) -> dict[str, Withdrawal]:
    """Signatures of the report that were withdrawn after it was sealed, by the sign-off's public id."""
    ids = [sign_off["id"] for section in report.manifest["sections"] for sign_off in section["sign_offs"]]
    rows = db.session.execute(select(SignOff.public_id, Withdrawal).join(Withdrawal.sign_off).where(SignOff.public_id.in_(ids)))
    return dict(rows.tuples().all())
