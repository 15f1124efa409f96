"""An event or a consultation as the template of another: what comes along, and what stays."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask

from consult_app.consultations.models import Consultation, Indicator
from consult_app.db import db
from consult_app.events.actions import add_session
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.models import Question, QuestionKind, Quota, Registration
from consult_app.registrations.queries import stakeholder_types
from consult_app.registrations.stakeholders import add_stakeholder_type
from tests import factories


@pytest.fixture
def event(app: Flask) -> Event:
    return factories.make_event(venue="Aula", capacity=40)


@pytest.fixture
def organiser(event: Event) -> Any:
    return factories.make_user(Role.ORGANISER, event.consultation)


@pytest.mark.usefixtures("audit_ok")
def test_an_event_from_a_template_has_its_agenda_and_settings_and_nobody(event: Event, organiser: Any, browse: Any) -> None:
    kind = stakeholder_types(event.consultation_id)[0] if stakeholder_types(event.consultation_id) else None
    if kind is None:
        kind = add_stakeholder_type(event.consultation_id, "ngo", {"en": "NGO"}, 0, by=factories.BY)
    factories.registrations.set_quota(event, kind, 12, by=factories.BY)
    asked = Question(
        consultation_id=event.consultation_id, event_id=event.id, place=1, kind=QuestionKind.CHOICE, label={"en": "Lunch?"},
        options=[{"key": "a", "name": {"en": "Yes"}, "seats": 5}],
    )  # fmt: skip
    db.session.add(asked)
    factories.audit.record(factories.BY, "question.add", asked)
    add_session(event, {"en": "Opening"}, event.starts_on, dt.time(9), dt.time(10), by=factories.BY)
    factories.make_registration(event)
    client = browse(organiser)
    url = f"/consultations/{event.consultation.slug}/events/new?template={event.slug}"
    page = client.get(url).text
    assert 'value="Aula"' in page
    day = event.starts_on + dt.timedelta(days=100)
    data = {
        "title-en": "Second round", "kind": event.kind.value, "mode": event.mode.value, "starts_on": day.isoformat(),
        "ends_on": day.isoformat(), "starts_at": "09:00", "ends_at": "16:00", "timezone": event.timezone, "venue": "Aula", "capacity": "40",
    }  # fmt: skip
    answer = client.post(url, data=data)
    assert answer.status_code == 303, answer.text[:500]
    copy = db.session.scalars(db.select(Event).order_by(Event.id.desc())).first()
    assert copy is not None
    assert copy.id != event.id
    assert [(s.title["en"], s.day) for s in copy.sessions] == [("Opening", day)]
    (quota,) = db.session.scalars(db.select(Quota).where(Quota.event_id == copy.id))
    assert quota.seats == 12
    (question,) = db.session.scalars(db.select(Question).where(Question.event_id == copy.id))
    assert question.options == asked.options
    assert db.session.scalars(db.select(Registration).where(Registration.event_id == copy.id)).all() == []


def test_a_template_of_another_consultation_is_not_there(event: Event, browse: Any) -> None:
    other = factories.make_consultation()
    client = browse(factories.make_user(Role.ORGANISER, other))
    assert client.get(f"/consultations/{other.slug}/events/new?template={event.slug}").status_code in (403, 404)
    assert client.get(f"/consultations/new?template={event.consultation.slug}").status_code == 404
    assert client.get("/consultations/new?template=nothing").status_code == 404


@pytest.mark.usefixtures("audit_ok")
def test_a_consultation_from_a_template_has_its_framework_and_no_findings(organiser: Any, event: Event, browse: Any) -> None:
    template = event.consultation
    indicator = db.session.scalars(db.select(Indicator).where(Indicator.consultation_id == template.id)).first()
    assert indicator is not None
    indicator.finding = {"en": "A finding of the other country"}
    factories.audit.record(factories.BY, "indicator.change", indicator)
    count = len(db.session.scalars(db.select(Indicator).where(Indicator.consultation_id == template.id)).all())
    client = browse(organiser)
    url = f"/consultations/new?template={template.slug}"
    assert "come along" in client.get(url).text
    data = {
        "title-en": "Another country", "slug": "another-country", "level": "national", "country": "PH", "languages": ["en"],
        "timezone": "Asia/Manila", "attribution": template.attribution.value,
    }  # fmt: skip
    answer = client.post(url, data=data)
    assert answer.status_code == 303, answer.text[:2000]
    new = db.session.scalars(db.select(Consultation).where(Consultation.slug == "another-country")).one()
    copies = db.session.scalars(db.select(Indicator).where(Indicator.consultation_id == new.id)).all()
    assert len(copies) == count
    assert [copy.finding for copy in copies] == [{}] * count
    assert {kind.code for kind in stakeholder_types(new.id)} == {kind.code for kind in stakeholder_types(template.id)}
