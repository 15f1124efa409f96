"""The organiser's list: search, filters, export; adding and importing people."""

from __future__ import annotations

import io
from typing import Any

import pytest
import python_calamine

from consult_app.db import db
from consult_app.policy import Role
from consult_app.registrations.models import Registration
from consult_app.sheets import write_xlsx
from tests import factories

ROWS = [
    ["Dr. Ir. Suharti", "Kementerian Luar Negeri", "Pemerintah", "P", "suharti@kemlu.example", "0812 0000 0001"],
    ["محمد الفاتح", "LSM Migran", "ngo", "L", "alfatih@lsm.example", ""],
    ["=1+1", "Office <img src=x>", "government", "", "", "+62 812 0000 0002"],
]
HEADER = ["Nama", "Instansi", "Jenis pemangku kepentingan", "L/P", "Surel", "Telepon"]


def count(event: Any) -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(Registration).where(Registration.event_id == event.id)) or 0


@pytest.fixture
def event(app: Any) -> Any:
    return factories.make_event()


@pytest.fixture
def organiser(event: Any, browse: Any) -> Any:
    return browse(factories.make_user(Role.ORGANISER, event.consultation))


def test_search_finds_words_in_any_order_without_accents(event: Any, organiser: Any) -> None:
    factories.make_registration(event, name="Tomás Echeverría", institution="IOM")
    factories.make_registration(event, name="Suharti", institution="Kemlu")
    page = organiser.get(f"/events/{event.slug}/registrations?q=iom+tomas")
    assert "Tomás Echeverría" in page.text
    assert "Suharti" not in page.text
    fragment = organiser.get(f"/events/{event.slug}/registrations?q=suharti", headers={"HX-Request": "true"})
    assert "<html" not in fragment.text
    assert "Suharti" in fragment.text


def test_hostile_text_is_escaped_on_the_page_and_harmless_in_the_exports(event: Any, organiser: Any) -> None:
    factories.make_registration(event, name="=1+1", institution="<img src=x onerror=alert(1)>", phone="+62 812-0000-0001")
    page = organiser.get(f"/events/{event.slug}/registrations")
    assert "<img src=x" not in page.text
    csv = organiser.get(f"/events/{event.slug}/registrations.csv").data.decode("utf-8-sig")
    assert "'=1+1" in csv
    assert "+62 812-0000-0001" in csv
    book = python_calamine.load_workbook(io.BytesIO(organiser.get(f"/events/{event.slug}/registrations.xlsx").data))
    assert book.get_sheet_by_index(0).to_python()[1][0] == "=1+1"  # text, not a formula


def test_export_is_for_organisers(event: Any, browse: Any) -> None:
    desk = factories.make_user(Role.CHECK_IN, event.consultation)
    assert browse(desk).get(f"/events/{event.slug}/registrations.csv").status_code == 403


def test_add_somebody_without_an_email(event: Any, organiser: Any, last_entry: Any) -> None:
    data = {"name": "Suharti", "institution": "Desa", "stakeholder_type": "ngo", "sex": "female", "role": "participant", "language": "id"}
    assert organiser.post(f"/events/{event.slug}/registrations/add", data=data).status_code == 303
    assert count(event) == 1
    assert organiser.post(f"/events/{event.slug}/registrations/add", data={**data, "name": ""}).status_code == 422
    assert last_entry("registration.register") is not None


def upload(client: Any, event: Any, name: str, data: bytes) -> Any:
    return client.post(
        f"/events/{event.slug}/registrations/import", data={"file": (io.BytesIO(data), name)}, content_type="multipart/form-data"
    )


def test_import_shows_first_and_saves_then(event: Any, organiser: Any, sent: Any, audit_ok: None) -> None:
    factories.make_registration(event, email="alfatih@lsm.example")
    title_rows = [["Daftar undangan", "", "", "", "", ""], ["", "", "", "", "", ""]]
    data = write_xlsx({"Peserta": (title_rows[0], [title_rows[1], HEADER, *ROWS])})
    answer = upload(organiser, event, "daftar.xlsx", data)
    assert answer.status_code == 303
    assert count(event) == 1  # nothing is saved yet
    preview = organiser.get(answer.location)
    assert "Nothing can be saved yet" not in preview.text, preview.text
    assert organiser.post(answer.location, data={"send": "1"}).status_code == 303
    assert count(event) == 3
    assert [m["To"] for m in sent()] == ["suharti@kemlu.example"]
    assert organiser.post(answer.location).status_code == 404  # a double click saves once


def test_rule_2_an_import_names_every_error_and_saves_nothing(event: Any, organiser: Any) -> None:
    bad = [*ROWS, ["", "Office", "nobody", "X", "not an address", "abc"]]
    data = "\n".join(";".join(row) for row in [HEADER, *bad]).encode("cp1252", "replace")
    answer = upload(organiser, event, "daftar.csv", data)
    preview = organiser.get(answer.location).text
    for words in ("row 5, Name", "row 5, Stakeholder type", "row 5, Sex", "row 5, E-mail", "row 5, Phone"):
        assert words in preview
    assert organiser.post(answer.location).status_code == 409
    assert count(event) == 0


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("picture.xlsx", b"\x89PNG\r\n\x1a\n" + bytes(100)),
        ("broken.xlsx", b"PK\x03\x04" + bytes(50)),
        ("empty.csv", b"  "),
        ("other.csv", b"a,b\n1,2\n"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_the_reason(event: Any, organiser: Any, name: str, data: bytes) -> None:
    answer = upload(organiser, event, name, data)
    assert answer.status_code == 422
    assert name in answer.text
