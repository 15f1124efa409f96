"""The balance of an event's registrations against its quotas and targets. "Registered" are those who hold a place (rule 9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select

from consult_app import disclosure
from consult_app.consultations.models import Attribution
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.i18n import Texts
from consult_app.registrations.models import Attendance, Quota, Registration, RegistrationState, Sex, StakeholderType
from consult_app.registrations.seats import Seats


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
    """All numbers in four statements; with `suppress`, what of them may be told to anybody."""
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
    ).all()
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
    if suppress:
        is_silent = event.consultation.attribution is Attribution.BY_STAKEHOLDER_TYPE
        return _as_told(Balance(lines, total, event.women_target), [kind.id for kind in types], {} if is_silent else _by_sex(types, rows))
    used = [one for one in lines if one.registered or one.waiting or one.pending or one.seats or one.target]
    return Balance(used, total, event.women_target)


def _by_sex(types: Sequence[StakeholderType], rows: Sequence[Any]) -> dict[int, tuple[int, ...]]:
    """Those registered by type: women, men, others."""

    def count(kind: int, *sexes: Sex) -> int:
        return sum(row[4] for row in rows if row[0] == kind and row[1] is RegistrationState.CONFIRMED and row[2] in sexes)

    of = ((Sex.FEMALE,), (Sex.MALE,), (Sex.OTHER, Sex.UNDISCLOSED))
    return {kind.id: tuple(count(kind.id, *sexes) for sexes in of) for kind in types}


def _as_told(told: Balance, kinds: Sequence[int], sexes: dict[int, tuple[int, ...]]) -> Balance:
    """Only who is registered, by type as far as that may be told; under the Chatham House Rule, of all types together.

    Then those who arrived are told by type (`attendance/told.py`): beside them these would tell by subtraction who did not come.
    """
    found = disclosure.tell(disclosure.added(sexes.values(), 3), {"types": {str(kind): counts for kind, counts in sexes.items()}})
    alone = found.alone["types"] if found is not None else {}
    lines = []
    for kind, one in zip(kinds, told.lines, strict=True):
        counts = alone.get(str(kind))
        registered = sum(counts) if counts is not None else None
        lines.append(replace(one, registered=registered, women=None, online=None, waiting=None, pending=None, taken=None))
    total = replace(
        told.total,
        registered=disclosure.number(told.total.registered or 0),
        women=found.everyone[0] if found is not None else None,
        online=None,
        waiting=disclosure.number(told.total.waiting or 0),
        pending=disclosure.number(told.total.pending or 0),
        taken=None,
    )
    return replace(told, lines=lines, total=total, is_suppressed=True)
