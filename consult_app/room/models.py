"""The room: what stands on the screen and the phones while a session of the agenda runs."""

from __future__ import annotations

import datetime as dt
import enum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.accounts.models import User
from consult_app.audit import Audited
from consult_app.comments.models import Comment
from consult_app.consultations.models import Indicator
from consult_app.db import Model, Public, enum_type
from consult_app.events.models import Event, Session
from consult_app.registrations.models import Registration


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
    is_moderated: Mapped[bool] = mapped_column(default=False)  # comments of participants wait for a facilitator
    notes: Mapped[str] = mapped_column(default="")  # what the group reports back to the plenary
    # counted up at each save; notes that were begun from an older number are refused (409) and shown beside the newer ones
    notes_number: Mapped[int] = mapped_column(default=0)
    notes_at: Mapped[dt.datetime | None]
    notes_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    event: Mapped[Event] = relationship()
    session: Mapped[Session] = relationship()
    indicator: Mapped[Indicator | None] = relationship()
    pinned: Mapped[Comment | None] = relationship()
    notes_by: Mapped[User | None] = relationship()

    @property
    def is_on(self) -> bool:
        """Whether phones and screen follow it."""
        return self.state in (RoomState.RUNNING, RoomState.PAUSED)


_RAISED = text("lowered_at IS NULL")


class Hand(Public, Audited, Model):
    """A hand from the floor: raised by a participant, lowered by them, or by a facilitator once they spoke."""

    __tablename__ = "hands"
    __table_args__ = (
        Index(
            "uq_hands_room_id_registration_id_raised",
            "room_id",
            "registration_id",
            unique=True,
            sqlite_where=_RAISED,
            postgresql_where=_RAISED,
        ),
    )

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    lowered_at: Mapped[dt.datetime | None]

    room: Mapped[Room] = relationship()
    registration: Mapped[Registration] = relationship()


class ConsoleVisit(Model):
    """Who has the console of a room open: said anew every few seconds, and nothing that is kept."""

    __tablename__ = "console_visits"
    __table_args__ = (UniqueConstraint("room_id", "user_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    room_id: Mapped[int] = mapped_column(ForeignKey("rooms.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    seen_at: Mapped[dt.datetime]

    user: Mapped[User] = relationship()
