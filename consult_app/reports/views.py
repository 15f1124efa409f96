"""The report of a consultation, sealed reports for everybody, and their verification."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, abort, flash, g, jsonify, redirect, render_template, request, url_for

from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.documents.word import DOCX_TYPE
from consult_app.errors import Invalid, Missing
from consult_app.i18n import _, gettext, language
from consult_app.policy import public, require
from consult_app.reports import actions, difference_views, drafts, files, jobs, labels, mails, paper_views, queries, seal, verify  # noqa: F401  jobs, mails: register themselves
from consult_app.reports.forms import SealForm, VerifyForm, WithdrawForm
from consult_app.reports.models import Report
from consult_app.reports.schema import SCHEMA
from consult_app.sheets import XLSX_TYPE
from consult_app.signoff import gate
from consult_app.signoff import labels as words_of_signoff
from consult_app.web import Answer, download, is_htmx, limiter

bp = Blueprint("reports", __name__)


@bp.get("/consultations/<slug>/report")
def index(slug: str) -> Answer:
    return _index(slug)


def _index(slug: str, form: SealForm | None = None) -> Answer:
    consultation = load_consultation(slug)
    require("report.see", consultation)
    names = {"consultation": consultation, "reports": queries.reports_of(consultation), "labels": labels}
    if is_htmx():
        return render_template("reports/_reports.html", **names)
    missing = gate.report_missing(consultation)
    return render_template("reports/index.html", missing=missing, form=form or SealForm.of(consultation), **names), 422 if form else 200


@bp.post("/consultations/<slug>/report/request", endpoint="request")
def request_report(slug: str) -> Answer:
    consultation = load_consultation(slug)
    require("report.seal", consultation)
    form = SealForm.of(consultation)
    if not form.validate_on_submit():
        return _index(slug, form)
    actions.request_report(consultation, form.language.data, by=g.actor, seen=form.seen.data or "")
    db.session.commit()
    flash(gettext("The report is being sealed. This page shows when it is done, and you get a mail."), "success")
    return redirect(url_for("reports.index", slug=slug), 303)


@bp.get("/consultations/<slug>/report/seal")
def confirm(slug: str) -> Answer:
    """What would be sealed, and what it supersedes, before it is done."""
    consultation = load_consultation(slug)
    require("report.seal", consultation)
    code = request.args.get("language", consultation.languages[0])
    try:
        actions.check_language(consultation, code)
    except Invalid:
        abort(404)
    names = {"consultation": consultation, "missing": gate.report_missing(consultation), "plan": actions.plan(consultation, code)}
    return render_template("reports/confirm.html", labels=labels, **names)


@bp.route("/consultations/<slug>/reports/<public_id>/withdraw", methods=["GET", "POST"])
def withdraw(slug: str, public_id: str) -> Answer:
    consultation = load_consultation(slug)
    require("report.withdraw", consultation)
    report, form = queries.load_report(consultation, public_id), WithdrawForm()
    if form.validate_on_submit():
        actions.withdraw_report(report, form.reason.data or "", by=g.actor)
        db.session.commit()
        flash(gettext("The report is withdrawn. Its public page says so, and why."), "success")
        return redirect(url_for("reports.index", slug=slug), 303)
    status = 422 if form.is_submitted() else 200
    return render_template("reports/withdraw.html", consultation=consultation, report=report, form=form, labels=labels), status


@bp.get("/consultations/<slug>/report/draft.<any(pdf, docx, xlsx, csv, json):kind>")
@limiter.limit("30 per minute", key_func=lambda: str(g.actor.actor_key))
def draft(slug: str, kind: str) -> Answer:
    """The report as it stands, without a seal."""
    consultation = load_consultation(slug)
    require("report.see", consultation)
    code = request.args.get("language", language())
    try:
        actions.check_language(consultation, code)
    except Invalid:
        abort(404)
    return _file(drafts.make(consultation, kind, code), f"{slug}-draft-{code}", kind, inline=kind == "pdf")


TYPES = {"pdf": "application/pdf", "docx": DOCX_TYPE, "xlsx": XLSX_TYPE, "csv": "application/zip", "json": "application/json"}


def _file(data: bytes, name: str, kind: str, *, inline: bool = False) -> Answer:
    return download(data, f"{name}.{'csv.zip' if kind == 'csv' else kind}", TYPES[kind], inline=inline)


_section = "/consultations/<slug>/sections/<int:number>"
bp.add_url_rule(f"{_section}/differences", "differences", difference_views.show)
bp.add_url_rule(f"{_section}/differences.<any(pdf, docx):kind>", "difference_paper", difference_views.paper)
bp.add_url_rule(f"{_section}/paper", "papers", paper_views.show)
bp.add_url_rule(f"{_section}/signature-sheet.pdf", "signature_sheet", paper_views.sheet)
bp.add_url_rule(f"{_section}/papers", "keep_paper", paper_views.keep, methods=["POST"])
bp.add_url_rule("/consultations/<slug>/papers/<public_id>", "paper", paper_views.paper)

# -- for everybody --


@bp.get("/reports/<public_id>/report.<any(pdf, docx, xlsx, csv, json):kind>", endpoint="download")
def download_report(public_id: str, kind: str) -> Answer:
    """The sealed file, or its facts in another form."""
    report = queries.load_sealed(public_id)
    public()
    document = files.kept(report) if kind == "pdf" else files.kept_copy(report, kind)
    if document is None:
        raise Missing(_("The file of this report is not on this server any more, or is not as it was sealed. Tell the administrator."))
    return _file(document, f"{report.consultation.slug}-{report.number}-{report.language}", kind)


@bp.get("/schemas/report.json")
def schema() -> Answer:
    """What the JSON of a report looks like."""
    public()
    return jsonify(SCHEMA)


def _about(report: Report) -> dict[str, object]:
    """What the verification page says of a report: only what is recorded (product.md rule 24)."""
    return {
        "report": report,
        "consultation": report.consultation,
        "withdrawn": queries.withdrawn_since(report),
        "labels": labels,
        "signoff_labels": words_of_signoff,
        "signed_at": dt.datetime.fromisoformat,
    }


@bp.get("/reports/<public_id>")
def report_page(public_id: str) -> Answer:
    report = queries.load_sealed(public_id)
    public()
    later = queries.superseded_by(report)
    return render_template("reports/report_page.html", later=later, form=VerifyForm(), **_about(report))


@bp.get("/reports/<public_id>/seal.crt")
def certificate(public_id: str) -> Answer:
    """The certificate that sealed the report, from the file itself, for whoever wants their PDF reader to trust it."""
    report = queries.load_sealed(public_id)
    public()
    document = files.kept(report)
    if document is None:
        raise Missing(_("The file of this report is not on this server any more, or is not as it was sealed. Tell the administrator."))
    return download(seal.certificate_of(document), f"{report.consultation.slug}-{report.number}-seal.crt", "application/x-x509-ca-cert")


@bp.get("/seal.crt")
def present_certificate() -> Answer:
    """The certificate that this site seals with now; there is none before its first seal."""
    public()
    if not seal.has_key():
        raise Missing(_("This site has no certificate for its seal yet."))
    return download(seal.certificate_pem(), "seal.crt", "application/x-x509-ca-cert")


@bp.route("/verify", methods=["GET", "POST"], endpoint="verify")
@limiter.limit("30 per minute", methods=["POST"])
def verify_file() -> Answer:
    public()
    form = VerifyForm()
    if form.validate_on_submit():
        finding = verify.examine(form.file.data.read())
        about = _about(finding.report) if finding.report is not None else {"labels": labels}
        return render_template(
            "reports/verified.html", finding=finding, name=form.file.data.filename, form=VerifyForm(formdata=None), **about
        )
    return render_template("reports/verify.html", form=form, has_key=seal.has_key()), 422 if form.is_submitted() else 200
