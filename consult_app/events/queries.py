"""Selects over events."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.errors import Missing
from consult_app.events.models import Event, EventState, Session
from consult_app.i18n import _


def load_event(slug: str) -> Event:
    """The event of that address, with its consultation. Raises Missing."""
    event = db.session.scalar(select(Event).where(Event.slug == slug).options(joinedload(Event.consultation)))
    if event is None:
        raise Missing(_("There is no such event."))
    return event


def events_of(consultation: Consultation) -> list[Event]:
    """All events of a consultation, the first one first."""
    return list(db.session.scalars(select(Event).where(Event.consultation_id == consultation.id).order_by(Event.starts_on, Event.id)))


def public_events(today: dt.date) -> list[Event]:
    """Published events that are not over, the next one first."""
    return list(
        db.session.scalars(
            select(Event)
            .where(Event.state == EventState.PUBLISHED, Event.ends_on >= today)
            .order_by(Event.starts_on, Event.id)
            .options(joinedload(Event.consultation))
            .limit(20)
        )
    )


def load_session(event: Event, public_id: str) -> Session:
    """An item of the event's agenda. Raises Missing."""
    found = next((item for item in event.sessions if item.public_id == public_id), None)
    if found is None:
        raise Missing(_("This item is not on the agenda any more."))
    return found
