"""Writing to participants: seen before it leaves, sent once, in each reader's language, and followed to its end."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.events.models import Event, EventState
from consult_app.mail import Mail, MailState
from consult_app.messages.actions import queue_copies
from consult_app.messages.models import Message
from consult_app.policy import Role
from consult_app.registrations import actions as registrations
from tests import factories

TEXT = {
    "subject-en": "News of {event}",
    "subject-id": "Kabar {event}",
    "body-en": "Dear {name},\n\nwe meet at {venue}.",
    "body-id": "Yth. {name},\n\nkita bertemu di {venue}.",
    "client_key": "a-key-of-the-test",
}


@pytest.fixture
def event(app: Any) -> Event:
    event = factories.make_event(venue="Aula <b>Utama</b>")
    db.session.commit()
    return event


@pytest.fixture
def organiser(event: Event) -> Any:
    return factories.make_user(Role.ORGANISER, event.consultation)


def write(event: Event) -> str:
    return f"/events/{event.slug}/messages/write"


@pytest.mark.usefixtures("audit_ok")
def test_everybody_reads_their_own_language_and_name(event: Event, organiser: Any, browse: Any, sent: Any) -> None:
    factories.make_registration(event, name="Siti", language="id", email="siti@example.org")
    factories.make_registration(event, name="Ann <i>", language="en", email="ann@example.org")
    factories.make_registration(event, name="Budi", email="")
    gone = factories.make_registration(event, name="Gone", email="gone@example.org")
    registrations.cancel(gone, by=organiser)
    page = browse(organiser).get(write(event))
    assert "2 people" in page.text
    assert "1 person without an e-mail address" in page.text
    answer = browse(organiser).post(write(event), data={**TEXT, "step": "send"})
    assert answer.status_code == 303
    by_address = {message["To"]: message for message in sent() if "News" in message["Subject"] or "Kabar" in message["Subject"]}
    assert set(by_address) == {"siti@example.org", "ann@example.org"}
    text = by_address["siti@example.org"].get_body(("plain",)).get_content()
    assert "Yth. Siti" in text
    assert "/open#" in text
    html = by_address["ann@example.org"].get_body(("html",)).get_content()
    assert "Ann &lt;i&gt;" in html
    assert "<b>Utama" not in html
    page = browse(organiser).get(answer.headers["Location"]).text
    assert "ann@example.org" in page


def test_the_preview_shows_the_first_copy_and_sends_nothing(event: Event, organiser: Any, browse: Any, sent: Any) -> None:
    factories.make_registration(event, name="Siti", email="siti@example.org")
    page = browse(organiser).post(write(event), data={**TEXT, "step": "preview"})
    assert page.status_code == 200
    assert "Yth. Siti," in page.text
    assert "Dear Siti," in page.text
    assert "Dear {name}," in page.text  # the field
    assert sent() == []
    assert db.session.scalars(db.select(Message)).all() == []


def test_a_double_click_sends_once(event: Event, organiser: Any, browse: Any, sent: Any) -> None:
    factories.make_registration(event, email="siti@example.org")
    client = browse(organiser)
    for _click in range(2):
        assert client.post(write(event), data={**TEXT, "step": "send"}).status_code == 303
    assert len(sent()) == 1


def test_filters_and_ticks_choose_who_gets_it(event: Event, organiser: Any, browse: Any, sent: Any) -> None:
    chosen = factories.make_registration(event, name="Siti", email="siti@example.org")
    factories.make_registration(event, name="Budi", email="budi@example.org")
    client = browse(organiser)
    assert "siti@example.org" in client.get(write(event) + "?q=siti").text
    assert "budi@example.org" not in client.get(write(event) + "?q=siti").text
    client.post(write(event), data={**TEXT, "registration": [chosen.public_id], "step": "send"})
    assert [message["To"] for message in sent()] == ["siti@example.org"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"subject-en": "", "subject-id": ""}, "at least one language"),
        ({"body-en": "Dear {nama}", "body-id": ""}, "{nama} is not known"),
        ({"body-en": "x" * 20_001}, "At most 20000"),
    ],
)
def test_what_cannot_be_sent_is_said_and_kept(
    change: dict[str, str], words: str, event: Event, organiser: Any, browse: Any, sent: Any
) -> None:
    factories.make_registration(event, email="siti@example.org")
    answer = browse(organiser).post(write(event), data={**TEXT, **change, "step": "send"})
    assert answer.status_code == 422
    assert words in answer.text
    assert "kita bertemu" in answer.text or change.get("body-id") == ""
    assert sent() == []


def test_with_nobody_to_write_to(event: Event, organiser: Any, browse: Any) -> None:
    assert "Nobody to write to" in browse(organiser).get(write(event)).text
    assert browse(organiser).post(write(event), data={**TEXT, "step": "send"}).status_code == 409


def test_copies_of_a_message_whose_job_was_lost_are_queued_once(app: Any, event: Event, organiser: Any, browse: Any, sent: Any) -> None:
    factories.make_registration(event, email="siti@example.org")
    browse(organiser).post(write(event), data={**TEXT, "step": "send"})
    message = db.session.scalars(db.select(Message)).one()
    queue_copies(message)
    queue_copies(message)
    assert len(sent()) == 1
    assert message.queued_at is not None


def test_a_failed_mail_is_named_with_its_reason_and_sent_again(event: Event, organiser: Any, browse: Any, sent: Any) -> None:
    factories.make_registration(event, email="siti@example.org", send=True)
    copy = db.session.scalars(db.select(Mail)).one()
    copy.state, copy.error = MailState.FAILED, "SMTPRecipientsRefused: 550 no such <mailbox>"
    db.session.commit()
    client = browse(organiser)
    url = f"/consultations/{event.consultation.slug}/mail"
    page = client.get(url + "?state=failed").text
    assert "550 no such &lt;mailbox&gt;" in page
    assert "siti@example.org" not in client.get(url + "?state=sent").text
    assert client.post(f"{url}/{copy.public_id}/again").status_code == 303
    assert len(sent()) == 1
    db.session.expire_all()
    assert copy.state is MailState.SENT
    assert client.post(f"{url}/{copy.public_id}/again").status_code == 409


@pytest.mark.parametrize("role", [Role.CHECK_IN, Role.OBSERVER, Role.FACILITATOR, Role.FOCAL_POINT])
def test_only_organisers_write(role: Role, event: Event, browse: Any) -> None:
    client = browse(factories.make_user(role, event.consultation))
    for url in (write(event), f"/events/{event.slug}/messages", f"/consultations/{event.consultation.slug}/mail"):
        assert client.get(url).status_code == 403
    assert client.post(write(event), data={**TEXT, "step": "send"}).status_code == 403


def test_strangers_find_nothing(event: Event, organiser: Any, browse: Any) -> None:
    other: Consultation = factories.make_consultation()
    client = browse(factories.make_user(Role.ORGANISER, other))
    factories.make_registration(event, email="siti@example.org", send=True)
    copy = db.session.scalars(db.select(Mail)).one()
    event.state = EventState.DRAFT
    db.session.commit()
    assert client.get(write(event)).status_code == 404
    assert client.post(write(event), data={**TEXT, "step": "send"}).status_code == 404
    mine = f"/consultations/{other.slug}/mail/{copy.public_id}/again"
    assert client.post(mine).status_code == 404
    assert browse().get(write(event)).status_code == 303


def test_a_mail_that_has_no_address_any_more_is_not_tried_for_hours(event: Event, organiser: Any, browse: Any, sent: Any) -> None:
    registration = factories.make_registration(event, email="siti@example.org")
    browse(organiser).post(write(event), data={**TEXT, "step": "send"})
    message = db.session.scalars(db.select(Message)).one()
    queue_copies(message)
    copy = db.session.scalars(db.select(Mail)).one()
    registration.email = ""
    db.session.commit()
    assert sent() == []
    db.session.expire_all()
    assert (copy.state, copy.attempts) == (MailState.FAILED, 1)
    assert "NotNeeded" in copy.error


def test_who_has_two_places_with_one_address_gets_one_copy(event: Event, organiser: Any, browse: Any, sent: Any) -> None:
    """An office's shared address, and somebody who was registered twice without one and with one."""
    factories.make_registration(event, name="Siti", email="siti@example.org")
    other = factories.make_event(event.consultation)
    factories.make_registration(other, name="Siti", email="siti@example.org")
    assert browse(organiser).post(write(event), data={**TEXT, "step": "send"}).status_code == 303
    assert [mail["To"] for mail in sent()] == ["siti@example.org"]
