"""Who arrived, and the participation table: the one place from which every document takes these numbers (rule 23)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import aliased, joinedload

from consult_app import disclosure
from consult_app.attendance.models import CLOCK_TOLERANCE, ArrivalsTold, CheckIn, DrawnSignature, ScanResult
from consult_app.consultations.models import Attribution, Consultation
from consult_app.db import db, now
from consult_app.errors import Missing
from consult_app.events.models import Event, Session
from consult_app.i18n import Texts, _
from consult_app.policy import Role
from consult_app.registrations.models import Attendance, Registration, RegistrationState, Sex, StakeholderType

SEXES = ((Sex.FEMALE,), (Sex.MALE,), (Sex.OTHER, Sex.UNDISCLOSED))  # as tables tell them
TYPES = "types"  # the way in which those who arrived are divided


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
        """In per cent of those whose sex is told, rounded."""
        known = (self.women or 0) + (self.men or 0) + (self.other or 0)
        return round(100 * self.women / known) if self.women is not None and known else None


@dataclass(frozen=True)
class Participation:
    """Who is counted: "arrived" are those with a standing check-in, "registered" those who hold a place."""

    basis: str
    rows: list[ParticipationRow] = field(default_factory=list)
    total: ParticipationRow = field(default_factory=lambda: ParticipationRow({}, 0, 0, 0, 0, 0, 0))
    is_suppressed: bool = False
    told_at: dt.datetime | None = None  # when what may be told was last told


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

    With `suppress`, what of it may be told to anybody. Under the Chatham House Rule that is what was told last of those who arrived
    (`attendance/told.py`); of those who registered, and of some days, how many there are.
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
    if not suppress:
        return table
    if event.consultation.attribution is not Attribution.BY_STAKEHOLDER_TYPE:
        return _told_now(table, event, by_type)
    if basis != "arrived" or among is not None:
        return _as_told(table, None, {})
    newest = select(func.max(ArrivalsTold.id)).where(ArrivalsTold.event_id == event.id).scalar_subquery()
    found = db.session.execute(_named_types(event).add_columns(ArrivalsTold).join(ArrivalsTold, ArrivalsTold.id == newest)).tuples().all()
    if not found:
        return _as_told(table, None, {})
    kept: ArrivalsTold = found[0][2]
    types = {str(row[0]): row[1] for row in found}
    return replace(_as_told(table, disclosure.Told.from_json(kept.told), types), told_at=kept.created_at)


def _row(name: Texts, groups: Sequence[Any]) -> ParticipationRow:
    def by(*sexes: Sex) -> int:
        return sum(group[4] for group in groups if group.sex in sexes)

    online = sum(group[4] for group in groups if group.attendance is Attendance.ONLINE)
    institutions = len({group.institution_id for group in groups})
    women, men, other = (by(*sexes) for sexes in SEXES)
    return ParticipationRow(name, women, men, other, sum(group[4] for group in groups), institutions, online)


OTHERS: Texts = {"en": "Other types together", "id": "Jenis lain bersama-sama"}
NOT_YET: Texts = {"en": "Not broken down", "id": "Tidak dirinci"}


def _named_types(event: Event) -> Select[int, Texts]:
    """The stakeholder types that somebody at an event may have, by id and name, in their order."""
    of_it = StakeholderType.consultation_id == event.consultation_id
    return select(StakeholderType.id, StakeholderType.name).where(of_it).order_by(StakeholderType.place)


def _told_now(table: Participation, event: Event, by_type: dict[int, list[Any]]) -> Participation:
    """A table as it may be told at this moment, where what was told before need not be heeded."""
    types = {str(one): name for one, name in db.session.execute(_named_types(event)).tuples()}
    rows = {one: (0,) * len(SEXES) for one in types}
    for kind, groups in by_type.items():
        rows[str(kind)] = tuple(sum(group[4] for group in groups if group.sex in sexes) for sexes in SEXES)
    return _as_told(table, disclosure.tell(disclosure.added(rows.values(), len(SEXES)), {TYPES: rows}), types)


def _as_told(table: Participation, told: disclosure.Told | None, types: dict[str, Texts]) -> Participation:
    """A table with the rows that may be told, those of the others together, and those who are not broken down.

    How many there are is told as it is: they are counted at the door, and the number says nothing of anybody.

    Institutions are told of all together: in a row they would divide its people once more. So would those who are online.
    """
    institutions = disclosure.number(table.total.institutions or 0)
    total = replace(table.total, women=None, men=None, other=None, institutions=institutions, online=None)
    rows = []
    if told is not None:
        alone = told.alone[TYPES]
        rows = [_told_row(name, alone[key]) for key, name in types.items() if key in alone]
        if rows and any(told.others(TYPES)):
            rows.append(_told_row(OTHERS, told.others(TYPES)))
        women, men, other = told.everyone
        total = replace(total, women=women, men=men, other=other)
        left = (total.total or 0) - sum(told.everyone)
        if left > 0:
            rows.append(ParticipationRow(NOT_YET, None, None, None, left, None, None))
    return replace(table, rows=rows, total=total, is_suppressed=True)


def _told_row(name: Texts, counts: disclosure.Counts) -> ParticipationRow:
    women, men, other = counts
    return ParticipationRow(name, women, men, other, sum(counts), None, None)


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
