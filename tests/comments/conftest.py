"""A section that is open for comments, somebody who comments, and the focal point who answers."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.accounts.models import User
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from tests import factories
from tests.signoff.steps import name


@pytest.fixture
def consultation(app: Any) -> Consultation:
    made = factories.make_consultation()
    consultations.open_section(made.sections[0], by=factories.BY)
    db.session.commit()
    return made


@pytest.fixture
def section(consultation: Consultation) -> Section:
    return consultation.sections[0]


@pytest.fixture
def event(consultation: Consultation) -> Event:
    return factories.make_event(consultation)


@pytest.fixture
def author(event: Event) -> Registration:
    return factories.make_registration(event, name="Siti Author", institution="Office of Siti", kind="ngo")


@pytest.fixture
def focal_point(consultation: Consultation, section: Section) -> User:
    user = factories.make_user(Role.FOCAL_POINT, consultation, name="Retno Focal")
    name(section, user)
    db.session.commit()
    return user
