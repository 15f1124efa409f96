"""Answers to comments: decided, told, carried, objected to; rules 13 and 14."""

from __future__ import annotations

from typing import Any

import pytest

from consult_app.comments.models import Comment, Disposition, DispositionKind, Objection
from consult_app.consultations import actions as consultations
from consult_app.db import db
from consult_app.policy import Role
from tests import factories
from tests.signoff.steps import comment_on, freeze

NOTED = {"kind": "noted", "response": "It is known."}


@pytest.fixture
def comment(section: Any, author: Any) -> Comment:
    made = comment_on(section, author)
    db.session.commit()
    return made


def url(comment: Comment, deed: str) -> str:
    return f"/consultations/{comment.section.consultation.slug}/comments/{comment.public_id}/{deed}"


def tell(comment: Comment) -> str:
    return f"/consultations/{comment.section.consultation.slug}/comments/tell"


def text_of(mail: Any) -> str:
    return " ".join(mail.get_body(("plain",)).get_content().split())


def test_the_focal_point_answers(comment: Comment, focal_point: Any, author: Any, browse: Any, last_entry: Any, audit_ok: None) -> None:
    client = browse(focal_point)
    assert client.post(url(comment, "decide"), data={"kind": "accepted"}).status_code == 303
    assert comment.disposition.kind is DispositionKind.ACCEPTED
    assert last_entry("comment.decide").actor == focal_point.actor_key
    assert "Accepted" in browse(author).get("/my/comments").text


def test_rule_13_every_answer_but_accepted_needs_a_reason(comment: Comment, focal_point: Any, browse: Any) -> None:
    client = browse(focal_point)
    for kind in DispositionKind:
        data = {"kind": kind.value, "response": "  ", "duplicate_of": "", "seen": comment.answer_state}
        assert (client.post(url(comment, "decide"), data=data).status_code == 422) == (kind is not DispositionKind.ACCEPTED)
    assert client.post(url(comment, "decide"), data={"kind": "perhaps", "response": "x"}).status_code == 422


def test_who_may_answer_and_when(comment: Comment, section: Any, focal_point: Any, browse: Any) -> None:
    stranger = factories.make_user(Role.FOCAL_POINT, factories.make_consultation())
    unnamed = factories.make_user(Role.FOCAL_POINT, section.consultation)
    organiser = factories.make_user(Role.ORGANISER, section.consultation)
    for deed in ("decide", "resolve"):
        assert browse(stranger).post(url(comment, deed), data=NOTED).status_code == 404
        assert browse(unnamed).post(url(comment, deed), data=NOTED).status_code == 403
        assert browse(organiser).post(url(comment, deed), data=NOTED).status_code == 403
    freeze(section)
    assert browse(focal_point).post(url(comment, "decide"), data=NOTED).status_code == 409


def test_a_duplicate_needs_the_number_of_another_comment(
    comment: Comment, section: Any, author: Any, focal_point: Any, browse: Any
) -> None:
    other = comment_on(section, author, "The same again.")
    client = browse(focal_point)
    data = {"kind": "duplicate", "response": "See there."}
    for number in ("", "99", str(comment.number), "x"):
        assert client.post(url(comment, "decide"), data={**data, "duplicate_of": number}).status_code == 422
    assert client.post(url(comment, "decide"), data={**data, "duplicate_of": str(other.number)}).status_code == 303
    assert comment.disposition.duplicate_of_id == other.id


def test_rule_13_a_changed_answer_keeps_the_earlier_one(comment: Comment, focal_point: Any, author: Any, browse: Any) -> None:
    client = browse(focal_point)
    client.post(url(comment, "decide"), data=NOTED)
    client.post(url(comment, "decide"), data={"kind": "accepted", "response": "After all.", "seen": comment.answer_state})
    assert [d.kind.value for d in comment.dispositions] == ["noted", "accepted"]
    page = browse(author).get("/my/comments").text
    assert "Earlier answers" in page
    assert "It is known." in page


def test_rule_13_one_message_per_author_and_batch_also_of_a_refusal(
    comment: Comment, section: Any, event: Any, author: Any, focal_point: Any, browse: Any, sent: Any, last_entry: Any
) -> None:
    second = comment_on(section, author, "Another one.")
    third = comment_on(section, factories.make_registration(event), "Somebody else's.")
    client = browse(focal_point)
    client.post(url(comment, "decide"), data={"kind": "not_accepted", "response": "First refusal."})
    client.post(url(second, "decide"), data={"kind": "noted", "response": "Second answer."})
    client.post(url(third, "decide"), data={"kind": "accepted"})
    assert sent() == []
    assert browse(factories.make_user(Role.OBSERVER, section.consultation)).post(tell(comment)).status_code == 403
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).post(tell(comment)).status_code == 404
    assert client.post(tell(comment)).status_code == 303
    assert client.post(tell(comment)).status_code == 303  # nothing new: nobody is written to
    mails = sent()
    assert sorted(mail["To"] for mail in mails) == sorted([author.email, third.registration.email])
    both = next(text_of(mail) for mail in mails if mail["To"] == author.email)
    assert "First refusal." in both
    assert "Second answer." in both
    assert last_entry("comment.tell").actor == focal_point.actor_key


