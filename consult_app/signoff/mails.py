"""Mails about sign-offs: a text was returned, to the organisers."""

from __future__ import annotations

from consult_app import mail, web
from consult_app.db import db
from consult_app.i18n import gettext, local
from consult_app.signoff.models import SignOff


@mail.builder("signoff.returned")
def returned_mail(sign_off_id: int) -> mail.Parts:
    sign_off = db.session.get_one(SignOff, sign_off_id)
    section = sign_off.section
    subject = gettext("Returned: section %(number)s, %(title)s", number=section.number, title=local(section.title))
    url = web.external_url("signoff.sections", slug=section.consultation.slug)
    return mail.Parts(subject, "signoff/email/returned", {"sign_off": sign_off, "consultation": section.consultation, "url": url})
