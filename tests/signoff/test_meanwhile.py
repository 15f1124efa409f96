"""What happened while the signing page was open: an edit, a reopened section, a lost role, an account switched off."""

from __future__ import annotations

import re
from typing import Any

import pyotp
import pytest

from consult_app.accounts.actions import add_role, confirm_second_factor, new_totp_secret, set_enabled
from consult_app.accounts.models import User
from consult_app.consultations import actions as consultations
from consult_app.consultations import team
from consult_app.consultations.models import Section
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.policy import Role
from consult_app.signoff.actions import sign_off
from consult_app.signoff.models import Decision
from tests import factories
from tests.conftest import totp
from tests.signoff.steps import BY, freeze, name, rewrite
from tests.signoff.test_sign import form, sign_offs, url

pytestmark = pytest.mark.usefixtures("audit_ok")


def test_rule_18_another_hash_is_409_and_shows_the_new_text_with_what_was_typed(browse: Any, section: Section, focal_point: User) -> None:
    client = browse(focal_point)
    shown = form(section, focal_point, decision="reservation", text="Not for <b>seafarers</b>.")
    rewrite(section, "Words of section 1.")
    db.session.commit()
    answer = client.post(url(section), data={**shown, "code": totp(focal_point)})
    assert answer.status_code == 409
    assert "The text has changed since you opened this page" in answer.text
    assert "You were shown revision 1." in answer.text
    assert "<ins>" in answer.text
    assert "Words of section 1." in answer.text
    assert "Not for &lt;b&gt;seafarers&lt;/b&gt;." in answer.text
    assert re.search(r'<input [^>]*value="reservation"', answer.text)[0].count("checked") == 1
    assert section.revision is not None
    assert f'value="{section.revision.sha256}"' in answer.text
    assert sign_offs(section) == []
    again = {**shown, "shown_sha256": section.revision.sha256, "code": totp(focal_point)}
    assert client.post(url(section), data=again).status_code == 303


def test_a_hash_that_never_was_is_409(browse: Any, section: Section, focal_point: User) -> None:
    answer = browse(focal_point).post(url(section), data={**form(section, focal_point), "shown_sha256": "0" * 64})
    assert answer.status_code == 409
    assert "The text has changed" in answer.text
    assert sign_offs(section) == []


@pytest.mark.parametrize("wrong", ["", "0" * 63, "<b>" * 30, "\x00" * 64])
def test_a_hash_that_is_none_is_refused(browse: Any, section: Section, focal_point: User, wrong: str) -> None:
    answer = browse(focal_point).post(url(section), data={**form(section, focal_point), "shown_sha256": wrong})
    assert answer.status_code in (409, 422)
    assert sign_offs(section) == []


def test_an_editor_reopened_it(browse: Any, section: Section, focal_point: User) -> None:
    client = browse(focal_point)
    shown = form(section, focal_point, decision="return", text="Typed for an hour <i>")
    consultations.reopen_section(section, by=BY)
    consultations.edit_section(section, {"narrative": {"en": "Being edited."}}, section.edit_number, by=BY)
    answer = client.post(url(section), data=shown)
    assert answer.status_code == 409
    assert "The text of section 1 is not frozen for signature." in answer.text
    assert "Typed for an hour &lt;i&gt;" in answer.text
    assert sign_offs(section) == []
    assert section.is_in_review


def test_no_longer_named_is_403(browse: Any, section: Section, focal_point: User) -> None:
    other = factories.make_user(Role.FOCAL_POINT, section.consultation)
    name(section, other)
    client = browse(focal_point)
    shown = form(section, focal_point)
    consultations.reopen_section(section, by=BY)
    team.unname_focal_point(next(p for p in section.focal_points if p.user_id == focal_point.id), by=BY)
    freeze(section)
    assert client.post(url(section), data=shown).status_code == 403
    assert client.get(url(section)).status_code == 403
    assert sign_offs(section) == []


