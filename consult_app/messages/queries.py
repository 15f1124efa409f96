"""Selects over messages and mails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.errors import Missing
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.mail import Mail, MailState
from consult_app.messages.models import Message


def messages(event: Event) -> Select[Message]:
    return select(Message).where(Message.event_id == event.id).options(joinedload(Message.sent_by)).order_by(Message.id.desc())


def load_message(event: Event, public_id: str) -> Message:
    """A message of this event. Raises Missing."""
    found = db.session.scalar(messages(event).where(Message.public_id == public_id))
    if found is None:
        raise Missing(_("There is no such message at this event."))
    return found


def states(batches: Iterable[Message]) -> dict[str, dict[MailState, int]]:
    """How many copies of each message stand in each state, by the message's public id."""
    found: dict[str, dict[MailState, int]] = {message.public_id: {} for message in batches}
    rows = db.session.execute(select(Mail.batch, Mail.state, func.count()).where(Mail.batch.in_(found)).group_by(Mail.batch, Mail.state))
    for batch, state, count in rows:
        found[batch][state] = count
    return found


def mails(consultation: Consultation, filters: Mapping[str, str]) -> Select[Mail]:
    """Mails of a consultation, newest first, for the filters `state`, `q` (a part of the address), `about` and `batch`."""
    query = select(Mail).where(Mail.consultation_id == consultation.id).order_by(Mail.id.desc())
    if filters.get("state") in set(MailState):
        query = query.where(Mail.state == filters["state"])
    for name in ("about", "batch"):
        if filters.get(name):
            query = query.where(getattr(Mail, name) == filters[name])
    if filters.get("q"):
        query = query.where(Mail.to.contains(filters["q"].strip().lower(), autoescape=True))
    return query


def mail_counts(consultation: Consultation) -> dict[MailState, int]:
    rows = db.session.execute(select(Mail.state, func.count()).where(Mail.consultation_id == consultation.id).group_by(Mail.state))
    return dict(rows.tuples().all())


def load_mail(consultation: Consultation, public_id: str) -> Mail:
    """A mail of this consultation. Raises Missing."""
    found = db.session.scalar(select(Mail).where(Mail.consultation_id == consultation.id, Mail.public_id == public_id))
    if found is None:
        raise Missing(_("There is no such mail."))
    return found
