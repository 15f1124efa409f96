"""Mail by a real SMTP server: it arrives with its QR, waits while the server is down, and is sent once."""

from __future__ import annotations

import contextvars
import datetime as dt
import email
import email.policy
import io
import socket
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
import zxingcpp
from aiosmtpd.controller import Controller
from icalendar import Calendar
from PIL import Image

from consult_app import jobs
from consult_app import mail as mails
from consult_app.db import db, now, transaction_mode
from consult_app.mail import Mail, MailState
from consult_app.registrations.tickets import link_secret, ticket_code
from tests import factories


class Inbox:
    """What the server took, and what it answers."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        if self.answer.startswith("250"):
            self.messages.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return self.answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def server(inbox: Inbox) -> Iterator[Controller]:
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller
    if not controller.loop.is_closed():  # unless the test itself has stopped it
        controller.stop()


@pytest.fixture
def settings(server: Controller) -> dict[str, Any]:
    return {"MAIL_URL": f"smtp://127.0.0.1:{server.port}"}


@pytest.fixture
def drain(app: Any) -> Any:
    def run() -> None:
        db.session.commit()
        contextvars.Context().run(jobs.drain, app)
        db.session.expire_all()

    return run


def sweep(app: Any) -> None:
    with app.app_context(), transaction_mode("write"):
        mails.queue_again()


def deliver_again(app: Any, mail: Mail) -> None:
    mail_id = mail.id
    db.session.commit()
    contextvars.Context().run(jobs.run, app, "mail.deliver", mail_id)
    db.session.expire_all()


def test_the_ticket_arrives_with_its_qr_inside(drain: Any, inbox: Inbox) -> None:
    registration = factories.make_registration(name="محمد <b>الفاتح</b>\r\nBcc: x@evil.example", language="id", send=True)
    drain()
    (message,) = inbox.messages
    assert (message["To"], message["Bcc"], message["Auto-Submitted"]) == (registration.email, None, "auto-generated")
    image = next(part for part in message.walk() if part.get_content_type() == "image/png")
    assert (image["Content-ID"], image.get_content_disposition()) == ("<ticket>", "inline")
    html = message.get_body(("html",)).get_content()
    assert "cid:ticket" in html
    assert "<b>الفاتح" not in html
    with Image.open(io.BytesIO(image.get_content())) as picture:
        (code,) = zxingcpp.read_barcodes(picture.convert("L"))
    assert code.text == ticket_code(registration.seed)
    assert "/open#" in message.get_body(("plain",)).get_content()
    mail = db.session.scalars(db.select(Mail)).one()
    assert (mail.state, mail.attempts) == (MailState.SENT, 1)
    assert code.text not in str(mail.ids)


def test_nothing_is_sent_twice(app: Any, drain: Any, inbox: Inbox) -> None:
    registration = factories.make_registration(send=True)
    factories.registrations.tell(registration, "ticket")  # the same key
    drain()
    drain()
    deliver_again(app, db.session.scalars(db.select(Mail)).one())
    assert len(inbox.messages) == 1


def test_a_rollback_sends_nothing(drain: Any, inbox: Inbox) -> None:
    event = factories.make_event()
    db.session.commit()
    factories.make_registration(event, send=True)
    db.session.rollback()
    drain()
    assert inbox.messages == []


def test_a_server_that_is_down_loses_nothing(app: Any, drain: Any, inbox: Inbox, server: Controller) -> None:
    server.stop()
    registration = factories.make_registration(send=True)
    drain()
    assert registration.is_confirmed
    mail = db.session.scalars(db.select(Mail)).one()
    assert (mail.state, mail.attempts) == (MailState.QUEUED, 1)
    assert "ConnectionRefusedError" in mail.error
    again = Controller(inbox, hostname="127.0.0.1", port=server.port)
    again.start()
    try:
        deliver_again(app, mail)
    finally:
        again.stop()
    assert (mail.state, mail.error, len(inbox.messages)) == (MailState.SENT, "", 1)


def test_a_server_that_puts_off_is_asked_later_each_time_then_the_mail_has_failed(app: Any, drain: Any, inbox: Inbox) -> None:
    inbox.answer = "451 not now"
    factories.make_registration(send=True)
    drain()
    mail = db.session.scalars(db.select(Mail)).one()
    waits = []
    for attempt in range(2, mails.ATTEMPTS + 1):
        assert (mail.state, mail.attempts) == (MailState.QUEUED, attempt - 1)
        waits.append(round((mail.next_try_at - mail.tried_at).total_seconds() / 60))
        deliver_again(app, mail)
    assert (mail.state, mail.attempts) == (MailState.FAILED, mails.ATTEMPTS)
    assert "not now" in mail.error
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
    assert inbox.messages == []


def test_a_server_that_says_no_for_good_is_asked_once_and_again_when_somebody_wants(app: Any, drain: Any, inbox: Inbox) -> None:
    inbox.answer = "554 no thanks"
    factories.make_registration(send=True)
    drain()
    mail = db.session.scalars(db.select(Mail)).one()
    assert (mail.state, mail.attempts) == (MailState.FAILED, 1)
    inbox.answer = "250 OK"
    mails.send_again(mail)
    drain()
    assert (mail.state, len(inbox.messages)) == (MailState.SENT, 1)


def test_what_is_due_is_tried_again_every_minute(app: Any, drain: Any, inbox: Inbox) -> None:
    inbox.answer = "451 not now"
    factories.make_registration(send=True)
    drain()
    mail = db.session.scalars(db.select(Mail)).one()
    inbox.answer = "250 OK"
    contextvars.Context().run(sweep, app)
    drain()
    assert mail.state is MailState.QUEUED  # its time has not come
    mail.next_try_at = now()
    db.session.commit()
    contextvars.Context().run(sweep, app)
    drain()
    assert (mail.state, len(inbox.messages)) == (MailState.SENT, 1)


def test_a_mail_that_was_being_sent_when_the_worker_was_killed_is_not_sent_twice(app: Any, drain: Any, inbox: Inbox) -> None:
    factories.make_registration(send=True)
    mail = db.session.scalars(db.select(Mail)).one()
    mail.state, mail.tried_at = MailState.SENDING, now() - dt.timedelta(minutes=6)
    db.session.commit()
    contextvars.Context().run(sweep, app)
    drain()
    assert (mail.state, inbox.messages) == (MailState.FAILED, [])
    assert "not known" in mail.error


def test_no_more_leave_in_a_minute_than_the_limit_says(app: Any, drain: Any, inbox: Inbox) -> None:
    app.config["MAIL_PER_MINUTE"] = 3
    event = factories.make_event()
    for _number in range(5):
        factories.make_registration(event, send=True)
    drain()
    assert len(inbox.messages) == 3
    waiting = db.session.scalars(db.select(Mail).where(Mail.state == MailState.QUEUED)).all()
    assert [mail.attempts for mail in waiting] == [0, 0]
    assert all(mail.next_try_at for mail in waiting)


def test_the_mail_carries_the_ticket_on_paper_and_the_calendar_entry(drain: Any, inbox: Inbox) -> None:
    registration = factories.make_registration(send=True)
    drain()
    files = {part.get_content_type(): part for part in inbox.messages[0].iter_attachments()}
    assert set(files) == {"application/pdf", "text/calendar"}
    calendar = Calendar.from_ical(files["text/calendar"].get_content())
    assert str(calendar.events[0]["SUMMARY"]) == registration.event.title["en"]
    paper = files["application/pdf"].get_content()
    picture = subprocess.run(["pdftoppm", "-r", "110", "-png", "-"], input=paper, capture_output=True, check=True).stdout
    with Image.open(io.BytesIO(picture)) as image:
        (code,) = zxingcpp.read_barcodes(image.convert("L"))
    assert code.text == ticket_code(registration.seed)
    assert link_secret(registration.seed).encode() not in paper
