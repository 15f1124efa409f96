"""What is done with events and their agenda."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from blinker import Signal
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from consult_app import audit
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.events.models import Event, EventState, Session
from consult_app.i18n import Texts, _, local
from consult_app.policy import Actor

# Sent within the transaction, so that registrations can move up when there are more seats.
event_changed = Signal()
# Sent within the transaction with `template`, so that registrations and documents copy what is theirs.
event_cloned = Signal()

# What an organiser gives; `create_event` and `change_event` take these names.
FIELDS = (
    "kind", "mode", "title", "description", "starts_on", "ends_on", "starts_at", "ends_at",
    "timezone", "venue", "address", "online_url", "capacity", "registration_closes_at",
)  # fmt: skip
# What may be given of an item of the agenda besides its title and time.
SESSION_FIELDS = ("kind", "speaker", "dimension_id", "facilitator_id", "rapporteur_id")


def free_slug(words: str) -> str:
    """An address made from words ("validation-workshop-jakarta"), with a number behind it where it is taken."""
    base = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:60] or "event"
    taken = set(db.session.scalars(select(Event.slug).where(Event.slug.startswith(base))))
    return base if base not in taken else next(f"{base}-{n}" for n in range(2, len(taken) + 3) if f"{base}-{n}" not in taken)


def _check(event: Event) -> None:
    if event.ends < event.starts:
        raise Invalid(_("The event ends before it begins."), field="ends_on")
    if (event.ends_on - event.starts_on).days > 30:
        raise Invalid(_("An event has at most 31 days."), field="ends_on")
    try:
        ZoneInfo(event.timezone)
    except (ZoneInfoNotFoundError, ValueError) as problem:
        raise Invalid(_("This time zone is not known."), field="timezone") from problem


def _check_not_cancelled(event: Event) -> None:
    if event.is_cancelled:
        raise Conflict(_("A cancelled event can no longer be changed."))


@audit.in_turn
def create_event(consultation: Consultation, *, by: Actor, slug: str = "", **values: Any) -> Event:
    """Make an event as a draft. Raises Invalid where its days or its zone cannot be."""
    event = Event(consultation_id=consultation.id, state=EventState.DRAFT, **values)
    event.slug = slug or free_slug(f"{local(event.title, 'en')}-{event.starts_on.year}")
    _check(event)
    db.session.add(event)
    audit.record(by, "event.create", event)
    return event


@audit.in_turn
def change_event(event: Event, *, by: Actor, **values: Any) -> None:
    """Change an event. Capacity may grow at any time; whoever waits is moved up by `registrations.move_up`."""
    _check_not_cancelled(event)
    for name, value in values.items():
        setattr(event, name, value)
    _check(event)
    audit.record(by, "event.change", event)
    event_changed.send(event, by=by)


@audit.in_turn
def publish_event(event: Event, *, by: Actor) -> None:
    if event.state is not EventState.DRAFT:
        raise Conflict(_("Only a draft can be published."))
    event.state = EventState.PUBLISHED
    audit.record(by, "event.publish", event)


@audit.in_turn
def cancel_event(event: Event, *, by: Actor) -> None:
    """Cancel the event itself; its registrations stay as they were, for the record."""
    if event.is_cancelled:
        raise Conflict(_("This event is cancelled already."))
    event.state = EventState.CANCELLED
    audit.record(by, "event.cancel", event)


def _check_days(event: Event, session: Session) -> None:
    if session.day not in event.days:
        raise Invalid(_("This day is not one of the event's days."), field="day")
    if session.ends_at <= session.starts_at:
        raise Invalid(_("It ends before it begins."), field="ends_at")


@audit.in_turn
def add_session(event: Event, title: Texts, day: dt.date, starts_at: dt.time, ends_at: dt.time, *, by: Actor, **more: Any) -> Session:
    """Add an item to the agenda; `more` gives any of SESSION_FIELDS.

    Raises Invalid where it is outside the event's days or ends before it begins.
    """
    _check_not_cancelled(event)
    session = Session(consultation_id=event.consultation_id, title=title, day=day, starts_at=starts_at, ends_at=ends_at, **more)
    _check_days(event, session)
    session.event = event
    db.session.add(session)
    audit.record(by, "session.add", session)
    return session


@audit.in_turn
def change_session(session: Session, *, by: Actor, **values: Any) -> None:
    """Change an item of the agenda, as `add_session`: its words, its time, who leads it and who takes its notes."""
    _check_not_cancelled(session.event)
    for name, value in values.items():
        setattr(session, name, value)
    _check_days(session.event, session)
    audit.record(by, "session.change", session)


@audit.in_turn
def remove_session(session: Session, *, by: Actor) -> None:
    """Take an item off the agenda. Raises Conflict where the event is cancelled, or people were in the session."""
    _check_not_cancelled(session.event)
    audit.record(by, "session.delete", session)
    db.session.delete(session)
    try:
        db.session.flush()
    except IntegrityError as used:  # check-ins and the room stay in the record, and name it
        raise Conflict(_("This session was held, so it stays in the agenda.")) from used


def copy_from(template: Event, event: Event, *, by: Actor) -> None:
    """Give a new event what its template has: the agenda, on the same day counted from the first, and registration's settings.

    People, check-ins and documents stay where they are. An item that falls behind the last day is left out.
    """
    audit.take_turn(event.consultation_id, event)
    shift = event.starts_on - template.starts_on
    is_own = event.consultation_id == template.consultation_id  # dimensions and the team are those of a consultation
    for name in ("needs_approval", "women_target"):
        setattr(event, name, getattr(template, name))
    audit.record(by, "event.change", event)
    for session in template.sessions:
        if session.day + shift in event.days:
            add_session(
                event, dict(session.title), session.day + shift, session.starts_at, session.ends_at, by=by,
                **{name: getattr(session, name) for name in SESSION_FIELDS if is_own or name in ("kind", "speaker")},
            )  # fmt: skip
    event_cloned.send(event, template=template, by=by)
