"""The balance of an event's registrations against its quotas and targets. "Registered" are those who hold a place (rule 9)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from sqlalchemy import func, select

from consult_app.db import db
from consult_app.events.models import Event
from consult_app.i18n import Texts
from consult_app.registrations.models import Attendance, Quota, Registration, RegistrationState, Sex, StakeholderType
from consult_app.registrations.seats import Seats

SMALL = 3  # cells of fewer are suppressed where they could point at a person


@dataclass(frozen=True)
class Line:
    """One stakeholder type, or all of them. A number that must not be told is None."""

    name: Texts
    registered: int | None = 0
    women: int | None = 0
    online: int | None = 0
    waiting: int | None = 0
    pending: int | None = 0
    seats: int | None = None  # the quota, or the capacity; None: no limit
    taken: int | None = 0  # seats held: in person, without assistants
    target: int | None = None

    @property
    def in_person(self) -> int | None:
        return None if self.registered is None or self.online is None else self.registered - self.online

    @property
    def share_of_women(self) -> int | None:
        """In per cent of those registered, rounded."""
        return None if self.women is None or not self.registered else round(100 * self.women / self.registered)


@dataclass(frozen=True)
class Balance:
    lines: list[Line] = field(default_factory=list)
    total: Line = field(default_factory=lambda: Line({}))
    women_target: int | None = None
    is_suppressed: bool = False


def balance(event: Event, *, suppress: bool = False) -> Balance:
    """All numbers in four statements; with `suppress`, nothing from which one or two people could be told."""
    states = RegistrationState
    rows = (
        db.session.execute(
            select(Registration.stakeholder_type_id, Registration.state, Registration.sex, Registration.attendance, func.count())
            .where(Registration.event_id == event.id, Registration.state.in_([states.CONFIRMED, states.WAITING, states.PENDING]))
            .group_by(Registration.stakeholder_type_id, Registration.state, Registration.sex, Registration.attendance)
        )
        .tuples()
        .all()
    )
    types = db.session.scalars(
        select(StakeholderType).where(StakeholderType.consultation_id == event.consultation_id).order_by(StakeholderType.place)
    )
    quotas = {q.stakeholder_type_id: q for q in db.session.scalars(select(Quota).where(Quota.event_id == event.id))}
    taken = Seats(event).taken

    def line(name: Texts, kind_id: int | None) -> Line:
        mine = [row for row in rows if kind_id is None or row[0] == kind_id]
        confirmed = [row for row in mine if row[1] is states.CONFIRMED]
        quota = quotas.get(kind_id) if kind_id is not None else None
        return Line(
            name,
            registered=sum(row[4] for row in confirmed),
            women=sum(row[4] for row in confirmed if row[2] is Sex.FEMALE),
            online=sum(row[4] for row in confirmed if row[3] is Attendance.ONLINE),
            waiting=sum(row[4] for row in mine if row[1] is states.WAITING),
            pending=sum(row[4] for row in mine if row[1] is states.PENDING),
            seats=event.capacity if kind_id is None else quota.seats if quota else None,
            taken=taken.total() if kind_id is None else taken[kind_id],
            target=quota.target if quota else None,
        )

    lines = [line(kind.name, kind.id) for kind in types]
    targets = [one.target for one in lines if one.target is not None]
    total = replace(line({"en": "Total", "id": "Jumlah"}, None), target=sum(targets) if targets else None)
    told = Balance(
        [one for one in lines if one.registered or one.waiting or one.pending or one.seats or one.target], total, event.women_target
    )
    return _suppressed(told) if suppress else told


def _is_small(n: int | None) -> bool:
    return n is not None and 0 < n < SMALL


def _suppressed(told: Balance) -> Balance:
    """By type only who is registered; small ones hidden, and with them as many more as it takes that their sum is not small."""
    hidden = [one for one in told.lines if _is_small(one.registered)]
    others = sorted((one for one in told.lines if one.registered and one not in hidden), key=lambda one: one.registered or 0)
    while hidden and others and (len(hidden) == 1 or sum(one.registered or 0 for one in hidden) < SMALL):
        hidden.append(others.pop(0))
    bare = [replace(one, women=None, online=None, waiting=None, pending=None, taken=None) for one in told.lines]
    lines = [replace(new, registered=None) if old in hidden else new for old, new in zip(told.lines, bare, strict=True)]
    total = told.total
    registered, women, online = total.registered or 0, total.women or 0, total.online or 0
    total = replace(
        total,
        registered=None if _is_small(registered) else registered,
        women=None if _is_small(women) or _is_small(registered - women) else women,
        online=None if _is_small(online) or _is_small(registered - online) else online,
        waiting=None if _is_small(total.waiting) else total.waiting,
        pending=None if _is_small(total.pending) else total.pending,
        taken=None,
    )
    return replace(told, lines=lines, total=total, is_suppressed=True)
