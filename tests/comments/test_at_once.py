"""The same comment, reply, draft, file and join code from several connections at one moment, on both databases (rule 10)."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from consult_app import audit
from consult_app.comments.models import Attachment, Comment, CommentDraft, Reply
from consult_app.consultations.actions import open_section
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.registrations.joining import make_join_code
from consult_app.registrations.models import JoinCode, Registration
from tests import factories
from tests.comments.files import PDF
from tests.test_postgresql import app, at_once, postgresql  # noqa: F401  fixtures

pytestmark = pytest.mark.xdist_group("at-once")  # each database is made once
CROWD = 6


@pytest.fixture
def phones(app: Flask) -> tuple[list[Any], str, Registration]:  # noqa: F811  the fixture above
    """One person on several phones, the address of an indicator, and who it is."""
    consultation = factories.make_consultation()
    open_section(consultation.sections[0], by=factories.BY)
    person = factories.make_registration(factories.make_event(consultation))
    clients: list[Any] = [app.test_client() for _n in range(CROWD)]
    for client in clients:
        client.open_link(person)
    return clients, f"/consultations/{consultation.slug}", person


def count(model: Any, *conditions: Any) -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(model).where(*conditions)) or 0


def test_each_is_there_once(app: Flask, phones: tuple[list[Any], str, Registration]) -> None:  # noqa: F811
    clients, base, person = phones
    number, here = person.id, f"{base}/indicators/1.1"

    def every(deed: Callable[[Any, int], Any]) -> list[int]:
        return [answer.status_code for answer in at_once([lambda c=c, n=n: deed(c, n) for n, c in enumerate(clients)])]

    typed = {"kind": "context", "text": "At once"}
    assert every(lambda c, n: c.post(f"{here}/draft", data={**typed, "client_key": f"page-{n}"})) == [200] * CROWD
    assert count(CommentDraft, CommentDraft.registration_id == number) == 1
    assert every(lambda c, n: c.post(f"{here}/comments", data={**typed, "client_key": "same"})) == [303] * CROWD
    assert count(Comment, Comment.registration_id == number) == 1
    comment = db.session.scalars(db.select(Comment.public_id).where(Comment.registration_id == number)).one()
    deed = f"{base}/comments/{comment}"
    assert every(lambda c, n: c.post(f"{deed}/reply", data={"text": "Yes", "client_key": "same"})) == [303] * CROWD
    assert count(Reply, Reply.registration_id == number) == 1
    files = [PDF + bytes([n]) + b"%%EOF" for n in range(CROWD)]
    sent = every(lambda c, n: c.post(f"{deed}/evidence", data={"files": [(io.BytesIO(files[n]), "a.pdf")]}))
    assert sorted(sent) == [303] * 3 + [422] * (CROWD - 3)
    assert count(Attachment) == 3
    assert len([f for f in (app.config["VAR"] / "attachments").rglob("*") if f.is_file()]) == 2 * 3  # each with its copy for others
    assert audit.verify()[1] == []


def test_a_join_code_lets_one_in_and_an_institution_has_one_voice(
    app: Flask,  # noqa: F811
    phones: tuple[list[Any], str, Registration],
) -> None:
    person = db.session.get_one(Registration, phones[2].id)
    code, secret = make_join_code(person, by=factories.BY)
    code_id, event_id = code.id, person.event_id
    strangers: list[Any] = [app.test_client() for _n in range(CROWD)]
    answers = at_once([lambda c=c: c.post("/join", data={"token": secret}).status_code for c in strangers])
    assert sorted(answers) == [303] + [422] * (CROWD - 1)
    assert db.session.get_one(JoinCode, code_id).used_at is not None
    staff: Any = app.test_client()
    event = db.session.get_one(Event, event_id)
    staff.sign_in(factories.make_user(factories.Role.ORGANISER, event.consultation))
    colleagues = [factories.make_registration(event, institution="One Voice").public_id for _n in range(3)]
    base = f"/events/{event.slug}/registrations"
    named = at_once([lambda c=c: staff.post(f"{base}/{c}/speaker/name").status_code for c in colleagues])
    assert sorted(named) == [303, 409, 409]
    assert audit.verify()[1] == []
