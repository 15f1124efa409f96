"""Invitations to an event: of an institution, which names its people, or of a person."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.audit import Audited
from consult_app.db import Model, Public, enum_type, now
from consult_app.events.models import Event
from consult_app.policy import Role
from consult_app.registrations.models import Institution, Sex


class InvitationKind(enum.StrEnum):
    INSTITUTION = "institution"  # its contact registers the delegates
    PERSON = "person"


class InvitationState(enum.StrEnum):
    DRAFT = "draft"  # on the list, not sent yet
    SENT = "sent"  # no answer yet
    ACCEPTED = "accepted"
    DECLINED = "declined"
    DELEGATED = "delegated"  # passed on to a colleague, who has an invitation of their own
    WITHDRAWN = "withdrawn"


class Channel(enum.StrEnum):
    MAIL = "mail"
    WHATSAPP = "whatsapp"
    LETTER = "letter"


class EventInvitation(Public, Audited, Model):
    """One invitation; its link (a secret in the fragment, like a personal link) opens the page that answers it."""

    __tablename__ = "event_invitations"
    __table_args__ = (
        Index("ix_event_invitations_event_id_state", "event_id", "state"),
        Index("ix_event_invitations_event_id_email", "event_id", "email"),
        CheckConstraint("seats IS NULL OR seats >= 1", name="seats_positive"),
    )
    audit_leaves_out = frozenset({"search", "opened_at"})  # a copy of what is covered, folded; that the link was used

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"), index=True)
    delegated_from_id: Mapped[int | None] = mapped_column(ForeignKey("event_invitations.id"), index=True)
    kind: Mapped[InvitationKind] = mapped_column(enum_type(InvitationKind))
    seats: Mapped[int | None]  # how many delegates an institution may name; None: no limit of its own

    # the person invited, or the contact of the institution (whose name may be unknown)
    salutation: Mapped[str] = mapped_column(default="")
    title_before: Mapped[str] = mapped_column(default="")
    name: Mapped[str] = mapped_column(default="")
    title_after: Mapped[str] = mapped_column(default="")
    position: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")  # E.164
    sex: Mapped[Sex] = mapped_column(enum_type(Sex), default=Sex.UNDISCLOSED)
    language: Mapped[str] = mapped_column(default="en")

    state: Mapped[InvitationState] = mapped_column(enum_type(InvitationState), default=InvitationState.DRAFT)
    state_changed_at: Mapped[dt.datetime] = mapped_column(default=now)
    state_note: Mapped[str] = mapped_column(default="")  # why it was declined, in their words
    channel: Mapped[Channel | None] = mapped_column(enum_type(Channel))  # how it was sent last
    sent_at: Mapped[dt.datetime | None]
    reminded_at: Mapped[dt.datetime | None]
    reminders: Mapped[int] = mapped_column(default=0)
    opened_at: Mapped[dt.datetime | None]
    seed: Mapped[str]  # the link comes from it and the site's token key; kept as SHA-256
    link_hash: Mapped[str] = mapped_column(unique=True)
    search: Mapped[str] = mapped_column(default="")  # folded names, institution, mail and phone

    event: Mapped[Event] = relationship()
    institution: Mapped[Institution] = relationship()
    delegated_from: Mapped[EventInvitation | None] = relationship(remote_side="EventInvitation.id")

    @property
    def full_name(self) -> str:
        """The name with titles before and after; empty for an institution whose contact has no name yet."""
        before = f"{self.title_before} {self.name}".strip()
        return f"{before}, {self.title_after}" if self.title_after and before else before

    @property
    def is_open(self) -> bool:
        """Whether its link still answers something: not withdrawn, not passed on."""
        return self.state not in (InvitationState.WITHDRAWN, InvitationState.DELEGATED)

    @property
    def is_unanswered(self) -> bool:
        return self.state in (InvitationState.DRAFT, InvitationState.SENT)

    @property
    def reached_by(self) -> Channel:
        """The best way to reach them with what is known: mail, else WhatsApp, else a printed letter."""
        return Channel.MAIL if self.email else Channel.WHATSAPP if self.phone else Channel.LETTER

    @property
    def addressed_to(self) -> str:
        """The person by name, or the institution where none is known."""
        return self.full_name or next(iter(self.institution.name.values()))

    # -- as an actor (policy.Actor), on its own pages only --

    is_user = False
    is_participant = False
    is_authenticated = True
    is_anonymous = False

    @property
    def actor_key(self) -> str:
        return f"invitation:{self.public_id}"

    def roles_in(self, consultation_id: int | None) -> frozenset[Role]:
        return frozenset()

    def is_named_for(self, section_id: int | None) -> bool:
        return False

    def owns(self, thing: Any) -> bool:
        """Whether the thing is this invitation, or a registration made from it."""
        return thing is self or getattr(thing, "invitation_id", None) == self.id
