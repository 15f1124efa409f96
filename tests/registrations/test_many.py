"""Many at once, and what a form shows of choices that are full."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.models import QuestionKind
from consult_app.registrations.questions import QuestionDetails, add_question
from consult_app.registrations.seats import put_quota
from tests import factories
from tests.registrations.test_register import FORM


@pytest.fixture
def event(app: Any) -> Event:
    return factories.make_event(capacity=1)


@pytest.fixture
def organiser(event: Event, browse: Any) -> Any:
    return browse(factories.make_user(Role.ORGANISER, event.consultation))


def test_cancelling_everybody_gives_nobody_a_seat_on_the_way(event: Event, organiser: Any, sent: Any, audit_ok: None) -> None:
    people = [factories.make_registration(event) for _n in range(3)]
    assert organiser.post(f"/events/{event.slug}/registrations/bulk/cancel", data={"everybody": "1"}).status_code == 303
    assert {person.state.value for person in people} == {"cancelled"}
    assert [mail["Subject"].split(":")[0] for mail in sent()] == ["Cancelled"] * 3


def test_the_download_is_of_what_the_search_has_found_since(event: Event, organiser: Any) -> None:
    factories.make_registration(event, name="Suharti")
    rows = organiser.get(f"/events/{event.slug}/registrations?q=suharti", headers={"HX-Request": "true"}).text
    assert '<input type="hidden" form="export" name="q" value="suharti">' in rows
    assert 'id="export"' in organiser.get(f"/events/{event.slug}/registrations").text


def test_a_full_group_or_choice_is_named_and_cannot_be_picked(event: Event, browse: Any) -> None:
    group = event.consultation.dimensions[0]
    put_quota(event, 0, dimension_id=group.id, by=factories.BY)
    options = [{"name": {"en": "Fish", "id": "Ikan"}, "seats": 0}, {"name": {"en": "Rice", "id": "Nasi"}, "seats": None}]
    details = [
        QuestionDetails(kind, {"en": kind.value, "id": kind.value}, options=options)
        for kind in (QuestionKind.CHOICE, QuestionKind.MULTIPLE)
    ]
    questions = [add_question(event, given, by=factories.BY) for given in details]
    page = browse().get(f"/events/{event.slug}/register").text
    assert page.count("Fish (full)") == 2
    assert page.count(" disabled") == 3  # the group, and the choice in both questions
    taken = [{"dimension_id": str(group.id)}, *({f"q_{question.public_id}": question.options[0]["key"]} for question in questions)]
    for choice in taken:  # picked all the same, or taken by somebody else meanwhile
        answer = browse().post(f"/events/{event.slug}/register", data={**FORM, **choice})
        assert answer.status_code == 422
        assert "full by now" in answer.text
