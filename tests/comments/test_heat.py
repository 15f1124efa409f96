"""The heat map: what each type holds of each indicator, on which revision, and what may be told (rules 3, 11, 29)."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app import audit
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


@pytest.fixture
def chatham(consultation: Consultation) -> None:
    consultation.attribution = Attribution.BY_STAKEHOLDER_TYPE
    audit.record(factories.BY, "consultation.change", consultation)
    db.session.commit()


@pytest.mark.usefixtures("chatham")
def test_rule_11_no_cell_from_which_two_people_could_be_read(event: Event, consultation: Consultation, browse: Any) -> None:
    hold(event, 0, "government", AGREE, AGREE, AGREE, DISAGREE, DISAGREE, DISAGREE)
    hold(event, 0, "ngo", AGREE, AGREE)
    hold(event, 1, "government", AGREE, AGREE, AGREE)
    hold(event, 1, "ngo", AGREE, AGREE, AGREE)
    for kind in ("cso", "un"):  # types that could have taken one
        factories.make_registration(event, kind=kind)
    db.session.commit()
    # when the sixth position came six were told, all of one type; the two of the second type came since
    assert numbers(consultation, suppress=True)[:2] == [(6, [6, None], None), (6, [3, 3], None)]
    address = f"/consultations/{consultation.slug}/positions"
    seen = [browse(who).get(address) for who in (factories.make_registration(event), factories.make_user(Role.OBSERVER, consultation))]
    for page in seen:
        assert page.status_code == 200
        assert "2 more since, not broken down yet" in page.text
        assert "&lt;3" in page.text  # nobody at all looks the same as one or two
        assert "Types that took part" not in page.text
    assert "Types that took part" in browse(factories.make_user(Role.ORGANISER, consultation)).get(address).text
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).get(address).status_code == 404


def revise(consultation: Consultation, text: str = "Another text.") -> None:
    section = consultation.sections[0]
    if section.is_open:
        consultations.start_review(section, by=factories.BY)
    consultations.edit_section(section, {"narrative": {"en": text}}, section.edit_number, by=factories.BY)
    consultations.open_section(section, by=factories.BY)
    db.session.commit()
    db.session.expire_all()


def taken(consultation: Consultation, *, suppress: bool, place: int = 0) -> list[tuple[tuple[int, ...], int | None]]:
    """Of an indicator, the numbers of the revisions with how many took a position there."""
    _types, rows = heat_map(consultation, suppress=suppress)
    row = [row for row in rows if row.indicator.dimension.number == 1][place]
    return [(one.numbers, None if one.counts is None else one.total) for one in row.revisions]


def test_rule_3_a_position_on_an_earlier_revision_counts_with_its_revision(held: Event, consultation: Consultation, browse: Any) -> None:
    revise(consultation)
    assert taken(consultation, suppress=False) == [((1,), 8)]
    assert numbers(consultation, suppress=False)[0] == (8, [6, 2], 2)
    organiser = browse(factories.make_user(Role.ORGANISER, consultation))
    for page in ("positions", "indicators/1.1"):
        text = organiser.get(f"/consultations/{consultation.slug}/{page}").text
        assert "on revision 1" in text
        assert "The text is now revision 2" in text
        assert "Nobody has taken a position" not in text


def test_rule_3_of_each_person_the_newest_position_counts_once(held: Event, consultation: Consultation) -> None:
    indicator = consultation.dimensions[0].indicators[1]
    who = factories.make_registration(held, kind="ngo")
    actions.take_position(indicator, who, AGREE, "", by=who)
    revise(consultation)
    actions.take_position(indicator, who, DISAGREE, "why", by=who)
    assert taken(consultation, suppress=False, place=1) == [((1,), 6), ((2,), 1)]
    _types, rows = heat_map(consultation, suppress=False)
    (row,) = (row for row in rows if row.indicator == indicator)
    assert row.everyone.counts == {**dict.fromkeys(PositionValue, 0), AGREE: 6, DISAGREE: 1}


@pytest.mark.usefixtures("chatham")
def test_rule_11_revisions_are_not_told_apart_where_one_has_a_small_cell(event: Event, consultation: Consultation) -> None:
    hold(event, 0, "ngo", *[AGREE] * 8)
    assert taken(consultation, suppress=True) == [((1,), 6)]  # as they were when the sixth came
    revise(consultation)
    hold(event, 0, "ngo", AGREE)
    assert taken(consultation, suppress=True) == [((1, 2), 9)]  # which of both has one is not told
    hold(event, 0, "ngo", AGREE)
    assert taken(consultation, suppress=True) == [((1, 2), 9)]
    hold(event, 0, "ngo", AGREE, AGREE)  # four; but of eight on the first six were told once
    assert taken(consultation, suppress=True) == [((1, 2), 12)]
    hold(event, 0, "ngo", AGREE, AGREE, AGREE)
    assert taken(consultation, suppress=True) == [((1, 2), 15)]


@pytest.mark.usefixtures("chatham")
def test_rule_3_revisions_are_told_apart_where_none_has_a_small_cell(event: Event, consultation: Consultation) -> None:
    hold(event, 0, "ngo", *[AGREE] * 9)
    revise(consultation)
    hold(event, 0, "ngo", AGREE, AGREE)
    assert taken(consultation, suppress=True) == [((1,), 9)]
    hold(event, 0, "ngo", AGREE)
    assert taken(consultation, suppress=True) == [((1,), 9), ((2,), 3)]


@pytest.mark.usefixtures("chatham")
def test_rule_11_three_people_on_two_revisions_are_not_told(event: Event, consultation: Consultation) -> None:
    hold(event, 0, "ngo", AGREE, AGREE)
    revise(consultation)
    hold(event, 0, "ngo", AGREE)
    assert taken(consultation, suppress=True) == [((1, 2), None)]
    assert numbers(consultation, suppress=True)[0] == (None, [], None)


def test_ten_and_a_hundred_positions_take_the_same_statements(held: Event, consultation: Consultation, count_queries: Any) -> None:
    made = []
    for _round in range(2):
        with count_queries() as statements:
            heat_map(consultation, suppress=False)
        made.append(len(statements))
        hold(held, 0, "ngo", *[AGREE] * 12)
        db.session.commit()
    assert made[0] == made[1] <= 6
