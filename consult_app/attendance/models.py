"""Check-ins."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.accounts.models import User
from consult_app.audit import Audited
from consult_app.db import Model, Public
from consult_app.events.models import Event
from consult_app.registrations.models import Registration


class CheckIn(Public, Audited, Model):
    """An arrival on one day. An undone one stays, with who undid it and why."""

    __tablename__ = "check_ins"
    __table_args__ = (
        UniqueConstraint("by_id", "nonce"),  # the same scan sent twice counts once
        Index(
            "uq_check_ins_registration_id_day_standing",
            "registration_id",
            "day",
            unique=True,
            sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
        Index("ix_check_ins_event_id_day", "event_id", "day"),
    )

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    day: Mapped[dt.date]
    scanned_at: Mapped[dt.datetime]  # as the desk says
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    nonce: Mapped[str]
    undone_at: Mapped[dt.datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    undo_reason: Mapped[str] = mapped_column(default="")

    event: Mapped[Event] = relationship()
    registration: Mapped[Registration] = relationship()
    by: Mapped[User | None] = relationship(foreign_keys=[by_id])
