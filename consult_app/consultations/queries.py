"""Selects over consultations, sections and indicators."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from consult_app.accounts.models import Invitation, Membership, User
from consult_app.consultations.models import (
    NOT_SHOWN,
    Consultation,
    Dimension,
    FocalPoint,
    ImportDraft,
    ImportKind,
    Indicator,
    Revision,
    Section,
)
from consult_app.db import db, now
from consult_app.errors import Missing
from consult_app.i18n import _
from consult_app.policy import Role


def load_consultation(slug: str) -> Consultation:
    """The consultation of that address. Raises Missing."""
    found = db.session.scalar(select(Consultation).where(Consultation.slug == slug))
    if found is None:
        raise Missing(_("There is no such consultation."))
    return found


def load_section(consultation: Consultation, number: int) -> Section:
    """The section of that number, with its dimension and its current revision. Raises Missing."""
    found = db.session.scalar(
        select(Section)
        .where(Section.consultation_id == consultation.id, Section.number == number)
        .options(joinedload(Section.dimension), joinedload(Section.revision))
    )
    if found is None:
        raise Missing(_("This report has no section of that number."))
    return found


_TEXT = joinedload(Indicator.dimension).joinedload(Dimension.section).joinedload(Section.revision)


def load_indicator(consultation: Consultation, code: str) -> Indicator:
    """The indicator of that code, with its dimension, section and current revision. Raises Missing."""
    return load_at(consultation.slug, code)[1]


def load_at(slug: str, code: str) -> tuple[Consultation, Indicator]:
    """The consultation of that address and its indicator of that code, in one statement. Raises Missing."""
    of_code = (Indicator.consultation_id == Consultation.id) & (Indicator.code == code)
    query = select(Consultation, Indicator).outerjoin(Indicator, of_code).where(Consultation.slug == slug).options(_TEXT)
    found = db.session.execute(query).first()
    if found is None:
        raise Missing(_("There is no such consultation."))
    consultation, indicator = found
    if indicator is None:
        raise Missing(_("There is no indicator with that code in this consultation."))
    return consultation, indicator


def as_shown(consultation: Consultation) -> Mapping[str, dict[str, Any]]:
    """The indicators by code as participants read them, in the current revisions; of those that none has, texts without words."""
    is_current = (Revision.section_id == Section.id) & (Revision.number == Section.revision_number)
    contents = select(Revision.content).join(Section, is_current).where(Section.consultation_id == consultation.id)
    found: defaultdict[str, dict[str, Any]] = defaultdict(lambda: NOT_SHOWN)
    for content in db.session.scalars(contents):
        found.update((row["code"], row) for row in content["indicators"])
    return found


def load_revision(section: Section, number: int) -> Revision:
    """A revision of this section. Raises Missing."""
    found = db.session.scalar(
        select(Revision).where(Revision.section_id == section.id, Revision.number == number).options(joinedload(Revision.created_by))
    )
    if found is None:
        raise Missing(_("This section has no revision of that number."))
    return found


def load_draft(consultation: Consultation, public_id: str) -> ImportDraft:
    """A file of indicators that was read and waits to be applied. Raises Missing."""
    found = db.session.scalar(
        select(ImportDraft).where(
            ImportDraft.consultation_id == consultation.id,
            ImportDraft.public_id == public_id,
            ImportDraft.kind == ImportKind.FRAMEWORK,
        )
    )
    if found is None:
        raise Missing(_("This import was applied or dropped already. Upload the file again to see it again."))
    return found


def load_member(consultation: Consultation, public_id: str) -> Membership:
    """A role that somebody holds in this consultation. Raises Missing."""
    found = db.session.scalar(select(Membership).where(Membership.consultation_id == consultation.id, Membership.public_id == public_id))
    if found is None:
        raise Missing(_("Nobody holds this role any more."))
    return found


def load_invitation(consultation: Consultation, public_id: str) -> Invitation:
    """An invitation to this consultation. Raises Missing."""
    found = db.session.scalar(select(Invitation).where(Invitation.consultation_id == consultation.id, Invitation.public_id == public_id))
    if found is None:
        raise Missing(_("There is no such invitation any more."))
    return found


def load_focal_point(consultation: Consultation, public_id: str) -> FocalPoint:
    """A naming of a focal point in this consultation. Raises Missing."""
    found = db.session.scalar(select(FocalPoint).where(FocalPoint.consultation_id == consultation.id, FocalPoint.public_id == public_id))
    if found is None:
        raise Missing(_("This focal point is not named for the section any more."))
    return found


def sections(consultation: Consultation) -> list[Section]:
    """All sections in order, with dimension, focal points, and when the current revision was made."""
    return list(
        db.session.scalars(
            select(Section)
            .where(Section.consultation_id == consultation.id)
            .order_by(Section.number)
            .options(
                joinedload(Section.dimension),
                joinedload(Section.revision),
                selectinload(Section.focal_points).joinedload(FocalPoint.user),
            )
        ).unique()
    )


def revisions(section: Section) -> list[Revision]:
    """The history of a section, newest first, with who made each."""
    return list(
        db.session.scalars(
            select(Revision)
            .where(Revision.section_id == section.id)
            .order_by(Revision.number.desc())
            .options(joinedload(Revision.created_by))
        )
    )


def dimensions(consultation: Consultation) -> list[Dimension]:
    """All dimensions with their indicators, in order."""
    return list(
        db.session.scalars(
            select(Dimension)
            .where(Dimension.consultation_id == consultation.id)
            .order_by(Dimension.number)
            .options(selectinload(Dimension.indicators), joinedload(Dimension.section))
        ).unique()
    )


def indicator_counts(consultation: Consultation) -> dict[int, int]:
    """How many indicators each dimension has, by the dimension's id."""
    rows = db.session.execute(
        select(Indicator.dimension_id, func.count()).where(Indicator.consultation_id == consultation.id).group_by(Indicator.dimension_id)
    )
    return dict(rows.tuples().all())


@dataclass(frozen=True)
class Member:
    """Somebody on the team, with every role held in this consultation."""

    user: User
    memberships: list[Membership]

    @property
    def is_focal_point(self) -> bool:
        return any(m.role is Role.FOCAL_POINT for m in self.memberships)

    @property
    def institution(self) -> str:
        return next((m.institution for m in self.memberships if m.institution), "")


def members(consultation: Consultation) -> list[Member]:
    """The team by name, one entry per person."""
    held: dict[int, Member] = {}
    rows = db.session.scalars(
        select(Membership)
        .where(Membership.consultation_id == consultation.id)
        .join(User, User.id == Membership.user_id)
        .order_by(User.name, User.id, Membership.id)
        .options(joinedload(Membership.user))
    )
    for membership in rows.unique():
        held.setdefault(membership.user_id, Member(membership.user, [])).memberships.append(membership)
    return list(held.values())


def open_invitations(consultation: Consultation) -> list[Invitation]:
    """Invitations that can still be accepted, oldest first."""
    return list(
        db.session.scalars(
            select(Invitation)
            .where(Invitation.consultation_id == consultation.id, Invitation.accepted_at.is_(None), Invitation.expires_at > now())
            .order_by(Invitation.id)
        )
    )
