"""Checking in. For each person, day and list the earliest entry is the arrival; the database has the last word.

All check-ins of a consultation are made one after another, under the lock of its log: a scan that comes late, from a desk
that had no network, finds everything that was made before it, and takes the place that its time gives it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from sqlalchemy import Column, Select, Table, bindparam, select

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.attendance import devices
from consult_app.attendance.models import CheckIn, Device, DrawnSignature, Movement, ScanResult
from consult_app.attendance.queries import online_today
from consult_app.db import copy_of, db, new_public_id, now
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.events.models import Event, Session
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.actions import Details, register, replace
from consult_app.registrations.models import Attendance, Institution, Registration, RegistrationState, Source, StakeholderType
from consult_app.registrations.tickets import normal_code, token_hash

# A scan that reaches us within this time is a live one: the order in which scans reach us decides between two of them,
# because no two clocks of two phones agree better. An older one stands at the time when it was made.
LIVE = dt.timedelta(seconds=5)
MOST_POINTS = 6000  # of a drawn signature


@dataclass(frozen=True)
class Scan:
    """How a check-in was made: what the device said, and nothing for "here and now, in person, at the day's entry"."""

    type: Movement = Movement.ENTRY
    session: Session | None = None
    mode: Attendance = Attendance.IN_PERSON
    claimed_at: dt.datetime | None = None
    clock_offset: float | None = None  # seconds to add to what the device claims

    def times(self, received: dt.datetime) -> tuple[dt.datetime, bool]:
        """When it was made, and whether it reached us late (product.md rule 8)."""
        if self.claimed_at is None:
            return received, False
        made = self.claimed_at + dt.timedelta(seconds=self.clock_offset or 0.0)
        is_late = received - made > LIVE
        return (made if is_late else received), is_late  # one from the future has no better time than its arrival


HERE_AND_NOW = Scan()


@dataclass(frozen=True)
class ScanAnswer:
    """The result, whom it is about, and the check-in that stands (for "already": the earlier one), with the desk that made it.

    What is in it is to be read: it may stand outside the session.
    """

    result: ScanResult
    registration: Registration | None = None
    check_in: Known | None = None
    where: str = ""
    note: Any = ""  # said in place of the usual words


class Known(Protocol):
    """A check-in as it was read, or as it was just made."""

    id: int
    nonce: str
    day: dt.date
    session_id: int | None
    type: Movement
    result: ScanResult
    is_arrival: bool
    scanned_at: dt.datetime
    by_id: int | None
    device_id: int | None
    undone_at: dt.datetime | None


CHECK_INS = cast(Table, CheckIn.__table__)
_INSERT = CHECK_INS.insert()
_INSERT_ALL = _INSERT.returning(CHECK_INS.c.id, sort_by_parameter_order=True)
_NO_ID_YET = 2**63  # of one that is being made: the latest
_COLUMNS = tuple(c.name for c in CHECK_INS.columns if c.name != "id")
_KNOWN_COLUMNS = tuple(CHECK_INS.c[name] for name in Known.__annotations__)
_KNOWN = select(*_KNOWN_COLUMNS).where(CHECK_INS.c.registration_id == bindparam("id"))
OF_HOLDER = ("id", "public_id", "consultation_id", "event_id", "state", "days", "title_before", "name", "title_after")
_REGISTRATIONS = cast(Table, Registration.__table__)
# the holders of tickets and all check-ins of theirs, or one row for somebody without a check-in
_HOLDERS = audit.locking(
    select(
        *_KNOWN_COLUMNS,
        *(_REGISTRATIONS.c[name].label(f"of_{name}") for name in OF_HOLDER),
        _REGISTRATIONS.c.ticket_hash.label("ticket"),
        Institution.name.label("institution"),
        StakeholderType.code.label("kind"),
    )
    .select_from(_REGISTRATIONS)
    .join(Institution, Institution.id == _REGISTRATIONS.c.institution_id)
    .join(StakeholderType, StakeholderType.id == _REGISTRATIONS.c.stakeholder_type_id)
    .outerjoin(CHECK_INS, CHECK_INS.c.registration_id == _REGISTRATIONS.c.id)
)


def _of(column: Column[str]) -> tuple[Select[Any], Select[Any]]:
    """The holder with one value of a column, and those with any of several: a list costs more, and most scans come alone."""
    return _HOLDERS.where(column == bindparam("asked")), _HOLDERS.where(column.in_(bindparam("asked", expanding=True)))


_BY_TICKET, _BY_ID = _of(_REGISTRATIONS.c.ticket_hash), _of(_REGISTRATIONS.c.public_id)


@dataclass(frozen=True)
class Shown:
    """What a desk was shown: the code of a ticket, or a guest's id, at an event; by whom, and the scan's own key."""

    event: Event
    by: Actor
    nonce: str
    code: str = ""
    guest: str = ""
    how: Scan = HERE_AND_NOW


@dataclass(frozen=True)
class _Holder:
    """Somebody, and every check-in of theirs: those that were read, and those that are being made."""

    registration: Registration
    known: list[Known]


class _Made:
    """Check-ins that are kept by one statement and recorded by another, in their order."""

    def __init__(self) -> None:
        self.rows: list[tuple[CheckIn, Actor]] = []

    def keep(self) -> None:
        if not self.rows:
            return
        values = [{name: vars(row)[name] for name in _COLUMNS} for row, _by in self.rows]
        connection = db.session.connection()
        if len(values) == 1:  # most scans come alone, and SQLite tells the number of one without being asked
            numbers = list(connection.execute(_INSERT, values[0]).inserted_primary_key or ())
        else:
            numbers = list(connection.execute(_INSERT_ALL, values).scalars())
        for (row, _by), number in zip(self.rows, numbers, strict=True):
            vars(row).update(id=number)
        audit.record_all([(by, "checkin.scan", row) for row, by in self.rows])
        self.rows.clear()


def scan(event: Event, code: str = "", *, guest: str = "", by: Actor, nonce: str, how: Scan = HERE_AND_NOW) -> ScanAnswer:
    """Check in the holder of a ticket, or the guest with that id. The same scan sent twice (same actor and nonce) gets the same answer."""
    return scan_all([Shown(event, by, nonce, code, guest, how)])[0]


def scan_all(shown: Sequence[Shown]) -> list[ScanAnswer]:
    """As `scan`, for several of one consultation: one after another in their order, with the statements of one.

    Who is answered with is a copy to be read: scans are many, and rows of the session would cost five times as much.
    """
    consultation_id = shown[0].event.consultation_id
    tickets = ["" if one.guest else token_hash(normal_code(one.code)) for one in shown]
    people: dict[int, _Holder] = {}
    by_ticket = _holders(consultation_id, _BY_TICKET, "ticket", tickets, people)
    by_id = _holders(consultation_id, _BY_ID, "of_public_id", [one.guest for one in shown], people)
    as_of = audit.lock(consultation_id)
    made = _Made()
    answers = []
    current = devices.as_they_are(consultation_id, as_of, {one.by.id for one in shown if isinstance(one.by, Device)})
    for one, ticket in zip(shown, tickets, strict=True):
        event, by = one.event, one.by
        if isinstance(by, Device):  # who asked may have been revoked, or the event moved, since they were read
            by = current[by.id]
            event = by.event
        holder = by_id.get(one.guest) if one.guest else by_ticket.get(ticket)
        # another consultation's people are nobody here, and another event's have no id on this event's list
        if (
            holder is None
            or holder.registration.consultation_id != event.consultation_id
            or (one.guest and holder.registration.event_id != event.id)
        ):
            answers.append(ScanAnswer(ScanResult.UNKNOWN))
        else:
            answers.append(_check_in(event, holder, made, by=by, nonce=one.nonce, how=one.how))
    made.keep()
    devices.keep_until(consultation_id, as_of, audit.lock(consultation_id))
    return answers


def _holders(
    consultation_id: int, queries: tuple[Select[Any], Select[Any]], key: str, asked: list[str], people: dict[int, _Holder]
) -> dict[str, _Holder]:
    """Those that were asked for, by what they were asked for by; `people` has everybody once, however they are asked for."""
    wanted = list({one for one in asked if one})
    found: dict[str, _Holder] = {}
    if not wanted:
        return found
    fresh: set[int] = set()
    query, values = (queries[0], wanted[0]) if len(wanted) == 1 else (queries[1], wanted)
    for row in audit.read_locked(consultation_id, query, {"asked": values})[1]:
        number = row.of_id
        if number not in people:
            fresh.add(number)
            registration = copy_of(
                Registration,
                **{name: row[len(_KNOWN_COLUMNS) + n] for n, name in enumerate(OF_HOLDER)},
                institution=copy_of(Institution, name=row.institution),
                stakeholder_type=copy_of(StakeholderType, code=row.kind),
            )
            people[number] = _Holder(registration, [])
        found[getattr(row, key)] = people[number]
        if row.id is not None and number in fresh:
            people[number].known.append(cast(Known, row))
    return found


@audit.in_turn
def check_in(event: Event, registration: Registration, *, by: Actor, nonce: str, how: Scan = HERE_AND_NOW) -> ScanAnswer:
    """Check in (or out) one person, if their registration and the day allow it.

    A late scan that is refused is kept, for the organiser: the desk may have let the person in. So is every scan of a
    revoked device, which counts for nothing.
    """
    made = _Made()
    answer = _check_in(event, _Holder(registration, _known(registration.id)), made, by=by, nonce=nonce, how=how)
    made.keep()
    return answer


def _known(registration_id: int) -> list[Known]:
    # plain statements and not the session's unit of work: ninety people wait behind this one
    return cast(list[Known], list(db.session.connection().execute(_KNOWN, {"id": registration_id})))


def _check_in(event: Event, holder: _Holder, made: _Made, *, by: Actor, nonce: str, how: Scan) -> ScanAnswer:
    registration, known = holder.registration, holder.known
    if registration.event_id != event.id:
        return ScanAnswer(ScanResult.WRONG_EVENT, registration)
    at, is_late = how.times(now())
    if isinstance(by, Device) and by.paired_at is not None:
        at = max(at, by.paired_at)  # it was no desk of ours before, whatever its clock says
    row = copy_of(
        CheckIn,
        id=None,
        public_id=new_public_id(),
        created_at=now(),
        consultation_id=event.consultation_id,
        event_id=event.id,
        registration_id=registration.id,
        session_id=how.session.id if how.session else None,
        day=event.day_of(at),
        type=how.type,
        mode=how.mode,
        is_arrival=False,
        scanned_at=at,
        claimed_at=how.claimed_at,
        clock_offset=how.clock_offset,
        by_id=by.id if isinstance(by, User) else None,
        device_id=by.id if isinstance(by, Device) else None,
        nonce=f"{nonce}:{registration.public_id}",  # two people scanned from one page are two scans
        result=None,
        undone_at=None,
        undone_by_id=None,
        undo_reason="",
    )
    sent_before = next((c for c in known if (c.nonce, c.device_id, c.by_id) == (row.nonce, row.device_id, row.by_id)), None)
    if sent_before is not None:
        stands = _standing(known, sent_before) or sent_before
        return ScanAnswer(sent_before.result, registration, stands, _where(stands))
    refusal = ScanResult.REVOKED if isinstance(by, Device) and by.is_revoked else _refusal(event, registration, row.day, how.session)
    if refusal is not None:
        if is_late or refusal is ScanResult.REVOKED:
            _keep(row, refusal, holder, made, by=by)
        return ScanAnswer(refusal, registration)
    return _move(row, holder, made, by=by)


def _refusal(event: Event, registration: Registration, day: dt.date, session: Session | None) -> ScanResult | None:
    """Why the registration or the day does not allow it."""
    if registration.state is RegistrationState.REFUSED:
        return ScanResult.REFUSED
    if not registration.is_live:
        return ScanResult.CANCELLED
    if registration.is_pending:
        return ScanResult.PENDING
    if registration.is_waiting:
        return ScanResult.WAITING_LIST
    is_wrong = day not in event.days or (registration.days and day.isoformat() not in registration.days)
    return ScanResult.WRONG_DAY if is_wrong or (session and session.day != day) else None


def _same_list(known: list[Known], row: Known) -> list[Known]:
    """What counts of the same person on the same day and list, the earliest first."""
    place = (row.day, row.session_id)
    counted = [c for c in known if c.result is ScanResult.OK and c.undone_at is None and (c.day, c.session_id) == place]
    return sorted(counted, key=lambda c: (c.scanned_at, c.id or _NO_ID_YET))


def _standing(known: list[Known], row: Known) -> Known | None:
    """The arrival with which a repeated or later scan is answered."""
    if row.result is ScanResult.OK:
        return row
    return next((c for c in _same_list(known, row) if c.is_arrival), None)


def _where(row: Known) -> str:
    """The name of the desk that made a check-in."""
    if row.device_id is not None:
        return db.session.scalar(select(Device.name).where(Device.id == row.device_id)) or ""
    return db.session.scalar(select(User.name).where(User.id == row.by_id)) or "" if row.by_id is not None else ""


def _move(row: CheckIn, holder: _Holder, made: _Made, *, by: Actor) -> ScanAnswer:
    """Let somebody in or out, between what is known to have been before and after."""
    rows = _same_list(holder.known, row)
    before = [c for c in rows if c.scanned_at <= row.scanned_at]
    after = rows[len(before) :]
    if before and before[-1].type is row.type:
        _keep(row, ScanResult.ALREADY, holder, made, by=by)
        return ScanAnswer(ScanResult.ALREADY, holder.registration, before[-1], _where(before[-1]))
    superseded = None
    if row.type is Movement.ENTRY:
        arrival = next((c for c in rows if c.is_arrival), None)
        is_arrival = arrival is None or arrival in after
        vars(row).update(is_arrival=is_arrival)
        if arrival is not None and is_arrival:
            superseded = arrival
            made.keep()
            _supersede(arrival, by=by, is_repeated=after[0] is arrival)
    _keep(row, ScanResult.OK, holder, made, by=by)
    if superseded is not None:  # what was read of them is no longer so
        made.keep()
        holder.known[:] = _known(row.registration_id)
    return ScanAnswer(ScanResult.OK, holder.registration, row, getattr(by, "name", ""))


def _supersede(arrival: Known, *, by: Actor, is_repeated: bool) -> None:
    """A scan that was made earlier has come: it is the arrival now (rule 8). With no exit in between, the other one says "already"."""
    later = db.session.get_one(CheckIn, arrival.id, populate_existing=True)
    later.is_arrival = False
    if is_repeated:
        later.result = ScanResult.ALREADY
    audit.record(by, "checkin.supersede", later)


def _keep(row: CheckIn, result: ScanResult, holder: _Holder, made: _Made, *, by: Actor) -> None:
    vars(row).update(result=result)  # a copy has no session that would be told
    holder.known.append(row)
    made.rows.append((row, by))


@audit.in_turn
def walk_in(event: Event, details: Details, *, by: Actor, nonce: str, how: Scan = HERE_AND_NOW) -> ScanAnswer:
    """Register somebody at the desk and check them in; over capacity they are put on the waiting list."""
    registration, _is_new = register(event, details, by=by, source=Source.WALK_IN, client_key=f"walk-in:{event.id}:{nonce}")
    return check_in(event, registration, by=by, nonce=nonce, how=how)


@audit.in_turn
def replace_at_desk(event: Event, old: Registration, details: Details, *, by: Actor, nonce: str) -> ScanAnswer:
    """Let a colleague take the seat of somebody who does not come, and check them in (product.md rules 6 and 7)."""
    sent_before = db.session.scalar(select(Registration).where(Registration.replaces_id == old.id))
    if sent_before is None:
        sent_before = replace(old, details, by=by)
    elif sent_before.name != details.name:
        raise Conflict(_("A colleague has taken this place. Search for the colleague by name."))
    return check_in(event, sent_before, by=by, nonce=nonce)


@audit.in_turn
def check_in_online(registration: Registration, *, by: Actor) -> None:
    """Somebody who takes part online says that they are there. Raises Conflict for everybody else, and on other days."""
    if registration.attendance is not Attendance.ONLINE:
        raise Conflict(_("You are registered to come in person: show your ticket at the entrance."))
    _is_awaited, arrival = online_today(registration)
    if arrival is not None:
        return  # the second click of two
    answer = check_in(registration.event, registration, by=by, nonce=new_public_id(), how=Scan(mode=Attendance.ONLINE))
    if answer.result is not ScanResult.OK:
        raise Conflict(_("You can say so on the days of the event, while you hold a place."))


@audit.in_turn
def undo(arrival: CheckIn, reason: str, *, by: Actor) -> None:
    """Take a check-in back; it stays in the record, with who did it and why."""
    if not reason.strip():
        raise Invalid(_("Say why, in a few words."), field="reason")
    if arrival.undone_at is not None:
        raise Conflict(_("This check-in was undone already."))
    arrival.undone_at, arrival.undo_reason = now(), reason.strip()
    arrival.undone_by_id = by.id if isinstance(by, User) else None
    audit.record(by, "checkin.undo", arrival)


@audit.in_turn
def sign_sheet(event: Event, arrival: CheckIn, strokes: list[list[int]], *, by: Actor) -> DrawnSignature:
    """Keep what somebody drew for the attendance sheet of the day they checked in; a second one takes its place."""
    points = sum(len(stroke) for stroke in strokes)
    fits = all(len(s) % 2 == 0 and all(0 <= x <= 1000 for x in s[::2]) and all(0 <= y <= 400 for y in s[1::2]) for s in strokes)
    if not 4 <= points <= MOST_POINTS or not fits:
        raise Invalid(_("The signature could not be read. Please sign again."), field="strokes")
    if arrival.event_id != event.id:
        raise Missing(_("There is no such check-in at this event."))
    drawn = db.session.scalar(
        select(DrawnSignature).where(DrawnSignature.registration_id == arrival.registration_id, DrawnSignature.day == arrival.day)
    )
    if drawn is not None and drawn.strokes == strokes:
        return drawn
    if drawn is None:
        drawn = DrawnSignature(
            consultation_id=event.consultation_id, event_id=event.id, registration_id=arrival.registration_id, day=arrival.day
        )
        db.session.add(drawn)
    drawn.strokes, drawn.drawn_at, drawn.device_id = strokes, now(), by.id if isinstance(by, Device) else None
    audit.record(by, "signature.draw", drawn)
    return drawn
