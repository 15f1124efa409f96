"""The comment matrix out, filled in with a spreadsheet, and back in (rule 2)."""

from __future__ import annotations

import io
from typing import Any

import pytest
from python_calamine import load_workbook

from consult_app.comments.models import Assignment, Comment, Disposition
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import ImportDraft
from consult_app.db import db
from consult_app.policy import Role
from consult_app.sheets import write_xlsx
from tests import factories
from tests.signoff.steps import comment_on, freeze

pytestmark = pytest.mark.usefixtures("audit_ok")


@pytest.fixture
def comments(section: Any, author: Any) -> list[Comment]:
    made = [comment_on(section, author, words) for words in ("The first.", "The second.", "=1+1 <b>x</b>")]
    db.session.commit()
    return made


def base(section: Any) -> str:
    return f"/consultations/{section.consultation.slug}"


def export(client: Any, section: Any) -> list[list[Any]]:
    answer = client.get(f"{base(section)}/comment-matrix.xlsx")
    assert answer.status_code == 200
    return load_workbook(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()  # type: ignore[no-any-return]


def fill(rows: list[list[Any]], number: int, **cells: Any) -> None:
    names = {"answer": "Answer", "response": "Response", "duplicate": "Duplicate of No.", "owner": "Responsible institution", "due": "Due"}
    row = next(row for row in rows[1:] if row[0] == number)
    for name, value in cells.items():
        row[rows[0].index(names.get(name, name))] = value


def upload(client: Any, section: Any, rows: list[list[Any]]) -> Any:
    data = write_xlsx({"Comments": (rows[0], rows[1:])})
    return client.post(f"{base(section)}/comments/import", data={"file": (io.BytesIO(data), "matrix.xlsx")})


def test_rule_2_the_unchanged_export_changes_nothing(comments: Any, section: Any, focal_point: Any, browse: Any) -> None:
    client = browse(focal_point)
    client.post(f"{base(section)}/comments/{comments[0].public_id}/decide", data={"kind": "noted", "response": "=1+1\nKnown."})
    for kind in ("xlsx", "csv"):
        data = client.get(f"{base(section)}/comment-matrix.{kind}").data
        answer = client.post(f"{base(section)}/comments/import", data={"file": (io.BytesIO(data), f"m.{kind}")})
        assert answer.status_code == 303, answer.text
        page = client.get(answer.location).text
        assert "there is nothing to import" in page
        assert client.post(answer.location).status_code == 303
    assert db.session.scalar(db.select(db.func.count()).select_from(Disposition)) == 1


def test_only_what_was_edited_is_shown_and_saved(
    comments: Any, section: Any, author: Any, focal_point: Any, browse: Any, last_entry: Any
) -> None:
    client = browse(focal_point)
    rows = export(client, section)
    fill(rows, 1, answer="Not accepted", response="Another law says <b>so</b>.")
    fill(rows, 2, answer="Duplicate of another", response="See 1.", duplicate=1)
    fill(rows, 3, owner="office of siti", due="31/12/2030")
    answer = upload(client, section, rows)
    page = client.get(answer.location).text
    assert "<ins>Not accepted</ins>" in page
    assert "&lt;b&gt;so" in page
    assert "<ins>2030-12-31</ins>" in page
    assert comments[0].disposition is None
    assert client.post(answer.location).status_code == 303
    assert client.post(answer.location).status_code == 404
    assert [c.disposition.kind.value if c.disposition else None for c in comments] == ["not_accepted", "duplicate", None]
    assert comments[1].disposition.duplicate_of_id == comments[0].id
    assert comments[2].assignment.institution.name["en"] == "Office of Siti"
    assert last_entry("comment.decide").actor == focal_point.actor_key
    assert db.session.scalar(db.select(db.func.count()).select_from(Assignment)) == 1
    again = upload(client, section, export(client, section))
    assert "there is nothing to import" in client.get(again.location).text


def test_a_stale_row_is_refused_by_name_and_nothing_is_saved(comments: Any, section: Any, focal_point: Any, browse: Any) -> None:
    client = browse(focal_point)
    rows = export(client, section)
    fill(rows, 1, answer="Accepted")
    fill(rows, 2, answer="Noted", response="Known.")
    good = upload(client, section, rows).location
    for comment in (comments[0], comments[2]):
        client.post(f"{base(section)}/comments/{comment.public_id}/decide", data={"kind": "noted", "response": "Meanwhile."})
    refused = client.post(good)  # what was shown is not what would happen now
    assert refused.status_code == 409
    assert "Comment 1 was answered or assigned since" in refused.text
    page = client.get(upload(client, section, rows).location).text
    assert "Comments, row 2, State: Comment 1 was answered or assigned since" in page
    assert "Comment 3" not in page  # not touched in the file
    assert comments[1].disposition is None


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"answer": "Perhaps"}, "Answer", "“Perhaps” is none of the answers."),
        ({"answer": "Noted"}, "Response", "Give the reason"),
        ({"answer": "Duplicate of another", "response": "x", "duplicate": 99}, "Duplicate of No.", "There is no comment 99."),
        ({"answer": "Duplicate of another", "response": "x", "duplicate": 1}, "Duplicate of No.", "Give the number of the other"),
        ({"response": "Only words."}, "Answer", "say which answer it is"),
        ({"owner": "Office of Nobody"}, "Responsible institution", "is no institution of this consultation"),
        ({"owner": "Office of Siti", "due": "tomorrow"}, "Due", "“tomorrow” is not a day"),
        ({"due": "2030-01-01"}, "Responsible institution", "Choose the institution"),
        ({"No.": 77}, "No.", "There is no comment 77."),
        ({"No.": "\u0661"}, "No.", "There is no comment"),
        ({"No.": 2}, "No.", "stands in the file twice"),
    ],
)  # fmt: skip
def test_errors_name_sheet_row_and_column(
    cells: Any, column: str, words: str, comments: Any, section: Any, focal_point: Any, browse: Any
) -> None:
    client = browse(focal_point)
    rows = export(client, section)
    fill(rows, 1, **cells)
    answer = upload(client, section, rows)
    page = client.get(answer.location).text
    assert f"Comments, row {3 if 'twice' in words else 2}, {column}: " in page
    assert words in page
    assert client.post(answer.location).status_code == 409
    assert db.session.scalar(db.select(db.func.count()).select_from(Disposition)) == 0


