"""Comments, endorsements, positions, dispositions and objections."""

from __future__ import annotations

import datetime as dt
import enum

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.accounts.models import User
from consult_app.audit import Audited
from consult_app.consultations.models import Indicator, Revision, Section
from consult_app.db import Model, Public, enum_type
from consult_app.registrations.models import Registration


class CommentKind(enum.StrEnum):
    CORRECTION = "correction"
    EVIDENCE = "evidence"
    WORDING = "wording"
    CONTEXT = "context"
    RECOMMENDATION = "recommendation"
    QUESTION = "question"


class PositionValue(enum.StrEnum):
    AGREE = "agree"
    RESERVATION = "reservation"
    DISAGREE = "disagree"
    ABSTAIN = "abstain"


class DispositionKind(enum.StrEnum):
    """The vocabulary of the comment matrix (domain.md)."""

    ACCEPTED = "accepted"
    ACCEPTED_IN_PART = "accepted_in_part"
    NOTED = "noted"
    NOTED_NOT_SUITED = "noted_not_suited"
    NOT_ACCEPTED = "not_accepted"
    OUT_OF_SCOPE = "out_of_scope"
    DUPLICATE = "duplicate"


class Comment(Public, Audited, Model):
    """What a participant says of an indicator, on one revision of its section. Never edited, never moved (rule 3)."""

    __tablename__ = "comments"
    __table_args__ = (
        UniqueConstraint("registration_id", "client_key"),  # a comment sent twice appears once (rule 10)
        Index("ix_comments_indicator_id_id", "indicator_id", "id"),
        Index("ix_comments_section_id_id", "section_id", "id"),
    )

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id"))
    indicator_id: Mapped[int] = mapped_column(ForeignKey("indicators.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revisions.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    number: Mapped[int]  # its No in the comment matrix, counted per consultation
    kind: Mapped[CommentKind] = mapped_column(enum_type(CommentKind))
    text: Mapped[str]
    proposed: Mapped[str] = mapped_column(default="")
    link: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    client_key: Mapped[str]
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # a rapporteur, for someone in the room
    withdrawn_at: Mapped[dt.datetime | None]

    section: Mapped[Section] = relationship()
    indicator: Mapped[Indicator] = relationship()
    revision: Mapped[Revision] = relationship()
    registration: Mapped[Registration] = relationship()
    recorded_by: Mapped[User | None] = relationship()
    dispositions: Mapped[list[Disposition]] = relationship(
        order_by="Disposition.id", back_populates="comment", foreign_keys="Disposition.comment_id"
    )
    endorsements: Mapped[list[Endorsement]] = relationship(back_populates="comment")
    objections: Mapped[list[Objection]] = relationship(order_by="Objection.id", back_populates="comment")

    @property
    def disposition(self) -> Disposition | None:
        """The decided answer as it now stands; the earlier ones are its history (rule 13)."""
        return self.dispositions[-1] if self.dispositions else None

    @property
    def objection(self) -> Objection | None:
        """The author's objection to the answer; there is at most one."""
        return self.objections[0] if self.objections else None

    @property
    def waits_for_revision(self) -> bool:
        """Accepted, but no revision is named yet that carries the change (rule 14)."""
        return bool(self.disposition and self.disposition.needs_revision and self.disposition.revision_id is None)

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None


class Endorsement(Public, Audited, Model):
    __tablename__ = "endorsements"
    __table_args__ = (UniqueConstraint("comment_id", "person_id"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    comment: Mapped[Comment] = relationship(back_populates="endorsements")


class Position(Public, Audited, Model):
    """What a participant holds of an indicator, on one revision; on a later one it is marked, not moved (rule 3)."""

    __tablename__ = "positions"
    __table_args__ = (UniqueConstraint("indicator_id", "person_id", "revision_id"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    indicator_id: Mapped[int] = mapped_column(ForeignKey("indicators.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revisions.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    value: Mapped[PositionValue] = mapped_column(enum_type(PositionValue))
    reason: Mapped[str] = mapped_column(default="")
    taken_at: Mapped[dt.datetime]

    registration: Mapped[Registration] = relationship()
    revision: Mapped[Revision] = relationship()
    indicator: Mapped[Indicator] = relationship()


class Disposition(Public, Audited, Model):
    """A decided answer. The newest of a comment counts; `revision_id` is the revision that carries the change."""

    __tablename__ = "dispositions"
    audit_leaves_out = frozenset({"told_at"})

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id"), index=True)
    kind: Mapped[DispositionKind] = mapped_column(enum_type(DispositionKind))
    response: Mapped[str] = mapped_column(default="")
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id"))
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revisions.id"))
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    told_at: Mapped[dt.datetime | None]  # when the author was written to, in one message per batch

    comment: Mapped[Comment] = relationship(back_populates="dispositions", foreign_keys=[comment_id])
    duplicate_of: Mapped[Comment | None] = relationship(foreign_keys=[duplicate_of_id])
    revision: Mapped[Revision | None] = relationship()
    decided_by: Mapped[User] = relationship()

    @property
    def needs_revision(self) -> bool:
        """Whether a revision has to carry the change (rule 14)."""
        return self.kind in (DispositionKind.ACCEPTED, DispositionKind.ACCEPTED_IN_PART)


class Objection(Public, Audited, Model):
    """A commenter's objection to the answer, once per comment; open, it blocks the section's signature (rule 15)."""

    __tablename__ = "objections"
    __table_args__ = (UniqueConstraint("comment_id"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id"))
    text: Mapped[str]
    resolved_at: Mapped[dt.datetime | None]
    resolution: Mapped[str] = mapped_column(default="")
    resolved_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    comment: Mapped[Comment] = relationship(back_populates="objections")

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None
