"""A framework in and out of a spreadsheet (product.md rule 2).

`read_framework` says row by row what an import would do, and saves nothing; `apply_framework` does just that, all of it
or nothing. What a file does not mention stays as it is: a column that is missing, an indicator that is not in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from difflib import SequenceMatcher
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from consult_app import audit
from consult_app.accounts.models import User
from consult_app.consultations.actions import full
from consult_app.consultations.framework_rows import COLUMNS, LANGUAGES, Wanted, parse, read_file
from consult_app.consultations.models import NOT_SHOWN, Consultation, Dimension, Indicator, Section
from consult_app.consultations.queries import as_shown
from consult_app.db import db
from consult_app.errors import Conflict
from consult_app.i18n import Texts, _, gettext, local
from consult_app.policy import Actor
from consult_app.sheets import Fault, write_csv, write_xlsx

VERDICTS = ("new", "changed", "unchanged", "error")


@dataclass
class Draft:
    """What an import would do. A row has `sheet`, `row`, `code`, `dimension`, `label`, `given`, `verdict` and `changes`."""

    rows: list[dict[str, Any]]
    faults: list[Fault]
    skipped: list[str] = field(default_factory=list)  # sheets without a header
    absent: int = 0  # indicators that are not in the file, and stay

    @property
    def counts(self) -> dict[str, int]:
        """How many rows have each verdict."""
        found = Counter(row["verdict"] for row in self.rows)
        return {verdict: found[verdict] for verdict in VERDICTS}

    @property
    def does_something(self) -> bool:
        return any(row["verdict"] in ("new", "changed") for row in self.rows)

    def plain(self) -> dict[str, Any]:
        """As an `ImportDraft` keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Draft:
        """From what an `ImportDraft` kept."""
        return cls(list(kept["rows"]), [Fault(**fault) for fault in kept["faults"]], list(kept["skipped"]), kept["absent"])


@dataclass
class _Plan:
    """The rows beside what they ask for, and what stands now."""

    dimensions: dict[int, Dimension]
    indicators: dict[str, Indicator]
    wanted: list[Wanted] = field(default_factory=list)


def read_framework(filename: str, data: bytes, consultation: Consultation) -> Draft:
    """What importing the file would do to the consultation. Raises Invalid where it cannot be read as a table at all."""
    file = read_file(filename, data)
    rows = []
    for row in file.rows:
        given = {name: words for name, words in row.items() if not name.startswith("_")}
        rows.append({"sheet": row["_sheet"], "row": row["_row"], "given": given})
    plan, faults = _judge(consultation, rows, file.headings)
    return Draft(rows, faults, file.skipped, len(plan.indicators.keys() - {row["code"] for row in rows}))


def _stands(consultation: Consultation) -> _Plan:
    found = db.session.scalars(
        select(Dimension)
        .where(Dimension.consultation_id == consultation.id)
        .order_by(Dimension.number)
        .options(selectinload(Dimension.indicators), joinedload(Dimension.section))
    ).unique()
    dimensions = {dimension.number: dimension for dimension in found}
    return _Plan(dimensions, {row.code: row for dimension in dimensions.values() for row in dimension.indicators})


def _judge(consultation: Consultation, rows: list[dict[str, Any]], headings: Mapping[str, Mapping[str, str]]) -> tuple[_Plan, list[Fault]]:
    """Give each row its verdict and its changes, and name every fault."""
    plan, faults = _stands(consultation), []
    first: dict[str, str] = {}  # code -> place of the row that had it first
    names: dict[tuple[int, str], tuple[str, str]] = {}
    for row in rows:
        code = row["given"].get("code", "")
        wanted = parse(row["given"], plan.indicators.get(code), plan.dimensions)
        plan.wanted.append(wanted)
        here = gettext("%(sheet)s, row %(row)s", sheet=row["sheet"], row=row["row"])
        if code and code in first:
            hint = gettext("In a spreadsheet, format the column as text so that 1.10 does not become 1.1.")
            reason = gettext("The code %(code)s stands in %(where)s already. %(hint)s", code=code, where=first[code], hint=hint)
            wanted.faults.append(("code", reason))
        first.setdefault(code, here)
        for language, name in wanted.names.items():
            other, where = names.setdefault((wanted.number, language), (name, here))
            if other != name:
                reason = gettext("Dimension %(number)s is called “%(other)s” in %(where)s.", number=wanted.number, other=other, where=where)
                wanted.faults.append((f"dimension_{language}", reason))
    moved = _moved(plan)
    for row, wanted in zip(rows, plan.wanted, strict=True):
        current = plan.indicators.get(wanted.code)
        changes = list(_changes(wanted, current, plan, wanted.code in moved))
        row |= {"code": wanted.code, "dimension": wanted.number, "label": local(wanted.values["question"]), "changes": changes}
        row["verdict"] = "new" if current is None else "changed" if changes else "unchanged"
        if row["verdict"] != "unchanged":
            wanted.faults.extend(_closed(wanted, current, plan))
        if wanted.faults:
            row["verdict"] = "error"
            named = headings.get(row["sheet"], {})
            faults += [Fault(row["sheet"], row["row"], named.get(name, COLUMNS[name]), reason) for name, reason in wanted.faults]
    return plan, faults


