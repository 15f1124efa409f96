"""Files of evidence: what is taken, where it lies, who gets it, and what its name may tell (rules 10 and 11)."""

from __future__ import annotations

import hashlib
import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder

from consult_app import jobs, storage
from consult_app.comments import evidence
from consult_app.comments.models import Attachment, Comment
from consult_app.consultations.models import Attribution, Consultation, Section
from consult_app.db import db, now
from consult_app.policy import Role
from consult_app.privacy.erasure import erase
from tests import factories
from tests.comments.files import BAD, PDF, good
from tests.signoff.steps import comment_on, freeze

FORM = {"client_key": "k1", "kind": "evidence", "text": "See the file.", "proposed": "", "link": ""}
NAME = "siti-author's letter.pdf"


def sent(data: bytes = PDF, name: str = NAME) -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


def url(consultation: Consultation, deed: str = "comments") -> str:
    return f"/consultations/{consultation.slug}/indicators/1.1/{deed}"


def files() -> list[Attachment]:
    return list(db.session.scalars(db.select(Attachment).order_by(Attachment.id)))


def on_disk(app: Flask) -> list[Path]:
    return [path for path in (app.config["VAR"] / "attachments").rglob("*") if path.is_file()]


def kept(files: list[Attachment]) -> list[str]:
    """The names under which files and their copies for others lie."""
    return sorted(name for file in files for name in (file.key, evidence.key_of_copy(file.key)))


def address(file: Attachment) -> str:
    comment = file.comment
    return f"/consultations/{comment.section.consultation.slug}/comments/{comment.public_id}/evidence/{file.number}"


@pytest.fixture
def file(consultation: Consultation, author: Any, browse: Any) -> Attachment:
    assert browse(author).post(url(consultation), data={**FORM, "files": [sent()]}).status_code == 303
    return files()[0]


def test_a_comment_with_files_is_kept_with_them(
    app: Flask, consultation: Consultation, author: Any, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    client = browse(author)
    three = [sent(), sent(good("docx"), "home/Siti.docx"), sent(good("png"), "../../p.png")]
    assert client.post(url(consultation), data={**FORM, "files": three}).status_code == 303
    assert [(f.number, f.kind.value, f.name) for f in files()] == [(1, "pdf", NAME), (2, "docx", "Siti.docx"), (3, "png", "p.png")]
    assert (files()[0].size, files()[0].sha256) == (len(PDF), hashlib.sha256(PDF).hexdigest())
    assert last_entry("comment.attach").actor == author.actor_key
    assert sorted(path.name for path in on_disk(app)) == kept(files())  # renamed, outside the web root
    answer = client.get(address(files()[0]))
    assert answer.data == PDF
    assert answer.headers["Content-Disposition"] == "attachment; filename=comment-1-evidence-1.pdf"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "application/pdf"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    page = client.get(url(consultation, "")[:-1]).text
    assert "Evidence 1</a>" in page.replace(" (PDF, 1 KB)", "")
    assert "siti-author&#39;s letter.pdf" in page


@pytest.mark.parametrize("kind", ["pdf", "png", "jpeg", "webp", "docx", "xlsx", "pptx", "odt", "ods"])
def test_a_kind_is_known_by_its_content(app: Flask, kind: str) -> None:
    assert evidence.look("x.html", good(kind)).value == kind
    assert evidence.TYPES[evidence.look("", good(kind))].startswith(("application/", "image/"))


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_evidence_is_refused_with_the_reason(app: Flask, name: str) -> None:
    data, words = BAD[name]
    with app.test_request_context(), pytest.raises(evidence.Invalid) as refused:
        evidence.look(name, data)
    assert words in str(refused.value.message)
    assert name in str(refused.value.message)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([sent(BAD["page.html"][0], "<img src=x>.html")], "&lt;img src=x&gt;.html” is no file of a kind"),
        ([sent(PDF + b"x" * evidence.MOST_BYTES, "large.pdf")], "larger than 10 MB"),
        ([sent(PDF + bytes([n]) + b"%%EOF", f"{n}.pdf") for n in range(4)], "At most three"),
        ([sent(), sent(b"MZ", "second.exe")], "no file of a kind"),
    ],
    ids=["kind", "size", "number", "second"],
)
def test_a_refused_file_is_422_what_was_typed_stays_and_nothing_is_kept(
    app: Flask, consultation: Consultation, author: Any, browse: Any, given: Any, words: str
) -> None:
    again = [(io.BytesIO(stream.getvalue()), name) for stream, name in given]
    answer = browse(author).post(url(consultation), data={**FORM, "files": again})
    assert answer.status_code == 422
    assert words in answer.text
    assert "See the file." in answer.text
    assert db.session.scalars(db.select(Comment)).all() == []
    assert on_disk(app) == []


