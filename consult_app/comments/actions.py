"""Comments, endorsements and positions of participants."""

from __future__ import annotations

from urllib.parse import urlsplit

from blinker import Signal
from sqlalchemy import func, select

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.comments.models import Comment, CommentKind, Endorsement, Position, PositionValue
from consult_app.consultations.models import Consultation, Indicator, Revision, Section
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.models import Registration

# Sent with the indicator, `what` ("comment" or "position") and `by`, before either is taken; a receiver may raise Conflict.
opinion_given = Signal()


def _open_revision(indicator: Indicator, what: str, by: Actor) -> Revision:
    """The revision that is being commented on. Raises Conflict where comments are closed."""
    opinion_given.send(indicator, what=what, by=by)
    section: Section = indicator.dimension.section
    if not section.is_open or section.revision is None:
        raise Conflict(_("Comments on this section are closed."))
    return section.revision


def check_link(link: str) -> str:
    """A link to evidence: empty, or an address that begins with http:// or https://. Raises Invalid."""
    if link:
        try:
            parts = urlsplit(link)
        except ValueError as problem:
            raise Invalid(_("This is not a web address. It begins with https://"), field="link") from problem
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Invalid(_("This is not a web address. It begins with https://"), field="link")
    return link


def write_comment(
    indicator: Indicator,
    registration: Registration,
    kind: CommentKind,
    text: str,
    *,
    by: Actor,
    client_key: str,
    proposed: str = "",
    link: str = "",
    language: str = "en",
) -> Comment:
    """Keep a comment on the current revision; the same client key again returns the one that is kept (rule 10).

    A user who writes for `registration` is recorded beside it (rule 12). Raises Conflict where comments are closed,
    Invalid where there is neither text nor proposed wording.
    """
    kept = db.session.scalar(select(Comment).where(Comment.registration_id == registration.id, Comment.client_key == client_key))
    if kept is not None:
        return kept
    revision = _open_revision(indicator, "comment", by)
    if not text.strip():
        raise Invalid(_("Write your comment first."), field="text")
    # one at a time counts the numbers of a consultation
    db.session.execute(select(Consultation.id).where(Consultation.id == indicator.consultation_id).with_for_update(key_share=True))
    last = db.session.scalar(select(func.max(Comment.number)).where(Comment.consultation_id == indicator.consultation_id))
    comment = Comment(
        consultation_id=indicator.consultation_id,
        section_id=revision.section_id,
        indicator=indicator,
        revision=revision,
        registration=registration,
        person_id=registration.person_id,
        number=(last or 0) + 1,
        kind=kind,
        text=text.strip(),
        proposed=proposed.strip(),
        link=check_link(link.strip()),
        language=language,
        client_key=client_key,
        recorded_by=by if isinstance(by, User) else None,
    )
    db.session.add(comment)
    audit.record(by, "comment.record" if comment.recorded_by else "comment.write", comment)
    return comment


def withdraw_comment(comment: Comment, *, by: Actor) -> None:
    """The author takes a comment back before it is answered; it stays in the record, struck out."""
    if comment.is_withdrawn:
        raise Conflict(_("This comment was withdrawn already."))
    if comment.disposition is not None:
        raise Conflict(_("This comment has been answered and can no longer be withdrawn."))
    comment.withdrawn_at = now()
    audit.record(by, "comment.withdraw", comment)


def endorse(comment: Comment, registration: Registration, *, by: Actor) -> bool:
    """Endorse somebody else's comment, or take the endorsement back; returns whether it stands now."""
    if comment.person_id == registration.person_id:
        raise Conflict(_("This is your own comment."))
    if comment.is_withdrawn:
        raise Conflict(_("This comment was withdrawn."))
    _open_revision(comment.indicator, "comment", by)
    held = db.session.scalar(
        select(Endorsement).where(Endorsement.comment_id == comment.id, Endorsement.person_id == registration.person_id)
    )
    if held is not None:
        audit.record(by, "endorsement.delete", held)
        db.session.delete(held)
        return False
    endorsement = Endorsement(
        consultation_id=comment.consultation_id, comment=comment, person_id=registration.person_id, registration_id=registration.id
    )
    db.session.add(endorsement)
    audit.record(by, "endorsement.add", endorsement)
    return True


def take_position(indicator: Indicator, registration: Registration, value: PositionValue, reason: str, *, by: Actor) -> Position:
    """Say what one holds of an indicator as it stands in the current revision; a second answer replaces the first."""
    revision = _open_revision(indicator, "position", by)
    if value in (PositionValue.RESERVATION, PositionValue.DISAGREE) and not reason.strip():
        raise Invalid(_("Say in a few words why."), field="reason")
    position = db.session.scalar(
        select(Position).where(
            Position.indicator_id == indicator.id, Position.person_id == registration.person_id, Position.revision_id == revision.id
        )
    )
    if position is None:
        position = Position(
            consultation_id=indicator.consultation_id,
            indicator_id=indicator.id,
            revision_id=revision.id,
            person_id=registration.person_id,
            registration_id=registration.id,
        )
        db.session.add(position)
    position.value, position.reason, position.taken_at = value, reason.strip(), now()
    audit.record(by, "position.take", position)
    return position
