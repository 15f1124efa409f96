"""Deputies: named by a focal point for some days, taken back, and who may not."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from consult_app.accounts.models import User
from consult_app.consultations import deputies, team
from consult_app.consultations.models import Consultation, Delegation, today_in
from consult_app.db import clock_at, db, now
from consult_app.errors import Conflict, Invalid
from consult_app.policy import Role
from tests.factories import BY, make_consultation, make_registration, make_user

pytestmark = pytest.mark.usefixtures("audit_ok")
DAY = dt.timedelta(days=1)


@pytest.fixture
def consultation(app: Any) -> Consultation:
    return make_consultation()


@pytest.fixture
def principal(consultation: Consultation) -> User:
    """Named for section 1."""
    user = make_user(Role.FOCAL_POINT, consultation, name="Anisa")
    team.name_focal_point(consultation.sections[0], user, "Ministry of Tests", by=BY)
    db.session.expire(user, ["focal_points"])
    return user


@pytest.fixture
def deputy(consultation: Consultation) -> User:
    return make_user(Role.FOCAL_POINT, consultation, name="Dewi <b>")


def url(consultation: Consultation, rest: str = "") -> str:
    return f"/consultations/{consultation.slug}/deputies{rest}"


def form(consultation: Consultation, deputy: User) -> dict[str, str]:
    today = today_in(consultation)
    return {"deputy": deputy.public_id, "starts_on": f"{today}", "ends_on": f"{today + 5 * DAY}", "reason": "on leave"}


def delegate(consultation: Consultation, principal: User, deputy: User, first: int = 0, last: int = 5) -> Delegation:
    today = today_in(consultation)
    return deputies.delegate(consultation, deputy, today + first * DAY, today + last * DAY, "on leave", by=principal)


def test_a_focal_point_names_a_deputy(
    browse: Any, consultation: Consultation, principal: User, deputy: User, sent: Any, last_entry: Any
) -> None:
    client = browse(principal)
    assert "Dewi &lt;b&gt;" in client.get(url(consultation)).text
    assert client.post(url(consultation, "/name"), data=form(consultation, deputy)).status_code == 303
    (made,) = db.session.scalars(db.select(Delegation))
    assert (made.principal, made.deputy, made.reason, made.is_valid) == (principal, deputy, "on leave", True)
    assert last_entry("delegation.make").actor == principal.actor_key
    (mail,) = sent()
    assert (mail["To"], "Anisa" in mail["Subject"]) == (deputy.email, True)
    assert "acts for you now" in client.get(url(consultation)).text
    overview = browse(make_user(Role.OBSERVER, consultation)).get(f"/consultations/{consultation.slug}/sign-off").text
    assert "Dewi &lt;b&gt; for Anisa" in overview
    assert "Take back" not in overview


def test_rule_16_a_deputy_is_named_only_within_the_dates(consultation: Consultation, principal: User, deputy: User) -> None:
    delegate(consultation, principal, deputy, 1, 2)
    section, other = consultation.sections
    for days, expected in ((0, False), (1, True), (2, True), (3, False)):
        with clock_at(now() + days * DAY):
            assert deputy.is_named_for(section.id) is expected
            assert not deputy.is_named_for(other.id)
    assert not deputy.is_named_for(None)


def test_the_days_are_those_of_the_consultation(consultation: Consultation, principal: User, deputy: User) -> None:
    made = delegate(consultation, principal, deputy)
    made.starts_on = made.ends_on = dt.date(2027, 3, 1)
    for moment, expected in (
        ("2027-02-28T16:59", False),
        ("2027-02-28T17:01", True),
        ("2027-03-01T16:59", True),
        ("2027-03-01T17:01", False),
    ):
        with clock_at(dt.datetime.fromisoformat(f"{moment}:00+00:00")):
            assert made.is_valid is expected
    db.session.rollback()


def test_taking_it_back(browse: Any, consultation: Consultation, principal: User, deputy: User, last_entry: Any) -> None:
    made = delegate(consultation, principal, deputy)
    client, revoke = browse(principal), url(consultation, f"/{made.public_id}/revoke")
    assert deputy.is_named_for(consultation.sections[0].id)
    assert client.post(revoke).status_code == 303
    assert not deputy.is_named_for(consultation.sections[0].id)
    assert last_entry("delegation.revoke").actor == principal.actor_key
    assert client.post(revoke).status_code == 409
    assert "taken back" in client.get(url(consultation)).text


def test_an_organiser_takes_it_back_and_another_focal_point_does_not(
    browse: Any, consultation: Consultation, principal: User, deputy: User
) -> None:
    made = delegate(consultation, principal, deputy)
    revoke = url(consultation, f"/{made.public_id}/revoke")
    assert browse(deputy).post(revoke).status_code == 409
    assert made.revoked_at is None
    assert browse(make_user(Role.ORGANISER, consultation)).post(revoke).status_code == 303
    assert made.revoked_at is not None


def test_strangers_404_and_roles_403(browse: Any, consultation: Consultation, principal: User, deputy: User) -> None:
    made = delegate(consultation, principal, deputy)
    other = make_consultation()
    pages = (("get", ""), ("post", "/name"), ("post", f"/{made.public_id}/revoke"))
    people = [
        (make_user(Role.FOCAL_POINT, other), 404),
        (make_user(Role.RAPPORTEUR, consultation), 403),
        (make_registration(), 404),
        (None, 303),
    ]
    for who, status in people:
        client = browse(who)
        for method, page in pages:
            assert getattr(client, method)(url(consultation, page), data=form(consultation, deputy)).status_code == status
    swapped = browse(make_user(Role.ORGANISER, other))
    assert swapped.post(url(other, f"/{made.public_id}/revoke")).status_code == 404
    assert made.revoked_at is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"deputy": "nobody"},
        {"deputy": ""},
        {"reason": " "},
        {"ends_on": "2020-01-01"},
        {"starts_on": "not a day"},
        {"ends_on": "2999-01-01"},
        {"starts_on": "2020-01-01", "ends_on": "2020-01-02"},
    ],
)
def test_invalid_is_422_and_kept(browse: Any, consultation: Consultation, principal: User, deputy: User, wrong: dict[str, str]) -> None:
    answer = browse(principal).post(
        url(consultation, "/name"), data={**form(consultation, deputy), "reason": "typed <i>words</i>", **wrong}
    )
    assert answer.status_code == 422
    assert "typed &lt;i&gt;" in answer.text or "reason" in wrong
    assert db.session.scalar(db.select(Delegation)) is None


def test_a_second_deputy_on_the_same_days_is_409(browse: Any, consultation: Consultation, principal: User, deputy: User) -> None:
    third = make_user(Role.FOCAL_POINT, consultation)
    delegate(consultation, principal, deputy)
    answer = browse(principal).post(url(consultation, "/name"), data=form(consultation, third))
    assert answer.status_code == 409
    assert "on leave" in answer.text
    delegate(consultation, principal, third, 6, 8)  # after the first


def test_who_can_be_deputy(browse: Any, consultation: Consultation, principal: User) -> None:
    rapporteur, bare = make_user(Role.RAPPORTEUR, consultation), make_user(name="Without factor")
    team.add_role(bare, consultation.id, Role.FOCAL_POINT, by=BY)
    db.session.flush()
    db.session.expire(bare)
    off = make_user(Role.FOCAL_POINT, consultation, is_enabled=False)
    for user in (rapporteur, bare, off, principal, make_user(Role.FOCAL_POINT, make_consultation())):
        with pytest.raises(Invalid):
            delegate(consultation, principal, user)
    page = browse(principal).get(url(consultation)).text
    assert "There is none yet: ask an organiser" in page


def test_a_deputy_passes_nothing_on(browse: Any, consultation: Consultation, principal: User, deputy: User) -> None:
    delegate(consultation, principal, deputy)
    third = make_user(Role.FOCAL_POINT, consultation)
    with pytest.raises(Conflict):
        delegate(consultation, deputy, third)
    client = browse(deputy)
    assert "You are not named for a section" in client.get(url(consultation)).text
    assert client.post(url(consultation, "/name"), data=form(consultation, third)).status_code == 409


def test_it_ends_with_the_role(consultation: Consultation, principal: User, deputy: User) -> None:
    made = delegate(consultation, principal, deputy)
    team.remove_member(deputy.memberships[0], by=BY)
    assert made.revoked_at is not None
    db.session.expire_all()
    assert Role.FOCAL_POINT not in deputy.roles_in(consultation.id)


def test_asking_the_policy_costs_the_same_for_many_delegations(consultation: Consultation, deputy: User, count_queries: Any) -> None:
    counts = []
    for number in (1, 4):
        for n in range(number):
            user = make_user(Role.FOCAL_POINT, consultation, name=f"P {number} {n}")
            team.name_focal_point(consultation.sections[0], user, "", by=BY)
            db.session.flush()
            db.session.expire(user)
            delegate(consultation, user, deputy)
        db.session.commit()
        wanted, key, kept = consultation.sections[0].id, deputy.id, consultation.id
        db.session.commit()
        db.session.expunge_all()
        fresh = db.session.get_one(User, key)
        with count_queries() as statements:
            assert fresh.is_named_for(wanted)
            assert not fresh.is_named_for(999)
        deputy, consultation = fresh, db.session.get_one(Consultation, kept)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 5, counts
