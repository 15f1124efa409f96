"""Mails about sign-offs: a text was returned, to the organisers; a decision was recorded, to all who sign the section."""

from __future__ import annotations

from consult_app import checkpoints, mail, web
from consult_app.db import db
from consult_app.i18n import gettext, local
from consult_app.signoff import labels
from consult_app.signoff.models import SignOff


@mail.builder("signoff.returned")
def returned_mail(sign_off_id: int) -> mail.Parts:
    sign_off = db.session.get_one(SignOff, sign_off_id)
    section = sign_off.section
    subject = gettext("Returned: section %(number)s, %(title)s", number=section.number, title=local(section.title))
    url = web.external_url("signoff.sections", slug=section.consultation.slug)
    return mail.Parts(subject, "signoff/email/returned", {"sign_off": sign_off, "consultation": section.consultation, "url": url})


@mail.builder("signoff.signed")
def signed_mail(sign_off_id: int, number: int) -> mail.Parts:
    """With the checkpoint of the log at this decision attached; waits (as an OSError) while the key cannot be read."""
    sign_off = db.session.get_one(SignOff, sign_off_id)
    consultation = sign_off.section.consultation
    text = checkpoints.make(str(consultation.id), number)
    names = {
        "s": sign_off,
        "section": sign_off.section,
        "consultation": consultation,
        "number": number,
        "public_key": checkpoints.public_key(),
        "labels": labels,
        "url": web.external_url("signoff.sections", slug=consultation.slug),
    }
    title = local(sign_off.section.title)
    subject = gettext(
        "%(decision)s: section %(number)s, %(title)s",
        decision=labels.DECIDED[sign_off.decision],
        number=sign_off.section.number,
        title=title,
    )
    file = mail.Attachment(f"checkpoint-{consultation.slug}-{number}.json", "application/json", text.encode())
    return mail.Parts(subject, "signoff/email/signed", names, [file])
