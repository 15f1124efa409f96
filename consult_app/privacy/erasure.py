"""Erasing one person: no trace in any table; totals, comments without their author and the log's verification stand."""

from __future__ import annotations

import contextlib
import json

from sqlalchemy import delete, select

from consult_app import audit, jobs
from consult_app.attendance.models import DrawnSignature
from consult_app.comments.evidence import erase as erase_file
from consult_app.comments.models import Attachment, CommentDraft
from consult_app.consultations.models import ImportDraft
from consult_app.db import db, now
from consult_app.documents.models import Certificate, Printout
from consult_app.errors import Conflict
from consult_app.i18n import _
from consult_app.invitations.models import EventInvitation, InvitationState
from consult_app.mail import Mail, MailState
from consult_app.policy import Actor
from consult_app.privacy.models import DataRequest
from consult_app.privacy.queries import invitations_of, mails_to, registrations_of
from consult_app.registrations.models import LinkRequest, Person, Registration, RegistrationState, Submission
from consult_app.registrations.people import set_secrets
from consult_app.registrations.seats import move_up, set_state
from consult_app.settings import setting

# What stays of a registration: event, institution, stakeholder type, sex, how they took part, state. The rest goes.
EMPTIED = (
    "salutation", "title_before", "name", "title_after", "email", "phone", "unit", "position", "assignment_letter", "accommodations",
    "diet", "state_note", "search",
)  # fmt: skip


def _erase_registration(registration: Registration, *, by: Actor) -> None:
    for name in EMPTIED:
        setattr(registration, name, "")
    registration.opened_at, registration.client_key = None, None
    set_secrets(registration)  # ticket and link stop working
    for answer in registration.answers:
        answer.value = f"erased {answer.public_id}"
        audit.forget(by, "question_answer.erase", answer)
        audit.record(by, "question_answer.delete", answer)
        db.session.delete(answer)
    for drawn in db.session.scalars(select(DrawnSignature).where(DrawnSignature.registration_id == registration.id)):
        drawn.strokes = []
        audit.forget(by, "signature.erase", drawn)
    audit.forget(by, "registration.erase", registration)


@audit.in_turn
def erase_invitation(invitation: EventInvitation, action: str, *, by: Actor) -> None:
    """Empty an invitation of the person's data; who was invited by which institution stays countable."""
    for name in ("salutation", "title_before", "name", "title_after", "position", "email", "phone", "state_note", "search"):
        setattr(invitation, name, "")
    audit.forget(by, action, invitation)


def erase_mails(mails: list[Mail]) -> None:
    """Take the address out of mails, and their files away where mail goes to files; what waits is not sent any more."""
    for mail in mails:
        mail.to = ""
        mail.error = ""
        if mail.state in (MailState.QUEUED, MailState.SENDING):
            mail.state = MailState.FAILED
        for file in (setting("VAR") / "mail").glob(f"*-{mail.public_id}.eml"):
            with contextlib.suppress(OSError):
                file.unlink()


def _erase_prepared(person: Person, registrations: list[Registration]) -> None:
    """What was made ready and not used: prints of their events, and uploaded lists in which they stand."""
    events = [registration.event_id for registration in registrations]
    db.session.execute(delete(Printout).where(Printout.event_id.in_(events)))
    known = {words.casefold() for one in registrations for words in (one.name, one.email, one.phone) if words} | {person.email or ""}
    for listed in db.session.scalars(select(ImportDraft).where(ImportDraft.consultation_id == person.consultation_id)):
        words = json.dumps(listed.rows, ensure_ascii=False).casefold()
        if any(one in words for one in known if one):
            db.session.delete(listed)


@audit.in_turn
def erase(person: Person, *, by: Actor) -> None:
    """Erase a person from their consultation; the row that stays is the tombstone. Raises Conflict where it was done already.

    What they wrote in comments and replies stays as part of the record, without its author and its files: under "(name
    erased)" and, where attribution shows it, their institution. A sealed report is a published record and is not changed.
    """
    if person.erased_at is not None:
        raise Conflict(_("This person's data was erased already."))
    registrations = registrations_of(person)
    erase_mails(list(db.session.scalars(mails_to(person))))
    for invitation in invitations_of(person):
        if invitation.state in (InvitationState.DRAFT, InvitationState.SENT):
            invitation.state = InvitationState.WITHDRAWN
        erase_invitation(invitation, "invitation.erase", by=by)
    _erase_prepared(person, registrations)
    ids = [registration.id for registration in registrations]
    for certificate in db.session.scalars(select(Certificate).where(Certificate.registration_id.in_(ids))):
        certificate.name, certificate.revoked_at = "", certificate.revoked_at or now()
        audit.forget(by, "certificate.erase", certificate)
    for registration in registrations:
        if registration.is_live and now() < registration.event.starts:
            set_state(registration, RegistrationState.CANCELLED)  # the seat goes to the next who waits
            move_up(registration.event, by=by)
        _erase_registration(registration, by=by)
    for attachment in db.session.scalars(select(Attachment).where(Attachment.person_id == person.id)):
        erase_file(attachment, by=by)
    db.session.execute(delete(LinkRequest).where(LinkRequest.email == person.email))
    db.session.execute(delete(Submission).where(Submission.email == person.email))
    db.session.execute(delete(CommentDraft).where(CommentDraft.registration_id.in_(ids)))
    for request in db.session.scalars(select(DataRequest).where(DataRequest.person_id == person.id)):
        request.words = ""
        audit.forget(by, "data_request.erase", request)
    person.email, person.erased_at = None, now()
    audit.forget(by, "person.erase", person)
    jobs.after_commit(jobs.FORGET_JOURNAL)