def test_rule_13_an_answer_that_was_replaced_before_telling_is_never_told(
    comment: Comment, focal_point: Any, browse: Any, sent: Any
) -> None:
    client = browse(focal_point)
    client.post(url(comment, "decide"), data={"kind": "not_accepted", "response": "Too hasty."})
    client.post(url(comment, "decide"), data={"kind": "noted", "response": "Well considered.", "seen": comment.answer_state})
    client.post(tell(comment))
    client.post(tell(comment))
    (mail,) = sent()
    assert "Well considered." in text_of(mail)
    assert "Too hasty." not in text_of(mail)
    client.post(url(comment, "decide"), data={"kind": "accepted", "response": "Changed again.", "seen": comment.answer_state})
    client.post(tell(comment))
    assert "Changed again." in text_of(sent()[-1])
    assert len(sent()) == 2


def test_rule_14_accepted_names_a_later_revision(comment: Comment, section: Any, focal_point: Any, browse: Any, last_entry: Any) -> None:
    organiser = browse(factories.make_user(Role.ORGANISER, section.consultation))
    carry = f"/consultations/{section.consultation.slug}/sections/1/carry"
    ticked = {"comment": comment.public_id}
    assert organiser.post(carry).status_code == 422
    assert organiser.post(carry, data=ticked).status_code == 409  # not answered
    browse(focal_point).post(url(comment, "decide"), data={"kind": "accepted"})
    assert organiser.post(carry, data=ticked).status_code == 409  # the revision it was made on
    consultations.start_review(section, by=factories.BY)
    consultations.edit_section(section, {"narrative": {"en": "Since the law of 2017 …"}}, section.edit_number, by=factories.BY)
    freeze(section)
    assert browse(focal_point).post(carry, data=ticked).status_code == 403
    assert organiser.post(carry, data=ticked).status_code == 303
    assert comment.disposition.revision_id == section.revision.id
    assert comment.revision.number == 1  # rule 3
    assert last_entry("disposition.carry") is not None
    page = organiser.get(f"/consultations/{section.consultation.slug}/sections/1/revisions/{section.revision_number}").text
    assert "<ins" in page
    stranger = browse(factories.make_user(Role.ORGANISER, factories.make_consultation()))
    assert stranger.post(carry, data=ticked).status_code == 404


def test_rule_15_an_objection_is_made_once_and_blocks_until_resolved(
    comment: Comment, event: Any, focal_point: Any, author: Any, browse: Any, last_entry: Any, audit_ok: None
) -> None:
    client, desk = browse(author), browse(focal_point)
    words = {"text": "<b>No</b>, it is not."}
    assert client.post(url(comment, "object"), data=words).status_code == 409  # not answered yet
    desk.post(url(comment, "decide"), data=NOTED)
    assert client.post(url(comment, "object"), data={"text": "  "}).status_code == 422
    assert browse(factories.make_registration(event)).post(url(comment, "object"), data=words).status_code == 403
    assert browse(factories.make_registration()).post(url(comment, "object"), data=words).status_code == 404
    assert client.post(url(comment, "object"), data=words).status_code == 303
    assert client.post(url(comment, "object"), data=words).status_code == 409
    assert last_entry("comment.object").actor == author.actor_key
    review = f"/consultations/{comment.section.consultation.slug}/comments?state=objection"
    assert "&lt;b&gt;No" in desk.get(review).text
    assert desk.post(url(comment, "resolve"), data={"resolution": "  "}).status_code == 422
    assert desk.post(url(comment, "resolve"), data={"resolution": "Agreed by phone."}).status_code == 303
    assert desk.post(url(comment, "resolve"), data={"resolution": "Twice."}).status_code == 409
    assert not db.session.scalars(db.select(Objection)).one().is_open
    assert last_entry("objection.resolve").actor == focal_point.actor_key
    assert "No comments here" in desk.get(review).text


def test_an_answered_comment_is_not_withdrawn_and_a_withdrawn_one_not_answered(
    comment: Comment, section: Any, author: Any, focal_point: Any, browse: Any
) -> None:
    other = comment_on(section, author, "To be withdrawn.")
    client, desk = browse(author), browse(focal_point)
    desk.post(url(comment, "decide"), data=NOTED)
    assert client.post(url(comment, "withdraw")).status_code == 409
    client.post(url(other, "withdraw"))
    assert desk.post(url(other, "decide"), data=NOTED).status_code == 409
    assert db.session.scalar(db.select(db.func.count()).select_from(Disposition)) == 1


def test_rule_13_who_came_to_two_events_gets_one_message_with_all_answers(
    section: Any, event: Any, author: Any, focal_point: Any, browse: Any, sent: Any
) -> None:
    again = factories.make_registration(factories.make_event(event.consultation), email=author.email, name=author.name)
    comments = [comment_on(section, author, "At the first meeting."), comment_on(section, again, "At the second meeting.")]
    client = browse(focal_point)
    for number, comment in enumerate(comments):
        client.post(url(comment, "decide"), data={"kind": "noted", "response": f"Answer {number}."})
    client.post(tell(comments[0]))
    (mail,) = sent()
    assert mail["To"] == author.email
    assert "Answer 0." in text_of(mail)
    assert "Answer 1." in text_of(mail)
