"""The review desk: search, assigning, drafts, a second pair of eyes, several at once, and objections in time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import event as sa_event

from consult_app import audit
from consult_app.comments import answers
from consult_app.comments.models import Assignment, Comment, Disposition, DispositionKind
from consult_app.consultations import actions as consultations
from consult_app.db import db, now
from consult_app.policy import Role
from tests import factories
from tests.signoff.steps import comment_on, freeze

pytestmark = pytest.mark.usefixtures("audit_ok")
NOTED = {"kind": "noted", "response": "It is known."}


@pytest.fixture
def comments(section: Any, author: Any) -> list[Comment]:
    words = ("The law of 2017 is missing.", "Pekerja migran <b>x</b>", "The law of 2017 again.")
    made = [comment_on(section, author, text) for text in words]
    db.session.commit()
    return made


def base(comment: Comment) -> str:
    return f"/consultations/{comment.section.consultation.slug}/comments"


def url(comment: Comment, deed: str) -> str:
    return f"{base(comment)}/{comment.public_id}/{deed}"


def listed(client: Any, comments: list[Comment], **filters: str) -> list[int]:
    page = client.get(base(comments[0]), query_string=filters)
    assert page.status_code == 200
    return [c.number for c in comments if f'class="review-list__code">{c.number} ·' in page.text]


def count(table: Any) -> int:
    return db.session.scalar(db.select(db.func.count()).select_from(table)) or 0


def test_search_finds_words_numbers_codes_and_responses(comments: Any, focal_point: Any, browse: Any) -> None:
    client = browse(focal_point)
    client.post(url(comments[1], "decide"), data={"kind": "noted", "response": "Sudah dibahas – résumé."})
    for words, found in [
        ("LAW 2017", [1, 3]), ("again law", [3]), ("#2", [2]), ("resume", [2]), ("1.1", [1, 2, 3]), ("nothing", []), ("%", [1, 2, 3]),
        ("<b>x</b>", [2]),  ("x" * 5000, []), ("99999999999", []),
    ]:  # fmt: skip
        assert listed(client, comments, q=words) == found, words


def test_assign_to_an_institution_until_a_day(
    comments: Any, section: Any, author: Any, focal_point: Any, browse: Any, last_entry: Any
) -> None:
    first, owner = comments[0], author.institution
    late = {"institution": owner.public_id, "due_on": "2020-01-01"}
    assert browse(author).post(url(first, "assign"), data=late).status_code == 403
    assert browse(factories.make_user(Role.FACILITATOR, section.consultation)).post(url(first, "assign"), data=late).status_code == 403
    assert (
        browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).post(url(first, "assign"), data=late).status_code == 404
    )
    client = browse(factories.make_user(Role.ORGANISER, section.consultation))
    assert client.post(url(first, "assign"), data={"institution": "other"}).status_code == 422
    assert client.post(url(first, "assign"), data={"due_on": "2030-01-01"}).status_code == 422
    assert client.post(url(first, "assign"), data={**late, "due_on": "x"}).status_code == 422
    assert client.post(url(first, "assign"), data=late).status_code == 303
    assert last_entry("comment.assign") is not None
    assert listed(client, comments, owner=owner.public_id) == [1]
    assert listed(client, comments, owner="none") == [2, 3]
    assert listed(client, comments, state="overdue") == [1]
    assert "is to answer" in client.get(f"{base(first)}?comment={first.public_id}").text
    browse(focal_point).post(url(first, "decide"), data=NOTED)
    assert listed(client, comments, state="overdue") == []
    assert client.post(url(first, "assign"), data={"institution": ""}).status_code == 303
    assert listed(client, comments, owner="none") == [1, 2, 3]
    assert count(Assignment) == 2
    browse(author).post(url(comments[1], "withdraw"))
    assert client.post(url(comments[1], "assign"), data=late).status_code == 409


def test_a_draft_is_neither_told_nor_counted_and_the_focal_point_decides(
    comments: Any, section: Any, author: Any, focal_point: Any, browse: Any, last_entry: Any
) -> None:
    first = comments[0]
    rapporteur = factories.make_user(Role.RAPPORTEUR, section.consultation, name="Rina Rapporteur")
    client, deed = browse(rapporteur), url(first, "draft-answer")
    assert client.post(url(first, "decide"), data=NOTED).status_code == 403
    assert client.post(deed, data={"kind": "noted"}).status_code == 422
    assert browse(author).post(deed, data=NOTED).status_code == 403
    assert browse(factories.make_user(Role.OBSERVER, section.consultation)).post(deed, data=NOTED).status_code == 403
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).post(deed, data=NOTED).status_code == 404
    assert client.post(deed, data={**NOTED, "response": "Drafted <b>so</b>."}).status_code == 303
    assert last_entry("proposal.draft").actor == rapporteur.actor_key
    assert listed(client, comments, state="open") == [1, 2, 3]
    assert listed(client, comments, state="drafted") == [1]
    assert "Drafted" not in browse(author).get("/my/comments").text
    assert answers.untold(section.consultation) == []
    desk = browse(focal_point)
    page = desk.get(f"{base(first)}?comment={first.public_id}").text
    assert "Draft by Rina Rapporteur" in page
    assert page.count("Drafted &lt;b&gt;so") == 2  # as it is, and in the form
    assert desk.post(url(first, "decide"), data={"kind": "accepted", "seen": first.answer_state}).status_code == 303
    assert (first.proposal, first.disposition.kind) == (None, DispositionKind.ACCEPTED)
    freeze_refuses(client, comments[1], section, browse, focal_point)


def freeze_refuses(client: Any, comment: Comment, section: Any, browse: Any, focal_point: Any) -> None:
    freeze(section)
    assert client.post(url(comment, "draft-answer"), data=NOTED).status_code == 409


def test_a_second_pair_of_eyes(comments: Any, section: Any, author: Any, focal_point: Any, browse: Any, last_entry: Any, sent: Any) -> None:
    first, desk = comments[0], browse(focal_point)
    organiser = browse(factories.make_user(Role.ORGANISER, section.consultation, name="Omar Organiser"))
    switch = f"{base(first)}/second-pair"
    assert desk.post(switch, data={"wanted": "1"}).status_code == 403
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).post(switch).status_code == 404
    assert organiser.post(switch, data={"wanted": "1"}).status_code == 303
    assert last_entry("consultation.second_pair") is not None
    assert desk.post(url(first, "decide"), data={**NOTED, "seen": first.answer_state}).status_code == 303
    assert first.disposition is None
    assert answers.untold(section.consultation) == []
    assert listed(desk, comments, state="second") == [1]
    this = {"proposal": first.proposal.public_id}
    assert "Confirm this answer" not in desk.get(f"{base(first)}?comment={first.public_id}").text
    assert desk.post(url(first, "confirm"), data=this).status_code == 409  # the same person
    unnamed = factories.make_user(Role.FOCAL_POINT, section.consultation)
    assert browse(unnamed).post(url(first, "confirm"), data=this).status_code == 403
    assert browse(unnamed).post(url(first, "draft-answer"), data=NOTED).status_code == 409
    assert organiser.post(url(first, "confirm"), data={"proposal": "another"}).status_code == 409
    assert "Confirm this answer" in organiser.get(f"{base(first)}?comment={first.public_id}").text
    assert organiser.post(url(first, "confirm"), data=this).status_code == 303
    assert organiser.post(url(first, "confirm"), data=this).status_code == 409
    assert (first.disposition.decided_by.name, first.disposition.confirmed_by.name) == ("Retno Focal", "Omar Organiser")
    assert last_entry("comment.confirm") is not None
    desk.post(f"{base(first)}/tell")
    assert len(sent()) == 1


def test_one_answer_for_several_and_for_a_filter(comments: Any, section: Any, author: Any, focal_point: Any, browse: Any) -> None:
    desk, together = browse(focal_point), f"{base(comments[0])}/together"
    ticked = [comments[0].public_id, comments[1].public_id]
    assert desk.get(together).status_code == 422
    page = desk.get(together, query_string={"comment": ticked})
    assert "2 comments get the same answer" in page.text
    assert "3 comments get the same answer" in desk.get(together, query_string={"all": "1", "state": "open"}).text
    assert desk.post(together, data={"comment": ticked, "kind": "noted"}).status_code == 422
    assert count(Disposition) == 0
    assert desk.post(together, data={"comment": ticked, **NOTED}).status_code == 303
    assert [c.disposition is not None for c in comments] == [True, True, False]
    assert browse(author).post(together, data={"comment": ticked, **NOTED}).status_code == 403
    organiser = factories.make_user(Role.ORGANISER, section.consultation)
    assert browse(organiser).post(together, data={"comment": ticked, **NOTED}).status_code == 403
    assert browse(factories.make_user(Role.ORGANISER, factories.make_consultation())).get(together).status_code == 404


def test_several_are_refused_by_name_and_nothing_is_saved(comments: Any, section: Any, author: Any, focal_point: Any, browse: Any) -> None:
    other = section.consultation.sections[1]
    consultations.open_section(other, by=factories.BY)
    fourth = comment_on(other, author, "Of another section.")
    ticked = [comments[0].public_id, fourth.public_id]
    answer = browse(focal_point).post(f"{base(fourth)}/together", data={"comment": ticked, **NOTED})
    assert answer.status_code == 409
    assert f"No. {fourth.number} (2.1): You are not named for section 2." in answer.text
    assert "No. 1 (" not in answer.text
    assert count(Disposition) == 0


def test_duplicates_are_merged_into_the_one_that_stays(comments: Any, section: Any, author: Any, focal_point: Any, browse: Any) -> None:
    desk, merge = browse(focal_point), f"{base(comments[0])}/merge"
    ticked = {"comment": [comments[0].public_id, comments[2].public_id]}
    assert desk.post(merge, data=ticked).status_code == 422
    assert desk.post(merge, data={**ticked, "stays": comments[1].public_id}).status_code == 422
    assert desk.post(merge, data={"comment": comments[0].public_id, "stays": comments[0].public_id}).status_code == 422
    assert browse(author).post(merge, data={**ticked, "stays": comments[0].public_id}).status_code == 403
    assert desk.post(merge, data={**ticked, "stays": comments[0].public_id}).status_code == 303
    assert comments[0].disposition is None
    assert comments[2].disposition.duplicate_of_id == comments[0].id
    assert "See comment 1" in comments[2].disposition.response
    assert desk.post(merge, data={**ticked, "stays": comments[2].public_id}).status_code == 422  # a duplicate itself
    freeze(section)
    again = {**ticked, "stays": comments[0].public_id, "replace": comments[2].public_id, "words": "Other words."}
    assert desk.post(merge, data=again).status_code == 409


def test_an_objection_is_taken_for_a_week_after_being_told(comments: Any, focal_point: Any, author: Any, browse: Any, sent: Any) -> None:
    first, second, _third = comments
    desk, client = browse(focal_point), browse(author)
    for comment in (first, second):
        desk.post(url(comment, "decide"), data=NOTED)
    desk.post(f"{base(first)}/tell")
    (mail,) = sent()
    assert "on that page, until " in " ".join(mail.get_body(("plain",)).get_content().split())
    assert "You can object until" in client.get("/my/comments").text
    assert "You can object until" in client.get(url(first, "object")).text
    assert client.post(url(first, "object"), data={"text": "In time."}).status_code == 303
    second.disposition.told_at = now() - dt.timedelta(days=7, minutes=1)
    audit.record(factories.BY, "answer.tell", second.disposition)
    answer = client.post(url(second, "object"), data={"text": "Too late."})
    assert answer.status_code == 409
    assert "The time to object to this answer ended" in answer.text
    assert "The time to object to this answer ended" in client.get("/my/comments").text


def test_the_desk_asks_the_database_the_same_number_of_times(
    comments: Any, section: Any, author: Any, focal_point: Any, browse: Any
) -> None:
    def statements() -> int:
        seen: list[str] = []
        sa_event.listen(db.engine, "before_cursor_execute", note := lambda *words: seen.append(words[2]))
        assert client.get(base(comments[0]), query_string={"q": "law"}).status_code == 200
        sa_event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    client = browse(focal_point)
    answers.assign(comments[0], author.institution, None, by=focal_point)
    answers.draft(comments[0], DispositionKind.NOTED, "Known.", by=focal_point)

    def add(many: range) -> None:
        for number in many:
            more = comment_on(section, author, f"The law, {number}.")
            answers.assign(more, author.institution, None, by=focal_point)
            answers.draft(more, DispositionKind.NOTED, "Known.", by=focal_point)

    add(range(4))
    statements()  # what is asked once in a session is asked
    before = statements()
    add(range(4, 14))
    assert statements() <= before
