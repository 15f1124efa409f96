"""The copies of a message, and the job that puts them into the outbox."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app import jobs, mail
from consult_app.db import db, now
from consult_app.events.models import Event
from consult_app.i18n import Texts, gettext, local
from consult_app.messages.actions import filled, queue_copies
from consult_app.messages.models import Message
from consult_app.registrations.models import Registration
from consult_app.registrations.tickets import personal_link


def parts(subject: Texts, body: Texts, registration: Registration) -> mail.Parts:
    """One copy, in the language in use; also what the preview shows."""
    names = {
        "registration": registration,
        "paragraphs": [part.strip() for part in filled(local(body), registration).split("\n\n") if part.strip()],
        "link": personal_link(registration.seed) if registration.is_live else "",
    }
    return mail.Parts(filled(local(subject), registration), "messages/email/message", names)


@mail.builder("messages.message")
def _copy(message_id: int, registration_id: int) -> mail.Parts:
    with_event = joinedload(Registration.event).joinedload(Event.consultation)
    registration = db.session.get_one(Registration, registration_id, options=[with_event])
    if not registration.email:
        raise mail.NotNeeded(gettext("The address was erased."))
    message = db.session.get_one(Message, message_id)
    return parts(message.subject, message.body, registration)


@jobs.job("messages.queue")
def queue_message(message_id: int) -> None:
    message = db.session.get(Message, message_id)
    if message is not None and message.queued_at is None:
        queue_copies(message)


@jobs.sweep
def queue_again() -> None:
    """Messages whose job was lost in a crash."""
    late = now() - dt.timedelta(minutes=5)
    for message_id in db.session.scalars(select(Message.id).where(Message.queued_at.is_(None), Message.sent_at < late)):
        jobs.after_commit("messages.queue", message_id)
    db.session.commit()
