"""What guards one's own account: recovery codes, the password, and where one is signed in."""

from __future__ import annotations

import hashlib
import re
import time
from typing import Any

import pytest

from consult_app.accounts import actions, own_views
from consult_app.accounts.models import OpenSession, User
from consult_app.accounts.passwords import is_password
from consult_app.db import LETTERS, db
from tests import factories
from tests.conftest import RECOVERY_CODE, totp

FIREFOX = {"User-Agent": "Mozilla/5.0 (Android 14; Mobile; rv:121.0) Gecko/121.0 Firefox/121.0"}
NEW = {"old": factories.PASSWORD, "password": "a quite new password", "again": "a quite new password"}


@pytest.fixture
def guarded(app: Any) -> User:
    """An account with an authenticator app and recovery codes."""
    user = factories.make_user(administrator=True)
    actions.renew_recovery_codes(user, by=user)
    db.session.commit()
    return user


def wait_too_long(client: Any) -> None:
    """Let the factor that was given at sign-in have been given long ago."""
    with client.session_transaction() as session:
        session["factor_at"] = int(time.time()) - 601


def addresses(client: Any) -> list[str]:
    """What the account page offers to sign out, one by one."""
    return re.findall(r'action="(/account/signed-in/\w+/end)"', client.get("/account").text)


# -- recovery codes --


@pytest.mark.usefixtures("audit_ok")
def test_recovery_codes_have_120_bits_and_only_their_hashes_are_kept(browse: Any, guarded: User, last_entry: Any) -> None:
    client, earlier = browse(guarded), list(guarded.recovery_codes)
    codes = list(dict.fromkeys(re.findall(RECOVERY_CODE, client.post("/account/recovery-codes").text)))
    assert len(codes) == actions.RECOVERY_CODES
    assert (len(codes[0].replace("-", "")), len(set(LETTERS))) == (24, 32)  # 24 letters of 5 bits
    assert guarded.recovery_codes == ["120:" + hashlib.sha256(code.replace("-", "").encode()).hexdigest() for code in codes]
    assert not set(earlier) & set(guarded.recovery_codes)
    assert last_entry("user.recovery_codes").actor == guarded.actor_key
    again = browse()
    again.post("/sign-in", data={"email": guarded.email, "password": factories.PASSWORD})
    assert again.post("/second-factor", data={"code": codes[3].upper()}).status_code == 303
    assert last_entry("user.recovery_code").object_id == guarded.public_id
    assert "7 are left" in again.get("/account").text


@pytest.mark.usefixtures("audit_ok")
def test_a_code_of_the_shorter_kind_works_and_its_owner_is_asked_for_new_ones(browse: Any, guarded: User) -> None:
    guarded.recovery_codes = [hashlib.sha256(code).hexdigest() for code in (b"0a1b2c3d4e5f", b"ffffffffffff")]
    actions.change_profile(guarded, "Somebody", "", "en", by=guarded)
    client = browse()
    client.post("/sign-in", data={"email": guarded.email, "password": factories.PASSWORD})
    assert client.post("/second-factor", data={"code": "0A1B-2C3D-4E5F"}).status_code == 303
    assert "older, shorter kind" in client.get("/account").text
    client.post("/account/recovery-codes")
    assert "shorter kind" not in client.get("/account").text


def test_codes_are_for_whoever_has_a_second_factor_and_gave_it_just_now(browse: Any, guarded: User) -> None:
    assert browse(factories.make_user()).post("/account/recovery-codes").status_code == 409
    client, before = browse(guarded), list(guarded.recovery_codes)
    wait_too_long(client)
    assert client.post("/account/recovery-codes").location == "/account/confirm?next=/account"
    assert guarded.recovery_codes == before
    assert browse().post("/account/recovery-codes").status_code == 303


# -- the password --


@pytest.mark.usefixtures("audit_ok")
def test_a_new_password_asks_for_the_old_one_and_ends_every_other_session(browse: Any, last_entry: Any) -> None:
    user = factories.make_user()
    client, other = browse(user), browse(user)
    assert client.get("/account/password").status_code == 200
    for wrong in (
        {**NEW, "old": "not the password"},
        {**NEW, "again": "another"},
        {**NEW, "password": "password1234", "again": "password1234"},
    ):
        answer = client.post("/account/password", data=wrong)
        assert answer.status_code == 422
        assert is_password(factories.PASSWORD, user.password_hash)
    answer = client.post("/account/password", data=NEW)
    assert (answer.status_code, answer.location) == (303, "/account")
    assert is_password(NEW["password"], user.password_hash)
    assert last_entry("user.password").actor == user.actor_key
    assert (client.get("/account").status_code, other.get("/account").status_code) == (200, 303)


