"""The heat map: what each type holds of each indicator, what is suppressed, and what stands on an earlier revision (rules 3, 11)."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.comments import actions
from consult_app.comments.heat import heat_map
from consult_app.comments.models import CommentKind, PositionValue
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Attribution, Consultation
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.policy import Role
from tests import factories


def hold(event: Event, place: int, kind: str, *values: PositionValue) -> None:
    indicator = event.consultation.dimensions[0].indicators[place]
    for value in values:
        actions.take_position(indicator, factories.make_registration(event, kind=kind), value, "why", by=factories.BY)


AGREE, DISAGREE = PositionValue.AGREE, PositionValue.DISAGREE


@pytest.fixture
def held(event: Event) -> Event:
    hold(event, 0, "government", AGREE, AGREE, AGREE, DISAGREE, DISAGREE, DISAGREE)
    hold(event, 0, "ngo", AGREE, AGREE)
    hold(event, 1, "government", AGREE, AGREE, AGREE)
    hold(event, 1, "ngo", AGREE, AGREE, AGREE)
    indicator = event.consultation.dimensions[0].indicators[1]
    cso = factories.make_registration(event, kind="cso")
    actions.write_comment(indicator, cso, CommentKind.CONTEXT, "Only a comment", by=factories.BY, client_key="k" * 20)
    db.session.commit()
    return event


def numbers(consultation: Consultation, *, suppress: bool) -> list[tuple[int | None, list[int | None], int | None]]:
    _types, rows = heat_map(consultation, suppress=suppress)

    def total(row: Any) -> int | None:
        return None if row is None or row.counts is None else sum(row.counts.values())

    return [
        (total(row.everyone), [total(cell) for cell in row.cells], row.types_seen) for row in rows if row.indicator.dimension.number == 1
    ]


def test_by_type_with_coverage(held: Event, consultation: Consultation) -> None:
    types, _rows = heat_map(consultation, suppress=False)
    assert [kind.code for kind in types] == ["government", "ngo"]
    assert numbers(consultation, suppress=False) == [(8, [6, 2], 2), (6, [3, 3], 3)]


def test_rule_11_no_cell_from_which_two_people_could_be_read(held: Event, consultation: Consultation, browse: Any) -> None:
    # the two of the second type would follow from the total and the first type: so the first is not told either
    assert numbers(consultation, suppress=True) == [(8, [None, None], None), (6, [3, 3], None)]
    consultation.attribution = Attribution.BY_STAKEHOLDER_TYPE
    db.session.commit()
    address = f"/consultations/{consultation.slug}/positions"
    seen = [browse(who).get(address) for who in (factories.make_registration(held), factories.make_user(Role.OBSERVER, consultation))]
    for page in seen:
        assert page.status_code == 200
        assert "&lt;3" in page.text
        assert "Types that took part" not in page.text
    assert "Types that took part" in browse(factories.make_user(Role.ORGANISER, consultation)).get(address).text
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).get(address).status_code == 404


def test_rule_3_a_position_on_an_earlier_revision_is_marked_and_not_counted(held: Event, consultation: Consultation) -> None:
    section = consultation.sections[0]
    consultations.start_review(section, by=factories.BY)
    consultations.edit_section(section, {"narrative": {"en": "Another text."}}, section.edit_number, by=factories.BY)
    consultations.make_revision(section, by=factories.BY)
    db.session.commit()
    _types, rows = heat_map(consultation, suppress=False)
    first = next(row for row in rows if row.indicator.dimension.number == 1)
    held_now = sum((first.everyone.counts or {}).values())
    assert (held_now, first.earlier) == (0, 8)


def test_ten_and_a_hundred_positions_take_the_same_statements(held: Event, consultation: Consultation, count_queries: Any) -> None:
    made = []
    for _round in range(2):
        with count_queries() as statements:
            heat_map(consultation, suppress=False)
        made.append(len(statements))
        hold(held, 0, "ngo", *[AGREE] * 12)
        db.session.commit()
    assert made[0] == made[1] <= 6
