"""The rows of a framework's spreadsheet: which headings mean what, and what one row asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from consult_app.consultations.actions import full
from consult_app.consultations.models import Dimension, Indicator
from consult_app.consultations.territory import GCM, SDG, split_tags, wrong_tags
from consult_app.errors import Invalid
from consult_app.i18n import Texts, gettext
from consult_app.sheets import Sheet, fold, read, table, unquoted

# The columns of an export, in order; each field also answers to its plain English or Indonesian headings below.
COLUMNS = {
    "code": "Code",
    "dimension_number": "Dimension number",
    "dimension_en": "Dimension (en)",
    "dimension_id": "Dimension (id)",
    "topic_en": "Topic (en)",
    "topic_id": "Topic (id)",
    "question_en": "Indicator (en)",
    "question_id": "Indicator (id)",
    "answer": "Answer",
    "finding_en": "Finding (en)",
    "finding_id": "Finding (id)",
    "evidence": "Evidence",
    "link": "Link",
    "institution": "Responding institution",
    "sdgs": "SDG",
    "gcm_objectives": "GCM",
}
_ALSO = {
    "code": ("Kode", "Indicator code", "Kode indikator"),
    "dimension_number": ("Nomor dimensi", "Dimension no", "No dimensi"),
    "dimension_en": ("Dimension",),
    "dimension_id": ("Dimensi",),
    "topic_en": ("Topic",),
    "topic_id": ("Topik",),
    "question_en": ("Indicator", "Question"),
    "question_id": ("Indikator", "Pertanyaan"),
    "answer": ("Tanggapan", "Jawaban"),
    "finding_en": ("Finding", "Narrative"),
    "finding_id": ("Temuan", "Narasi"),
    "evidence": ("Source", "Instrument", "Bukti dukung", "Sumber", "Instrumen"),
    "link": ("URL", "Tautan"),
    "institution": ("Institution", "Instansi", "Instansi penanggung jawab"),
    "sdgs": ("SDGs", "TPB", "SDG target", "SDG targets"),
    "gcm_objectives": ("GCM objective", "GCM objectives", "Global Compact"),
}
HEADINGS = {name: (heading, *_ALSO[name]) for name, heading in COLUMNS.items()}
TEXTS = ("topic", "question", "finding")
PLAIN = ("answer", "evidence", "link", "institution")
LISTS = {"sdgs": SDG, "gcm_objectives": GCM}
LANGUAGES = ("en", "id")

_CODE = re.compile(r"[^\W_][\w.\-]{0,19}")
_NUMBERED = re.compile(r"(?:dimension|dimensi)?\s*(\d{1,2})(?:\s*[.:)–—-]\s*|\s+|$)(.*)", re.IGNORECASE | re.DOTALL)
LINK = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_MOST = {"answer": 200, "institution": 200, "dimension": 200, "topic": 500, "question": 2000, "link": 2000} | {
    "finding": 20_000,
    "evidence": 20_000,
}


@dataclass
class File:
    """The rows of a file, and per sheet the heading that each field was read from."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    headings: dict[str, dict[str, str]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)


def read_file(filename: str, data: bytes) -> File:
    """Every row under a header; sheets without one are named as skipped. Raises Invalid where there is no header at all."""
    found, problems = File(), []
    for sheet in read(filename, data):
        if not any(any(row) for row in sheet.rows):
            continue
        for question in ("question_en", "question_id"):
            try:
                found.rows += table(filename, [sheet], HEADINGS, ("code", question)).rows
            except Invalid as problem:
                problems.append(problem)
                continue
            found.headings[sheet.name] = _headings(sheet, question)
            break
        else:
            found.skipped.append(sheet.name)
    if not found.rows:
        raise problems[0] if problems else Invalid(gettext("“%(name)s” is empty.", name=filename))
    return found


def _headings(sheet: Sheet, question: str) -> dict[str, str]:
    """What the header of a sheet calls each field."""
    meanings = {fold(words): name for name, all_words in HEADINGS.items() for words in all_words}
    for cells in sheet.rows[:40]:
        named = {meanings[key]: cell for cell in reversed(cells) if (key := fold(cell)) in meanings}
        if "code" in named and question in named:
            return named
    return {}


