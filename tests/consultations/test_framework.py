"""Framework import and export (product.md rule 2)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from consult_app import audit, sheets
from consult_app.consultations import actions
from consult_app.consultations.commands import framework as framework_command
from consult_app.consultations.framework import Draft, apply_framework, export_framework, read_framework
from consult_app.consultations.models import Consultation, Dimension, ImportDraft, Indicator, Section
from consult_app.consultations.queries import load_indicator
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.policy import Role
from consult_app.sheets import write_xlsx
from tests.factories import BY, make_consultation, make_user

pytestmark = pytest.mark.usefixtures("audit_ok")
DEMO = Path(__file__).parents[2] / "consult_app" / "demo_data"


def read(consultation: Consultation, *lines: str, name: str = "f.csv") -> Draft:
    return read_framework(name, "\n".join(lines).encode(), consultation)


def load(consultation: Consultation, *lines: str) -> None:
    draft = read(consultation, *lines)
    assert draft.faults == []
    apply_framework(consultation, draft.rows, by=BY, version="")


def verdicts(draft: Draft) -> list[str]:
    return [row["verdict"] for row in draft.rows]


def entries() -> int:
    return db.session.scalar(select(func.count()).select_from(audit.AuditEntry)) or 0


@pytest.fixture
def empty(app: Any) -> Consultation:
    return make_consultation(0, 0)


# -- rule 1 and rule 2 with the demo's own files --


@pytest.mark.parametrize(("file", "rows"), [("national", 98), ("local", 76)])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_rule_2_importing_the_exported_file_changes_nothing(empty: Consultation, file: str, rows: int, kind: str) -> None:
    path = DEMO / f"{file}_framework.csv"
    draft = read_framework(path.name, path.read_bytes(), empty)
    assert draft.faults == []
    assert draft.counts == {"new": rows, "changed": 0, "unchanged": 0, "error": 0}
    apply_framework(empty, draft.rows, by=BY, version="test")
    db.session.commit()
    before = entries()
    exported = export_framework(empty, kind)
    again = read_framework(f"export.{kind}", exported, empty)
    assert again.faults == []
    assert again.counts["unchanged"] == rows
    apply_framework(empty, again.rows, by=BY, version="test")
    assert entries() == before
    given, back = sheets.read(path.name, path.read_bytes()), sheets.read("export", exported)
    assert back[0].rows == given[0].rows  # the export gives back the file


def test_rule_1_a_framework_of_three(empty: Consultation) -> None:
    load(empty, "Code,Indicator", "1.1,A?", "2.1,B?", "2.2,C?")
    assert [(d.number, len(d.indicators), d.section.number) for d in empty.dimensions] == [(1, 1, 1), (2, 2, 2)]
    assert empty.dimensions[0].name == {"en": "Dimension 1", "id": "Dimensi 1"}


def test_rule_2_what_looks_like_a_formula_comes_back_as_it_was(empty: Consultation) -> None:
    load(empty, "Code,Dimension,Indicator,Finding", '1.1,-Rights,=1+1?,"\'=kept"', "1.2,-Rights,+why?,-5 percent")
    assert load_indicator(empty, "1.1").question == {"en": "=1+1?"}
    for kind in ("csv", "xlsx"):
        assert verdicts(read_framework(f"f.{kind}", export_framework(empty, kind), empty)) == ["unchanged", "unchanged"]
    assert b"\n=" not in export_framework(empty, "csv")
    assert b",=" not in export_framework(empty, "csv")


# -- reading --


def test_headings_in_indonesian_any_order_under_title_rows(empty: Consultation) -> None:
    draft = read(
        empty,
        "Matriks indikator Jawa Tengah;;;;",
        ";;;;",
        "Temuan;Pertanyaan;Kode;Dimensi;Tautan",
        "Ada, lengkap;Apakah ada?;1.10;1. Hak-hak migran;https://contoh.example",
        "Belum, ada;Apakah belum?;1.1;1. Hak-hak migran;",
    )
    assert draft.faults == []
    assert [(row["code"], row["row"]) for row in draft.rows] == [("1.10", 4), ("1.1", 5)]
    apply_framework(empty, draft.rows, by=BY, version="")
    indicator = load_indicator(empty, "1.10")
    assert (indicator.question, indicator.finding) == ({"id": "Apakah ada?"}, {"id": "Ada, lengkap"})
    assert indicator.dimension.name == {"id": "Hak-hak migran"}
    assert [row.code for row in empty.dimensions[0].indicators] == ["1.10", "1.1"]


def test_sentences_with_commas_in_a_file_with_semicolons(empty: Consultation) -> None:
    draft = read(empty, "Kode;Indikator;Temuan", "1.1;Ada?;Satu, dua, tiga, empat, lima", "1.2;Ada?;Satu, dua, tiga", "1.3;Ada?;")
    assert (draft.faults, [row["code"] for row in draft.rows]) == ([], ["1.1", "1.2", "1.3"])


def test_xlsx_of_several_sheets(empty: Consultation) -> None:
    head = ["Code", "Question", "Instansi"]
    book = write_xlsx(
        {"One": (head, [["1.1", "A?", "Kemlu"]]), "Notes": (["hello"], [["x"]]), "Two": (["Kode", "Indikator"], [["2.10", "B?"]])}
    )
    draft = read_framework("f.xlsx", book, empty)
    assert [(row["sheet"], row["row"], row["code"]) for row in draft.rows] == [("One", 2, "1.1"), ("Two", 2, "2.10")]
    assert draft.skipped == ["Notes"]


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (",1,A?,,,", "Code", "missing"),
        ("a b,1,A?,,,", "Code", "cannot be a code"),
        ("1/1,1,A?,,,", "Code", "cannot be a code"),
        ("1.1,1,,,,", "Indicator", "missing"),
        ("1.1,zero,A?,,,", "Dimension number", "not a number"),
        ("x,,A?,,,", "Dimension number", "missing"),
        ("1.1,1,A?,javascript:alert(1),,", "Tautan", "https://"),
        ("1.1,1,A?,,18; 3,", "SDG", "18"),
        ("1.1,1,A?,,,24", "GCM", "24"),
    ],
)
def test_rule_2_every_fault_is_named(empty: Consultation, row: str, column: str, words: str) -> None:
    draft = read(empty, "A title", "Code,Dimension number,Indicator,Tautan,SDG,GCM", "1.9,1,Good?,,10.7,1", row, name="national.csv")
    (fault,) = draft.faults
    assert (fault.sheet, fault.row, fault.column) == ("national.csv", 4, column)
    assert words in fault.reason
    assert verdicts(draft) == ["new", "error"]
    with pytest.raises(Conflict):
        apply_framework(empty, draft.rows, by=BY, version="")
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Indicator)) == 0


def test_rule_2_all_faults_at_once(empty: Consultation) -> None:
    draft = read(empty, "Code,Dimension,Indicator", "1.1,1. Rights,A?", "1.1,1. Rights,B?", "1.2,1. Other name,C?", ",1. Rights,")
    assert [(fault.row, fault.column) for fault in draft.faults] == [(3, "Code"), (4, "Dimension"), (5, "Code"), (5, "Indicator")]
    assert "1.10" in draft.faults[0].reason  # how it comes about in a spreadsheet


@pytest.mark.parametrize("data", [b"", b"no header,here\n1,2", b"%PDF-1.7", b"PK\x03\x04broken", b"Code,Indicator\n"])
def test_a_file_that_is_no_table(empty: Consultation, data: bytes) -> None:
    with pytest.raises(Invalid):
        read_framework("f.csv", data, empty)


# -- what it would do --


def test_rule_2_new_changed_and_unchanged(app: Any) -> None:
    consultation = make_consultation(3, 2)
    draft = read(
        consultation,
        "Code,Indicator,Finding",
        "1.1,Is there a policy number 0?,Another.",
        "1.2,Is there a policy number 2?,Finding 2.",
        "1.3,New?,",
    )
    assert verdicts(draft) == ["changed", "unchanged", "new"]
    assert draft.rows[0]["changes"] == [{"field": "finding", "language": "en", "old": "Finding 0.", "new": "Another."}]
    assert draft.absent == 1
    apply_framework(consultation, draft.rows, by=BY, version="2023")
    assert load_indicator(consultation, "1.1").finding == {"en": "Another.", "id": "Temuan 0."}
    assert load_indicator(consultation, "2.1").finding["en"] == "Finding 1."
    assert [row.code for row in consultation.dimensions[0].indicators] == ["1.1", "1.2", "1.3"]
    assert consultation.framework_version == "2023"


def test_order_follows_the_file(empty: Consultation) -> None:
    load(empty, "Code,Indicator", "1.1,A?", "1.2,B?", "1.3,C?")
    draft = read(empty, "Code,Indicator", "1.3,C?", "1.1,A?", "1.2,B?")
    assert verdicts(draft) == ["changed", "unchanged", "unchanged"]
    apply_framework(empty, draft.rows, by=BY, version="")
    assert [row.code for row in empty.dimensions[0].indicators] == ["1.3", "1.1", "1.2"]
    load(empty, "Code,Indicator", "1.1,A?", "1.15,New?")
    assert [row.code for row in empty.dimensions[0].indicators] == ["1.3", "1.1", "1.2", "1.15"]


def test_a_dimension_is_renamed_and_found_by_name(empty: Consultation) -> None:
    load(empty, "Code,Dimension,Indicator", "A-1,1. Rights,A?", "B-1,2. Partnerships,B?")
    draft = read(empty, "Code,Dimension,Dimensi,Indicator", "B-2,PARTNERSHIPS,Kemitraan,C?")
    assert (draft.faults, draft.rows[0]["dimension"]) == ([], 2)
    apply_framework(empty, draft.rows, by=BY, version="")
    assert empty.dimensions[1].name == {"en": "PARTNERSHIPS", "id": "Kemitraan"}


def test_a_frozen_section_takes_no_change(app: Any) -> None:
    consultation = make_consultation(3, 2)
    actions.open_section(consultation.sections[0], by=BY)
    actions.start_review(consultation.sections[0], by=BY)
    actions.freeze_section(consultation.sections[0], by=BY)
    draft = read(consultation, "Code,Indicator", "1.1,Changed?", "1.2,Is there a policy number 2?", "2.1,Changed?")
    assert verdicts(draft) == ["error", "unchanged", "changed"]
    assert "Reopen" in draft.faults[0].reason


def test_rule_3_an_indicator_that_was_shown_never_moves(app: Any) -> None:
    consultation = make_consultation(3, 2)
    head, row = "Code,Dimension number,Indicator", "1.1,2,Is there a policy number 0?"
    assert verdicts(read(consultation, head, row)) == ["changed"]
    actions.open_section(consultation.sections[0], by=BY)
    assert "has to stay" in read(consultation, head, row).faults[0].reason


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_rule_3_an_indicator_stays_in_its_dimension_in_every_later_state(app: Any, steps: int) -> None:
    """Open, in review, or frozen and opened again: what was said of it names the section it was shown in."""
    consultation = make_consultation(3, 2)
    section = consultation.sections[0]
    deeds: list[Any] = [actions.open_section, actions.start_review, actions.freeze_section]
    for deed in deeds[:steps]:
        deed(section, by=BY)
    if steps > len(deeds):
        actions.reopen_section(section, by=BY)
    draft = read(consultation, "Code,Dimension number,Indicator", "1.1,2,Is there a policy number 0?", "2.1,1,Is there a policy number 1?")
    assert verdicts(draft) == ["error", "changed"]
    assert "has to stay" in draft.faults[0].reason
    with pytest.raises(Conflict):
        apply_framework(consultation, draft.rows[:1], by=BY, version="")
    assert load_indicator(consultation, "1.1").dimension.number == 1


def test_a_preview_that_is_out_of_date_is_refused(app: Any) -> None:
    consultation = make_consultation()
    draft = read(consultation, "Code,Indicator", "1.1,Mine?")
    load(consultation, "Code,Indicator", "1.1,Theirs?")
    with pytest.raises(Conflict):
        apply_framework(consultation, draft.rows, by=BY, version="")
    assert load_indicator(consultation, "1.1").question["en"] == "Theirs?"


# -- the pages --

GOOD = b"Code,Dimension,Indicator\n1.1,1. Rights,<b>A?</b>\n1.10,1. Rights,B?\n"


def upload(client: Any, consultation: Consultation, data: bytes, name: str = "f.csv") -> Any:
    return client.post(f"/consultations/{consultation.slug}/framework/import", data={"file": (io.BytesIO(data), name)})


def test_import_through_the_pages(empty: Consultation, browse: Any, last_entry: Any) -> None:
    client = browse(make_user(Role.ORGANISER, empty))
    assert client.get(f"/consultations/{empty.slug}/framework/import").status_code == 200
    answer = upload(client, empty, GOOD)
    assert answer.status_code == 303
    assert db.session.scalar(select(func.count()).select_from(Indicator)) == 0
    page = client.get(answer.location)
    assert "&lt;b&gt;A?" in page.text
    assert client.post(answer.location, data={"version": "v1"}).status_code == 303
    assert [row.code for row in empty.dimensions[0].indicators] == ["1.1", "1.10"]
    assert last_entry("indicator.add") is not None
    assert client.get(answer.location).status_code == 404
    page = client.get(f"/consultations/{empty.slug}/indicators")
    assert "1.10" in page.text
    again = upload(client, empty, client.get(f"/consultations/{empty.slug}/framework.xlsx").data, "x.xlsx")
    assert "there is nothing to import" in client.get(again.location).text


def test_a_file_with_faults_cannot_be_applied(empty: Consultation, browse: Any) -> None:
    client = browse(make_user(Role.ORGANISER, empty))
    answer = upload(client, empty, GOOD + b"1.1,,\n")
    page = client.get(answer.location)
    assert "f.csv, row 4, Code" in page.text
    assert "Import all rows" not in page.text
    assert client.post(answer.location, data={}).status_code == 409
    assert db.session.scalar(select(func.count()).select_from(Dimension)) == 0
    assert client.post(f"{answer.location}/drop").status_code == 303
    assert db.session.scalar(select(func.count()).select_from(ImportDraft)) == 0


def test_upload_invalid(empty: Consultation, browse: Any) -> None:
    client = browse(make_user(Role.ORGANISER, empty))
    assert upload(client, empty, b"nothing,here").status_code == 422
    assert client.post(f"/consultations/{empty.slug}/framework/import", data={}).status_code == 422


def test_strangers_and_roles(empty: Consultation, browse: Any) -> None:
    path = f"/consultations/{empty.slug}/framework"
    rapporteur, stranger = make_user(Role.RAPPORTEUR, empty), make_user(Role.ORGANISER, make_consultation())
    assert upload(browse(rapporteur), empty, GOOD).status_code == 403
    assert browse(rapporteur).get(f"{path}.csv").status_code == 200
    assert upload(browse(stranger), empty, GOOD).status_code == 404
    assert browse(stranger).get(f"{path}.csv").status_code == 404
    assert browse(make_user(Role.CHECK_IN, empty)).get(f"{path}.xlsx").status_code == 403


# -- the command --


def test_command(empty: Consultation, app: Any, tmp_path: Path) -> None:
    db.session.commit()
    file = tmp_path / "f.csv"
    file.write_bytes(GOOD)
    ask = ["import", str(file), "--consultation", empty.slug]
    runner = app.test_cli_runner()
    assert runner.invoke(framework_command, [*ask, "--dry-run"]).exit_code == 0
    db.session.expire_all()
    assert empty.dimensions == []
    result = runner.invoke(framework_command, ask)
    assert (result.exit_code, "2 new" in result.output) == (0, True)
    db.session.expire_all()
    assert len(empty.dimensions[0].indicators) == 2
    assert db.session.scalar(select(func.count()).select_from(Section)) == 1
    assert runner.invoke(framework_command, ["export", str(tmp_path / "out.xlsx"), "--consultation", empty.slug]).exit_code == 0
    assert runner.invoke(framework_command, ["import", str(tmp_path / "out.xlsx"), "--consultation", empty.slug]).output.startswith("0 new")


def test_command_names_every_fault(empty: Consultation, app: Any, tmp_path: Path) -> None:
    db.session.commit()
    file = tmp_path / "bad.csv"
    file.write_bytes(GOOD + b",1. Rights,C?\n1.3,1. Rights,\n")
    result = app.test_cli_runner().invoke(framework_command, ["import", str(file), "--consultation", empty.slug])
    assert result.exit_code == 1
    assert "bad.csv, row 4, Code: " in result.output
    assert "bad.csv, row 5, Indicator: " in result.output
    db.session.expire_all()
    assert empty.dimensions == []
