"""Events of a consultation and the sessions of their agenda."""

from __future__ import annotations

import datetime as dt
import enum
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.accounts.models import User
from consult_app.audit import Audited
from consult_app.consultations.models import Consultation, Dimension
from consult_app.db import Model, Public, enum_type, now
from consult_app.i18n import Texts


class EventKind(enum.StrEnum):
    COORDINATION = "coordination"
    FGD = "fgd"
    VALIDATION = "validation"
    OTHER = "other"


class EventState(enum.StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


class EventMode(enum.StrEnum):
    IN_PERSON = "in_person"
    ONLINE = "online"
    HYBRID = "hybrid"


class SessionKind(enum.StrEnum):
    OPENING = "opening"
    PLENARY = "plenary"
    GROUP = "group"
    BREAK = "break"
    CLOSING = "closing"


class Event(Public, Audited, Model):
    """One meeting of the consultation; its times are in its own zone."""

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint("ends_on >= starts_on", name="days_in_order"),
        CheckConstraint("capacity IS NULL OR capacity >= 0", name="capacity_not_negative"),
        CheckConstraint("women_target IS NULL OR women_target BETWEEN 0 AND 100", name="women_target_per_cent"),
    )

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    slug: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[EventKind] = mapped_column(enum_type(EventKind))
    state: Mapped[EventState] = mapped_column(enum_type(EventState), default=EventState.DRAFT)
    mode: Mapped[EventMode] = mapped_column(enum_type(EventMode), default=EventMode.IN_PERSON)
    title: Mapped[Texts]
    description: Mapped[Texts] = mapped_column(default=dict)
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]
    starts_at: Mapped[dt.time]
    ends_at: Mapped[dt.time]
    timezone: Mapped[str]
    venue: Mapped[str] = mapped_column(default="")
    address: Mapped[str] = mapped_column(default="")
    online_url: Mapped[str] = mapped_column(default="")
    capacity: Mapped[int | None]  # seats in all; None: no limit
    registration_opens_at: Mapped[dt.datetime | None]  # None: as soon as the event is published
    registration_closes_at: Mapped[dt.datetime | None]  # None: when the event ends
    needs_approval: Mapped[bool] = mapped_column(default=False)  # who registers waits for an organiser's yes
    women_target: Mapped[int | None]  # per cent of those registered; None: no target

    consultation: Mapped[Consultation] = relationship()
    sessions: Mapped[list[Session]] = relationship(
        order_by="Session.day, Session.starts_at, Session.id", back_populates="event", cascade="all, delete-orphan"
    )

    @property
    def is_public(self) -> bool:
        return self.state is not EventState.DRAFT

    @property
    def is_cancelled(self) -> bool:
        return self.state is EventState.CANCELLED

    @property
    def takes_registrations(self) -> bool:
        """Whether the public form is open: published, and within the registration window."""
        closes = self.registration_closes_at or self.ends
        return self.state is EventState.PUBLISHED and not self.opens_later and now() < closes

    @property
    def opens_later(self) -> bool:
        """Whether registration has an opening time that has not come yet."""
        return self.registration_opens_at is not None and now() < self.registration_opens_at

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def starts(self) -> dt.datetime:
        return dt.datetime.combine(self.starts_on, self.starts_at, self.zone)

    @property
    def ends(self) -> dt.datetime:
        return dt.datetime.combine(self.ends_on, self.ends_at, self.zone)

    @property
    def days(self) -> list[dt.date]:
        """Every day from the first to the last."""
        return [self.starts_on + dt.timedelta(days=n) for n in range((self.ends_on - self.starts_on).days + 1)]

    def day_of(self, moment: dt.datetime) -> dt.date:
        """The date in the event's zone at a moment."""
        return moment.astimezone(self.zone).date()


class Session(Public, Audited, Model):
    """An item of an event's agenda."""

    __tablename__ = "sessions"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    dimension_id: Mapped[int | None] = mapped_column(ForeignKey("dimensions.id"))
    kind: Mapped[SessionKind] = mapped_column(enum_type(SessionKind), default=SessionKind.PLENARY)
    title: Mapped[Texts]
    speaker: Mapped[str] = mapped_column(default="")
    facilitator_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    rapporteur_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    day: Mapped[dt.date]
    starts_at: Mapped[dt.time]
    ends_at: Mapped[dt.time]

    event: Mapped[Event] = relationship(back_populates="sessions")
    dimension: Mapped[Dimension | None] = relationship()
    facilitator: Mapped[User | None] = relationship(foreign_keys=[facilitator_id], lazy="joined")
    rapporteur: Mapped[User | None] = relationship(foreign_keys=[rapporteur_id], lazy="joined")