def test_a_role_that_was_taken_ends_the_session_and_leaves_a_stranger(browse: Any, section: Section, focal_point: User) -> None:
    client = browse(focal_point)
    shown = form(section, focal_point)
    consultations.reopen_section(section, by=BY)
    team.remove_member(focal_point.memberships[0], by=BY)
    freeze(section)
    answer = client.post(url(section), data=shown)
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    assert browse(focal_point).post(url(section), data=shown).status_code == 404
    add_role(focal_point, section.consultation_id, Role.OBSERVER, by=BY)
    db.session.expire_all()
    assert browse(focal_point).post(url(section), data=shown).status_code == 403
    assert sign_offs(section) == []


def test_an_account_that_was_switched_off_records_nothing(browse: Any, section: Section, focal_point: User, last_entry: Any) -> None:
    client = browse(focal_point)
    shown = form(section, focal_point)
    set_enabled(focal_point, False, by=BY)
    assert last_entry("user.disable").object_id == focal_point.public_id
    answer = client.post(url(section), data=shown)
    assert (answer.status_code, answer.location) == (303, "/sign-in")
    with pytest.raises(Conflict):
        sign_off(section, Decision.APPROVE, shown["shown_sha256"], "", totp(focal_point), by=focal_point)
    assert sign_offs(section) == []
    set_enabled(focal_point, True, by=BY)
    assert client.post(url(section), data=shown).status_code == 303  # the old session stays ended
    assert sign_offs(section) == []
    assert browse(focal_point).post(url(section), data=form(section, focal_point)).location.endswith("/sign-off")


def test_without_a_second_factor_they_are_told_what_to_do(browse: Any, section: Section) -> None:
    user = factories.make_user(name="No factor")
    client = browse(user)
    add_role(user, section.consultation_id, Role.FOCAL_POINT, by=BY)
    name(section, user)
    assert section.revision is not None
    data = {"shown_sha256": section.revision.sha256, "decision": "approve", "code": "123456"}
    for answer in (client.get(url(section)), client.post(url(section), data=data)):
        assert (answer.status_code, answer.location) == (302, "/second-factor/set-up")
    assert "Your role needs a second factor." in client.get("/second-factor/set-up").text
    with pytest.raises(Conflict) as refusal:
        sign_off(section, Decision.APPROVE, section.revision.sha256, "", "123456", by=user)
    assert "Set one up in your account" in str(refusal.value.message)
    assert sign_offs(section) == []
    secret = new_totp_secret()
    confirm_second_factor(user, secret, pyotp.TOTP(secret).now(), by=user)
    db.session.commit()
    assert client.post(url(section), data={**data, "code": totp(user)}).status_code == 303
    assert len(sign_offs(section)) == 1


@pytest.mark.parametrize("code", ["", " ", "١٢٣٤٥٦", "\x00", "<b>x", "=1+1", "9" * 41, "\ud800"])
def test_any_code_that_is_none_is_422(browse: Any, section: Section, focal_point: User, code: str) -> None:
    data = {**form(section, focal_point), "code": code.encode("utf-8", "surrogatepass")}
    answer = browse(focal_point).post(url(section), data=data)
    assert answer.status_code == 422
    assert sign_offs(section) == []


@pytest.mark.parametrize("words", ["<b>x", "<img src=x>", "=1+1", "العربية", "a\x00\x07b", "a\ud800b", "🙂"])
def test_any_words_are_recorded_clean(browse: Any, section: Section, focal_point: User, words: str) -> None:
    client = browse(focal_point)
    data = {**form(section, focal_point, decision="reservation"), "text": words.encode("utf-8", "surrogatepass")}
    assert client.post(url(section), data=data).status_code == 303
    (signed,) = sign_offs(section)
    assert signed.text
    assert signed.text.isprintable()
    page = client.get(f"/consultations/{section.consultation.slug}/sign-off")
    assert page.status_code == 200
    assert "<b>x" not in page.text
    assert "<img src=x>" not in page.text
