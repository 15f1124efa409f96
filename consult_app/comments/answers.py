"""Answers to comments: dispositions, the revision that carries them, objections, and telling the authors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload

from consult_app import audit, mail
from consult_app.accounts.models import User
from consult_app.comments.actions import index
from consult_app.comments.labels import DISPOSITION
from consult_app.comments.models import Assignment, Comment, Disposition, DispositionKind, Objection, ProposedAnswer
from consult_app.comments.queries import is_newest
from consult_app.consultations.models import Consultation, Revision
from consult_app.db import db, now
from consult_app.errors import Conflict, Invalid
from consult_app.i18n import _, gettext, moment
from consult_app.policy import Actor
from consult_app.registrations.models import Institution, Registration


def _check(comment: Comment, kind: DispositionKind, response: str, duplicate_of: Comment | None) -> None:
    """Raises Invalid where a reason or the other comment is missing, Conflict where the comment cannot be answered now."""
    if comment.is_withdrawn:
        raise Conflict(_("This comment was withdrawn."))
    if comment.section.is_frozen:
        raise Conflict(_("This section is frozen for signature. Reopen it to change an answer."))
    if kind is not DispositionKind.ACCEPTED and not response.strip():
        raise Invalid(_("Give the reason: the author reads it."), field="response")
    if kind is DispositionKind.DUPLICATE:
        _check_duplicate(comment, duplicate_of)


def _check_duplicate(comment: Comment, other: Comment | None) -> None:
    """Raises Invalid where a duplicate would lead to no answer: to itself, in a circle, or to a comment that was withdrawn."""
    if other is None or other.id == comment.id or other.consultation_id != comment.consultation_id:
        raise Invalid(_("Give the number of the other comment."), field="duplicate_of")
    at: Comment | None = other
    passed = {comment.id}
    while at is not None:
        if at.is_withdrawn:
            raise Invalid(_("Comment %(number)s was withdrawn: nothing can be its duplicate.", number=at.number), field="duplicate_of")
        if at.id in passed:
            words = _("Comment %(number)s leads back to this one. One of them has to be answered by itself.", number=other.number)
            raise Invalid(words, field="duplicate_of")
        passed.add(at.id)
        answer = at.disposition
        at = answer.duplicate_of if answer is not None and answer.kind is DispositionKind.DUPLICATE else None


class Answered(Conflict):
    """Somebody else answered the comment, or drafted an answer, since the page was made."""


def _check_seen(comment: Comment, seen: str | None) -> None:
    """Raises Answered, with the colleague's answer, where it is not the one that was seen; None is said by the product itself."""
    if seen is None or seen == comment.answer_state:
        return
    found: Disposition | ProposedAnswer | None = comment.proposal or comment.disposition
    if found is None:
        words = _("The answer to comment %(number)s that you saw was taken back meanwhile.", number=comment.number)
        raise Answered(words)
    answer = str(DISPOSITION[found.kind]) + (f": {found.response}" if found.response else "")
    name = found.decided_by.name if isinstance(found, Disposition) else found.written_by.name
    values = {"number": comment.number, "name": name, "answer": answer}
    if isinstance(found, ProposedAnswer) and not found.waits_for_second:
        raise Answered(gettext("%(name)s drafted an answer to comment %(number)s meanwhile: %(answer)s", **values))
    raise Answered(gettext("%(name)s answered comment %(number)s meanwhile: %(answer)s", **values))


def _is_again(comment: Comment, kind: DispositionKind, response: str, duplicate_of: Comment | None, by: User) -> bool:
    """Whether the same person has given just this answer already: it was sent twice (rule 10)."""
    found: Disposition | ProposedAnswer | None = comment.proposal or comment.disposition
    if found is None or found.kind is not kind or found.response != response.strip():
        return False
    other = duplicate_of.id if duplicate_of is not None and kind is DispositionKind.DUPLICATE else None
    who = found.decided_by_id if isinstance(found, Disposition) else found.written_by_id
    return who == by.id and found.duplicate_of_id == other and (isinstance(found, Disposition) or found.waits_for_second)


