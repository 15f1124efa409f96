"""A consultation and its report: dimensions, indicators, sections, revisions, and who is named for which section."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from consult_app.accounts.models import User
from consult_app.audit import Audited
from consult_app.db import Model, Public, enum_type, now
from consult_app.i18n import Texts


class Level(enum.StrEnum):
    NATIONAL = "national"
    SUBNATIONAL = "subnational"


class Attribution(enum.StrEnum):
    """How comments are shown to participants and observers (product.md rule 11)."""

    BY_NAME = "by_name"
    BY_INSTITUTION = "by_institution"
    BY_STAKEHOLDER_TYPE = "by_stakeholder_type"  # the Chatham House Rule


class SectionState(enum.StrEnum):
    DRAFT = "draft"
    OPEN = "open"  # participants comment on its current revision
    IN_REVIEW = "in_review"  # comments closed, being answered; the text may be edited
    FROZEN = "frozen"  # its current revision stands for signature
    RETURNED = "returned"  # a focal point sent it back; the text may be edited
    SIGNED = "signed"


class SigningOrder(enum.StrEnum):
    PARALLEL = "parallel"
    IN_ORDER = "in_order"  # nobody signs before those with a smaller order number have


class SignatoryRole(enum.StrEnum):
    LEAD = "lead"
    CO_SIGNING = "co_signing"


class ImportKind(enum.StrEnum):
    FRAMEWORK = "framework"
    REGISTRATIONS = "registrations"
    INVITATIONS = "invitations"
    COMMENTS = "comments"


class Consultation(Public, Audited, Model):
    """The whole exercise for one report of one country or province."""

    __tablename__ = "consultations"

    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[Texts]
    summary: Mapped[Texts] = mapped_column(default=dict)
    level: Mapped[Level] = mapped_column(enum_type(Level))
    territory: Mapped[str]  # ISO 3166-1 alpha-2 ("ID") or 3166-2 ("ID-JT")
    languages: Mapped[list[str]]
    timezone: Mapped[str] = mapped_column(default="Asia/Jakarta")
    partners: Mapped[list[str]] = mapped_column(default=list)
    sdgs: Mapped[list[str]] = mapped_column(default=list)
    gcm_objectives: Mapped[list[str]] = mapped_column(default=list)
    attribution: Mapped[Attribution] = mapped_column(enum_type(Attribution))
    controller: Mapped[str] = mapped_column(default="")  # who answers for personal data (UU 27/2022)
    is_illustrative: Mapped[bool] = mapped_column(default=False)
    framework_version: Mapped[str] = mapped_column(default="")
    needs_second_pair: Mapped[bool] = mapped_column(default=False)  # an answer counts once a second person has confirmed it

    dimensions: Mapped[list[Dimension]] = relationship(order_by="Dimension.number", back_populates="consultation")
    sections: Mapped[list[Section]] = relationship(order_by="Section.number", back_populates="consultation")

    @property
    def consultation_id(self) -> int:
        """What policy asks of anything that belongs to a consultation."""
        return self.id

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Dimension(Public, Audited, Model):
    __tablename__ = "dimensions"
    __table_args__ = (UniqueConstraint("consultation_id", "number"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    number: Mapped[int]
    name: Mapped[Texts]

    consultation: Mapped[Consultation] = relationship(back_populates="dimensions")
    indicators: Mapped[list[Indicator]] = relationship(order_by="Indicator.place", back_populates="dimension")
    section: Mapped[Section] = relationship(back_populates="dimension", uselist=False)


# What others than the staff read of an indicator that no revision has yet.
NOT_SHOWN: dict[str, Any] = {"topic": {}, "question": {}, "answer": "", "finding": {}, "evidence": "", "link": "", "institution": ""}


class Indicator(Public, Audited, Model):
    """One question of the framework with its finding; `code` is text ("1.10" is not 1.1)."""

    __tablename__ = "indicators"
    __table_args__ = (UniqueConstraint("consultation_id", "code"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    dimension_id: Mapped[int] = mapped_column(ForeignKey("dimensions.id"), index=True)
    code: Mapped[str]
    place: Mapped[int]  # order in the file, and in every list
    topic: Mapped[Texts] = mapped_column(default=dict)
    question: Mapped[Texts]
    answer: Mapped[str] = mapped_column(default="")  # of a configurable scale; by default absence, partial, complete
    finding: Mapped[Texts] = mapped_column(default=dict)
    evidence: Mapped[str] = mapped_column(default="")
    link: Mapped[str] = mapped_column(default="")
    institution: Mapped[str] = mapped_column(default="")
    sdgs: Mapped[list[str]] = mapped_column(default=list)
    gcm_objectives: Mapped[list[str]] = mapped_column(default=list)
    # as that of a section: counted up at each save and each import that changes it
    edit_number: Mapped[int] = mapped_column(default=0)
    edited_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    dimension: Mapped[Dimension] = relationship(back_populates="indicators")
    consultation: Mapped[Consultation] = relationship()
    edited_by: Mapped[User | None] = relationship()

    @property
    def shown(self) -> dict[str, Any] | None:
        """What participants read: the indicator as the current revision of its section has it; None where none has it yet."""
        revision = self.dimension.section.revision
        rows = revision.content["indicators"] if revision is not None else []
        return next((row for row in rows if row["code"] == self.code), None)


# The parts of a section's text, in the order in which they are printed.
SECTION_PARTS = ("narrative", "well_developed", "potential", "recommendations")


class Section(Public, Audited, Model):
    """The part of the report for one dimension: its working text, and the number of its current revision (0: none)."""

    __tablename__ = "sections"
    __table_args__ = (UniqueConstraint("consultation_id", "number"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    dimension_id: Mapped[int] = mapped_column(ForeignKey("dimensions.id"), unique=True)
    number: Mapped[int]
    state: Mapped[SectionState] = mapped_column(enum_type(SectionState), default=SectionState.DRAFT)
    revision_number: Mapped[int] = mapped_column(default=0)
    round: Mapped[int] = mapped_column(default=1)  # of comments: counted up when it is opened again
    frozen_at: Mapped[dt.datetime | None]
    signing_order: Mapped[SigningOrder] = mapped_column(enum_type(SigningOrder), default=SigningOrder.PARALLEL)
    narrative: Mapped[Texts] = mapped_column(default=dict)
    well_developed: Mapped[Texts] = mapped_column(default=dict)
    potential: Mapped[Texts] = mapped_column(default=dict)
    recommendations: Mapped[Texts] = mapped_column(default=dict)
    # counted up at each save; a form that was opened on an older number is refused (409) and shown both texts
    edit_number: Mapped[int] = mapped_column(default=0)
    edited_at: Mapped[dt.datetime | None]
    edited_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    comments_until: Mapped[dt.datetime | None]  # until when participants may write while it is open; None: no deadline

    consultation: Mapped[Consultation] = relationship(back_populates="sections")
    dimension: Mapped[Dimension] = relationship(back_populates="section")
    edited_by: Mapped[User | None] = relationship()
    revisions: Mapped[list[Revision]] = relationship(order_by="Revision.number", back_populates="section")
    focal_points: Mapped[list[FocalPoint]] = relationship(back_populates="section", order_by="FocalPoint.order_number, FocalPoint.id")
    revision: Mapped[Revision | None] = relationship(
        primaryjoin=lambda: (Section.id == foreign(Revision.section_id)) & (Section.revision_number == Revision.number),
        viewonly=True,
        uselist=False,
    )

    @property
    def section_id(self) -> int:
        """What policy asks of anything that belongs to a section."""
        return self.id

    @property
    def title(self) -> Texts:
        return self.dimension.name

    @property
    def is_draft(self) -> bool:
        """Whether it was never put before participants."""
        return self.state is SectionState.DRAFT

    @property
    def is_open(self) -> bool:
        """Whether comments are taken on it."""
        return self.state is SectionState.OPEN

    @property
    def is_past_deadline(self) -> bool:
        """Whether the time for written comments is over: staff still record, participants do not write any more."""
        return self.comments_until is not None and now() > self.comments_until

    @property
    def takes_comments(self) -> bool:
        """Whether participants may comment now."""
        return self.is_open and not self.is_past_deadline

    @property
    def is_editable(self) -> bool:
        return self.state not in (SectionState.FROZEN, SectionState.SIGNED)

    @property
    def is_frozen(self) -> bool:
        """Whether the current revision stands for signature (it still does once signed)."""
        return self.state in (SectionState.FROZEN, SectionState.SIGNED)

    @property
    def is_signed(self) -> bool:
        return self.state is SectionState.SIGNED

    @property
    def is_in_review(self) -> bool:
        """Whether comments are closed and being answered."""
        return self.state is SectionState.IN_REVIEW

    @property
    def is_returned(self) -> bool:
        return self.state is SectionState.RETURNED

    @property
    def signs_in_order(self) -> bool:
        return self.signing_order is SigningOrder.IN_ORDER


class Revision(Public, Audited, Model):
    """An immutable snapshot of a section and its indicators; `sha256` is that of the canonical JSON of `content`."""

    __tablename__ = "revisions"
    __table_args__ = (UniqueConstraint("section_id", "number"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id"))
    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    sha256: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    section: Mapped[Section] = relationship(back_populates="revisions")
    created_by: Mapped[User | None] = relationship()


class FocalPoint(Public, Audited, Model):
    """A user named for a section: answers its comments, and whose sign-off it requires (product.md rule 16)."""

    __tablename__ = "focal_points"
    __table_args__ = (UniqueConstraint("section_id", "user_id"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    institution: Mapped[str] = mapped_column(default="")
    role: Mapped[SignatoryRole] = mapped_column(enum_type(SignatoryRole), default=SignatoryRole.CO_SIGNING)
    order_number: Mapped[int] = mapped_column(default=0)  # equal numbers sign side by side

    section: Mapped[Section] = relationship(back_populates="focal_points")
    user: Mapped[User] = relationship(back_populates="focal_points")

    @property
    def is_lead(self) -> bool:
        return self.role is SignatoryRole.LEAD


class Delegation(Public, Audited, Model):
    """A named focal point lets another one act in their place for some days, wherever they are named in the consultation."""

    __tablename__ = "delegations"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    principal_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    deputy_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    starts_on: Mapped[dt.date]
    ends_on: Mapped[dt.date]  # the last day, by the consultation's own calendar
    reason: Mapped[str]
    revoked_at: Mapped[dt.datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    consultation: Mapped[Consultation] = relationship()
    principal: Mapped[User] = relationship(foreign_keys=[principal_id], lazy="selectin", join_depth=2)  # it is reached from users
    deputy: Mapped[User] = relationship(foreign_keys=[deputy_id], back_populates="delegations")
    named: Mapped[list[FocalPoint]] = relationship(  # where the principal is; read for all delegations at once
        primaryjoin=lambda: foreign(FocalPoint.user_id) == Delegation.principal_id, viewonly=True, lazy="selectin"
    )
    revoked_by: Mapped[User | None] = relationship(foreign_keys=[revoked_by_id])

    @property
    def is_over(self) -> bool:
        return self.revoked_at is not None or today_in(self.consultation) > self.ends_on

    @property
    def is_valid(self) -> bool:
        """Whether the deputy may act today."""
        return self.revoked_at is None and self.starts_on <= today_in(self.consultation) <= self.ends_on

    def covers(self, section_id: int) -> bool:
        """Whether the deputy may act today for this section."""
        return self.is_valid and any(named.section_id == section_id for named in self.named)


def today_in(consultation: Consultation) -> dt.date:
    """Today by the consultation's own calendar."""
    return now().astimezone(ZoneInfo(consultation.timezone)).date()


class ImportDraft(Public, Model):
    """A file that was read and is shown before anything is saved (product.md rule 2); deleted when done or dropped."""

    __tablename__ = "import_drafts"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    event_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"))
    kind: Mapped[ImportKind] = mapped_column(enum_type(ImportKind))
    filename: Mapped[str]
    rows: Mapped[dict[str, Any]]  # {"rows": [...], "faults": [...]} as `imports.read` gave them
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
