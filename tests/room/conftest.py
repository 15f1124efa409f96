"""A consultation under the Chatham House Rule, with a room, its facilitator, and somebody with a phone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from consult_app import audit
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Attribution
from consult_app.db import db
from consult_app.events.models import Event, Session
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from consult_app.room import actions
from consult_app.room.models import Room
from tests import factories


@pytest.fixture
def event(app: Flask) -> Event:
    consultation = factories.make_consultation(indicators=6, dimensions=2, attribution=Attribution.BY_STAKEHOLDER_TYPE)
    for section in consultation.sections:
        consultations.open_section(section, by=factories.BY)
    return factories.make_event(consultation)


@pytest.fixture
def room(event: Event) -> Room:
    session = Session(
        consultation_id=event.consultation_id, event=event, title={"en": "Group one", "id": "Kelompok satu"}, day=event.starts_on,
        starts_at=dt.time(10), ends_at=dt.time(12),
    )  # fmt: skip
    db.session.add(session)
    audit.record(factories.BY, "session.add", session)
    made = actions.open_room(session, by=factories.BY)
    db.session.commit()
    return made


@pytest.fixture
def facilitator(event: Event, browse: Any) -> Any:
    return browse(factories.make_user(Role.FACILITATOR, event.consultation))


@pytest.fixture
def person(event: Event) -> Registration:
    return factories.make_registration(event, name="Retno Speaker", institution="Secret Institution")


@pytest.fixture
def phone(person: Registration, browse: Any) -> Any:
    return browse(person)
