"""Comments, endorsements and positions of participants."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from blinker import Signal
from sqlalchemy import func, select

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.comments import drafts, told
from consult_app.comments.models import (
    Comment,
    CommentKind,
    Disposition,
    Endorsement,
    Moderation,
    Position,
    PositionValue,
    ProposedAnswer,
)
from consult_app.consultations.models import Indicator, Revision, Section
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid, Missing
from consult_app.i18n import _, moment
from consult_app.policy import Actor
from consult_app.registrations.models import Registration
from consult_app.sheets import fold

# Sent with the indicator, `what` ("comment" or "position") and `by`, before either is taken; a receiver may raise Conflict.
opinion_given = Signal()
# Sent with the indicator and `by`: whether a comment on it has to wait for a facilitator, as a receiver answers with True.
comment_checked = Signal()


def require_open(section: Section, by: Actor) -> None:
    """Raises Conflict where comments are closed, and to participants after the deadline too."""
    if not section.is_open:
        raise Conflict(_("Comments on this section are closed."))
    if by.is_participant and section.comments_until is not None and section.is_past_deadline:
        ended = moment(section.comments_until, section.consultation.timezone)
        raise Conflict(_("The time for written comments on this section ended: %(when)s.", when=ended))


def revision_seen(section: Section, seen: Sequence[str] | None) -> Revision:
    """The revision of a section that its author had before them (rule 25): the current one, or an earlier one.

    `seen` are the public ids that the page carried; None is said by the product itself, of the current one. Raises Conflict
    where there is no revision, Invalid where none of those that are named is the section's, or where nothing is named and
    there are several.
    """
    if section.revision is None:
        raise Conflict(_("Comments on this section are closed."))
    named = [one for one in seen or () if one]
    if seen is None or section.revision.public_id in named or (not named and section.revision_number == 1):
        return section.revision
    if not named:
        raise Invalid(_("It is not known which text you had read: there are several. Read it as it now stands, then send again."))
    query = select(Revision).where(Revision.section_id == section.id, Revision.public_id.in_(named[:100]))
    found: Revision | None = db.session.scalar(query.order_by(Revision.number.desc()).limit(1))
    if found is None:
        raise Invalid(_("The text that this was written on is not a revision of this section. Load the page again, then send again."))
    return found


def open_revision(indicator: Indicator, what: str, by: Actor, seen: Sequence[str] | None = None) -> Revision:
    """The revision that is being commented on. Raises Conflict where comments are closed, Invalid as `revision_seen`."""
    opinion_given.send(indicator, what=what, by=by)
    section: Section = indicator.dimension.section
    require_open(section, by)
    return revision_seen(section, seen)


def text_to_edit(revision: Revision, code: str, language: str) -> str:
    """The finding of an indicator as a revision has it in a language: what a proposed wording is an edit of."""
    row = next((row for row in revision.content["indicators"] if row["code"] == code), None)
    return str(row["finding"].get(language, "")).strip() if row is not None else ""


def _require_change(proposed: str, against: str) -> None:
    if proposed and proposed.split() == against.split():
        raise Invalid(_("This is the text as it stands. Change the words that should read otherwise, or leave it empty."), field="proposed")


def index(comment: Comment) -> None:
    """Keep what a search on the review desk looks at."""
    answer = comment.disposition
    comment.search = fold(" ".join([comment.indicator.code, comment.text, comment.proposed, answer.response if answer else ""]))


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


def one_at_a_time(consultation_id: int) -> None:
    """Let other comments of the consultation wait until this transaction ends: their numbers are counted, their queue is emptied."""
    audit.take_turn(consultation_id)


@audit.in_turn
def write_comment(
    indicator: Indicator,
    registration: Registration,
    kind: CommentKind,
    text: str,
    *,
    by: Actor,
    client_key: str,
    proposed: str = "",
    proposed_language: str = "",
    link: str = "",
    language: str = "en",
    seen: Sequence[str] | None = None,
) -> Comment:
    """Keep a comment on the revision that was `seen`; the same client key again returns the one that is kept (rule 10).

    A user who writes for `registration` is recorded beside it (rule 12). A proposed wording is kept beside the text that
    it edits: the revision's finding in `proposed_language`. Raises Conflict where comments are closed, Invalid where there
    is no text, the wording changes nothing, or as `revision_seen`.
    """
    kept = db.session.scalar(select(Comment).where(Comment.registration_id == registration.id, Comment.client_key == client_key))
    if kept is not None:
        return kept
    revision = open_revision(indicator, "comment", by, seen)
    if not text.strip():
        raise Invalid(_("Write your comment first."), field="text")
    wording = proposed.strip()
    against = text_to_edit(revision, indicator.code, proposed_language) if wording else ""
    _require_change(wording, against)
    waits = any(answer for _receiver, answer in comment_checked.send(indicator, by=by))
    last = db.session.scalar(select(func.max(Comment.number)).where(Comment.consultation_id == indicator.consultation_id))
    comment = Comment(
        consultation_id=indicator.consultation_id,
        section_id=revision.section_id,
        indicator=indicator,
        revision=revision,
        registration=registration,
        person_id=registration.person_id,
        institution=registration.institution,
        stakeholder_type=registration.stakeholder_type,
        number=(last or 0) + 1,
        kind=kind,
        text=text.strip(),
        proposed=wording,
        against=against,
        proposed_language=proposed_language if against else "",
        link=check_link(link.strip()),
        language=language,
        client_key=client_key,
        recorded_by=by if isinstance(by, User) else None,
        moderation=Moderation.WAITS if waits else None,
    )
    index(comment)
    db.session.add(comment)
    audit.record(by, "comment.record" if comment.recorded_by else "comment.write", comment)
    if comment.recorded_by is None:
        drafts.drop(indicator, registration)
    return comment


@audit.in_turn
def withdraw_comment(comment: Comment, *, by: Actor) -> None:
    """The author takes a comment back before it is answered; it stays in the record, struck out."""
    if comment.is_withdrawn:
        raise Conflict(_("This comment was withdrawn already."))
    if comment.disposition is not None:
        raise Conflict(_("This comment has been answered and can no longer be withdrawn."))
    _let_duplicates_go(comment, by)
    comment.withdrawn_at = now()
    audit.record(by, "comment.withdraw", comment)


def _let_duplicates_go(comment: Comment, by: Actor) -> None:
    """The comments that were answered as duplicates of this one want an answer of their own again.

    Raises Conflict where one of them stands for signature with that answer.
    """
    of_this = (Disposition.duplicate_of_id == comment.id, Disposition.taken_back_at.is_(None))
    for answer in db.session.scalars(select(Disposition).where(*of_this).order_by(Disposition.id)).all():
        other = answer.comment
        if other.disposition is not answer or other.is_withdrawn:
            continue
        if other.section.is_frozen:
            words = _("Comment %(number)s is answered as a duplicate of this one, and stands for signature so.", number=other.number)
            raise Conflict(words)
        answer.taken_back_at = now()
        audit.record(by, "disposition.take_back", answer, note="what it was a duplicate of is withdrawn")
        index(other)
    open_ones = (ProposedAnswer.duplicate_of_id == comment.id, ProposedAnswer.closed_at.is_(None))
    for proposal in db.session.scalars(select(ProposedAnswer).where(*open_ones).order_by(ProposedAnswer.id)).all():
        proposal.closed_at = now()
        audit.record(by, "proposal.close", proposal)


@audit.in_turn
def release(comment: Comment, *, by: Actor) -> None:
    """Show a comment that waited, or that was held back."""
    if comment.moderation is None:
        raise Conflict(_("This comment is shown already."))
    comment.moderation, comment.held_reason = None, ""
    audit.record(by, "comment.release", comment)


@audit.in_turn
def hold(comment: Comment, reason: str, *, by: Actor) -> None:
    """Keep a comment that waits from the screens. It is not lost: its author reads the reason, and reviewers answer it."""
    if not comment.waits_for_facilitator:
        raise Conflict(_("This comment does not wait any more."))
    if not reason.strip():
        raise Invalid(_("Give the reason: the author reads it."), field="reason")
    comment.moderation, comment.held_reason = Moderation.HELD, reason.strip()
    audit.record(by, "comment.hold", comment)


@audit.in_turn
def endorse(comment: Comment, registration: Registration, *, by: Actor) -> bool:
    """Endorse somebody else's comment, or take the endorsement back; returns whether it stands now."""
    if comment.person_id == registration.person_id:
        raise Conflict(_("This is your own comment."))
    if comment.moderation is not None:
        raise Missing(_("There is no such comment in this consultation."))
    if comment.is_withdrawn:
        raise Conflict(_("This comment was withdrawn."))
    open_revision(comment.indicator, "comment", by)
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


@audit.in_turn
def take_position(
    indicator: Indicator,
    registration: Registration,
    value: PositionValue,
    reason: str,
    *,
    by: Actor,
    seen: Sequence[str] | None = None,
) -> Position:
    """Say what one holds of an indicator as the revision that was `seen` has it; a second answer on it replaces the first."""
    revision = open_revision(indicator, "position", by, seen)
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
            revision=revision,
            person_id=registration.person_id,
        )
    position.institution_id, position.stakeholder_type_id = registration.institution_id, registration.stakeholder_type_id
    position.registration_id, position.was_spoken = registration.id, False
    db.session.add(position)
    position.value, position.reason, position.taken_at = value, reason.strip(), now()
    audit.record(by, "position.take", position)
    told.tell_again(indicator)
    return position
