"""People at events: stakeholder types, institutions, quotas, registrations, consents."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from consult_app.audit import Audited
from consult_app.consultations.models import Dimension
from consult_app.db import Model, Public, enum_type, now
from consult_app.events.models import Event
from consult_app.i18n import Texts, gettext
from consult_app.policy import Role


class Sex(enum.StrEnum):
    FEMALE = "female"
    MALE = "male"
    OTHER = "other"
    UNDISCLOSED = "undisclosed"


class Attendance(enum.StrEnum):
    IN_PERSON = "in_person"
    ONLINE = "online"


class RegistrationState(enum.StrEnum):
    PENDING = "pending"  # an organiser has yet to approve it, at an event with approval; holds no seat
    REFUSED = "refused"  # an organiser did not approve it
    CONFIRMED = "confirmed"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    REPLACED = "replaced"  # a colleague took the institution's seat (product.md rule 6)


LIVE = frozenset({RegistrationState.CONFIRMED, RegistrationState.WAITING, RegistrationState.PENDING})


class ParticipantRole(enum.StrEnum):
    PARTICIPANT = "participant"
    SPEAKER = "speaker"
    MODERATOR = "moderator"
    FACILITATOR = "facilitator"
    RAPPORTEUR = "rapporteur"
    ORGANISER = "organiser"
    ASSISTANT = "assistant"  # a personal assistant, outside capacity (domain.md)


class Source(enum.StrEnum):
    PUBLIC = "public"
    ORGANISER = "organiser"
    IMPORT = "import"
    WALK_IN = "walk_in"
    REPLACEMENT = "replacement"
    INVITATION = "invitation"  # accepted by the person invited, or by the contact of an institution


class Purpose(enum.StrEnum):
    """What a consent is for; each asked on its own, unticked (UU 27/2022)."""

    TAKING_PART = "taking_part"
    PHOTO = "photo"
    FOLLOW_UP = "follow_up"


class StakeholderType(Public, Audited, Model):
    __tablename__ = "stakeholder_types"
    __table_args__ = (UniqueConstraint("consultation_id", "code"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    code: Mapped[str]
    name: Mapped[Texts]
    place: Mapped[int]


class Institution(Public, Audited, Model):
    __tablename__ = "institutions"
    __table_args__ = (UniqueConstraint("consultation_id", "key"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    key: Mapped[str]  # the name folded for comparison, so that one institution is one row
    name: Mapped[Texts]
    short: Mapped[str] = mapped_column(default="")
    stakeholder_type_id: Mapped[int] = mapped_column(ForeignKey("stakeholder_types.id"))
    stakeholder_type: Mapped[StakeholderType] = relationship()


class Quota(Public, Audited, Model):
    """Seats and target of one stakeholder type, or seats of one dimension group, at one event.

    Types without a row share what capacity leaves. A full type has a waiting list; a full group is not offered.
    """

    __tablename__ = "quotas"
    __table_args__ = (
        UniqueConstraint("event_id", "stakeholder_type_id"),
        UniqueConstraint("event_id", "dimension_id"),
        CheckConstraint("seats IS NULL OR seats >= 0", name="seats_not_negative"),
        CheckConstraint("target IS NULL OR target >= 0", name="target_not_negative"),
        CheckConstraint("(stakeholder_type_id IS NULL) <> (dimension_id IS NULL)", name="of_a_type_or_of_a_group"),
    )

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    stakeholder_type_id: Mapped[int | None] = mapped_column(ForeignKey("stakeholder_types.id"))
    dimension_id: Mapped[int | None] = mapped_column(ForeignKey("dimensions.id"))
    seats: Mapped[int | None]  # None: no limit of its own
    target: Mapped[int | None]  # how many the organiser hopes for; only shown, never enforced
    stakeholder_type: Mapped[StakeholderType | None] = relationship()
    dimension: Mapped[Dimension | None] = relationship()


class QuestionKind(enum.StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    MULTIPLE = "multiple"
    NUMBER = "number"
    DATE = "date"
    YES_NO = "yes_no"
    CONSENT = "consent"


class Question(Public, Audited, Model):
    """A question that the organiser adds to the registration form of one event."""

    __tablename__ = "questions"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    place: Mapped[int]
    kind: Mapped[QuestionKind] = mapped_column(enum_type(QuestionKind))
    label: Mapped[Texts]
    hint: Mapped[Texts] = mapped_column(default=dict)
    is_required: Mapped[bool] = mapped_column(default=False)
    is_retired: Mapped[bool] = mapped_column(default=False)  # asked no more; the answers stay
    # [{"key": "a1b2", "name": {"en": …, "id": …}, "seats": 12 | None}, …] of a choice or multiple choice
    options: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    stakeholder_type_codes: Mapped[list[str]] = mapped_column(default=list)  # who is asked; empty: everybody


class QuestionAnswer(Public, Audited, Model):
    """One answer of one registration; a multiple choice has a row for each option ticked (its key is the value)."""

    __tablename__ = "question_answers"
    __table_args__ = (
        UniqueConstraint("registration_id", "question_id", "value"),
        Index("ix_question_answers_question_id_value", "question_id", "value"),
    )

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    question_id: Mapped[int] = mapped_column(ForeignKey("questions.id"))
    value: Mapped[str]
    question: Mapped[Question] = relationship()
    registration: Mapped[Registration] = relationship(back_populates="answers")


class Person(Public, Audited, Model):
    """Who somebody is throughout one consultation: one e-mail, one person. The details stand on each registration."""

    __tablename__ = "people"
    __table_args__ = (UniqueConstraint("consultation_id", "email"),)

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    email: Mapped[str | None]  # lower case; None for somebody without one (a walk-in)
    erased_at: Mapped[dt.datetime | None]  # the tombstone: their details are gone, their totals stay


class Registration(Public, Audited, Model):
    """One person's place at one event, and the actor that its personal link opens."""

    __tablename__ = "registrations"
    __table_args__ = (
        # one person, one seat (product.md rule 5): a seat given up may be taken again
        Index(
            "uq_registrations_event_id_person_id_live",
            "event_id",
            "person_id",
            unique=True,
            sqlite_where=text("state IN ('confirmed', 'waiting', 'pending')"),
            postgresql_where=text("state IN ('confirmed', 'waiting', 'pending')"),
        ),
        Index("ix_registrations_event_id_name", "event_id", "name", "id"),  # the order of lists
        Index("ix_registrations_event_id_state_type", "event_id", "state", "stakeholder_type_id"),
        Index(
            "uq_registrations_event_id_institution_id_speaks",
            "event_id",
            "institution_id",
            unique=True,
            sqlite_where=text("speaks_for_institution AND state = 'confirmed'"),
            postgresql_where=text("speaks_for_institution AND state = 'confirmed'"),
        ),
    )
    audit_leaves_out = frozenset({"search", "opened_at"})  # a copy of what is covered, folded; moves with every use of the link

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"), index=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"), index=True)
    stakeholder_type_id: Mapped[int] = mapped_column(ForeignKey("stakeholder_types.id"))
    dimension_id: Mapped[int | None] = mapped_column(ForeignKey("dimensions.id"))  # the group they want to join
    replaces_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"))
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("event_invitations.id"), index=True)

    salutation: Mapped[str] = mapped_column(default="")
    title_before: Mapped[str] = mapped_column(default="")
    name: Mapped[str]
    title_after: Mapped[str] = mapped_column(default="")
    email: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    unit: Mapped[str] = mapped_column(default="")
    position: Mapped[str] = mapped_column(default="")
    sex: Mapped[Sex] = mapped_column(enum_type(Sex), default=Sex.UNDISCLOSED)
    attendance: Mapped[Attendance] = mapped_column(enum_type(Attendance), default=Attendance.IN_PERSON)
    days: Mapped[list[str]] = mapped_column(default=list)  # ISO dates; empty: every day
    role: Mapped[ParticipantRole] = mapped_column(enum_type(ParticipantRole), default=ParticipantRole.PARTICIPANT)
    # their position stands for their institution; at most one of those confirmed, per institution and event
    speaks_for_institution: Mapped[bool] = mapped_column(default=False)
    assignment_letter: Mapped[str] = mapped_column(default="")
    accommodations: Mapped[str] = mapped_column(default="")
    diet: Mapped[str] = mapped_column(default="")
    language: Mapped[str] = mapped_column(default="en")

    state: Mapped[RegistrationState] = mapped_column(enum_type(RegistrationState))
    source: Mapped[Source] = mapped_column(enum_type(Source))
    state_changed_at: Mapped[dt.datetime] = mapped_column(default=now)
    state_note: Mapped[str] = mapped_column(default="")
    # The ticket and the access link come from this seed and the site's token key (tickets.py); both kept as SHA-256.
    seed: Mapped[str]
    ticket_hash: Mapped[str] = mapped_column(unique=True)
    link_hash: Mapped[str] = mapped_column(unique=True)
    client_key: Mapped[str | None] = mapped_column(unique=True)  # makes a form sent twice count once
    search: Mapped[str] = mapped_column(default="")  # folded name, institution, mail and phone
    opened_at: Mapped[dt.datetime | None]

    event: Mapped[Event] = relationship()
    person: Mapped[Person] = relationship()
    institution: Mapped[Institution] = relationship()
    stakeholder_type: Mapped[StakeholderType] = relationship()
    dimension: Mapped[Dimension | None] = relationship()
    replaces: Mapped[Registration | None] = relationship(remote_side="Registration.id")
    consents: Mapped[list[Consent]] = relationship(order_by="Consent.id", back_populates="registration")
    answers: Mapped[list[QuestionAnswer]] = relationship(order_by="QuestionAnswer.id", back_populates="registration")

    is_user = False
    is_participant = True
    is_authenticated = True
    is_anonymous = False

    @property
    def is_live(self) -> bool:
        """Whether it holds a seat or waits for one or for approval."""
        return self.state in LIVE

    @property
    def is_confirmed(self) -> bool:
        return self.state is RegistrationState.CONFIRMED

    @property
    def is_waiting(self) -> bool:
        return self.state is RegistrationState.WAITING

    @property
    def is_pending(self) -> bool:
        return self.state is RegistrationState.PENDING

    @property
    def full_name(self) -> str:
        """The name as on a certificate: titles before, name, titles after; words for it once it is erased."""
        if not self.name:
            return str(gettext("(name erased)"))
        before = f"{self.title_before} {self.name}".strip()
        return f"{before}, {self.title_after}" if self.title_after else before

    @property
    def takes_a_seat(self) -> bool:
        """Assistants do not count against capacity, nor does taking part online."""
        return self.role is not ParticipantRole.ASSISTANT and self.attendance is Attendance.IN_PERSON

    # -- as an actor (policy.Actor, Flask-Login) --

    @property
    def is_active(self) -> bool:
        return self.is_live

    @property
    def actor_key(self) -> str:
        return f"participant:{self.public_id}"

    def get_id(self) -> str:
        return f"participant:{self.public_id}:{self.link_hash[:12]}"

    def roles_in(self, consultation_id: int | None) -> frozenset[Role]:
        # who is not approved yet sees their own registration, and nothing of the consultation
        belongs = self.is_live and not self.is_pending and consultation_id == self.consultation_id
        return frozenset({Role.PARTICIPANT}) if belongs else frozenset()

    def is_named_for(self, section_id: int | None) -> bool:
        return False

    def owns(self, thing: Any) -> bool:
        """Whether the thing is theirs: this registration, or what the same person wrote."""
        return thing is self or getattr(thing, "person_id", None) == self.person_id


