"""Signatures on paper: the sheet, and the scan that is kept beside the sign-offs (product.md rule 24)."""

from __future__ import annotations

import io
from typing import Any

import pypdf
import pytest
from flask import Flask

from consult_app.accounts.models import User
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.policy import Role
from consult_app.reports import actions
from consult_app.reports.models import SignedPaper
from tests import factories
from tests.reports.test_draft import words_of
from tests.signoff.steps import rewrite

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + b"\x00" * 40 + b"IEND\xaeB`\x82"


def url(of: Consultation, ending: str) -> str:
    return f"/consultations/{of.slug}/sections/1/{ending}"


def sent_file(of: Consultation, data: bytes, name: str = "scan.png", **more: str) -> dict[str, Any]:
    revision = of.sections[0].revision
    assert revision is not None
    return {"file": (io.BytesIO(data), name), "shown_sha256": revision.sha256, "note": "Signed by <b>both", **more}


def post(client: Any, of: Consultation, data: dict[str, Any]) -> Any:
    return client.post(url(of, "papers"), data=data, content_type="multipart/form-data")


def test_the_sheet_names_what_is_signed_and_who(browse: Any, consultation: Consultation, focal_point: User, organiser: User) -> None:
    document = browse(organiser).get(url(consultation, "signature-sheet.pdf")).data
    words = words_of(document)
    sha = consultation.sections[0].revision.sha256  # type: ignore[union-attr]
    assert f"{sha[:4]} {sha[4:8]}" in words
    assert "Retno Wulandari" in words
    assert "does not verify signatures by hand" in words
    assert len(pypdf.PdfReader(io.BytesIO(document)).pages) == 1


def test_a_scan_is_kept_once_and_named_in_the_report(
    browse: Any, consultation: Consultation, focal_point: User, organiser: User, last_entry: Any, audit_ok: None
) -> None:
    client = browse(organiser)
    assert post(client, consultation, sent_file(consultation, PNG)).status_code == 303
    assert post(client, consultation, sent_file(consultation, PNG)).status_code == 303  # the second click
    (paper,) = db.session.scalars(db.select(SignedPaper)).all()
    assert last_entry("paper.keep").actor == organiser.actor_key
    page = client.get(url(consultation, "paper")).text
    assert "Signed by &lt;b&gt;both" in page
    answer = client.get(f"/consultations/{consultation.slug}/papers/{paper.public_id}")
    assert (answer.data, answer.mimetype) == (PNG, "image/png")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    words = words_of(actions.draft(consultation, "pdf", "en"))
    assert "Consult has not verified it" in words
    assert "has not signed" not in words  # it takes the place of no sign-off: the gate still waits
    rewrite(consultation.sections[0], "Another text.")
    assert "Consult has not verified it" not in words_of(actions.draft(consultation, "pdf", "en"))
    assert "made on revision 1" in client.get(url(consultation, "paper")).text


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"<html><script>alert(1)</script>", "scan.png", "no PDF and no picture"),
        (b"", "empty.pdf", "no PDF and no picture"),
        (b"PK\x03\x04" + b"x" * 100, "scan.pdf", "no PDF and no picture"),
        (PNG[:30] + b"\x00" * (10 * 1024 * 1024) + PNG[30:], "large.png", "larger than 10 MB"),
    ],
    ids=["page", "empty", "archive", "large"],
)
def test_what_is_no_scan_is_422_and_leaves_nothing(
    app: Flask, browse: Any, consultation: Consultation, focal_point: User, organiser: User, data: bytes, name: str, words: str
) -> None:
    answer = post(browse(organiser), consultation, sent_file(consultation, data, name))
    assert (answer.status_code, words in answer.text, "Signed by &lt;b&gt;both" in answer.text) == (422, True, True)
    assert [file for file in (app.config["VAR"] / "attachments").rglob("*") if file.is_file()] == []


def test_a_text_that_changed_meanwhile_is_409_and_leaves_nothing(
    app: Flask, browse: Any, consultation: Consultation, focal_point: User, organiser: User
) -> None:
    data = sent_file(consultation, PNG)
    rewrite(consultation.sections[0], "Another text.")
    assert post(browse(organiser), consultation, data).status_code == 409
    assert [file for file in (app.config["VAR"] / "attachments").rglob("*") if file.is_file()] == []


def test_roles(browse: Any, consultation: Consultation, focal_point: User, organiser: User) -> None:
    stranger = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
    observer = browse(factories.make_user(Role.OBSERVER, consultation))
    participant = browse(factories.make_registration(factories.make_event(consultation)))
    unnamed = browse(factories.make_user(Role.FOCAL_POINT, consultation))
    assert post(browse(focal_point), consultation, sent_file(consultation, PNG)).status_code == 303
    (paper,) = db.session.scalars(db.select(SignedPaper)).all()
    for ending in ("paper", "signature-sheet.pdf", f"../../papers/{paper.public_id}"):
        here = f"/consultations/{consultation.slug}/papers/{paper.public_id}" if ".." in ending else url(consultation, ending)
        assert (stranger.get(here).status_code, participant.get(here).status_code, observer.get(here).status_code) == (404, 403, 200)
    for who, status in ((stranger, 404), (participant, 403), (observer, 403), (unnamed, 403)):
        assert post(who, consultation, sent_file(consultation, PNG)).status_code == status
    other = factories.make_consultation()
    both = factories.make_user(Role.ORGANISER, other)
    db.session.commit()
    assert browse(both).get(f"/consultations/{other.slug}/papers/{paper.public_id}").status_code == 404
