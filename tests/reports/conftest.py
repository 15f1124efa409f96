"""A consultation ready for its report: frozen sections, focal points, sign-offs."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.accounts.models import User
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.policy import Role
from tests import factories
from tests.signoff.steps import freeze, name, sign


@pytest.fixture
def consultation(app: Any) -> Consultation:
    made = factories.make_consultation(partners=["IOM", "Ministry of Tests"])
    db.session.commit()
    return made


@pytest.fixture
def organiser(consultation: Consultation) -> User:
    user = factories.make_user(Role.ORGANISER, consultation)
    db.session.commit()
    return user


@pytest.fixture
def focal_point(consultation: Consultation) -> User:
    """Named for every section, all of which are frozen; nothing is signed."""
    user = factories.make_user(Role.FOCAL_POINT, consultation, name="Retno Wulandari")
    for section in consultation.sections:
        name(section, user)
        freeze(section)
    db.session.commit()
    return user


@pytest.fixture
def validated(consultation: Consultation, focal_point: User) -> Consultation:
    for section in consultation.sections:
        sign(section, focal_point)
    db.session.commit()
    return consultation
