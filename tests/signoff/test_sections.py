"""The overview of sign-offs."""

from __future__ import annotations

from typing import Any

from consult_app.accounts.models import User
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db
from consult_app.policy import Role
from consult_app.signoff import gate
from tests import factories
from tests.signoff.steps import freeze, name, sign


def url(consultation: Consultation) -> str:
    return f"/consultations/{consultation.slug}/sign-off"


def test_everybody_on_the_staff_sees_who_signed(browse: Any, section: Section, focal_point: User) -> None:
    sign(section, focal_point)
    for role in (Role.ORGANISER, Role.OBSERVER, Role.FACILITATOR):
        page = browse(factories.make_user(role, section.consultation)).get(url(section.consultation))
        assert page.status_code == 200
        assert "Retno Wulandari" in page.text
        assert "The text of section 2 is not frozen" in page.text
        assert "Withdraw my signature" not in page.text
    assert "Withdraw my signature" in browse(focal_point).get(url(section.consultation)).text


def test_the_focal_point_is_led_to_the_signing_page(browse: Any, section: Section, focal_point: User) -> None:
    assert f"/sections/{section.number}/sign" in browse(focal_point).get(url(section.consultation)).text


def test_stranger_404_participant_403(browse: Any, section: Section) -> None:
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).get(url(section.consultation)).status_code == 404
    participant = factories.make_registration(factories.make_event(section.consultation))
    assert browse(participant).get(url(section.consultation)).status_code == 403


def test_rule_19_the_report_waits_for_every_required_sign_off(app: Any, consultation: Consultation) -> None:
    user = factories.make_user(Role.FOCAL_POINT, consultation, name="Retno")
    first, second = consultation.sections
    assert [str(m) for m in gate.report_missing(consultation)] == [
        "Section 1, Dimension 1: it has no revision yet.",
        "Section 2, Dimension 2: it has no revision yet.",
    ]
    freeze(first)
    freeze(second)
    name(first, user)
    assert [str(m) for m in gate.report_missing(consultation)] == [
        "Section 1, Dimension 1: Retno (Ministry of Tests) has not signed.",
        "Section 2, Dimension 2: no focal point is named.",
    ]
    name(second, user)
    sign(first, user)
    assert gate.report_missing(consultation)
    sign(second, user)
    assert gate.report_missing(consultation) == []
    # somebody named later has to sign too
    name(second, factories.make_user(Role.FOCAL_POINT, consultation, name="Late"))
    assert gate.report_missing(consultation)


def test_the_overview_needs_few_queries(browse: Any, count_queries: Any) -> None:
    pages = []
    for dimensions in (2, 8):
        consultation = factories.make_consultation(indicators=dimensions, dimensions=dimensions)
        user = factories.make_user(Role.FOCAL_POINT, consultation)
        for section in consultation.sections:
            name(section, user)
            freeze(section)
            sign(section, user)
        client = browse(user)
        with count_queries() as statements:
            assert client.get(url(consultation)).status_code == 200
        pages.append(len(statements))
    assert pages[0] == pages[1], pages
    db.session.commit()
