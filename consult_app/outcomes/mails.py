"""Reminders of what is owed: at most one mail a week to an address, with all of it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app import jobs, mail, web
from consult_app.consultations.models import Consultation
from consult_app.db import db, now
from consult_app.i18n import gettext, local
from consult_app.outcomes.models import FollowUp
from consult_app.outcomes.queries import OVER

SOON = dt.timedelta(days=7)


def due(consultation_id: int | None = None, contact: str = "") -> list[FollowUp]:
    """What is late or due within a week and has an address to remind; of all consultations, or of one address."""
    query = select(FollowUp).where(FollowUp.status.not_in(OVER), FollowUp.contact != "", FollowUp.due_on <= now().date() + SOON)
    if consultation_id is not None:
        query = query.where(FollowUp.consultation_id == consultation_id, FollowUp.contact == contact)
    options = (joinedload(FollowUp.consultation), joinedload(FollowUp.institution))
    return list(db.session.scalars(query.order_by(FollowUp.due_on, FollowUp.number).options(*options)))


@jobs.hourly
def remind_follow_ups() -> None:
    """One mail for each address and consultation, once in a calendar week."""
    year, week, _day = now().date().isocalendar()
    for consultation_id, contact, language in {(r.consultation_id, r.contact, r.consultation.languages[0]) for r in due()}:
        key = f"follow-up:{consultation_id}:{contact}:{year}-{week}"
        mail.queue("outcomes.reminder", contact, language, key, consultation_id, of_id=consultation_id, contact=contact)
    db.session.commit()


@mail.builder("outcomes.reminder")
def reminder(of_id: int, contact: str) -> mail.Parts:
    rows = due(of_id, contact)
    if not rows:
        raise mail.NotNeeded
    consultation = db.session.get_one(Consultation, of_id)
    subject = gettext("What is due after “%(title)s”", title=local(consultation.title))
    names = {"rows": rows, "consultation": consultation, "today": now().date()}
    return mail.Parts(subject, "outcomes/email/reminder", names | {"url": web.external_url("outcomes.index", slug=consultation.slug)})
