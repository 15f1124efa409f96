"""The comment matrix back in: what ministries filled in with Excel, looked at row by row before anything is saved (product.md rule 2).

A row is *untouched* if it says what stood when the file was made (its column "State"), and then changes nothing, whatever stands
now. A row that was filled in while somebody else answered is stale, and refused by its number.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import select

from consult_app import audit, policy
from consult_app.accounts.models import User
from consult_app.comments import answers, labels, matrix
from consult_app.comments.attribution import KNOW, byline
from consult_app.comments.models import Comment, DispositionKind
from consult_app.consultations.models import Consultation, ImportDraft, ImportKind
from consult_app.consultations.queries import as_shown
from consult_app.days import day_from
from consult_app.db import db
from consult_app.errors import Conflict, Missing
from consult_app.forms import clean
from consult_app.i18n import Texts, _, date_of, gettext, local, reading
from consult_app.registrations.queries import institutions
from consult_app.sheets import Fault, fold, read, table, unquoted

HEADINGS = {
    "number": ("No.", "No", "Nomor", "No. komentar"),
    "kind": ("Answer", "Jawaban"),
    "response": ("Response", "Tanggapan"),
    "duplicate_of": ("Duplicate of No.", "Duplikat dari No."),
    "owner": ("Responsible institution", "Instansi penanggung jawab"),
    "due": ("Due", "Tenggat"),
    "state": ("State", "Keadaan"),
}
# columns that are there to be read: what is changed in them is named, and not taken
LOCKED = {
    "dimension": ("Dimension", "Dimensi"),
    "code": ("Indicator", "Indikator"),
    "question": ("Question", "Pertanyaan"),
    "comment_kind": ("Kind", "Jenis"),
    "text": ("Comment", "Masukan"),
    "against": ("Existing text", "Teks yang ada"),
    "proposed": ("Proposed wording", "Usulan rumusan"),
    "evidence": ("Evidence", "Bukti dukung"),
    "by": ("Submitted by", "Disampaikan oleh"),
    "carried": ("Carried by revision", "Dimuat dalam revisi"),
    "made_on": ("Made on revision", "Diberikan atas revisi"),
}
NOBODY: frozenset[policy.Role] = frozenset()
FIELDS = ("kind", "response", "duplicate_of", "owner", "due")
MOST_LETTERS = 10_000
MOST_COMPARED = 25_000  # a cell of a spreadsheet is cut at some thirty thousand characters
VERDICTS = ("changed", "unchanged", "error")


@dataclass
class Judged:
    """The rows of a file, each with `sheet`, `row`, `number`, `label`, `given`, `verdict` and `changes`; and what is wrong."""

    rows: list[dict[str, Any]]
    faults: list[Fault]
    ignored: list[Fault] = field(default_factory=list)  # cells that were changed in columns that cannot be

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(row["verdict"] for row in self.rows)
        return {verdict: found[verdict] for verdict in VERDICTS}

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Judged:
        named = ([Fault(**fault) for fault in kept.get(name, ())] for name in ("faults", "ignored"))
        return cls(list(kept["rows"]), *named)


class _Wrong(Exception):
    """A cell that cannot be taken: its field, and why."""

    def __init__(self, field: str, reason: Any) -> None:
        super().__init__(field)
        self.field, self.reason = field, str(reason)


def read_matrix(filename: str, data: bytes) -> list[dict[str, Any]]:
    """The rows of a filled matrix, as text. Raises Invalid where it is not one."""
    headings = {name: list(dict.fromkeys(words)) for name, words in (HEADINGS | LOCKED).items()}
    found = table(filename, read(filename, data), headings, ["number", "state"])
    rows = [row for row in found.rows if any(row.get(name) for name in (*HEADINGS, *LOCKED))]
    plain = [{name: words for name, words in row.items() if not name.startswith("_")} for row in rows]
    return [{"sheet": row["_sheet"], "row": row["_row"], "given": given} for row, given in zip(rows, plain, strict=True)]


@dataclass
class _Known:
    """What cells may name."""

    comments: dict[int, Comment]
    kinds: dict[str, DispositionKind]
    owners: dict[str, str]  # folded name -> public id
    names: dict[str, str]  # public id -> name
    dimensions: dict[int, Texts]
    questions: Mapping[str, dict[str, Any]]  # by the code of the indicator, as everybody reads it


def _known(consultation: Consultation) -> _Known:
    comments = {comment.number: comment for comment in matrix.comments_of(consultation, desk=True)}
    kinds = {fold(kind.value): kind for kind in DispositionKind}
    owners: dict[str, str] = {}
    names: dict[str, str] = {}
    for kind, words in labels.DISPOSITION.items():
        kinds |= {fold(found): kind for found in (str(words), *_in_both(words))}
    for one in institutions(consultation):
        owners |= {fold(name): one.public_id for name in (*one.name.values(), one.short) if name}
        names[one.public_id] = local(one.name)
    dimensions = {dimension.id: dimension.name for dimension in consultation.dimensions}
    return _Known(comments, kinds, owners, names, dimensions, as_shown(consultation))


def _in_both(words: Any) -> list[str]:
    """A label in each language of the product."""
    return _each_language(lambda: str(words))


def _each_language(say: Callable[[], str]) -> list[str]:
    """What is said in each language of the product."""
    found = []
    for language in ("en", "id"):
        with reading(language):
            found.append(say())
    return found


def _due(words: str) -> str:
    found = day_from(words)
    if found is not None:
        return found.isoformat()
    raise _Wrong("due", _("“%(cell)s” is not a day. Write it as 2023-12-31, or 31 December 2023.", cell=words[:60]))


def _values(given: dict[str, str], stands: matrix.Filled, known: _Known) -> matrix.Filled:
    """What a row asks for, in the terms of `matrix.filled`; a column that the file does not have stays as it is."""
    found = dict(stands)
    words = {name: clean(given[name]) for name in FIELDS if name in given}
    if "kind" in words:
        kind = known.kinds.get(fold(words["kind"]))
        if words["kind"] and kind is None:
            raise _Wrong("kind", _("“%(cell)s” is none of the answers.", cell=words["kind"][:60]))
        found["kind"] = kind.value if kind else ""
    if "response" in words:
        if len(words["response"]) > MOST_LETTERS:
            raise _Wrong("response", _("At most %(max)s characters.", max=MOST_LETTERS))
        found["response"] = unquoted(words["response"], stands["response"])
    if "duplicate_of" in words:
        number = words["duplicate_of"]
        is_number = number.isascii() and number.isdigit() and len(number) < 9
        is_known = is_number and (int(number) in known.comments or str(int(number)) == stands["duplicate_of"])
        if number and not is_known:
            raise _Wrong("duplicate_of", _("There is no comment %(number)s.", number=number[:60]))
        found["duplicate_of"] = str(int(number)) if number else ""
    if "owner" in words:
        owner = known.owners.get(fold(words["owner"]), "") if words["owner"] else ""
        if words["owner"] and not owner:
            raise _Wrong("owner", _("“%(cell)s” is no institution of this consultation.", cell=words["owner"][:60]))
        found["owner"] = owner
    if "due" in words:
        found["due"] = _due(words["due"]) if words["due"] else ""
    return found


ANSWER, ASSIGNMENT = ("kind", "response", "duplicate_of"), ("owner", "due")


def _require(comment: Comment, stands: matrix.Filled, wanted: matrix.Filled, by: User) -> None:
    """Raises _Wrong where what a row asks for cannot be done by this person now."""
    changed = [name for name in FIELDS if stands[name] != wanted[name]]
    number = comment.number
    if any(name in ANSWER for name in changed):
        first = next(name for name in changed if name in ANSWER)
        if not policy.can(by, "comment.decide", comment):
            raise _Wrong(
                first, _("Comment %(number)s: you are not named for section %(section)s.", number=number, section=comment.section.number)
            )
        if comment.section.is_frozen:
            raise _Wrong(first, _("Comment %(number)s: its section is frozen for signature.", number=number))
        if comment.proposal is not None and comment.proposal.waits_for_second:
            raise _Wrong(first, _("Comment %(number)s: an answer waits for a second person to confirm it.", number=number))
        if not wanted["kind"]:
            raise _Wrong("kind", _("Comment %(number)s: say which answer it is; an answer is changed, never emptied.", number=number))
        kind = DispositionKind(wanted["kind"])
        if kind is not DispositionKind.ACCEPTED and not wanted["response"]:
            raise _Wrong("response", _("Give the reason: the author reads it."))
        if kind is DispositionKind.DUPLICATE and wanted["duplicate_of"] in ("", str(number)):
            raise _Wrong("duplicate_of", _("Give the number of the other comment."))
        if kind is not DispositionKind.DUPLICATE and wanted["duplicate_of"]:
            raise _Wrong("duplicate_of", _("Only a duplicate has the number of another comment."))
    if any(name in ASSIGNMENT for name in changed):
        if not policy.can(by, "comment.assign", comment):
            raise _Wrong("owner", _("Comment %(number)s: you cannot assign it.", number=number))
        if wanted["due"] and not wanted["owner"]:
            raise _Wrong("owner", _("Choose the institution that is to answer by then."))


def judge(consultation: Consultation, rows: Sequence[dict[str, Any]], *, by: User) -> Judged:
    """What the rows would do now; nothing is saved."""
    known = _known(consultation)
    judged: list[dict[str, Any]] = []
    faults: list[Fault] = []
    ignored: list[Fault] = []
    seen: set[int] = set()
    for row in rows:
        given = row["given"]
        told: dict[str, Any] = {"sheet": row["sheet"], "row": row["row"], "given": given, "number": given.get("number", ""), "label": ""}
        told |= {"changes": [], "verdict": "error"}
        judged.append(told)
        try:
            number = clean(given.get("number", ""))
            if not number and not clean(given.get("state", "")):
                raise _Wrong("number", _("This row is new: the matrix answers comments and makes none. Record it on its indicator."))
            is_number = number.isascii() and number.isdigit() and len(number) < 9
            comment = known.comments.get(int(number)) if is_number else None
            made_on, _dash, as_written = clean(given.get("state", "")).partition("-")
            is_untouched = is_number and matrix.cells_state(int(number), [given.get(name, "") for name in FIELDS]) == as_written
            if comment is None and is_untouched:  # withdrawn or held back since; nobody wants anything of it
                told["verdict"] = "unchanged"
                continue
            if comment is None:
                raise _Wrong("number", _("There is no comment %(number)s.", number=number[:60] or "–"))
            told["label"] = f"{comment.indicator.code} · {comment.text[:120]}"
            if comment.number in seen:
                raise _Wrong("number", _("Comment %(number)s stands in the file twice.", number=comment.number))
            seen.add(comment.number)
            ignored += [
                Fault(row["sheet"], row["row"], gettext(LOCKED[name][0]), str(WORDS_LOCKED)) for name in _edited(given, comment, known)
            ]
            stands = matrix.filled(comment)
            if is_untouched:
                told["verdict"] = "unchanged"
                continue
            wanted = _values(given, stands, known)
            if matrix.state(comment.number, wanted) != made_on and wanted != stands:
                if matrix.state(comment.number, stands) != made_on:
                    words = _(
                        "Comment %(number)s was answered or assigned since this file was made. Take a new file for it.",
                        number=comment.number,
                    )
                    raise _Wrong("state", words)
                _require(comment, stands, wanted, by)
                told["changes"] = [
                    {"field": name, "old": _shown(name, stands, known), "new": _shown(name, wanted, known)}
                    for name in FIELDS if stands[name] != wanted[name]
                ]  # fmt: skip
                told["wanted"] = wanted
            told["verdict"] = "changed" if told["changes"] else "unchanged"
        except _Wrong as wrong:
            faults.append(Fault(row["sheet"], row["row"], gettext(HEADINGS[wrong.field][0]), wrong.reason))
    faults += _circles(judged, known)
    return Judged(judged, faults, ignored)


WORDS_LOCKED = _("What was changed here is not taken: this column is only there to be read.")


def _bylines(comment: Comment, roles: frozenset[policy.Role]) -> list[str]:
    return _each_language(lambda: str(byline(comment, roles)))


def _edited(given: dict[str, str], comment: Comment, known: _Known) -> list[str]:
    """Which of the locked cells say something else than the comment does. Emptied ones and left-out columns are nobody's edit."""
    carried = comment.disposition.revision if comment.disposition is not None else None
    names = known.dimensions[comment.indicator.dimension_id]
    says = {
        "dimension": [f"{comment.section.number}. {name}" for name in names.values()],
        "code": [comment.indicator.code],
        "question": list(known.questions[comment.indicator.code]["question"].values()),
        "evidence": _each_language(lambda: matrix.evidence(comment)),
        "by": [*_bylines(comment, NOBODY), *_bylines(comment, KNOW)],
        "made_on": [str(comment.revision.number)],
        "comment_kind": _in_both(labels.KIND[comment.kind]),
        "text": [comment.text],
        "against": [comment.against],
        "proposed": [comment.proposed],
        "carried": [str(carried.number) if carried is not None else ""],
    }
    return [name for name, words in says.items() if given.get(name) and _bare(given[name]) not in map(_bare, words)]


