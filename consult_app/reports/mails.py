"""Mails about reports: sealed, or failed, to whoever asked."""

from __future__ import annotations

from consult_app import mail, web
from consult_app.db import db
from consult_app.i18n import gettext, local
from consult_app.reports.models import Report


@mail.builder("reports.done")
def done_mail(report_id: int) -> mail.Parts:
    report = db.session.get_one(Report, report_id)
    title = local(report.consultation.title)
    if report.is_sealed:
        subject = gettext("Sealed: %(title)s", title=title)
        url = web.external_url("reports.report_page", public_id=report.public_id)
    else:
        subject = gettext("Not sealed: %(title)s", title=title)
        url = web.external_url("reports.index", slug=report.consultation.slug)
    return mail.Parts(subject, "reports/email/done", {"report": report, "consultation": report.consultation, "url": url})
