"""Selects over comments and positions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, inspect, select
from sqlalchemy.orm import aliased, defer, joinedload, load_only, selectinload, undefer
from sqlalchemy.orm.interfaces import ORMOption

from consult_app import disclosure
from consult_app.accounts.models import Membership, User
from consult_app.comments.models import (
    Assignment,
    Attachment,
    Comment,
    CommentKind,
    Disposition,
    DispositionKind,
    Endorsement,
    Objection,
    Position,
    PositionsTold,
    PositionValue,
    ProposedAnswer,
    Reply,
)
from consult_app.consultations.models import Consultation, Indicator, Revision, Section, today_in
from consult_app.db import db
from consult_app.errors import Missing
from consult_app.i18n import Texts, _
from consult_app.registrations.models import Institution, Registration, StakeholderType
from consult_app.sheets import fold

# What participants, observers, the hall and every file may see: the one place that says it (product.md rule 11 is beside it).
SHOWN = (Comment.withdrawn_at.is_(None), Comment.moderation.is_(None))


def who(said: Any) -> tuple[Any, ...]:
    """Who is told of by `attribution` as the author of a `Comment` or `Reply`, and no more: a page shows many."""
    names = (Registration.public_id, Registration.title_before, Registration.name, Registration.title_after, Registration.language)
    return (
        joinedload(said.registration).load_only(*names),
        joinedload(said.institution).load_only(Institution.name),
        joinedload(said.stakeholder_type).load_only(StakeholderType.name, StakeholderType.consultation_id),
    )


_NAME = load_only(User.name)
_NUMBER = load_only(Revision.number)  # its content is large, and rarely asked for

# What every list shows of a comment. Many share a section and an indicator, whose texts are long: they are not read with each row.
HEAD = (
    defer(Comment.search),
    *who(Comment),
    joinedload(Comment.recorded_by).options(_NAME),
    joinedload(Comment.section).load_only(
        Section.consultation_id, Section.dimension_id, Section.number, Section.state, Section.revision_number, Section.comments_until
    ),
    joinedload(Comment.indicator).load_only(Indicator.code, Indicator.dimension_id, Indicator.consultation_id),
    joinedload(Comment.revision).options(_NUMBER),
)

ANSWERS = selectinload(Comment.dispositions).joinedload(Disposition.revision).options(_NUMBER)

_REPLIES = selectinload(Comment.replies).options(
    *who(Reply),
    joinedload(Reply.written_by).options(_NAME),
    joinedload(Reply.roles).load_only(Membership.role, Membership.institution),  # as what somebody of the staff replied
    joinedload(Reply.revision).options(_NUMBER),
)

# And what hangs on it: the answers, the talk, the files.
WITH = (*HEAD, ANSWERS, _REPLIES, selectinload(Comment.attachments))

_DUPLICATE = selectinload(Comment.dispositions).joinedload(Disposition.duplicate_of).load_only(Comment.number)

# What the matrix shows more to those who work on the answers.
DESK = (_DUPLICATE, selectinload(Comment.assignments).joinedload(Assignment.institution))


def load_comment(consultation: Consultation, public_id: str, wanted: Sequence[ORMOption] = WITH) -> Comment:
    """A comment of this consultation, with what pages show of it. Raises Missing."""
    of_id = select(Comment).where(Comment.consultation_id == consultation.id, Comment.public_id == public_id)
    found = db.session.scalars(of_id.options(*wanted)).unique().one_or_none()
    if found is None:
        raise Missing(_("There is no such comment in this consultation."))
    return found


def load_for_desk(consultation: Consultation, public_id: str) -> Comment:
    """The same with the history of its answer, what is asked of whom, and the finding. Raises Missing."""
    wanted = (
        *HEAD,
        ANSWERS,
        _REPLIES,
        _DUPLICATE,
        joinedload(Comment.objection),
        joinedload(Comment.indicator).options(undefer(Indicator.question), undefer(Indicator.finding)),
        joinedload(Comment.section).joinedload(Section.dimension),
        joinedload(Comment.revision).options(undefer(Revision.content)),
        selectinload(Comment.dispositions).options(
            joinedload(Disposition.decided_by).options(_NAME), joinedload(Disposition.confirmed_by).options(_NAME)
        ),
        # a handful of each on one comment: together with it they are a few rows
        joinedload(Comment.attachments),
        joinedload(Comment.proposals).options(
            joinedload(ProposedAnswer.written_by).options(_NAME), joinedload(ProposedAnswer.duplicate_of).load_only(Comment.number)
        ),
        joinedload(Comment.assignments).joinedload(Assignment.institution),
    )
    return load_comment(consultation, public_id, wanted)


def on_indicator(indicator: Indicator) -> Select[Comment]:
    """The comments on an indicator that are shown, the newest first."""
    return select(Comment).where(Comment.indicator_id == indicator.id, *SHOWN).order_by(Comment.id.desc())


def by_person(registration: Registration) -> list[Comment]:
    """What somebody wrote in this consultation, at any event, the newest first."""
    return list(
        db.session.scalars(
            select(Comment)
            .where(Comment.person_id == registration.person_id)
            .order_by(Comment.id.desc())
            .options(*WITH, joinedload(Comment.objection))
        )
    )


def load_reply(consultation: Consultation, public_id: str) -> Reply:
    """A reply of this consultation. Raises Missing."""
    found = db.session.scalar(
        select(Reply).where(Reply.consultation_id == consultation.id, Reply.public_id == public_id).options(joinedload(Reply.comment))
    )
    if found is None:
        raise Missing(_("There is no such reply in this consultation."))
    return found


def replies_by(registration: Registration) -> list[Reply]:
    """What somebody replied in this consultation, at any event, the newest first."""
    mine = select(Reply).where(Reply.person_id == registration.person_id).order_by(Reply.id.desc())
    return list(db.session.scalars(mine.options(joinedload(Reply.comment).joinedload(Comment.indicator))))


def page_of(comment: Comment, size: int) -> int:
    """The page of an indicator's list on which a comment stands."""
    newer = select(func.count()).where(
        Comment.indicator_id == comment.indicator_id, Comment.withdrawn_at.is_(None), Comment.id > comment.id
    )
    return (db.session.scalar(newer) or 0) // size + 1


