"""Who arrived, and the participation table: the one place from which every document takes these numbers (rule 23)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from consult_app.attendance.models import CLOCK_TOLERANCE, CheckIn, DrawnSignature, ScanResult
from consult_app.consultations.models import Attribution, Consultation
from consult_app.db import db, now
from consult_app.errors import Missing
from consult_app.events.models import Event, Session
from consult_app.i18n import Texts, _
from consult_app.policy import Role
from consult_app.registrations.models import Attendance, Registration, RegistrationState, Sex, StakeholderType

SMALL = 3  # cells of fewer are suppressed where rule 11 asks


@dataclass(frozen=True)
class ParticipationRow:
    """One stakeholder type, or all of them. A number that must not be told is None."""

    name: Texts
    women: int | None
    men: int | None
    other: int | None
    total: int | None
    institutions: int | None
    online: int | None

    @property
    def share_of_women(self) -> int | None:
        """In per cent of the total, rounded."""
        return round(100 * self.women / self.total) if self.women is not None and self.total else None


@dataclass(frozen=True)
class Participation:
    """Who is counted: "arrived" are those with a standing check-in, "registered" those who hold a place."""

    basis: str
    rows: list[ParticipationRow] = field(default_factory=list)
    total: ParticipationRow = field(default_factory=lambda: ParticipationRow({}, 0, 0, 0, 0, 0, 0))
    is_suppressed: bool = False


def arrived_ids(event: Event | type[Event], day: dt.date | None = None, session: Session | None = None) -> Select[int]:
    """The ids of the registrations that have arrived, on one day or on any; or those that came to a session.

    With the class itself, those of the event of a query around it.
    """
    at = CheckIn.session_id == session.id if session else CheckIn.session_id.is_(None)
    query = select(CheckIn.registration_id).where(*standing(event), at)
    return query.where(CheckIn.day == day) if day else query


def standing(event: Event | type[Event]) -> tuple[Any, ...]:
    """What counts: the arrival of each person on each day or at each session, unless it was undone."""
    return (CheckIn.event_id == event.id, CheckIn.is_arrival, CheckIn.undone_at.is_(None))


def count_arrived(event: Event, day: dt.date | None = None) -> int:
    """How many people have arrived."""
    return db.session.scalar(select(func.count(func.distinct(arrived_ids(event, day).subquery().c.registration_id)))) or 0


def participation(
    event: Event, basis: str = "arrived", *, suppress: bool = False, among: ColumnElement[bool] | None = None
) -> Participation:
    """The table by stakeholder type and sex, of all days or of those `among` them.

    With `suppress`, no cell of one or two can be read or worked out.
    """
    parts = (StakeholderType.id, Registration.sex, Registration.attendance, Registration.institution_id)
    query = select(*parts, func.count(), StakeholderType.name, StakeholderType.place).join(Registration.stakeholder_type)
    query = query.where(Registration.event_id == event.id).group_by(*parts)
    if basis == "registered":
        query = query.where(Registration.state == RegistrationState.CONFIRMED)
    elif among is None:
        query = query.where(Registration.id.in_(arrived_ids(event)))
    if among is not None:
        query = query.where(among)
    by_type: dict[int, list[Any]] = {}
    for group in sorted(db.session.execute(query).all(), key=lambda group: group.place):
        by_type.setdefault(group.id, []).append(group)
    rows = [_row(groups[0].name, groups) for groups in by_type.values()]
    table = Participation(basis, rows, _row({"en": "Total", "id": "Jumlah"}, [group for groups in by_type.values() for group in groups]))
    return _suppressed(table) if suppress else table


def _row(name: Texts, groups: Sequence[Any]) -> ParticipationRow:
    def by(*sexes: Sex) -> int:
        return sum(group[4] for group in groups if group.sex in sexes)

    online = sum(group[4] for group in groups if group.attendance is Attendance.ONLINE)
    institutions = len({group.institution_id for group in groups})
    return ParticipationRow(
        name, by(Sex.FEMALE), by(Sex.MALE), by(Sex.OTHER, Sex.UNDISCLOSED), sum(g[4] for g in groups), institutions, online
    )


def _suppressed(table: Participation) -> Participation:
    """Hide every row that has a small cell; if it is the only one, also the next smallest, so that no total gives it away."""

    def is_small(row: ParticipationRow) -> bool:
        return any(0 < (n or 0) < SMALL for n in (row.women, row.men, row.other, row.total, row.online))

    hidden = [row for row in table.rows if is_small(row)]
    others = sorted((row for row in table.rows if row not in hidden), key=lambda row: row.total or 0)
    if len(hidden) == 1 and others:
        hidden.append(others[0])
    rows = [
        replace(r, women=None, men=None, other=None, total=None, institutions=None, online=None) if r in hidden else r for r in table.rows
    ]
    total = table.total
    if is_small(replace(total, online=0)):
        total = replace(total, women=None, men=None, other=None)
    return replace(table, rows=rows, total=replace(total, online=None), is_suppressed=bool(hidden) or total.women is None)


def must_suppress(consultation: Consultation, roles: frozenset[Role]) -> bool:
    """Whether somebody with these roles may only see suppressed tables (rule 11)."""
    sees_all = {Role.ORGANISER, Role.CHECK_IN, Role.FOCAL_POINT, Role.RAPPORTEUR, Role.FACILITATOR, Role.SYSTEM}
    return consultation.attribution is Attribution.BY_STAKEHOLDER_TYPE and not roles & sees_all


def arrivals(event: Event) -> Select[CheckIn]:
    """Standing check-ins, the newest first."""
    return (
        select(CheckIn)
        .where(*standing(event), CheckIn.session_id.is_(None))
        .order_by(CheckIn.scanned_at.desc(), CheckIn.id.desc())
        .options(joinedload(CheckIn.registration).joinedload(Registration.institution), joinedload(CheckIn.by), joinedload(CheckIn.device))
    )


def to_look_at(event: Event, most: int = 100) -> list[tuple[CheckIn, CheckIn | None]]:
    """Scans that an organiser should see, the newest first, each with the arrival that counts (product.md rule 8).

    One ticket at two desks; people who were let in without a network and had been cancelled meanwhile; scans of a revoked
    device; scans by a clock that was wrong.
    """
    arrival = aliased(CheckIn)
    same_list = func.coalesce(arrival.session_id, 0) == func.coalesce(CheckIn.session_id, 0)
    other_desk = or_(arrival.device_id.is_distinct_from(CheckIn.device_id), arrival.by_id.is_distinct_from(CheckIn.by_id))
    is_odd = or_(
        CheckIn.result.not_in((ScanResult.OK, ScanResult.ALREADY)),
        and_(CheckIn.result == ScanResult.ALREADY, arrival.id.is_not(None), other_desk),
        func.abs(CheckIn.clock_offset) > CLOCK_TOLERANCE.total_seconds(),
    )
    of_it = and_(arrival.registration_id == CheckIn.registration_id, arrival.day == CheckIn.day, same_list)
    query = (
        select(CheckIn, arrival)
        .outerjoin(arrival, and_(of_it, arrival.is_arrival, arrival.undone_at.is_(None)))
        .where(CheckIn.event_id == event.id, CheckIn.undone_at.is_(None), is_odd)
        .order_by(CheckIn.id.desc())
        .limit(most)
        .options(joinedload(CheckIn.registration), joinedload(CheckIn.by), joinedload(CheckIn.device))
        .options(joinedload(arrival.by), joinedload(arrival.device))
    )
    return [(scan, counts) for scan, counts in db.session.execute(query).tuples()]


def online_today(registration: Registration) -> tuple[bool, CheckIn | None]:
    """Whether somebody is awaited online today, and the check-in by which they are there."""
    event, today = registration.event, registration.event.day_of(now())
    is_awaited = registration.attendance is Attendance.ONLINE and registration.is_confirmed and today in event.days
    if not is_awaited or (registration.days and today.isoformat() not in registration.days):
        return False, None
    mine = select(CheckIn).where(*standing(event), CheckIn.registration_id == registration.id, CheckIn.day == today)
    return True, db.session.scalar(mine.where(CheckIn.session_id.is_(None)))


def drawn_signatures(event: Event, day: dt.date) -> dict[int, DrawnSignature]:
    """What people drew at the desk for one day's sheet, by registration."""
    rows = db.session.scalars(select(DrawnSignature).where(DrawnSignature.event_id == event.id, DrawnSignature.day == day))
    return {row.registration_id: row for row in rows}


def load_check_in(event: Event, public_id: str) -> CheckIn:
    """A check-in of this event. Raises Missing."""
    found = db.session.scalar(select(CheckIn).where(CheckIn.event_id == event.id, CheckIn.public_id == public_id))
    if found is None:
        raise Missing(_("There is no such check-in at this event."))
    return found


def expected(event: Event, day: dt.date) -> list[Registration]:
    """Everybody with a place on that day, by institution and name: the lines of an attendance sheet."""
    rows = db.session.scalars(
        select(Registration)
        .where(Registration.event_id == event.id, Registration.state == RegistrationState.CONFIRMED)
        .options(joinedload(Registration.institution), joinedload(Registration.stakeholder_type))
    )
    return sorted(
        (r for r in rows if not r.days or day.isoformat() in r.days),
        key=lambda r: (r.stakeholder_type.place, r.institution.key, r.name.casefold()),
    )