class InstitutionChange(Public, Audited, Model):
    """A participant wants to stand under another institution, which is represented already: an organiser confirms it (rule 28)."""

    __tablename__ = "institution_changes"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    institution_id: Mapped[int] = mapped_column(ForeignKey("institutions.id"))
    stakeholder_type_id: Mapped[int] = mapped_column(ForeignKey("stakeholder_types.id"))
    decided_at: Mapped[dt.datetime | None]
    is_accepted: Mapped[bool] = mapped_column(default=False)

    registration: Mapped[Registration] = relationship()
    institution: Mapped[Institution] = relationship()
    stakeholder_type: Mapped[StakeholderType] = relationship()


class LinkOpening(Model):
    """A phone that opened somebody's personal link, by a hash that says nothing of it elsewhere."""

    __tablename__ = "link_openings"
    __table_args__ = (UniqueConstraint("registration_id", "phone_hash"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    phone_hash: Mapped[str]
    opened_at: Mapped[dt.datetime]


class JoinCode(Public, Audited, Model):
    """A secret that the desk shows as a QR after a check-in: it opens the guest's session once, for a few minutes."""

    __tablename__ = "join_codes"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    ends_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    registration: Mapped[Registration] = relationship()


class LinkRequest(Model):
    """Somebody asked for the links of an address; the worker sends what there is, and the row is gone.

    The page writes it whether or not the address is known, so that neither its words nor its time tell anything.
    """

    __tablename__ = "link_requests"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    asked_at: Mapped[dt.datetime] = mapped_column(default=now)


class Submission(Model):
    """What somebody sent by the public form; the worker registers them in the order of the rows, and each is gone then.

    The page writes it whether or not the address is known, so that neither its words nor its time tell anything.
    """

    __tablename__ = "submissions"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    email: Mapped[str] = mapped_column(index=True)
    client_key: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)  # by the names of `people.Details`
    consents: Mapped[dict[str, bool]] = mapped_column(JSON)
    answers: Mapped[dict[str, list[str]]] = mapped_column(JSON)  # by the public id of the question
    sent_at: Mapped[dt.datetime] = mapped_column(default=now)


class Consent(Public, Audited, Model):
    """What was asked, in which version of the notice, how it was answered, when and where; a change is a new row."""

    __tablename__ = "consents"

    consultation_id: Mapped[int] = mapped_column(ForeignKey("consultations.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    purpose: Mapped[Purpose] = mapped_column(enum_type(Purpose))
    is_given: Mapped[bool]
    notice_version: Mapped[str]
    language: Mapped[str]
    channel: Mapped[Source] = mapped_column(enum_type(Source))
    registration: Mapped[Registration] = relationship(back_populates="consents")
