"""What is shown of one consultation or event does not change with what happens in another (rules 9 and 23).

Every page and list is read, then another consultation and another event are filled in the same way, and all is read again.
A query that forgets to ask of which event, consultation or section counts the neighbours too.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from consult_app import audit
from consult_app.db import db
from consult_app.events.models import Event
from consult_app.invitations.models import InvitationKind
from consult_app.policy import Role
from consult_app.registrations import actions as registrations
from consult_app.registrations.models import RegistrationState
from tests import factories
from tests.invitations.conftest import make_invitation
from tests.test_chatham_house import crawl
from tests.world import make_world

# What differs with each reading: tokens, seeds of forms, and moments.
PASSING = re.compile(
    r'(?:value|content|data-[\w-]+|nonce|id|for|href|aria-\w+)="[^"]*"|\d{1,2}[:.]\d{2}(?:[:.]\d{2})?',
)
HEADERS = re.compile(r"^[A-Za-z-]+: .*$", re.MULTILINE)
THREAD = re.compile(r'<nav class="thread.*?</nav>', re.DOTALL)


def settled(pages: dict[str, str]) -> dict[str, list[str]]:
    """The lines of each page without what differs each time."""
    return {
        path: [line for line in PASSING.sub("", HEADERS.sub("", THREAD.sub("", text))).splitlines() if line.strip()]
        for path, text in pages.items()
        if "<html" in text or path.endswith(".csv")
    }


def differing(before: dict[str, list[str]], after: dict[str, list[str]]) -> dict[str, list[str]]:
    return {
        path: [line.strip()[:300] for line in after[path] if line not in lines][:3]
        for path, lines in before.items()
        if path in after and after[path] != lines
    }


def fill_event(event: Event) -> None:
    """People in every state and of every kind, with quotas and invitations."""
    for number, state in enumerate(RegistrationState):
        for kind in ("government", "ngo"):
            person = factories.make_registration(event, kind=kind, institution="Kantor Rahasia1", name=f"Neighbour {number}")
            if person.state is not state:
                person.state = state
                audit.record(factories.BY, "registration.test", person)
    registrations.set_quota(event, factories.stakeholder_type(event.consultation_id), 7, by=factories.BY)
    make_invitation(event, InvitationKind.INSTITUTION, name="", email="contact@neighbour.example", institution="Kantor Rahasia2")
    make_invitation(event, name="A Guest", email="guest@neighbour.example", institution="Kantor Rahasia3")
    db.session.commit()


@pytest.mark.parametrize("role", [Role.ORGANISER, Role.FOCAL_POINT, Role.OBSERVER])
def test_rule_23_another_consultation_changes_no_figure_of_this_one(app: Flask, browse: Any, role: Role) -> None:
    world = make_world()
    fill_event(world.event)
    reader = browse(factories.make_user(role, world.consultation))
    before = settled(crawl(app, reader, world))
    other = make_world()
    fill_event(other.event)
    fill_event(factories.make_event(other.consultation))
    assert len(before) > 20
    assert differing(before, settled(crawl(app, reader, world))) == {}


def test_rule_9_another_event_changes_no_figure_of_this_one(app: Flask, browse: Any) -> None:
    world = make_world()
    fill_event(world.event)
    reader = browse(factories.make_user(Role.ORGANISER, world.consultation))

    def of_event() -> dict[str, list[str]]:
        return settled({path: text for path, text in crawl(app, reader, world).items() if path.startswith(f"/events/{world.event.slug}")})

    before = of_event()
    fill_event(factories.make_event(world.consultation))
    assert len(before) > 10
    assert differing(before, of_event()) == {}
    assert db.session.scalar(select(Event.id).where(Event.consultation_id == world.consultation.id, Event.id != world.event.id))
