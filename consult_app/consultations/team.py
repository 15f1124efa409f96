"""Who works on a consultation: invitations, roles, and focal points named for sections (product.md rule 16)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from consult_app import audit, mail
from consult_app.accounts.actions import add_role, find_user, remove_role
from consult_app.accounts.models import Invitation, Membership, User
from consult_app.addresses import address_key
from consult_app.consultations.actions import lock_section
from consult_app.consultations.deputies import end_all
from consult_app.consultations.models import Consultation, FocalPoint, Section, SignatoryRole, SigningOrder
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import _
from consult_app.policy import MEMBER_ROLES, Actor, Role

INVITATION_DAYS = 14


def _holds(user: User, consultation_id: int, role: Role) -> bool:
    query = select(Membership.id).where(
        Membership.user_id == user.id, Membership.consultation_id == consultation_id, Membership.role == role
    )
    return db.session.scalar(query) is not None


@audit.in_turn
def invite(
    consultation: Consultation,
    email: str,
    role: Role,
    *,
    by: User,
    institution: str = "",
    section_ids: Sequence[str] = (),
    language: str = "en",
) -> Invitation:
    """Ask a colleague to join, by mail. `section_ids` are public ids of the sections that a focal point answers for.

    Whoever has an open invitation to the same role gets it again, with a fresh date. Raises Conflict where they hold
    the role already, Invalid where a focal point gets no section or the role is not one of a team.
    """
    address = address_key(email)
    if role not in MEMBER_ROLES:
        raise Invalid(_("This role is not given by invitation."), field="role")
    chosen = list(section_ids) if role is Role.FOCAL_POINT else []
    known = set(db.session.scalars(select(Section.public_id).where(Section.consultation_id == consultation.id)))
    if role is Role.FOCAL_POINT and (not chosen or not known.issuperset(chosen)):
        raise Invalid(_("Choose the sections that this focal point answers for."), field="sections")
    user = find_user(address)
    if user is not None and _holds(user, consultation.id, role):
        raise Conflict(_("%(email)s has this role already.", email=address))
    invitation = db.session.scalar(
        select(Invitation).where(
            Invitation.consultation_id == consultation.id,
            Invitation.email == address,
            Invitation.role == role,
            Invitation.accepted_at.is_(None),
        )
    )
    if invitation is None:
        invitation = Invitation(consultation_id=consultation.id, email=address, role=role)
        db.session.add(invitation)
    elif invitation.expires_at > now() + dt.timedelta(days=INVITATION_DAYS, minutes=-1):
        return invitation  # sent within this minute: the second click of two
    invitation.institution, invitation.section_ids, invitation.language = institution, chosen, language
    invitation.invited_by, invitation.expires_at = by, now() + dt.timedelta(days=INVITATION_DAYS)
    audit.record(by, "invitation.send", invitation)
    key = f"invitation:{invitation.public_id}:{now():%Y%m%d%H%M}"  # sent again at most once a minute
    mail.queue("consultations.invitation", address, language, key, consultation.id, invitation_id=invitation.id)
    return invitation


@audit.in_turn
def withdraw_invitation(invitation: Invitation, *, by: Actor) -> None:
    """Take an invitation back: its link stops working."""
    if invitation.accepted_at is not None:
        raise Conflict(_("This invitation was accepted already."))
    audit.record(by, "invitation.delete", invitation)
    db.session.delete(invitation)


def check_open(invitation: Invitation) -> None:
    """Raise Conflict unless the invitation can still be accepted."""
    if invitation.accepted_at is not None:
        raise Conflict(_("This invitation was accepted already. Sign in to continue."))
    if not invitation.is_open:
        raise Conflict(_("This invitation is too old. Ask whoever invited you to send it again."))


@audit.in_turn
def accept(invitation: Invitation, user: User, *, by: Actor) -> Membership:
    """Join in the role of the invitation; a focal point is named for its sections. Works once.

    Raises Conflict where it was used or is too old, or where the account has another address than the one invited.
    """
    check_open(invitation)
    if user.email != invitation.email:
        raise Conflict(_("This invitation is for %(email)s. Sign in with that account to accept it.", email=invitation.email))
    membership = add_role(user, invitation.consultation_id, invitation.role, by=by, institution=invitation.institution)
    invitation.accepted_at = now()
    audit.record(by, "invitation.accept", invitation)
    if invitation.role is Role.FOCAL_POINT:
        sections = db.session.scalars(
            select(Section)
            .where(Section.consultation_id == invitation.consultation_id, Section.public_id.in_(invitation.section_ids))
            .order_by(Section.number)
        )
        for section in sections.all():
            if not section.is_signed:  # signed meanwhile: the team page says so, and an organiser decides
                name_focal_point(section, user, invitation.institution, by=by)
    return membership


@audit.in_turn
def remove_member(membership: Membership, *, by: Actor) -> None:
    """Take a role away. A focal point is no longer named for any section; a consultation keeps one organiser."""
    consultation_id, user = membership.consultation_id, membership.user
    if membership.role is Role.ORGANISER:
        others = select(func.count()).where(
            Membership.consultation_id == consultation_id, Membership.role == Role.ORGANISER, Membership.id != membership.id
        )
        if not db.session.scalar(others):
            raise Conflict(_("This is the last organiser. Invite another one first."))
    if membership.role is Role.FOCAL_POINT:
        named = select(FocalPoint).where(FocalPoint.consultation_id == consultation_id, FocalPoint.user_id == user.id)
        for focal_point in db.session.scalars(named.options(joinedload(FocalPoint.section))).all():
            unname_focal_point(focal_point, by=by)
        end_all(consultation_id, user, by=by)
    remove_role(membership, by=by)
    db.session.flush()
    db.session.expire(user, ["memberships", "focal_points"])


@audit.in_turn
def name_focal_point(section: Section, user: User, institution: str, *, by: Actor) -> FocalPoint:
    """Let a focal point of the team answer for a section: its sign-off is required from now on.

    The first one named leads, and whoever comes later signs last. Whoever is named already is returned. Raises Conflict
    where they are no focal point, or the section is signed.
    """
    lock_section(section)
    named = db.session.scalar(select(FocalPoint).where(FocalPoint.section_id == section.id, FocalPoint.user_id == user.id))
    if named is not None:
        return named
    if not _holds(user, section.consultation_id, Role.FOCAL_POINT):
        raise Conflict(_("%(name)s is not a focal point of this consultation. Invite them as one first.", name=user.name))
    if section.is_signed:
        raise Conflict(_("Section %(number)s is signed. Reopen it before naming another focal point.", number=section.number))
    others = list(section.focal_points)
    named = FocalPoint(
        consultation_id=section.consultation_id,
        section=section,
        user=user,
        institution=institution,
        role=SignatoryRole.CO_SIGNING if others else SignatoryRole.LEAD,
        order_number=max((other.order_number for other in others), default=0) + 1,
    )
    db.session.add(named)
    audit.record(by, "focal_point.name", named)
    return named


@audit.in_turn
def unname_focal_point(focal_point: FocalPoint, *, by: Actor) -> None:
    """No longer require this focal point's sign-off. Raises Conflict while the section stands for signature."""
    section, user = focal_point.section, focal_point.user
    _require_unfrozen(section)
    audit.record(by, "focal_point.delete", focal_point)
    db.session.delete(focal_point)
    db.session.flush()
    db.session.expire(user, ["focal_points"])
    db.session.expire(section, ["focal_points"])