def _bare(words: str) -> str:
    """The words of a cell without what files and spreadsheets change about them: spaces, line breaks, length, a guarding apostrophe."""
    return "".join(clean(words).removeprefix("'").split())[:MOST_COMPARED]


def _circles(rows: Sequence[dict[str, Any]], known: _Known) -> list[Fault]:
    """The rows that would make a circle of duplicates, or lead to a comment that was withdrawn."""
    wanted = {int(row["number"]): row for row in rows if row.get("wanted")}

    def target(number: int) -> int | None:
        if number in wanted:
            return int(wanted[number]["wanted"]["duplicate_of"] or 0) or None
        answer = known.comments[number].disposition if number in known.comments else None
        return answer.duplicate_of.number if answer is not None and answer.duplicate_of is not None else None

    found, heading = [], HEADINGS["duplicate_of"][0]
    for number, row in wanted.items():
        passed, at = {number}, target(number)
        while at is not None and at not in passed:
            passed.add(at)
            at = target(at)
        if at == number:
            row["verdict"] = "error"
            words = _("Comment %(number)s leads back to this one. One of them has to be answered by itself.", number=target(number))
            found.append(Fault(row["sheet"], row["row"], gettext(heading), str(words)))
    return found


def _shown(name: str, values: matrix.Filled, known: _Known) -> str:
    words = values[name]
    if name == "kind" and words:
        return str(labels.DISPOSITION[DispositionKind(words)])
    if name == "due" and words:
        return date_of(dt.date.fromisoformat(words))
    return known.names.get(words, words) if name == "owner" else words


