"""The organiser's list: adding, changing, withdrawing, searching, counting."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.db import db
from consult_app.events.models import EventState
from consult_app.invitations.models import EventInvitation, InvitationKind, InvitationState
from consult_app.policy import Role
from tests import factories
from tests.invitations.conftest import ACCEPTING, make_invitation, open_invitation

TYPED = {
    "kind": "person", "institution": "Kantor Uji", "stakeholder_type": "government", "name": "Suharti", "title_before": "Dr.",
    "email": "Suharti@Example.org", "phone": "0812 1000 2000", "sex": "female", "language": "id",
}  # fmt: skip


def all_of(event: Any) -> list[EventInvitation]:
    return list(db.session.scalars(db.select(EventInvitation).where(EventInvitation.event_id == event.id).order_by(EventInvitation.id)))


@pytest.mark.usefixtures("audit_ok")
def test_add_one_by_hand(event: Any, organiser: Any, last_entry: Any, sent: Any) -> None:
    answer = organiser.post(f"/events/{event.slug}/invitations/add", data=TYPED)
    assert answer.status_code == 303, answer.text
    (invitation,) = all_of(event)
    assert (invitation.email, invitation.phone, invitation.state) == ("suharti@example.org", "+6281210002000", InvitationState.DRAFT)
    assert last_entry("invitation.add").object_id == invitation.public_id
    assert sent() == []  # nothing is sent before the organiser says so
    assert "Dr. Suharti" in organiser.get(answer.location).text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"institution": "  "}, "institution"),
        ({"stakeholder_type": ""}, "stakeholder_type"),
        ({"email": "no address"}, "email"),
        ({"phone": "12"}, "phone"),
        ({"seats": "0"}, "seats"),
        ({"name": "x" * 201}, "name"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_saved(change: dict[str, str], field: str, event: Any, organiser: Any) -> None:
    answer = organiser.post(f"/events/{event.slug}/invitations/add", data={**TYPED, **change})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert all_of(event) == []


def test_nobody_is_invited_twice(event: Any, organiser: Any) -> None:
    make_invitation(event, name="Suharti Dewi", institution="Kantor Uji", email="suharti@example.org")
    make_invitation(event, InvitationKind.INSTITUTION, name="", institution="Dinas Uji", email="")
    url = f"/events/{event.slug}/invitations/add"
    assert organiser.post(url, data={**TYPED, "name": "Other"}).status_code == 422  # the address
    assert organiser.post(url, data={**TYPED, "name": "DEWI suharti", "email": ""}).status_code == 422  # other case and order
    assert organiser.post(url, data={**TYPED, "kind": "institution", "institution": "DINAS  UJI", "email": ""}).status_code == 422
    assert organiser.post(url, data={**TYPED, "name": "Dewi", "email": ""}).status_code == 303
    assert len(all_of(event)) == 3


def test_who_may_see_and_who_may_change(event: Any, browse: Any) -> None:
    invitation = make_invitation(event, email="", phone="+6281210002000")
    desk = browse(factories.make_user(Role.CHECK_IN, event.consultation))
    observer = browse(factories.make_user(Role.OBSERVER, event.consultation))
    stranger = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
    one = f"/events/{event.slug}/invitations/{invitation.public_id}"
    assert desk.get(f"/events/{event.slug}/invitations").status_code == 200
    assert "wa.me" not in desk.get(one).text  # the link of another person is for those who send it
    draft = factories.make_event(event.consultation, state=EventState.DRAFT)
    assert stranger.get(f"/events/{draft.slug}/invitations").status_code == 404
    for client, status in ((desk, 403), (observer, 403), (stranger, 404)):  # that the event is public makes nobody a member
        for path in ("edit", "withdraw", "send", "remind", "renew"):
            assert client.post(f"{one}/{path}").status_code == status, path
        assert client.get(f"{one}/letter.pdf").status_code == status
        for path in ("add", "send", "import"):
            assert client.get(f"/events/{event.slug}/invitations/{path}").status_code == status
    assert observer.get(f"/events/{event.slug}/invitations").status_code == 403
    other = factories.make_event(event.consultation)
    organiser = browse(factories.make_user(Role.ORGANISER, event.consultation))
    assert organiser.get(f"/events/{other.slug}/invitations/{invitation.public_id}").status_code == 404


@pytest.mark.usefixtures("audit_ok")
def test_another_address_ends_the_old_link(event: Any, organiser: Any, browse: Any, last_entry: Any) -> None:
    invitation = make_invitation(event)
    one = f"/events/{event.slug}/invitations/{invitation.public_id}"
    organiser.post(f"{one}/send", data={"channel": "mail"})
    reader = open_invitation(browse(), invitation)
    data = {**TYPED, "institution": "Office of Tests"}
    assert organiser.post(f"{one}/edit", data=data).status_code == 303  # the same address: the link stays
    assert reader.get("/my/invitation").status_code == 200
    assert organiser.post(f"{one}/edit", data={**data, "email": "right@example.org"}).status_code == 303
    assert reader.get("/my/invitation").location == "/invitation"
    assert (invitation.state, invitation.email) == (InvitationState.DRAFT, "right@example.org")
    assert last_entry("invitation.change") is not None


@pytest.mark.usefixtures("audit_ok")
def test_withdraw(event: Any, organiser: Any, browse: Any, last_entry: Any) -> None:
    invitation = make_invitation(event)
    url = f"/events/{event.slug}/invitations/{invitation.public_id}/withdraw"
    reader = open_invitation(browse(), invitation)
    assert organiser.post(url).status_code == 303
    assert last_entry("invitation.withdraw") is not None
    assert organiser.post(url).status_code == 409
    assert organiser.post(url.replace("withdraw", "edit"), data=TYPED).status_code == 409
    assert "was withdrawn" in reader.get("/my/invitation").text
    assert reader.post("/my/invitation/accept", data=ACCEPTING).status_code == 409
    assert organiser.post(f"/events/{event.slug}/invitations/add", data={**TYPED, "institution": "Office of Tests"}).status_code == 303


def test_one_from_which_somebody_registered_is_not_withdrawn(event: Any, organiser: Any, browse: Any) -> None:
    invitation = make_invitation(event)
    open_invitation(browse(), invitation).post("/my/invitation/accept", data=ACCEPTING)
    answer = organiser.post(f"/events/{event.slug}/invitations/{invitation.public_id}/withdraw")
    assert answer.status_code == 409
    assert "Cancel the registration first" in answer.text


def test_search_as_one_types(event: Any, organiser: Any) -> None:
    make_invitation(event, name="Tomás Echeverría", email="te@example.org", phone="+6281210002000", institution="Kantor Migrasi")
    make_invitation(event, name="Wagiyem", email="")
    url = f"/events/{event.slug}/invitations"
    for typed in ("tomas", "migrasi echeverria", "te@example", "0812-1000", "+62 812 1000"):
        page = organiser.get(url, query_string={"q": typed}, headers={"HX-Request": "true"})
        assert "Tomás" in page.text, typed
        assert "Wagiyem" not in page.text, typed
        assert "<html" not in page.text
    letters = organiser.get(url, query_string={"reach": "letter"}).text
    assert "Wagiyem" in letters
    assert "Tomás" not in letters
    assert "Nobody found" in organiser.get(url, query_string={"state": "accepted"}).text


def test_rule_9_invited_is_another_number_than_registered(event: Any, organiser: Any, browse: Any) -> None:
    place = make_invitation(event, InvitationKind.INSTITUTION, name="", seats=3)
    person = make_invitation(event, name="Wagiyem", email="wagiyem@example.org")
    make_invitation(event, name="Paimin", email="paimin@example.org", institution="Elsewhere")
    for one in (place, person):
        organiser.post(f"/events/{event.slug}/invitations/{one.public_id}/send", data={"channel": "mail"})
    contact = open_invitation(browse(), place)
    for name in ("Poniman", "Tumini"):
        data = {"name": name, "sex": "male", "email": f"{name}@example.org", "informed": "y"}
        assert contact.post("/my/invitation/delegates/add", data=data).status_code == 303
    factories.make_registration(event)  # not from an invitation
    page = organiser.get(f"/events/{event.slug}/invitations").text
    figures = page[page.index('class="figures"') : page.index("</ul>", page.index('class="figures"'))]
    assert [part.split("<")[0] for part in figures.split('figure__value">')[1:]] == ["2", "1", "1", "0", "2"]
    assert "2 of 3" in organiser.get(f"/events/{event.slug}/invitations/institutions").text


def test_the_list_asks_a_constant_number_of_questions(event: Any, organiser: Any, count_queries: Any) -> None:
    def ask(path: str) -> int:
        with count_queries() as statements:
            assert organiser.get(f"/events/{event.slug}/invitations{path}").status_code == 200
        return len(statements)

    paths = ("", "/institutions", "/send")
    make_invitation(event, name="First", email="", phone="+6281210002000")
    before = [ask(path) for path in paths]
    for n in range(12):
        make_invitation(event, name=f"Person {n}", email="", phone=f"+62812100020{n:02}", institution=f"Place {n}")
    assert [ask(path) for path in paths] == before


def test_empty_and_hostile(event: Any, organiser: Any) -> None:
    assert "Nobody is invited yet" in organiser.get(f"/events/{event.slug}/invitations").text
    make_invitation(event, name="<img src=x>", institution="=1+1<script>")
    for path in ("", "/institutions", "/send"):
        page = organiser.get(f"/events/{event.slug}/invitations{path}").text
        assert "<img src=x" not in page
        assert "<script>" not in page
