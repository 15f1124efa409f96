"""The difference of words (product.md rule 14)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consult_app.consultations.diff import revision_diff, word_diff


@pytest.mark.parametrize(
    ("old", "new", "ops"),
    [
        ("", "", []),
        ("same words", "same words", [("same", "same words")]),
        ("", "new", [("added", "new")]),
        ("old", "", [("removed", "old")]),
        ("a small law", "a large law", [("same", "a "), ("removed", "small"), ("added", "large"), ("same", " law")]),
        ("It ends.", "It ends here.", [("same", "It ends"), ("added", " here"), ("same", ".")]),
    ],
)
def test_word_diff(old: str, new: str, ops: list[tuple[str, str]]) -> None:
    assert word_diff(old, new) == ops


@given(st.text(alphabet="ab .\n-é", max_size=60), st.text(alphabet="ab .\n-é", max_size=60))
def test_word_diff_loses_nothing(old: str, new: str) -> None:
    ops = word_diff(old, new)
    assert "".join(words for op, words in ops if op != "added") == old
    assert "".join(words for op, words in ops if op != "removed") == new


def test_revision_diff_names_what_changed() -> None:
    indicator = {"code": "1.10", "finding": {"en": "Few."}, "answer": "partial"}
    old = {"title": {"en": "T"}, "narrative": {"en": "One."}, "indicators": [indicator, {"code": "1.2", "answer": "absence"}]}
    new = {"title": {"en": "T"}, "narrative": {"en": "One.", "id": "Satu."}, "indicators": [{**indicator, "finding": {"en": "Many."}}]}
    changes = [(c.code, c.field, c.language) for c in revision_diff(old, new)]
    assert changes == [("", "narrative", "id"), ("1.10", "finding", "en"), ("1.2", "answer", "")]
    assert revision_diff(old, old) == []
