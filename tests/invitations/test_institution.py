"""The page of an institution: its contact registers, replaces and withdraws its own delegates."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.db import db
from consult_app.invitations.models import EventInvitation, InvitationKind, InvitationState
from consult_app.registrations.models import Registration, RegistrationState, Source
from tests import factories
from tests.invitations.conftest import ACCEPTING, DELEGATE, make_invitation, open_invitation


@pytest.fixture
def invitation(event: Any) -> EventInvitation:
    return make_invitation(event, InvitationKind.INSTITUTION, name="", email="office@example.org", seats=2)


@pytest.fixture
def contact(invitation: EventInvitation, browse: Any) -> Any:
    return open_invitation(browse(), invitation)


def made_from(invitation: EventInvitation) -> list[Registration]:
    query = db.select(Registration).where(Registration.invitation_id == invitation.id).order_by(Registration.id)
    return list(db.session.scalars(query))


def add(contact: Any, **data: str) -> Any:
    return contact.post("/my/invitation/delegates/add", data={**DELEGATE, **data})


@pytest.mark.usefixtures("audit_ok")
def test_register_a_delegate(contact: Any, invitation: EventInvitation, sent: Any, last_entry: Any) -> None:
    assert "2 left" in contact.get("/my/invitation").text
    assert add(contact).status_code == 303
    (delegate,) = made_from(invitation)
    assert (delegate.name, delegate.source, delegate.institution) == ("Poniman", Source.INVITATION, invitation.institution)
    assert invitation.state is InvitationState.ACCEPTED
    assert last_entry("registration.register").actor == f"invitation:{invitation.public_id}"
    assert [mail["To"] for mail in sent()] == ["poniman@example.org"]
    page = contact.get("/my/invitation").text
    assert "Poniman" in page
    assert "1 left" in page


@pytest.mark.parametrize("change", [{"name": ""}, {"sex": ""}, {"informed": None}, {"email": "no"}, {"phone": "1"}])
def test_what_is_wrong(change: dict[str, Any], contact: Any, invitation: EventInvitation) -> None:
    data = {key: value for key, value in {**DELEGATE, **change}.items() if value is not None}
    answer = contact.post("/my/invitation/delegates/add", data=data)
    assert answer.status_code == 422
    assert f'id="{next(iter(change))}-error"' in answer.text
    assert made_from(invitation) == []


def test_no_more_than_the_seats_offered(contact: Any, invitation: EventInvitation) -> None:
    for n in range(2):
        assert add(contact, email=f"d{n}@example.org").status_code == 303
    answer = add(contact, email="third@example.org")
    assert answer.status_code == 409
    assert "All seats of your institution are taken" in answer.text
    assert "Register a delegate" not in contact.get("/my/invitation").text
    assert len(made_from(invitation)) == 2


def test_a_form_sent_twice_counts_once(contact: Any, invitation: EventInvitation) -> None:
    for _time in range(2):
        assert add(contact, email="", client_key="the-same").status_code == 303
    assert len(made_from(invitation)) == 1


@pytest.mark.usefixtures("audit_ok")
def test_rule_5_one_registered_already(event: Any, contact: Any, invitation: EventInvitation) -> None:
    own = factories.make_registration(event, email="own@example.org", institution="Office of Tests")
    foreign = factories.make_registration(event, email="foreign@example.org", institution="Elsewhere")
    assert add(contact, email="own@example.org").status_code == 303
    assert made_from(invitation) == [own]
    assert add(contact, email="foreign@example.org").status_code == 422
    assert foreign.invitation_id is None
    assert db.session.scalar(db.select(db.func.count()).select_from(Registration)) == 2


@pytest.mark.usefixtures("audit_ok")
def test_rule_6_replace_keeps_the_seat_and_the_invitation(contact: Any, invitation: EventInvitation, sent: Any) -> None:
    add(contact)
    (old,) = made_from(invitation)
    url = f"/my/invitation/delegates/{old.public_id}/replace"
    assert contact.post(url, data={**DELEGATE, "name": ""}).status_code == 422
    assert contact.post(url, data={**DELEGATE, "name": "Tumini", "email": "tumini@example.org"}).status_code == 303
    old, new = made_from(invitation)
    assert (old.state, new.state, new.replaces_id) == (RegistrationState.REPLACED, RegistrationState.CONFIRMED, old.id)
    assert new.institution == invitation.institution
    assert "Poniman" not in contact.get("/my/invitation").text
    assert contact.post(url, data=DELEGATE).status_code == 409
    assert [mail["To"] for mail in sent()][-2:] in (
        ["tumini@example.org", "poniman@example.org"],
        ["poniman@example.org", "tumini@example.org"],
    )


@pytest.mark.usefixtures("audit_ok")
def test_withdraw_frees_the_seat(contact: Any, invitation: EventInvitation, last_entry: Any) -> None:
    add(contact)
    (delegate,) = made_from(invitation)
    url = f"/my/invitation/delegates/{delegate.public_id}/withdraw"
    assert contact.post(url).status_code == 303
    assert last_entry("registration.cancel").actor == f"invitation:{invitation.public_id}"
    assert contact.post(url).status_code == 409
    assert "2 left" in contact.get("/my/invitation").text


def test_others_can_neither_be_seen_nor_touched(event: Any, contact: Any, invitation: EventInvitation, browse: Any) -> None:
    same_place = factories.make_registration(event, name="Of The Same Place", institution="Office of Tests")
    other = make_invitation(event, InvitationKind.INSTITUTION, name="", email="", institution="Elsewhere")
    add(open_invitation(browse(), other), email="theirs@example.org", name="Of Another Place")
    (theirs,) = made_from(other)
    contact = open_invitation(contact, invitation)
    page = contact.get("/my/invitation").text
    for one in (same_place, theirs):
        assert one.name not in page
        assert contact.get(f"/my/invitation/delegates/{one.public_id}/replace").status_code == 404
        assert contact.post(f"/my/invitation/delegates/{one.public_id}/replace", data=DELEGATE).status_code == 404
        assert contact.post(f"/my/invitation/delegates/{one.public_id}/withdraw").status_code == 404
        assert one.is_live
    for path in ("accept", "delegate"):
        assert contact.post(f"/my/invitation/{path}", data=ACCEPTING).status_code == 404


@pytest.mark.usefixtures("audit_ok")
def test_decline_for_the_institution(contact: Any, invitation: EventInvitation) -> None:
    add(contact)
    assert contact.post("/my/invitation/decline", data={}).status_code == 409  # somebody is registered
    (delegate,) = made_from(invitation)
    contact.post(f"/my/invitation/delegates/{delegate.public_id}/withdraw")
    assert contact.post("/my/invitation/decline", data={"reason": "No budget"}).status_code == 303
    assert (invitation.state, invitation.state_note) == (InvitationState.DECLINED, "No budget")
    assert "Your institution declined" in contact.get("/my/invitation").text
    assert add(contact, email="late@example.org").status_code == 303  # and somebody can come after all
    assert invitation.state is InvitationState.ACCEPTED


def test_the_contact_of_one_invitation_neither_sees_nor_cancels_who_came_by_another(
    event: Any, contact: Any, invitation: EventInvitation, browse: Any
) -> None:
    """Of one institution somebody was invited by name too, and the institution to another event."""
    by_name = make_invitation(event, name="Of The Same Office", email="same@example.org")
    accepted = open_invitation(browse(), by_name).post("/my/invitation/accept", data=ACCEPTING)
    assert accepted.status_code == 303
    other_event = factories.make_event(event.consultation)
    elsewhere = make_invitation(other_event, InvitationKind.INSTITUTION, name="", email="office@example.org")
    assert add(open_invitation(browse(), elsewhere), email="other@example.org", name="At Another Event").status_code == 303
    for one in (by_name, elsewhere):
        (theirs,) = made_from(one)
        assert theirs.institution == invitation.institution
        assert theirs.name not in contact.get("/my/invitation").text
        assert contact.get(f"/my/invitation/delegates/{theirs.public_id}/replace").status_code == 404
        assert contact.post(f"/my/invitation/delegates/{theirs.public_id}/replace", data=DELEGATE).status_code == 404
        assert contact.post(f"/my/invitation/delegates/{theirs.public_id}/withdraw").status_code == 404
        assert theirs.is_live
