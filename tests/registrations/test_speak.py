"""Who speaks for an institution: named by an organiser, one at an event, and what becomes of the mandate."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from consult_app import audit
from consult_app.db import db
from consult_app.events.models import Event, EventState
from consult_app.policy import Role
from consult_app.registrations import actions, speakers
from consult_app.registrations.models import Registration, RegistrationState, Sex
from consult_app.registrations.people import details_of
from tests import factories

MINISTRY = "Ministry of Speech"


@pytest.fixture
def event(app: Flask) -> Event:
    return factories.make_event()


@pytest.fixture
def person(event: Event) -> Registration:
    return factories.make_registration(event, name="Retno Speaker", institution=MINISTRY)


@pytest.fixture
def organiser(event: Event, browse: Any) -> Any:
    return browse(factories.make_user(Role.ORGANISER, event.consultation))


def page(registration: Registration) -> str:
    return f"/events/{registration.event.slug}/registrations/{registration.public_id}"


def test_an_organiser_names_who_speaks_and_takes_it_back(
    person: Registration, organiser: Any, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    assert organiser.post(f"{page(person)}/speaker/name").status_code == 303
    assert person.speaks_for_institution
    assert last_entry("registration.let_speak").object_id == person.public_id
    assert "Speaks for the institution" in organiser.get(page(person)).text
    assert MINISTRY in browse(person).get("/my/registration").text
    assert organiser.post(f"{page(person)}/speaker/recall").status_code == 303
    assert organiser.post(f"{page(person)}/speaker/recall").status_code == 409
    assert last_entry("registration.let_speak_no_more") is not None
    assert not person.speaks_for_institution


def test_one_of_an_institution_and_event(app: Flask, event: Event, person: Registration, organiser: Any, audit_ok: None) -> None:
    colleague = factories.make_registration(event, institution=MINISTRY)
    other = factories.make_registration(event, institution="Another")
    elsewhere = factories.make_registration(factories.make_event(event.consultation), institution=MINISTRY)
    for one, status in ((person, 303), (person, 303), (colleague, 409), (other, 303), (elsewhere, 303)):
        answer = organiser.post(f"{page(one)}/speaker/name")
        assert answer.status_code == status
    db.session.execute(db.update(Registration).where(Registration.id == person.id).values(speaks_for_institution=True))
    with pytest.raises(IntegrityError):  # the database has the last word
        db.session.execute(db.update(Registration).where(Registration.id == colleague.id).values(speaks_for_institution=True))
    db.session.rollback()


def test_who_may_name(event: Event, person: Registration, browse: Any) -> None:
    deed = f"{page(person)}/speaker/name"
    assert browse().post(deed).location.startswith("/sign-in")  # the event is public, and that is no reason
    for role in (Role.CHECK_IN, Role.RAPPORTEUR, Role.OBSERVER):
        assert browse(factories.make_user(role, event.consultation)).post(deed).status_code == 403
    assert browse(person).post(deed).status_code in (403, 404)
    hidden = factories.make_registration(factories.make_event(event.consultation, state=EventState.DRAFT))
    stranger = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
    assert stranger.post(f"{page(hidden)}/speaker/name").status_code == 404
    assert not person.speaks_for_institution


def test_only_with_a_place(event: Event, person: Registration, organiser: Any) -> None:
    person.state = RegistrationState.WAITING
    audit.record(factories.BY, "registration.change", person)
    assert organiser.post(f"{page(person)}/speaker/name").status_code == 409
    assert organiser.post(f"{page(person)}/speaker/else").status_code == 404


def test_the_mandate_goes_with_the_seat_and_stays_behind_when_they_move(event: Event, person: Registration, audit_ok: None) -> None:
    speakers.let_speak(person, by=factories.BY)
    details = dataclasses.replace(details_of(person), name="Sari Colleague", email="sari@example.org", sex=Sex.FEMALE)
    new = actions.replace(person, details, by=factories.BY)
    db.session.flush()
    assert (new.speaks_for_institution, speakers.speaker_of(person)) == (True, new)
    moved = details_of(new)
    moved.institution = "Another ministry"
    actions.change(new, moved, by=new)
    assert not new.speaks_for_institution


def test_a_cancelled_mandate_returns_only_if_nobody_has_it(event: Event, person: Registration, audit_ok: None) -> None:
    speakers.let_speak(person, by=factories.BY)
    actions.cancel(person, by=factories.BY)
    actions.restore(person, by=factories.BY)
    assert person.speaks_for_institution
    actions.cancel(person, by=factories.BY)
    colleague = factories.make_registration(event, institution=MINISTRY)
    speakers.let_speak(colleague, by=factories.BY)
    actions.restore(person, by=factories.BY)
    assert (person.speaks_for_institution, colleague.speaks_for_institution) == (False, True)