def test_rows_of_sections_one_is_not_named_for_and_of_frozen_ones_are_refused_by_name(
    comments: Any, section: Any, author: Any, focal_point: Any, browse: Any
) -> None:
    other = section.consultation.sections[1]
    consultations.open_section(other, by=factories.BY)
    fourth = comment_on(other, author, "Of another section.")
    client = browse(focal_point)
    rows = export(client, section)
    fill(rows, fourth.number, answer="Accepted")
    page = client.get(upload(client, section, rows).location).text
    assert f"Comment {fourth.number}: you are not named for section 2." in page
    rows = export(client, section)
    fill(rows, 1, answer="Accepted")
    freeze(section)
    assert "Comment 1: its section is frozen" in client.get(upload(client, section, rows).location).text


def test_who_may_bring_it_back(comments: Any, section: Any, author: Any, focal_point: Any, browse: Any) -> None:
    client, url = browse(focal_point), f"{base(section)}/comments/import"
    rows = export(client, section)
    mine = upload(client, section, rows).location
    assert browse(author).get(url).status_code == 403
    assert browse(factories.make_user(Role.OBSERVER, section.consultation)).get(url).status_code == 403
    stranger = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
    organiser = browse(factories.make_user(Role.ORGANISER, section.consultation))
    for deed in ("", "/drop"):
        assert stranger.post(mine + deed).status_code == 404
        assert organiser.post(mine + deed).status_code == 404  # another one's file
    assert client.post(f"{mine}/drop").status_code == 303
    assert db.session.scalar(db.select(db.func.count()).select_from(ImportDraft)) == 0
    assert client.post(url, data={"file": (io.BytesIO(b"\x00\xff"), "x.xlsx")}).status_code == 422
    assert client.post(url, data={}).status_code == 422
    fill(rows, 1, answer="Accepted")
    assert "you are not named for section 1" in organiser.get(upload(organiser, section, rows).location).text


def test_the_matrix_as_a_paper_and_for_those_who_do_not_work_on_it(
    comments: Any, section: Any, author: Any, focal_point: Any, browse: Any
) -> None:
    from docx import Document  # noqa: PLC0415

    answer = browse(author).get(f"{base(section)}/comment-matrix.docx")
    paper = Document(io.BytesIO(answer.data))
    assert paper.sections[0].page_width > paper.sections[0].page_height
    assert [row.cells[3].text for row in paper.tables[0].rows[1:]] == [c.text for c in comments]
    assert "State" not in export(browse(author), section)[0]
    assert "State" in export(browse(focal_point), section)[0]
