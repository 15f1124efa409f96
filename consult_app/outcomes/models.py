"""What follows validation: the recorded steps up to publication, and who owes what afterwards (product.md rule 19)."""

from __future__ import annotations

import datetime as dt
import enum

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.accounts.models import User
from consult_app.audit import Audited
from consult_app.consultations.models import Consultation, Section
from consult_app.db import Model, Public, enum_type
from consult_app.i18n import Texts
from consult_app.registrations.models import Institution
from consult_app.reports.models import Report


class StepKind(enum.StrEnum):
    """In their order: each but the first needs the one before it."""

    COMMENTS_CLOSED = "comments_closed"
    COUNTERPART_ACCEPTED = "counterpart_accepted"
    CONSENT_GIVEN = "consent_given"
    PUBLISHED = "published"


class FollowUpStatus(enum.StrEnum):
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    DROPPED = "dropped"


class OutcomeStep(Public, Audited, Model):
    """One recorded step: when it happened, who decided it. Taken back, it stays with the reason."""

    __tablename__ = "outcome_steps"
    # of each kind one stands at a time; the database has the last word
    __table_args__ = (
        Index(
            "uq_outcome_steps_standing", "consultation_id", "kind", unique=True, sqlite_where=text("undone_at IS NULL"),
            postgresql_where=text("undone_at IS NULL"),
        ),
    )  # fmt: skip

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    kind: Mapped[StepKind] = mapped_column(enum_type(StepKind))
    happened_on: Mapped[dt.date]
    decided_by: Mapped[str] = mapped_column(default="")  # the institution or person, as recorded
    note: Mapped[str] = mapped_column(default="")
    report_id: Mapped[int | None] = mapped_column(ForeignKey("reports.id"))  # the sealed report that it speaks of
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    undone_at: Mapped[dt.datetime | None]
    undo_reason: Mapped[str] = mapped_column(default="")

    report: Mapped[Report | None] = relationship()
    recorded_by: Mapped[User | None] = relationship()

    @property
    def stands(self) -> bool:
        return self.undone_at is None


class FollowUp(Public, Audited, Model):
    """Something an institution is to do after the workshop; taken from a recommendation of the report, or added by hand."""

    __tablename__ = "follow_ups"
    __table_args__ = (UniqueConstraint("consultation_id", "number"), UniqueConstraint("consultation_id", "source"))

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    number: Mapped[int]
    section_id: Mapped[int | None] = mapped_column(ForeignKey("sections.id"))
    source: Mapped[str]  # what it was taken from, so that it is taken once; its own id where it was added by hand
    text: Mapped[Texts]
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"), index=True)
    contact: Mapped[str] = mapped_column(default="")  # the address that is reminded
    due_on: Mapped[dt.date | None]
    status: Mapped[FollowUpStatus] = mapped_column(enum_type(FollowUpStatus), default=FollowUpStatus.OPEN)

    consultation: Mapped[Consultation] = relationship()
    section: Mapped[Section | None] = relationship()
    institution: Mapped[Institution | None] = relationship()
    notes: Mapped[list[FollowUpNote]] = relationship(order_by="FollowUpNote.id", back_populates="follow_up")

    @property
    def is_over(self) -> bool:
        return self.status in (FollowUpStatus.DONE, FollowUpStatus.DROPPED)

    def is_late(self, today: dt.date) -> bool:
        """Whether it should have been done before today."""
        return not self.is_over and self.due_on is not None and self.due_on < today


class FollowUpNote(Public, Audited, Model):
    """What was said of a follow-up: the status it has from then on, words, a link to the evidence. Never changed."""

    __tablename__ = "follow_up_notes"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    follow_up_id: Mapped[int] = mapped_column(ForeignKey("follow_ups.id"), index=True)
    status: Mapped[FollowUpStatus] = mapped_column(enum_type(FollowUpStatus))
    text: Mapped[str] = mapped_column(default="")
    link: Mapped[str] = mapped_column(default="")
    by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    follow_up: Mapped[FollowUp] = relationship(back_populates="notes")
    by: Mapped[User | None] = relationship()
