"""Passkeys: registered and removed in the account, used at sign-in; what is replayed, too old or of elsewhere is refused."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest

from consult_app.accounts import passkeys
from consult_app.accounts.models import Passkey, PasskeyChallenge, User
from consult_app.db import clock_at, db, now
from consult_app.errors import Conflict, Invalid
from consult_app.policy import Role
from tests import factories
from tests.accounts.authenticator import ORIGIN, Authenticator
from tests.conftest import RECOVERY_CODE, totp

PASSWORD = {"password": factories.PASSWORD}
HOSTILE = [
    "",
    "{",
    "[]",
    "null",
    '{"id": 1}',
    "[" * 5000,
    '{"id": "x", "rawId": "x", "type": "public-key", "response": {}}',
    "\ud800",
    "<b>x",
]


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"BASE_URL": ORIGIN}


@pytest.fixture
def user(app: Any) -> User:
    """A focal point, with an authenticator app."""
    return factories.make_user(Role.FOCAL_POINT, factories.make_consultation())


def with_passkey(user: User, name: str = "my phone") -> Authenticator:
    """The user's new passkey, registered."""
    key = Authenticator()
    passkeys.register(user, name, key.make(passkeys.registration_options(user)), by=user)
    db.session.commit()
    return key


def test_a_passkey_is_added_and_listed(browse: Any, user: User, audit_ok: None, last_entry: Any) -> None:
    client, key = browse(user), Authenticator()
    options = client.post("/account/passkeys/options").json
    assert (options["rp"]["id"], options["user"]["name"]) == ("localhost", user.email)
    answer = client.post("/account/passkeys", data={"name": "My <b>phone</b>", "credential": key.make(options)})
    assert (answer.status_code, answer.location) == (303, "/account#passkeys")
    (passkey,) = user.passkeys
    assert (passkey.name, passkey.transports) == ("My <b>phone</b>", ["internal"])
    assert last_entry("passkey.add").actor == user.actor_key
    page = client.get("/account").text
    assert "My &lt;b&gt;phone" in page
    assert "Remove" in page
    assert db.session.scalar(db.select(PasskeyChallenge)) is None


def test_the_first_second_factor_of_an_account_brings_recovery_codes(browse: Any) -> None:
    user = factories.make_user()
    client, key = browse(user), Authenticator()
    page = client.post("/account/passkeys", data={"name": "key", "credential": key.make(client.post("/account/passkeys/options").json)})
    codes = re.findall(RECOVERY_CODE, page.text)
    assert user.has_second_factor
    again = browse()
    assert again.post("/sign-in", data={"email": user.email, **PASSWORD}).location == "/second-factor"
    assert again.post("/second-factor", data={"code": codes[0]}).status_code == 303


def test_sign_in_with_a_passkey(browse: Any, user: User) -> None:
    key, client = with_passkey(user), browse()
    client.post("/sign-in", data={"email": user.email, **PASSWORD})
    assert "/second-factor/passkey" in client.get("/second-factor").text
    answer = key.ask(client.post("/second-factor/passkey").json)
    assert client.post("/second-factor", data={"assertion": answer}).status_code == 303
    assert client.get("/account").status_code == 200
    assert user.passkeys[0].last_used_at is not None
    assert user.passkeys[0].sign_count == key.count


def test_it_needs_the_password_first(browse: Any, user: User) -> None:
    with_passkey(user)
    answer = browse().post("/second-factor/passkey")
    assert (answer.status_code, answer.location) == (303, "/sign-in")


