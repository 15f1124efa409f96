"""The same facts in other forms than the PDF: DOCX, XLSX, CSV, JSON (product.md rule 22); charts, and both languages in one file."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import docx
import jsonschema
import pypdf
import pytest
import python_calamine

from consult_app.accounts.models import User
from consult_app.comments.actions import take_position
from consult_app.comments.models import Comment, Moderation, PositionValue
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Attribution, Consultation
from consult_app.db import db
from consult_app.reports import actions
from consult_app.reports.models import Report
from consult_app.reports.seal import sha256
from tests import factories
from tests.reports.test_draft import HOSTILE, words_of
from tests.signoff.steps import BY, comment_on

FORMULA = '=HYPERLINK("http://x","y")'


def url(consultation: Consultation, kind: str, language: str = "en") -> str:
    return f"/consultations/{consultation.slug}/report/draft.{kind}?language={language}"


@pytest.fixture
def discussed(consultation: Consultation) -> Consultation:
    """Two comments, one of which looks like a formula, and four positions."""
    event = factories.make_event(consultation)
    people = [factories.make_registration(event, name=f"Person {n}") for n in range(4)]
    section = consultation.sections[0]
    consultations.open_section(section, by=BY)
    db.session.commit()
    db.session.expire_all()
    comment_on(section, people[0], FORMULA, proposed="+62 812 555")
    comment_on(section, people[1], "أهلا <img src=x> & more")
    for person in people:
        take_position(section.dimension.indicators[0], person, PositionValue.AGREE, "", by=person)
    db.session.commit()
    return consultation


def test_every_form_tells_the_same_and_runs_no_formula(browse: Any, discussed: Consultation, organiser: User) -> None:
    client = browse(organiser)
    book = python_calamine.load_workbook(io.BytesIO(client.get(url(discussed, "xlsx")).data))
    rows = book.get_sheet_by_name("Comments").to_python()
    assert [row[4] for row in rows[1:]] == [FORMULA, "أهلا <img src=x> & more"]
    assert book.get_sheet_by_name("Positions").to_python()[1] == ["1.1", "1", 4.0, 0.0, 0.0, 0.0, 4.0]
    with zipfile.ZipFile(io.BytesIO(client.get(url(discussed, "csv")).data)) as archive:
        table = list(csv.reader(archive.read("comments.csv").decode("utf-8-sig").splitlines()))
    assert (table[1][4], table[1][5]) == (f"'{FORMULA}", "+62 812 555")
    data = client.get(url(discussed, "json")).json
    jsonschema.Draft202012Validator.check_schema(client.get("/schemas/report.json").json)
    jsonschema.validate(data, client.get("/schemas/report.json").json)
    assert [comment["text"] for comment in data["comments"]] == [FORMULA, "أهلا <img src=x> & more"]
    counts = {"agree": 4, "reservation": 0, "disagree": 0, "abstain": 0}
    by_revision = [{"revisions": [1], "counts": counts}]
    assert data["positions"][0] == {"indicator": "1.1", "people": 4, "as_of": None, "counts": counts, "by_revision": by_revision}
    document = docx.Document(io.BytesIO(client.get(url(discussed, "docx", "id")).data))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert FORMULA in cells
    assert "Masukan" in cells


def test_the_pdf_shows_comments_and_positions_as_bars_with_their_numbers(app: Any, discussed: Consultation) -> None:
    document = actions.draft(discussed, "pdf", "en")
    words = words_of(document)
    assert "Figure 1. Comments by disposition" in words
    assert "No disposition yet. 2" in words
    assert "Figure 3. Positions by section and revision" in words
    assert "1.1 Is there a policy number 0? 1 4 0 0 0" in words


def test_rule_3_what_was_held_before_the_text_was_frozen_is_in_every_form(app: Any, discussed: Consultation) -> None:
    """Freezing makes another revision, as it always will: what was held on the first is reported as held on the first."""
    section = discussed.sections[0]
    consultations.start_review(section, by=BY)
    consultations.edit_section(section, {"narrative": {"en": "Another text."}}, section.edit_number, by=BY)
    consultations.freeze_section(section, by=BY)
    db.session.commit()
    db.session.expire_all()
    words = words_of(actions.draft(discussed, "pdf", "en"))
    assert "No position was taken" not in words
    assert "Dimension 1, on revision 1" in words
    assert "1.1 Is there a policy number 0? 1 4 0 0 0 4" in words
    assert "? – 0 0 0 0 0" in words
    assert "4 positions were taken." in words
    assert words.count("on revision 1 ") >= 3  # the bar, and the two comments
    data = json.loads(actions.draft(discussed, "json", "en"))
    assert [(one["revisions"], one["counts"]["agree"]) for one in data["positions"][0]["by_revision"]] == [([1], 4)]
    book = python_calamine.load_workbook(io.BytesIO(actions.draft(discussed, "xlsx", "en")))
    assert book.get_sheet_by_name("Positions").to_python()[1][:3] == ["1.1", "1", 4.0]
    document = docx.Document(io.BytesIO(actions.draft(discussed, "docx", "en")))
    rows = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    assert ["1.1", "1", "4", "0", "0", "0", "4"] in rows


@pytest.mark.parametrize("moderation", list(Moderation))
def test_a_comment_that_a_facilitator_keeps_from_the_screens_is_in_no_form(
    app: Any, discussed: Consultation, moderation: Moderation
) -> None:
    comment = db.session.scalars(db.select(Comment).order_by(Comment.id)).all()[1]
    comment.text, comment.moderation = "Kept from the screens", moderation
    db.session.commit()
    assert FORMULA in words_of(actions.draft(discussed, "pdf", "en"))
    assert "Kept from the screens" not in words_of(actions.draft(discussed, "pdf", "en"))
    for kind in ("json", "xlsx", "docx", "csv"):
        data = actions.draft(discussed, kind, "en")
        parts = [data]
        if kind != "json":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                parts = [archive.read(name) for name in archive.namelist()]
        assert not any(b"Kept from the screens" in part for part in parts), kind
        assert any(b"HYPERLINK" in part for part in parts), kind


def test_rule_24_none_is_said_only_where_the_register_has_none(app: Any, consultation: Consultation) -> None:
    assert words_of(actions.draft(consultation, "pdf", "en")).count("No position was taken.") == 2


def test_both_languages_in_one_file(browse: Any, discussed: Consultation, organiser: User) -> None:
    answer = browse(organiser).get(url(discussed, "pdf", "en%2Bid"))
    reader = pypdf.PdfReader(io.BytesIO(answer.data))
    words = words_of(answer.data)
    assert "Is there a policy number 0?" in words
    assert "Apakah ada kebijakan nomor 0?" in words
    titles = [item.title for item in reader.outline if not isinstance(item, list)]
    assert "1 Dimension 1" in titles
    assert "Bahasa Indonesia" in titles
    assert "1 Dimensi 1" in titles
    assert titles.count("Annex A: Comments and their dispositions") == 1


def test_rule_11_positions_of_fewer_than_three_are_in_no_form(app: Any) -> None:
    consultation = factories.make_consultation(attribution=Attribution.BY_STAKEHOLDER_TYPE)
    author = factories.make_registration(factories.make_event(consultation), name="Siti Aminah", institution="Office of Secrets")
    consultations.open_section(consultation.sections[0], by=BY)
    db.session.commit()
    db.session.expire_all()
    comment_on(consultation.sections[0], author)
    take_position(consultation.sections[0].dimension.indicators[0], author, PositionValue.AGREE, "", by=author)
    db.session.commit()
    data = json.loads(actions.draft(consultation, "json", "en"))
    told = [(one["people"], one["counts"]) for one in data["positions"]]
    assert set(told) == {(None, None)}  # an indicator with one position looks like those with none
    assert data["figures"]["positions"] == 0
    assert f"Positions on {len(told)} indicators are left out" in words_of(actions.draft(consultation, "pdf", "en"))
    for kind in ("json", "csv", "xlsx", "docx"):
        data = actions.draft(consultation, kind, "en")
        parts = [data]
        if kind != "json":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                parts = [archive.read(name) for name in archive.namelist()]
        assert not any(secret in part for part in parts for secret in (b"Siti Aminah", b"Office of Secrets"))


@pytest.mark.parametrize("hostile", [HOSTILE[0], HOSTILE[1], HOSTILE[5] + "=1+1"])
def test_hostile_text_breaks_no_form(app: Any, hostile: str) -> None:
    consultation = factories.make_consultation(title={"en": hostile[:200]}, partners=[hostile[:300]])
    author = factories.make_registration(factories.make_event(consultation, venue=hostile[:200]), name=hostile[:100])
    section = consultation.sections[0]
    consultations.edit_section(section, {"narrative": {"en": hostile}}, section.edit_number, by=BY)
    consultations.open_section(section, by=BY)
    db.session.commit()
    db.session.expire_all()
    comment_on(section, author, hostile, proposed=hostile)
    for kind in ("docx", "xlsx", "csv", "json"):
        assert actions.draft(consultation, kind, "en")


def test_a_sealed_report_carries_its_copies(browse: Any, validated: Consultation, organiser: User, sent: Any, audit_ok: None) -> None:
    actions.request_report(validated, "en+id", by=organiser)
    sent()
    (report,) = db.session.scalars(db.select(Report))
    assert report.is_sealed, report.failure
    for kind, recorded in report.manifest["files"].items():
        answer = browse().get(f"/reports/{report.public_id}/report.{kind}")
        assert (answer.status_code, sha256(answer.data)) == (200, recorded["sha256"])
        assert "attachment" in answer.headers["Content-Disposition"]
    assert "English + Bahasa Indonesia" in browse().get(f"/reports/{report.public_id}").text
