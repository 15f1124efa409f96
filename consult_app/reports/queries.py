"""Selects over reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, cast, select
from sqlalchemy.orm import joinedload

from consult_app.audit import AuditEntry
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


IN_FORCE = (Report.state == ReportState.SEALED, Report.withdrawn_at.is_(None))


def in_force(consultation: Consultation) -> list[Report]:
    """The sealed reports that were not withdrawn, the newest first."""
    query = select(Report).where(Report.consultation_id == consultation.id, *IN_FORCE)
    return list(db.session.scalars(query.order_by(Report.number.desc())))


def load_report(consultation: Consultation, public_id: str) -> Report:
    """A sealed report of this consultation. Raises Missing."""
    query = select(Report).where(Report.consultation_id == consultation.id, Report.public_id == public_id)
    found = db.session.scalar(query.where(Report.state == ReportState.SEALED))
    if found is None:
        raise Missing(_("There is no sealed report with this code."))
    return found


def load_sealed(public_id: str) -> Report:
    """A sealed report, for everybody. Raises Missing."""
    found = db.session.scalar(
        select(Report).where(Report.public_id == public_id, Report.state == ReportState.SEALED).options(joinedload(Report.consultation))
    )
    if found is None:
        raise Missing(_("There is no sealed report with this code."))
    return found


@dataclass(frozen=True)
class Known:
    """A file that was published: of which report, in which form ("pdf", "docx", ...), and its name inside that, if it was in it."""

    report: Report
    kind: str
    member: str = ""


def find_by_hash(digest: str) -> Known | None:
    """The published file with this SHA-256: the sealed one, one that stands beside it, or one that is enclosed in either."""
    holds = cast(Report.manifest, String).contains(digest)
    query = select(Report).where(Report.state == ReportState.SEALED, (Report.sha256 == digest) | holds)
    for report in db.session.scalars(query.order_by(Report.id).options(joinedload(Report.consultation))):
        if known := _known(report, digest):
            return known
    return None


def _known(report: Report, digest: str) -> Known | None:
    if report.sha256 == digest:
        return Known(report, "pdf")
    for kind, file in report.manifest.get("files", {}).items():
        if file["sha256"] == digest:
            return Known(report, kind)
        for name, member in file.get("members", {}).items():
            if member == digest:
                return Known(report, kind, name)
    for name, file in report.manifest.get("enclosed", {}).items():
        if file["sha256"] == digest:
            return Known(report, "pdf", name)
    return None


def is_logged(report: Report) -> bool:
    """Whether the log has it that the report was sealed with the SHA-256 that its row has."""
    query = select(AuditEntry.id).where(AuditEntry.object_id == report.public_id, AuditEntry.action == "report.seal")
    return db.session.scalar(query.where(AuditEntry.note == f"sha256 {report.sha256}").limit(1)) is not None


def superseded_by(report: Report) -> Report | None:
    """The newest later report that is in force, if it takes this one's place."""
    later = select(Report).where(Report.consultation_id == report.consultation_id, Report.number > report.number, *IN_FORCE)
    for other in db.session.scalars(later.order_by(Report.number.desc())):
        if takes_place_of(report, other.language, other.manifest["sections"]):
            return other
    return None


def takes_place_of(report: Report, language: str, sections: list[dict[str, Any]]) -> bool:
    """Whether a later report would supersede this one; the same text and signatures in another language supersede nothing."""
    return language == report.language or sections != report.manifest["sections"]


def withdrawn_since(report: Report) -> dict[str, Withdrawal]:
    """Signatures of the report that were withdrawn after it was sealed, by the sign-off's public id."""
    ids = [sign_off["id"] for section in report.manifest["sections"] for sign_off in section["sign_offs"]]
    rows = db.session.execute(select(SignOff.public_id, Withdrawal).join(Withdrawal.sign_off).where(SignOff.public_id.in_(ids)))
    return dict(rows.tuples().all())
