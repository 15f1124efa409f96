"""Positions on indicators: taken, changed, told by stakeholder type."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.comments import actions, queries
from consult_app.comments.models import Position, PositionValue
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Attribution
from consult_app.db import db
from tests import factories
from tests.signoff.steps import freeze


def url(consultation: Any) -> str:
    return f"/consultations/{consultation.slug}/indicators/1.1/position"


def positions() -> list[Position]:
    return list(db.session.scalars(db.select(Position).order_by(Position.id)))


def test_a_position_is_taken_and_changed_but_counted_once(
    consultation: Any, author: Any, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    client = browse(author)
    assert client.post(url(consultation), data={"value": "agree"}).status_code == 303
    assert client.post(url(consultation), data={"value": "disagree", "reason": "Not <b>so</b>."}).status_code == 303
    (position,) = positions()
    assert (position.value, position.reason) == (PositionValue.DISAGREE, "Not <b>so</b>.")
    assert last_entry("position.take").actor == author.actor_key
    assert "Not &lt;b&gt;so" in client.get(f"/consultations/{consultation.slug}/indicators/1.1").text


@pytest.mark.parametrize("data", [{"value": "reservation"}, {"value": "disagree", "reason": "  "}, {"value": "maybe"}, {}])
def test_an_incomplete_position_is_422(consultation: Any, author: Any, browse: Any, data: dict[str, str]) -> None:
    assert browse(author).post(url(consultation), data=data).status_code == 422
    assert positions() == []


def test_who_may_take_one_and_when(consultation: Any, section: Any, author: Any, browse: Any) -> None:
    data = {"value": "agree"}
    assert browse().post(url(consultation), data=data).status_code == 303
    assert browse(factories.make_registration()).post(url(consultation), data=data).status_code == 404
    freeze(section)
    assert browse(author).post(url(consultation), data=data).status_code == 409


def test_rule_3_a_position_stays_on_the_revision_it_was_taken_on(consultation: Any, section: Any, author: Any, browse: Any) -> None:
    client = browse(author)
    client.post(url(consultation), data={"value": "agree"})
    freeze(section)
    consultations.reopen_section(section, by=factories.BY)
    consultations.edit_section(section, {"narrative": {"en": "Another text."}}, section.edit_number, by=factories.BY)
    consultations.open_section(section, by=factories.BY)
    db.session.commit()
    page = client.get(f"/consultations/{consultation.slug}/indicators/1.1").text
    assert "revision 1" in page
    client.post(url(consultation), data={"value": "abstain", "revision": section.revision.public_id})
    assert [(p.revision.number, p.value.value) for p in positions()] == [(1, "agree"), (section.revision_number, "abstain")]


def test_rule_11_no_small_cell_can_be_read_or_worked_out(consultation: Any, section: Any, event: Any) -> None:
    consultation.attribution = Attribution.BY_STAKEHOLDER_TYPE
    indicator = section.dimension.indicators[0]

    def take(kind: str, value: PositionValue, number: int) -> None:
        for _n in range(number):
            who = factories.make_registration(event, kind=kind)
            actions.take_position(indicator, who, value, "why", by=who)

    take("government", PositionValue.AGREE, 3)
    take("un", PositionValue.AGREE, 3)
    take("ngo", PositionValue.DISAGREE, 1)
    held = queries.positions(indicator, suppress=True)
    assert held.everyone.counts == {**dict.fromkeys(PositionValue, 0), PositionValue.AGREE: 6}  # as it was before the seventh
    assert [sum((row.counts or {}).values()) for row in held.rows] == [3, 3]
    assert (held.people, held.since) == (7, 1)