def is_newest(of: Any = Disposition) -> ColumnElement[bool]:
    """Whether a disposition (or an assignment) is its comment's newest: asked of each by the index, since a list of all of them
    grows with the site. Dispositions that were taken back do not count.
    """
    kind: Any = inspect(of).mapper.class_
    newer = aliased(kind)
    if kind is not Disposition:
        return ~select(newer.id).where(newer.comment_id == of.comment_id, newer.id > of.id).exists()
    later = (newer.comment_id == of.comment_id, newer.id > of.id, newer.taken_back_at.is_(None))
    return and_(of.taken_back_at.is_(None), ~select(newer.id).where(*later).exists())


def waiting(indicator_ids: list[int]) -> list[Comment]:
    """What waits for a facilitator on these indicators, and what was held back, the oldest first."""
    query = select(Comment).where(Comment.indicator_id.in_(indicator_ids), Comment.moderation.is_not(None), Comment.withdrawn_at.is_(None))
    return list(db.session.scalars(query.order_by(Comment.id).options(*HEAD)))


WIDE = "*"  # as the type of a filter: all types that are told only as "Participants"
# section (number), state, kind, stakeholder type, owner (an institution's public id, or "none") and words to search for
FILTERS = ("section", "state", "kind", "type", "owner", "q")