@dataclass
class Wanted:
    """What a row asks for: the indicator's columns as they would be, and what its dimension would be called."""

    code: str = ""
    number: int = 0
    names: Texts = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)  # (field, reason)


def _said(words: str, now: str) -> str:
    """The text of a cell; the apostrophe that an export puts before what looks like a formula is not part of it."""
    return unquoted(words, now)


def _dimension(given: Mapping[str, str], code: str, dimensions: Mapping[int, Dimension], wanted: Wanted) -> None:
    """Find the number: from its own column, "1. Migrants' rights", a name that is known, or the code's first part."""
    column = given.get("dimension_number", "")
    if column and not re.fullmatch(r"[1-9]\d?", column):
        wanted.faults.append(("dimension_number", gettext("“%(words)s” is not a number from 1 to 99.", words=column)))
        return
    number = int(column or 0)
    for language in LANGUAGES:
        words = given.get(f"dimension_{language}", "")
        if not words:
            continue
        known = next((d.number for d in dimensions.values() if fold(d.name.get(language, "")) == fold(words)), 0)
        numbered = _NUMBERED.fullmatch(words)
        if known and number in (0, known):
            number, words = known, _said(words, dimensions[known].name[language])
        elif numbered and int(numbered[1]) in (number, number or int(numbered[1])):
            number, words = int(numbered[1]), numbered[2].strip()
            now = dimensions[number].name.get(language, "") if number in dimensions else ""
            words = _said(words, now)
        elif numbered and numbered[2] == "":
            reason = gettext("The dimension is %(one)s here, and %(other)s in another column of the row.", one=words, other=number)
            wanted.faults.append((f"dimension_{language}", reason))
        if len(words) > _MOST["dimension"]:
            wanted.faults.append((f"dimension_{language}", gettext("Longer than %(most)s characters.", most=_MOST["dimension"])))
        if words:
            wanted.names[language] = words
    if not number and (first := re.match(r"([1-9]\d?)(?=\D|$)", code)):
        number = int(first[1])
    if not number:
        where = next((f for f in ("dimension_number", "dimension_en", "dimension_id") if f in given), "code")
        wanted.faults.append((where, gettext("The number of the dimension is missing.")))
    wanted.number = number


def parse(given: Mapping[str, str], current: Indicator | None, dimensions: Mapping[int, Dimension]) -> Wanted:
    """What a row asks for, on top of the indicator as it stands; `faults` names what is wrong, by field."""
    wanted = Wanted(code=given.get("code", ""))
    if not wanted.code:
        wanted.faults.append(("code", gettext("The code is missing.")))
    elif not _CODE.fullmatch(wanted.code):
        reason = gettext("“%(words)s” cannot be a code: use letters, digits, dots and hyphens, at most 20.", words=wanted.code[:60])
        wanted.faults.append(("code", reason))
    _dimension(given, wanted.code, dimensions, wanted)
    for name in TEXTS:
        texts = dict(getattr(current, name)) if current is not None else {}
        for language in LANGUAGES:
            if (column := f"{name}_{language}") in given:
                texts[language] = _said(given[column], texts.get(language, ""))
                _check_length(column, name, texts[language], wanted)
        wanted.values[name] = full(texts)
    if not wanted.values["question"]:
        where = next((f for f in ("question_en", "question_id") if f in given), "code")
        wanted.faults.append((where, gettext("The indicator's question is missing.")))
    for name in PLAIN:
        now = getattr(current, name) if current is not None else ""
        wanted.values[name] = _said(given[name], now) if name in given else now
        _check_length(name, name, wanted.values[name], wanted)
    if wanted.values["link"] and not LINK.fullmatch(wanted.values["link"]):
        wanted.faults.append(("link", gettext("Write one full address that begins with https://.")))
    for name, pattern in LISTS.items():
        now_tags: Sequence[str] = getattr(current, name) if current is not None else []
        tags = split_tags(given[name]) if name in given else list(now_tags)
        wanted.values[name] = tags
        if wrong := wrong_tags(tags, pattern):
            wanted.faults.append((name, gettext("Unknown: %(tags)s", tags=", ".join(wrong)[:100])))
    return wanted


def _check_length(column: str, name: str, words: str, wanted: Wanted) -> None:
    if len(words) > _MOST[name]:
        wanted.faults.append((column, gettext("Longer than %(most)s characters.", most=_MOST[name])))
