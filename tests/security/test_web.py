"""What every page and every write keeps to: CSRF first, a strict CSP, cookies, hosts, sessions, limits, passwords."""

from __future__ import annotations

import datetime as dt
import io
import re
import socket
import zipfile
from typing import Any

import pytest
from flask import Flask

from config import from_environment
from consult_app import create_app
from consult_app.accounts import sessions
from consult_app.accounts.actions import check_password, reset_token, set_password
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.policy import Role
from consult_app.registrations.tickets import link_secret
from tests import factories
from tests.conftest import SETTINGS, totp
from tests.security.declared import ACCOUNT, DECLARED
from tests.security.test_matrix import WHO, best, calls
from tests.security.world import Site

pytestmark = pytest.mark.xdist_group("web")
SAFE = {"GET", "HEAD", "OPTIONS"}
CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


@pytest.fixture(scope="module")
def guarded(site: Site) -> Site:
    """The filled site as it runs: with CSRF on."""
    site.app.config["WTF_CSRF_ENABLED"] = True
    return site


# -- CSRF --


def test_every_write_needs_the_token_before_anybody_is_asked_who_they_are(guarded: Site) -> None:
    passed = []
    for call in calls(guarded.app, guarded.ours):
        if call.method in SAFE or call.path.startswith("/api/"):  # the API takes no cookie, so no other site can make a browser write
            continue
        for who in {"anonymous", "organiser_elsewhere", best(call.endpoint) or "organiser"}:
            answer = guarded.ask(who, call.method, call.path)
            if answer.status_code != 400 or guarded.put_back():
                passed.append((who, call.method, call.path, answer.status_code))
    assert passed == []


def test_the_api_takes_no_cookie(guarded: Site) -> None:
    of_api = [call for call in calls(guarded.app, guarded.ours) if call.path.startswith("/api/") and call.method == "GET"]
    asked = [call for call in of_api if call.endpoint not in ("api.openapi", "api.pair")]
    assert len(asked) >= 3
    for call in asked:
        assert guarded.ask("organiser", "GET", call.path).status_code == 401, call


# -- what a page may do --


INLINE = re.compile(r"<script(?![^>]*\b(?:src=|type=.application/json))[^>]*>|<style\b|\sstyle=|\son[a-z]+=|javascript:", re.I)
ELSEWHERE = re.compile(
    r"<(?:script|link|img|iframe|form|source|video|audio|object|embed)\b[^>]*(?:src|href|action|data)=[\"'](?:https?:)?//", re.I
)


# the desk reads tickets with the camera, and decodes them by a program of WebAssembly where the browser cannot itself
MORE = {"check_in_desk.shell": {"data:", "blob:", "mediastream:", "'wasm-unsafe-eval'"}}


def test_every_answer_has_the_headers_and_no_page_has_inline_script_or_style(guarded: Site) -> None:
    pages, wrong = 0, []
    for call in calls(guarded.app, guarded.ours):
        if call.method != "GET":
            continue
        who = best(call.endpoint) or ("administrator" if DECLARED[call.endpoint] == ACCOUNT else "anonymous")
        answer = guarded.ask(who, "GET", call.path)
        headers = answer.headers
        rules = dict(rule.strip().partition(" ")[::2] for rule in headers["Content-Security-Policy"].split(";"))
        words = {word for sources in rules.values() for word in sources.split()} - MORE.get(call.endpoint, {"data:"})
        others = (headers["X-Content-Type-Options"], headers["Referrer-Policy"], headers["Cross-Origin-Opener-Policy"])
        is_strict = rules["default-src"] == rules["frame-ancestors"] == "'none'" and words <= {"'self'", "'none'"}
        if not is_strict or others != ("nosniff", "same-origin", "same-origin"):
            wrong.append((call.path, rules, others))
        if answer.mimetype == "text/html":
            pages += 1
            wrong += [(call.path, found[0]) for found in (INLINE.search(answer.text), ELSEWHERE.search(answer.text)) if found]
        answer.close()
    assert wrong == []
    assert pages > 80


def test_what_was_uploaded_is_saved_and_never_shown(guarded: Site) -> None:
    ids = guarded.ours.ids
    for who, path in (
        ("participant", f"/consultations/ours/comments/{ids['comments']}/evidence/1"),
        ("organiser", f"/consultations/ours/papers/{ids['papers']}"),
    ):
        answer = guarded.ask(who, "GET", path)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "evidence.pdf" not in answer.headers["Content-Disposition"]  # renamed


# -- TLS, cookies, hosts --


