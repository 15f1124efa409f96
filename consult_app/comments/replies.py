"""Replies to comments: one level deep, by participants and staff, on the revision that was read (rules 3, 10 and 11)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.comments.actions import open_revision, revision_seen
from consult_app.comments.models import Comment, Reply
from consult_app.consultations.models import Revision
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import _
from consult_app.policy import Actor
from consult_app.registrations.models import Registration

MOST = 50  # under one comment; a longer talk wants a comment of its own


def _revision(comment: Comment, by: Actor, seen: Sequence[str] | None) -> Revision:
    """Participants reply while they may comment; staff also while the comments are being answered."""
    section = comment.section
    if by.is_participant or section.is_open or section.revision is None:
        return open_revision(comment.indicator, "comment", by, seen)
    if section.is_frozen:
        raise Conflict(_("This section is frozen for signature. Reopen it to go on talking about it."))
    return revision_seen(section, seen)


def refuse_withdrawn(comment: Comment) -> None:
    """Raises Conflict where the comment was withdrawn."""
    if comment.is_withdrawn:
        raise Conflict(_("This comment was withdrawn."))


@audit.in_turn
def reply_to(
    comment: Comment,
    text: str,
    *,
    by: Registration | User,
    client_key: str,
    language: str = "en",
    seen: Sequence[str] | None = None,
) -> Reply:
    """Keep a reply, on the revision that was `seen`; the same client key again returns the one that is kept (rule 10).

    Raises Conflict where the comment was withdrawn, comments are closed, or there are many replies; Invalid without words, or
    as `revision_seen`.
    """
    author = by if isinstance(by, Registration) else None
    mine = Reply.registration_id == author.id if author else Reply.written_by_id == by.id
    kept = db.session.scalar(select(Reply).where(mine, Reply.client_key == client_key))
    if kept is not None:
        return kept
    refuse_withdrawn(comment)
    revision = _revision(comment, by, seen)
    if not text.strip():
        raise Invalid(_("Write your reply first."), field="text")
    if (db.session.scalar(select(func.count()).where(Reply.comment_id == comment.id)) or 0) >= MOST:
        raise Conflict(_("This comment has many replies already. Write a comment of your own."))
    reply = Reply(
        consultation_id=comment.consultation_id,
        section_id=comment.section_id,
        comment=comment,
        revision=revision,
        registration=author,
        person_id=author.person_id if author else None,
        institution=author.institution if author else None,
        stakeholder_type=author.stakeholder_type if author else None,
        written_by=by if isinstance(by, User) else None,
        text=text.strip(),
        language=language,
        client_key=client_key,
    )
    db.session.add(reply)
    audit.record(by, "reply.write", reply)
    return reply


@audit.in_turn
def withdraw_reply(reply: Reply, *, by: Actor) -> None:
    """Its author takes a reply back; it stays in the record."""
    if reply.is_withdrawn:
        raise Conflict(_("This reply was withdrawn already."))
    reply.withdrawn_at = now()
    audit.record(by, "reply.withdraw", reply)