def review(consultation: Consultation, filters: Mapping[str, str], *, unshown: bool = False, wide: Collection[int] = ()) -> Select[Comment]:
    """The comments of a consultation for the `FILTERS` of the review desk, in the matrix's order.

    What is loaded with them is left to who asks. The types in `wide` are not told apart. With `unshown`, also those that a
    facilitator keeps from the screens: reviewers answer them, files leave them out.
    """
    query = (
        select(Comment)
        .join(Comment.section)
        .where(Comment.consultation_id == consultation.id, Comment.withdrawn_at.is_(None))
        .order_by(Section.number, Comment.number)
    )
    if not unshown:
        query = query.where(*SHOWN)
    if filters.get("section", "").isdigit():
        query = query.where(Section.number == int(filters["section"]))
    if filters.get("kind") in set(CommentKind):
        query = query.where(Comment.kind == filters["kind"])
    if filters.get("type"):
        of_code = select(StakeholderType.id).where(StakeholderType.code == filters["type"], StakeholderType.id.not_in(wide))
        query = query.where(Comment.stakeholder_type_id.in_(list(wide) if filters["type"] == WIDE else of_code))
    if filters.get("owner"):
        query = _of_owner(query, filters["owner"])
    for word in filters.get("q", "").split()[:10]:
        query = query.where(_has(word))
    if filters.get("state") == "overdue":
        return query.where(_standing_assignment(Assignment.due_on < today_in(consultation)), ~is_answered())
    return _in_state(query, filters.get("state", ""))


def in_short(query: Select[Comment], consultation: Consultation) -> Any:
    """A line of the desk's list for each comment of a `review`: no more than is shown there."""
    answer, proposal, assigned, objection = aliased(Disposition), aliased(ProposedAnswer), aliased(Assignment), aliased(Objection)
    is_late = assigned.due_on < today_in(consultation)
    return (
        query.join(Comment.indicator)
        .outerjoin(answer, (answer.comment_id == Comment.id) & is_newest(answer))
        .outerjoin(proposal, (proposal.comment_id == Comment.id) & proposal.closed_at.is_(None))
        .outerjoin(assigned, (assigned.comment_id == Comment.id) & is_newest(assigned))
        .outerjoin(Institution, Institution.id == assigned.institution_id)
        .outerjoin(objection, (objection.comment_id == Comment.id) & objection.resolved_at.is_(None))
        .with_only_columns(
            Comment.public_id,
            Comment.number,
            Comment.text,
            Comment.moderation,
            Section.number.label("section"),
            Indicator.code,
            answer.kind.label("answer"),
            proposal.id.label("proposal"),
            proposal.decided_at,
            Institution.short.label("owner"),
            Institution.name.label("owner_name"),
            (is_late & answer.id.is_(None)).label("is_overdue"),
            objection.id.label("objection"),
        )
    )


def _has(word: str) -> ColumnElement[bool]:
    """Whether a comment has a word, in its code, texts or answer, or as its number; `#12` is the number alone."""
    found = Comment.search.contains(fold(word), autoescape=True)
    number = word.removeprefix("#")
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        return found
    is_number = Comment.number == int(number)
    return is_number if word != number else found | is_number


