"""Signing with a passkey: its answer is good for one text, one decision and one place, once, for five minutes."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from consult_app.accounts import passkeys
from consult_app.accounts.models import User
from consult_app.consultations.models import Section
from consult_app.db import clock_at, db, now
from consult_app.errors import Invalid
from consult_app.policy import Role
from consult_app.signoff.actions import purpose_of, sign_off
from consult_app.signoff.models import Decision
from consult_app.web import asset
from tests import factories
from tests.accounts.authenticator import ORIGIN, Authenticator
from tests.accounts.test_passkeys import with_passkey
from tests.signoff.steps import name, rewrite
from tests.signoff.test_sign import sign_offs, url

pytestmark = pytest.mark.usefixtures("audit_ok")


@pytest.fixture
def settings() -> dict[str, Any]:
    return {"BASE_URL": ORIGIN}


@pytest.fixture
def key(focal_point: User) -> Authenticator:
    return with_passkey(focal_point)


def decided(section: Section, decision: str = "approve", text: str = "") -> dict[str, str]:
    assert section.revision is not None
    return {"shown_sha256": section.revision.sha256, "decision": decision, "text": text, "place": section.focal_points[0].public_id}


def test_rule_16_a_passkey_is_a_second_factor(browse: Any, section: Section, focal_point: User, key: Authenticator) -> None:
    client = browse(focal_point)
    page = client.get(url(section)).text
    assert "Sign with a passkey" in page
    assert asset("passkeys.js") in page
    asked = decided(section, "reservation", "Not for seafarers.\r\nNor pilots.")
    options = client.post(f"{url(section)}/passkey", data=asked)
    assert options.status_code == 200
    answer = client.post(url(section), data={**asked, "assertion": key.ask(options.json)})
    assert answer.status_code == 303
    (signed,) = sign_offs(section)
    assert (signed.second_factor, signed.text) == ("passkey", "Not for seafarers.\nNor pilots.")
    assert section.is_signed


@pytest.mark.parametrize(
    "other",
    [{"decision": "return", "text": "No."}, {"decision": "reservation", "text": "Other words."}, {"place": ""}],
)
def test_an_answer_for_one_decision_signs_no_other(
    browse: Any, section: Section, focal_point: User, key: Authenticator, other: dict[str, str]
) -> None:
    client = browse(focal_point)
    answer = key.ask(client.post(f"{url(section)}/passkey", data=decided(section)).json)
    refused = client.post(url(section), data={**decided(section), **other, "assertion": answer})
    assert refused.status_code == 422
    assert "given for something else" in refused.text
    assert sign_offs(section) == []


def test_rule_18_an_answer_for_one_hash_signs_no_other(browse: Any, section: Section, focal_point: User, key: Authenticator) -> None:
    client = browse(focal_point)
    answer = key.ask(client.post(f"{url(section)}/passkey", data=decided(section)).json)
    rewrite(section, "Another text.")
    db.session.commit()
    db.session.expire_all()
    refused = client.post(url(section), data={**decided(section), "assertion": answer})
    assert refused.status_code == 422
    assert sign_offs(section) == []


def test_an_answer_for_one_section_signs_no_other(browse: Any, section: Section, focal_point: User, key: Authenticator) -> None:
    other = section.consultation.sections[1]
    name(other, focal_point)
    rewrite(other, "Text of the other one.")
    db.session.commit()
    db.session.expire_all()
    client = browse(focal_point)
    answer = key.ask(client.post(f"{url(section)}/passkey", data=decided(section)).json)
    assert client.post(url(other), data={**decided(other), "assertion": answer}).status_code == 422
    assert sign_offs(other) == []


def test_a_replay_is_refused(browse: Any, section: Section, focal_point: User, key: Authenticator) -> None:
    client, asked = browse(focal_point), decided(section, "return", "Article 5 is missing.")
    sent = {**asked, "assertion": key.ask(client.post(f"{url(section)}/passkey", data=asked).json)}
    assert client.post(url(section), data=sent).status_code == 303
    rewrite(section, "Text of section 2.")
    rewrite(section, "Text of section 1.")  # the very text that was returned, once more
    db.session.commit()
    db.session.expire_all()
    sent["shown_sha256"] = decided(section)["shown_sha256"]
    refused = client.post(url(section), data=sent)
    assert refused.status_code == 422
    assert "used already" in refused.text
    assert len(sign_offs(section)) == 1


def test_too_old_is_refused(section: Section, focal_point: User, key: Authenticator) -> None:
    asked = decided(section)
    purpose = purpose_of(section, "", "approve", asked["shown_sha256"], "")
    answer = key.ask(passkeys.request_options(focal_point, purpose))
    with clock_at(now() + dt.timedelta(minutes=6)), pytest.raises(Invalid):
        sign_off(section, Decision.APPROVE, asked["shown_sha256"], "", "", by=focal_point, passkey=answer)


def test_an_answer_of_sign_in_does_not_sign(browse: Any, section: Section, focal_point: User, key: Authenticator) -> None:
    answer = key.ask(passkeys.request_options(focal_point, passkeys.SIGN_IN))
    refused = browse(focal_point).post(url(section), data={**decided(section), "assertion": answer})
    assert refused.status_code == 422
    assert sign_offs(section) == []


def test_asking_needs_the_same_right_as_signing(browse: Any, section: Section, focal_point: User, key: Authenticator) -> None:
    stranger = factories.make_user(Role.FOCAL_POINT, factories.make_consultation())
    organiser = factories.make_user(Role.ORGANISER, section.consultation)
    for who, status in ((stranger, 404), (organiser, 403), (None, 303)):
        assert browse(who).post(f"{url(section)}/passkey", data=decided(section)).status_code == status
    client = browse(focal_point)
    undecided = client.post(f"{url(section)}/passkey", data={**decided(section), "decision": ""})
    assert (undecided.status_code, undecided.json) == (422, {"message": "Choose your decision."})
    other = factories.make_user(Role.FOCAL_POINT, section.consultation)
    name(section, other)
    without = browse(other).post(f"{url(section)}/passkey", data=decided(section))
    assert (without.status_code, without.json) == (409, {"message": "This account has no passkey."})


def test_without_code_and_passkey_is_422(browse: Any, section: Section, focal_point: User) -> None:
    answer = browse(focal_point).post(url(section), data={**decided(section), "code": "", "assertion": ""})
    assert answer.status_code == 422
    assert "Type the code, or use a passkey." in answer.text