class TestRefused:
    @pytest.fixture
    def key(self, user: User) -> Authenticator:
        return with_passkey(user)

    def refuse(self, user: User, answer: str, purpose: str = passkeys.SIGN_IN) -> str:
        with pytest.raises(Invalid) as problem:
            passkeys.use_passkey(user, answer, purpose)
        return str(problem.value.message)

    def test_a_replay(self, user: User, key: Authenticator) -> None:
        answer = key.ask(passkeys.request_options(user, passkeys.SIGN_IN))
        assert passkeys.use_passkey(user, answer, passkeys.SIGN_IN) == "passkey"
        assert "used already" in self.refuse(user, answer)

    def test_a_replay_over_http(self, browse: Any, user: User, key: Authenticator) -> None:
        first, second = browse(), browse()
        for client in (first, second):
            client.post("/sign-in", data={"email": user.email, **PASSWORD})
        answer = key.ask(first.post("/second-factor/passkey").json)
        assert first.post("/second-factor", data={"assertion": answer}).status_code == 303
        again = second.post("/second-factor", data={"assertion": answer})
        assert again.status_code == 422
        assert "used already" in again.text

    def test_too_old(self, user: User, key: Authenticator) -> None:
        answer = key.ask(passkeys.request_options(user, passkeys.SIGN_IN))
        with clock_at(now() + passkeys.LIFE + dt.timedelta(seconds=1)):
            assert "too old" in self.refuse(user, answer)

    def test_for_another_purpose(self, user: User, key: Authenticator) -> None:
        assert "something else" in self.refuse(user, key.ask(passkeys.request_options(user, passkeys.CONFIRM)))

    def test_a_challenge_that_we_did_not_make(self, user: User, key: Authenticator) -> None:
        assert "used already" in self.refuse(user, key.ask({"challenge": "AAAA"}))

    def test_of_somebody_else(self, user: User, key: Authenticator) -> None:
        other = factories.make_user()
        theirs = with_passkey(other)
        assert "not one of your account" in self.refuse(user, theirs.ask(passkeys.request_options(user, passkeys.SIGN_IN)))
        answer = key.ask(passkeys.request_options(user, passkeys.SIGN_IN))
        assert "used already" in self.refuse(other, answer)  # the challenge is another account's

    @pytest.mark.parametrize("lie", [{"origin": "https://evil.example"}, {"host": "evil.example"}, {"count": -1}])
    def test_from_elsewhere_or_a_copy(self, user: User, key: Authenticator, lie: dict[str, Any]) -> None:
        vars(key).update(lie)
        assert "does not fit" in self.refuse(user, key.ask(passkeys.request_options(user, passkeys.SIGN_IN)))

    def test_another_key_with_the_same_name(self, user: User, key: Authenticator) -> None:
        forged = Authenticator()
        forged.id, forged.count = key.id, 50
        assert "does not fit" in self.refuse(user, forged.ask(passkeys.request_options(user, passkeys.SIGN_IN)))

    @pytest.mark.parametrize("words", HOSTILE)
    def test_whatever_is_sent(self, browse: Any, user: User, key: Authenticator, words: str) -> None:
        if words:
            self.refuse(user, words)
            with pytest.raises(Invalid):
                passkeys.register(user, "x", words, by=user)
            db.session.rollback()
        client = browse()
        client.post("/sign-in", data={"email": user.email, **PASSWORD})
        sent = words.encode("utf-8", "surrogatepass")
        assert client.post("/second-factor", data={"assertion": sent, "code": "١٢٣٤٥٦"}).status_code == 422


def test_a_registration_answered_twice_is_refused(browse: Any, user: User) -> None:
    client, key = browse(user), Authenticator()
    answer = key.make(client.post("/account/passkeys/options").json)
    assert client.post("/account/passkeys", data={"name": "one", "credential": answer}).status_code == 303
    assert client.post("/account/passkeys", data={"name": "two", "credential": answer}).status_code == 422
    second = key.make(client.post("/account/passkeys/options").json)
    assert client.post("/account/passkeys", data={"name": "two", "credential": second}).status_code == 409
    assert len(user.passkeys) == 1


def test_invalid_is_422_and_kept(browse: Any, user: User) -> None:
    client = browse(user)
    answer = client.post("/account/passkeys", data={"name": "typed name", "credential": ""})
    assert answer.status_code == 422
    assert "typed name" in answer.text
    assert "made no passkey" in answer.text


