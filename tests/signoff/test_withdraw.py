"""Withdrawing a signature (product.md rule 17)."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.accounts.models import User
from consult_app.consultations.models import Section
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.policy import Role
from consult_app.signoff import standing
from consult_app.signoff.actions import withdraw
from consult_app.signoff.models import Decision, SignOff
from consult_app.signoff.standing import Standing
from tests import factories
from tests.signoff.steps import name, rewrite, sign


def url(sign_off: SignOff) -> str:
    return f"/consultations/{sign_off.section.consultation.slug}/sign-offs/{sign_off.public_id}/withdraw"


@pytest.fixture
def signed(section: Section, focal_point: User) -> SignOff:
    made = sign(section, focal_point)
    db.session.commit()
    return made


def test_rule_17_a_withdrawal_is_a_new_record(
    browse: Any, section: Section, focal_point: User, signed: SignOff, audit_ok: None, last_entry: Any
) -> None:
    answer = browse(focal_point).post(url(signed), data={"reason": "New data has come in."})
    assert answer.status_code == 303
    assert signed.decision is Decision.APPROVE
    assert signed.withdrawal is not None
    assert signed.withdrawal.reason == "New data has come in."
    assert standing.places(section)[0].standing is Standing.WITHDRAWN
    assert not section.is_signed
    assert last_entry("signoff.withdraw").object_type == "Withdrawal"
    assert sign(section, focal_point).id != signed.id
    assert section.is_signed


def test_without_a_reason_is_422(browse: Any, focal_point: User, signed: SignOff) -> None:
    assert browse(focal_point).post(url(signed), data={"reason": " "}).status_code == 422
    assert signed.withdrawal is None


def test_twice_is_409(browse: Any, focal_point: User, signed: SignOff) -> None:
    client = browse(focal_point)
    client.post(url(signed), data={"reason": "One"})
    assert client.post(url(signed), data={"reason": "Two"}).status_code == 409


def test_of_an_earlier_revision_is_409(app: Any, section: Section, focal_point: User, signed: SignOff) -> None:
    rewrite(section, "Another text")
    with pytest.raises(Conflict):
        withdraw(signed, "Why", by=focal_point)


def test_somebody_elses_is_409(browse: Any, section: Section, signed: SignOff) -> None:
    other = factories.make_user(Role.FOCAL_POINT, section.consultation)
    name(section, other)
    assert browse(other).post(url(signed), data={"reason": "Mine"}).status_code == 409


def test_wrong_role_is_403_and_a_stranger_404(browse: Any, section: Section, signed: SignOff) -> None:
    organiser = factories.make_user(Role.ORGANISER, section.consultation)
    stranger = factories.make_user(Role.FOCAL_POINT, factories.make_consultation())
    assert browse(organiser).post(url(signed), data={"reason": "No"}).status_code == 403
    assert browse(stranger).post(url(signed), data={"reason": "No"}).status_code == 404
    assert signed.withdrawal is None
