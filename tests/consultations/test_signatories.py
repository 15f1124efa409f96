"""Who leads, who co-signs, and in which order a section is signed."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.consultations import team
from consult_app.consultations.models import Consultation, Section, SectionState, SignatoryRole, SigningOrder
from consult_app.errors import Conflict
from consult_app.policy import Role
from tests.factories import BY, make_consultation, make_user

pytestmark = pytest.mark.usefixtures("audit_ok")


@pytest.fixture
def consultation(app: Any) -> Consultation:
    return make_consultation()


@pytest.fixture
def organiser(consultation: Consultation) -> User:
    return make_user(Role.ORGANISER, consultation)


@pytest.fixture
def section(consultation: Consultation) -> Section:
    """Two are named for it: the one who came first leads."""
    section = consultation.sections[0]
    for name in ("First", "Second"):
        team.name_focal_point(section, make_user(Role.FOCAL_POINT, consultation, name=name), f"Ministry of the {name}", by=BY)
    return section


def url(section: Section) -> str:
    return f"/consultations/{section.consultation.slug}/team/sections/{section.number}/signing"


def form(
    section: Section, order: str = "in_order", numbers: tuple[int, ...] = (2, 1), roles: tuple[str, ...] = ("co_signing", "lead")
) -> Any:
    data = {f"s{section.number}-order": order}
    for n, point in enumerate(section.focal_points):
        row = f"s{section.number}-signatories-{n}"
        data |= {f"{row}-point": point.public_id, f"{row}-role": roles[n], f"{row}-order_number": str(numbers[n])}
    return data


def named(section: Section) -> list[tuple[str, SignatoryRole, int]]:
    return [(point.user.name, point.role, point.order_number) for point in section.focal_points]


def test_the_first_named_leads_and_the_next_sign_after(section: Section) -> None:
    assert named(section) == [("First", SignatoryRole.LEAD, 1), ("Second", SignatoryRole.CO_SIGNING, 2)]
    assert section.signing_order is SigningOrder.PARALLEL


def test_the_order_is_set_on_the_team_page(section: Section, organiser: User, browse: Any, last_entry: Any) -> None:
    client = browse(organiser)
    page = client.get(f"/consultations/{section.consultation.slug}/team").text
    assert "Who leads, and the order of signing" in page
    assert client.post(url(section), data=form(section)).status_code == 303
    assert named(section) == [("Second", SignatoryRole.LEAD, 1), ("First", SignatoryRole.CO_SIGNING, 2)]
    assert section.signs_in_order
    assert last_entry("section.signing_order").actor == organiser.actor_key
    assert last_entry("focal_point.change").actor == organiser.actor_key
    assert "one after the other" in client.get(f"/consultations/{section.consultation.slug}/team").text


@pytest.mark.parametrize(
    "wrong",
    [
        {"numbers": (0, 1)},
        {"numbers": (100, 1)},
        {"order": "by_weight"},
        {"roles": ("co_signing", "co_signing")},
        {"roles": ("lead", "<b>boss")},
    ],
)
def test_invalid_is_422_and_kept(section: Section, organiser: User, browse: Any, wrong: Any) -> None:
    answer = browse(organiser).post(url(section), data=form(section, **wrong))
    assert answer.status_code == 422
    assert '<details class="details" open>' in answer.text
    assert named(section) == [("First", SignatoryRole.LEAD, 1), ("Second", SignatoryRole.CO_SIGNING, 2)]


def test_somebody_named_meanwhile_is_409(section: Section, organiser: User, browse: Any) -> None:
    data = form(section)
    team.name_focal_point(section, make_user(Role.FOCAL_POINT, section.consultation, name="Third"), "", by=BY)
    assert browse(organiser).post(url(section), data=data).status_code == 409
    assert [number for _name, _role, number in named(section)] == [1, 2, 3]


@pytest.mark.parametrize("state", [SectionState.FROZEN, SectionState.SIGNED])
def test_the_order_does_not_change_under_a_signature(section: Section, organiser: User, browse: Any, state: SectionState) -> None:
    section.state = state
    audit.record(BY, "section.test", section)
    client = browse(organiser)
    assert client.post(url(section), data=form(section)).status_code == 409
    assert not section.signs_in_order
    assert "reopen it to change who signs" in client.get(f"/consultations/{section.consultation.slug}/team").text
    with pytest.raises(Conflict):
        team.set_signatories(section, SigningOrder.IN_ORDER, {}, by=BY)


def test_strangers_404_and_roles_403(section: Section, consultation: Consultation, browse: Any) -> None:
    other = make_consultation()
    stranger = make_user(Role.ORGANISER, other)
    for user, status in ((stranger, 404), (make_user(Role.RAPPORTEUR, consultation), 403), (section.focal_points[0].user, 403)):
        assert browse(user).post(url(section), data=form(section)).status_code == status
    answer = browse(stranger).post(f"/consultations/{other.slug}/team/sections/1/signing", data=form(section))
    assert answer.status_code == 409  # those named in another consultation are none of this section
    assert not section.signs_in_order
