"""Sending a message: once, to exactly the people who were shown, each copy in the reader's language."""

from __future__ import annotations

import re

from sqlalchemy import select

from consult_app import audit, jobs, mail
from consult_app.accounts.models import User
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.events.models import Event
from consult_app.i18n import Texts, _, clock, days, local
from consult_app.messages.labels import PLACEHOLDERS
from consult_app.messages.models import Message
from consult_app.policy import Actor, System
from consult_app.registrations.models import Registration

PLACEHOLDER = re.compile(r"\{([^{}\s]*)\}")
CHUNK = 200  # copies queued in one transaction


def check(texts: Texts, field: str) -> None:
    """Raises Invalid where a placeholder is not known, so that nobody gets a mail that says {nama}."""
    for words in texts.values():
        for name in PLACEHOLDER.findall(words):
            if name not in PLACEHOLDERS:
                known = ", ".join(f"{{{key}}}" for key in PLACEHOLDERS)
                raise Invalid(_("{%(name)s} is not known. These are: %(known)s.", name=name, known=known), field=field)


def filled(words: str, registration: Registration) -> str:
    """The text with its placeholders filled for one person, in the language in use."""
    event = registration.event
    values = {
        "name": registration.full_name,
        "institution": local(registration.institution.name),
        "event": local(event.title),
        "date": days(event.starts_on, event.ends_on),
        "time": clock(event.starts, event.timezone),
        "venue": ", ".join(part for part in (event.venue, event.address) if part),
    }
    return PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), words)


@audit.in_turn
def send(event: Event, recipients: list[Registration], subject: Texts, body: Texts, *, by: Actor, client_key: str) -> Message:
    """Send to everybody of `recipients` who has an address; the same key sends once. Raises Conflict, Invalid."""
    sent = db.session.scalar(select(Message).where(Message.client_key == client_key))
    if sent is not None and sent.event_id != event.id:
        raise Conflict(_("This form was opened for another event. Open it again, and send it from there."))
    if sent is not None:
        return sent
    check(subject, "subject")
    check(body, "body")
    reachable = [registration.public_id for registration in recipients if registration.email]
    if not reachable:
        raise Conflict(_("Nobody of these has an e-mail address."))
    message = Message(
        consultation_id=event.consultation_id,
        event=event,
        sent_by_id=by.id if isinstance(by, User) else None,
        subject=subject,
        body=body,
        recipients=reachable,
        sent_at=now(),
        client_key=client_key,
    )
    db.session.add(message)
    audit.record(by, "message.send", message)
    jobs.after_commit("messages.queue", message.id)
    return message


def queue_copies(message: Message) -> None:
    """Put every copy into the outbox, some hundred in a transaction; what stands there already is left. Commits."""
    for start in range(0, len(message.recipients), CHUNK):
        wanted = message.recipients[start : start + CHUNK]
        rows = db.session.scalars(select(Registration).where(Registration.public_id.in_(wanted)).order_by(Registration.id))
        for registration in rows.all():
            if registration.email:
                mail.queue(
                    "messages.message",
                    registration.email,
                    registration.language,
                    f"message:{message.public_id}:{registration.public_id}",
                    message.consultation_id,
                    about=registration.public_id,
                    batch=message.public_id,
                    message_id=message.id,
                    registration_id=registration.id,
                )
        db.session.commit()
    message.queued_at = now()
    audit.record(System("worker"), "message.queue", message)
    db.session.commit()
