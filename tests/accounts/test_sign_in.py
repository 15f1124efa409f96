"""Sign-in: password, second factor, recovery codes, limits, sign-out, and what ends a session."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pyotp
import pytest
import time_machine

from consult_app.accounts import actions, passwords
from consult_app.db import db
from consult_app.policy import Role
from tests import factories
from tests.conftest import RECOVERY_CODE, totp

PASSWORD = {"password": factories.PASSWORD}


def test_the_right_password_signs_in_and_goes_where_one_wanted_to(browse: Any) -> None:
    user = factories.make_user()
    client = browse()
    asked = client.get("/account")
    assert (asked.status_code, asked.location) == (303, "/sign-in?next=/account")
    client.get(asked.location)
    answer = client.post("/sign-in", data={"email": f" {user.email.upper()} ", **PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/account")
    assert client.get("/account").status_code == 200


def test_wrong_password_unknown_and_disabled_accounts_are_answered_alike(browse: Any) -> None:
    user, gone = factories.make_user(), factories.make_user(is_enabled=False)
    pages = set()
    for email, password in ((user.email, "wrong"), ("nobody@example.org", "wrong"), (gone.email, factories.PASSWORD)):
        answer = browse().post("/sign-in", data={"email": email, "password": password})
        assert answer.status_code == 422
        pages.add(re.sub(r"I[\w\-]{40,}\.[\w.\-]+", "token", answer.text.replace(email, "…")))
    assert len(pages) == 1
    assert "do not go together" in pages.pop()


def test_an_incomplete_form_is_422(browse: Any) -> None:
    assert browse().post("/sign-in", data={"email": "", "password": ""}).status_code == 422


def test_the_password_alone_opens_nothing_where_there_is_a_second_factor(browse: Any) -> None:
    user = factories.make_user(administrator=True)
    client = browse()
    assert client.post("/sign-in", data={"email": user.email, **PASSWORD}).location == "/second-factor"
    assert client.get("/account").status_code == 303
    assert client.get("/second-factor/set-up").status_code == 303  # nobody replaces the factor with the password alone
    assert client.post("/second-factor", data={"code": "000000"}).status_code == 422
    assert client.post("/second-factor", data={"code": totp(user)}).status_code == 303
    assert client.get("/account").status_code == 200


def test_the_second_factor_needs_the_password_first(browse: Any) -> None:
    answer = browse().post("/second-factor", data={"code": "123456"})
    assert (answer.status_code, answer.location) == (303, "/sign-in")


def test_each_totp_code_works_once(browse: Any) -> None:
    user = factories.make_user(administrator=True)
    code = totp(user)
    first, second = browse(), browse()
    for client in (first, second):
        client.post("/sign-in", data={"email": user.email, **PASSWORD})
    assert first.post("/second-factor", data={"code": code}).status_code == 303
    answer = second.post("/second-factor", data={"code": code})
    assert answer.status_code == 422
    assert "used already" in answer.text


def test_each_recovery_code_works_once(browse: Any, audit_ok: None) -> None:
    user = factories.make_user()
    secret = pyotp.random_base32()
    code = actions.confirm_second_factor(user, secret, pyotp.TOTP(secret).now(), by=user)[0]
    for expected in (303, 422):
        client = browse()
        client.post("/sign-in", data={"email": user.email, **PASSWORD})
        assert client.post("/second-factor", data={"code": code.upper()}).status_code == expected


def test_a_role_that_demands_a_second_factor_has_it_set_up_first(browse: Any, last_entry: Any, audit_ok: None) -> None:
    consultation = factories.make_consultation()
    user = factories.make_user()
    actions.add_role(user, consultation.id, Role.FOCAL_POINT, by=factories.BY)
    db.session.commit()
    client = browse()
    assert client.post("/sign-in", data={"email": user.email, **PASSWORD}).location == "/second-factor/set-up"
    page = client.get("/second-factor/set-up")
    secret = re.search(r"secret=([A-Z2-7]{32})", page.text)[1]
    assert client.post("/second-factor/set-up", data={"code": "000000"}).status_code == 422
    done = client.post("/second-factor/set-up", data={"code": pyotp.TOTP(secret).now()})
    assert done.status_code == 200
    assert len(set(re.findall(RECOVERY_CODE, done.text))) == actions.RECOVERY_CODES
    assert last_entry("user.second_factor").actor == user.actor_key
    assert client.get(f"/consultations/{consultation.slug}").status_code == 200


def test_whoever_gets_such_a_role_while_signed_in_is_sent_to_set_it_up(browse: Any) -> None:
    consultation, user = factories.make_consultation(), factories.make_user()
    client = browse(user)
    actions.add_role(user, consultation.id, Role.FOCAL_POINT, by=factories.BY)
    answer = client.get(f"/consultations/{consultation.slug}")
    assert (answer.status_code, answer.location) == (302, "/second-factor/set-up")
    assert client.post("/sign-out").status_code == 303


def test_sign_out_ends_the_session(browse: Any) -> None:
    client = browse(factories.make_user())
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").status_code == 303
    assert client.get("/account").status_code == 303


@pytest.mark.parametrize("change", ["password", "role", "disabled"])
def test_what_ends_every_session_of_an_account(browse: Any, change: str) -> None:
    user = factories.make_user(Role.RAPPORTEUR, factories.make_consultation())
    client = browse(user)
    assert client.get("/account").status_code == 200
    if change == "password":
        actions.set_password(user, "another password for tests", by=user)
    elif change == "role":
        actions.remove_role(user.memberships[0], by=factories.BY)
    else:
        user.is_enabled = False
    assert client.get("/account").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "\\\\evil.example",
        "http:/x",
    ],
)
def test_an_open_redirect_is_refused(browse: Any, target: str) -> None:
    user = factories.make_user()
    client = browse()
    client.get("/sign-in", query_string={"next": target})
    assert client.post("/sign-in", data={"email": user.email, **PASSWORD}).location == "/"
    assert client.post("/language", data={"language": "id", "next": target}).location == "/"


def test_an_address_of_ours_is_followed(browse: Any) -> None:
    assert browse().post("/language", data={"language": "id", "next": "/sign-in?a=b"}).location == "/sign-in?a=b"


def test_demo_accounts_are_not_offered_on_a_real_site(browse: Any) -> None:
    user = factories.make_user(is_demo=True, name="Demo Person")
    db.session.commit()
    assert "Demo Person" not in browse().get("/sign-in").text
    assert browse().post("/sign-in/demo", data={"user": user.public_id}).status_code == 404


class TestDemo:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"DEMO": True}

    def test_only_demo_accounts_are_offered_on_the_demo(self, browse: Any) -> None:
        demo, real = factories.make_user(is_demo=True, name="Demo Person"), factories.make_user(name="Real Person")
        db.session.commit()
        page = browse().get("/sign-in").text
        assert "Demo Person" in page
        assert "Real Person" not in page
        assert browse().post("/sign-in/demo", data={"user": real.public_id}).status_code == 404
        client = browse()
        assert client.post("/sign-in/demo", data={"user": demo.public_id}).status_code == 303
        assert client.get("/account").status_code == 200


class TestLimits:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"RATELIMIT_ENABLED": True}

    def test_passwords_are_tried_ten_times_and_nobody_else_is_locked_out(self, browse: Any) -> None:
        user, other = factories.make_user(), factories.make_user()
        codes = [browse().post("/sign-in", data={"email": user.email, "password": "wrong"}).status_code for _n in range(11)]
        assert codes == [422] * 10 + [429]
        assert browse().post("/sign-in", data={"email": user.email, **PASSWORD}).status_code == 429
        assert browse().post("/sign-in", data={"email": other.email, **PASSWORD}).status_code == 303
        elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
        assert browse().post("/sign-in", data={"email": user.email, **PASSWORD}, environ_base=elsewhere).status_code == 303
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5, seconds=1)):
            assert browse().post("/sign-in", data={"email": user.email, **PASSWORD}).status_code == 303

    def test_codes_are_tried_five_times_whatever_the_session(self, browse: Any) -> None:
        user = factories.make_user(administrator=True)
        codes = []
        for _n in range(6):
            client = browse()
            client.post("/sign-in", data={"email": user.email, **PASSWORD})
            codes.append(client.post("/second-factor", data={"code": "000000"}).status_code)
        assert codes == [422] * 5 + [429]
        with time_machine.travel(dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5, seconds=1)):
            client = browse()
            client.post("/sign-in", data={"email": user.email, **PASSWORD})
            assert client.post("/second-factor", data={"code": totp(user)}).status_code == 303

    def test_tries_are_counted_together_wherever_the_second_factor_is_asked(self, browse: Any) -> None:
        user = factories.make_user(administrator=True)
        inside, outside = browse(user), browse()
        outside.post("/sign-in", data={"email": user.email, **PASSWORD})
        wrong = {"code": "000000"}
        codes = [inside.post("/account/confirm", data=wrong).status_code for _n in range(2)]
        codes += [outside.post("/second-factor", data=wrong).status_code for _n in range(3)]
        assert codes == [422] * 4 + [429]  # and the one at sign-in


def test_the_same_work_is_done_for_an_account_that_there_is_not(browse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever measures the time learns nothing."""
    user, gone, without = factories.make_user(), factories.make_user(is_enabled=False), factories.make_user(password_hash=None)
    done = []
    monkeypatch.setattr(passwords.PasswordHasher, "verify", lambda _hasher, kept, _password: done.append(kept))
    for email in (user.email, gone.email, without.email, "nobody@example.org"):
        browse().post("/sign-in", data={"email": email, "password": "wrong"})
    assert len(done) == 4


class TestCsrf:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"WTF_CSRF_ENABLED": True}

    @pytest.mark.parametrize("address", ["/sign-in", "/sign-out", "/language", "/events/{slug}/publish", "/events/{slug}/register"])
    def test_a_post_without_the_token_is_400_before_anything_else(self, browse: Any, address: str) -> None:
        event = factories.make_event(state="draft")
        db.session.commit()
        assert browse().post(address.format(slug=event.slug)).status_code == 400

    def test_with_the_token_of_the_page_it_passes(self, browse: Any) -> None:
        user, client = factories.make_user(), browse()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/sign-in").text)[1]
        answer = client.post("/sign-in", data={"email": user.email, **PASSWORD, "csrf_token": token})
        assert answer.status_code == 303
