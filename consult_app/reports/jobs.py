"""Sealing a report, in the worker: composed and sealed while nothing is locked, then kept in one short transaction."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import structlog
from sqlalchemy import select

from consult_app import checkpoints, jobs, web
from consult_app.db import db, now, transaction_mode
from consult_app.errors import Conflict, DomainError
from consult_app.i18n import _, gettext, reading
from consult_app.policy import System
from consult_app.reports import seal
from consult_app.reports.actions import keep_failure, keep_sealed
from consult_app.reports.compose import SealWords, compose
from consult_app.reports.copies import KINDS, copy_of
from consult_app.reports.facts import Facts, gather, manifest
from consult_app.reports.models import Report, ReportState

log = structlog.get_logger()
WORKER = System("worker")


def _make(report: Report) -> tuple[bytes, dict[str, bytes], dict[str, Any]]:
    """The sealed file, its facts in other forms, and what they were made from."""
    facts = gather(report.consultation)
    if not facts.is_validated:
        raise Conflict(_("The report is not validated any more."))
    url = web.external_url("reports.report_page", public_id=report.public_id)
    words = SealWords(report.public_id, report.number, url, now(), seal.fingerprint(), seal.authority())
    checkpoint = _checkpoint(facts)
    document = seal.seal(compose(facts, report.language, words), f"Report {report.public_id}", {"checkpoint.json": checkpoint.encode()})
    copies = {kind: copy_of(facts, kind, report.language, url) for kind in KINDS}
    level = "PAdES B-T" if words.authority else "PAdES B-B"
    made_from = {
        **manifest(facts),
        "seal": {"certificate": words.fingerprint, "level": level, "authority": words.authority},
        "files": {kind: _file(kind, data) for kind, data in copies.items()},
        "enclosed": {"checkpoint.json": {"sha256": seal.sha256(checkpoint.encode()), "size": len(checkpoint.encode())}},
    }
    return document, copies, made_from


def _file(kind: str, data: bytes) -> dict[str, Any]:
    """What is recorded of a file that is published beside the sealed one; of a ZIP also what is in it."""
    known: dict[str, Any] = {"sha256": seal.sha256(data), "size": len(data)}
    if kind == "csv":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            known["members"] = {name: seal.sha256(archive.read(name)) for name in archive.namelist()}
    return known


def _checkpoint(facts: Facts) -> str:
    """Where the log stood when the facts were read, signed: it leaves the site inside the PDF. Raises Conflict without its key."""
    try:
        return checkpoints.make(str(facts.consultation.id), facts.log_number)
    except checkpoints.KeyUnusable as problem:
        raise Conflict(_("The key for checkpoints of the log is missing or cannot be read. Nothing was sealed.")) from problem


def _words(problem: Exception, language: str) -> str:
    with reading(language.split("+")[0]):
        if isinstance(problem, DomainError):
            return str(problem.message)
        words: str = gettext("The report could not be made (%(problem)s). Tell the administrator.", problem=type(problem).__name__)
        return words


def _waiting(report_id: int) -> Report | None:
    """The report, locked, if it still waits: the job can run twice."""
    return db.session.scalar(
        select(Report)
        .where(Report.id == report_id, Report.state == ReportState.QUEUED)
        .with_for_update(of=Report)
        .execution_options(populate_existing=True)
    )


@jobs.job("reports.seal")
def seal_report(report_id: int) -> None:
    """Compose, seal, keep; a failure is kept too, in words. A report that is sealed or failed already is left alone."""
    try:
        with transaction_mode("read"):
            report = db.session.get(Report, report_id)
            made = _make(report) if report is not None and report.is_queued else None
            db.session.rollback()  # the transaction that could only read ends here
        report = _waiting(report_id) if made is not None else None
        if report is not None and made is not None:
            keep_sealed(report, *made, by=WORKER)
            db.session.commit()
    except Exception as problem:  # whatever it was, somebody is waiting for an answer
        db.session.rollback()
        log.error("report.failed", report_id=report_id, exc_info=not isinstance(problem, DomainError))
        report = _waiting(report_id)
        if report is not None:
            keep_failure(report, _words(problem, report.language), by=WORKER)
            db.session.commit()


@jobs.sweep
def seal_again() -> None:
    """Queue what a crash left behind: asked for more than ten minutes ago, and still waiting."""
    late = now() - dt.timedelta(minutes=10)
    for report_id in db.session.scalars(select(Report.id).where(Report.state == ReportState.QUEUED, Report.created_at < late)):
        jobs.after_commit("reports.seal", report_id)
    db.session.commit()
