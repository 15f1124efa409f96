"""Rule 28: who moves to an institution that is represented already waits for an organiser."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from consult_app.db import db
from consult_app.events.models import Event
from consult_app.invitations import actions as invitations
from consult_app.invitations.models import InvitationKind
from consult_app.policy import Role
from consult_app.registrations import actions
from consult_app.registrations.models import Institution, Registration
from tests import factories
from tests.registrations.test_change import CHANGE

MINISTRY = "Ministry of Foreign Affairs"


@pytest.fixture
def event(app: Flask) -> Event:
    return factories.make_event()


@pytest.fixture
def person(event: Event) -> Registration:
    return factories.make_registration(event, name="Budi Mover", institution="Small Office", kind="ngo")


def ask(browse: Any, person: Registration, institution: str = MINISTRY, **more: str) -> Any:
    client = browse(person)
    answer = client.post("/my/registration/change", data={**CHANGE, "institution": institution, **more})
    assert answer.status_code == 303
    return client


def is_seated(event: Event) -> None:
    factories.make_registration(event, institution=MINISTRY)


def is_at_another_event(event: Event) -> None:
    factories.make_registration(factories.make_event(event.consultation), institution=MINISTRY)


def is_signing(event: Event) -> None:
    factories.name_focal_point(event.consultation.sections[0], factories.make_user(Role.FOCAL_POINT, event.consultation), MINISTRY.upper())


def is_invited(event: Event) -> None:
    kind = factories.stakeholder_type(event.consultation_id)
    guest = invitations.Guest(InvitationKind.INSTITUTION, MINISTRY, kind, email="contact@example.org")
    invitations.invite(event, guest, by=factories.BY)


def has_two_names(event: Event) -> None:
    seated = factories.make_registration(event, institution=MINISTRY)
    seated.institution.name = {"en": "Another Name", "id": MINISTRY}
    actions.audit.record(factories.BY, "institution.change", seated.institution)


@pytest.mark.parametrize("represented", [is_seated, is_at_another_event, is_signing, is_invited, has_two_names])
def test_an_institution_that_is_represented_waits_for_the_organiser(
    event: Event, person: Registration, browse: Any, represented: Any, audit_ok: None, last_entry: Any
) -> None:
    represented(event)
    client = ask(browse, person, diet="No fish")
    assert (person.institution.name["en"], person.stakeholder_type.code, person.diet) == ("Small Office", "ngo", "No fish")
    assert last_entry("institution_change.ask").actor == person.actor_key
    assert "You asked to come for" in client.get("/my/registration").text
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    assert "Budi" in organiser.get(f"/events/{event.slug}/registrations").text.split("Want to come for another institution")[1][:600]
    assert "asks to be shown as" in organiser.get(f"/events/{event.slug}/registrations/{person.public_id}").text


@pytest.mark.parametrize(("verb", "then", "subject"), [
    ("accept", (MINISTRY, "government"), "Your institution is changed"), ("refuse", ("Small Office", "ngo"), "Your institution stays"),
])  # fmt: skip
def test_the_organiser_decides_once_and_the_participant_hears(
    event: Event, person: Registration, browse: Any, sent: Any, verb: str, then: tuple[str, str], subject: str, audit_ok: None
) -> None:
    is_seated(event)
    ask(browse, person)
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    page = f"/events/{event.slug}/registrations/{person.public_id}"
    deed = next(one for one in organiser.get(page).text.split('"') if one.endswith(f"/{verb}") and "/institution/" in one)
    assert browse(person).post(deed).status_code in (403, 404)
    assert organiser.post(deed).status_code == 303
    assert (person.institution.name["en"], person.stakeholder_type.code) == then
    assert organiser.post(deed).status_code == 409
    assert subject in sent()[-1]["Subject"]
    assert "You asked to come for" not in browse(person).get("/my/registration").text


def test_it_is_taken_back_by_putting_it_as_it_was(event: Event, person: Registration, browse: Any, audit_ok: None, last_entry: Any) -> None:
    is_seated(event)
    ask(browse, person)
    ask(browse, person, "SMALL office", stakeholder_type="ngo")
    assert last_entry("institution_change.take_back") is not None
    assert "You asked to come for" not in browse(person).get("/my/registration").text
    assert db.session.scalar(db.select(db.func.count(Institution.id))) == 2


def test_another_name_of_their_own_institution_is_no_change(event: Event, person: Registration, browse: Any, audit_ok: None) -> None:
    is_seated(event)
    person.institution.name = {"en": "Small Office", "id": "Kantor Kecil"}
    actions.audit.record(factories.BY, "institution.change", person.institution)
    own = person.institution_id
    ask(browse, person, "Kantor Kecil", stakeholder_type="ngo")
    assert person.institution_id == own
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    form = {**CHANGE, "institution": "Kantor Kecil", "stakeholder_type": "ngo", "role": "participant"}
    assert organiser.post(f"/events/{event.slug}/registrations/{person.public_id}/edit", data=form).status_code == 303
    assert person.institution_id == own


def test_an_institution_of_nobody_else_is_changed_at_once(event: Event, person: Registration, browse: Any, audit_ok: None) -> None:
    ask(browse, person, "New Institute")
    assert person.institution.name["en"] == "New Institute"
    ask(browse, person, "Small Office")  # nobody else's either
    assert person.institution.name["en"] == "Small Office"