@pytest.fixture
def on_tls(app: Flask) -> Any:
    """The site as it stands behind a proxy that ends the TLS."""
    served = create_app(
        {
            **SETTINGS, "VAR": app.config["VAR"], "DATABASE_URL": app.config["DATABASE_URL"], "BASE_URL": "https://consult.example",
            "SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_NAME": "__Host-consult", "TRUSTED_HOSTS": ["consult.example"],
        }
    )  # fmt: skip
    yield served.test_client()
    with served.app_context():
        db.engine.dispose()


def test_the_configuration_of_a_site_on_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSULT_BASE_URL", "https://consult.example/")
    settings = from_environment()
    assert (settings["SESSION_COOKIE_NAME"], settings["SESSION_COOKIE_SECURE"]) == ("__Host-consult", True)
    assert (settings["SESSION_COOKIE_HTTPONLY"], settings["SESSION_COOKIE_SAMESITE"]) == (True, "Lax")


def test_on_tls_cookies_are_for_this_host_alone_and_the_browser_stays_on_tls(on_tls: Any) -> None:
    registration = factories.make_registration()
    token = link_secret(registration.seed)
    db.session.commit()
    answer = on_tls.post("/open", data={"token": token}, base_url="https://consult.example")
    assert answer.status_code == 303
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    for cookie in cookies:  # RFC 6265bis, 4.1.3.2: Secure, Path=/ and no Domain
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}
        assert "Domain" not in cookie


def test_another_host_is_refused(on_tls: Any) -> None:
    assert on_tls.get("/", base_url="https://consult.example").status_code == 200
    assert on_tls.get("/", base_url="https://evil.example").status_code == 400


def test_a_forged_host_changes_no_mailed_link(browse: Any, sent: Any) -> None:
    user, event = factories.make_user(), factories.make_event()
    db.session.commit()
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    browse().post("/password/forgotten", data={"email": user.email}, headers=forged)
    browse().post("/open/again", data={"email": "x@example.org"}, headers=forged)
    form = {
        "stakeholder_type": "government", "institution": "Office", "name": "Suharti", "sex": "female", "email": "suharti@kemlu.example",
        "phone": "", "taking_part": "y", "language": "en", "client_key": "k1",
    }  # fmt: skip
    assert browse().post(f"/events/{event.slug}/register", data=form, headers=forged).status_code == 303
    mails = sent()
    assert len(mails) == 2
    for mail in mails:
        text = mail.as_string() + "".join(part.get_content() for part in mail.walk() if part.get_content_type().startswith("text/plain"))
        assert "evil.example" not in text
        assert "http://127.0.0.1:8000/" in text


# -- archives --


def test_an_archive_that_unpacks_to_too_much_is_refused(browse: Any) -> None:
    event = factories.make_event()
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 300_000_000)
    assert len(bomb.getvalue()) < 1_000_000
    for where in ("registrations", "invitations"):
        answer = organiser.post(f"/events/{event.slug}/{where}/import", data={"file": (io.BytesIO(bomb.getvalue()), "people.xlsx")})
        assert answer.status_code == 422


@pytest.mark.parametrize("sent", ["words", ""])
def test_words_where_a_file_is_asked_for_are_no_file(browse: Any, sent: str) -> None:
    event = factories.make_event()
    here, at = f"/consultations/{event.consultation.slug}", f"/events/{event.slug}"
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    for place in (f"{here}/framework/import", f"{here}/comments/import", f"{at}/registrations/import", f"{at}/invitations/import"):
        for how in ({}, {"content_type": "multipart/form-data"}):
            answer = organiser.post(place, data={"file": sent}, **how)
            assert answer.status_code == 422, place


