"""Files of evidence: at most three with a comment, each known by its content, renamed, and told of by the attribution rule."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from sqlalchemy import select

from consult_app import audit, filekind, jobs, storage
from consult_app.comments import without_traces
from consult_app.comments.actions import require_open
from consult_app.comments.models import Attachment, Comment, FileKind
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.forms import SHORT, one_line
from consult_app.i18n import _
from consult_app.policy import Actor

MOST_FILES = 3
MOST_BYTES = 10 * 1024 * 1024
MOST_REQUEST = MOST_FILES * MOST_BYTES + 3 * 1024 * 1024  # with the words beside them
LOOKER = Path(filekind.__file__)
COPIER = Path(without_traces.__file__)
COPY_SECONDS = 30
TYPES = {
    FileKind.PDF: "application/pdf",
    FileKind.PNG: "image/png",
    FileKind.JPEG: "image/jpeg",
    FileKind.WEBP: "image/webp",
    FileKind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    FileKind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileKind.PPTX: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    FileKind.ODT: "application/vnd.oasis.opendocument.text",
    FileKind.ODS: "application/vnd.oasis.opendocument.spreadsheet",
}
REASONS = {
    "empty": _("“%(name)s” is empty."),
    "heavy": _("“%(name)s” is larger than 10 MB."),
    "kind": _("“%(name)s” is no file of a kind that can be taken: PDF, PNG, JPEG, WebP, DOCX, XLSX, PPTX, ODT, ODS."),
    "macros": _("“%(name)s” contains macros. Save it without them."),
    "locked": _("“%(name)s” is protected by a password. Save it without."),
    "bomb": _("“%(name)s” is far larger inside than it looks."),
    "slow": _("“%(name)s” takes too long to look at."),
    "unreadable": _("“%(name)s” cannot be read. Open it, save it again, and send that."),
    "others": _("“%(name)s” has other files inside. Send those as files of their own."),
}
TOO_MANY = _("At most three files with one comment. A link can lead to more.")


class Upload(Protocol):
    """A file of a form."""

    filename: str | None

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class Given:
    """A file that was looked at and lies in the store already; no row names it yet."""

    kind: FileKind
    name: str
    size: int
    sha256: str
    key: str


def _refuse(code: str, name: str) -> NoReturn:
    raise Invalid(str(REASONS[code]) % {"name": name}, field="files")


def look(name: str, data: bytes) -> FileKind:
    """What a file is by its content. Raises Invalid with the reason; packed files are looked at in another process."""
    try:
        kind = filekind.plain_kind(data)
    except filekind.Refused as problem:
        _refuse(str(problem), name)
    if kind != "zip":
        return FileKind(kind)
    try:
        done = subprocess.run([sys.executable, "-I", str(LOOKER)], input=data, capture_output=True, timeout=5, check=False)  # noqa: S603  our own
    except subprocess.TimeoutExpired:
        _refuse("slow", name)
    if done.returncode != 0:
        _refuse("slow" if done.returncode == -signal.SIGXCPU else "bomb", name)
    answer = json.loads(done.stdout)
    if "refused" in answer:
        _refuse(answer["refused"], name)
    return FileKind(answer["kind"])


def copy_without_traces(kind: FileKind, name: str, data: bytes) -> bytes:
    """What others than the staff get of a file: without place, camera, author, remarks and history.

    Made in a process of its own. Raises Invalid with the reason where that cannot be done.
    """
    command = [sys.executable, "-I", str(COPIER), kind.value]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=COPY_SECONDS, check=False)  # noqa: S603  our own
    except subprocess.TimeoutExpired:
        _refuse("slow", name)
    if done.returncode == without_traces.HOLDS_OTHERS:
        _refuse("others", name)
    if done.returncode != 0:
        _refuse("slow" if done.returncode == -signal.SIGXCPU else "unreadable", name)
    return done.stdout


def key_of_copy(key: str) -> str:
    """Where the copy for others lies, beside the file that was received."""
    return hashlib.sha256(f"copy {key}".encode()).hexdigest()[:40]


def _empty(key: str) -> None:
    for one in (key, key_of_copy(key)):
        storage.store().delete(one)


def receive(uploads: Iterable[Upload]) -> list[Given]:
    """Look at files and put them into the store; no transaction should be open meanwhile (`web.pause_transaction`).

    Raises Invalid for the first that is refused and Unavailable where the store does not answer; then nothing stays there.
    """
    sent = [upload for upload in uploads if upload.filename]
    if len(sent) > MOST_FILES:
        raise Invalid(TOO_MANY, field="files")
    given: list[Given] = []
    try:
        for upload in sent:
            name = one_line((upload.filename or "").replace("\\", "/").rsplit("/", 1)[-1])[:SHORT] or "–"
            data = upload.read(MOST_BYTES + 1)
            if len(data) > MOST_BYTES:
                _refuse("heavy", name)
            kind = look(name, data)
            copy = copy_without_traces(kind, name, data)
            one = Given(kind, name, len(data), hashlib.sha256(data).hexdigest(), storage.new_key())
            given.append(one)
            storage.store().put(one.key, data)
            storage.store().put(key_of_copy(one.key), copy)
    except BaseException:
        drop(given)
        raise
    return given


def drop(given: Sequence[Given]) -> None:
    """Take out of the store what no row names."""
    for one in given:
        _empty(one.key)


def _require_takes_files(comment: Comment, number: int, by: Actor) -> None:
    if comment.is_withdrawn:
        raise Conflict(_("This comment was withdrawn."))
    require_open(comment.section, by)
    if number > MOST_FILES:
        raise Invalid(TOO_MANY, field="files")


@audit.in_turn
def attach(comment: Comment, given: Sequence[Given], *, by: Actor) -> list[Attachment]:
    """Put files with a comment; one that is there already is not put there again (rule 10).

    Raises Conflict where the comment was withdrawn or comments are closed, Invalid where it would be more than three.
    """
    if not given:
        return []
    held = {one.sha256 for one in db.session.scalars(select(Attachment).where(Attachment.comment_id == comment.id))}
    new = {one.sha256: one for one in given if one.sha256 not in held}
    if new:
        _require_takes_files(comment, len(held) + len(new), by)
    drop([one for one in given if new.get(one.sha256) is not one])
    made = []
    for number, one in enumerate(new.values(), start=len(held) + 1):
        attachment = Attachment(
            consultation_id=comment.consultation_id,
            comment=comment,
            person_id=comment.person_id,
            number=number,
            kind=one.kind,
            size=one.size,
            sha256=one.sha256,
            key=one.key,
            name=one.name,
        )
        db.session.add(attachment)
        audit.record(by, "comment.attach", attachment)
        made.append(attachment)
    return made


def load_attachment(comment: Comment, number: int) -> Attachment:
    """A file of this comment that was not erased. Raises Missing."""
    found = next((one for one in comment.attachments if one.number == number and one.erased_at is None), None)
    if found is None:
        raise Missing(_("There is no such file."))
    return found


def content(attachment: Attachment) -> bytes:
    """The file as it was received. Raises Missing where it is gone, Conflict where it is not what was recorded."""
    data = storage.store().get(attachment.key)
    if data is None:
        raise Missing(_("There is no such file."))
    if hashlib.sha256(data).hexdigest() != attachment.sha256:
        raise Conflict(_("This file is not as it was received. Tell the organisers."))
    return data


def content_for_others(attachment: Attachment) -> bytes:
    """The copy without traces; of a file that was received before copies were made, it is made now.

    Raises Missing where the file is gone, Conflict where it is not what was recorded, or cannot be copied.
    """
    data = storage.store().get(key_of_copy(attachment.key))
    if data is not None:
        return data
    try:
        copy = copy_without_traces(attachment.kind, attachment.name, content(attachment))
    except Invalid as problem:
        raise Conflict(_("This file tells who sent it, and cannot be shown without that. Ask the organisers.")) from problem
    storage.store().put(key_of_copy(attachment.key), copy)
    return copy


@audit.in_turn
def erase(attachment: Attachment, *, by: Actor) -> None:
    """Take a file away because its sender is erased; that there was one stays. The worker empties the store."""
    if attachment.erased_at is None:
        attachment.name, attachment.sha256, attachment.erased_at = "", f"erased {attachment.public_id}", now()
        audit.forget(by, "attachment.erase", attachment)
        jobs.after_commit("evidence.delete", attachment.id)


@jobs.job("evidence.delete")
def delete(attachment_id: int) -> None:
    """Empty the place of a file that was erased."""
    attachment = db.session.get(Attachment, attachment_id)
    if attachment is not None and attachment.erased_at is not None:
        _empty(attachment.key)


@jobs.hourly
def drop_what_nobody_names() -> None:
    """Files that were put into the folder before a crash, and that no comment names."""
    place = storage.store()
    if not isinstance(place, storage.Folder):
        return  # a bucket has rules of its own for that
    old = place.keys(older_than=now() - dt.timedelta(days=1))
    named = set(db.session.scalars(select(Attachment.key).where(Attachment.erased_at.is_(None)))) if old else set()
    named |= {key_of_copy(key) for key in named}
    for key in old:
        if key not in named:
            place.delete(key)
    db.session.rollback()
