"""What a form makes is made once per click, sent twice one after the other or at once (rule 30)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from flask import Flask

from consult_app.attendance.models import Device
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.events.models import Event, Session
from consult_app.invitations.models import EventInvitation
from consult_app.outcomes.actions import add_follow_up
from consult_app.outcomes.models import FollowUp, FollowUpNote
from consult_app.policy import Role
from consult_app.privacy.models import DataRequest
from consult_app.registrations.models import Question, Registration, StakeholderType
from tests import factories
from tests.test_postgresql import app, at_once, postgresql

__all__ = ["app", "postgresql"]
pytestmark = pytest.mark.xdist_group("postgresql-once")
DAY = "2027-03-01"
EVENT = {
    "kind": "validation", "mode": "in_person", "title-en": "Once", "starts_on": DAY, "ends_on": DAY, "starts_at": "08:30",
    "ends_at": "16:00", "timezone": "Asia/Jakarta", "venue": "Hall",
}  # fmt: skip
CONSULTATION = {
    "slug": "made-once", "title-en": "Once", "level": "national", "territory": "ID", "languages": ["en", "id"],
    "attribution": "by_institution", "timezone": "Asia/Jakarta",
}  # fmt: skip
PERSON = {
    "name": "Without Mail", "institution": "Office", "stakeholder_type": "government", "sex": "female", "attendance": "in_person",
    "role": "participant", "language": "en",
}  # fmt: skip
FORMS: dict[str, tuple[str, type[Any], dict[str, Any]]] = {
    "consultation": ("/consultations/new", Consultation, CONSULTATION),
    "event": ("/consultations/{consultation}/events/new", Event, EVENT),
    "agenda item": (
        "/events/{event}/agenda",
        Session,
        {"title-en": "Item", "kind": "plenary", "day": DAY, "starts_at": "09:00", "ends_at": "10:00"},
    ),
    "invitation": (
        "/events/{event}/invitations/add",
        EventInvitation,
        {"kind": "institution", "institution": "An office", "stakeholder_type": "government", "language": "en", "name": "Contact"},
    ),
    "registration": ("/events/{event}/registrations/add", Registration, PERSON),
    "device": ("/events/{event}/devices", Device, {"name": "Desk", "kind": "desk"}),
    "question": ("/events/{event}/questions/add", Question, {"kind": "text", "label-en": "Why?"}),
    "stakeholder type": ("/consultations/{consultation}/stakeholder-types", StakeholderType, {"name-en": "Schools"}),
    "follow-up": ("/consultations/{consultation}/follow-up/add", FollowUp, {"text-en": "Do it."}),
}  # fmt: skip


@pytest.fixture
def names(app: Flask) -> dict[str, str]:
    consultation = factories.make_consultation()
    event = factories.make_event(consultation, starts_on=factories.dt.date(2027, 3, 1))
    user = factories.make_user(Role.ORGANISER, consultation)
    db.session.commit()
    return {"consultation": consultation.slug, "event": event.slug, "email": user.email, "id": str(consultation.id)}


def _count(model: type[Any]) -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(model)) or 0


@pytest.mark.parametrize("thing", FORMS)
def test_rule_30_a_form_sent_again_or_at_once_makes_one(app: Flask, names: dict[str, str], thing: str) -> None:
    address, model, said = FORMS[thing]
    if thing == "consultation":
        said = {**said, "slug": f"once-{names['consultation']}"}
    user = factories.accounts.find_user(names["email"])
    url, clients = address.format(**names), [app.test_client() for _n in range(3)]
    for client in clients:
        client.sign_in(user)  # type: ignore[attr-defined]
        db.session.add(user)
    page = clients[0].get(url).text
    assert 'name="click_key"' in page
    before, form = _count(model), {**said, "click_key": f"of-{thing}-{names['event']}"}
    answers = at_once([partial(client.post, url, data=form) for client in clients])
    again = clients[0].post(url, data=form)
    assert {answer.status_code for answer in [*answers, again]} in ({303}, {200}), again.text
    assert len({answer.headers.get("Location") for answer in [*answers, again]}) == 1
    assert _count(model) == before + 1
    if thing not in ("consultation", "stakeholder type"):
        assert clients[0].post(url, data={**form, "click_key": "of-another-page"}).status_code in (200, 303, 422)
        assert _count(model) == before + (1 if thing == "invitation" else 2)


def test_progress_and_a_request_of_somebodys_data_are_made_once(app: Flask, names: dict[str, str]) -> None:
    user = factories.accounts.find_user(names["email"])
    event = db.session.scalars(db.select(Event).where(Event.slug == names["event"])).one()
    person = factories.make_registration(event)
    row = add_follow_up(event.consultation, {"en": "Do it."}, None, "", None, by=factories.BY)
    staff: Any = app.test_client()
    staff.sign_in(user)
    participant: Any = app.test_client()
    participant.open_link(person)
    url = f"/consultations/{names['consultation']}/follow-up/{row.public_id}/progress"
    for client, address, model, form in (
        (staff, url, FollowUpNote, {"status": "in_progress", "text": "Begun."}),
        (participant, "/my/data", DataRequest, {"kind": "other", "words": "What is it for?"}),
    ):
        before = _count(model)
        for _n in range(2):
            assert client.post(address, data={**form, "click_key": "k"}).status_code == 303
        assert _count(model) == before + 1