def test_removing_asks_first(browse: Any, user: User, last_entry: Any, audit_ok: None) -> None:
    with_passkey(user)
    client, url = browse(user), f"/account/passkeys/{user.passkeys[0].public_id}/remove"
    assert "Remove the passkey" in client.get(url).text
    assert db.session.scalar(db.select(Passkey)) is not None
    assert client.post(url).status_code == 303
    assert user.passkeys == []
    assert last_entry("passkey.delete").actor == user.actor_key


def test_the_last_second_factor_is_not_removed(browse: Any) -> None:
    user = factories.make_user()
    key = with_passkey(user)
    client = browse()
    client.post("/sign-in", data={"email": user.email, **PASSWORD})
    client.post("/second-factor", data={"assertion": key.ask(client.post("/second-factor/passkey").json)})
    assert "your last second factor, so it stays" in client.get("/account").text
    answer = client.post(f"/account/passkeys/{user.passkeys[0].public_id}/remove")
    assert answer.status_code == 409
    assert "last second factor" in answer.text
    assert len(user.passkeys) == 1


def test_nobody_elses_is_removed(browse: Any, user: User) -> None:
    with_passkey(user)
    other = browse(factories.make_user())
    url = f"/account/passkeys/{user.passkeys[0].public_id}/remove"
    assert (other.get(url).status_code, other.post(url).status_code) == (404, 404)
    assert browse().post(url).status_code == 303
    assert len(user.passkeys) == 1


class TestFresh:
    """A session alone changes no second factor: it is asked again."""

    @pytest.fixture
    def client(self, browse: Any, user: User) -> Any:
        with_passkey(user)
        client = browse(user)
        with client.session_transaction() as session:
            session["factor_at"] = 0
        return client

    def test_it_is_asked_again(self, client: Any, user: User) -> None:
        assert client.get("/second-factor/set-up").location == "/account/confirm?next=/second-factor/set-up"
        assert client.post("/account/passkeys/options").status_code == 409
        assert client.post("/account/passkeys", data={"name": "x", "credential": "{}"}).location.startswith("/account/confirm")
        assert client.post(f"/account/passkeys/{user.passkeys[0].public_id}/remove").location.startswith("/account/confirm")
        assert len(user.passkeys) == 1
        assert "Your second factor is asked first" in client.get("/account").text
        assert client.post("/account/confirm", data={"code": "000000"}).status_code == 422
        answer = client.post("/account/confirm", data={"code": totp(user), "next": "/second-factor/set-up"})
        assert (answer.status_code, answer.location) == (303, "/second-factor/set-up")
        assert client.get("/second-factor/set-up").status_code == 200

    def test_by_passkey(self, client: Any, user: User) -> None:
        key = with_passkey(user, "another")
        answer = key.ask(client.post("/account/confirm/passkey").json)
        assert client.post("/account/confirm", data={"assertion": answer}).location == "/account"
        assert client.get("/second-factor/set-up").status_code == 200

    def test_an_open_redirect_is_refused(self, client: Any, user: User) -> None:
        assert client.post("/account/confirm", data={"code": totp(user), "next": "https://evil.example/"}).location == "/account"


@pytest.mark.parametrize(
    ("address", "possible"),
    [
        ("http://localhost:8000", True),
        ("https://consult.example", True),
        ("http://127.0.0.1:8000", False),
        ("https://192.0.2.1", False),
        ("https://[::1]:8000", False),
        ("http://consult.example", False),
    ],
)
def test_where_passkeys_are_possible(app: Any, user: User, browse: Any, address: str, possible: bool) -> None:
    app.config["BASE_URL"] = address
    assert passkeys.are_possible() is possible
    if not possible:
        with pytest.raises(Conflict):
            passkeys.registration_options(user)
        page = browse(user).get("/account").text
        assert "Passkeys need a site with a name and https" in page


def test_ten_are_enough(app: Any, user: User) -> None:
    for n in range(passkeys.MOST):
        with_passkey(user, f"key {n}")
    with pytest.raises(Conflict):
        passkeys.registration_options(user)
