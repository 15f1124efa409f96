"""Comments, endorsements, positions, dispositions and objections."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from consult_app.accounts.models import Membership, User
from consult_app.audit import Audited
from consult_app.consultations.diff import Ops, word_diff
from consult_app.consultations.models import Indicator, Revision, Section, today_in
from consult_app.db import Model, Public, enum_type, now
from consult_app.registrations.models import Institution, Registration, StakeholderType


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


class FileKind(enum.StrEnum):
    """What a file of evidence may be; its content decides, never its name."""

    PDF = "pdf"
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"
    DOCX = "docx"
    XLSX = "xlsx"
    PPTX = "pptx"
    ODT = "odt"
    ODS = "ods"


class Moderation(enum.StrEnum):
    """Why a comment is not shown to others; most comments never have one."""

    WAITS = "waits"  # for a facilitator of a moderated session
    HELD = "held"  # a facilitator keeps it from the screens; reviewers answer it all the same


OBJECTION_TIME = dt.timedelta(days=7)  # after the author was told of the answer

_SHOWN = text("withdrawn_at IS NULL AND moderation IS NULL")
AS_WRITTEN = frozenset({"institution_id", "stakeholder_type_id"})  # what the author was when writing; the log covers it since 0019


class Comment(Public, Audited, Model):
    """What a participant says of an indicator, on one revision of its section. Never edited, never moved (rule 3)."""

    __tablename__ = "comments"
    audit_leaves_out = frozenset({"search"})  # a copy of what is covered, folded
    audit_later = AS_WRITTEN
    __table_args__ = (
        UniqueConstraint("registration_id", "client_key"),  # a comment sent twice appears once (rule 10)
        Index("ix_comments_indicator_id_id", "indicator_id", "id"),
        Index("ix_comments_section_id_id", "section_id", "id"),
        # what a page of an indicator lists and counts; SQLite wants the last two in it, to count without a look at the rows
        Index("ix_comments_shown", "indicator_id", "id", "withdrawn_at", "moderation", sqlite_where=_SHOWN, postgresql_where=_SHOWN),
    )

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id"))
    indicator_id: Mapped[int] = mapped_column(ForeignKey("indicators.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revisions.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"))  # that the author had when writing (rule 28)
    stakeholder_type_id: Mapped[int] = mapped_column(ForeignKey("stakeholder_types.id"))
    number: Mapped[int]  # its No in the comment matrix, counted per consultation
    kind: Mapped[CommentKind] = mapped_column(enum_type(CommentKind))
    text: Mapped[str]
    proposed: Mapped[str] = mapped_column(default="")
    # the finding as the revision has it in this language, which the proposed wording is an edit of; empty on older comments
    against: Mapped[str] = mapped_column(default="")
    proposed_language: Mapped[str] = mapped_column(default="")
    link: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    client_key: Mapped[str]
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # a rapporteur, for someone in the room
    search: Mapped[str] = mapped_column(default="")  # code, text, proposed wording and response, folded for comparison
    withdrawn_at: Mapped[dt.datetime | None]
    moderation: Mapped[Moderation | None] = mapped_column(enum_type(Moderation))
    held_reason: Mapped[str] = mapped_column(default="")

    section: Mapped[Section] = relationship()
    indicator: Mapped[Indicator] = relationship()
    revision: Mapped[Revision] = relationship()
    registration: Mapped[Registration] = relationship()
    institution: Mapped[Institution] = relationship()
    stakeholder_type: Mapped[StakeholderType] = relationship()
    recorded_by: Mapped[User | None] = relationship()
    dispositions: Mapped[list[Disposition]] = relationship(
        order_by="Disposition.id", back_populates="comment", foreign_keys="Disposition.comment_id"
    )
    proposals: Mapped[list[ProposedAnswer]] = relationship(
        order_by="ProposedAnswer.id", back_populates="comment", foreign_keys="ProposedAnswer.comment_id"
    )
    assignments: Mapped[list[Assignment]] = relationship(order_by="Assignment.id", back_populates="comment")
    endorsements: Mapped[list[Endorsement]] = relationship(back_populates="comment")
    objection: Mapped[Objection | None] = relationship(back_populates="comment")  # the author's, to the answer
    replies: Mapped[list[Reply]] = relationship(order_by="Reply.id", back_populates="comment")
    attachments: Mapped[list[Attachment]] = relationship(order_by="Attachment.number", back_populates="comment")

    @property
    def proposed_ops(self) -> Ops:
        """The proposed wording as a difference of words to the text it was made against."""
        return word_diff(self.against, self.proposed) if self.against else [("same", self.proposed)]

    @property
    def read(self) -> dict[str, Any] | None:
        """The indicator as the revision has it that the author read; None where that does not have it."""
        rows = self.revision.content["indicators"]
        return next((row for row in rows if row["code"] == self.indicator.code), None)

    @property
    def is_of_earlier_text(self) -> bool:
        """Whether the text has changed since the revision that it was made on (rule 3)."""
        return self.revision.number != self.section.revision_number

    @property
    def standing_replies(self) -> list[Reply]:
        return [reply for reply in self.replies if not reply.is_withdrawn]

    @property
    def disposition(self) -> Disposition | None:
        """The decided answer as it now stands; the others are its history (rule 13)."""
        return next((one for one in reversed(self.dispositions) if not one.is_taken_back), None)

    @property
    def earlier_answers(self) -> list[Disposition]:
        """Those that were replaced or taken back."""
        return [one for one in self.dispositions if one is not self.disposition]

    @property
    def answer_state(self) -> str:
        """What a form about the answer was made from: the ids of the answer and of what is proposed; empty where there is neither."""
        found = [one.public_id if one is not None else "" for one in (self.disposition, self.proposal)]
        return ".".join(found) if any(found) else ""

    @property
    def proposal(self) -> ProposedAnswer | None:
        """The answer that is drafted, or decided by one and waiting for another; none of it is told or counted."""
        return self.proposals[-1] if self.proposals and self.proposals[-1].closed_at is None else None

    @property
    def assignment(self) -> Assignment | None:
        """Who is asked for words, and until when; None once that was taken back."""
        return self.assignments[-1] if self.assignments and self.assignments[-1].institution_id is not None else None

    @property
    def waits_for_revision(self) -> bool:
        """Accepted, but no revision is named yet that carries the change (rule 14)."""
        return bool(self.disposition and self.disposition.needs_revision and self.disposition.revision_id is None)

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None

    @property
    def is_shown(self) -> bool:
        """Whether others than its author and the reviewers may see it; `queries.SHOWN` says the same of rows."""
        return self.moderation is None and not self.is_withdrawn

    @property
    def waits_for_facilitator(self) -> bool:
        return self.moderation is Moderation.WAITS

    @property
    def is_held(self) -> bool:
        return self.moderation is Moderation.HELD


class Reply(Public, Audited, Model):
    """What a participant or somebody of the staff answers to a comment, one level deep. It needs no disposition of its own."""

    __tablename__ = "replies"
    audit_later = AS_WRITTEN
    __table_args__ = (
        UniqueConstraint("registration_id", "client_key"),
        UniqueConstraint("written_by_id", "client_key"),
        CheckConstraint("(registration_id IS NULL) <> (written_by_id IS NULL)", name="of_a_participant_or_of_staff"),
    )

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id"))
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revisions.id"))
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("people.id"), index=True)
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"))  # that a participant had when writing
    stakeholder_type_id: Mapped[int | None] = mapped_column(ForeignKey("stakeholder_types.id"))
    written_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str]
    language: Mapped[str] = mapped_column(default="en")
    client_key: Mapped[str]
    withdrawn_at: Mapped[dt.datetime | None]

    comment: Mapped[Comment] = relationship(back_populates="replies")
    revision: Mapped[Revision] = relationship()
    registration: Mapped[Registration | None] = relationship()
    institution: Mapped[Institution | None] = relationship()
    stakeholder_type: Mapped[StakeholderType | None] = relationship()
    written_by: Mapped[User | None] = relationship()
    roles: Mapped[list[Membership]] = relationship(  # that who wrote it, of the staff, has in the consultation
        primaryjoin=lambda: (foreign(Membership.user_id) == Reply.written_by_id) & (Membership.consultation_id == Reply.consultation_id),
        viewonly=True,
    )

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None


class Attachment(Public, Audited, Model):
    """A file of evidence with a comment. The content lies in the file store under `key`; its SHA-256 stands here."""

    __tablename__ = "attachments"
    __table_args__ = (
        UniqueConstraint("comment_id", "number"),
        UniqueConstraint("comment_id", "sha256"),  # the same file sent twice is there once (rule 10)
        CheckConstraint("number BETWEEN 1 AND 3", name="at_most_three"),
    )

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    number: Mapped[int]
    kind: Mapped[FileKind] = mapped_column(enum_type(FileKind))
    size: Mapped[int]  # bytes
    sha256: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")  # as its sender called it; told only where their name is
    erased_at: Mapped[dt.datetime | None]

    comment: Mapped[Comment] = relationship(back_populates="attachments")


class CommentDraft(Model):
    """What a participant is typing on an indicator, so that another phone finds it. It decides nothing and is not audited."""

    __tablename__ = "comment_drafts"
    __table_args__ = (UniqueConstraint("registration_id", "indicator_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    indicator_id: Mapped[int] = mapped_column(ForeignKey("indicators.id"))
    client_key: Mapped[str] = mapped_column(default="")  # of the page that saved it last
    typed: Mapped[dict[str, str]]  # by the names of the form's fields
    saved_at: Mapped[dt.datetime] = mapped_column(default=now, index=True)


class Endorsement(Public, Audited, Model):
    __tablename__ = "endorsements"
    __table_args__ = (UniqueConstraint("comment_id", "person_id"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    comment: Mapped[Comment] = relationship(back_populates="endorsements")


class Position(Public, Audited, Model):
    """What a participant holds of an indicator, on one revision; on a later one it is marked, not moved (rule 3)."""

    __tablename__ = "positions"
    audit_later = AS_WRITTEN
    __table_args__ = (UniqueConstraint("indicator_id", "person_id", "revision_id"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    indicator_id: Mapped[int] = mapped_column(ForeignKey("indicators.id"))
    revision_id: Mapped[int] = mapped_column(ForeignKey("revisions.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"))  # that they had when taking it (rule 28)
    stakeholder_type_id: Mapped[int] = mapped_column(ForeignKey("stakeholder_types.id"))
    # taken by who spoke for that institution until they left it: it goes on standing for it
    was_spoken: Mapped[bool] = mapped_column(default=False)
    value: Mapped[PositionValue] = mapped_column(enum_type(PositionValue))
    reason: Mapped[str] = mapped_column(default="")
    taken_at: Mapped[dt.datetime]

    registration: Mapped[Registration] = relationship()
    revision: Mapped[Revision] = relationship()
    indicator: Mapped[Indicator] = relationship()


class PositionsTold(Public, Audited, Model):
    """What participants and observers are told of the positions on an indicator under the Chatham House Rule, from `created_at` on.

    The newest row of an indicator counts; none is ever changed. `told` is a `disclosure.Told`, by stakeholder type and by revision.
    """

    __tablename__ = "positions_told"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    indicator_id: Mapped[int] = mapped_column(ForeignKey("indicators.id"), index=True)
    told: Mapped[dict[str, Any]] = mapped_column(JSON)


class Disposition(Public, Audited, Model):
    """A decided answer. The newest of a comment counts; `revision_id` is the revision that carries the change."""

    __tablename__ = "dispositions"
    audit_later = frozenset({"told_at"})

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id"), index=True)
    kind: Mapped[DispositionKind] = mapped_column(enum_type(DispositionKind))
    response: Mapped[str] = mapped_column(default="")
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id"))
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revisions.id"))
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    confirmed_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # the second pair of eyes, where one is needed
    told_at: Mapped[dt.datetime | None]  # when the author was written to, in one message per batch
    taken_back_at: Mapped[dt.datetime | None]  # before the author was told; it stays in the history, and counts no more
    taken_back_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    comment: Mapped[Comment] = relationship(back_populates="dispositions", foreign_keys=[comment_id])
    duplicate_of: Mapped[Comment | None] = relationship(foreign_keys=[duplicate_of_id])
    revision: Mapped[Revision | None] = relationship()
    decided_by: Mapped[User] = relationship(foreign_keys=[decided_by_id])
    confirmed_by: Mapped[User | None] = relationship(foreign_keys=[confirmed_by_id])

    @property
    def is_taken_back(self) -> bool:
        return self.taken_back_at is not None

    @property
    def may_be_taken_back(self) -> bool:
        """Whether nobody was told of it, and nothing rests on it yet."""
        return self.told_at is None and self.revision_id is None and not self.is_taken_back

    @property
    def object_until(self) -> dt.datetime | None:
        """Until when the author may object: some days after being told. None as long as nobody was told."""
        return self.told_at + OBJECTION_TIME if self.told_at is not None else None

    @property
    def takes_objection(self) -> bool:
        return self.object_until is None or now() <= self.object_until

    @property
    def needs_revision(self) -> bool:
        """Whether a revision has to carry the change (rule 14)."""
        return self.kind in (DispositionKind.ACCEPTED, DispositionKind.ACCEPTED_IN_PART)


class ProposedAnswer(Public, Audited, Model):
    """An answer that does not count yet: a draft of anybody of the staff, or (`decided_at`) decided by one person where two are needed.

    Of a comment only the newest may stand open; decided, dropped or replaced by another, it is closed and kept.
    """

    __tablename__ = "proposed_answers"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id"), index=True)
    kind: Mapped[DispositionKind] = mapped_column(enum_type(DispositionKind))
    response: Mapped[str] = mapped_column(default="")
    duplicate_of_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id"))
    written_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    decided_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]

    comment: Mapped[Comment] = relationship(back_populates="proposals", foreign_keys=[comment_id])
    duplicate_of: Mapped[Comment | None] = relationship(foreign_keys=[duplicate_of_id])
    written_by: Mapped[User] = relationship()

    @property
    def waits_for_second(self) -> bool:
        """Whether the focal point has decided, and another person has to confirm it."""
        return self.decided_at is not None and self.closed_at is None


class Assignment(Public, Audited, Model):
    """Which institution is asked to answer a comment, until when. The newest of a comment counts; without institution, nobody is."""

    __tablename__ = "assignments"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id"), index=True)
    institution_id: Mapped[int | None] = mapped_column(ForeignKey("institutions.id"), index=True)
    due_on: Mapped[dt.date | None]
    assigned_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))

    comment: Mapped[Comment] = relationship(back_populates="assignments")
    institution: Mapped[Institution | None] = relationship()
    assigned_by: Mapped[User] = relationship()

    @property
    def is_overdue(self) -> bool:
        """Whether the day is over, by the consultation's calendar, and there is no answer."""
        if self.due_on is None or self.comment.disposition is not None:
            return False
        return self.due_on < today_in(self.comment.section.consultation)


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
    comment: Mapped[Comment] = relationship(back_populates="objection")

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None


class ChangeLink(Public, Audited, Model):
    """A change of a section's text (or, with an indicator, of its finding) that answers an accepted comment.

    It waits for the next revision, which then carries the comment (rule 14); until then it can be taken back.
    """

    __tablename__ = "change_links"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id"), index=True)
    indicator_id: Mapped[int | None] = mapped_column(ForeignKey("indicators.id"))
    comment_id: Mapped[int] = mapped_column(ForeignKey("comments.id"), index=True)
    edit_number: Mapped[int]  # of the text as it was saved with it
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revisions.id"))
    linked_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    comment: Mapped[Comment] = relationship()
    section: Mapped[Section] = relationship()
    indicator: Mapped[Indicator | None] = relationship()
    revision: Mapped[Revision | None] = relationship()
    linked_by: Mapped[User | None] = relationship()

    @property
    def is_carried(self) -> bool:
        return self.revision_id is not None
