"""The counter of a day or a session while people come in: who is there, who is missing, how fast they arrive."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, or_, select
from sqlalchemy.orm import joinedload

from consult_app import disclosure
from consult_app.attendance.models import CheckIn, Movement, ScanResult
from consult_app.attendance.queries import Participation, arrived_ids, participation
from consult_app.db import db, now
from consult_app.errors import Missing
from consult_app.events.models import Event, Session
from consult_app.i18n import _
from consult_app.registrations.models import Attendance, Registration, RegistrationState

MOST_BARS = 60
STEPS = (1, 2, 5, 10, 15, 30, 60)  # minutes that one bar may stand for


@dataclass(frozen=True)
class Place:
    """A list that people are checked into: the entry of a day, or a session."""

    event: Event
    day: dt.date
    session: Session | None = None

    @property
    def key(self) -> str:
        """As it stands in an address (`?list=`)."""
        return self.session.public_id if self.session else self.day.isoformat()


@dataclass(frozen=True)
class Pace:
    """How many arrived in each step of `step` minutes from `first` on, and the step with the most."""

    first: dt.datetime
    step: int
    counts: list[int]

    @property
    def most(self) -> int:
        return max(self.counts)

    @property
    def busiest(self) -> dt.datetime:
        return self.first + dt.timedelta(minutes=self.step * self.counts.index(self.most))

    @property
    def last(self) -> dt.datetime:
        return self.first + dt.timedelta(minutes=self.step * len(self.counts))


@dataclass(frozen=True)
class Live:
    """The figures of one list. `expected` hold a place on its day; `inside` came in and did not leave; `online` watch from afar."""

    expected: int
    arrived: int
    missing: int
    inside: int
    online: int
    recent: int  # arrivals of the last five minutes
    pace: Pace | None
    by_type: Participation
    expected_by_type: Participation


def places(event: Event) -> list[Place]:
    """Every list of an event: its days, then its sessions."""
    return [Place(event, day) for day in event.days] + [Place(event, s.day, s) for s in event.sessions]


def place_of(event: Event, wanted: str) -> Place:
    """The list that an address asks for; with none asked for today's, else that of the nearest day. Raises Missing."""
    if not wanted:
        today = event.day_of(now())
        return Place(event, min(event.days, key=lambda day: abs(day - today)))
    found = next((place for place in places(event) if place.key == wanted), None)
    if found is None:
        raise Missing(_("There is no such list at this event."))
    return found


def _expected(place: Place) -> tuple[ColumnElement[bool], ...]:
    """Holds a place on that day (an empty list of days means all of them)."""
    days = cast(Registration.days, Text)
    on_day = or_(days == "[]", days.contains(place.day.isoformat()))
    return (Registration.event_id == place.event.id, Registration.state == RegistrationState.CONFIRMED, on_day)


def _last_moves(place: Place) -> Any:
    """The last movement of each person, as a subquery."""
    in_order = func.row_number().over(partition_by=CheckIn.registration_id, order_by=(CheckIn.scanned_at.desc(), CheckIn.id.desc()))
    session = CheckIn.session_id == place.session.id if place.session else CheckIn.session_id.is_(None)
    moves = (
        select(CheckIn.registration_id, CheckIn.type, CheckIn.mode, CheckIn.scanned_at, in_order.label("nth"))
        .where(CheckIn.event_id == place.event.id, CheckIn.day == place.day, session)
        .where(CheckIn.result == ScanResult.OK, CheckIn.undone_at.is_(None))
        .subquery()
    )
    return select(moves).where(moves.c.nth == 1, moves.c.type == Movement.ENTRY).subquery()


def count(place: Place, *, suppress: bool = False) -> Live:
    """The figures, at this moment. With `suppress`, the table by type is what of it may be told to anybody (product.md rule 11)."""
    arrived = arrived_ids(place.event, place.day, place.session)
    is_whole = place.session is None and len(place.event.days) == 1
    by_type = participation(place.event, suppress=suppress, among=None if is_whole else Registration.id.in_(arrived))
    expected = participation(place.event, "registered", suppress=suppress, among=_expected(place)[2])
    times = list(db.session.scalars(arrived.with_only_columns(CheckIn.scanned_at)))
    inside = _last_moves(place)
    rows = db.session.execute(select(inside.c.mode, func.count()).group_by(inside.c.mode)).tuples()
    modes: dict[Attendance, int] = dict(rows.all())
    online = modes.get(Attendance.ONLINE, 0)
    missing = db.session.scalar(select(func.count()).select_from(people(place, "missing").order_by(None).subquery()))
    five = now() - dt.timedelta(minutes=5)
    return Live(
        expected.total.total or 0,
        len(times),
        missing or 0,
        modes.get(Attendance.IN_PERSON, 0),
        disclosure.number(online) or 0 if suppress else online,
        sum(time > five for time in times),
        _pace(times),
        by_type,
        expected,
    )


def _pace(times: list[dt.datetime]) -> Pace | None:
    if not times:
        return None
    first = min(times).replace(second=0, microsecond=0)
    minutes = int((max(times) - first).total_seconds() // 60) + 1
    step = next((step for step in STEPS if minutes <= step * MOST_BARS), STEPS[-1])
    counts = Counter(int((time - first).total_seconds() // 60) // step for time in times)
    return Pace(first, step, [counts[n] for n in range(minutes // step + (minutes % step > 0))])


def people(place: Place, who: str) -> Select[Registration]:
    """Those who are "missing" (expected, not arrived), or "inside" (came in, did not leave); by name."""
    query = select(Registration).options(joinedload(Registration.institution)).order_by(Registration.name, Registration.id)
    if who == "inside":
        return query.where(Registration.id.in_(select(_last_moves(place).c.registration_id)))
    return query.where(*_expected(place), Registration.id.not_in(arrived_ids(place.event, place.day, place.session)))