# -- sessions --


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`clock(hours)` lets so many hours pass for sessions."""
    passed = [dt.timedelta()]
    monkeypatch.setattr(sessions, "now", lambda: dt.datetime.now(dt.UTC) + passed[0])

    def move(hours: float) -> None:
        passed[0] += dt.timedelta(hours=hours)

    return move


def test_a_session_of_staff_ends_after_three_hours_unused(browse: Any, clock: Any) -> None:
    client = browse(factories.make_user())
    clock(2.9)
    assert client.get("/account").status_code == 200
    clock(2.9)
    assert client.get("/account").status_code == 200
    clock(3.1)
    assert client.get("/account").location == "/sign-in?next=/account"


def test_a_session_of_staff_ends_after_twelve_hours_however_it_is_used(browse: Any, clock: Any) -> None:
    client = browse(factories.make_user())
    for _n in range(11):
        clock(1)
        assert client.get("/account").status_code == 200
    clock(1.1)
    assert client.get("/account").status_code == 303


def test_a_session_is_a_new_one_after_signing_in(browse: Any) -> None:
    user, client = factories.make_user(administrator=True), browse()
    client.get("/sign-in")
    with client.session_transaction() as before:
        before["planted"] = "by whoever knew this session"
    client.post("/sign-in", data={"email": user.email, "password": factories.PASSWORD})
    half = client.get_cookie("consult").value
    client.post("/second-factor", data={"code": totp(user)})
    with client.session_transaction() as after:
        assert "planted" not in after
        assert "half" not in after
    fixed = browse()
    fixed.set_cookie("consult", half, domain="localhost")
    assert fixed.get("/account").status_code == 303  # what was the session before is not signed in


@pytest.mark.parametrize("kind", ["staff", "participant"])
def test_a_copy_of_the_cookie_is_worth_nothing_after_signing_out(browse: Any, kind: str) -> None:
    who: Any = factories.make_user() if kind == "staff" else factories.make_registration()
    page = "/account" if kind == "staff" else "/my/registration"
    client, copy, other = browse(who), browse(), browse(who)
    copy.set_cookie("consult", client.get_cookie("consult").value, domain="localhost")
    assert copy.get(page).status_code == 200
    client.post("/sign-out")
    assert copy.get(page).status_code == 303
    assert other.get(page).status_code == 200  # another session of the same person goes on
    copy.set_cookie("consult", "", domain="localhost")
    assert copy.post("/sign-out").status_code == 303  # and whoever is not signed in may say so too


def test_sessions_that_ended_are_forgotten_once_no_cookie_of_them_counts(browse: Any, clock: Any) -> None:
    browse(factories.make_user()).post("/sign-out")
    count = db.select(db.func.count()).select_from(sessions.EndedSession)
    sessions.forget_old_sessions()
    assert db.session.scalar(count) == 1
    clock(25)
    sessions.forget_old_sessions()
    assert db.session.scalar(count) == 0


# -- passwords --


@pytest.mark.parametrize(
    "password",
    ["password1234", "Password1234!", "123456789012", "qwertyuiop123", "aaaaaaaaaaaa", "rahasia12345", "indonesia2023", "x" * 128],
)
def test_a_common_password_is_refused_without_asking_anybody(app: Flask, monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setattr(socket, "socket", None)  # nobody can be asked
    with pytest.raises(Invalid) as refused:
        check_password(password)
    assert "tried first" in str(refused.value.message)


def test_a_password_of_ones_own_name_and_address_is_refused(app: Flask) -> None:
    user = factories.make_user(name="Wahyuningsih Prasetyo")
    for password in ("wahyuningsih1", "Prasetyo1234", "consultconsult"):
        with pytest.raises(Invalid):
            set_password(user, password, by=user)


@pytest.mark.parametrize("length", [11, 129])
def test_a_password_has_12_to_128_characters(app: Flask, length: int) -> None:
    with pytest.raises(Invalid) as refused:
        check_password(("kuda laut biru menari " * 9)[:length])
    assert "12 to 128" in str(refused.value.message)
    check_password(("kuda laut biru menari " * 9)[:128])


def test_the_form_for_a_new_password_says_so(browse: Any) -> None:
    user = factories.make_user()
    db.session.commit()
    answer = browse().post(f"/password/reset/{reset_token(user)}", data={"password": "password1234", "again": "password1234"})
    assert answer.status_code == 422
    assert "tried first" in answer.text


# -- limits --


class TestLimits:
    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"RATELIMIT_ENABLED": True}

    def test_a_hall_of_participants_shares_an_address_and_no_limit(self, browse: Any) -> None:
        event = factories.make_event()
        people = [factories.make_registration(event) for _n in range(40)]
        db.session.commit()
        clients = [browse(person) for person in people]  # 40 links within a second, from one address
        answers = {client.post("/my/data/consents/photo/give").status_code for client in clients}
        assert answers == {303}

    def test_nobody_goes_round_a_limit_by_naming_another_address(self, browse: Any) -> None:
        """Where no proxy is set up, what a client says of its address is nothing."""
        tries = [
            browse().post("/sign-in", data={"email": "x@example.org", "password": "wrong"}, headers={"X-Forwarded-For": f"198.51.100.{n}"})
            for n in range(11)
        ]
        assert [answer.status_code for answer in tries] == [422] * 10 + [429]

    def test_one_link_is_not_tried_without_end(self, browse: Any) -> None:
        codes = [browse().post("/open", data={"token": "the same wrong link"}).status_code for _n in range(31)]
        assert codes == [422] * 30 + [429]


def test_everybody_of_the_matrix_is_somebody(guarded: Site) -> None:
    assert set(WHO) == {"anonymous"} | set(guarded.cookies) | set(guarded.headers)
