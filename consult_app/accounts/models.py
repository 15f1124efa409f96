"""Accounts of staff: sign-in, second factor, recovery codes."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.audit import Audited
from consult_app.db import Model, Public, enum_type, now
from consult_app.policy import SECOND_FACTOR_ROLES, Role

if TYPE_CHECKING:
    from consult_app.consultations.models import Delegation, FocalPoint


class User(Public, Audited, Model):
    """An account. Participants have none; they come by their personal link."""

    __tablename__ = "users"
    audit_leaves_out = frozenset({"totp_last_step"})  # moves with every code that is used
    audit_hashes = frozenset({"password_hash", "totp_secret", "recovery_codes"})

    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")
    password_hash: Mapped[str | None]
    is_administrator: Mapped[bool] = mapped_column(default=False)
    is_enabled: Mapped[bool] = mapped_column(default=True)
    is_demo: Mapped[bool] = mapped_column(default=False)
    totp_secret: Mapped[str | None]
    totp_confirmed_at: Mapped[dt.datetime | None]
    totp_last_step: Mapped[int] = mapped_column(default=0)
    # for whoever lost the phone with the second factor: what is kept of each code that was not used
    recovery_codes: Mapped[list[str]] = mapped_column(default=list)
    # counted up when the password or the roles change: every session of an earlier number has ended
    session_number: Mapped[int] = mapped_column(default=1)

    memberships: Mapped[list[Membership]] = relationship(back_populates="user")
    focal_points: Mapped[list[FocalPoint]] = relationship(back_populates="user")
    delegations: Mapped[list[Delegation]] = relationship(back_populates="deputy", foreign_keys="Delegation.deputy_id")  # to this user
    passkeys: Mapped[list[Passkey]] = relationship(back_populates="user", order_by="Passkey.id")

    is_user = True
    is_participant = False
    is_authenticated = True
    is_anonymous = False

    @property
    def is_active(self) -> bool:
        return self.is_enabled

    @property
    def actor_key(self) -> str:
        return f"user:{self.public_id}"

    @property
    def has_second_factor(self) -> bool:
        return self.totp_confirmed_at is not None or bool(self.passkeys)

    @property
    def must_have_second_factor(self) -> bool:
        """Focal points and administrators hold no role without one (product.md, People)."""
        return self.is_administrator or any(m.role in SECOND_FACTOR_ROLES for m in self.memberships)

    def get_id(self) -> str:
        return f"user:{self.public_id}:{self.session_number}"

    def roles_in(self, consultation_id: int | None) -> frozenset[Role]:
        held = {m.role for m in self.memberships if consultation_id is None or m.consultation_id == consultation_id}
        if self.is_administrator:
            held.add(Role.ADMINISTRATOR)
        return frozenset(held)

    def is_named_for(self, section_id: int | None) -> bool:
        """Whether they are named for the section, or are today the deputy of somebody who is."""
        if section_id is None:
            return False
        return any(named.section_id == section_id for named in self.focal_points) or any(d.covers(section_id) for d in self.delegations)

    def owns(self, thing: Any) -> bool:
        """What they wrote themselves."""
        return getattr(thing, "written_by_id", None) == self.id


class Passkey(Public, Audited, Model):
    """A second factor that signs a challenge (WebAuthn); only its public key is here."""

    __tablename__ = "passkeys"
    audit_leaves_out = frozenset({"sign_count", "last_used_at"})  # move with every use

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    name: Mapped[str]
    credential_id: Mapped[str] = mapped_column(unique=True)  # base64url, as the browser gives it
    public_key: Mapped[str]  # COSE, base64url
    transports: Mapped[list[str]] = mapped_column(default=list)
    sign_count: Mapped[int] = mapped_column(default=0)
    last_used_at: Mapped[dt.datetime | None]
    user: Mapped[User] = relationship(back_populates="passkeys")


class PasskeyChallenge(Model):
    """What a passkey is asked to sign: for one account and one purpose, once, within minutes."""

    __tablename__ = "passkey_challenges"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    challenge: Mapped[str] = mapped_column(unique=True)  # base64url
    purpose: Mapped[str]
    expires_at: Mapped[dt.datetime]


class OpenSession(Public, Model):
    """A session that an account opened, so that its owner sees it and can end it; forgotten after a day."""

    __tablename__ = "open_sessions"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    session_number: Mapped[int]  # that of the account, as the session began
    sid_hash: Mapped[str] = mapped_column(unique=True)
    browser: Mapped[str]  # such as "Firefox, Android"


class EndedSession(Model):
    """A session that was signed out, by the SHA-256 of its id; forgotten once its cookie would not count anyway."""

    __tablename__ = "ended_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    sid_hash: Mapped[str] = mapped_column(unique=True)
    ended_at: Mapped[dt.datetime]


class Membership(Public, Audited, Model):
    """A role of a user in one consultation."""

    __tablename__ = "memberships"
    __table_args__ = (UniqueConstraint("consultation_id", "user_id", "role"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    role: Mapped[Role] = mapped_column(enum_type(Role))
    institution: Mapped[str] = mapped_column(default="")
    wants_digest: Mapped[bool] = mapped_column(default=True)  # at most one mail a day with what waits for them
    user: Mapped[User] = relationship(back_populates="memberships")


class Invitation(Public, Audited, Model):
    """A colleague asked to join a consultation in a role; accepted by the link in the mail."""

    __tablename__ = "invitations"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    email: Mapped[str]
    role: Mapped[Role] = mapped_column(enum_type(Role))
    institution: Mapped[str] = mapped_column(default="")
    section_ids: Mapped[list[str]] = mapped_column(default=list)  # public ids of the sections a focal point answers for
    language: Mapped[str] = mapped_column(default="en")
    invited_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    expires_at: Mapped[dt.datetime]
    accepted_at: Mapped[dt.datetime | None]
    invited_by: Mapped[User] = relationship()

    @property
    def is_open(self) -> bool:
        return self.accepted_at is None and self.expires_at > now()
