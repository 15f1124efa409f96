"""The comment matrix out, filled in with a spreadsheet, and back in (rule 2)."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

import pytest
from python_calamine import load_workbook

from consult_app import audit
from consult_app.comments.models import Assignment, Comment, Disposition
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import ImportDraft
from consult_app.days import day_from
from consult_app.db import db, now
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
    assert "<ins>31 December 2030</ins>" in page
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


def test_rule_2_an_untouched_file_is_never_refused(comments: Any, section: Any, author: Any, focal_point: Any, browse: Any) -> None:
    """A duplicate whose other comment was withdrawn since, and an institution with another name."""
    client = browse(focal_point)
    data = {"kind": "duplicate", "response": "See 1.", "duplicate_of": "1"}
    assert client.post(f"{base(section)}/comments/{comments[1].public_id}/decide", data=data).status_code == 303
    rows = export(client, section)
    fill(rows, 3, owner="Office of Siti")
    assert client.post(upload(client, section, rows).location).status_code == 303
    rows = export(client, section)
    comments[0].withdrawn_at = now()  # by the author, at the same moment
    comments[2].assignment.institution.name = {"en": "Another name"}
    rows = [row for row in rows if row[0] != 1]
    audit.record(factories.BY, "comment.withdraw", comments[0])
    audit.record(factories.BY, "institution.change", comments[2].assignment.institution)
    db.session.commit()
    page = client.get(upload(client, section, rows).location).text
    assert "there is nothing to import" in page


def test_the_state_is_no_number_and_no_day_to_a_spreadsheet(comments: Any, section: Any, focal_point: Any, browse: Any) -> None:
    rows = export(browse(focal_point), section)
    states = [row[rows[0].index("State")] for row in rows[1:]]
    assert all(re.fullmatch(r"[b-df-hj-np-tv-z]{12}-[b-df-hj-np-tv-z]{12}", state) for state in states)
    assert len(set(states)) == 3


def test_a_new_row_and_an_edit_of_a_locked_cell_are_named(comments: Any, section: Any, focal_point: Any, browse: Any) -> None:
    client = browse(focal_point)
    rows = export(client, section)
    new = ["" for _cell in rows[0]]
    new[rows[0].index("Comment")] = "Something that somebody else thinks."
    page = client.get(upload(client, section, [*rows, new]).location).text
    assert "Comments, row 5, No.: This row is new" in page
    fill(rows, 1, Comment="The first, but better.")
    fill(rows, 2, **{"Carried by revision": 1})
    fill(rows, 3, answer="Accepted")
    answer = upload(client, section, rows)
    page = client.get(answer.location).text
    assert "Comments, row 2, Comment: What was changed here is not taken" in page
    assert "Comments, row 3, Carried by revision: What was changed here is not taken" in page
    assert page.count("is not taken") == 2
    assert client.post(answer.location).status_code == 303
    assert comments[2].disposition.kind.value == "accepted"
    assert comments[0].text == "The first."


@pytest.mark.parametrize(
    "words",
    ["2026-08-02", "2 Aug 2026", "2 Agt 2026", "2 Agustus 2026", "02-Aug-26", "2/8/2026", "02.08.2026", "2-8-26", "2/8/26",
     "August 2, 2026", "Aug 2, 2026", "Sunday, 2 August 2026", "Minggu, 2 Agustus 2026",
     "2nd August 2026", "2026/8/2", "2026-08-02 00:00:00", "46236",
     "46236.0", " 2  Agustus  2026 "],
)  # fmt: skip
def test_a_day_is_read_in_every_usual_way_of_writing_it(words: str) -> None:
    assert day_from(words) == dt.date(2026, 8, 2)


def test_a_day_that_is_none_is_none_and_the_day_stands_before_the_month() -> None:
    assert day_from("2/1/2026") == dt.date(2026, 1, 2)
    assert day_from("12/31/2026") == dt.date(2026, 12, 31)
    for words in (
        "Selasa 19 Desember 2023", "Jum’at, 19 Des 2023", "19/XII/2023", "19 XII 2023", "2023-12-19 17:30:00", "19 Nopember 2023",
        "2023-12-19T08:00", "Tue 19 Dec 2023", "19 Sept 2023", "Dec 19, 2023",
    ):  # fmt: skip
        assert day_from(words) in (dt.date(2023, 12, 19), dt.date(2023, 11, 19), dt.date(2023, 9, 19)), words
    assert day_from("19 Nopember 2023") == dt.date(2023, 11, 19)
    assert [day_from(words) for words in ("decision 3, 2023", "3 marvels 2023", "Junk 3 May 2023", "3 ma 2023")] == [None] * 4
    for words in ("31/2/2026", "soon", "2026", "12", "32 Mei 2026", "2 Foo 2026", "99999999999999999999", "٢/١/٢٠٢٦x", ""):
        assert day_from(words) is None, words


def test_a_day_is_shown_in_words_before_it_is_saved(comments: Any, section: Any, focal_point: Any, browse: Any) -> None:
    client = browse(focal_point)
    rows = export(client, section)
    fill(rows, 1, owner="Office of Siti", due="2 Agt 2026")
    fill(rows, 2, owner="Office of Siti", due=46236)
    page = client.get(upload(client, section, rows).location).text
    assert page.count("<ins>2 August 2026</ins>") == 2
    fill(rows, 1, due="31 Feb 2026")
    assert "Comments, row 2, Due: “31 Feb 2026” is not a day" in client.get(upload(client, section, rows).location).text


def test_a_row_whose_own_comment_was_withdrawn_since_holds_up_nothing(comments: Any, section: Any, focal_point: Any, browse: Any) -> None:
    client = browse(focal_point)
    rows = export(client, section)
    comments[0].withdrawn_at = now()
    audit.record(factories.BY, "comment.withdraw", comments[0])
    fill(rows, 2, answer="Noted", response="Known.")
    answer = upload(client, section, rows)
    assert client.post(answer.location).status_code == 303
    assert comments[1].disposition is not None
    fill(rows, 1, answer="Noted", response="Of what is gone.")
    page = client.get(upload(client, section, rows).location).text
    assert "There is no comment 1." in page


@pytest.mark.parametrize("column", ["Dimension", "Question", "Evidence", "Submitted by", "Made on revision"])
def test_an_edit_in_a_column_that_is_only_read_is_named(comments: Any, section: Any, focal_point: Any, browse: Any, column: str) -> None:
    client = browse(focal_point)
    comments[0].link = "https://example.org/law"
    audit.record(factories.BY, "comment.change", comments[0])
    rows = export(client, section)
    assert "What was changed here is not taken" not in client.get(upload(client, section, rows).location).text
    fill(rows, 1, **{column: "9"})
    page = client.get(upload(client, section, rows).location).text
    assert "What was changed here is not taken" in page
    assert column in page.split("What was changed here is not taken")[0][-300:]
