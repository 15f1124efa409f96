"""One's own account."""

from __future__ import annotations

from typing import Any

from consult_app.db import db
from consult_app.policy import Role
from tests import factories

PROFILE = {"name": "Retno  Wulandari", "title": "Director", "language": "id"}


def test_the_profile_is_saved_and_the_site_speaks_its_language(browse: Any, last_entry: Any, audit_ok: None) -> None:
    user = factories.make_user()
    client = browse(user)
    assert client.post("/account", data=PROFILE).status_code == 303
    assert (user.name, user.title, user.language) == ("Retno Wulandari", "Director", "id")
    assert last_entry("user.profile").actor == user.actor_key
    assert '<html lang="id"' in client.get("/account").text


def test_an_invalid_profile_is_422_and_kept(browse: Any) -> None:
    user = factories.make_user()
    before = user.name
    answer = browse(user).post("/account", data={**PROFILE, "name": " ", "title": "Typed <b>title</b>"})
    assert answer.status_code == 422
    assert "Typed &lt;b&gt;title" in answer.text
    assert browse(user).post("/account", data={**PROFILE, "language": "xx"}).status_code == 422
    assert user.name == before


def test_a_signatory_does_not_rename_themselves_into_another(browse: Any, audit_ok: None) -> None:
    consultation = factories.make_consultation()
    user = factories.make_user(Role.FOCAL_POINT, consultation, name="Retno Focal")
    factories.name_focal_point(consultation.sections[0], user)
    db.session.commit()
    client = browse(user)
    answer = client.post("/account", data={**PROFILE, "name": "The Minister"})
    assert answer.status_code == 409
    assert "so it stays" in answer.text
    assert client.post("/account", data={**PROFILE, "name": "Retno Focal", "language": "en"}).status_code == 303
    db.session.refresh(user)
    assert (user.name, user.title) == ("Retno Focal", "Director")


def test_it_is_for_whoever_is_signed_in_with_an_account(browse: Any) -> None:
    assert browse().get("/account").location == "/sign-in?next=/account"
    assert browse(factories.make_registration()).post("/account", data=PROFILE).status_code == 303
