"""What the papers of an event need beyond its registrations: letterhead, certificates, prints in the making."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.audit import Audited
from consult_app.db import Model, Public, enum_type
from consult_app.events.models import Event
from consult_app.i18n import Texts
from consult_app.registrations.models import Registration


class Letterhead(Public, Audited, Model):
    """Whose paper it is and who signs, for every document of one event."""

    __tablename__ = "letterheads"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), unique=True)
    heading: Mapped[Texts] = mapped_column(default=dict)  # lines at the head of a page
    place: Mapped[str] = mapped_column(default="")  # "Jakarta", before the date of a certificate
    signatory_name: Mapped[str] = mapped_column(default="")
    signatory_position: Mapped[Texts] = mapped_column(default=dict)
    hours: Mapped[int | None]  # what a certificate says the event took
    number_pattern: Mapped[str] = mapped_column(default="{number}")  # of certificates: "{number}/IOM/MGI/2023"


class Certificate(Public, Audited, Model):
    """A numbered certificate of attendance, as issued; `public_id` is the code of its verification page."""

    __tablename__ = "certificates"
    __table_args__ = (UniqueConstraint("event_id", "number"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), unique=True)
    number: Mapped[int]
    number_text: Mapped[str]
    name: Mapped[str]  # as printed
    institution: Mapped[str]
    role: Mapped[str]
    hours: Mapped[int | None]
    signatory_name: Mapped[str]
    signatory_position: Mapped[str]
    issued_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    registration: Mapped[Registration] = relationship()
    event: Mapped[Event] = relationship()


class PrintState(enum.StrEnum):
    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"


class Printout(Public, Model):
    """A long print that the worker makes while its page waits; deleted by the daily tidy-up after a day."""

    __tablename__ = "printouts"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    kind: Mapped[str]
    options: Mapped[dict[str, Any]]
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    state: Mapped[PrintState] = mapped_column(enum_type(PrintState), default=PrintState.QUEUED)
    filename: Mapped[str] = mapped_column(default="")
    data: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    event: Mapped[Event] = relationship()
