"""What is done with reports: asked for, sealed, failed. Making the PDF is the job's matter (jobs.py)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from blinker import Namespace
from sqlalchemy import func, select

from consult_app import audit, jobs, mail
from consult_app.consultations.models import Consultation
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.forms import clean
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.reports import files, seal
from consult_app.reports.compose import compose
from consult_app.reports.copies import copy_of
from consult_app.reports.facts import binding, chapters_of, gather
from consult_app.reports.models import Report, ReportState
from consult_app.reports.queries import in_force, superseded_by, takes_place_of
from consult_app.signoff import gate

report_withdrawn = Namespace().signal("report-withdrawn")


@dataclass(frozen=True)
class Plan:
    """What would be sealed now, shown before it is; `seen` stands for all of it."""

    language: str
    sections: list[dict[str, Any]]  # as `facts.binding` gives them
    supersedes: list[Report]
    same: Report | None  # one with the same revisions, signatures and language, in force
    seen: str


def plan(consultation: Consultation, language: str) -> Plan:
    """What a report in this language would bind, and which reports it would supersede."""
    sections = binding(chapters_of(consultation))
    sealed = in_force(consultation)
    same = next((one for one in sealed if one.language == language and _signed(one.manifest["sections"]) == _signed(sections)), None)
    supersedes = [one for one in sealed if superseded_by(one) is None and takes_place_of(one, language, sections)]
    seen = audit.sha256(audit.canonical([language, sections, [one.public_id for one in sealed]]))
    return Plan(language, sections, supersedes, same, seen)


def _signed(sections: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """The revisions of a report and the signatures on them."""
    return [(section["sha256"], [sign_off["id"] for sign_off in section["sign_offs"]]) for section in sections]


def _check_validated(consultation: Consultation) -> None:
    reasons = gate.report_missing(consultation)
    if reasons:
        raise Conflict(_("The report is not validated, so it cannot be sealed."), [reason.words for reason in reasons])


@audit.in_turn
def request_report(consultation: Consultation, language: str, *, by: Actor, seen: str | None = None) -> Report:
    """Ask for the sealed report in a language; a job makes it. `seen` is the `Plan.seen` of the page that it was asked from.

    Raises Conflict unless the report is validated (with what is missing, by name), where the page showed something else, where
    the same is sealed already, or while another one is being sealed; Invalid for a language that the consultation does not have.
    """
    _check_validated(consultation)
    check_language(consultation, language)
    planned = plan(consultation, language)
    if planned.same is not None:
        words = _(
            "Report %(number)s has the same revisions and signatures in this language, and is in force. Nothing was sealed.",
            number=planned.same.number,
        )
        raise Conflict(words)
    if seen is not None and seen != planned.seen:
        raise Conflict(_("What would be sealed is not what the page showed. Look at it again, then seal it."))
    check_key()
    mine = select(Report).where(Report.consultation_id == consultation.id)
    if db.session.scalar(mine.where(Report.state == ReportState.QUEUED).limit(1)) is not None:
        raise Conflict(_("A report is being sealed at this moment. Wait until it is done."))
    last = db.session.scalar(select(func.max(Report.number)).where(Report.consultation_id == consultation.id)) or 0
    user_id = getattr(by, "id", None) if by.is_user else None
    report = Report(consultation=consultation, number=last + 1, language=language, requested_by_id=user_id)
    db.session.add(report)
    audit.record(by, "report.request", report)
    jobs.after_commit("reports.seal", report.id)
    return report


@audit.in_turn
def withdraw_report(report: Report, reason: str, *, by: Actor) -> None:
    """Take a sealed report back. It stays, and its page and every verification say that it was withdrawn, and why.

    Raises Conflict where it is not sealed or was withdrawn already, Invalid without a reason.
    """
    if not report.is_sealed:
        raise Conflict(_("This report is not sealed, so there is nothing to withdraw."))
    if report.is_withdrawn:
        raise Conflict(_("This report was withdrawn already."))
    words = clean(reason)
    if not words:
        raise Invalid(_("Say why the report is withdrawn. Everybody can read it."), field="reason")
    report.withdrawn_at, report.withdraw_reason = now(), words
    report.withdrawn_by_id = getattr(by, "id", None) if by.is_user else None
    audit.record(by, "report.withdraw", report)
    report_withdrawn.send(report, by=by)


def check_key() -> None:
    """Raise Conflict where a seal could not be made: the key is gone or cannot be read. The only place that makes one, and only on
    a site that has sealed nothing.
    """
    if db.session.scalar(select(Report.id).where(Report.state == ReportState.SEALED).limit(1)) is None:
        seal.make_key()
    seal.fingerprint()


def languages_of(consultation: Consultation) -> list[str]:
    """In what a report can be made: each language of the consultation, and all of them in one file ("en+id")."""
    codes = list(consultation.languages)
    return [*codes, "+".join(codes)] if len(codes) > 1 else codes


def check_language(consultation: Consultation, language: str) -> None:
    """Raise Invalid unless the report can be made in this language."""
    if language not in languages_of(consultation):
        raise Invalid(_("Choose one of the languages of the consultation."), field="language")


def draft(consultation: Consultation, kind: str, language: str) -> bytes:
    """The report as it would be now, without a seal: a PDF with a watermark on every page, or one of the other forms."""
    facts = gather(consultation)
    return compose(facts, language) if kind == "pdf" else copy_of(facts, kind, language)


@audit.in_turn
def keep_sealed(report: Report, document: bytes, copies: dict[str, bytes], manifest: dict[str, Any], *, by: Actor) -> None:
    """Keep the sealed file, with the same facts in other forms, and record them.

    Raises Conflict where a signature or a text changed, or a section was opened again, while they were made.
    """
    _check_validated(report.consultation)
    if binding(chapters_of(report.consultation)) != manifest["sections"]:
        raise Conflict(_("A text or a signature changed while the report was being sealed. Ask for it again."))
    report.filename = f"{report.public_id}.pdf"
    files.keep(report.filename, document)
    for kind, data in copies.items():
        files.keep(f"{report.public_id}.{kind}", data)
    report.sha256, report.size, report.manifest = seal.sha256(document), len(document), manifest
    report.state, report.sealed_at = ReportState.SEALED, now()
    audit.record(by, "report.seal", report, f"sha256 {report.sha256}")
    _tell(report)


@audit.in_turn
def keep_failure(report: Report, words: str, *, by: Actor) -> None:
    """Record that a report could not be sealed, and why."""
    report.state, report.failure = ReportState.FAILED, words
    audit.record(by, "report.fail", report)
    _tell(report)


def _tell(report: Report) -> None:
    user = report.requested_by
    if user is not None:
        mail.queue("reports.done", user.email, user.language, f"report:{report.public_id}", report.consultation_id, report_id=report.id)
