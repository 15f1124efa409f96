"""Importing a list: every row's verdict before anything is saved, all or nothing (product.md rule 2)."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from consult_app.consultations.models import ImportDraft
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.invitations import imports
from consult_app.invitations.models import EventInvitation, InvitationKind
from consult_app.policy import Role
from consult_app.registrations.stakeholders import LOCAL_ONLY, TYPES
from consult_app.registrations.titles import name_key, split_titles
from consult_app.sheets import Fault, fold, read, write_xlsx
from tests import factories
from tests.invitations.conftest import make_invitation

HEADER = ["Instansi", "Kategori", "Nama", "Surel", "No. HP/WA", "L/P"]


def upload(client: Any, event: Event, rows: list[list[str]], header: list[str] | None = None) -> Any:
    data = {"file": (io.BytesIO(write_xlsx({"List": (header or HEADER, rows)})), "list.xlsx")}
    return client.post(f"/events/{event.slug}/invitations/import", data=data, content_type="multipart/form-data")


def all_of(event: Event) -> list[EventInvitation]:
    return list(db.session.scalars(db.select(EventInvitation).where(EventInvitation.event_id == event.id).order_by(EventInvitation.id)))


@pytest.mark.usefixtures("audit_ok")
def test_rule_2_shown_first_and_saved_then(event: Any, organiser: Any, sent: Any) -> None:
    rows = [
        ["Kantor Uji", "Pemerintah", "Prof. Dr. Suharti Dewi, S.H., M.Si.", "suharti@example.org", "0812 1000 2000", "P"],
        ["Kantor Uji", "government", "", "office@example.org", "", ""],
        ["Yayasan", "LSM", "محمد الفاتح", "", "62812-1000-2001", "L"],
        ["KANTOR UJI", "Pemerintah", "DEWI SUHARTI", "", "", ""],
    ]
    answer = upload(organiser, event, rows)
    assert answer.status_code == 303
    page = organiser.get(answer.location).text
    assert "the same as row 2" in page
    assert "Save 3 invitations" in page
    assert all_of(event) == []
    assert organiser.post(answer.location).status_code == 303
    first, second, third = all_of(event)
    assert (first.title_before, first.name, first.title_after) == ("Prof. Dr.", "Suharti Dewi", "S.H., M.Si.")
    assert (second.kind, second.institution_id) == (InvitationKind.INSTITUTION, first.institution_id)
    assert (third.name, third.phone) == ("محمد الفاتح", "+6281210002001")
    assert sent() == []
    assert organiser.post(answer.location).status_code == 404  # saved already
    again = upload(organiser, event, rows)  # the same file changes nothing
    assert "there is nothing to save" in organiser.get(again.location).text
    assert organiser.post(again.location).status_code == 303
    assert len(all_of(event)) == 3


def test_rule_2_every_fault_is_named_and_nothing_is_saved(event: Any, organiser: Any) -> None:
    rows = [
        ["", "Pemerintah", "Suharti", "", "", ""],
        ["Kantor Baru", "no such type", "Wagiyem", "no address", "12", "x"],
        ["Kantor", "Pemerintah", "Paimin", "same@example.org", "", ""],
        ["Kantor", "Pemerintah", "Tumini", "same@example.org", "", ""],
        ["Kantor", "Pemerintah", "y" * 300, "", "", ""],
    ]
    answer = upload(organiser, event, rows)
    page = organiser.get(answer.location).text
    for place in (
        "row 2, Institution",
        "row 3, Stakeholder type",
        "row 3, E-mail",
        "row 3, Phone",
        "row 3, Sex",
        "row 5, E-mail",
        "row 6, Name",
    ):
        assert f"Sheet List, {place}" in page, place
    assert organiser.post(answer.location).status_code == 409
    assert all_of(event) == []
    assert organiser.post(f"{answer.location}/drop").status_code == 303
    assert db.session.scalars(db.select(ImportDraft)).all() == []


def test_what_is_no_list_is_refused(event: Any, organiser: Any) -> None:
    assert upload(organiser, event, [["x"]], header=["Something"]).status_code == 422
    data = {"file": (io.BytesIO(b"\x89PNG not a sheet"), "list.xlsx")}
    url = f"/events/{event.slug}/invitations/import"
    assert organiser.post(url, data=data, content_type="multipart/form-data").status_code == 422
    assert organiser.post(url, data={}, content_type="multipart/form-data").status_code == 422


def test_known_ones_stay_as_they_are(event: Any, organiser: Any) -> None:
    person = make_invitation(event, name="Suharti Dewi", email="s@example.org", position="Head", institution="Kantor Uji")
    rows = [
        ["Lain", "Pemerintah", "Suharti Dewi Other", "S@example.org", "", ""],
        ["kantor uji", "", "Dra. Dewi SUHARTI", "", "", ""],  # a known institution needs no type
    ]
    answer = upload(organiser, event, rows)
    assert organiser.get(answer.location).text.count("invited already") >= 2
    organiser.post(answer.location)
    assert all_of(event) == [person]
    assert person.position == "Head"


def test_somebody_elses_list_is_not_there(event: Any, organiser: Any, browse: Any) -> None:
    answer = upload(organiser, event, [["Kantor", "Pemerintah", "Suharti", "", "", ""]])
    other = factories.make_event()
    stranger = browse(factories.make_user(Role.ORGANISER, other.consultation))
    assert stranger.post(answer.location.replace(event.slug, other.slug)).status_code == 404
    assert stranger.post(answer.location).status_code == 404


@pytest.mark.parametrize(
    ("typed", "parts"),
    [
        ("Dr. Ir. Suharti, M.Si., Ph.D.", ("", "Dr. Ir.", "Suharti", "M.Si., Ph.D.")),
        ("Prof.Dr.H.AHMAD FAUZI,S.H.,M.H.", ("", "Prof. Dr. H.", "AHMAD FAUZI", "S.H., M.H.")),
        ("Drs. Bambang SH MM", ("", "Drs.", "Bambang", "SH, MM")),
        ("Ibu Hj. Rini, S.Pd", ("Ibu", "Hj.", "Rini", "S.Pd")),
        ("dr. Budi, Sp.OG", ("", "dr.", "Budi", "Sp.OG")),
        ("Suharti", ("", "", "Suharti", "")),
        ("Ir", ("", "", "Ir", "")),
        ("Drajat", ("", "", "Drajat", "")),
        ("JACK MA", ("", "", "JACK MA", "")),
        ("Echeverría, Tomás", ("", "", "Echeverría, Tomás", "")),
        ("محمد الفاتح", ("", "", "محمد الفاتح", "")),
        ("ꦱꦿꦶꦮꦲꦾꦸꦤꦶ", ("", "", "ꦱꦿꦶꦮꦲꦾꦸꦤꦶ", "")),
        ("", ("", "", "", "")),
    ],
)
def test_titles_leave_the_name(typed: str, parts: tuple[str, str, str, str]) -> None:
    assert split_titles(typed) == parts


def test_vowel_signs_tell_names_apart_and_order_does_not() -> None:
    assert name_key("ꦱꦶꦠꦶ") != name_key("ꦱꦠ")
    assert name_key("SUHARTI Déwi") == name_key("dewi suharti")


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("0812 1000 2000", "+6281210002000"),
        ("+62 (812) 1000-2000", "+6281210002000"),
        ("6281210002000", "+6281210002000"),
        ("81210002000", "+6281210002000"),
        ("+1 202 555 0100", "+12025550100"),
    ],
)
def test_phones_in_any_notation(typed: str, number: str, app: Any) -> None:
    values = {"email": "", "phone": typed, "seats": ""}
    with app.test_request_context():
        assert imports._ways(values, "ID") == []
    assert values["phone"] == number


@pytest.mark.parametrize(("name", "people"), [("invitations_national.xlsx", 58), ("invitations_central_java.csv", 92)])
def test_the_reference_lists_name_that_many_people(name: str, people: int, app: Any) -> None:
    kinds = {code: factories.StakeholderType(code=code, name=dict(texts)) for code, texts in _types(name).items()}
    known = imports.Ground({key: k for k in kinds.values() for key in map(fold, k.name.values())}, {}, {}, "ID", ["id"])
    with app.test_request_context():
        judged = imports.judge(name, read(name, (Path("tests/data") / name).read_bytes()), known)
    assert judged.faults == list[Fault]()
    assert [row.verdict for row in judged.rows].count("new") == people
    assert [row.verdict for row in judged.rows].count("same") == 1
    assert {row.values["type"] for row in judged.rows} == set(kinds)  # every stakeholder type of the level comes


def _types(name: str) -> dict[str, Any]:
    local_only: Any = LOCAL_ONLY if "national" in name else ()
    return {code: texts for code, texts in TYPES.items() if code not in local_only}
