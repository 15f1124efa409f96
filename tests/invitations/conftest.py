"""An event, its organiser, and invitations to it."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.events.models import Event
from consult_app.invitations.actions import Guest, invite
from consult_app.invitations.links import PURPOSE
from consult_app.invitations.models import EventInvitation, InvitationKind
from consult_app.policy import Role
from consult_app.registrations.tickets import secret
from tests import factories


@pytest.fixture
def event(app: Any) -> Event:
    return factories.make_event()


@pytest.fixture
def organiser(event: Event, browse: Any) -> Any:
    return browse(factories.make_user(Role.ORGANISER, event.consultation))


def make_invitation(event: Event, kind: InvitationKind = InvitationKind.PERSON, **details: Any) -> EventInvitation:
    """Somebody on the list; nothing is sent."""
    values = {"institution": "Office of Tests", "name": "Suharti", "email": "suharti@example.org", **details}
    return invite(event, Guest(kind=kind, stakeholder_type=factories.stakeholder_type(event.consultation_id), **values), by=factories.BY)


def open_invitation(client: Any, invitation: EventInvitation) -> Any:
    """Come by the link, as its reader does."""
    answer = client.post("/invitation", data={"token": secret(PURPOSE, invitation.seed)})
    assert answer.status_code == 303, answer.text
    return client


ACCEPTING = {"name": "Suharti", "sex": "female", "position": "Analyst", "phone": "0812 1000 2000", "taking_part": "y"}
DELEGATE = {"name": "Poniman", "sex": "male", "email": "poniman@example.org", "informed": "y"}