def test_a_new_password_asks_for_the_second_factor_where_there_is_one(browse: Any, guarded: User) -> None:
    client = browse(guarded)
    wait_too_long(client)
    assert client.post("/account/password", data=NEW).location == "/account/confirm?next=/account/password"
    assert is_password(factories.PASSWORD, guarded.password_hash)
    client.post("/account/confirm", data={"code": totp(guarded)})
    assert client.post("/account/password", data=NEW).location == "/account"


def test_no_transaction_is_held_while_the_password_is_compared(browse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client, held = browse(factories.make_user()), []

    def compare(*_passwords: Any) -> bool:
        held.append(db.session().in_transaction())
        return False

    monkeypatch.setattr(own_views, "is_password", compare)
    assert client.post("/account/password", data=NEW).status_code == 422
    assert held == [False]


# -- where one is signed in --


def test_one_sees_ones_sessions_and_ends_one(browse: Any) -> None:
    user = factories.make_user()
    client, phone, third = browse(user), browse(), browse(user)
    phone.post("/sign-in", data={"email": user.email, "password": factories.PASSWORD}, headers=FIREFOX)
    page = client.get("/account").text
    assert "Firefox, Android" in page
    assert page.count("this browser") == 1
    of_phone = f"/account/signed-in/{db.session.scalars(db.select(OpenSession.public_id).where(OpenSession.browser != '')).one()}/end"
    assert len(addresses(client)) == 2
    assert of_phone in addresses(client)
    assert client.post(of_phone).status_code == 303
    assert [one.get("/account").status_code for one in (client, phone, third)] == [200, 303, 200]
    assert len(addresses(client)) == 1
    assert client.post(of_phone).status_code == 404  # there is none any more
    third.post("/sign-out")
    assert addresses(client) == []


@pytest.mark.usefixtures("audit_ok")
def test_one_ends_all_others_at_once(browse: Any, last_entry: Any) -> None:
    user = factories.make_user()
    client, second, third = browse(user), browse(user), browse(user)
    assert client.post("/account/signed-in/end").status_code == 303
    assert [one.get("/account").status_code for one in (client, second, third)] == [200, 303, 303]
    assert addresses(client) == []
    assert last_entry("user.sessions").actor == user.actor_key


def test_sessions_of_others_and_ones_own_are_not_ended_like_that(browse: Any) -> None:
    user, other = factories.make_user(), factories.make_user()
    client, theirs = browse(user), browse(other)
    for opened in db.session.scalars(db.select(OpenSession)).all():
        assert client.post(f"/account/signed-in/{opened.public_id}/end").status_code == 404
    assert browse().post("/account/signed-in/end").location.startswith("/sign-in")
    assert (client.get("/account").status_code, theirs.get("/account").status_code) == (200, 200)


@pytest.mark.parametrize("kind", ["password", "second factor"])
def test_whoever_signed_in_a_while_ago_says_again_who_they_are(browse: Any, guarded: User, kind: str) -> None:
    user = guarded if kind == "second factor" else factories.make_user()
    other, client = browse(user), browse(user)
    wait_too_long(client)
    for address in (*addresses(client), "/account/signed-in/end"):
        assert client.post(address).location == "/account/confirm?next=/account"
    assert other.get("/account").status_code == 200
    assert client.get("/second-factor/set-up").location == "/account/confirm?next=/second-factor/set-up"
    assert f"Your {kind} is asked first" in client.get("/account").text
    wrong, right = ({"code": "000000"}, {"code": totp(user)}) if user is guarded else ({"old": "wrong"}, {"old": factories.PASSWORD})
    assert client.post("/account/confirm", data=wrong).status_code == 422
    assert client.post("/account/signed-in/end").location.startswith("/account/confirm")
    assert client.post("/account/confirm", data=right).location == "/account"
    assert client.post("/account/signed-in/end").location == "/account#signed-in"
    assert other.get("/account").status_code == 303


class TestLimits:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"RATELIMIT_ENABLED": True}

    def test_a_stolen_session_tries_no_passwords_without_end(self, browse: Any) -> None:
        client = browse(factories.make_user())
        codes = [client.post("/account/password", data={**NEW, "old": "wrong"}).status_code for _n in range(11)]
        assert codes == [422] * 10 + [429]
        codes = [client.post("/account/confirm", data={"old": "wrong"}).status_code for _n in range(6)]
        assert codes == [422] * 5 + [429]


def test_two_browsers_of_one_minute_make_no_two_landmarks_of_one_name(browse: Any) -> None:
    """A form with a name is a landmark; what a button ends is said on the button."""
    user = factories.make_user()
    client, *_others = [browse(user) for _n in range(3)]
    page = client.get("/account").text
    forms = re.findall(r'<form[^>]*action="/account/signed-in/\w+/end"[^>]*>', page)
    assert ["aria-label" in form for form in forms] == [False, False]
    assert len(re.findall(r'<button[^>]*aria-label="Sign out A browser, signed in', page)) == 2
