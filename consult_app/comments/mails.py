"""One message per batch: what became of each comment."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app import mail
from consult_app.comments import labels
from consult_app.comments.models import Comment, Disposition
from consult_app.db import db
from consult_app.i18n import gettext, local
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import personal_link


@mail.builder("comments.answers")
def answers_mail(registration_id: int, ids: list[int]) -> mail.Parts:
    registration = db.session.get_one(Registration, registration_id)
    dispositions = db.session.scalars(
        select(Disposition)
        .where(Disposition.id.in_(ids))
        .order_by(Disposition.id)
        .options(joinedload(Disposition.comment).joinedload(Comment.indicator), joinedload(Disposition.revision))
    ).all()
    title = local(registration.event.consultation.title)
    names = {
        "registration": registration,
        "dispositions": dispositions,
        "until": max((d.object_until for d in dispositions if d.object_until is not None), default=None),
        "labels": labels,
        "link": personal_link(registration.seed, "/my/comments"),
        "consultation": registration.event.consultation,
    }
    return mail.Parts(gettext("What became of your comments: %(consultation)s", consultation=title), "comments/email/answers", names)
