"""Spreadsheets in and out: XLSX and CSV read into rows of text with their place, and written so that nothing runs.

What is read is text as people see it ("1.10" stays "1.10"); what is written is never a formula (product.md rule 22).
"""

from __future__ import annotations

import csv
import io
import json
import re
import signal
import subprocess
import sys
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import xlsxwriter

from .errors import Invalid
from .forms import clean
from .i18n import _, gettext

READER = Path(__file__).with_name("sheetfile.py")
MAX_FILE = 5 * 1024 * 1024  # bytes
XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Row = TypeVar("Row")


@dataclass
class Sheet:
    name: str
    rows: list[list[str]]


@dataclass
class Fault:
    """What is wrong in a file, and where: the row counts from 1 as the spreadsheet shows it."""

    sheet: str
    row: int
    column: str
    reason: str

    def __str__(self) -> str:
        return str(gettext("%(sheet)s, row %(row)s, %(column)s: %(reason)s", **self.__dict__))


@dataclass
class Table:
    """The rows under a recognised header. Each row has `_sheet` and `_row`, and text under each field's name."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)


def fold(words: str) -> str:
    """Text for comparison: without case, accents, punctuation and spare space."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", words.casefold()) if not unicodedata.combining(c))
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split())


REASONS = {
    "empty": _("“%(name)s” is empty."),
    "heavy": _("“%(name)s” is larger than 5 MB. Save only the sheet with the list."),
    "bomb": _("“%(name)s” is far larger inside than it looks. Save only the sheet with the list."),
    "slow": _("“%(name)s” takes too long to read. Save only the sheet with the list."),
    "macros": _("“%(name)s” contains macros. Save it as .xlsx without them."),
    "large": _("“%(name)s” is too large: at most 20,000 rows."),
    "large_sheet": _("Sheet “%(sheet)s” of “%(name)s” is too large: at most 20,000 rows."),
    "unreadable": _("“%(name)s” cannot be read as a spreadsheet. Save it again as .xlsx or .csv."),
    "not_text": _("“%(name)s” is not a text file. Save it as .xlsx or .csv."),
    "characters": _("The characters of “%(name)s” cannot be read. Save it as CSV UTF-8."),
    "not_table": _("“%(name)s” cannot be read as a table: %(reason)s"),
    "other_kind": _("“%(name)s” is not a spreadsheet of a kind that can be read. Save it as .xlsx or .csv."),
}


def _refuse(code: str, filename: str, **names: str) -> NoReturn:
    raise Invalid(str(REASONS[code]) % {"name": filename, **names})


def read(filename: str, data: bytes) -> list[Sheet]:
    """The visible sheets of an XLSX or CSV file, every cell as text. Raises Invalid, naming the file and the reason.

    Another process does it (sheetfile.py), with at most 300 MB and 5 seconds, while this one serves other pages: no
    transaction should be open meanwhile (`web.pause_transaction`).
    """
    if len(data) > MAX_FILE:
        _refuse("heavy", filename)
    try:
        done = subprocess.run([sys.executable, "-I", str(READER)], input=data, capture_output=True, timeout=5, check=False)  # noqa: S603  our own
    except subprocess.TimeoutExpired:
        _refuse("slow", filename)
    if done.returncode != 0:  # killed by its limits, or the library gave up
        _refuse("slow" if done.returncode == -signal.SIGXCPU else "bomb", filename)
    answer = json.loads(done.stdout)
    if "refused" in answer:
        _refuse(answer["refused"], filename, **answer["names"])
    return [Sheet(name or filename, [[clean(cell) for cell in row] for row in rows]) for name, rows in answer["sheets"].items()]


def unhurried(rows: Iterable[Row]) -> Iterator[Row]:
    """The rows, with a moment for other requests of this process after every twenty (a list may have thousands)."""
    for number, row in enumerate(rows):
        if number % 20 == 19:
            time.sleep(0)
        yield row