def _require_unfrozen(section: Section) -> None:
    lock_section(section)
    if section.is_frozen:
        raise Conflict(_("Section %(number)s stands for signature. Reopen it before changing who signs.", number=section.number))


@audit.in_turn
def set_signatories(section: Section, order: SigningOrder, wanted: Mapping[str, tuple[SignatoryRole, int]], *, by: Actor) -> None:
    """Say which institution leads, and in which order they sign. `wanted` gives role and order number by public id.

    All who are named have to sign; nobody is named or unnamed here. Raises Invalid where nobody leads, Conflict while the
    section stands for signature or where somebody was named or unnamed meanwhile.
    """
    _require_unfrozen(section)
    named = {point.public_id: point for point in section.focal_points}
    if named.keys() != wanted.keys():
        raise Conflict(_("Somebody was named or removed meanwhile. Look at the list again."))
    if not any(role is SignatoryRole.LEAD for role, _number in wanted.values()):
        raise Invalid(_("Say which institution leads."), field="role")
    for public_id, point in named.items():
        if (point.role, point.order_number) != wanted[public_id]:
            point.role, point.order_number = wanted[public_id]
            audit.record(by, "focal_point.change", point)
    if section.signing_order is not order:
        section.signing_order = order
        audit.record(by, "section.signing_order", section)
    db.session.flush()
    db.session.expire(section, ["focal_points"])
