"""Mail: a row in the same transaction as the deed, sent by the worker, retried for hours, never sent twice.

A feature registers a builder per kind of mail; it is called at sending time with the ids that were kept, so that the
table holds no ticket and no link. `key` makes a mail unique: the same key is never queued twice. A mail is marked as
being sent, durably, before the server sees it: if the worker is killed in between, nobody knows whether it left, so it
is shown as such to the organiser and not sent again by itself.
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
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Mapped, mapped_column

from . import i18n, jobs
from .db import Model, Public, db, enum_type, now
from .errors import Conflict
from .i18n import _

ATTEMPTS = 12
LONGEST_WAIT = dt.timedelta(hours=1)


class MailState(enum.StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
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
    next_try_at: Mapped[dt.datetime | None]  # after a failure, or while the limit per minute is reached; None: at once
    tried_at: Mapped[dt.datetime | None]
    sent_at: Mapped[dt.datetime | None] = mapped_column(index=True)


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


class NotNeeded(Exception):
    """Raised by a builder when what the mail is about has gone, for example an invitation that was withdrawn."""


def queue(
    kind: str, to: str, language: str, key: str, consultation_id: int | None = None, *, about: str = "", batch: str = "", **ids: Any
) -> None:
    """Queue one mail in the caller's transaction; a key that was used before does nothing.

    `about` is the public id of the registration or invitation it belongs to, `batch` that of the message it is a copy of.
    """
    assert kind in _builders, kind
    if db.session.scalar(select(Mail.id).where(Mail.key == key)) is not None:
        return
    mail = Mail(kind=kind, to=to, language=language, key=key, consultation_id=consultation_id, about=about, batch=batch, ids=ids)
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
        major, _slash, minor = file.media_type.partition("/")
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


def _claim(mail_id: int) -> Mail | None:
    """The mail, marked as being sent; None where another has it, it is done, or the limit per minute is reached."""
    limit = current_app.config["MAIL_PER_MINUTE"]
    if limit:
        recent = select(func.count()).where(Mail.sent_at > now() - dt.timedelta(minutes=1))
        if (db.session.scalar(recent) or 0) >= limit:
            later = update(Mail).where(Mail.id == mail_id, Mail.state == MailState.QUEUED)
            db.session.execute(later.values(next_try_at=now() + dt.timedelta(minutes=1)))
            return None
    mine = update(Mail).where(Mail.id == mail_id, Mail.state == MailState.QUEUED)
    claimed = db.session.execute(mine.values(state=MailState.SENDING, tried_at=now(), attempts=Mail.attempts + 1).returning(Mail.id))
    return db.session.get(Mail, mail_id, populate_existing=True) if claimed.scalar() is not None else None


def _settle(mail: Mail, problem: Exception | None, is_final: bool = False) -> None:
    """Write down how it went; after a failure it waits twice as long each time, up to an hour."""
    if problem is None:
        mail.state, mail.sent_at, mail.error = MailState.SENT, now(), ""
        _forget(mail)
        return
    mail.error = f"{type(problem).__name__}: {problem}"[:500]
    mail.state = MailState.FAILED if is_final or mail.attempts >= ATTEMPTS else MailState.QUEUED
    mail.next_try_at = now() + min(dt.timedelta(minutes=2 ** (mail.attempts - 1)), LONGEST_WAIT)
    if mail.state is MailState.FAILED:
        _forget(mail)


def _forget(mail: Mail) -> None:
    """Take the address out of the last word to somebody whose data is erased, whether it left or never will."""
    if mail.ids.get("forget"):
        mail.to = mail.error = ""
        jobs.after_commit(jobs.FORGET_JOURNAL)


def _is_final(problem: Exception) -> bool:
    """Whether the server said no for good (a code of 5xx: no such mailbox, refused as spam)."""
    if isinstance(problem, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _words in problem.recipients.values())
    return isinstance(problem, smtplib.SMTPResponseException) and problem.smtp_code >= 500


@jobs.job("mail.deliver")
def deliver(mail_id: int) -> None:
    """Send one mail and remember how it went; `queue_again` tries again later what did not leave."""
    mail = _claim(mail_id)
    db.session.commit()  # nothing is locked while the mail server thinks
    if mail is None:
        return
    try:
        message = compose(mail)
        db.session.rollback()
        _send(message)
    except (NotNeeded, OSError, smtplib.SMTPException) as problem:
        db.session.rollback()
        _settle(mail, problem, isinstance(problem, NotNeeded) or _is_final(problem))
    except Exception as problem:
        db.session.rollback()
        _settle(mail, problem)
        db.session.commit()
        raise
    else:
        _settle(mail, None)
    db.session.commit()


def send_again(mail: Mail) -> None:
    """Try a failed mail again, because somebody asked for it. Raises Conflict where it has not failed."""
    if mail.state is not MailState.FAILED:
        raise Conflict(_("Only a mail that failed can be sent again."))
    mail.state, mail.attempts, mail.next_try_at, mail.error = MailState.QUEUED, 0, None, ""
    jobs.after_commit("mail.deliver", mail.id)


@jobs.sweep
def queue_again() -> None:
    """Every minute: queue what is due, also what a crash left behind, and settle what was being sent when the worker was killed."""
    late = now() - dt.timedelta(minutes=5)
    first = and_(Mail.next_try_at.is_(None), Mail.created_at < late)  # younger ones are in the job queue itself
    due = select(Mail.id).where(Mail.state == MailState.QUEUED, or_(first, Mail.next_try_at <= now())).order_by(Mail.id)
    for mail_id in db.session.scalars(due.limit(current_app.config["MAIL_PER_MINUTE"] or 500)):
        jobs.after_commit("mail.deliver", mail_id)
    lost = update(Mail).where(Mail.state == MailState.SENDING, Mail.tried_at < late)
    unknown = "The sender was stopped while sending; it is not known whether this mail left."
    db.session.execute(lost.values(state=MailState.FAILED, error=unknown))
    db.session.commit()
