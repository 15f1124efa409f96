"""One line of why, under the word that a scan is answered with: for the page and the API alike."""

from __future__ import annotations

from typing import Any

from consult_app.attendance.actions import ScanAnswer
from consult_app.attendance.models import Movement, ScanResult
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.i18n import clock, days, gettext, local
from consult_app.registrations.models import RegistrationState


def why(answer: ScanAnswer, event: Event) -> str:
    """The line, in the reader's language."""
    return str(_why(answer, event))


def _why(answer: ScanAnswer, event: Event) -> Any:
    found, stands = answer.registration, answer.check_in
    match answer.result:
        case ScanResult.OK | ScanResult.ALREADY if stands is not None:
            return _when(answer, clock(stands.scanned_at, event.timezone), answer.where, is_out=stands.type is Movement.EXIT)
        case ScanResult.WRONG_EVENT if found is not None:
            other = db.session.get_one(Event, found.event_id)
            return gettext("This ticket is for “%(event)s”, %(day)s.", event=local(other.title), day=days(other.starts_on, other.ends_on))
        case ScanResult.WRONG_DAY:
            return gettext("The ticket is not for today. The event: %(day)s.", day=days(event.starts_on, event.ends_on))
        case ScanResult.CANCELLED if found is not None and found.state is RegistrationState.REPLACED:
            return gettext("A colleague has taken this place. Search for the colleague by name.")
        case ScanResult.CANCELLED:
            return gettext("This registration was cancelled. An organiser can restore it.")
        case ScanResult.WAITING_LIST:
            return gettext("All seats are taken, and this person is on the waiting list.")
        case ScanResult.PENDING:
            return gettext("An organiser has yet to approve this registration. Ask one to do it now: the same ticket will work.")
        case ScanResult.REFUSED:
            return gettext("The organisers did not approve this registration. An organiser can still change that.")
        case ScanResult.REVOKED:
            return gettext("This device was revoked. Its scans are shown to the organiser and do not count.")
        case _:
            return gettext("No ticket has this code. Search by name, or register a walk-in.")


def _when(answer: ScanAnswer, time: str, where: str, *, is_out: bool) -> Any:
    if answer.result is ScanResult.OK:
        return gettext("Left at %(time)s.", time=time) if is_out else gettext("Checked in at %(time)s.", time=time)
    who = where or gettext("another desk")
    if is_out:
        return gettext("Left already at %(time)s, by %(who)s.", time=time, who=who)
    return gettext("Checked in at %(time)s by %(who)s.", time=time, who=who)