def _standing_assignment(*more: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a comment's newest assignment fits."""
    return select(Assignment.id).where(Assignment.comment_id == Comment.id, is_newest(Assignment), *more).exists()


def _of_owner(query: Select[Comment], owner: str) -> Select[Comment]:
    if owner == "none":
        return query.where(~_standing_assignment(Assignment.institution_id.is_not(None)))
    return query.where(_standing_assignment(Assignment.institution_id.in_(select(Institution.id).where(Institution.public_id == owner))))


# Each is asked of one comment at a time, by the index on comment_id: a list of all answers would be made anew for each page.
def is_answered() -> ColumnElement[bool]:
    """Whether a comment has a disposition."""
    return select(Disposition.id).where(Disposition.comment_id == Comment.id, Disposition.taken_back_at.is_(None)).exists()


def duplicate_target() -> Any:
    """The id of the comment that a comment is answered as a duplicate of, else NULL."""
    is_duplicate = Disposition.kind == DispositionKind.DUPLICATE
    return select(Disposition.duplicate_of_id).where(Disposition.comment_id == Comment.id, is_duplicate, is_newest()).scalar_subquery()


def leading_nowhere(consultation_ids: Collection[int]) -> set[int]:
    """The ids of duplicates that lead to no answer: to one another, or to a comment that was withdrawn or has none."""
    target, lacks = duplicate_target(), Comment.withdrawn_at.is_not(None) | ~is_answered()
    query = select(Comment.id, target, lacks).where(Comment.consultation_id.in_(consultation_ids), target.is_not(None) | lacks)
    rows = db.session.execute(query).tuples().all()
    targets = {one: other for one, other, _lacks in rows if other is not None}
    ends = {one for one, _other, is_lacking in rows if is_lacking}
    found = set()
    for one in targets:
        seen, at = {one}, targets[one]
        while at in targets and at not in seen:
            seen.add(at)
            at = targets[at]
        if at in seen or at in ends or seen & ends - {one}:
            found.add(one)
    return found


def waits_for_revision() -> ColumnElement[bool]:
    """Whether a comment is accepted and no revision carries the change."""
    accepted = (Disposition.kind.in_(["accepted", "accepted_in_part"]), Disposition.revision_id.is_(None))
    return select(Disposition.id).where(Disposition.comment_id == Comment.id, *accepted, is_newest()).exists()


def is_objected() -> ColumnElement[bool]:
    """Whether an objection to a comment's answer is open."""
    return select(Objection.id).where(Objection.comment_id == Comment.id, Objection.resolved_at.is_(None)).exists()


def _in_state(query: Select[Comment], state: str) -> Select[Comment]:
    if state in ("drafted", "second"):
        decided = ProposedAnswer.decided_at.is_not(None) if state == "second" else ProposedAnswer.decided_at.is_(None)
        proposed = select(ProposedAnswer.id).where(ProposedAnswer.comment_id == Comment.id, ProposedAnswer.closed_at.is_(None), decided)
        return query.where(proposed.exists())
    conditions = {"open": ~is_answered(), "answered": is_answered(), "revision": waits_for_revision(), "objection": is_objected()}
    return query.where(conditions[state]) if state in conditions else query


def endorsed(comments: Sequence[Comment], by: Registration | None) -> tuple[dict[int, int], set[int]]:
    """How many endorse each comment, and which of them this participant does."""
    mine = number_where(Endorsement.person_id == (by.person_id if by else None))
    query = select(Endorsement.comment_id, func.count(), mine).where(Endorsement.comment_id.in_([comment.id for comment in comments]))
    rows = db.session.execute(query.group_by(Endorsement.comment_id)).tuples().all()
    return {one: count for one, count, _own in rows}, {one for one, _count, own in rows if own}


def endorsement_counts(comments: Sequence[Comment]) -> dict[int, int]:
    """How many endorse each comment."""
    return endorsed(comments, None)[0]


@dataclass(frozen=True)
class Talk:
    """How much hangs on a comment, where a page shows no more than that."""

    replies: int
    files: int
    endorsements: int


def talk_of(comments: Iterable[Comment]) -> dict[int, Talk]:
    """The numbers of each comment."""

    def counted(kind: type[Reply | Attachment | Endorsement], *more: ColumnElement[bool]) -> Any:
        return select(func.count()).where(kind.comment_id == Comment.id, *more).scalar_subquery()

    numbers = (counted(Reply, Reply.withdrawn_at.is_(None)), counted(Attachment), counted(Endorsement))
    rows = db.session.execute(select(Comment.id, *numbers).where(Comment.id.in_([comment.id for comment in comments])))
    return {one: Talk(*found) for one, *found in rows.tuples()}


def position_of(indicator: Indicator, registration: Registration) -> Position | None:
    """The newest position somebody took on an indicator, on whatever revision."""
    return db.session.scalar(
        select(Position)
        .where(Position.indicator_id == indicator.id, Position.person_id == registration.person_id)
        .order_by(Position.revision_id.desc())
        .limit(1)
        .options(joinedload(Position.revision))
    )


@dataclass(frozen=True)
class PositionRow:
    """Positions of one stakeholder type (or all); None for a number that must not be told."""

    name: Texts
    counts: dict[PositionValue, int] | None


@dataclass(frozen=True)
class RevisionRow:
    """Positions that were taken on one revision; on several together where they must not be told apart."""

    numbers: tuple[int, ...]
    counts: dict[PositionValue, int] | None

    @property
    def total(self) -> int:
        return sum((self.counts or {}).values())


@dataclass(frozen=True)
class Held:
    """What is held of an indicator: of all, by stakeholder type, and the same people by revision.

    Under the Chatham House Rule it is what was told at `told_at`, and `others` are the types that are not told alone; `people` is
    how many they are now, None for fewer than three.
    """

    everyone: PositionRow
    by_type: dict[int, PositionRow]  # by the type's id, in the types' order
    revisions: list[RevisionRow]
    people: int | None
    others: PositionRow | None = None
    told_at: dt.datetime | None = None

    @property
    def rows(self) -> list[PositionRow]:
        """What is told by type, and of the others together."""
        return [*self.by_type.values(), *([self.others] if self.others else [])]

    @property
    def since(self) -> int:
        """How many more took a position since `told_at`, or have not been told of by what they hold at all."""
        return max(0, (self.people or 0) - sum((self.everyone.counts or {}).values()))


def is_newest_position() -> ColumnElement[bool]:
    """Whether a position is the newest that its person holds of the indicator: that on the latest revision.

    It is the one that counts, whether the text was revised since or not (product.md rule 3).
    """
    newer = aliased(Position)
    is_theirs = (newer.indicator_id == Position.indicator_id) & (newer.person_id == Position.person_id)
    return ~select(newer.id).where(is_theirs, newer.revision_id > Position.revision_id).exists()


Counts = dict[PositionValue, int]
TYPES, REVISIONS = "types", "revisions"  # the ways in which those who hold something of an indicator are divided


def no_counts() -> dict[PositionValue, int]:
    return dict.fromkeys(PositionValue, 0)


def positions(indicator: Indicator, *, suppress: bool) -> Held:
    """What is held of an indicator, the newest position of each person; with `suppress`, what of it may be told to anybody."""
    kinds = select(StakeholderType.id, StakeholderType.name).where(StakeholderType.consultation_id == indicator.consultation_id)
    kinds = kinds.order_by(StakeholderType.place)
    if suppress:
        with_told = kinds.add_columns(people_on(indicator.id), PositionsTold).outerjoin(PositionsTold, is_told_of(indicator.id))
        rows = db.session.execute(with_told).tuples().all()
        _kind, _name, people, kept = rows[0] if rows else (0, {}, 0, None)
        return held_as_told({row[0]: row[1] for row in rows}, indicator.dimension.section.revision_number, people, kept)
    groups = db.session.execute(
        kinds.add_columns(Revision.number, Position.value, func.count())
        .join(Position, Position.stakeholder_type_id == StakeholderType.id)
        .join(Revision, Revision.id == Position.revision_id)
        .where(Position.indicator_id == indicator.id, is_newest_position())
        .group_by(StakeholderType.id, Revision.number, Position.value)
    ).tuples()
    types: dict[int, Texts] = {}
    by_type: dict[int, Counts] = {}
    by_revision: dict[int, Counts] = {}
    for kind, name, number, value, count in groups:
        types[kind] = name
        by_type.setdefault(kind, no_counts())[value] += count
        by_revision.setdefault(number, no_counts())[value] += count
    return held_in_full(types, by_type, by_revision)


def people_on(indicator_id: Any) -> Any:
    """How many hold something of an indicator, beside other columns."""
    one = aliased(Position)
    newer = aliased(Position)
    is_theirs = (newer.indicator_id == one.indicator_id) & (newer.person_id == one.person_id)
    is_newest_one = ~select(newer.id).where(is_theirs, newer.revision_id > one.revision_id).exists()
    return select(func.count(one.id)).where(one.indicator_id == indicator_id, is_newest_one).scalar_subquery()


def is_told_of(indicator_id: Any) -> ColumnElement[bool]:
    """Whether a row is what is told of an indicator now: the newest."""
    one = aliased(PositionsTold)
    condition: ColumnElement[bool] = PositionsTold.id == select(func.max(one.id)).where(one.indicator_id == indicator_id).scalar_subquery()
    return condition


def held_in_full(types: Mapping[int, Texts], by_type: Mapping[int, Counts], by_revision: Mapping[int, Counts]) -> Held:
    """All of it, for those who may know who spoke, or where everybody may."""
    everyone = {value: sum(counts[value] for counts in by_type.values()) for value in PositionValue}
    rows = {kind: PositionRow(name, by_type[kind]) for kind, name in types.items() if kind in by_type}
    revisions = [RevisionRow((number,), by_revision[number]) for number in sorted(by_revision)]
    return Held(PositionRow({}, everyone), rows, revisions, sum(everyone.values()))


OTHERS: Texts = {"en": "Other types together", "id": "Jenis lain bersama-sama"}


def held_as_told(types: Mapping[int, Texts], revision_number: int, people: int, kept: PositionsTold | None) -> Held:
    """What was told of an indicator last, and how many hold something of it now.

    The revisions that are told together are all that there were, so that none of them shows whether anybody is on it.
    """
    people_told = disclosure.number(people)
    told = disclosure.Told.from_json(kept.told) if kept is not None else None
    # of fewer than half, the first ones would look as if they spoke for all
    if kept is None or told is None or people_told is None or 2 * sum(told.everyone) < people:
        return Held(PositionRow({}, None), {}, [RevisionRow(tuple(range(1, revision_number + 1)), None)], people_told)
    alone, on = told.alone[TYPES], told.alone[REVISIONS]
    rows = {kind: PositionRow(name, _by_value(alone[str(kind)])) for kind, name in types.items() if str(kind) in alone}
    rest = told.others(TYPES)
    others = PositionRow(OTHERS, _by_value(rest)) if rows and any(rest) else None
    revisions = [RevisionRow((int(number),), _by_value(counts)) for number, counts in on.items()]
    if any(told.others(REVISIONS)):
        together = tuple(n for n in range(1, kept.told["revision"] + 1) if str(n) not in on)
        revisions.append(RevisionRow(together, _by_value(told.others(REVISIONS))))
    revisions.sort(key=lambda row: row.numbers)
    return Held(PositionRow({}, _by_value(told.everyone)), rows, revisions, people_told, others, kept.created_at)


def _by_value(counts: Sequence[int]) -> dict[PositionValue, int]:
    return dict(zip(PositionValue, counts, strict=True))


@dataclass(frozen=True)
class SectionCounts:
    """Comments of one section, as the review desk and the gates count them."""

    comments: int
    open: int
    waiting_for_revision: int
    objections: int


def number_where(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows fit, beside other numbers of the same rows."""
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def counts_by(column: Any, consultation_ids: Sequence[int]) -> Select[Any]:
    """The numbers of `SectionCounts` for each value of a column of comments, which comes first."""
    waits = Disposition.kind.in_(["accepted", "accepted_in_part"]) & Disposition.revision_id.is_(None)
    conditions = (Disposition.id.is_(None), waits, Objection.id.is_not(None))
    return (
        select(column, func.count(), *map(number_where, conditions))
        .select_from(Comment)
        .outerjoin(Disposition, (Disposition.comment_id == Comment.id) & is_newest())
        .outerjoin(Objection, (Objection.comment_id == Comment.id) & Objection.resolved_at.is_(None))
        .where(Comment.consultation_id.in_(consultation_ids), Comment.withdrawn_at.is_(None))
        .group_by(column)
    )


def section_counts(*consultations: Consultation) -> dict[int, SectionCounts]:
    """For every section of these consultations that has comments, in one statement."""
    rows = db.session.execute(counts_by(Comment.section_id, [consultation.id for consultation in consultations]))
    return {section: SectionCounts(*numbers) for section, *numbers in rows.tuples()}


def indicator_counts(consultation: Consultation) -> dict[int, int]:
    """How many comments each indicator shows."""
    return dict(
        db.session.execute(
            select(Comment.indicator_id, func.count())
            .where(Comment.consultation_id == consultation.id, *SHOWN)
            .group_by(Comment.indicator_id)
        )
        .tuples()
        .all()
    )


def positions_taken(registration: Registration) -> dict[int, Position]:
    """The newest position of somebody on each indicator."""
    rows = db.session.scalars(select(Position).where(Position.person_id == registration.person_id).order_by(Position.revision_id))
    return {position.indicator_id: position for position in rows}
