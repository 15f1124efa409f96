"""The gate before a signature (rule 15): each thing that is missing is named, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.comments import answers
from consult_app.comments.actions import withdraw_comment
from consult_app.comments.models import Comment, DispositionKind
from consult_app.consultations import actions as consultations
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db
from consult_app.policy import Role
from consult_app.signoff.gate import MOST_NAMED, missing, missing_of, report_missing
from tests import factories
from tests.signoff.steps import BY, comment_on, freeze, name, sign


@pytest.fixture
def section(consultation: Consultation) -> Section:
    """Section 1, open, with a focal point."""
    first = consultation.sections[0]
    consultations.open_section(first, by=BY)
    name(first, factories.make_user(Role.FOCAL_POINT, consultation))
    return first


@pytest.fixture
def comments(section: Section) -> list[Comment]:
    person = factories.make_registration(factories.make_event(section.consultation))
    return [comment_on(section, person, f"Comment number {number}") for number in range(1, 4)]


def section_comments(section: Section) -> list[Comment]:
    return list(db.session.scalars(db.select(Comment).where(Comment.section_id == section.id).order_by(Comment.number)))


def reasons(section: Section) -> list[str]:
    db.session.commit()
    return [str(one) for one in missing(section)]


def frozen(section: Section) -> Section:
    """With another text, so that its revision is a later one."""
    consultations.start_review(section, by=BY)
    consultations.edit_section(section, {"narrative": {"en": "Another text."}}, section.edit_number, by=BY)
    consultations.freeze_section(section, by=BY)
    return section


def decide(comment: Comment, kind: DispositionKind, **more: Any) -> None:
    answers.decide(comment, kind, "Because.", by=comment.section.focal_points[0].user, **more)


def test_rule_15_nothing_is_missing_where_all_is_done(section: Section, comments: list[Comment]) -> None:
    for comment in comments:
        decide(comment, DispositionKind.NOTED)
    assert reasons(frozen(section)) == []


def test_rule_15_text_focal_point_and_comments_are_named(consultation: Consultation, section: Section, comments: list[Comment]) -> None:
    decide(comments[0], DispositionKind.NOTED)
    assert reasons(section) == [
        "The text of section 1 is not frozen for signature.",
        "Comments without a disposition: No. 2 (1.1), No. 3 (1.1)",
    ]
    bare = consultation.sections[1]
    consultations.open_section(bare, by=BY)
    assert reasons(frozen(bare)) == ["No focal point is named for section 2."]


def test_rule_15_a_comment_that_was_withdrawn_stands_in_nobodys_way(section: Section, comments: list[Comment]) -> None:
    for comment in comments:
        withdraw_comment(comment, by=comment.registration)
    assert reasons(frozen(section)) == []


def test_rule_15_an_accepted_comment_names_the_revision_with_the_change(section: Section, comments: list[Comment]) -> None:
    for comment, kind in zip(comments, (DispositionKind.ACCEPTED, DispositionKind.ACCEPTED_IN_PART, DispositionKind.NOTED), strict=True):
        decide(comment, kind)
    frozen(section)
    assert reasons(section) == ["Accepted comments that name no revision with the change: No. 1 (1.1), No. 2 (1.1)"]
    assert section.revision is not None
    answers.carry([comments[0]], section.revision, by=BY)
    assert reasons(section) == ["Accepted comments that name no revision with the change: No. 2 (1.1)"]


def test_rule_15_an_open_objection_blocks(section: Section, comments: list[Comment]) -> None:
    for comment in comments:
        decide(comment, DispositionKind.NOT_ACCEPTED)
    answers.object_to(comments[1], "I do not agree.", by=comments[1].registration)
    assert reasons(frozen(section)) == ["Open objections to the answers of these comments: No. 2 (1.1)"]


def test_rule_15_a_duplicate_of_what_has_no_answer_is_named(section: Section, comments: list[Comment]) -> None:
    first, second, third = comments
    decide(first, DispositionKind.DUPLICATE, duplicate_of=second)
    decide(third, DispositionKind.NOTED)
    assert reasons(section)[1:] == [
        "Comments without a disposition: No. 2 (1.1)",
        "Duplicates that lead to no answer, since the other comment has none: No. 1 (1.1)",
    ]
    decide(second, DispositionKind.NOTED)
    assert reasons(frozen(section)) == []


def test_rule_15_of_many_comments_the_first_are_named_and_the_rest_counted(section: Section, comments: list[Comment]) -> None:
    person = comments[0].registration
    for number in range(4, MOST_NAMED + 3):
        comment_on(section, person, f"Comment number {number}")
    words = reasons(frozen(section))[0]
    assert (words.count("No. "), words.endswith("No. 12 (1.1), and 2 more")) == (12, True)
    for comment in section_comments(section)[:2]:
        withdraw_comment(comment, by=comment.registration)
    words = reasons(section)[0]
    assert (words.count("No. "), words.endswith("No. 14 (1.1)")) == (12, True)  # as many as are named: none is left over


def test_rule_15_a_section_is_not_held_up_by_anothers_comments(
    consultation: Consultation, section: Section, comments: list[Comment]
) -> None:
    other = consultation.sections[1]
    consultations.open_section(other, by=BY)
    name(other, factories.make_user(Role.FOCAL_POINT, consultation))
    frozen(other)
    found = missing_of([section, other])
    assert [len(found[one.id]) for one in (section, other)] == [2, 0]


def of_report(consultation: Consultation) -> list[str]:
    db.session.commit()
    db.session.expire_all()
    return [str(one) for one in report_missing(consultation)]


def test_rule_27_each_state_in_which_a_section_blocks_the_report_has_its_words(consultation: Consultation) -> None:
    first, second = consultation.sections
    user = factories.make_user(Role.FOCAL_POINT, consultation, name="Retno")
    name(second, user)
    freeze(second)
    sign(second, user)
    assert of_report(consultation) == ["Section 1, Dimension 1: it has no revision yet."]
    consultations.open_section(first, by=BY)
    nobody = "Section 1, Dimension 1: no focal point is named."
    assert of_report(consultation) == ["Section 1, Dimension 1: it is open for comments.", nobody]
    consultations.start_review(first, by=BY)
    name(first, user)
    assert of_report(consultation)[0] == "Section 1, Dimension 1: its text is not frozen for signature yet."
    freeze(first)
    assert of_report(consultation) == ["Section 1, Dimension 1: Retno (Ministry of Tests) has not signed."]
    sign(first, user)
    assert of_report(consultation) == []
    consultations.reopen_section(first, by=BY)
    assert of_report(consultation)[0].startswith("Section 1, Dimension 1: it is open again, so its text may be changing.")


def test_rule_27_a_report_without_a_section_is_not_validated(app: Any) -> None:
    assert of_report(factories.make_consultation(0, 0)) == ["The report has no section yet."]
