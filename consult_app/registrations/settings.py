"""The settings of an event's registration: one form, one save."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from consult_app import audit
from consult_app.db import db
from consult_app.errors import Invalid
from consult_app.events.actions import change_event
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.models import Quota
from consult_app.registrations.seats import put_quota


@dataclass
class Settings:
    """What an organiser gives; `types` and `groups` hold (seats, target) and seats by the id of type and dimension."""

    capacity: int | None = None
    registration_opens_at: dt.datetime | None = None
    registration_closes_at: dt.datetime | None = None
    needs_approval: bool = False
    women_target: int | None = None
    types: Mapping[int, tuple[int | None, int | None]] = field(default_factory=dict)
    groups: Mapping[int, int | None] = field(default_factory=dict)


def quotas_of(event: Event) -> list[Quota]:
    return list(db.session.scalars(select(Quota).where(Quota.event_id == event.id)))


@audit.in_turn
def save_settings(event: Event, given: Settings, *, by: Actor) -> None:
    """Save everything; nobody loses a seat by a lower number, and more seats go to those who wait."""
    opens, closes = given.registration_opens_at, given.registration_closes_at or event.ends
    if opens is not None and opens >= closes:
        raise Invalid(_("Registration has to open before it closes."), field="registration_opens_at")
    for kind_id, (seats, target) in given.types.items():
        put_quota(event, seats, target, kind_id=kind_id, by=by)
    for dimension_id, seats in given.groups.items():
        put_quota(event, seats, dimension_id=dimension_id, by=by)
    names = ("capacity", "registration_opens_at", "registration_closes_at", "needs_approval", "women_target")
    change_event(event, by=by, **{name: getattr(given, name) for name in names})
