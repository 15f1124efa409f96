"""The room: what stands on the screen and the phones while a session of the agenda runs."""

from __future__ import annotations

import datetime as dt
import enum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.audit import Audited
from consult_app.comments.models import Comment
from consult_app.consultations.models import Indicator
from consult_app.db import Model, Public, enum_type
from consult_app.events.models import Event, Session


class RoomState(enum.StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    CLOSED = "closed"


class Room(Public, Audited, Model):
    """One session as it is held: parallel groups have a room each. It moves from indicator to indicator of its dimension."""

    __tablename__ = "rooms"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id"), unique=True)
    state: Mapped[RoomState] = mapped_column(enum_type(RoomState), default=RoomState.WAITING)
    indicator_id: Mapped[int | None] = mapped_column(ForeignKey("indicators.id"), index=True)
    takes_comments: Mapped[bool] = mapped_column(default=True)
    takes_positions: Mapped[bool] = mapped_column(default=True)
    pinned_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id"))
    ends_at: Mapped[dt.datetime | None]  # of the time given to the indicator that is shown
    notes: Mapped[str] = mapped_column(default="")  # what the group reports back to the plenary

    event: Mapped[Event] = relationship()
    session: Mapped[Session] = relationship()
    indicator: Mapped[Indicator | None] = relationship()
    pinned: Mapped[Comment | None] = relationship()

    @property
    def is_on(self) -> bool:
        """Whether phones and screen follow it."""
        return self.state in (RoomState.RUNNING, RoomState.PAUSED)
