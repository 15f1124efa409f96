"""Who speaks for an institution: a participant whose position on an indicator stands for all of theirs.

Of those with a place at one event it is at most one per institution. A colleague who takes the seat takes the mandate
too; who moves to another institution leaves it behind.
"""

from __future__ import annotations

from sqlalchemy import select

from consult_app import audit
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.models import Registration, RegistrationState


def speaker_of(registration: Registration) -> Registration | None:
    """Who else speaks for the same institution at the same event."""
    return db.session.scalar(
        select(Registration).where(
            Registration.event_id == registration.event_id,
            Registration.institution_id == registration.institution_id,
            Registration.speaks_for_institution,
            Registration.state == RegistrationState.CONFIRMED,
            Registration.id != registration.id,
        )
    )


@audit.in_turn
def let_speak(registration: Registration, *, by: Actor) -> None:
    """From now on their position stands for their institution. Raises Conflict where another's does, or they have no place."""
    if not registration.is_confirmed:
        raise Conflict(_("Only somebody with a place at the event can speak for the institution."))
    if registration.speaks_for_institution:
        return
    other = speaker_of(registration)
    if other is not None:
        raise Conflict(_("%(name)s speaks for this institution already. Take it back there first.", name=other.full_name))
    registration.speaks_for_institution = True
    audit.record(by, "registration.let_speak", registration)


@audit.in_turn
def let_speak_no_more(registration: Registration, *, by: Actor) -> None:
    """Their position is their own again. Raises Conflict where it was."""
    if not registration.speaks_for_institution:
        raise Conflict(_("They do not speak for the institution."))
    registration.speaks_for_institution = False
    audit.record(by, "registration.let_speak_no_more", registration)
