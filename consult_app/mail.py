"""Mail: a row in the same transaction as the deed, sent by the job queue, retried, sent once.

A feature registers a builder per kind of mail; it is called at sending time with the ids that were kept, so that the
table holds no ticket and no link. `key` makes a mail unique: the same key is never queued twice.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Any
from urllib.parse import unquote, urlsplit

from flask import current_app, render_template
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column

from . import i18n, jobs
from .db import Model, Public, db, enum_type, now

ATTEMPTS = 8


class MailState(enum.StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"


class Mail(Public, Model):
    """One message to one address."""

    __tablename__ = "mails"

    key: Mapped[str] = mapped_column(unique=True)
    consultation_id: Mapped[int | None] = mapped_column(index=True)
    kind: Mapped[str]
    to: Mapped[str]
    language: Mapped[str]
    ids: Mapped[dict[str, Any]]
    about: Mapped[str] = mapped_column(default="", index=True)  # the public id of the registration or invitation it is for
    batch: Mapped[str] = mapped_column(default="", index=True)  # the public id of the message it is a copy of
    state: Mapped[MailState] = mapped_column(enum_type(MailState), default=MailState.QUEUED, index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")
    sent_at: Mapped[dt.datetime | None]


@dataclass
class Attachment:
    """A file of a mail; with `cid` it is shown inside the HTML as `cid:…`."""

    name: str
    media_type: str
    data: bytes
    cid: str = ""


@dataclass
class Parts:
    """What a builder returns: the subject, the template (`feature/email/name`, without ending) and its names."""

    subject: str
    template: str
    names: dict[str, Any] = field(default_factory=dict)
    attachments: list[Attachment] = field(default_factory=list)


Builder = Callable[..., Parts]
_builders: dict[str, Builder] = {}


def builder(kind: str) -> Callable[[Builder], Builder]:
    """Register the function that builds mails of a kind from the ids that were queued with it."""

    def register(function: Builder) -> Builder:
        _builders[kind] = function
        return function

    return register


def queue(kind: str, to: str, language: str, key: str, consultation_id: int | None = None, **ids: Any) -> None:
    """Queue one mail in the caller's transaction; a key that was used before does nothing."""
    assert kind in _builders, kind
    if db.session.scalar(select(Mail.id).where(Mail.key == key)) is not None:
        return
    mail = Mail(kind=kind, to=to, language=language, key=key, consultation_id=consultation_id, ids=ids)
    db.session.add(mail)
    db.session.flush()  # the job needs its id
    jobs.after_commit("mail.deliver", mail.id)


def compose(mail: Mail) -> EmailMessage:
    """The message as it will leave, in the reader's language."""
    with i18n.reading(mail.language):
        parts = _builders[mail.kind](**mail.ids)
        names = {"subject": parts.subject, "site_name": current_app.config["SITE_NAME"], **parts.names}
        text = render_template(f"{parts.template}.txt", **names)
        html = render_template(f"{parts.template}.html", **names)
    message = EmailMessage()
    message["Subject"] = re.sub(r"\s+", " ", parts.subject)
    message["From"] = current_app.config["MAIL_FROM"]
    message["To"] = Address(addr_spec=mail.to)
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{mail.public_id}@{parseaddr(current_app.config['MAIL_FROM'])[1].split('@')[-1]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    html_part: Any = message.get_payload(1)
    for file in parts.attachments:
        major, _, minor = file.media_type.partition("/")
        if file.cid:
            html_part.add_related(file.data, major, minor, cid=f"<{file.cid}>", filename=file.name, disposition="inline")
        else:
            message.add_attachment(file.data, major, minor, filename=file.name)
    return message


def _send(message: EmailMessage) -> None:
    url = current_app.config["MAIL_URL"]
    if not url:
        folder = current_app.config["VAR"] / "mail"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{now():%Y%m%d-%H%M%S-%f}-{message['Message-ID'].strip('<>').split('@')[0]}.eml").write_bytes(bytes(message))
        return
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or (465 if parts.scheme == "smtps" else 25)
    context = ssl.create_default_context()
    secure = parts.scheme == "smtps"
    with smtplib.SMTP_SSL(host, port, timeout=20, context=context) if secure else smtplib.SMTP(host, port, timeout=20) as server:
        if not secure and server.ehlo() and server.has_extn("starttls"):
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


@jobs.job("mail.deliver")
def deliver(mail_id: int) -> None:
    """Send one mail and remember it; a failure is kept with its reason and raised, so that the queue tries again."""
    mail = db.session.get(Mail, mail_id)
    if mail is None or mail.state is not MailState.QUEUED:
        return
    message = compose(mail)
    db.session.commit()  # nothing is locked while the mail server thinks
    error: Exception | None = None
    try:
        _send(message)
    except (OSError, smtplib.SMTPException) as problem:
        error = problem
    mail.attempts += 1
    if error is None:
        mail.state, mail.sent_at, mail.error = MailState.SENT, now(), ""
    else:
        mail.error = f"{type(error).__name__}: {error}"[:500]
        mail.state = MailState.FAILED if mail.attempts >= ATTEMPTS else MailState.QUEUED
    db.session.commit()
    if error is not None and mail.state is MailState.QUEUED:
        raise error


@jobs.sweep
def queue_again() -> None:
    """Queue mails that a crash left behind: older than five minutes and still waiting."""
    late = now() - dt.timedelta(minutes=5)
    for mail_id in db.session.scalars(
        select(Mail.id).where(Mail.state == MailState.QUEUED, Mail.created_at < late, Mail.attempts == 0).limit(500)
    ):
        jobs.after_commit("mail.deliver", mail_id)
    db.session.commit()
