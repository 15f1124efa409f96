"""A section signed in order: nobody signs before those with a smaller number, and the page names who is awaited."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.accounts.actions import set_enabled
from consult_app.accounts.models import User
from consult_app.consultations import actions as consultations
from consult_app.consultations import team
from consult_app.consultations.models import Consultation, Section, SignatoryRole, SigningOrder
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.policy import Role
from consult_app.signoff import gate, standing
from consult_app.signoff.actions import withdraw
from consult_app.signoff.models import Decision
from tests import factories
from tests.conftest import totp
from tests.signoff.steps import BY, freeze, rewrite, sign
from tests.signoff.test_sign import form, sign_offs, url

pytestmark = pytest.mark.usefixtures("audit_ok")


def in_order(section: Section, *users: User, numbers: tuple[int, ...] = (1, 2, 3)) -> None:
    for user in users:
        team.name_focal_point(section, user, f"Ministry of {user.name}", by=BY)
    db.session.flush()
    db.session.expire(section, ["focal_points"])
    roles = {p.public_id: (p.role, n) for p, n in zip(section.focal_points, numbers, strict=False)}
    team.set_signatories(section, SigningOrder.IN_ORDER, roles, by=BY)


@pytest.fixture
def first(consultation: Consultation) -> User:
    return factories.make_user(Role.FOCAL_POINT, consultation, name="Anisa")


@pytest.fixture
def second(consultation: Consultation) -> User:
    return factories.make_user(Role.FOCAL_POINT, consultation, name="Bayu")


@pytest.fixture
def ordered(consultation: Consultation, first: User, second: User) -> Section:
    section = consultation.sections[0]
    in_order(section, first, second)
    freeze(section)
    db.session.commit()
    db.session.expire_all()
    return section


def test_a_later_signatory_waits_and_is_told_for_whom(browse: Any, ordered: Section, first: User, second: User) -> None:
    client = browse(second)
    page = client.get(url(ordered))
    assert page.status_code == 200
    assert "It is not your turn yet" in page.text
    assert "Anisa (Ministry of Anisa)" in page.text
    assert 'name="decision"' not in page.text
    answer = client.post(url(ordered), data=form(ordered, second, decision="reservation", text="Typed <b>words</b>"))
    assert answer.status_code == 409
    assert "Awaited: Anisa (Ministry of Anisa)" in answer.text
    assert "Typed &lt;b&gt;words" in answer.text
    assert sign_offs(ordered) == []
    overview = client.get(f"/consultations/{ordered.consultation.slug}/sign-off").text
    assert "Signs after Anisa." in overview
    assert browse(first).post(url(ordered), data=form(ordered, first)).status_code == 303
    assert not ordered.is_signed
    assert client.post(url(ordered), data=form(ordered, second)).status_code == 303
    assert ordered.is_signed


def test_a_return_waits_for_its_turn_too(ordered: Section, second: User) -> None:
    with pytest.raises(Conflict):
        sign(ordered, second, Decision.RETURN, "Not like this.")
    assert ordered.is_frozen


def test_a_return_by_an_earlier_one_keeps_the_later_waiting(browse: Any, ordered: Section, first: User, second: User) -> None:
    sign(ordered, first, Decision.RETURN, "Article 5 is missing.")
    rewrite(ordered, "With article 5.")
    assert browse(second).post(url(ordered), data=form(ordered, second)).status_code == 409
    sign(ordered, first)
    assert browse(second).post(url(ordered), data=form(ordered, second)).status_code == 303


def test_a_withdrawal_by_an_earlier_one_leaves_the_later_signature(ordered: Section, first: User, second: User) -> None:
    signed = sign(ordered, first)
    sign(ordered, second)
    withdraw(signed, "New data.", by=first)
    db.session.commit()
    db.session.expire_all()
    assert [place.stands for place in standing.places(ordered)] == [False, True]
    assert not ordered.is_signed
    sign(ordered, first)
    assert ordered.is_signed


def test_a_new_revision_starts_the_order_again(ordered: Section, first: User, second: User) -> None:
    sign(ordered, first)
    sign(ordered, second)
    rewrite(ordered, "A later text.")
    db.session.commit()
    db.session.expire_all()
    assert [len(place.waits_for) for place in standing.places(ordered)] == [0, 1]
    with pytest.raises(Conflict):
        sign(ordered, second)


def test_equal_numbers_sign_side_by_side(app: Any, consultation: Consultation, first: User, second: User) -> None:
    third, section = factories.make_user(Role.FOCAL_POINT, consultation, name="Citra"), consultation.sections[0]
    in_order(section, first, second, third, numbers=(1, 1, 2))
    freeze(section)
    sign(section, second)
    with pytest.raises(Conflict) as refusal:
        sign(section, third)
    assert [str(reason) for reason in refusal.value.reasons] == ["Awaited: Anisa (Ministry of Anisa)"]
    sign(section, first)
    sign(section, third)
    assert section.is_signed


def test_side_by_side_nobody_waits(app: Any, consultation: Consultation, first: User, second: User) -> None:
    section = consultation.sections[0]
    for user in (first, second):
        team.name_focal_point(section, user, "", by=BY)
    freeze(section)
    sign(section, second)
    sign(section, first)
    assert section.is_signed


def test_all_who_are_named_have_to_sign(ordered: Section, first: User) -> None:
    sign(ordered, first)
    assert "Bayu (Ministry of Bayu) has not signed." in str(gate.report_missing(ordered.consultation)[0])


def test_an_account_that_is_switched_off_is_named_as_such(browse: Any, ordered: Section, first: User, second: User) -> None:
    set_enabled(first, False, by=BY)
    page = browse(second).get(url(ordered)).text
    assert "Anisa (Ministry of Anisa), account switched off" in page
    assert "account switched off" in browse(second).get(f"/consultations/{ordered.consultation.slug}/sign-off").text
    consultations.reopen_section(ordered, by=BY)  # an organiser's way out: reopen, remove, freeze
    team.unname_focal_point(next(p for p in ordered.focal_points if p.user_id == first.id), by=BY)
    freeze(ordered)
    db.session.commit()
    assert browse(second).post(url(ordered), data=form(ordered, second, code=totp(second))).status_code == 303
    assert ordered.is_signed


def test_roles_do_not_change_who_has_to_sign(ordered: Section) -> None:
    assert [place.focal_point.role for place in standing.places(ordered)] == [SignatoryRole.LEAD, SignatoryRole.CO_SIGNING]
    assert [place.stands for place in standing.places(ordered)] == [False, False]
