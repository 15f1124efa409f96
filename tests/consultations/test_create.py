"""Consultations made and changed."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.consultations import actions
from consult_app.consultations.models import Attribution, Consultation, Level
from consult_app.consultations.queries import load_consultation
from consult_app.consultations.territory import countries, subdivisions, territory_name
from consult_app.db import db
from consult_app.errors import Conflict, Invalid
from consult_app.policy import Role
from tests.factories import BY, make_consultation, make_user

pytestmark = pytest.mark.usefixtures("audit_ok")

FORM = {
    "slug": "mgi-jateng-2023",
    "title-en": "Local MGI Central Java",
    "title-id": "MGI Lokal Jawa Tengah",
    "level": "subnational",
    "country": "ID",
    "subdivision": "ID-JT",
    "languages": ["en", "id"],
    "timezone": "Asia/Jakarta",
    "attribution": "by_stakeholder_type",
    "partners": "IOM\n Manpower Department \n\n",
    "sdgs": "10.7; 16, 17",
    "gcm_objectives": "3; 17; 23",
    "controller": "Manpower Department",
}
VALUES: dict[str, Any] = {
    "level": Level.NATIONAL,
    "territory": "ID",
    "languages": ["en"],
    "attribution": Attribution.BY_INSTITUTION,
    "timezone": "Asia/Jakarta",
}


def test_create(app: Any, browse: Any, last_entry: Any) -> None:
    admin = make_user(administrator=True)
    client = browse(admin)
    assert client.get("/consultations/new").status_code == 200
    answer = client.post("/consultations/new", data=FORM)
    assert (answer.status_code, answer.location) == (303, "/consultations/mgi-jateng-2023/framework/import")
    made = load_consultation("mgi-jateng-2023")
    assert (made.territory, made.level, made.languages) == ("ID-JT", Level.SUBNATIONAL, ["en", "id"])
    assert (made.partners, made.sdgs, made.gcm_objectives) == (["IOM", "Manpower Department"], ["10.7", "16", "17"], ["3", "17", "23"])
    assert Role.ORGANISER in admin.roles_in(made.id)
    assert last_entry("consultation.create").object_id == made.public_id


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("slug", "New One", "small letters"),
        ("slug", "new", "small letters"),
        ("slug", "taken", "Another consultation"),
        ("title-en", "", ""),
        ("country", "XX", "Not a valid choice"),
        ("subdivision", "US-CA", "Not a valid choice"),
        ("subdivision", "", "Choose the province"),
        ("languages", ["xx"], ""),
        ("timezone", "Mars/Base", "Not a valid choice"),
        ("attribution", "", ""),
        ("sdgs", "18", "18"),
        ("gcm_objectives", "24", "24"),
    ],
)
def test_create_invalid(app: Any, browse: Any, field: str, value: Any, words: str) -> None:
    make_consultation(slug="taken")
    form = {**FORM, field: value} | ({"title-id": ""} if field == "title-en" else {})
    answer = browse(make_user(administrator=True)).post("/consultations/new", data=form)
    assert answer.status_code == 422
    assert words.lower() in answer.text.lower()
    assert "Manpower Department" in answer.text  # nothing that was typed is lost
    assert db.session.query(Consultation).count() == 1


def test_create_roles(app: Any, browse: Any) -> None:
    consultation = make_consultation()
    assert browse(make_user(Role.ORGANISER, consultation)).get("/consultations/new").status_code == 200
    assert browse(make_user(Role.RAPPORTEUR, consultation)).get("/consultations/new").status_code == 403
    assert browse(make_user()).get("/consultations/new").status_code == 404
    assert browse().get("/consultations/new").status_code == 303


def test_edit(app: Any, browse: Any, last_entry: Any) -> None:
    consultation = make_consultation()
    client = browse(make_user(Role.ORGANISER, consultation))
    assert client.get(f"/consultations/{consultation.slug}/edit").status_code == 200
    form = {**FORM, "attribution": "by_institution"}
    assert client.post(f"/consultations/{consultation.slug}/edit", data=form).status_code == 303
    assert consultation.title["en"] == "Local MGI Central Java"
    assert consultation.slug != "mgi-jateng-2023"
    assert last_entry("consultation.change") is not None
    assert client.post(f"/consultations/{consultation.slug}/edit", data={**form, "sdgs": "x"}).status_code == 422
    assert browse(make_user(Role.RAPPORTEUR, consultation)).get(f"/consultations/{consultation.slug}/edit").status_code == 403
    assert browse(make_user(Role.ORGANISER, make_consultation())).get(f"/consultations/{consultation.slug}/edit").status_code == 404


def test_rule_11_attribution_only_becomes_stricter_once_people_spoke(app: Any, browse: Any) -> None:
    consultation = make_consultation(attribution=Attribution.BY_INSTITUTION)
    values = {"title": {"en": "T"}, **VALUES, "by": BY}
    actions.change_consultation(consultation, **{**values, "attribution": Attribution.BY_NAME})
    actions.change_consultation(consultation, **values)
    actions.open_section(consultation.sections[0], by=BY)
    with pytest.raises(Conflict):
        actions.change_consultation(consultation, **{**values, "attribution": Attribution.BY_NAME})
    client = browse(make_user(Role.ORGANISER, consultation))
    assert client.post(f"/consultations/{consultation.slug}/edit", data={**FORM, "attribution": "by_name"}).status_code == 409
    actions.change_consultation(consultation, **{**values, "attribution": Attribution.BY_STAKEHOLDER_TYPE})


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("title", {"title": {"en": ""}}),
        ("country", {"territory": "ID-JT"}),
        ("country", {"territory": "QQ"}),
        ("subdivision", {"level": Level.SUBNATIONAL}),
        ("languages", {"languages": []}),
        ("timezone", {"timezone": "../etc/passwd"}),
        ("sdgs", {"sdgs": ["0"]}),
        ("gcm_objectives", {"gcm_objectives": ["24"]}),
    ],
)
def test_create_action_validates(app: Any, field: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        actions.create_consultation("a", **{"title": {"en": "T"}, **VALUES, **wrong}, by=BY)
    assert refusal.value.field == field


def test_territories(app: Any, browse: Any) -> None:
    assert ("ID", "Indonesia") in countries()
    assert len(countries()) > 240
    assert ("ID-JT", "Jawa Tengah") in subdivisions("ID")
    assert territory_name("ID-JT") == "Jawa Tengah, Indonesia"
    assert (territory_name("ID"), territory_name("zz")) == ("Indonesia", "zz")
    user = make_user(Role.ORGANISER, make_consultation())
    assert 'value="KE-30"' in browse(user).get("/consultations/subdivisions?country=KE").text
    assert "KE-30" not in browse(user).get("/consultations/subdivisions?country=").text