def _closed(wanted: Wanted, current: Indicator | None, plan: _Plan) -> Iterator[tuple[str, str]]:
    """Why the sections concerned cannot take this change now."""
    before = current.dimension if current is not None else None
    for dimension in {d.number: d for d in (before, plan.dimensions.get(wanted.number)) if d is not None}.values():
        if not dimension.section.is_editable:
            reason = gettext(
                "Section %(number)s is frozen for signature. Reopen it before changing its indicators.", number=dimension.number
            )
            yield "code", reason
    if before is not None and before.number != wanted.number and before.section.revision_number:
        # comments and positions name the section they were made in, and are never moved (product.md rule 3)
        reason = gettext("It was put before participants in dimension %(number)s, and has to stay there.", number=before.number)
        yield "code", reason


def _changes(wanted: Wanted, current: Indicator | None, plan: _Plan, is_moved: bool) -> Iterator[dict[str, str]]:
    """What would be different: field, language, old and new words."""
    dimension = plan.dimensions.get(wanted.number)
    for language, name in wanted.names.items():
        old = dimension.name.get(language, "") if dimension is not None else ""
        if dimension is not None and old != name:
            yield {"field": "dimension", "language": language, "old": old, "new": name}
    if current is None:
        return
    if current.dimension.number != wanted.number:
        yield {"field": "dimension", "language": "", "old": str(current.dimension.number), "new": str(wanted.number)}
    for name, value in wanted.values.items():
        old_value = getattr(current, name)
        if isinstance(value, dict):
            for language in LANGUAGES:
                if old_value.get(language, "") != value.get(language, ""):
                    yield {"field": name, "language": language, "old": old_value.get(language, ""), "new": value.get(language, "")}
        elif old_value != value:
            both = (old_value, value) if isinstance(value, str) else ("; ".join(old_value), "; ".join(value))
            yield {"field": name, "language": "", "old": both[0], "new": both[1]}
    if is_moved:
        yield {"field": "place", "language": "", "old": "", "new": ""}


def _orders(plan: _Plan) -> Iterator[tuple[list[str], list[str]]]:
    """Per dimension, the codes in their present order and in the order the file asks for.

    A code that is not in the file stays behind the one that it follows now.
    """
    asked = {wanted.code: wanted.number for wanted in plan.wanted}
    for number in sorted(plan.dimensions.keys() | set(asked.values())):
        dimension = plan.dimensions.get(number)
        before = [row.code for row in dimension.indicators if asked.get(row.code, number) == number] if dimension is not None else []
        after = [code for code, wanted_number in asked.items() if wanted_number == number]
        for place, code in enumerate(before):
            if code not in asked:
                after.insert(after.index(before[place - 1]) + 1 if place else 0, code)
        yield before, after


def _moved(plan: _Plan) -> set[str]:
    """Codes that would stand elsewhere among those that their dimension has now."""
    moved: set[str] = set()
    for before, after in _orders(plan):
        kept = [code for code in after if code in before]
        blocks = SequenceMatcher(None, before, kept, autojunk=False).get_matching_blocks()
        moved |= set(before) - {code for start, _there, size in blocks for code in before[start : start + size]}
    return moved


