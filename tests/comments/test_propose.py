"""A proposed wording: an edit of the text as it stands, kept beside that text, shown as a difference of words."""

from __future__ import annotations

import time
from typing import Any

import pytest

from consult_app.comments.models import Comment
from consult_app.consultations import actions as consultations
from consult_app.consultations.diff import shortened, word_diff
from consult_app.consultations.models import Consultation, Section
from consult_app.db import db
from tests import factories

FORM = {"client_key": "k1", "kind": "wording", "text": "More exactly:", "proposed_language": "en", "link": ""}


def url(consultation: Consultation, deed: str = "/comments") -> str:
    return f"/consultations/{consultation.slug}/indicators/1.1{deed}"


def only_comment() -> Comment:
    return db.session.scalars(db.select(Comment)).one()


def test_the_composer_starts_from_the_text_as_it_stands(consultation: Consultation, author: Any, browse: Any) -> None:
    client = browse(author)
    page = client.get(url(consultation, "")).text
    for language, words in (("en", "Finding 0."), ("id", "Temuan 0.")):
        assert f'data-start-from="{language}" data-words="{words}"' in page
        assert f"\n{words}</textarea>" in client.get(url(consultation, f"?propose={language}")).text  # without a script
    assert client.get(url(consultation, "?propose=<x>")).status_code == 200


def test_what_it_edits_is_kept_and_the_difference_shown_everywhere(
    consultation: Consultation, section: Section, author: Any, browse: Any, focal_point: Any, audit_ok: None
) -> None:
    client = browse(author)
    assert client.post(url(consultation), data={**FORM, "proposed": "Finding zero <b>.", "proposed_language": "en"}).status_code == 303
    comment = only_comment()
    assert (comment.against, comment.proposed, comment.proposed_language) == ("Finding 0.", "Finding zero <b>.", "en")
    struck, inserted = "[removed: </span>0<span", "[added: </span>zero &lt;b&gt;<span"
    staff = browse(focal_point)
    pages = [client.get(url(consultation, "")), client.get("/my/comments"), staff.get(f"/consultations/{consultation.slug}/comments")]
    for page in pages:
        assert struck in page.text
        assert inserted in page.text
    matrix = staff.get(f"/consultations/{consultation.slug}/comment-matrix.csv").data.decode()
    assert "Finding 0.,Finding zero <b>." in matrix
    consultations.start_review(section, by=factories.BY)
    section.dimension.indicators[0].finding = {"en": "Something else."}
    consultations.audit.record(factories.BY, "indicator.change", section.dimension.indicators[0])
    consultations.open_section(section, by=factories.BY)
    db.session.commit()
    assert struck in client.get(url(consultation, "")).text  # rule 3: against the revision that it was made on


@pytest.mark.parametrize(("language", "same"), [("en", " Finding  0.\n"), ("id", "Temuan 0.")])
def test_the_text_itself_is_no_proposal(consultation: Consultation, author: Any, browse: Any, language: str, same: str) -> None:
    answer = browse(author).post(url(consultation), data={**FORM, "proposed": same, "proposed_language": language})
    assert answer.status_code == 422
    assert "the text as it stands" in answer.text
    assert "More exactly:" in answer.text
    assert db.session.scalars(db.select(Comment)).all() == []


def test_a_language_that_there_is_none_of(consultation: Consultation, author: Any, browse: Any) -> None:
    client = browse(author)
    assert client.post(url(consultation), data={**FORM, "proposed": "x", "proposed_language": "fr"}).status_code == 422
    without = {name: value for name, value in FORM.items() if name != "proposed_language"}  # as a phone sends that kept it for long
    assert client.post(url(consultation), data={**without, "proposed": "Another."}).status_code == 303
    assert only_comment().against == "Finding 0."


def test_an_older_comment_without_the_text_shows_its_words_alone(consultation: Consultation, section: Section, author: Any) -> None:
    comment = Comment(proposed="As it should read", against="")
    assert comment.proposed_ops == [("same", "As it should read")]


def test_a_difference_is_shortened_for_a_small_place() -> None:
    before, after = (" ".join(f"word{n}" for n in range(first, first + 200)) for first in (0, 500))
    ops = word_diff(f"{before} old {after}", f"{before} new {after}")
    short = shortened(ops)
    assert [text for op, text in short if op != "same"] == ["old", "new"]
    assert sum(len(text) for _op, text in short) < 200
    assert sum(len(text) for _op, text in shortened(word_diff("", "x" * 5000))) < 950
    assert shortened([("same", "x" * 300)]) == [("same", "x" * 300)]


def test_hostile_lengths_are_compared_in_no_time() -> None:
    started = time.monotonic()
    pairs = [("a b " * 2500, "b a " * 2500), ("x" * 10_000, "y" * 10_000), ("a, " * 3000, "a. " * 3000)]
    for old, new in pairs:
        word_diff(old, new)
    assert time.monotonic() - started < 20  # without the limit: hours
