"""Check-ins, the devices that make them, and signatures drawn at the desk."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.accounts.models import User
from consult_app.audit import Audited
from consult_app.db import Model, Public, enum_type, now
from consult_app.events.models import Event, Session
from consult_app.policy import Role
from consult_app.registrations.models import Attendance, Registration

CLOCK_TOLERANCE = dt.timedelta(minutes=2)  # a device's clock that is further off is flagged (product.md rule 8)


class ScanResult(enum.StrEnum):
    """What a scan answers (product.md rule 7)."""

    OK = "ok"
    ALREADY = "already"
    WRONG_EVENT = "wrong_event"
    WRONG_DAY = "wrong_day"
    CANCELLED = "cancelled"
    WAITING_LIST = "waiting_list"
    PENDING = "pending"  # an organiser has yet to approve
    REFUSED = "refused"  # an organiser did not approve
    UNKNOWN = "unknown"
    REVOKED = "revoked"  # the device may no longer check anybody in


class Movement(enum.StrEnum):
    ENTRY = "entry"
    EXIT = "exit"


class DeviceKind(enum.StrEnum):
    DESK = "desk"  # staff scan
    KIOSK = "kiosk"  # guests check themselves in
    APP = "app"  # another program, by a token


class Device(Public, Audited, Model):
    """A phone, tablet or program that checks in at one event, without an account; an actor of its own.

    It is invited (a one-time QR), paired (it holds the token), and some day revoked. Token and QR come from the seed and
    the site's token key, as tickets do; the database keeps their SHA-256.
    """

    __tablename__ = "devices"
    audit_leaves_out = frozenset({"last_seen_at", "pending", "app_version", "clock_offset", "wiped_at"})  # what it last said

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    name: Mapped[str]
    kind: Mapped[DeviceKind] = mapped_column(enum_type(DeviceKind))
    asks_signature: Mapped[bool] = mapped_column(default=False)
    seed: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    pairing_hash: Mapped[str | None] = mapped_column(unique=True)
    pairing_ends_at: Mapped[dt.datetime | None]
    client_key_hash: Mapped[str | None]  # who paired: the same phone may ask again
    paired_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    # as the device last said
    last_seen_at: Mapped[dt.datetime | None]
    pending: Mapped[int] = mapped_column(default=0)  # scans that wait on it
    app_version: Mapped[str] = mapped_column(default="")
    clock_offset: Mapped[float | None]  # seconds: ours minus its own
    wiped_at: Mapped[dt.datetime | None]  # told of its revocation

    event: Mapped[Event] = relationship()

    is_user = False
    is_participant = False
    is_authenticated = True
    is_anonymous = False

    @property
    def is_revoked(self) -> bool:
        return self.revoked_at is not None

    @property
    def is_waiting(self) -> bool:
        """Whether its QR can still be opened."""
        return self.paired_at is None and not self.is_revoked and self.pairing_ends_at is not None and now() < self.pairing_ends_at

    @property
    def clock_is_wrong(self) -> bool:
        return self.clock_offset is not None and abs(self.clock_offset) > CLOCK_TOLERANCE.total_seconds()

    # -- as an actor (policy.Actor) --

    @property
    def actor_key(self) -> str:
        return f"device:{self.public_id}"

    def roles_in(self, consultation_id: int | None) -> frozenset[Role]:
        return frozenset()

    def is_named_for(self, section_id: int | None) -> bool:
        return False

    def owns(self, thing: Any) -> bool:
        """Its event, and nothing else."""
        return isinstance(thing, Event) and thing.id == self.event_id


class CheckIn(Public, Audited, Model):
    """One scan, or one name ticked, of somebody registered: what it said, when, where, and whether it counts.

    For each person, day and list the earliest standing entry is the arrival; later ones say "already", or are re-entries
    after an exit. Scans that were refused (cancelled meanwhile, a revoked device) stand too, for the organiser to see.
    `created_at` is when it reached us, `scanned_at` when it was made, corrected by the device's clock; `claimed_at` is what
    the device said. An undone one stays, with who undid it and why.
    """

    __tablename__ = "check_ins"
    __table_args__ = (
        *(  # the same scan sent twice counts once
            Index(
                f"uq_check_ins_{who}_nonce",
                who,
                "nonce",
                unique=True,
                sqlite_where=text(f"{who} IS NOT NULL"),
                postgresql_where=text(f"{who} IS NOT NULL"),
            )
            for who in ("by_id", "device_id")
        ),
        Index(
            "uq_check_ins_arrival_on_day",
            "registration_id",
            "day",
            unique=True,
            sqlite_where=text("is_arrival AND undone_at IS NULL AND session_id IS NULL"),
            postgresql_where=text("is_arrival AND undone_at IS NULL AND session_id IS NULL"),
        ),
        Index(
            "uq_check_ins_arrival_at_session",
            "registration_id",
            "session_id",
            unique=True,
            sqlite_where=text("is_arrival AND undone_at IS NULL AND session_id IS NOT NULL"),
            postgresql_where=text("is_arrival AND undone_at IS NULL AND session_id IS NOT NULL"),
        ),
        Index("ix_check_ins_registration_id_day", "registration_id", "day"),
        Index("ix_check_ins_event_id_day", "event_id", "day"),
        CheckConstraint("NOT is_arrival OR (result = 'ok' AND type = 'entry')", name="arrivals_are_entries"),
    )

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("sessions.id"))  # None: the entry of the day
    day: Mapped[dt.date]
    type: Mapped[Movement] = mapped_column(enum_type(Movement), default=Movement.ENTRY)
    mode: Mapped[Attendance] = mapped_column(enum_type(Attendance), default=Attendance.IN_PERSON)
    result: Mapped[ScanResult] = mapped_column(enum_type(ScanResult), default=ScanResult.OK)
    is_arrival: Mapped[bool] = mapped_column(default=True)
    scanned_at: Mapped[dt.datetime]
    claimed_at: Mapped[dt.datetime | None]  # None: at the moment it reached us
    clock_offset: Mapped[float | None]  # seconds added to what the device claimed
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"))
    nonce: Mapped[str]
    undone_at: Mapped[dt.datetime | None]
    undone_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    undo_reason: Mapped[str] = mapped_column(default="")

    event: Mapped[Event] = relationship()
    registration: Mapped[Registration] = relationship()
    session: Mapped[Session | None] = relationship()
    by: Mapped[User | None] = relationship(foreign_keys=[by_id])
    device: Mapped[Device | None] = relationship()

    @property
    def where(self) -> str:
        """The desk that made it: the device's name, or the account's."""
        return self.device.name if self.device else self.by.name if self.by else ""

    @property
    def clock_was_wrong(self) -> bool:
        return self.clock_offset is not None and abs(self.clock_offset) > CLOCK_TOLERANCE.total_seconds()


class DrawnSignature(Public, Audited, Model):
    """What somebody drew with a finger at the desk, for the attendance sheet of one day: an uncertified electronic signature."""

    __tablename__ = "drawn_signatures"
    __table_args__ = (UniqueConstraint("registration_id", "day"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    day: Mapped[dt.date]
    strokes: Mapped[list[list[int]]] = mapped_column(JSON)  # each x0, y0, x1, y1 …; 1000 wide, 400 high, from the top left
    drawn_at: Mapped[dt.datetime]
    device_id: Mapped[int | None] = mapped_column(ForeignKey("devices.id"))

    registration: Mapped[Registration] = relationship()


class ArrivalsTold(Public, Audited, Model):
    """What observers are told of those who arrived at an event under the Chatham House Rule, from `created_at` on.

    The newest row of an event counts; none is ever changed. `told` is a `disclosure.Told`, by stakeholder type and sex.
    """

    __tablename__ = "arrivals_told"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    told: Mapped[dict[str, Any]] = mapped_column(JSON)
