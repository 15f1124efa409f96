"""Messages of an organiser to participants of an event."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.accounts.models import User
from consult_app.audit import Audited
from consult_app.db import Model, Public
from consult_app.events.models import Event
from consult_app.i18n import Texts


class Message(Public, Audited, Model):
    """One text to a filtered set of people; each copy is a `Mail` whose `batch` is this message's public id."""

    __tablename__ = "messages"
    audit_later = frozenset({"queued_at"})

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    sent_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    subject: Mapped[Texts]
    body: Mapped[Texts]
    recipients: Mapped[list[str]]  # public ids of the registrations, as the list stood when it was sent
    sent_at: Mapped[dt.datetime]
    queued_at: Mapped[dt.datetime | None]  # when every copy stood in the outbox
    client_key: Mapped[str] = mapped_column(unique=True)  # a form sent twice sends one message

    event: Mapped[Event] = relationship()
    sent_by: Mapped[User | None] = relationship()
