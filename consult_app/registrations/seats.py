"""Seats: counted under a lock, so that none is given twice (product.md rule 4)."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select

from consult_app import audit
from consult_app.db import db, now
from consult_app.events.actions import event_changed
from consult_app.events.models import Event
from consult_app.policy import Actor
from consult_app.registrations.models import Attendance, ParticipantRole, Quota, Registration, RegistrationState, StakeholderType
from consult_app.registrations.telling import tell


class Seats:
    """The seats of one event as they stand; under the lock they stay so until the transaction ends."""

    def __init__(self, event: Event) -> None:
        self.capacity = db.session.scalar(select(Event.capacity).where(Event.id == event.id))
        self.quotas: dict[int | None, int | None] = dict(
            db.session.execute(select(Quota.stakeholder_type_id, Quota.seats).where(Quota.event_id == event.id)).tuples().all()
        )
        self.taken = Counter(
            dict(
                db.session.execute(
                    select(Registration.stakeholder_type_id, func.count())
                    .where(
                        Registration.event_id == event.id,
                        Registration.state == RegistrationState.CONFIRMED,
                        Registration.role != ParticipantRole.ASSISTANT,
                        Registration.attendance == Attendance.IN_PERSON,
                    )
                    .group_by(Registration.stakeholder_type_id)
                )
                .tuples()
                .all()
            )
        )

    def left(self, kind_id: int) -> int | None:
        """How many more of this type may come in person; None: no limit."""
        limits = [] if self.capacity is None else [self.capacity - self.taken.total()]
        quota = self.quotas.get(kind_id)
        if quota is not None:
            limits.append(quota - self.taken[kind_id])
        return max(0, min(limits)) if limits else None

    def state_for(self, registration: Registration) -> RegistrationState:
        """What a registration becomes that is not among the confirmed yet."""
        left = self.left(registration.stakeholder_type.id) if registration.takes_a_seat else None
        return RegistrationState.WAITING if left == 0 else RegistrationState.CONFIRMED


def seats_left(event: Event, kind: StakeholderType) -> int | None:
    """How many more of this type may come in person; None: no limit."""
    return Seats(event).left(kind.id)


def state_for(event: Event, registration: Registration) -> RegistrationState:
    return Seats(event).state_for(registration)


def set_state(registration: Registration, state: RegistrationState, note: str = "") -> None:
    registration.state, registration.state_changed_at, registration.state_note = state, now(), note
    db.session.flush()  # the next count of seats has to see it


@audit.in_turn
def move_up(event: Event, *, by: Actor) -> None:
    """Give free seats to those who wait, in order, and tell them."""
    waiting = db.session.scalars(
        select(Registration)
        .where(Registration.event_id == event.id, Registration.state == RegistrationState.WAITING)
        .order_by(Registration.state_changed_at, Registration.id)
    ).all()
    if not waiting:
        return
    seats = Seats(event)
    for registration in waiting:
        if seats.state_for(registration) is RegistrationState.CONFIRMED:
            set_state(registration, RegistrationState.CONFIRMED)
            seats.taken[registration.stakeholder_type_id] += registration.takes_a_seat
            audit.record(by, "registration.move_up", registration)
            tell(registration, "seat")


@event_changed.connect
def _seats_changed(event: Event, by: Actor) -> None:
    move_up(event, by=by)


def _quota(event: Event, *, kind_id: int | None = None, dimension_id: int | None = None) -> Quota | None:
    return db.session.scalar(
        select(Quota).where(Quota.event_id == event.id, Quota.stakeholder_type_id == kind_id, Quota.dimension_id == dimension_id)
    )


@audit.in_turn
def put_quota(
    event: Event, seats: int | None, target: int | None = None, *, kind_id: int | None = None, dimension_id: int | None = None, by: Actor
) -> None:
    """Write the seats and the target of a stakeholder type or the seats of a group; nothing is recorded where nothing changes."""
    quota = _quota(event, kind_id=kind_id, dimension_id=dimension_id)
    if quota is None:
        if seats is None and target is None:
            return
        quota = Quota(consultation_id=event.consultation_id, event_id=event.id, stakeholder_type_id=kind_id, dimension_id=dimension_id)
        db.session.add(quota)
    elif (quota.seats, quota.target) == (seats, target):
        return
    quota.seats, quota.target = seats, target
    audit.record(by, "quota.set", quota)


@audit.in_turn
def set_quota(event: Event, kind: StakeholderType, seats: int, *, by: Actor) -> None:
    """How many seats a stakeholder type has at an event; those who wait move up if there are more."""
    quota = _quota(event, kind_id=kind.id)
    put_quota(event, seats, quota.target if quota else None, kind_id=kind.id, by=by)
    move_up(event, by=by)