def test_more_than_a_request_may_hold(consultation: Consultation, author: Any, browse: Any) -> None:
    client = browse(author)
    large = (io.BytesIO(b"x" * (evidence.MOST_REQUEST + 1)), "x.pdf")
    assert client.post(url(consultation), data={**FORM, "files": [large]}).status_code == 413
    other = (io.BytesIO(b"x" * (13 * 1024 * 1024)), "x.pdf")  # other routes take less
    assert client.post(url(consultation, "position"), data={"value": "agree", "files": [other]}).status_code == 413


class Trickle(io.BytesIO):
    """A body that stops in the middle until it may go on."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.began, self.may_go_on = threading.Event(), threading.Event()

    def readinto(self, buffer: Any, /) -> int:
        if self.tell() >= 1000:
            self.began.set()
            assert self.may_go_on.wait(20)
        return super().readinto(memoryview(buffer)[:1000])


def test_a_slow_upload_holds_up_nobody(consultation: Consultation, author: Any, browse: Any) -> None:
    slow, other = browse(author), browse(factories.make_registration(author.event))
    builder = EnvironBuilder(path=url(consultation), method="POST", data={**FORM, "files": [sent(PDF + b" " * 5000 + b"%%EOF")]})
    environ = builder.get_environ()
    stream = environ["wsgi.input"] = Trickle(environ["wsgi.input"].read())
    statuses: list[int] = []
    sending = threading.Thread(target=lambda: statuses.append(slow.open(environ).status_code))
    sending.start()
    assert stream.began.wait(20)
    assert other.post(url(consultation), data=FORM).status_code == 303  # the database takes writes meanwhile
    stream.may_go_on.set()
    sending.join(30)
    assert statuses == [303]
    assert len(files()) == 1


def test_rule_10_the_same_file_sent_again_is_there_once(app: Flask, file: Attachment, consultation: Any, author: Any, browse: Any) -> None:
    client = browse(author)
    assert client.post(url(consultation), data={**FORM, "files": [sent()]}).status_code == 303
    freeze(consultation.sections[0])
    db.session.commit()
    assert client.post(url(consultation), data={**FORM, "files": [sent()]}).status_code == 303  # resent after it closed
    assert sorted(path.name for path in on_disk(app)) == kept(files())
    assert len(files()) == 1


def test_a_file_is_added_to_an_own_comment_while_the_section_is_open(
    app: Flask, section: Section, author: Any, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    comment = comment_on(section, author)
    deed = f"/consultations/{section.consultation.slug}/comments/{comment.public_id}/evidence"
    client = browse(author)
    assert "Add a file" in client.get("/my/comments").text
    assert client.get(deed).status_code == 200
    assert client.post(deed, data={}).status_code == 422
    assert client.post(deed, data={"files": [sent(b"MZ")]}).status_code == 422
    assert client.post(deed, data={"files": [sent()]}).status_code == 303
    assert client.post(deed, data={"files": [sent(good("png"), "a.png"), sent(good("webp"), "b.webp")]}).status_code == 303
    assert client.post(deed, data={"files": [sent(good("jpeg"), "c.jpg")]}).status_code == 422  # the fourth
    assert last_entry("comment.attach").actor == author.actor_key
    assert sorted(path.name for path in on_disk(app)) == kept(files())
    assert len(files()) == 3
    for stranger, status in (
        (None, 303),
        (factories.make_registration(author.event), 403),
        (factories.make_registration(), 404),
        (factories.make_user(Role.ORGANISER, section.consultation), 403),
    ):
        assert browse(stranger).post(deed, data={"files": [sent()]}).status_code == status
    freeze(section)
    assert client.post(deed, data={"files": [sent(good("docx"), "d.docx")]}).status_code == 409
    assert sorted(path.name for path in on_disk(app)) == kept(files())
    assert len(files()) == 3


def test_a_rapporteur_records_a_comment_with_its_file(consultation: Consultation, author: Any, browse: Any) -> None:
    client = browse(factories.make_user(Role.RAPPORTEUR, consultation))
    assert client.post(url(consultation, "record"), data={**FORM, "speaker": author.public_id, "files": [sent()]}).status_code == 303
    assert files()[0].person_id == author.person_id


def test_who_gets_a_file(file: Attachment, consultation: Consultation, author: Any, browse: Any) -> None:
    for reader, status in (
        (None, 303),
        (factories.make_registration(author.event), 200),
        (factories.make_user(Role.OBSERVER, consultation), 200),
        (factories.make_user(Role.CHECK_IN, consultation), 403),
        (factories.make_registration(), 404),
        (factories.make_user(Role.ORGANISER, factories.make_consultation()), 404),
    ):
        assert browse(reader).get(address(file)).status_code == status, reader
    client = browse(author)
    for number in (0, 2, 99):
        assert client.get(address(file)[:-1] + str(number)).status_code == 404
    client.post(f"/consultations/{consultation.slug}/comments/{file.comment.public_id}/withdraw")
    assert client.get(address(file)).status_code == 200
    assert browse(factories.make_registration(author.event)).get(address(file)).status_code == 404
    assert browse(factories.make_user(Role.RAPPORTEUR, consultation)).get(address(file)).status_code == 200


@pytest.mark.parametrize("rule", list(Attribution))
def test_rule_11_the_name_of_a_file_tells_nobody_who_spoke(
    file: Attachment, consultation: Consultation, author: Any, browse: Any, rule: Attribution
) -> None:
    consultation.attribution = rule
    db.session.commit()
    for reader in (factories.make_registration(author.event), factories.make_user(Role.OBSERVER, consultation)):
        client = browse(reader)
        page = client.get(url(consultation, "")[:-1]).text
        assert "Evidence 1 (PDF, 1 KB)" in page
        assert ("letter.pdf" in page) == (rule is Attribution.BY_NAME)
        matrix = client.get(f"/consultations/{consultation.slug}/comment-matrix.csv").data.decode()
        assert "Evidence 1 (PDF, 1 KB)" in matrix
        assert "letter.pdf" not in matrix
        assert "letter" not in client.get(address(file)).headers["Content-Disposition"]
    knows = browse(factories.make_user(Role.RAPPORTEUR, consultation)).get(url(consultation, "")[:-1]).text
    assert "letter.pdf" in knows


def test_a_file_that_was_changed_or_lost_is_not_handed_out(app: Flask, file: Attachment, author: Any, browse: Any) -> None:
    client = browse(author)
    (path,) = (path for path in on_disk(app) if path.name == file.key)
    path.write_bytes(PDF + b"<script>")
    assert client.get(address(file)).status_code == 409
    path.unlink()
    assert client.get(address(file)).status_code == 404


def test_an_erased_person_leaves_no_file_and_takes_it_along_before(
    app: Flask, file: Attachment, author: Any, browse: Any, audit_ok: None, consultation: Consultation
) -> None:
    client = browse(author)
    (listed,) = json.loads(client.get("/my/data.json").data)["attachments"]
    assert (listed["name"], listed["size"], listed["sha256"]) == (NAME, len(PDF), file.sha256)
    assert "key" not in listed
    erase(author.person, by=factories.BY)
    db.session.commit()
    assert jobs.drain(app) >= 1
    assert on_disk(app) == []
    db.session.expire_all()
    assert (file.name, file.erased_at is not None) == ("", True)
    organiser = browse(factories.make_user(Role.ORGANISER, consultation))
    assert organiser.get(address(file)).status_code == 404
    page = organiser.get(url(consultation, "")[:-1]).text
    assert "Evidence 1: erased" in page
    assert "letter" not in page


def test_what_a_crash_left_behind_goes_after_a_day(app: Flask, file: Attachment) -> None:
    place = storage.store()
    lost = storage.new_key()
    place.put(lost, b"never named by a comment")
    old = now().timestamp() - 2 * 24 * 3600
    for path in on_disk(app):
        os.utime(path, (old, old))
    evidence.drop_what_nobody_names()
    assert sorted(path.name for path in on_disk(app)) == kept([file])
