"""The difference between two texts as words, and between two revisions (product.md rule 14)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Any

from consult_app.consultations.models import SECTION_PARTS

Ops = list[tuple[str, str]]

# A word with its inner hyphens and apostrophes, a mark, or white space: put together again they are the text.
_TOKENS = re.compile(r"\s+|\w+(?:[-'’]\w+)*|[^\w\s]")

INDICATOR_FIELDS = ("topic", "question", "answer", "finding", "evidence", "link", "institution")


def word_diff(old: str, new: str) -> Ops:
    """What happened to the words, in reading order: ("same" | "removed" | "added", text).

    The texts that are the same or removed give `old` when joined, those that are the same or added give `new`.
    """
    return list(_word_diff(old, new))


@lru_cache(maxsize=500)  # the same few differences are shown on page after page
def _word_diff(old: str, new: str) -> tuple[tuple[str, str], ...]:
    before, after = _TOKENS.findall(old), _TOKENS.findall(new)
    ops: Ops = []
    for tag, a1, a2, b1, b2 in SequenceMatcher(str.isspace, before, after).get_opcodes():
        if tag == "equal":
            ops.append(("same", "".join(before[a1:a2])))
            continue
        if a2 > a1:
            ops.append(("removed", "".join(before[a1:a2])))
        if b2 > b1:
            ops.append(("added", "".join(after[b1:b2])))
    return tuple(ops)


def shortened(ops: Ops, around: int = 60, most: int = 900) -> Ops:
    """The same for a small place: long stretches without a change by their ends alone, and no more than `most` characters."""
    short: Ops = []
    for number, (op, text) in enumerate(ops):
        if op == "same" and len(text) > 3 * around:
            start = text[:around] if number else ""
            end = text[-around:] if number < len(ops) - 1 else ""
            text = f"{start} … {end}" if len(ops) > 1 else text
        left = most - sum(len(words) for _op, words in short)
        if len(text) > left:
            return [*short, (op, f"{text[: max(0, left)]} …")]
        short.append((op, text))
    return short


@dataclass(frozen=True)
class Change:
    """One text that differs: the indicator's code ("" for the section itself), the field, the language ("" if it has none)."""

    code: str
    field: str
    language: str
    ops: Ops


def _texts(value: Any) -> Mapping[str, str]:
    return value if isinstance(value, Mapping) else {"": value or ""}


def changes_of(code: str, old: Mapping[str, Any], new: Mapping[str, Any], fields: tuple[str, ...]) -> Iterator[Change]:
    """The fields that differ between two states of one text, an indicator's or (with no code) the section's own."""
    for field in fields:
        before, after = _texts(old.get(field)), _texts(new.get(field))
        for language in sorted(k for k in before.keys() | after.keys() if before.get(k, "") != after.get(k, "")):
            yield Change(code, field, language, word_diff(before.get(language, ""), after.get(language, "")))


def revision_diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """Every text that differs between the contents of two revisions; an indicator that came or went differs in all."""
    found = list(changes_of("", old, new, ("title", *SECTION_PARTS)))
    before = {row["code"]: row for row in old.get("indicators", [])}
    after = {row["code"]: row for row in new.get("indicators", [])}
    for code in [*after, *(code for code in before if code not in after)]:
        found.extend(changes_of(code, before.get(code, {}), after.get(code, {}), INDICATOR_FIELDS))
    return found
