"""Changing, cancelling, restoring and replacing: by the personal link and by the organiser."""

from __future__ import annotations

from typing import Any

from consult_app.db import db
from consult_app.policy import Role
from consult_app.registrations.models import Purpose, Registration, RegistrationState
from consult_app.registrations.tickets import link_secret, ticket_code
from tests import factories

CHANGE = {
    "stakeholder_type": "government",
    "institution": "Another Office",
    "name": "Budi",
    "sex": "male",
    "taking_part": "y",
    "language": "en",
}


def test_the_form_shows_what_is_known_and_saves_the_change(browse: Any, audit_ok: None, last_entry: Any) -> None:
    registration = factories.make_registration(name="Budi Santoso", institution="Office of Tests")
    client = browse(registration)
    page = client.get("/my/registration/change")
    assert "Budi Santoso" in page.text
    assert "Office of Tests" in page.text
    assert client.post("/my/registration/change", data=CHANGE).status_code == 303
    assert (registration.name, registration.institution.name["en"]) == ("Budi", "Another Office")
    assert {c.purpose: c.is_given for c in registration.consents}[Purpose.TAKING_PART] is True
    assert last_entry("registration.change").actor == registration.actor_key


def test_invalid_change_is_422_and_kept(browse: Any) -> None:
    registration = factories.make_registration()
    answer = browse(registration).post("/my/registration/change", data={**CHANGE, "name": "", "position": "Typed position"})
    assert answer.status_code == 422
    assert "Typed position" in answer.text


def test_own_pages_are_for_participants(browse: Any) -> None:
    assert browse().get("/my/registration").status_code == 303
    user = factories.make_user(Role.ORGANISER, factories.make_consultation())
    assert browse(user).get("/my/registration").status_code in (403, 404)


def test_cancel_ends_ticket_link_and_session(browse: Any, sent: Any, audit_ok: None) -> None:
    registration = factories.make_registration()
    client = browse(registration)
    assert client.post("/my/registration/cancel").status_code == 303
    assert registration.state is RegistrationState.CANCELLED
    assert client.get("/my/registration").status_code == 303  # to sign-in
    assert browse().post("/open", data={"token": link_secret(registration.seed)}).status_code == 422
    assert [m["Subject"] for m in sent()] == [f"Cancelled: {registration.event.title['en']}"]


def test_a_get_of_the_link_opens_nothing(browse: Any) -> None:
    registration = factories.make_registration()
    client = browse()
    assert client.get(f"/open?token={link_secret(registration.seed)}").status_code == 200
    assert client.head("/open").status_code == 200
    assert client.get("/my/registration").status_code == 303
    assert registration.opened_at is None


def test_the_ticket_does_not_open_the_link(browse: Any) -> None:
    registration = factories.make_registration()
    assert browse().post("/open", data={"token": ticket_code(registration.seed)}).status_code == 422


def test_rule_6_a_delegate_can_be_replaced(browse: Any, sent: Any, audit_ok: None, last_entry: Any) -> None:
    event = factories.make_event(capacity=1)
    old = factories.make_registration(event)
    waiting = factories.make_registration(event)
    organiser = factories.make_user(Role.ORGANISER, event.consultation)
    url = f"/events/{event.slug}/registrations/{old.public_id}/replace"
    answer = browse(organiser).post(url, data={"name": "Colleague", "sex": "female", "email": "colleague@example.org"})
    assert answer.status_code == 303
    new = db.session.scalars(db.select(Registration).where(Registration.replaces_id == old.id)).one()
    assert (new.state, new.institution_id, new.full_name) == (RegistrationState.CONFIRMED, old.institution_id, "Colleague")
    assert old.state is RegistrationState.REPLACED
    assert waiting.state is RegistrationState.WAITING  # the institution's seat stayed with it
    assert ticket_code(new.seed) != ticket_code(old.seed)
    assert {m["To"] for m in sent()} == {"colleague@example.org", old.email}
    assert last_entry("registration.replace").actor == organiser.actor_key


def test_replacing_is_404_to_a_stranger_403_to_an_observer_409_when_cancelled_422_without_a_name(browse: Any) -> None:
    event = factories.make_event()
    registration = factories.make_registration(event)
    url = f"/events/{event.slug}/registrations/{registration.public_id}/replace"
    data = {"name": "Colleague", "sex": "female", "email": "colleague@example.org"}
    stranger = factories.make_user(Role.ORGANISER, factories.make_consultation())
    observer = factories.make_user(Role.OBSERVER, event.consultation)
    organiser = factories.make_user(Role.ORGANISER, event.consultation)
    event.state = "draft"
    assert browse(stranger).post(url, data=data).status_code == 404
    event.state = "published"
    assert browse(observer).post(url, data=data).status_code == 403
    assert browse(organiser).post(url, data={**data, "name": ""}).status_code == 422
    factories.registrations.cancel(registration, by=factories.BY)
    assert browse(organiser).post(url, data=data).status_code == 409


def test_cancel_and_restore_by_the_organiser(browse: Any, audit_ok: None, last_entry: Any) -> None:
    event = factories.make_event()
    registration = factories.make_registration(event)
    client = browse(factories.make_user(Role.ORGANISER, event.consultation))
    base = f"/events/{event.slug}/registrations/{registration.public_id}"
    assert client.post(f"{base}/cancel").status_code == 303
    assert client.post(f"{base}/cancel").status_code == 409
    assert client.post(f"{base}/restore").status_code == 303
    assert registration.is_confirmed
    assert last_entry("registration.restore") is not None


def test_another_events_registration_is_404(browse: Any) -> None:
    event = factories.make_event()
    other = factories.make_registration(factories.make_event(event.consultation))
    organiser = factories.make_user(Role.ORGANISER, event.consultation)
    assert browse(organiser).get(f"/events/{event.slug}/registrations/{other.public_id}").status_code == 404
