"""Sign-offs: a focal point's decisions on revisions, never overwritten (product.md rules 16-18)."""

from __future__ import annotations

import enum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.accounts.models import User
from consult_app.audit import Audited
from consult_app.consultations.models import Delegation, Revision, Section
from consult_app.db import Model, Public, enum_type


class Decision(enum.StrEnum):
    APPROVE = "approve"
    RESERVATION = "reservation"
    RETURN = "return"


class SignOff(Public, Audited, Model):
    """One decision on one revision; bound to the SHA-256 that the signer was shown."""

    __tablename__ = "sign_offs"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    section_id: Mapped[int] = mapped_column(ForeignKey("sections.id"), index=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revisions.id"))
    revision_sha256: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    signer_name: Mapped[str]  # as they stood at signing; an account may be renamed later
    signer_title: Mapped[str] = mapped_column(default="")
    institution: Mapped[str]
    decision: Mapped[Decision] = mapped_column(enum_type(Decision))
    text: Mapped[str] = mapped_column(default="")  # the reservation, or the reason for the return
    statement: Mapped[str]  # the words that were signed
    second_factor: Mapped[str]  # "totp", "recovery_code" or "passkey"
    # of a deputy's: whose place it fills, and by which delegation
    principal_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    principal_name: Mapped[str] = mapped_column(default="")
    delegation_id: Mapped[int | None] = mapped_column(ForeignKey("delegations.id"))

    section: Mapped[Section] = relationship()
    revision: Mapped[Revision] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    delegation: Mapped[Delegation | None] = relationship()
    withdrawal: Mapped[Withdrawal | None] = relationship(back_populates="sign_off", uselist=False)

    @property
    def place_of(self) -> int:
        """The id of the user whose place it fills: the signer's own, or the one they signed for as deputy."""
        return self.principal_id or self.user_id

    @property
    def approves(self) -> bool:
        return self.decision is not Decision.RETURN

    @property
    def has_reservation(self) -> bool:
        return self.decision is Decision.RESERVATION

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawal is not None

    def is_on(self, revision: Revision | None) -> bool:
        """Whether it was made on this revision, as it now is (rule 18)."""
        return revision is not None and self.revision_id == revision.id and self.revision_sha256 == revision.sha256

    def stands_on(self, revision: Revision | None) -> bool:
        """Whether it approves this revision and was not withdrawn."""
        return self.approves and not self.is_withdrawn and self.is_on(revision)


class Withdrawal(Public, Audited, Model):
    """A sign-off taken back, by whoever signed or by whom they signed for: a new record with a reason (rule 17)."""

    __tablename__ = "withdrawals"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    sign_off_id: Mapped[int] = mapped_column(ForeignKey("sign_offs.id"), unique=True)
    reason: Mapped[str]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # none in old records: whoever signed
    user: Mapped[User | None] = relationship()
    sign_off: Mapped[SignOff] = relationship(back_populates="withdrawal")
