"""A forgotten password: the mail, its link, and what nobody learns from it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from consult_app.accounts import actions
from consult_app.accounts.passwords import is_password
from consult_app.policy import Role
from tests import factories

NEW = {"password": "a quite new password", "again": "a quite new password"}


def link_in(mail: Any) -> str:
    return re.search(r"/password/reset/[\w.\-]+", mail.get_body(("plain",)).get_content())[0]


def test_the_mailed_link_sets_a_password_once_and_ends_sessions(browse: Any, sent: Any, last_entry: Any, audit_ok: None) -> None:
    user = factories.make_user()
    client, signed_in = browse(), browse(user)
    assert client.post("/password/forgotten", data={"email": user.email}).status_code == 200
    (mail,) = sent()
    assert mail["To"] == user.email
    link = link_in(mail)
    assert client.get(link).status_code == 200
    assert client.post(link, data={**NEW, "again": "something else"}).status_code == 422
    assert client.post(link, data={"password": "short", "again": "short"}).status_code == 422
    answer = client.post(link, data=NEW)
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert last_entry("user.password").object_id == user.public_id
    assert signed_in.get("/account").status_code == 303
    assert client.post(link, data={"password": "yet another password", "again": "yet another password"}).location == "/password/forgotten"
    assert is_password(NEW["password"], user.password_hash)


def test_nobody_learns_who_has_an_account(browse: Any, sent: Any) -> None:
    user, disabled = factories.make_user(), factories.make_user(is_enabled=False)
    emails = (user.email, disabled.email, "nobody@example.org")
    answers = [browse().post("/password/forgotten", data={"email": email}) for email in emails]
    assert {a.status_code for a in answers} == {200}
    pages = {re.sub(r"I[\w\-]{40,}\.[\w.\-]+", "token", a.text.replace(email, "…")) for a, email in zip(answers, emails, strict=True)}
    assert len(pages) == 1
    assert [mail["To"] for mail in sent()] == [user.email]


def test_something_that_is_no_address_is_422(browse: Any) -> None:
    assert browse().post("/password/forgotten", data={"email": "nobody"}).status_code == 422


@pytest.mark.parametrize("token", ["nonsense", "WyJhIiwiYiJd.x.y"])
def test_a_made_up_link_opens_nothing(browse: Any, token: str) -> None:
    assert browse().post(f"/password/reset/{token}", data=NEW).location == "/password/forgotten"


def test_an_old_link_opens_nothing(browse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    user = factories.make_user()
    token = actions.reset_token(user)
    monkeypatch.setattr(actions, "RESET_AGE", -1)
    assert browse().get(f"/password/reset/{token}").status_code == 303


def test_the_new_password_does_not_stand_in_for_the_second_factor(browse: Any) -> None:
    user = factories.make_user(Role.FOCAL_POINT, factories.make_consultation())
    client = browse()
    client.post(f"/password/reset/{actions.reset_token(user)}", data=NEW)
    answer = client.post("/sign-in", data={"email": user.email, "password": NEW["password"]})
    assert answer.location == "/second-factor"