def table(filename: str, sheets: Sequence[Sheet], headings: Mapping[str, Sequence[str]], required: Sequence[str]) -> Table:
    """The rows of all sheets that have a header with every required field, wherever it stands and in any order.

    `headings` gives, per field, the headings that mean it, in any language; case and punctuation do not matter.
    Raises Invalid where no sheet has such a header, naming what is missing.
    """
    meanings = {fold(words): name for name, all_words in headings.items() for words in all_words}
    found = Table()
    nearest: set[str] = set()
    for sheet in sheets:
        for number, cells in enumerate(sheet.rows[:40]):
            columns = {meanings[key]: n for n, cell in reversed(list(enumerate(cells))) if (key := fold(cell)) in meanings}
            if len(columns) > len(nearest):
                nearest = set(columns)
            if all(name in columns for name in required):
                found.fields = sorted({*found.fields, *columns})
                for offset, row in enumerate(sheet.rows[number + 1 :], start=number + 2):
                    if any(row):
                        values = {name: row[n] if n < len(row) else "" for name, n in columns.items()}
                        found.rows.append({"_sheet": sheet.name, "_row": offset, **values})
                break
    if not found.fields:
        missing = ", ".join(f"“{headings[name][0]}”" for name in required if name not in nearest)
        raise Invalid(
            _("No header was found in “%(name)s”. It needs a row with these columns: %(missing)s.", name=filename, missing=missing)
        )
    if not found.rows:
        raise Invalid(_("There are no rows under the header of “%(name)s”.", name=filename))
    return found


def write_xlsx(sheets: Mapping[str, tuple[Sequence[str], Iterable[Sequence[Any]]]]) -> bytes:
    """An XLSX file of `{sheet name: (header, rows)}`; text is written as text, never as a formula or a link."""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        bold, wrap = book.add_format({"bold": True, "bottom": 1, "text_wrap": True}), book.add_format({"text_wrap": True, "valign": "top"})
        for name, (header, rows) in sheets.items():
            sheet = book.add_worksheet("".join("-" if c in "[]:*?/\\" else c for c in name)[:31])
            sheet.freeze_panes(1, 0)
            widths = [len(str(words)) for words in header]
            for column, words in enumerate(header):
                sheet.write_string(0, column, str(words), bold)
            for number, row in enumerate(rows, start=1):
                for column, value in enumerate(row):
                    if isinstance(value, int | float) and not isinstance(value, bool):
                        sheet.write_number(number, column, value, wrap)
                    else:
                        words = clean(str(value)) if value is not None else ""
                        sheet.write_string(number, column, words[:32_000], wrap)
                        widths[column] = max(widths[column], min(60, max((len(part) for part in words.split("\n")), default=0)))
            for column, width in enumerate(widths):
                sheet.set_column(column, column, min(60, max(6, width + 2)))
    return buffer.getvalue()


def write_csv(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """A CSV file (UTF-8 with BOM, so that Excel reads it right) in which no cell can run as a formula.

    A cell that begins like one is preceded by an apostrophe; a phone number (+62 812 …) stays as it is.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([harmless(words) for words in header])
    writer.writerows([harmless(value) for value in row] for row in rows)
    return buffer.getvalue().encode("utf-8-sig")


_INNER = re.compile(r"([;\t\n])( *[=@]|[+-](?=\S))")


def unquoted(words: str, now: str) -> str:
    """A cell that comes back, without the apostrophes that `harmless` put there. `now`: what stands there now."""
    if words in (now, harmless(now)):
        return now
    words = words[1:] if words[:1] == "'" and words[1:2] in ("=", "+", "-", "@") else words
    return _QUOTED.sub(r"\1\2", words)


_QUOTED = re.compile(r"([;\t\n])'( *[=@]|[+-](?=\S))")


def harmless(value: Any) -> str:
    """The text of a CSV cell that no spreadsheet takes for a formula."""
    words = clean(str(value)) if value is not None else ""
    phone = words.startswith("+") and words[1:].replace(" ", "").replace("-", "").isdigit()
    # also where a program splits the cell at another separator than ours, and what follows stands first in a cell
    words = _INNER.sub(r"\1'\2", words)
    return f"'{words}" if words.startswith(("=", "+", "-", "@", "\t", "\r")) and not phone and words != "-" else words
