"""Checking in. One standing check-in per person and day; the database has the last word."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.attendance.models import CheckIn, ScanResult
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.actions import Details, register
from consult_app.registrations.models import Registration, RegistrationState, Source
from consult_app.registrations.queries import by_ticket


@dataclass(frozen=True)
class ScanAnswer:
    """The result, whom it is about, and the check-in that stands (for "already": the earlier one)."""

    result: ScanResult
    registration: Registration | None = None
    check_in: CheckIn | None = None


def scan(event: Event, code: str, *, by: Actor, nonce: str, at: dt.datetime | None = None) -> ScanAnswer:
    """Check in the holder of a ticket. The same scan sent twice (same actor and nonce) gets the same answer."""
    registration = by_ticket(code)
    if registration is None or registration.consultation_id != event.consultation_id:
        return ScanAnswer(ScanResult.UNKNOWN)  # another consultation's people are nobody here
    return check_in(event, registration, by=by, nonce=nonce, at=at)


def check_in(event: Event, registration: Registration, *, by: Actor, nonce: str, at: dt.datetime | None = None) -> ScanAnswer:
    """Check in one person at a moment (default: now), if their registration and the day allow it."""
    at = at or now()
    day, by_id = event.day_of(at), by.id if isinstance(by, User) else None
    if registration.event_id != event.id:
        return ScanAnswer(ScanResult.WRONG_EVENT, registration)
    if registration.state is RegistrationState.REFUSED:
        return ScanAnswer(ScanResult.REFUSED, registration)
    if not registration.is_live:
        return ScanAnswer(ScanResult.CANCELLED, registration)
    if registration.is_pending:
        return ScanAnswer(ScanResult.PENDING, registration)
    if registration.is_waiting:
        return ScanAnswer(ScanResult.WAITING_LIST, registration)
    if day not in event.days or (registration.days and day.isoformat() not in registration.days):
        return ScanAnswer(ScanResult.WRONG_DAY, registration)
    sent_before = _sent_before(registration, by_id, nonce)
    if sent_before is not None:
        return ScanAnswer(ScanResult.OK, registration, sent_before)
    standing = _standing(registration, day)
    if standing is None:
        arrival = CheckIn(
            consultation_id=event.consultation_id,
            event=event,
            registration=registration,
            day=day,
            scanned_at=at,
            by_id=by_id,
            nonce=f"{nonce}:{registration.public_id}",  # two people scanned from one page are two scans
        )
        try:
            with db.session.begin_nested():
                db.session.add(arrival)
            audit.record(by, "checkin.scan", arrival)
            return ScanAnswer(ScanResult.OK, registration, arrival)
        except IntegrityError:  # another desk was faster, or this very scan arrived twice at once
            sent_before, standing = _sent_before(registration, by_id, nonce), _standing(registration, day)
    if sent_before is not None:
        return ScanAnswer(ScanResult.OK, registration, sent_before)
    return ScanAnswer(ScanResult.ALREADY, registration, standing)


def _sent_before(registration: Registration, by_id: int | None, nonce: str) -> CheckIn | None:
    """What this scan did when it was sent the first time, even if it was undone since: a repetition does nothing."""
    return db.session.scalar(
        select(CheckIn).where(
            CheckIn.registration_id == registration.id, CheckIn.by_id == by_id, CheckIn.nonce == f"{nonce}:{registration.public_id}"
        )
    )


def _standing(registration: Registration, day: dt.date) -> CheckIn | None:
    return db.session.scalar(
        select(CheckIn).where(
            CheckIn.registration_id == registration.id,
            CheckIn.day == day,
            CheckIn.session_id.is_(None),
            CheckIn.is_arrival,
            CheckIn.undone_at.is_(None),
        )
    )


def walk_in(event: Event, details: Details, *, by: Actor, nonce: str, at: dt.datetime | None = None) -> ScanAnswer:
    """Register somebody at the desk and check them in; over capacity they are put on the waiting list."""
    registration, _is_new = register(event, details, by=by, source=Source.WALK_IN, client_key=f"walk-in:{nonce}")
    return check_in(event, registration, by=by, nonce=nonce, at=at)


def undo(arrival: CheckIn, reason: str, *, by: Actor) -> None:
    """Take a check-in back; it stays in the record, with who did it and why."""
    if not reason.strip():
        raise Invalid(_("Say why, in a few words."), field="reason")
    if arrival.undone_at is not None:
        raise Conflict(_("This check-in was undone already."))
    arrival.undone_at, arrival.undo_reason = now(), reason.strip()
    arrival.undone_by_id = by.id if isinstance(by, User) else None
    audit.record(by, "checkin.undo", arrival)