@audit.in_turn
def keep(consultation: Consultation, filename: str, judged: Judged, *, by: User) -> ImportDraft:
    """Keep what was read for its preview; an earlier one of the same person goes."""
    for old in db.session.scalars(_own(consultation, by)):
        db.session.delete(old)
    kept = ImportDraft(
        consultation_id=consultation.id, kind=ImportKind.COMMENTS, filename=filename[:200], rows=asdict(judged), created_by_id=by.id
    )
    db.session.add(kept)
    return kept


def _own(consultation: Consultation, by: User) -> Any:
    return select(ImportDraft).where(
        ImportDraft.consultation_id == consultation.id, ImportDraft.kind == ImportKind.COMMENTS, ImportDraft.created_by_id == by.id
    )


def load(consultation: Consultation, public_id: str, *, by: User) -> ImportDraft:
    """One's own file that waits. Raises Missing."""
    found: ImportDraft | None = db.session.scalar(_own(consultation, by).where(ImportDraft.public_id == public_id))
    if found is None:
        raise Missing(_("This file was saved or dropped already. Upload it again to see it again."))
    return found


@audit.in_turn
def apply(consultation: Consultation, kept: ImportDraft, *, by: User) -> int:
    """Save what the preview showed, all of it or nothing; returns how many comments changed.

    Raises Conflict where the file has errors, or where something was changed since it was looked at.
    """
    audit.take_turn(consultation.id, kept)
    shown = Judged.of(kept.rows)
    judged = judge(consultation, shown.rows, by=by)
    if judged.faults:
        raise Conflict(_("Nothing was saved: these rows cannot be taken."), [str(fault) for fault in judged.faults])
    if [row["changes"] for row in judged.rows] != [row["changes"] for row in shown.rows]:
        raise Conflict(_("Comments were answered since this file was read, so nothing was saved. Upload the file again."))
    known = _known(consultation)
    owners = {one.public_id: one for one in institutions(consultation)}
    changed = [row for row in judged.rows if row["changes"]]
    changed.sort(key=lambda row: row["wanted"]["kind"] == DispositionKind.DUPLICATE.value)  # what they lead to is answered first
    for row in changed:
        comment, wanted = known.comments[int(row["number"])], row["wanted"]
        names = {change["field"] for change in row["changes"]}
        if names.intersection(ASSIGNMENT):
            due = dt.date.fromisoformat(wanted["due"]) if wanted["due"] else None
            answers.assign(comment, owners.get(wanted["owner"]), due, by=by)
        if names.intersection(ANSWER):
            other = known.comments.get(int(wanted["duplicate_of"] or 0))
            answers.decide(
                comment, DispositionKind(wanted["kind"]), wanted["response"], by=by, duplicate_of=other, seen=comment.answer_state
            )
    db.session.delete(kept)
    return len(changed)
