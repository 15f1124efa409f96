"""The report's page of a consultation."""

from __future__ import annotations

from typing import Any

from consult_app.accounts.models import User
from consult_app.consultations.models import Consultation
from consult_app.policy import Role
from tests import factories


def url(consultation: Consultation) -> str:
    return f"/consultations/{consultation.slug}/report"


def test_it_says_by_name_what_is_missing(browse: Any, consultation: Consultation, focal_point: User, organiser: User) -> None:
    page = browse(organiser).get(url(consultation)).text
    assert "Section 1, Dimension 1: Retno Wulandari (Ministry of Tests) has not signed." in page
    assert "Go on to the seal" not in page


def test_the_button_is_the_organisers(browse: Any, validated: Consultation, focal_point: User, organiser: User) -> None:
    assert "Go on to the seal" in browse(organiser).get(url(validated)).text
    assert "Go on to the seal" not in browse(focal_point).get(url(validated)).text


def test_roles(browse: Any, validated: Consultation) -> None:
    assert browse(factories.make_user(Role.OBSERVER, validated)).get(url(validated)).status_code == 200
    assert browse(factories.make_user(Role.CHECK_IN, validated)).get(url(validated)).status_code == 403
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).get(url(validated)).status_code == 404
