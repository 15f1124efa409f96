"""Checking in. For each person, day and list the earliest entry is the arrival; the database has the last word.

All check-ins of a consultation are made one after another, under the lock of its log: a scan that comes late, from a desk
that had no network, finds everything that was made before it, and takes the place that its time gives it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.attendance.models import CheckIn, Device, DrawnSignature, Movement, ScanResult
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.events.models import Event, Session
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.actions import Details, register, replace
from consult_app.registrations.models import Attendance, Registration, RegistrationState, Source
from consult_app.registrations.queries import by_ticket

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
    """The result, whom it is about, and the check-in that stands (for "already": the earlier one)."""

    result: ScanResult
    registration: Registration | None = None
    check_in: CheckIn | None = None


def scan(event: Event, code: str, *, by: Actor, nonce: str, how: Scan = HERE_AND_NOW) -> ScanAnswer:
    """Check in the holder of a ticket. The same scan sent twice (same actor and nonce) gets the same answer."""
    audit.lock(event.consultation_id)
    registration = by_ticket(code)
    if registration is None or registration.consultation_id != event.consultation_id:
        return ScanAnswer(ScanResult.UNKNOWN)  # another consultation's people are nobody here
    return check_in(event, registration, by=by, nonce=nonce, how=how)


def check_in(event: Event, registration: Registration, *, by: Actor, nonce: str, how: Scan = HERE_AND_NOW) -> ScanAnswer:
    """Check in (or out) one person, if their registration and the day allow it.

    A late scan that is refused is kept, for the organiser: the desk may have let the person in. So is every scan of a
    revoked device, which counts for nothing.
    """
    audit.lock(event.consultation_id)
    if registration.event_id != event.id:
        return ScanAnswer(ScanResult.WRONG_EVENT, registration)
    made, is_late = how.times(now())
    row = CheckIn(
        consultation_id=event.consultation_id,
        event=event,
        registration=registration,
        session=how.session,
        day=event.day_of(made),
        type=how.type,
        mode=how.mode,
        is_arrival=False,
        scanned_at=made,
        claimed_at=how.claimed_at,
        clock_offset=how.clock_offset,
        by=by if isinstance(by, User) else None,
        device=by if isinstance(by, Device) else None,
        nonce=f"{nonce}:{registration.public_id}",  # two people scanned from one page are two scans
    )
    with db.session.no_autoflush:
        known = list(db.session.scalars(select(CheckIn).where(CheckIn.registration_id == registration.id)))
        sent_before = next((c for c in known if c.nonce == row.nonce and (c.device, c.by) == (row.device, row.by)), None)
        if sent_before is not None:
            return ScanAnswer(sent_before.result, registration, _standing(known, sent_before) or sent_before)
        refusal = ScanResult.REVOKED if isinstance(by, Device) and by.is_revoked else _refusal(row)
        if refusal is not None:
            if is_late or refusal is ScanResult.REVOKED:
                _keep(row, refusal, by=by)
            return ScanAnswer(refusal, registration)
        return _move(row, known, by=by)


def _refusal(row: CheckIn) -> ScanResult | None:
    """Why the registration or the day does not allow it."""
    event, registration = row.event, row.registration
    if registration.state is RegistrationState.REFUSED:
        return ScanResult.REFUSED
    if not registration.is_live:
        return ScanResult.CANCELLED
    if registration.is_pending:
        return ScanResult.PENDING
    if registration.is_waiting:
        return ScanResult.WAITING_LIST
    is_wrong = row.day not in event.days or (registration.days and row.day.isoformat() not in registration.days)
    return ScanResult.WRONG_DAY if is_wrong or (row.session and row.session.day != row.day) else None


def _same_list(known: list[CheckIn], row: CheckIn) -> list[CheckIn]:
    """What counts of the same person on the same day and list, the earliest first."""
    counted = [c for c in known if c.result is ScanResult.OK and c.undone_at is None and (c.day, c.session) == (row.day, row.session)]
    return sorted(counted, key=lambda c: (c.scanned_at, c.id))


def _standing(known: list[CheckIn], row: CheckIn) -> CheckIn | None:
    """The arrival with which a repeated or later scan is answered."""
    if row.result is ScanResult.OK:
        return row
    return next((c for c in _same_list(known, row) if c.is_arrival), None)


def _move(row: CheckIn, known: list[CheckIn], *, by: Actor) -> ScanAnswer:
    """Let somebody in or out, between what is known to have been before and after."""
    rows = _same_list(known, row)
    before = [c for c in rows if c.scanned_at <= row.scanned_at]
    after = rows[len(before) :]
    if before and before[-1].type is row.type:
        _keep(row, ScanResult.ALREADY, by=by)
        return ScanAnswer(ScanResult.ALREADY, row.registration, before[-1])
    arrival = next((c for c in rows if c.is_arrival), None)
    if row.type is Movement.ENTRY:
        row.is_arrival = arrival is None or arrival in after
        if arrival is not None and row.is_arrival:
            arrival.is_arrival = False
            if after[0] is arrival:  # two entries with no exit in between: the earlier one counts (rule 8)
                arrival.result = ScanResult.ALREADY
            audit.record(by, "checkin.supersede", arrival)
    _keep(row, ScanResult.OK, by=by)
    return ScanAnswer(ScanResult.OK, row.registration, row)


def _keep(row: CheckIn, result: ScanResult, *, by: Actor) -> None:
    row.result = result
    db.session.add(row)
    audit.record(by, "checkin.scan", row)


def walk_in(event: Event, details: Details, *, by: Actor, nonce: str, how: Scan = HERE_AND_NOW) -> ScanAnswer:
    """Register somebody at the desk and check them in; over capacity they are put on the waiting list."""
    registration, _is_new = register(event, details, by=by, source=Source.WALK_IN, client_key=f"walk-in:{event.id}:{nonce}")
    return check_in(event, registration, by=by, nonce=nonce, how=how)


def replace_at_desk(event: Event, old: Registration, details: Details, *, by: Actor, nonce: str) -> ScanAnswer:
    """Let a colleague take the seat of somebody who does not come, and check them in (product.md rules 6 and 7)."""
    sent_before = db.session.scalar(select(Registration).where(Registration.replaces_id == old.id))
    if sent_before is None:
        sent_before = replace(old, details, by=by)
    elif sent_before.name != details.name:
        raise Conflict(_("A colleague has taken this place. Search for the colleague by name."))
    return check_in(event, sent_before, by=by, nonce=nonce)


def undo(arrival: CheckIn, reason: str, *, by: Actor) -> None:
    """Take a check-in back; it stays in the record, with who did it and why."""
    if not reason.strip():
        raise Invalid(_("Say why, in a few words."), field="reason")
    if arrival.undone_at is not None:
        raise Conflict(_("This check-in was undone already."))
    arrival.undone_at, arrival.undo_reason = now(), reason.strip()
    arrival.undone_by_id = by.id if isinstance(by, User) else None
    audit.record(by, "checkin.undo", arrival)


def sign_sheet(event: Event, arrival: CheckIn, strokes: list[list[int]], *, by: Actor) -> DrawnSignature:
    """Keep what somebody drew for the attendance sheet of the day they checked in; a second one takes its place."""
    points = sum(len(stroke) for stroke in strokes)
    fits = all(len(s) % 2 == 0 and all(0 <= x <= 1000 for x in s[::2]) and all(0 <= y <= 400 for y in s[1::2]) for s in strokes)
    if not 4 <= points <= MOST_POINTS or not fits:
        raise Invalid(_("The signature could not be read. Please sign again."), field="strokes")
    if arrival.event_id != event.id:
        raise Missing(_("There is no such check-in at this event."))
    audit.lock(event.consultation_id)
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
