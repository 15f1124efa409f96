"""Positions of institutions: of whoever speaks for them, the newest, with its revision; told to nobody else where rule 11 asks."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.comments import actions
from consult_app.comments.heat import InstitutionMap, institution_map
from consult_app.comments.models import PositionValue
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Attribution, Consultation, Section
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations import speakers
from consult_app.registrations.models import Registration
from tests import factories

AGREE, RESERVATION, DISAGREE = PositionValue.AGREE, PositionValue.RESERVATION, PositionValue.DISAGREE


def hold(who: Registration, value: PositionValue, place: int = 0) -> None:
    actions.take_position(who.event.consultation.dimensions[0].indicators[place], who, value, "why", by=who)


def speaker(event: Event, institution: str, kind: str = "government") -> Registration:
    made = factories.make_registration(event, institution=institution, kind=kind)
    speakers.let_speak(made, by=factories.BY)
    return made


def first(found: InstitutionMap) -> Any:
    return next(row for row in found.rows if row.indicator.code == "1.1")


def told(found: InstitutionMap) -> dict[str, int]:
    return {one.institution.key: sum(one.counts.values()) for one in found.holdings}


def test_only_who_speaks_for_an_institution_counts_and_the_newest_stands(event: Event, consultation: Consultation, audit_ok: None) -> None:
    voice = speaker(event, "Alpha")
    colleague = factories.make_registration(event, institution="Alpha")
    for who, value in ((colleague, DISAGREE), (voice, AGREE), (colleague, DISAGREE)):
        hold(who, value)
    later = speaker(factories.make_event(consultation), "Alpha")
    found = institution_map(consultation)
    assert first(found).everyone.counts == {AGREE: 1, RESERVATION: 0, DISAGREE: 0, PositionValue.ABSTAIN: 0}
    hold(later, RESERVATION)
    found = institution_map(consultation)
    assert {v: n for v, n in first(found).everyone.counts.items() if n} == {RESERVATION: 1}
    assert [one.institution.key for one in found.held[first(found).indicator.id][RESERVATION]] == ["alpha"]
    assert told(found) == {"alpha": 1}


def test_rule_3_on_an_earlier_revision_it_counts_and_says_so(
    event: Event, consultation: Consultation, section: Section, browse: Any
) -> None:
    voice = speaker(event, "Alpha")
    hold(voice, AGREE)
    consultations.start_review(section, by=factories.BY)
    consultations.edit_section(section, {"narrative": {"en": "Another text."}}, section.edit_number, by=factories.BY)
    consultations.open_section(section, by=factories.BY)
    db.session.commit()
    found = institution_map(consultation)
    assert told(found) == {"alpha": 1}
    assert [(one.institution.key, one.revision) for one in found.held[first(found).indicator.id][AGREE]] == [("alpha", 1)]
    client = browse(factories.make_user(Role.ORGANISER, consultation))
    page = client.get(f"/consultations/{consultation.slug}/positions?by=institution").text
    assert "(on revision 1)" in page
    hold(voice, DISAGREE)
    found = institution_map(consultation)
    assert [(row.numbers, row.total) for row in first(found).revisions] == [((2,), 1)]


@pytest.fixture
def many(event: Event) -> Event:
    """Three ministries agree and three disagree, each with its colleagues; two NGOs agree."""
    for n in range(6):
        value = AGREE if n < 3 else DISAGREE
        hold(speaker(event, f"Ministry {n}"), value)
        for _n in range(3):
            hold(factories.make_registration(event, institution=f"Ministry {n}"), value)
    for n in range(2):
        hold(speaker(event, f"Movement {n}", "ngo"), AGREE)
        hold(factories.make_registration(event, institution=f"Movement {n}", kind="ngo"), AGREE)
    db.session.commit()
    return event


@pytest.mark.parametrize("rule", list(Attribution))
def test_rule_11_institutions_are_named_by_the_rule(many: Event, consultation: Consultation, browse: Any, rule: Attribution) -> None:
    consultation.attribution = rule
    db.session.commit()
    address = f"/consultations/{consultation.slug}/positions?by=institution"
    for reader in (factories.make_registration(many), factories.make_user(Role.OBSERVER, consultation)):
        text = browse(reader).get(address).text
        assert ("Ministry 1" in text) == (rule is not Attribution.BY_STAKEHOLDER_TYPE)
        assert ("institutions are not named" in text) == (rule is Attribution.BY_STAKEHOLDER_TYPE)
    assert "Ministry 1" in browse(factories.make_user(Role.ORGANISER, consultation)).get(address).text
    assert browse(factories.make_registration()).get(address).status_code == 404
    assert browse(factories.make_user(Role.CHECK_IN, consultation)).get(address).status_code == 403
    assert browse().get(address).status_code == 303


def test_rule_29_institutions_are_not_told_beside_the_people_that_they_are_some_of(
    many: Event, consultation: Consultation, browse: Any
) -> None:
    """Three institutions agree, and four people: of the fourth it would be known that they do, and speak for nobody."""
    consultation.attribution = Attribution.BY_STAKEHOLDER_TYPE
    db.session.commit()
    for reader in (factories.make_registration(many), factories.make_user(Role.OBSERVER, consultation)):
        text = browse(reader).get(f"/consultations/{consultation.slug}/positions?by=institution").text
        assert "heat__table" not in text
        assert "table--figures" not in text
    assert (
        "heat__table"
        in browse(factories.make_user(Role.ORGANISER, consultation))
        .get(f"/consultations/{consultation.slug}/positions?by=institution")
        .text
    )


def test_the_statements_do_not_grow(many: Event, consultation: Consultation, count_queries: Any) -> None:
    with count_queries() as statements:
        institution_map(consultation)
    assert len(statements) <= 6
