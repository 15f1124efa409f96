"""A section that is frozen, and somebody named for it."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.accounts.models import User
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db
from consult_app.policy import Role
from tests import factories
from tests.signoff.steps import freeze, name


@pytest.fixture
def consultation(app: Any) -> Consultation:
    made = factories.make_consultation()
    db.session.commit()
    return made


@pytest.fixture
def section(consultation: Consultation) -> Section:
    """Section 1, frozen, without comments."""
    first = consultation.sections[0]
    freeze(first)
    db.session.commit()
    return first


@pytest.fixture
def focal_point(consultation: Consultation, section: Section) -> User:
    """Named for section 1."""
    user = factories.make_user(Role.FOCAL_POINT, consultation, name="Retno Wulandari")
    name(section, user)
    db.session.commit()
    return user
