"""What is held on a person, and what they asked for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from consult_app.accounts.models import Membership, User
from consult_app.attendance.models import CheckIn, DrawnSignature
from consult_app.audit import AuditEntry
from consult_app.comments.models import Attachment, Comment, CommentDraft, Endorsement, Objection, Position, Reply
from consult_app.consultations.models import Consultation
from consult_app.db import db
from consult_app.documents.models import Certificate
from consult_app.errors import Missing
from consult_app.i18n import _
from consult_app.invitations.models import EventInvitation
from consult_app.mail import Mail
from consult_app.policy import Role
from consult_app.privacy.models import DataRequest, RequestState
from consult_app.registrations.models import InstitutionChange, JoinCode, LinkOpening, Person, QuestionAnswer, Registration
from consult_app.room.models import Hand


def registrations_of(person: Person) -> list[Registration]:
    """All registrations of a person in their consultation, with everything that hangs on them."""
    wanted = (joinedload(Registration.event), joinedload(Registration.institution), joinedload(Registration.stakeholder_type))
    more = (selectinload(Registration.consents), selectinload(Registration.answers).joinedload(QuestionAnswer.question))
    query = select(Registration).where(Registration.person_id == person.id).options(*wanted, *more).order_by(Registration.id)
    return list(db.session.scalars(query).unique())


def invitations_of(person: Person) -> list[EventInvitation]:
    """Invitations to their address."""
    if not person.email:
        return []
    query = select(EventInvitation).where(EventInvitation.consultation_id == person.consultation_id, EventInvitation.email == person.email)
    return list(db.session.scalars(query))


def mails_to(person: Person) -> Select[Mail]:
    """Mails about their registrations or to their address, within the consultation."""
    theirs: list[ColumnElement[bool]] = [Mail.about.in_(select(Registration.public_id).where(Registration.person_id == person.id))]
    if person.email:
        theirs.append(Mail.to == person.email)
    return select(Mail).where(Mail.consultation_id == person.consultation_id, or_(*theirs)).order_by(Mail.id)


def _plain(row: Any, *leave_out: str) -> dict[str, Any]:
    """A row as names and values that JSON can hold, without keys, secrets and inner numbers."""
    hidden = {"id", "seed", "ticket_hash", "link_hash", "client_key", "search", "ids", "key", "secret_hash", *leave_out}
    columns = [column.key for column in row.__mapper__.column_attrs if column.key not in hidden and not column.key.endswith("_id")]
    values = {name: getattr(row, name) for name in columns}
    return {"id": row.public_id} | {
        name: value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
        for name, value in values.items()
        if name != "public_id"
    }


def how_much(person: Person) -> dict[str, int]:
    """How many rows of each kind are held on a person, of the kinds that their page tells."""
    came = select(CheckIn.id).join(Registration, Registration.id == CheckIn.registration_id).where(Registration.person_id == person.id)
    kinds: dict[str, Select[Any]] = {
        "registrations": select(Registration.id).where(Registration.person_id == person.id),
        "check_ins": came,
        "comments": select(Comment.id).where(Comment.person_id == person.id),
        "positions": select(Position.id).where(Position.person_id == person.id),
        "mails": mails_to(person).order_by(None),
    }
    counts = [query.with_only_columns(func.count()).scalar_subquery() for query in kinds.values()]
    return dict(zip(kinds, db.session.execute(select(*counts)).one(), strict=True))


def own_data(person: Person) -> dict[str, Any]:
    """Everything that is held on a person in this consultation, for them to read and to take along (UU 27/2022, article 13)."""
    registrations = registrations_of(person)
    ids = [registration.id for registration in registrations]

    def rows(query: Select[Any]) -> list[dict[str, Any]]:
        return [_plain(row) for row in db.session.scalars(query)]

    objections = select(Objection).join(Comment, Comment.id == Objection.comment_id).where(Comment.person_id == person.id)
    return {
        "registrations": [
            _plain(registration)
            | {
                "event": registration.event.title,
                "institution": registration.institution.name,
                "stakeholder_type": registration.stakeholder_type.name,
                "consents": [_plain(consent) for consent in registration.consents],
                "answers": [{"question": answer.question.label, "answer": answer.value} for answer in registration.answers],
            }
            for registration in registrations
        ],
        "changes_of_institution": rows(
            select(InstitutionChange).where(InstitutionChange.registration_id.in_(ids)).order_by(InstitutionChange.id)
        ),
        "signatures": rows(select(DrawnSignature).where(DrawnSignature.registration_id.in_(ids)).order_by(DrawnSignature.id)),
        "check_ins": rows(select(CheckIn).where(CheckIn.registration_id.in_(ids)).order_by(CheckIn.id)),
        "comments": rows(select(Comment).where(Comment.person_id == person.id).order_by(Comment.id)),
        "replies": rows(select(Reply).where(Reply.person_id == person.id).order_by(Reply.id)),
        "attachments": rows(select(Attachment).where(Attachment.person_id == person.id).order_by(Attachment.id)),
        "drafts": [draft.typed | {"saved_at": str(draft.saved_at)} for draft in _drafts(ids)],
        "objections": rows(objections),
        "endorsements": rows(select(Endorsement).where(Endorsement.person_id == person.id).order_by(Endorsement.id)),
        "positions": rows(select(Position).where(Position.person_id == person.id).order_by(Position.id)),
        "hands_raised": rows(select(Hand).where(Hand.registration_id.in_(ids)).order_by(Hand.id)),
        "certificates": rows(select(Certificate).where(Certificate.registration_id.in_(ids)).order_by(Certificate.id)),
        "invitations": [_plain(invitation) for invitation in invitations_of(person)],
        "mails": rows(mails_to(person)),
        "join_codes": rows(select(JoinCode).where(JoinCode.registration_id.in_(ids)).order_by(JoinCode.id)),
        "phones": [
            {"opened_at": str(opening.opened_at)}
            for opening in db.session.scalars(select(LinkOpening).where(LinkOpening.registration_id.in_(ids)).order_by(LinkOpening.id))
        ],
        "requests": rows(select(DataRequest).where(DataRequest.person_id == person.id).order_by(DataRequest.id)),
    }


def history(person: Person) -> list[dict[str, str]]:
    """What was done with their data: every entry of the log about them and their registrations, without who of the staff it was.

    UU 27/2022, article 32 (1), asks for the record of processing beside the data.
    """
    registrations = db.session.scalars(select(Registration.public_id).where(Registration.person_id == person.id)).all()
    of_person = (AuditEntry.object_type == "Person") & (AuditEntry.object_id == person.public_id)
    of_registrations = (AuditEntry.object_type == "Registration") & AuditEntry.object_id.in_(registrations)
    them = {f"participant:{public_id}" for public_id in registrations}
    by = {"user": "staff", "device": "check-in device", "system": "the site", "participant": "another participant"}
    return [
        {"at": str(at), "action": action, "by": "you" if actor in them else by.get(actor.partition(":")[0], "somebody without an account")}
        for at, action, actor in db.session.execute(
            select(AuditEntry.at, AuditEntry.action, AuditEntry.actor).where(of_person | of_registrations).order_by(AuditEntry.id)
        )
    ]


def _drafts(registrations: list[int]) -> list[CommentDraft]:
    query = select(CommentDraft).where(CommentDraft.registration_id.in_(registrations)).order_by(CommentDraft.id)
    return list(db.session.scalars(query))


def requests(consultation: Consultation) -> Select[DataRequest]:
    """Open requests first, those due soonest at the top."""
    first = DataRequest.state != RequestState.OPEN
    return select(DataRequest).where(DataRequest.consultation_id == consultation.id).order_by(first, DataRequest.due_at, DataRequest.id)


def load_request(consultation: Consultation, public_id: str) -> DataRequest:
    """A request within this consultation. Raises Missing."""
    found = db.session.scalar(requests(consultation).where(DataRequest.public_id == public_id).options(joinedload(DataRequest.person)))
    if found is None:
        raise Missing(_("There is no such request."))
    return found


def own_requests(person: Person) -> list[DataRequest]:
    return list(db.session.scalars(select(DataRequest).where(DataRequest.person_id == person.id).order_by(DataRequest.id.desc())))


def names(found: list[DataRequest]) -> dict[int, str]:
    """The name on the newest registration of each request's person, by the person's id."""
    people = [request.person_id for request in found]
    rows = db.session.scalars(select(Registration).where(Registration.person_id.in_(people)).order_by(Registration.id))
    return {row.person_id: row.full_name for row in rows}


def organisers(consultation_id: int) -> list[User]:
    """Who answers requests in this consultation."""
    query = select(User).join(Membership, Membership.user_id == User.id)
    query = query.where(Membership.consultation_id == consultation_id, Membership.role == Role.ORGANISER)
    return list(db.session.scalars(query.order_by(User.id)).unique())
