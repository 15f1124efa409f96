"""The report of a consultation, sealed reports for everybody, and their verification."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, abort, flash, g, redirect, render_template, request, url_for

from consult_app.consultations.queries import load_consultation
from consult_app.db import db
from consult_app.errors import Invalid, Missing
from consult_app.i18n import _, gettext, language
from consult_app.policy import public, require
from consult_app.reports import actions, files, jobs, labels, mails, queries, seal, verify  # noqa: F401  jobs, mails: register themselves
from consult_app.reports.forms import LANGUAGES, SealForm, VerifyForm
from consult_app.reports.models import Report
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
    names = {"consultation": consultation, "reports": queries.reports_of(consultation), "labels": labels, "languages": LANGUAGES}
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
    actions.request_report(consultation, form.language.data, by=g.actor)
    db.session.commit()
    flash(gettext("The report is being sealed. This page shows when it is done, and you get a mail."), "success")
    return redirect(url_for("reports.index", slug=slug), 303)


@bp.get("/consultations/<slug>/report/draft.pdf")
@limiter.limit("12 per minute", key_func=lambda: str(g.actor.actor_key))
def draft(slug: str) -> Answer:
    consultation = load_consultation(slug)
    require("report.see", consultation)
    code = request.args.get("language", language())
    try:
        actions.check_language(consultation, code)
    except Invalid:
        abort(404)
    return download(actions.draft_pdf(consultation, code), f"{slug}-draft-{code}.pdf", "application/pdf", inline=True)


# -- for everybody --


@bp.get("/reports/<public_id>/report.pdf", endpoint="download")
def download_report(public_id: str) -> Answer:
    report = queries.load_sealed(public_id)
    public()
    document = files.kept(report)
    if document is None:
        raise Missing(_("The file of this report is not on this server any more, or is not as it was sealed. Tell the administrator."))
    return download(document, f"{report.consultation.slug}-{report.number}-{report.language}.pdf", "application/pdf")


def _about(report: Report) -> dict[str, object]:
    """What the verification page says of a report: only what is recorded (product.md rule 24)."""
    return {
        "report": report,
        "consultation": report.consultation,
        "withdrawn": queries.withdrawn_since(report),
        "labels": labels,
        "signoff_labels": words_of_signoff,
        "languages": LANGUAGES,
        "signed_at": dt.datetime.fromisoformat,
    }


@bp.get("/reports/<public_id>")
def report_page(public_id: str) -> Answer:
    report = queries.load_sealed(public_id)
    public()
    later = queries.superseded_by(report)
    return render_template("reports/report_page.html", later=later, form=VerifyForm(), fingerprint=seal.fingerprint(), **_about(report))


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
    return render_template("reports/verify.html", form=form), 422 if form.is_submitted() else 200
