"""Selects over invitations. Invited, registered and arrived are different numbers (product.md rule 9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import joinedload

from consult_app.db import db
from consult_app.errors import Missing
from consult_app.events.models import Event
from consult_app.i18n import _
from consult_app.invitations.models import Channel, EventInvitation, InvitationState
from consult_app.registrations.models import LIVE, Institution, Registration
from consult_app.registrations.tickets import token_hash
from consult_app.sheets import fold

_WITH = (joinedload(EventInvitation.institution).joinedload(Institution.stakeholder_type),)


def load_invitation(event: Event, public_id: str) -> EventInvitation:
    """An invitation of this event, whatever its state. Raises Missing."""
    found = db.session.scalar(
        select(EventInvitation)
        .where(EventInvitation.event_id == event.id, EventInvitation.public_id == public_id)
        .options(*_WITH, joinedload(EventInvitation.delegated_from))
    )
    if found is None:
        raise Missing(_("There is no such invitation to this event."))
    return found


def by_link_hash(link_hash: str) -> EventInvitation | None:
    """The invitation of a link, whatever its state."""
    return db.session.scalar(
        select(EventInvitation)
        .where(EventInvitation.link_hash == link_hash)
        .options(*_WITH, joinedload(EventInvitation.event).joinedload(Event.consultation))
    )


def by_link(secret: str) -> EventInvitation | None:
    return by_link_hash(token_hash(secret))


def search(event: Event, filters: Mapping[str, str]) -> Select[EventInvitation]:
    """Invitations by institution and name, for the filters `q` (words in any order), `state` and `reach`; unknown values find all."""
    query = (
        select(EventInvitation)
        .join(EventInvitation.institution)
        .where(EventInvitation.event_id == event.id)
        .options(*_WITH)
        .order_by(Institution.key, EventInvitation.kind, EventInvitation.name, EventInvitation.id)
    )
    typed = filters.get("q", "")
    digits = "".join(c for c in typed if c.isdigit())
    if digits and not any(c.isalpha() for c in typed):  # a phone number, in whatever notation
        query = query.where(EventInvitation.search.contains(digits.lstrip("0"), autoescape=True))
    else:
        for word in fold(typed).split():
            query = query.where(EventInvitation.search.contains(word, autoescape=True))
    if filters.get("state") in set(InvitationState):
        query = query.where(EventInvitation.state == filters["state"])
    reach = filters.get("reach")
    if reach == Channel.MAIL:
        query = query.where(EventInvitation.email != "")
    elif reach == Channel.WHATSAPP:
        query = query.where(EventInvitation.email == "", EventInvitation.phone != "")
    elif reach == Channel.LETTER:
        query = query.where(EventInvitation.email == "", EventInvitation.phone == "")
    return query


@dataclass(frozen=True)
class Counts:
    """How many invitations stand in each state. One that was passed on counts by its colleague's, in `invited` too."""

    drafts: int = 0
    unanswered: int = 0
    accepted: int = 0
    declined: int = 0
    delegated: int = 0
    withdrawn: int = 0
    opened: int = 0
    registered: int = 0  # people with a place, or waiting for one, from these invitations
    seats: int = 0  # that institutions were offered

    @property
    def invited(self) -> int:
        return self.unanswered + self.accepted + self.declined

    @property
    def total(self) -> int:
        return self.drafts + self.invited + self.delegated + self.withdrawn


def _columns() -> list[Any]:
    def in_state(state: InvitationState) -> Any:
        return func.coalesce(func.sum(case((EventInvitation.state == state, 1), else_=0)), 0)

    gone = (InvitationState.WITHDRAWN, InvitationState.DELEGATED)
    return [
        in_state(InvitationState.DRAFT),
        in_state(InvitationState.SENT),
        in_state(InvitationState.ACCEPTED),
        in_state(InvitationState.DECLINED),
        in_state(InvitationState.DELEGATED),
        in_state(InvitationState.WITHDRAWN),
        func.coalesce(func.sum(case((EventInvitation.opened_at.is_not(None), 1), else_=0)), 0),
        func.coalesce(func.sum(case((EventInvitation.state.in_(gone), 0), else_=EventInvitation.seats)), 0),
    ]


def _as_counts(row: Iterable[Any], registered: int) -> Counts:
    *numbers, opened, seats = (int(value) for value in row)
    drafts, unanswered, accepted, declined, delegated, withdrawn = numbers
    return Counts(drafts, unanswered, accepted, declined, delegated, withdrawn, opened, registered, seats)


def counts(event: Event) -> Counts:
    row = db.session.execute(select(*_columns()).where(EventInvitation.event_id == event.id)).one()
    registered = db.session.scalar(
        select(func.count()).where(Registration.event_id == event.id, Registration.invitation_id.is_not(None), Registration.state.in_(LIVE))
    )
    return _as_counts(row, registered or 0)


def invited_institutions(event: Event) -> Select[Institution]:
    """The institutions that have an invitation, by name."""
    invited = select(EventInvitation.institution_id).where(EventInvitation.event_id == event.id)
    return (
        select(Institution).where(Institution.id.in_(invited)).options(joinedload(Institution.stakeholder_type)).order_by(Institution.key)
    )


def progress(event: Event, institutions: Sequence[Institution]) -> dict[int, Counts]:
    """The counts of each of these institutions, in two statements."""
    ids = [institution.id for institution in institutions]
    people: dict[int, int] = dict(
        db.session.execute(
            select(Registration.institution_id, func.count())
            .where(
                Registration.event_id == event.id,
                Registration.institution_id.in_(ids),
                Registration.invitation_id.is_not(None),
                Registration.state.in_(LIVE),
            )
            .group_by(Registration.institution_id)
        )
        .tuples()
        .all()
    )
    rows = db.session.execute(
        select(EventInvitation.institution_id, *_columns())
        .where(EventInvitation.event_id == event.id, EventInvitation.institution_id.in_(ids))
        .group_by(EventInvitation.institution_id)
    )
    found: dict[int, Counts] = {}
    for place, *values in rows:
        found[place] = _as_counts(values, people.get(place, 0))
    return found


def registrations_of(invitation: EventInvitation, *, all_states: bool = False) -> list[Registration]:
    """The registrations made from an invitation, by name; by default those that hold or wait for a place."""
    query = select(Registration).where(Registration.invitation_id == invitation.id).order_by(Registration.name, Registration.id)
    return list(db.session.scalars(query if all_states else query.where(Registration.state.in_(LIVE))))


def load_delegate(invitation: EventInvitation, public_id: str) -> Registration:
    """A registration that this invitation made. Raises Missing: others can neither be seen nor touched."""
    found = db.session.scalar(
        select(Registration)
        .where(Registration.public_id == public_id, Registration.invitation_id == invitation.id)
        .options(joinedload(Registration.event), joinedload(Registration.institution), joinedload(Registration.stakeholder_type))
    )
    if found is None:
        raise Missing(_("There is no such delegate of yours."))
    return found


def delegated_to(invitation: EventInvitation) -> EventInvitation | None:
    """The invitation of the colleague it was passed on to."""
    return db.session.scalar(select(EventInvitation).where(EventInvitation.delegated_from_id == invitation.id).limit(1))