@audit.in_turn
def apply_framework(consultation: Consultation, draft_rows: Sequence[Mapping[str, Any]], *, by: Actor, version: str) -> None:
    """Do what the rows of a draft say: dimensions with their sections, and indicators, are made or changed.

    Raises Conflict, and changes nothing, where a row has a fault or the framework is no longer what the draft was
    compared with. `version` names the framework's edition; "" keeps the present one.
    """
    rows = [{"sheet": row["sheet"], "row": row["row"], "given": row["given"]} for row in draft_rows]
    plan, faults = _judge(consultation, rows, {})
    seen = [(row["verdict"], row["changes"]) for row in draft_rows]
    if faults and any(verdict == "error" for verdict, _changed in seen):
        words = _("Nothing was imported: the file has faults. Correct them in the file and upload it again.")
        raise Conflict(words, [str(fault) for fault in faults])
    if seen != [(row["verdict"], row["changes"]) for row in rows]:
        raise Conflict(_("The framework was changed since this file was read, so nothing was imported. Upload the file again."))
    for wanted in plan.wanted:
        _apply_dimension(consultation, wanted, plan, by=by)
    for wanted in plan.wanted:
        _apply_indicator(consultation, wanted, plan, by=by)
    if any(row["verdict"] == "new" for row in rows) or any(c["field"] in ("place", "dimension") for row in rows for c in row["changes"]):
        _renumber(plan, by=by)
    if version and version != consultation.framework_version:
        consultation.framework_version = version
        audit.record(by, "consultation.framework", consultation)
    db.session.flush()
    db.session.expire_all()  # the lists in order are read anew


def _apply_dimension(consultation: Consultation, wanted: Wanted, plan: _Plan, *, by: Actor) -> None:
    dimension = plan.dimensions.get(wanted.number)
    if dimension is None:
        words: Texts = {"en": f"Dimension {wanted.number}", "id": f"Dimensi {wanted.number}"}
        name = wanted.names or {language: words[language] for language in LANGUAGES if language in consultation.languages}
        dimension = Dimension(consultation_id=consultation.id, number=wanted.number, name=name)
        db.session.add(dimension)
        audit.record(by, "dimension.add", dimension)
        section = Section(consultation_id=consultation.id, dimension_id=dimension.id, number=wanted.number)
        db.session.add(section)
        audit.record(by, "section.add", section)
        plan.dimensions[wanted.number] = dimension
    elif (name := full({**dimension.name, **wanted.names})) != dimension.name:
        dimension.name = name
        audit.record(by, "dimension.change", dimension)


def _apply_indicator(consultation: Consultation, wanted: Wanted, plan: _Plan, *, by: Actor) -> None:
    values = {**wanted.values, "dimension_id": plan.dimensions[wanted.number].id}
    current = plan.indicators.get(wanted.code)
    if current is None:
        current = Indicator(consultation_id=consultation.id, code=wanted.code, place=len(plan.indicators) + 1, **values)
        db.session.add(current)
        plan.indicators[wanted.code] = current
        audit.record(by, "indicator.add", current)
        return
    changed = {name: value for name, value in values.items() if getattr(current, name) != value}
    for name, value in changed.items():
        setattr(current, name, value)
    if changed:
        current.edit_number, current.edited_by = current.edit_number + 1, by if isinstance(by, User) else None
        audit.record(by, "indicator.change", current)


def _renumber(plan: _Plan, *, by: Actor) -> None:
    """Let `place` follow the order of the file, dimension by dimension."""
    codes = [code for _before, after in _orders(plan) for code in after]
    for place, code in enumerate(codes, start=1):
        if plan.indicators[code].place != place:
            plan.indicators[code].place = place
            audit.record(by, "indicator.place", plan.indicators[code])


# -- export --


def _cells(indicator: Indicator, dimension: Dimension, shown: Mapping[str, dict[str, Any]] | None) -> list[str]:
    texts = shown[indicator.code] if shown is not None else {name: getattr(indicator, name) for name in NOT_SHOWN}
    values = {"code": indicator.code, "dimension_number": str(dimension.number)}
    for language in LANGUAGES:
        values[f"dimension_{language}"] = dimension.name.get(language, "")
        for name in ("topic", "question", "finding"):
            values[f"{name}_{language}"] = texts[name].get(language, "")
    for name in ("answer", "evidence", "link", "institution"):
        values[name] = texts[name]
    for name in ("sdgs", "gcm_objectives"):
        values[name] = "; ".join(getattr(indicator, name))
    return [values[name] for name in COLUMNS]


def export_framework(consultation: Consultation, kind: str, *, working: bool = True) -> bytes:
    """The framework as "csv" or "xlsx"; imported again, it changes nothing (product.md rule 2).

    Who may not see the `working` text gets what participants read.
    """
    shown = None if working else as_shown(consultation)
    header = list(COLUMNS.values())
    rows = [_cells(row, dimension, shown) for dimension in _stands(consultation).dimensions.values() for row in dimension.indicators]
    return write_csv(header, rows) if kind == "csv" else write_xlsx({"Framework": (header, rows)})
