"""Rule 5: the public form does the same for a known address as for an unknown one; the worker does what differs."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event as sa_event

from consult_app import jobs
from consult_app.db import db, now
from consult_app.events.models import EventState
from consult_app.registrations import submissions
from consult_app.registrations.models import QuestionKind, Registration, RegistrationState, Submission
from consult_app.registrations.questions import QuestionDetails, add_question
from tests import factories
from tests.registrations.test_register import FORM, registrations


def statements(client: Any, url: str, **more: str) -> list[str]:
    """What is asked of the database in one request."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    client.get(url)
    sa_event.listen(db.engine, "before_cursor_execute", note)
    try:
        assert client.post(url, data={**FORM, **more}).status_code == 303
    finally:
        sa_event.remove(db.engine, "before_cursor_execute", note)
    return asked


def test_the_same_statements_for_a_known_and_an_unknown_address(browse: Any, sent: Any) -> None:
    event = factories.make_event()
    url = f"/events/{event.slug}/register"
    factories.make_registration(event, email=FORM["email"])
    known = statements(browse(), url)
    unknown = statements(browse(), url, email="nobody@example.org", client_key="k2")
    assert known == unknown
    assert len(known) < 20
    assert [mail["To"] for mail in sent()] == [FORM["email"], "nobody@example.org"]


def test_what_was_sent_is_registered_in_its_order_and_forgotten(app: Flask, browse: Any, sent: Any, audit_ok: None) -> None:
    event = factories.make_event(capacity=1)
    url = f"/events/{event.slug}/register"
    for n in range(3):
        page = browse().post(url, data={**FORM, "email": f"p{n}@example.org", "client_key": f"k{n}"}, follow_redirects=True).text
        assert "you get a mail in a minute" in page
    before = now()
    waiting = [one.id for one in db.session.scalars(db.select(Submission).order_by(Submission.id))]
    db.session.commit()
    jobs.run(app, "registrations.register_sent", waiting[2])  # the last of them comes first
    found = registrations(event)
    assert [one.email for one in found] == [f"p{n}@example.org" for n in range(3)]
    assert [one.state for one in found] == [RegistrationState.CONFIRMED, *[RegistrationState.WAITING] * 2]
    assert max(one.state_changed_at for one in found) < before
    assert db.session.scalars(db.select(Submission)).all() == []
    assert len(sent()) == 3


def test_what_is_full_or_closed_meanwhile_is_told_by_mail(app: Flask, browse: Any, sent: Any, audit_ok: None) -> None:
    event = factories.make_event()
    options = [{"name": {"en": "Fish", "id": "Ikan"}, "seats": 1}, {"name": {"en": "Rice", "id": "Nasi"}, "seats": None}]
    question = add_question(event, QuestionDetails(QuestionKind.CHOICE, {"en": "Lunch", "id": "Makan"}, options=options), by=factories.BY)
    choice = {f"q_{question.public_id}": question.options[0]["key"], "language": "en"}
    for n in range(2):
        data = {**FORM, **choice, "email": f"p{n}@example.org", "client_key": f"k{n}"}
        assert browse().post(f"/events/{event.slug}/register", data=data).status_code == 303
    _first, second = sent()
    assert "You are not registered" in second["Subject"]
    assert FORM["name"] not in second.get_body(("plain",)).get_content()
    assert [one.email for one in registrations(event)] == ["p0@example.org"]
    assert browse().post(f"/events/{event.slug}/register", data={**FORM, **choice, "client_key": "k3"}).status_code == 422


def test_one_that_cannot_be_read_holds_up_nobody(app: Flask, browse: Any, sent: Any) -> None:
    event = factories.make_event()
    for n in range(2):
        browse().post(f"/events/{event.slug}/register", data={**FORM, "email": f"p{n}@example.org", "client_key": f"k{n}"})
    first, second = db.session.scalars(db.select(Submission).order_by(Submission.id)).all()
    first.details, number = {}, second.id
    db.session.commit()
    jobs.run(app, "registrations.register_sent", number)
    assert [one.email for one in db.session.scalars(db.select(Registration))] == ["p1@example.org"]


@pytest.mark.parametrize("lost", [True, False])
def test_a_lost_job_is_found_again(app: Flask, browse: Any, sent: Any, lost: bool) -> None:
    event = factories.make_event()
    browse().post(f"/events/{event.slug}/register", data=FORM)
    jobs.huey_of(app).flush()
    if lost:
        db.session.execute(db.update(Submission).values(sent_at=now() - factories.dt.timedelta(minutes=5)))
    submissions.register_sent_again()
    assert len(sent()) == lost


def test_a_cancelled_event_registers_nobody(browse: Any, sent: Any) -> None:
    event = factories.make_event()
    browse().post(f"/events/{event.slug}/register", data=FORM)
    event.state = EventState.CANCELLED
    assert event.title["id"] in sent()[0]["Subject"]
    assert db.session.scalars(db.select(Registration)).all() == []
