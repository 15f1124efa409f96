"""Mails about requests."""

from __future__ import annotations

from consult_app import mail, web
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.i18n import gettext
from consult_app.privacy import labels
from consult_app.privacy.models import DataRequest


def _parts(subject: str, request_id: int, template: str) -> mail.Parts:
    request = db.session.get_one(DataRequest, request_id)
    consultation = db.session.get_one(Consultation, request.consultation_id)
    url = web.external_url("privacy.requests", slug=consultation.slug)
    names = {"request": request, "consultation": consultation, "labels": labels, "url": url}
    return mail.Parts(subject, f"privacy/email/{template}", names)


@mail.builder("privacy.asked")
def _asked(request_id: int) -> mail.Parts:
    return _parts(gettext("A participant asks about their data: answer within 72 hours"), request_id, "asked")


@mail.builder("privacy.answered")
def _answered(request_id: int, forget: bool = False) -> mail.Parts:
    return _parts(gettext("Your request about your data"), request_id, "answered")
