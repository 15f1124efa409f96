"""Sealed reports."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.accounts.models import User
from consult_app.audit import Audited
from consult_app.consultations.models import Consultation, Revision, Section
from consult_app.db import Model, Public, enum_type


class ReportState(enum.StrEnum):
    QUEUED = "queued"
    SEALED = "sealed"
    FAILED = "failed"


class Report(Public, Audited, Model):
    """A validated report as one sealed PDF; `public_id` is the verification code in its QR. A later one supersedes it."""

    __tablename__ = "reports"
    __table_args__ = (UniqueConstraint("consultation_id", "number"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    number: Mapped[int]
    state: Mapped[ReportState] = mapped_column(enum_type(ReportState), default=ReportState.QUEUED)
    language: Mapped[str] = mapped_column(default="en")
    sha256: Mapped[str | None] = mapped_column(index=True)
    filename: Mapped[str] = mapped_column(default="")  # under var/reports/
    size: Mapped[int] = mapped_column(default=0)
    sealed_at: Mapped[dt.datetime | None]
    failure: Mapped[str] = mapped_column(default="")
    # what it was made from (facts.py): {"sections": [...], "figures": {...}, "log": {...}, "seal": {...}}
    manifest: Mapped[dict[str, Any]] = mapped_column(default=dict)
    requested_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    withdrawn_at: Mapped[dt.datetime | None]
    withdraw_reason: Mapped[str] = mapped_column(default="")
    withdrawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    consultation: Mapped[Consultation] = relationship()
    requested_by: Mapped[User | None] = relationship(foreign_keys=[requested_by_id])

    @property
    def is_sealed(self) -> bool:
        return self.state is ReportState.SEALED

    @property
    def is_withdrawn(self) -> bool:
        """Whether the organiser took the sealed report back; it stays where it is, and its page says so."""
        return self.withdrawn_at is not None

    @property
    def is_queued(self) -> bool:
        return self.state is ReportState.QUEUED

    @property
    def has_failed(self) -> bool:
        return self.state is ReportState.FAILED

    @property
    def is_public(self) -> bool:
        """Once sealed, anybody may verify and read it."""
        return self.is_sealed


class SignedPaper(Public, Audited, Model):
    """A scan of signatures by hand, or a PDF signed elsewhere, for one revision of a section. It is kept, and verified by nobody here."""

    __tablename__ = "signed_papers"
    __table_args__ = (UniqueConstraint("revision_id", "sha256"),)  # the same file sent twice is kept once

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revisions.id"))
    kind: Mapped[str]  # "pdf", "png", "jpeg": by its content
    size: Mapped[int]  # bytes
    sha256: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)  # in the file store
    note: Mapped[str] = mapped_column(default="")
    kept_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    section: Mapped[Section] = relationship()
    revision: Mapped[Revision] = relationship()
    kept_by: Mapped[User | None] = relationship()
