"""Rule 28: under the Chatham House Rule a label that fits fewer than three people who could have spoken is widened."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app import audit
from consult_app.comments import actions
from consult_app.comments.attribution import wide_types
from consult_app.comments.models import CommentKind
from consult_app.consultations.models import Attribution, Consultation, Section
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations import actions as registrations
from consult_app.registrations.models import Registration, StakeholderType
from tests import factories


@pytest.fixture(autouse=True)
def chatham_house(consultation: Consultation) -> None:
    consultation.attribution = Attribution.BY_STAKEHOLDER_TYPE
    audit.record(factories.BY, "consultation.change", consultation)
    db.session.commit()


def come(event: Event, kind: str, number: int) -> list[Registration]:
    return [factories.make_registration(event, kind=kind) for _n in range(number)]


def say(section: Section, who: Registration) -> None:
    text, key = f"Said by {who.stakeholder_type.code}.", who.public_id
    actions.write_comment(section.dimension.indicators[0], who, CommentKind.CORRECTION, text, by=who, client_key=key)


def wide(consultation: Consultation) -> set[str]:
    db.session.commit()
    return {db.session.get_one(StakeholderType, one).code for one in wide_types(consultation.id)}


@pytest.mark.parametrize(
    ("coming", "widened"),
    [
        ({"government": 3, "ngo": 3, "cso": 3, "un": 3}, set()),
        ({"government": 5, "ngo": 2, "cso": 1, "un": 4}, {"ngo", "cso"}),
        ({"government": 5, "ngo": 1, "cso": 3, "un": 4}, {"ngo", "cso"}),  # "participants" alone would say that it was the one NGO
        ({"government": 5, "ngo": 0, "cso": 3, "un": 4}, {"ngo"}),
        ({"government": 1, "ngo": 0, "cso": 0, "un": 0}, {"government", "ngo", "cso", "un"}),
    ],
)
def test_a_label_of_fewer_than_three_is_widened(event: Event, consultation: Consultation, coming: Any, widened: set[str]) -> None:
    for kind, number in coming.items():
        come(event, kind, number)
    assert wide(consultation) == widened


def test_who_could_have_spoken_has_a_place_and_is_counted_once(event: Event, consultation: Consultation) -> None:
    for kind in ("ngo", "cso", "un"):
        come(event, kind, 3)
    come(event, "government", 2)
    again = factories.make_event(consultation)
    one, *_others = come(event, "government", 1)
    assert wide(consultation) == set()
    registrations.cancel(one, by=factories.BY)
    assert "government" in wide(consultation)
    twice = factories.make_registration(again, kind="government", email="person@example.org")
    assert wide(consultation) == set()
    registrations.cancel(twice, by=factories.BY)
    factories.make_registration(again, kind="government", email="one@example.org")
    factories.make_registration(event, kind="cso", email="one@example.org")
    assert wide(consultation) == set()


def test_pages_files_and_filters_tell_only_a_participant(
    event: Event, consultation: Consultation, section: Section, browse: Any, audit_ok: None
) -> None:
    come(event, "government", 3)
    say(section, come(event, "un", 1)[0])
    say(section, come(event, "cso", 2)[0])
    say(section, come(event, "ngo", 3)[0])
    reader = factories.make_registration(event, kind="government")
    base = f"/consultations/{consultation.slug}"
    observer, staff = (browse(factories.make_user(role, consultation)) for role in (Role.OBSERVER, Role.RAPPORTEUR))
    for client in (browse(reader), observer):
        page = client.get(f"{base}/indicators/1.1").text
        assert page.count("Participants") >= 2
        assert "UN agency" not in page
        matrix = client.get(f"{base}/comment-matrix.csv").text
        assert matrix.count("Participants") == 2
        assert "NGO" in matrix
        assert "CSO" not in matrix
    found = {kind: observer.get(f"{base}/comments?type={kind}").text.count("review-list__item") for kind in ("un", "cso", "ngo", "*", "")}
    assert found == {"un": 0, "cso": 0, "ngo": 1, "*": 2, "": 3}
    assert "UN agency" not in observer.get(f"{base}/comments").text
    assert "UN agency" in staff.get(f"{base}/indicators/1.1").text
    assert staff.get(f"{base}/comments?type=un").text.count("review-list__item") == 1
