"""Deputies: a named focal point lets another one act in their place for some days; recorded, and revocable."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from consult_app import audit, mail
from consult_app.accounts.models import Membership, User
from consult_app.consultations.models import Consultation, Delegation, FocalPoint, today_in
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.i18n import _
from consult_app.policy import Actor, Role

MOST_DAYS = 366


def delegations_of(consultation: Consultation) -> list[Delegation]:
    """Every delegation of the consultation, the newest first, with who is who."""
    return list(
        db.session.scalars(
            select(Delegation)
            .where(Delegation.consultation_id == consultation.id)
            .order_by(Delegation.id.desc())
            .options(joinedload(Delegation.principal), joinedload(Delegation.deputy), joinedload(Delegation.revoked_by))
        ).unique()
    )


def load_delegation(consultation: Consultation, public_id: str) -> Delegation:
    """A delegation of this consultation. Raises Missing."""
    found = db.session.scalar(select(Delegation).where(Delegation.consultation_id == consultation.id, Delegation.public_id == public_id))
    if found is None:
        raise Missing(_("There is no such delegation in this consultation."))
    return found


def candidates(consultation: Consultation, principal: User) -> list[User]:
    """Who could be the deputy: the other focal points of the consultation who have a second factor, by name."""
    users = db.session.scalars(
        select(User)
        .join(Membership)
        .where(Membership.consultation_id == consultation.id, Membership.role == Role.FOCAL_POINT, User.is_enabled, User.id != principal.id)
        .order_by(User.name, User.id)
        .options(selectinload(User.passkeys))
    )
    return [user for user in users if user.has_second_factor]


def _check_dates(starts_on: dt.date, ends_on: dt.date, today: dt.date) -> None:
    if ends_on < starts_on:
        raise Invalid(_("The last day comes before the first."), field="ends_on")
    if ends_on < today:
        raise Invalid(_("The last day is over already."), field="ends_on")
    if (ends_on - starts_on).days > MOST_DAYS:
        raise Invalid(_("A deputy is named for at most a year."), field="ends_on")


def _check_deputy(consultation: Consultation, deputy: User, principal: User) -> None:
    if deputy.id == principal.id:
        raise Invalid(_("Nobody is their own deputy."), field="deputy")
    if Role.FOCAL_POINT not in deputy.roles_in(consultation.id) or not deputy.is_enabled:
        words = _("%(name)s is not a focal point of this consultation. Ask an organiser to invite them as one.", name=deputy.name)
        raise Invalid(words, field="deputy")
    if not deputy.has_second_factor:
        words = _("%(name)s has no second factor yet, and could not sign. Ask them to set it up in their account.", name=deputy.name)
        raise Invalid(words, field="deputy")


@audit.in_turn
def delegate(consultation: Consultation, deputy: User, starts_on: dt.date, ends_on: dt.date, reason: str, *, by: User) -> Delegation:
    """Let `deputy` act in the place of `by` in every section that `by` is named for, from the first to the last day.

    A deputy passes nothing on. Raises Conflict where `by` is not named for a section, or has a deputy on one of these
    days; Invalid where the dates, the reason or the deputy will not do.
    """
    if not any(point.consultation_id == consultation.id for point in by.focal_points):
        raise Conflict(_("You are not named for a section of this consultation, so there is nothing to delegate."))
    _check_deputy(consultation, deputy, by)
    _check_dates(starts_on, ends_on, today_in(consultation))
    if not reason:
        raise Invalid(_("Say why, in a few words; it stands in the record."), field="reason")
    overlapping = select(Delegation).where(
        Delegation.consultation_id == consultation.id,
        Delegation.principal_id == by.id,
        Delegation.revoked_at.is_(None),
        Delegation.starts_on <= ends_on,
        Delegation.ends_on >= starts_on,
    )
    if db.session.scalar(overlapping.limit(1)) is not None:
        raise Conflict(_("You have a deputy on some of these days already. Take that back first."))
    made = Delegation(consultation=consultation, principal=by, deputy=deputy, starts_on=starts_on, ends_on=ends_on, reason=reason)
    db.session.add(made)
    audit.record(by, "delegation.make", made)
    key = f"delegation:{made.public_id}"
    mail.queue("consultations.deputy", deputy.email, deputy.language, key, consultation.id, delegation_id=made.id)
    return made


@audit.in_turn
def revoke(delegation: Delegation, *, by: Actor) -> None:
    """End a delegation now; what the deputy signed before stands. Raises Conflict where it is over, or is not theirs to end."""
    is_own = by.is_user and delegation.principal.actor_key == by.actor_key
    if not is_own and Role.ORGANISER not in by.roles_in(delegation.consultation_id):
        raise Conflict(_("Only who delegated, or an organiser, can take it back."))
    if delegation.is_over:
        raise Conflict(_("This delegation is over already."))
    _end(delegation, by=by)


def _end(delegation: Delegation, *, by: Actor) -> None:
    delegation.revoked_at, delegation.revoked_by = now(), by if isinstance(by, User) else None
    audit.record(by, "delegation.revoke", delegation)


def end_all(consultation_id: int, user: User, *, by: Actor) -> None:
    """End every delegation from and to somebody who is no longer a focal point of the consultation."""
    audit.take_turn(consultation_id)
    theirs = or_(Delegation.principal_id == user.id, Delegation.deputy_id == user.id)
    query = select(Delegation).where(Delegation.consultation_id == consultation_id, theirs, Delegation.revoked_at.is_(None))
    for delegation in db.session.scalars(query):
        if not delegation.is_over:
            _end(delegation, by=by)


def delegation_for(point: FocalPoint, user: User) -> Delegation | None:
    """By which delegation the user may act today in this focal point's place, locked until the transaction ends."""
    found = db.session.scalars(
        select(Delegation)
        .where(
            Delegation.consultation_id == point.consultation_id,
            Delegation.principal_id == point.user_id,
            Delegation.deputy_id == user.id,
            Delegation.revoked_at.is_(None),
        )
        .order_by(Delegation.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return next((delegation for delegation in found.all() if delegation.is_valid), None)
