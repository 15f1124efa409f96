"""Registering: the public form, the organiser's, and rules 4 and 5."""

from __future__ import annotations

import re
from typing import Any

import pytest

from consult_app.db import db
from consult_app.policy import Role
from consult_app.registrations.models import Registration, RegistrationState
from tests import factories
from tests.conftest import run_jobs

FORM = {
    "stakeholder_type": "government",
    "institution": "Ministry of Foreign Affairs",
    "name": "Suharti",
    "sex": "female",
    "email": "suharti@kemlu.example",
    "phone": "0812 0000 0001",
    "taking_part": "y",
    "language": "id",
    "client_key": "k1",
}


def registrations(event: Any) -> list[Registration]:
    """Who is registered, when the worker has done what was sent."""
    run_jobs()
    return list(db.session.scalars(db.select(Registration).where(Registration.event_id == event.id).order_by(Registration.id)))


def test_public_form_registers_and_sends_the_ticket(browse: Any, sent: Any, audit_ok: None, last_entry: Any) -> None:
    event = factories.make_event()
    answer = browse().post(f"/events/{event.slug}/register", data=FORM)
    assert (answer.status_code, answer.location) == (303, f"/events/{event.slug}/registered")
    (registration,) = registrations(event)
    assert (registration.name, registration.phone, registration.state) == ("Suharti", "+62 812-0000-0001", RegistrationState.CONFIRMED)
    (mail,) = sent()
    assert mail["To"] == "suharti@kemlu.example"
    assert "/open" in mail.get_body(("plain",)).get_content()
    assert last_entry("registration.register").actor == "anonymous"


def test_form_sent_twice_counts_once(browse: Any, sent: Any) -> None:
    event = factories.make_event()
    client = browse()
    client.post(f"/events/{event.slug}/register", data=FORM)
    client.post(f"/events/{event.slug}/register", data=FORM)
    assert len(registrations(event)) == 1
    assert len(sent()) == 1


def test_invalid_form_keeps_what_was_typed(browse: Any) -> None:
    event = factories.make_event()
    answer = browse().post(f"/events/{event.slug}/register", data={**FORM, "email": "not an address", "taking_part": ""})
    assert answer.status_code == 422
    assert "not an address" in answer.text
    assert registrations(event) == []


def test_closed_registration_is_409(browse: Any) -> None:
    event = factories.make_event()
    event.registration_closes_at = event.created_at
    answer = browse().post(f"/events/{event.slug}/register", data=FORM)
    assert answer.status_code == 409
    assert registrations(event) == []


def test_draft_event_is_404_to_a_stranger(browse: Any) -> None:
    event = factories.make_event(state="draft")
    stranger = factories.make_user(Role.ORGANISER, factories.make_consultation())
    assert browse(stranger).get(f"/events/{event.slug}/register").status_code == 404


def test_rule_4_capacity_and_quota_are_never_exceeded_and_the_list_moves_up_in_order(sent: Any, audit_ok: None) -> None:
    event = factories.make_event(capacity=2)
    factories.registrations.set_quota(event, factories.stakeholder_type(event.consultation_id, "ngo"), 1, by=factories.BY)
    first = factories.make_registration(event, kind="ngo")
    second = factories.make_registration(event, kind="ngo")  # over the quota of its type
    third = factories.make_registration(event)
    fourth = factories.make_registration(event)  # over capacity
    states = [r.state.value for r in (first, second, third, fourth)]
    assert states == ["confirmed", "waiting", "confirmed", "waiting"]
    factories.registrations.cancel(first, by=factories.BY)
    assert [r.state.value for r in (second, fourth)] == ["confirmed", "waiting"]
    assert [m["Subject"] for m in sent() if second.email in str(m["To"])] == [f"You have a seat: {event.title['en']}"]


def test_rule_5_the_same_email_is_shown_its_existing_registration(browse: Any, sent: Any) -> None:
    event = factories.make_event()
    new = browse().post(f"/events/{event.slug}/register", data=FORM, follow_redirects=True)
    again = browse().post(
        f"/events/{event.slug}/register", data={**FORM, "client_key": "k2", "name": "Somebody Else"}, follow_redirects=True
    )
    without_token = [re.sub(r'(content|value)="[\w.-]{60,}"', "", answer.text) for answer in (new, again)]
    assert without_token[0] == without_token[1]  # nobody can learn from the form who is registered
    (registration,) = registrations(event)
    assert registration.name == "Suharti"
    first, second = sent()
    assert second["To"] == first["To"]
    assert "Your ticket and link" in second["Subject"] or "Tiket" in second["Subject"]


@pytest.mark.parametrize("body", ["1e309", "5", "[]", '"x"', "null", '{"name": 5}', '{"name": ["Siti"]}'])
def test_a_page_reads_no_json(client: Any, body: str) -> None:
    event = factories.make_event()
    answer = client.post(f"/events/{event.slug}/register", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert db.session.scalar(db.select(db.func.count()).select_from(Registration)) == 0
