"""Signing in somebody's place: by their deputy, within the days, recorded as such; and who may withdraw it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from consult_app.accounts.models import User
from consult_app.consultations import actions as consultations
from consult_app.consultations import deputies
from consult_app.consultations.models import Consultation, Delegation, Section, today_in
from consult_app.db import clock_at, db, now
from consult_app.errors import Conflict
from consult_app.policy import Role, can
from consult_app.signoff import standing
from consult_app.signoff.actions import sign_off, withdraw
from consult_app.signoff.models import Decision
from tests import factories
from tests.conftest import totp
from tests.signoff.steps import BY, name, sign
from tests.signoff.test_sign import form, sign_offs, url

pytestmark = pytest.mark.usefixtures("audit_ok")
DAY = dt.timedelta(days=1)


@pytest.fixture
def deputy(consultation: Consultation) -> User:
    return factories.make_user(Role.FOCAL_POINT, consultation, name="Dewi Lestari")


@pytest.fixture
def delegation(focal_point: User, deputy: User, consultation: Consultation) -> Delegation:
    """From today for a week."""
    today = today_in(consultation)
    made = deputies.delegate(consultation, deputy, today, today + 7 * DAY, "on leave", by=focal_point)
    db.session.commit()
    db.session.expire_all()
    return made


def withdraw_url(section: Section) -> str:
    return f"/consultations/{section.consultation.slug}/sign-offs/{sign_offs(section)[0].public_id}/withdraw"


def test_rule_16_a_deputy_signs_in_the_place_and_the_record_says_so(
    browse: Any, section: Section, focal_point: User, deputy: User, delegation: Delegation, last_entry: Any
) -> None:
    client = browse(deputy)
    page = client.get(url(section)).text
    assert "You sign as the deputy of Retno Wulandari" in page
    assert "As the deputy of Retno Wulandari, the focal point named for Ministry of Tests" in page
    assert client.post(url(section), data=form(section, deputy)).status_code == 303
    (signed,) = sign_offs(section)
    assert (signed.user_id, signed.principal_id, signed.principal_name) == (deputy.id, focal_point.id, "Retno Wulandari")
    assert (signed.signer_name, signed.delegation, signed.institution) == ("Dewi Lestari", delegation, "Ministry of Tests")
    assert "As the deputy of Retno Wulandari" in signed.statement
    assert last_entry("signoff.sign").actor == deputy.actor_key
    (place,) = standing.places(section)
    assert place.stands
    assert section.is_signed
    overview = browse(factories.make_user(Role.OBSERVER, section.consultation)).get(f"/consultations/{section.consultation.slug}/sign-off")
    assert "as deputy of Retno Wulandari, delegated on" in overview.text


def test_the_place_is_filled_once(browse: Any, section: Section, focal_point: User, deputy: User, delegation: Delegation) -> None:
    sign(section, focal_point)
    answer = browse(deputy).post(url(section), data=form(section, deputy))
    assert answer.status_code == 409
    assert "stands on this revision already" in answer.text
    assert len(sign_offs(section)) == 1


def test_the_principal_finds_the_place_filled(
    browse: Any, section: Section, focal_point: User, deputy: User, delegation: Delegation
) -> None:
    sign(section, deputy)
    client = browse(focal_point)
    assert "Dewi Lestari signed in this place" in client.get(url(section)).text
    answer = client.post(url(section), data=form(section, focal_point))
    assert answer.status_code == 409
    assert "Dewi Lestari has signed in this place already." in answer.text


@pytest.mark.parametrize("days", [-1, 8])
def test_before_and_after_the_days_a_deputy_cannot(section: Section, deputy: User, delegation: Delegation, days: int) -> None:
    assert section.revision is not None
    with clock_at(now() + days * DAY), pytest.raises(Conflict):
        sign_off(section, Decision.APPROVE, section.revision.sha256, "", totp(deputy), by=deputy)


def test_a_delegation_taken_back_while_the_page_was_open(browse: Any, section: Section, deputy: User, delegation: Delegation) -> None:
    client = browse(deputy)
    assert client.get(url(section)).status_code == 200
    deputies.revoke(delegation, by=delegation.principal)
    assert client.post(url(section), data=form(section, deputy)).status_code == 403
    assert sign_offs(section) == []
    with pytest.raises(Conflict):  # the same, where the policy was asked before it was taken back
        sign(section, deputy)


def test_what_was_signed_before_stands(section: Section, deputy: User, delegation: Delegation) -> None:
    sign(section, deputy)
    deputies.revoke(delegation, by=delegation.principal)
    db.session.commit()
    db.session.expire_all()
    assert standing.places(section)[0].stands


@pytest.mark.parametrize("who", ["deputy", "principal"])
def test_rule_17_the_deputy_and_the_principal_may_withdraw(
    browse: Any, section: Section, focal_point: User, deputy: User, delegation: Delegation, who: str
) -> None:
    sign(section, deputy)
    user = deputy if who == "deputy" else focal_point
    client = browse(user)
    overview = f"/consultations/{section.consultation.slug}/sign-off"
    assert ("Withdraw my signature" if who == "deputy" else "Withdraw the signature of my deputy") in client.get(overview).text
    assert client.post(withdraw_url(section), data={"reason": "New data."}).status_code == 303
    (signed,) = sign_offs(section)
    assert signed.withdrawal is not None
    assert signed.withdrawal.user == user
    assert not section.is_signed
    assert f"Withdrawn by {user.name}: New data." in client.get(overview).text


def test_another_deputy_does_not_withdraw(browse: Any, section: Section, focal_point: User, deputy: User, delegation: Delegation) -> None:
    sign(section, deputy)
    deputies.revoke(delegation, by=focal_point)
    third, today = factories.make_user(Role.FOCAL_POINT, section.consultation), today_in(section.consultation)
    deputies.delegate(section.consultation, third, today, today, "on leave", by=focal_point)
    answer = browse(third).post(withdraw_url(section), data={"reason": "typed words"})
    assert answer.status_code == 409
    assert "typed words" in answer.text
    with pytest.raises(Conflict):
        withdraw(sign_offs(section)[0], "No", by=third)


def test_a_deputy_who_is_named_too_signs_in_both_places(
    browse: Any, section: Section, focal_point: User, deputy: User, delegation: Delegation
) -> None:
    own = name(section, deputy)
    db.session.commit()
    client, place = browse(deputy), section.focal_points[0].public_id
    page = client.get(url(section)).text
    assert "Sign in the place of Retno Wulandari (Ministry of Tests) instead" in page
    assert f'value="{own.public_id}"' in page
    assert client.post(url(section), data={**form(section, deputy), "place": place}).status_code == 303
    assert not section.is_signed
    assert client.post(url(section), data={**form(section, deputy), "place": own.public_id}).status_code == 303
    assert section.is_signed
    assert [(s.user_id, s.place_of) for s in sign_offs(section)] == [(deputy.id, focal_point.id), (deputy.id, deputy.id)]


@pytest.mark.parametrize("place", ["nothing", "<b>x", "\x00"])
def test_a_place_that_is_not_theirs_is_409(browse: Any, section: Section, focal_point: User, place: str) -> None:
    answer = browse(focal_point).post(url(section), data={**form(section, focal_point), "place": place})
    assert answer.status_code == 409
    assert browse(focal_point).get(url(section), query_string={"place": place}).status_code == 200
    assert sign_offs(section) == []


def test_a_deputy_answers_comments_too(app: Any, section: Section, deputy: User, delegation: Delegation) -> None:
    consultations.reopen_section(section, by=BY)
    assert can(deputy, "comment.decide", section)
    assert not can(deputy, "comment.decide", section.consultation.sections[1])


def test_the_overview_needs_few_queries_with_deputies(browse: Any, count_queries: Any) -> None:
    counts = []
    for number in (1, 4):
        consultation = factories.make_consultation(indicators=2, dimensions=2)
        deputy = factories.make_user(Role.FOCAL_POINT, consultation)
        for _n in range(number):
            user = factories.make_user(Role.FOCAL_POINT, consultation)
            for section in consultation.sections:
                name(section, user)
            today = today_in(consultation)
            deputies.delegate(consultation, deputy, today, today + DAY, "on leave", by=user)
        client = browse(deputy)
        with count_queries() as statements:
            assert client.get(f"/consultations/{consultation.slug}/sign-off").status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1], counts
