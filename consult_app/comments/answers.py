"""Answers to comments: dispositions, the revision that carries them, objections, and telling the authors."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from consult_app import audit, mail
from consult_app.accounts.models import User
from consult_app.comments.models import Comment, Disposition, DispositionKind, Objection
from consult_app.consultations.models import Consultation, Revision
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.models import Registration


def decide(comment: Comment, kind: DispositionKind, response: str, *, by: User, duplicate_of: Comment | None = None) -> Disposition:
    """Answer a comment. An earlier answer stays in its history (rule 13).

    Raises Invalid where a reason or the other comment is missing, Conflict where the section is frozen or signed.
    """
    if comment.is_withdrawn:
        raise Conflict(_("This comment was withdrawn."))
    if comment.section.is_frozen:
        raise Conflict(_("This section is frozen for signature. Reopen it to change an answer."))
    if kind is not DispositionKind.ACCEPTED and not response.strip():
        raise Invalid(_("Give the reason: the author reads it."), field="response")
    if kind is DispositionKind.DUPLICATE and (duplicate_of is None or duplicate_of.id == comment.id):
        raise Invalid(_("Give the number of the other comment."), field="duplicate_of")
    disposition = Disposition(
        consultation_id=comment.consultation_id,
        comment=comment,
        kind=kind,
        response=response.strip(),
        duplicate_of=duplicate_of if kind is DispositionKind.DUPLICATE else None,
        decided_by=by,
    )
    db.session.add(disposition)
    audit.record(by, "comment.decide", disposition)
    return disposition


def carry(comments: Sequence[Comment], revision: Revision, *, by: Actor) -> None:
    """Name the revision that carries the change of accepted comments (rule 14); it is later than the one commented on."""
    for comment in comments:
        disposition = comment.disposition
        if disposition is None or not disposition.needs_revision:
            raise Conflict(_("Comment %(number)s is not accepted.", number=comment.number))
        if revision.section_id != comment.section_id or revision.number <= comment.revision.number:
            raise Conflict(
                _("Comment %(number)s was made on this revision or a later one: make a new revision first.", number=comment.number)
            )
        disposition.revision = revision
        audit.record(by, "disposition.carry", disposition)


def object_to(comment: Comment, text: str, *, by: Registration) -> Objection:
    """The author objects to the answer, once. It blocks the section's signature until it is resolved (rule 15)."""
    if comment.disposition is None or comment.disposition.kind is DispositionKind.ACCEPTED:
        raise Conflict(_("There is no answer yet to object to."))
    if comment.objection is not None:
        raise Conflict(_("You have objected already; it can be done once."))
    if comment.section.is_signed:
        raise Conflict(_("This section is signed."))
    if not text.strip():
        raise Invalid(_("Say in a few words why."), field="text")
    objection = Objection(consultation_id=comment.consultation_id, comment=comment, text=text.strip())
    db.session.add(objection)
    audit.record(by, "comment.object", objection)
    return objection


def resolve(objection: Objection, resolution: str, *, by: User) -> None:
    """Close an objection with words; the answer itself may be changed before."""
    if not objection.is_open:
        raise Conflict(_("This objection is resolved already."))
    if not resolution.strip():
        raise Invalid(_("Say how it was resolved."), field="resolution")
    objection.resolved_at, objection.resolution, objection.resolved_by_id = now(), resolution.strip(), by.id
    audit.record(by, "objection.resolve", objection)


def untold(consultation: Consultation) -> list[Disposition]:
    """The newest answer of each comment, where its author has not been written to; one that was replaced is never told."""
    rows = db.session.scalars(
        select(Disposition)
        .join(Comment, Comment.id == Disposition.comment_id)
        .where(
            Disposition.consultation_id == consultation.id,
            Disposition.told_at.is_(None),
            Disposition.id.in_(select(func.max(Disposition.id)).group_by(Disposition.comment_id)),
        )
        .options(joinedload(Disposition.comment).joinedload(Comment.registration))
        .order_by(Disposition.id)
    )
    return list(rows)


def tell_authors(consultation: Consultation, *, by: Actor) -> int:
    """Write to every author with news: one message each, with all their answers (rule 13). Returns how many are told."""
    batch: dict[int, list[Disposition]] = {}
    for disposition in untold(consultation):
        batch.setdefault(disposition.comment.person_id, []).append(disposition)
        disposition.told_at = now()
    told = 0
    for dispositions in batch.values():
        author = dispositions[-1].comment.registration
        if author.email:
            key = f"answers:{author.public_id}:{dispositions[-1].id}"
            ids = [disposition.id for disposition in dispositions]
            mail.queue("comments.answers", author.email, author.language, key, consultation.id, registration_id=author.id, ids=ids)
            told += 1
    if batch:
        audit.record(by, "comment.tell", consultation, note=f"{told} authors")
    return told