@audit.in_turn
def decide(
    comment: Comment,
    kind: DispositionKind,
    response: str,
    *,
    by: User,
    duplicate_of: Comment | None = None,
    seen: str | None = None,
) -> Disposition | None:
    """Answer a comment whose `answer_state` was `seen`. An earlier answer stays in its history (rule 13).

    Where the consultation wants a second pair of eyes, the answer only stands proposed until another person confirms it:
    None is returned. Raises Invalid where a reason or the other comment is missing, Conflict where the section is frozen, Answered
    where another answer was given meanwhile.
    """
    if seen is not None and seen != comment.answer_state and _is_again(comment, kind, response, duplicate_of, by):
        return comment.disposition
    _check_seen(comment, seen)
    _check(comment, kind, response, duplicate_of)
    if comment.section.consultation.needs_second_pair:
        _propose(comment, kind, response, duplicate_of, is_decided=True, by=by)
        return None
    _close(comment.proposal, by=by)
    return _answer(comment, kind, response, duplicate_of, by, by=by)


def _answer(
    comment: Comment, kind: DispositionKind, response: str, duplicate_of: Comment | None, decided_by: User, *, by: User
) -> Disposition:
    disposition = Disposition(
        consultation_id=comment.consultation_id,
        comment=comment,
        kind=kind,
        response=response.strip(),
        duplicate_of=duplicate_of if kind is DispositionKind.DUPLICATE else None,
        decided_by=decided_by,
        confirmed_by=by if by.id != decided_by.id else None,
    )
    db.session.add(disposition)
    audit.record(by, "comment.decide" if by.id == decided_by.id else "comment.confirm", disposition)
    index(comment)
    return disposition


def _close(proposal: ProposedAnswer | None, *, by: User) -> None:
    if proposal is not None:
        proposal.closed_at = now()
        audit.record(by, "proposal.close", proposal)


def _propose(
    comment: Comment, kind: DispositionKind, response: str, duplicate_of: Comment | None, *, is_decided: bool, by: User
) -> ProposedAnswer:
    _close(comment.proposal, by=by)
    proposal = ProposedAnswer(
        consultation_id=comment.consultation_id,
        comment=comment,
        kind=kind,
        response=response.strip(),
        duplicate_of=duplicate_of if kind is DispositionKind.DUPLICATE else None,
        written_by=by,
        decided_at=now() if is_decided else None,
    )
    db.session.add(proposal)
    audit.record(by, "proposal.decide" if is_decided else "proposal.draft", proposal)
    return proposal


@audit.in_turn
def draft(
    comment: Comment,
    kind: DispositionKind,
    response: str,
    *,
    by: User,
    duplicate_of: Comment | None = None,
    seen: str | None = None,
) -> ProposedAnswer:
    """Keep an answer that is neither told nor counted, for the focal point to decide; an earlier draft is replaced, and kept closed."""
    _check_seen(comment, seen)
    _check(comment, kind, response, duplicate_of)
    if comment.proposal is not None and comment.proposal.waits_for_second:
        raise Conflict(_("This answer is decided, and waits for a second person to confirm it."))
    return _propose(comment, kind, response, duplicate_of, is_decided=False, by=by)


@audit.in_turn
def take_back(answer: Disposition | ProposedAnswer, *, by: User) -> None:
    """Undo a decision of which nobody was told: it stays in the history, and what stood before stands again.

    Raises Conflict where another answer was given since, or something rests on this one.
    """
    comment = answer.comment
    if comment.section.is_frozen:
        raise Conflict(_("This section is frozen for signature. Reopen it to change an answer."))
    if answer is not (comment.proposal or comment.disposition):
        raise Conflict(_("This answer was changed meanwhile. Look at the comment again."))
    if isinstance(answer, ProposedAnswer):
        _close(answer, by=by)
        return
    if answer.told_at is not None:
        raise Conflict(_("The author was told of this answer already. Change it instead: the earlier one stays in its history."))
    if answer.revision_id is not None:
        raise Conflict(_("A revision carries this change already; what was recorded with it stays."))
    if comment.objection is not None and comment.objection.is_open:
        raise Conflict(_("The author objects to this answer. Resolve the objection, or change the answer."))
    answer.taken_back_at, answer.taken_back_by_id = now(), by.id
    audit.record(by, "disposition.take_back", answer)
    last = comment.proposals[-1] if comment.proposals else None
    if last is not None and all((one.created_at >= last.created_at) == (one is answer) for one in comment.dispositions):
        last.closed_at = None  # it was closed by this answer alone
        audit.record(by, "proposal.reopen", last)
    index(comment)


