"""The link of an invitation, signed so that it cannot be guessed, and the mail that carries it."""

from __future__ import annotations

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app import mail, web
from consult_app.accounts.models import Invitation
from consult_app.consultations import labels
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db
from consult_app.errors import Missing
from consult_app.i18n import _, day, gettext, local


def _tokens() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="invitation")


def invitation_token(invitation: Invitation) -> str:
    """What stands in the address of the link; it opens a page, and accepts nothing by itself."""
    return str(_tokens().dumps([invitation.public_id, invitation.email]))


def load_by_token(token: str) -> Invitation:
    """The invitation of a link. Raises Missing where the link was changed, or the invitation taken back."""
    try:
        public_id, email = _tokens().loads(token)
    except (BadData, ValueError):
        public_id, email = "", ""
    found = db.session.scalar(
        select(Invitation)
        .where(Invitation.public_id == str(public_id), Invitation.email == str(email))
        .options(joinedload(Invitation.invited_by))
    )
    if found is None:
        raise Missing(_("This invitation was taken back, or the link is not complete. Ask whoever invited you."))
    return found


def sections_of(invitation: Invitation) -> list[Section]:
    """The sections that a focal point is asked to answer for."""
    query = select(Section).where(Section.consultation_id == invitation.consultation_id, Section.public_id.in_(invitation.section_ids))
    return list(db.session.scalars(query.order_by(Section.number).options(joinedload(Section.dimension))))


@mail.builder("consultations.invitation")
def invitation_mail(invitation_id: int) -> mail.Parts:
    """The mail to a colleague."""
    invitation = db.session.get_one(Invitation, invitation_id, options=[joinedload(Invitation.invited_by)])
    consultation = db.session.get_one(Consultation, invitation.consultation_id)
    names = {
        "invitation": invitation,
        "consultation": consultation,
        "role": labels.ROLE[invitation.role],
        "sections": sections_of(invitation),
        "until": day(invitation.expires_at.date()),
        "url": web.external_url("consultations.accept_invitation", token=invitation_token(invitation)),
    }
    return mail.Parts(gettext("Invitation: %(title)s", title=local(consultation.title)), "consultations/email/invitation", names)