@audit.in_turn
def confirm(proposal: ProposedAnswer, *, by: User) -> Disposition:
    """The second pair of eyes: what one person decided, another one lets count. Raises Conflict."""
    comment = proposal.comment
    if comment.proposal is not proposal or not proposal.waits_for_second:
        raise Conflict(_("This answer does not wait for confirmation any more. Look at the comment again."))
    if proposal.written_by_id == by.id:
        raise Conflict(_("You decided this answer yourself. Somebody else has to confirm it."))
    _check(comment, proposal.kind, proposal.response, proposal.duplicate_of)
    _close(proposal, by=by)
    return _answer(comment, proposal.kind, proposal.response, proposal.duplicate_of, proposal.written_by, by=by)


@audit.in_turn
def need_second_pair(consultation: Consultation, wanted: bool, *, by: Actor) -> None:
    """Whether answers of this consultation count only once another person has confirmed them; those that count go on counting."""
    if consultation.needs_second_pair != wanted:
        consultation.needs_second_pair = wanted
        audit.record(by, "consultation.second_pair", consultation)


@audit.in_turn
def assign(comment: Comment, institution: Institution | None, due_on: dt.date | None, *, by: User) -> Assignment:
    """Ask an institution for the answer, until a day; with None, nobody any more. The newest counts."""
    if comment.is_withdrawn:
        raise Conflict(_("This comment was withdrawn."))
    if institution is not None and institution.consultation_id != comment.consultation_id:
        raise Invalid(_("Choose an institution of this consultation."), field="institution")
    if institution is None and due_on is not None:
        raise Invalid(_("Choose the institution that is to answer by then."), field="institution")
    assignment = Assignment(
        consultation_id=comment.consultation_id, comment=comment, institution=institution, due_on=due_on, assigned_by_id=by.id
    )
    db.session.add(assignment)
    audit.record(by, "comment.assign", assignment)
    return assignment


def carry(comments: Sequence[Comment], revision: Revision, *, by: Actor) -> None:
    """Name the revision that carries the change of accepted comments (rule 14); it is later than the one commented on."""
    audit.take_turn(revision.consultation_id, revision)
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


@audit.in_turn
def object_to(comment: Comment, text: str, *, by: Registration) -> Objection:
    """The author objects to the answer, once, in the days after being told. It blocks the section's signature until resolved (rule 15)."""
    if comment.disposition is None or comment.disposition.kind is DispositionKind.ACCEPTED:
        raise Conflict(_("There is no answer yet to object to."))
    if comment.objection is not None:
        raise Conflict(_("You have objected already; it can be done once."))
    if comment.section.is_signed:
        raise Conflict(_("This section is signed."))
    until = comment.disposition.object_until
    if until is not None and not comment.disposition.takes_objection:
        ended = moment(until, comment.section.consultation.timezone)
        raise Conflict(_("The time to object to this answer ended: %(when)s.", when=ended))
    if not text.strip():
        raise Invalid(_("Say in a few words why."), field="text")
    objection = Objection(consultation_id=comment.consultation_id, comment=comment, text=text.strip())
    db.session.add(objection)
    audit.record(by, "comment.object", objection)
    return objection


@audit.in_turn
def resolve(objection: Objection, resolution: str, *, by: User) -> None:
    """Close an objection with words; the answer itself may be changed before."""
    if not objection.is_open:
        raise Conflict(_("This objection is resolved already."))
    if not resolution.strip():
        raise Invalid(_("Say how it was resolved."), field="resolution")
    objection.resolved_at, objection.resolution, objection.resolved_by_id = now(), resolution.strip(), by.id
    audit.record(by, "objection.resolve", objection)


def _is_untold() -> ColumnElement[bool]:
    return Disposition.told_at.is_(None) & is_newest()


def count_untold(*consultations: Consultation) -> dict[int, int]:
    """How many answers have not been sent to their authors, by the consultation's id; those without any are left out."""
    ids = [consultation.id for consultation in consultations]
    counted = select(Disposition.consultation_id, func.count()).where(Disposition.consultation_id.in_(ids), _is_untold())
    return dict(db.session.execute(counted.group_by(Disposition.consultation_id)).tuples().all())


def untold(consultation: Consultation) -> list[Disposition]:
    """The newest answer of each comment, where its author has not been written to; one that was replaced is never told."""
    query = select(Disposition).where(Disposition.consultation_id == consultation.id, _is_untold()).order_by(Disposition.id)
    return list(db.session.scalars(query.options(joinedload(Disposition.comment).joinedload(Comment.registration))))


@audit.in_turn
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
        audit.record_all([(by, "disposition.tell", disposition) for dispositions in batch.values() for disposition in dispositions])
    return told
